//! The node as its callers meet it: over its API, on its command line, after crashes and damage.

mod access;
mod api;
mod audit;
mod audit_bundle;
mod bluetooth;
mod cli;
mod consortium;
mod crash;
mod cut_off;
mod desk;
mod device_life;
mod fsck;
mod fuzz;
mod guessing;
mod handover;
mod interactions;
mod joining;
mod late;
mod ledger_people;
mod light;
mod light_witness;
#[cfg(target_os = "linux")]
mod moving_ward;
mod patients;
mod patients_cli;
mod people;
mod people_cli;
mod permissions;
mod place;
mod policies;
mod program;
mod provisioning;
mod pty;
mod relay;
mod relay_afar;
mod roaming;
mod selftest;
mod served;
mod signing;
mod simulated;
mod upkeep;
mod ward;
#[cfg(target_os = "linux")]
mod wearable;
