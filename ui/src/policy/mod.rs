//! Policies without a page: from templates to their text, from a text's faults to their places in it, and from
//! what a simulation answers to the few lines that say it.
//!
//! ```text
//! Template ──▶ Rule ◀──reads, writes──▶ text ──node's check──▶ faults ──▶ pieces, places
//!                                        └────node's simulation──▶ rows ──▶ parts of who × what × why
//! ```
//!
//! It leaves out Cedar: what a text means, and whether it is one, only the node says.

pub mod access;
pub mod place;
pub mod template;
