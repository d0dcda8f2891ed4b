//! The node as its callers meet it: over its API, on its command line, after crashes and damage.

mod api;
mod cli;
mod consortium;
mod crash;
mod device_life;
mod fsck;
mod fuzz;
mod handover;
mod interactions;
mod joining;
mod late;
mod light;
mod light_witness;
mod program;
mod provisioning;
mod pty;
mod relay;
mod selftest;
mod served;
mod upkeep;
mod ward;
