//! People and organisations on the ledger as they are told of: with names where this node's vault knows them.

use std::collections::BTreeMap;

use fog_api::AccessPerson;
use ledger_core::access;
use ledger_core::{Digest, OrganisationId, governance};
use ledger_store::Snapshot;

use crate::failure::Failure;

/// Who is who, at one height.
pub(crate) struct Names<'a> {
    pub(crate) snapshot: &'a Snapshot<'a>,
    /// Of this node's people, by their handles.
    pub(crate) people: BTreeMap<Digest, String>,
}

impl Names<'_> {
    /// Somebody.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub(crate) fn person(&self, handle: &Digest) -> Result<AccessPerson, Failure> {
        let known = access::person(self.snapshot, handle).map_err(Failure::internal)?;
        Ok(AccessPerson {
            handle: handle.to_string(),
            name: self.people.get(handle).cloned(),
            organisation: match known {
                Some(known) => self.organisation(&known.organisation)?,
                None => String::new(),
            },
        })
    }

    /// An organisation's name; its id where it has none.
    ///
    /// # Errors
    /// [`Failure`] if the replica cannot be read.
    pub(crate) fn organisation(&self, id: &OrganisationId) -> Result<String, Failure> {
        let found = governance::organisation(self.snapshot, id).map_err(Failure::internal)?;
        Ok(found.map_or_else(|| id.to_string(), |found| found.name))
    }
}

/// What somebody is called, with her organisation; by the first digits of her handle where her name is not known.
pub(crate) fn name(person: &AccessPerson) -> String {
    let of = |name: &str| match person.organisation.is_empty() {
        true => name.to_owned(),
        false => format!("{name} ({})", person.organisation),
    };
    match &person.name {
        Some(name) => of(name),
        None => of(person.handle.get(..8).unwrap_or(&person.handle)),
    }
}
