//! Tests of the pure ledger over its public API.

mod batch;
mod canonical;
mod certificate;
mod decode;
mod example;
mod golden;
mod key;
mod light;
mod light_bytes;
mod light_evidence;
mod light_state;
mod merkle;
mod proof;
mod reading;
mod state;
mod support;
