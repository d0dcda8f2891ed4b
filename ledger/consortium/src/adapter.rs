//! The ledger's types in the shape Malachite asks for: its `Context`, signing scheme and codecs.
//!
//! Nothing here decides anything. Heights, keys, digests and signatures are those of `ledger-core`;
//! what is signed is [`ledger_core::certificate::VoteContent`], so that the precommits Malachite
//! collects are the ledger's certificate as they are.

pub(crate) mod codec;
pub(crate) mod context;
pub(crate) mod signing;
#[cfg(test)]
mod tests;
pub(crate) mod wire;

pub(crate) use codec::PostcardCodec;
pub(crate) use context::{Address, BlockHeight, Chain, ProposalPart, Validators, ValueHash};
