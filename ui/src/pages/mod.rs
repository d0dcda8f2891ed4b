//! The pages: each answers one question in its heading, then shows why.

pub mod block;
mod block_table;
pub mod chain;
mod chain_plots;
pub mod consortium;
pub mod device;
pub mod devices;
mod inbox;
mod incoming;
pub mod not_for_you;
pub mod overview;
pub mod pair;
pub mod patients;
pub mod people;
pub mod period;
pub mod policies;
pub mod proof;
mod proof_files;
mod proof_pick;
mod proof_view;
pub mod registry;
pub mod requests;
mod self_test;
pub mod sign_in;
pub mod transaction;
pub mod unknown;
pub mod wall;
