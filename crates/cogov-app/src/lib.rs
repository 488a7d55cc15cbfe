//! cogov-app
