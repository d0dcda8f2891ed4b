//! Tests of the pure ledger over its public API.

mod batch;
mod canonical;
mod certificate;
mod decode;
mod example;
mod golden;
mod key;
mod merkle;
mod proof;
mod reading;
mod state;
mod support;
