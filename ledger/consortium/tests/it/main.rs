//! Consensus as the rest of the node sees it: one validator, killed validators, several validators.

mod alone;
mod copy;
mod cut;
mod fixture;
mod four;
mod killed;
mod live;
mod mempool;
mod relay;
mod town;
