//! Are the people who may sign in all there, each once, and one of them an admin?

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::Report;
use crate::people::person::{Person, PersonId};
use crate::vault::VaultError;
use crate::vault::people;
use crate::vault::seal::MasterKey;

/// Every row opens, no login name is there twice, and where there are people, an admin is among them.
pub(super) fn check(
    connection: &Connection,
    master: &MasterKey,
    report: &mut Report,
) -> Result<(), VaultError> {
    let (mut logins, mut has_admin, mut is_whole) = (BTreeSet::new(), false, true);
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
