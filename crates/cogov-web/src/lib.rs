//! cogov-web
