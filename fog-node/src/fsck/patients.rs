//! Are the patients all there, is each account one patient's at most, and each device at each time?

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::Report;
use crate::patients::patient::Patient;
use crate::vault::seal::MasterKey;
use crate::vault::{VaultError, assignments, patients};

/// Every row opens, and no account opens two records; each assignment is of a patient who is there, and no two of a device overlap.
pub(super) fn check(
    connection: &Connection,
    master: &MasterKey,
    report: &mut Report,
) -> Result<(), VaultError> {
    let (mut known, mut accounts) = (BTreeSet::new(), BTreeSet::new());
    for (at, row) in patients::all(connection)?.iter().enumerate() {
        match Patient::open(row, master) {
            Ok(patient) => {
                known.insert(patient.id);
                let account = patient.account.map(|account| account.person);
                if account.is_some_and(|person| !accounts.insert(person)) {
                    report.add("patients", "One account opens two patients' records.");
                }
            }
            // A report may be passed on, and names no patient by the id either.
            Err(_) => report.add("patients", format!("Row {} does not open.", at + 1)),
        }
    }
    if !connection.table_exists(None, "assignments")? {
        return Ok(());
    }
    let all = match assignments::all(connection, master) {
        Ok(all) => all,
        Err(VaultError::Sqlite(error)) => return Err(error.into()),
        Err(_) => {
            report.add("assignments", "A row does not open.");
            return Ok(());
        }
    };
    for worn in &all {
        let device = &worn.device;
        if !known.contains(&worn.patient) {
            let sentence = format!("Device {device} is assigned to a patient who is not there.");
            report.add("assignments", sentence);
        }
        if worn.until.is_some_and(|until| until < worn.since) {
            let sentence = format!("An assignment of device {device} ends before it begins.");
            report.add("assignments", sentence);
        }
    }
    for pair in all.windows(2) {
        let [one, next] = pair else { continue };
        if one.device == next.device && one.until.is_none_or(|until| until > next.since) {
            let sentence = format!("Device {} is two patients' at once.", one.device);
            report.add("assignments", sentence);
        }
    }
    Ok(())
}
