//! cogov-store
