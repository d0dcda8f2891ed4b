//! What the console says of people, their roles and what they may do.

use std::collections::BTreeSet;

use fog_api::{Capability, LedgerStanding, Person, PersonStanding, Role};

use super::state::State;

/// A role, for people.
#[must_use]
pub const fn role(role: Role) -> &'static str {
    match role {
        Role::Admin => "Admin",
        Role::Physician => "Physician",
        Role::Nurse => "Nurse",
        Role::Technician => "Technician",
        Role::Researcher => "Researcher",
        Role::Auditor => "Auditor",
        Role::Patient => "Patient",
    }
}

/// What a role is for.
#[must_use]
pub const fn role_means(role: Role) -> &'static str {
    match role {
        Role::Admin => "registers people, votes, keeps the node; opens no record",
        Role::Physician => "sees devices, reads records, says whose a device is",
        Role::Nurse => "as a physician, and pairs and changes devices",
        Role::Technician => "pairs and changes devices; opens no record",
        Role::Researcher => "reads the chain; records only as policies grant",
        Role::Auditor => "sees who is registered and what the chain holds",
        Role::Patient => "sees their own record, once staff have linked it",
    }
}

/// Roles in one line.
#[must_use]
pub fn roles(all: &BTreeSet<Role>) -> String {
    let words: Vec<_> = all.iter().map(|one| role(*one)).collect();
    words.join(", ")
}

/// Something that may be done, as the end of *you may …*.
#[must_use]
pub const fn may(capability: Capability) -> &'static str {
    match capability {
        Capability::SeeDevices => "see devices and their live values",
        Capability::ChangeDevices => "pair and change devices",
        Capability::Assign => "say whose a device is",
        Capability::ReadRecords => "read records and their proofs",
        Capability::ReadConsortium => "read the chain and the consortium",
        Capability::Vote => "propose and vote",
        Capability::SeePeople => "see who is registered",
        Capability::ManagePeople => "register and revoke people",
        Capability::Maintain => "make backups and erase for good",
        Capability::Audit => "ask who did what",
        Capability::DecideAccess => "decide about requests for data",
        Capability::OwnRecord => "see your own record, and who looked at it",
    }
}

/// The heading of *People*.
#[must_use]
pub fn heading(people: &[Person]) -> String {
    let active = people
        .iter()
        .filter(|person| person.standing == PersonStanding::Active)
        .count();
    match active {
        1 => "One person may sign in".to_owned(),
        some => format!("{some} people may sign in"),
    }
}

/// How a person stands, at `now` in Unix milliseconds.
#[must_use]
pub fn standing(person: &Person, now: i64) -> (State, String) {
    if person.standing == PersonStanding::Revoked {
        return (State::Offline, "Revoked".to_owned());
    }
    match person.closed_until.filter(|until| *until > now) {
        Some(until) => {
            let minutes = (until - now) / 60_000 + 1;
            (State::Attention, format!("Too many tries; {minutes} min"))
        }
        None if person.recovery_codes == 0 => {
            (State::Attention, "No recovery code left".to_owned())
        }
        None => (State::Ok, "May sign in".to_owned()),
    }
}

/// How far the person is on the ledger.
#[must_use]
pub fn on_ledger(person: &Person) -> (State, String) {
    let ledger = &person.ledger;
    match (ledger.standing, &ledger.why_not) {
        (LedgerStanding::OnLedger, _) => (State::Ok, "On the ledger".to_owned()),
        (LedgerStanding::Revoked, _) => (State::Offline, "Revoked there".to_owned()),
        (LedgerStanding::Never, _) => (State::Offline, "Never was there".to_owned()),
        (LedgerStanding::Waiting, None) => (State::Unknown, "On its way".to_owned()),
        (LedgerStanding::Waiting, Some(why)) => (State::Attention, format!("Waits. {why}")),
    }
}

#[cfg(test)]
mod tests {
    //! Goal: people are counted and their standing is said. Method: examples.

    use fog_api::PersonOnLedger;

    use super::*;

    fn person() -> Person {
        Person {
            id: "ab".to_owned(),
            login: "anna".to_owned(),
            name: "Anna".to_owned(),
            roles: [Role::Nurse, Role::Admin].into(),
            standing: PersonStanding::Active,
            since: 0,
            signing_key: String::new(),
            exchange_key: String::new(),
            recovery_codes: 10,
            closed_until: None,
            ledger: PersonOnLedger {
                handle: None,
                standing: LedgerStanding::Waiting,
                why_not: None,
            },
        }
    }

    #[test]
    fn standings_are_said() {
        let (active, mut other) = (person(), person());
        assert_eq!(standing(&active, 0).0, State::Ok);
        assert_eq!(roles(&active.roles), "Admin, Nurse");
        other.closed_until = Some(90_000);
        assert_eq!(standing(&other, 0).1, "Too many tries; 2 min");
        assert_eq!(standing(&other, 90_000).0, State::Ok);
        other.recovery_codes = 0;
        assert_eq!(standing(&other, 90_000).0, State::Attention);
        other.standing = PersonStanding::Revoked;
        assert_eq!(standing(&other, 0).0, State::Offline);
        assert_eq!(
            on_ledger(&active),
            (State::Unknown, "On its way".to_owned())
        );
        other.ledger.why_not = Some("Cut off.".to_owned());
        assert_eq!(on_ledger(&other).1, "Waits. Cut off.");
        assert_eq!(heading(&[active.clone(), other]), "One person may sign in");
        assert_eq!(heading(&[active.clone(), active]), "2 people may sign in");
    }
}
