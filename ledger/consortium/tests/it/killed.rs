//! Killed validators.
