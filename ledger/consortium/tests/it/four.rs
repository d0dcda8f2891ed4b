//! Four validators.
