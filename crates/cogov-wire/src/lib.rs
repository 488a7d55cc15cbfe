//! cogov-wire
