//! The contract in front of the vault: who may see which part of whose data, decided alike on every node.
//!
//! A policy is one policy of the language Cedar (docs.cedarpolicy.com), held against one schema
//! (`policy.cedarschema`). Nothing is allowed that no policy permits; what one forbids, no other permits.
//!
//! ```text
//! text ──check──▶ CheckedPolicy ──┐
//!                                 ├─▶ Contract ──┐
//! text ──check──▶ CheckedPolicy ──┘              ├─decide─▶ Decision
//!                                   Question ────┘
//! ```
//!
//! | Hazard | What holds |
//! |---|---|
//! | nodes that decide differently | one version of Cedar, named by [`ENGINE`] in the genesis; no clock, float or network; everything a policy may ask is in the [`Question`] |
//! | Cedar gives up where the stack is short, and stacks differ | texts are short ([`MAX_POLICY_BYTES`]), and all work is done on a stack of its own, of one size |
//! | Cedar leaves out a policy that fails while it is evaluated, a prohibition too | then nothing is allowed |
//! | a misspelt role, purpose or relation | is an error with its place in the text |
//!
//! It knows no ledger, no node and no key: names are texts, times are numbers.

mod contract;
mod place;
mod policy;
mod question;
mod rule;

pub use contract::{Contract, Decision, decide};
pub use policy::{CheckedPolicy, Effect, Fault, MAX_POLICY_BYTES, schema_text};
pub use question::{Purpose, Question, Relation, Resolution, Role};
pub use rule::Rule;

/// Which Cedar and which schema decide; nodes that disagree about it cannot share a chain.
pub const ENGINE: &str = "cedar-policy 4.14.1, fogward-policy 1";

/// So much stack as the deepest text that is allowed needs, several times over, whoever calls.
const STACK_BYTES: usize = 16 << 20;

/// Does `work` on a stack of its own.
fn on_own_stack<T>(work: impl FnOnce() -> T) -> T {
    stacker::grow(STACK_BYTES, work)
}
