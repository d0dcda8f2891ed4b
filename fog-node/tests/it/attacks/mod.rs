//! What an attacker would try first, made as it would be made: requests that are slow, too large, too deep or about
//! files; what was stolen, said before, put back or altered. What it was to change is looked at afterwards.
//! `foreign_ids.rs`, `nodes_door.rs`, `guessing.rs` and `tls.rs` make others; `docs/threat-model.md` names them all.

mod again;
mod altered;
mod requests;
mod stolen;
