//! cogov-rulebook
