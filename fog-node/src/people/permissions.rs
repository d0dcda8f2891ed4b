//! What each role may do: the one table. Routes ask for a capability where they are declared
//! (`http/gate.rs`); nobody asks for a role.
//!
//! Roles add up. An admin who also treats patients is an admin and a physician; being an admin alone opens
//! no record. Left out: whose record it is, which policies on the ledger decide.

use std::collections::BTreeSet;

use fog_api::{Capability, Role};

use Role::{Admin, Auditor, Nurse, Patient, Physician, Researcher, Technician};

/// Who may do this. Whose own record it is, the link of the account tells (`crate::patients`).
#[must_use]
pub const fn roles_that_may(capability: Capability) -> &'static [Role] {
    match capability {
        Capability::SeeDevices => &[Admin, Physician, Nurse, Technician],
        Capability::ChangeDevices => &[Admin, Nurse, Technician],
        Capability::Assign => &[Physician, Nurse],
        Capability::ReadRecords => &[Physician, Nurse],
        Capability::ReadConsortium => &[Admin, Physician, Nurse, Technician, Researcher, Auditor],
        Capability::Vote | Capability::ManagePeople | Capability::Maintain => &[Admin],
        Capability::DecideAccess => &[Admin, Physician],
        Capability::SeePeople | Capability::Audit => &[Admin, Auditor],
        Capability::OwnRecord => &[Patient],
    }
}

/// What somebody with these roles may do.
#[must_use]
pub fn may(roles: &BTreeSet<Role>) -> BTreeSet<Capability> {
    let allows = |capability: &Capability| {
        let mut allowed = roles_that_may(*capability).iter();
        allowed.any(|role| roles.contains(role))
    };
    Capability::ALL.into_iter().filter(allows).collect()
}

/// Roles as a sentence names them: `admin or nurse`.
#[must_use]
pub fn in_words(roles: &BTreeSet<Role>) -> String {
    let names: Vec<_> = roles.iter().map(|role| role.name()).collect();
    match names.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, first)) => format!("{} or {last}", first.join(", ")),
        None => "nobody".to_owned(),
    }
}
