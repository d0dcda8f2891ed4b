//! The node as its callers meet it: over its API, on its command line, and after crashes.

mod api;
mod cli;
mod crash;
mod fuzz;
mod program;
mod pty;
