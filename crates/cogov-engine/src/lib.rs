//! cogov-engine
