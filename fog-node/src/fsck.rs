//! Checks everything a stopped node keeps.
