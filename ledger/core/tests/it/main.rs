//! Tests of the pure ledger over its public API.

mod access;
mod batch;
mod canonical;
mod certificate;
mod decode;
mod device;
mod example;
mod golden;
mod golden_access;
mod golden_governance;
mod governance;
mod governance_properties;
mod key;
mod light;
mod light_bytes;
mod light_evidence;
mod light_state;
mod merkle;
mod preflight;
mod proof;
mod queue;
mod reading;
mod state;
mod support;
mod town;
mod votes;
