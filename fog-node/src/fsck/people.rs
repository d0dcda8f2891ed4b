//! Are the people who may sign in all there, each once, one of them an admin, and is what they are on the ledger theirs?

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::Report;
use crate::people::credential::Credential;
use crate::people::person::{Person, PersonId};
use crate::vault::VaultError;
use crate::vault::people;
use crate::vault::seal::MasterKey;

/// Every row opens, no login name or handle is there twice, a credential is signed and of its own person, and where
/// there are people, an admin is among them.
pub(super) fn check(
    connection: &Connection,
    master: &MasterKey,
    report: &mut Report,
) -> Result<(), VaultError> {
    let (mut logins, mut handles) = (BTreeSet::new(), BTreeSet::new());
    let (mut has_admin, mut is_whole) = (false, true);
    for row in people::all(connection)? {
        if row.id == PersonId::NOBODY {
            continue;
        }
        let Ok(person) = Person::open(&row, master) else {
            is_whole = false;
            report.add("people", format!("Person {} does not open.", row.id));
            continue;
        };
        has_admin |= person.is_active_admin();
        if let Some(name) = &person.pseudonym {
            if !handles.insert(name.handle) {
                let what = format!("Person {} has somebody else's handle.", row.id);
                report.add("people", what);
            }
            let is_own = |credential: &Credential| {
                let body = &credential.body;
                credential.is_signed() && body.handle == name.handle && body.person == row.id.0
            };
            if !name.credential.as_ref().is_none_or(is_own) {
                let what = format!("Person {} has a credential that is not theirs.", row.id);
                report.add("people", what);
            }
        }
        if !logins.insert(person.login) {
            report.add(
                "people",
                format!("Person {} has somebody else's login name.", row.id),
            );
        }
    }
    if is_whole && !logins.is_empty() && !has_admin {
        report.add(
            "people",
            "Nobody is an admin, so nobody can register others.",
        );
    }
    Ok(())
}
