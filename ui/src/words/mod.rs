//! What the console says: numbers, ages, states and sentences, as plain functions.
//!
//! The page only places these words. Thousands are parted by U+202F, which never breaks and survives
//! right-to-left text. Nothing here reads a clock: ages come from two given times.

pub mod audit;
pub mod bluetooth;
pub mod chain;
pub mod code;
pub mod commissioning;
pub mod consents;
pub mod consortium;
pub mod device;
pub mod joining;
pub mod ledger;
pub mod node;
pub mod notices;
pub mod number;
pub mod patients;
pub mod people;
pub mod policies;
pub mod policy_history;
pub mod proof;
pub mod requests;
pub mod state;
pub mod votes;
pub mod wall;
