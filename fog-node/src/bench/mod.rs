//! Measurements of this machine with the real parts.
