//! Tests of the replica over its public API.

mod access_log;
mod alter;
mod append;
mod archive;
mod crash;
mod fault;
mod governance;
mod ids;
mod light;
mod prune;
mod read;
mod refuse;
mod restored;
mod retention;
mod schema;
mod support;
mod transfer;
