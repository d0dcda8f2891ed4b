//! People, policies and access on the ledger. Goal: each step of a request's life, each reason to refuse one, and
//! that a grant ends with whatever it rests on. Method: two hospitals of one node each, whose people have keys of
//! their own; blocks executed on a state in memory; what is void is executed too, and leaves only a used nonce.

use std::collections::BTreeSet;

use ledger_core::access::{
    self, Access, AccessDecision, AccessError, AccessState, AskAccess, Attestation, ChangePerson,
    DecideAccess, MAX_CONSENTS, MAX_GRANT_MILLIS, PersonChange, PersonKeys, Purpose, PutPolicy,
    Receipt, RegisterPerson, Relation, Resolution, Role, Scope, Tombstone,
};
use ledger_core::state::{Clock, ExecutionError};
use ledger_core::{Digest, Genesis, Height, OrganisationId, Payload, PublicKey};

use crate::support::{State, assert_void, execute, genesis, key, organisation};
use crate::town::public;

/// Nodes and admins of the two hospitals.
pub const HARBOUR: u8 = 1;
pub const CLINIC: u8 = 2;
/// People: Ada and Eve of the clinic, Bo and Cy of the harbour's.
pub const ADA: u8 = 11;
pub const EVE: u8 = 12;
pub const BO: u8 = 13;
pub const CY: u8 = 14;
const PEOPLE: [(u8, u8, Role); 4] = [
    (ADA, CLINIC, Role::Physician),
    (EVE, CLINIC, Role::Nurse),
    (BO, HARBOUR, Role::Physician),
    (CY, HARBOUR, Role::Technician),
];
pub const HEART_RATE: &str = "8867-4";
pub const SPO2: &str = "59408-5";
pub const HOUR: u64 = 3_600_000;
pub const DAY: u64 = 24 * HOUR;
/// A Friday, 10:00 UTC.
pub const START: u64 = 1_795_773_600_000;

/// A chain of the two hospitals, with their people.
#[derive(Clone)]
pub struct Town {
    genesis: Genesis,
    pub state: State,
    height: u64,
    pub now: u64,
    pub nonces: [u64; 32],
}

pub fn handle(number: u8) -> Digest {
    Digest::of(&[number])
}

pub fn subject() -> Digest {
    Digest::of(b"subject")
}

pub fn holder() -> OrganisationId {
    organisation(HARBOUR).id
}

fn keys(number: u8) -> PersonKeys {
    PersonKeys {
        signing: public(number),
        sealing: [number; 32],
    }
}

fn person(number: u8, roles: &[Role]) -> Payload {
    Payload::RegisterPerson(RegisterPerson {
        handle: handle(number),
        keys: keys(number),
        roles: roles.iter().copied().collect(),
        credential: Digest::of(b"credential"),
    })
}

pub fn about(number: u8, change: PersonChange) -> Payload {
    let handle = handle(number);
    Payload::ChangePerson(ChangePerson { handle, change })
}

pub fn rule(name: &str, text: Option<&str>) -> Payload {
    policy(Scope::all_of(holder()), name, text)
}

pub fn consent(name: &str, text: Option<&str>) -> Payload {
    let subject = Some(subject());
    policy(
        Scope {
            holder: holder(),
            subject,
        },
        name,
        text,
    )
}

fn policy(scope: Scope, name: &str, text: Option<&str>) -> Payload {
    Payload::PutPolicy(PutPolicy {
        scope,
        name: name.into(),
        text: text.map(Into::into),
        grounds: None,
    })
}

/// The heart rate and the oxygen saturation of the last day, for an hour.
pub fn asked(number: u8) -> AskAccess {
    AskAccess {
        handle: handle(number),
        holder: holder(),
        subject: subject(),
        metrics: vec![SPO2.into(), HEART_RATE.into()],
        from_millis: START - DAY,
        until_millis: START,
        resolution: Resolution::Raw,
        purpose: Purpose::Treatment,
        for_millis: HOUR,
        attestation: None,
        emergency: None,
    }
}

pub fn treating(number: u8, until_millis: u64) -> Option<Attestation> {
    let relations = BTreeSet::from([Relation::Treating]);
    let node = key(HARBOUR);
    Some(Attestation::sign(
        &node,
        &handle(number),
        &subject(),
        relations,
        until_millis,
    ))
}

pub fn decision(number: u8, decision: AccessDecision) -> Payload {
    let access = handle(number);
    Payload::DecideAccess(DecideAccess { access, decision })
}

pub fn receipt(number: u8) -> Payload {
    Payload::Receipt(Receipt {
        access: handle(number),
        readings: 86_400,
        disclosed: Digest::of(b"served"),
    })
}

impl Town {
    pub fn founded() -> Self {
        let genesis = genesis(&[HARBOUR, CLINIC]);
        let mut town = Self {
            state: State::default(),
            height: 0,
            now: START,
            nonces: [0; 32],
            genesis: genesis.clone(),
        };
        town.execute(HARBOUR, Payload::Genesis(genesis))
            .expect("founded");
        town.nonces = [0; 32];
        for (number, of, role) in PEOPLE {
            town.send(of, person(number, &[role])).expect("registered");
        }
        town
    }

    pub fn clock(&self) -> Clock {
        Clock {
            height: Height(self.height),
            time_millis: self.now,
        }
    }

    /// Executes a block with this transaction, unless it would be void.
    pub fn send(&mut self, sender: u8, payload: Payload) -> Result<(), ExecutionError> {
        let void = access::check(&self.state, self.clock(), public(sender), &payload);
        let before = self.clone();
        self.execute(sender, payload)?;
        if void.is_err() {
            assert_void(&before.state, &self.state, sender);
            *self = before;
        }
        void
    }

    pub fn execute(&mut self, sender: u8, payload: Payload) -> Result<(), ExecutionError> {
        let clock = self.clock();
        let nonce = &mut self.nonces[usize::from(sender)];
        execute(
            &self.genesis,
            &mut self.state,
            clock,
            (sender, *nonce),
            payload,
        )?;
        *nonce += 1;
        self.height += 1;
        Ok(())
    }

    fn ask(&mut self, sender: u8, asked: AskAccess) -> Access {
        let handle = asked.handle;
        self.send(sender, Payload::AskAccess(asked)).expect("asked");
        self.found(&handle)
    }

    pub fn found(&self, handle: &Digest) -> Access {
        access::access(&self.state, handle)
            .expect("a state")
            .expect("a request")
    }

    pub fn readable(&self, number: u8) -> Vec<String> {
        access::readable(&self.state, &handle(number), self.now).expect("a state")
    }
}

pub fn refused(error: AccessError) -> Result<(), ExecutionError> {
    Err(ExecutionError::Access(error))
}

const TREATING: &str = "permit(principal in Role::\"physician\", action, resource) \
     when { context.relations.contains(Relation::\"treating\") };";
const HEART_FOR_ALL: &str =
    "permit(principal, action, resource) when { resource.metric == \"8867-4\" };";

#[test]
fn a_request_is_cut_to_what_is_permitted() {
    let mut town = Town::founded();
    let denied = town.ask(ADA, asked(50));
    assert_eq!(
        (denied.state, denied.metrics.len()),
        (AccessState::Denied, 0),
        "no policy, no access"
    );
    town.send(HARBOUR, rule("heart", Some(HEART_FOR_ALL)))
        .unwrap();
    town.send(HARBOUR, rule("treating", Some(TREATING)))
        .unwrap();
    let part = town.ask(ADA, asked(51));
    assert_eq!(part.state, AccessState::Granted);
    assert_eq!(part.metrics, [HEART_RATE]);
    assert_eq!(part.by, ["heart"]);
    assert_eq!(part.until_millis, START + HOUR);
    let attestation = treating(ADA, START + DAY);
    let whole = town.ask(
        ADA,
        AskAccess {
            attestation,
            ..asked(52)
        },
    );
    assert_eq!(whole.metrics, [SPO2, HEART_RATE]);
    assert_eq!(whole.by, ["heart", "treating"]);
    assert_eq!(town.readable(52), [SPO2, HEART_RATE]);
    assert_eq!(town.readable(50), [""; 0], "what was denied stays denied");
    town.now += HOUR;
    assert_eq!(town.readable(52), [""; 0], "its time is over");
}

#[test]
fn a_grant_ends_with_what_it_rests_on() {
    let mut town = Town::founded();
    town.send(HARBOUR, rule("treating", Some(TREATING)))
        .unwrap();
    let attestation = treating(ADA, START + HOUR / 2);
    town.ask(
        ADA,
        AskAccess {
            attestation,
            ..asked(50)
        },
    );
    let granted = town.clone();
    assert_eq!(granted.readable(50), [SPO2, HEART_RATE]);
    type Change = (&'static str, fn(&mut Town), usize);
    let withdrawn = "forbid(principal, action, resource in Subject::\"SUBJECT\");";
    let limited = "forbid(principal, action, resource in Subject::\"SUBJECT\") \
         unless { resource.metric == \"8867-4\" };";
    let changes: [Change; 8] = [
        ("nothing", |_| {}, 2),
        (
            "another role",
            |town| {
                let roles = PersonChange::Roles([Role::Researcher].into());
                town.send(CLINIC, about(ADA, roles)).unwrap();
            },
            0,
        ),
        (
            "revoked",
            |town| town.send(CLINIC, about(ADA, PersonChange::Revoke)).unwrap(),
            0,
        ),
        (
            "the policy retracted",
            |town| town.send(HARBOUR, rule("treating", None)).unwrap(),
            0,
        ),
        (
            "ended by the holder's node",
            |town| {
                town.send(HARBOUR, decision(50, AccessDecision::End))
                    .unwrap();
            },
            0,
        ),
        (
            "given back",
            |town| town.send(ADA, decision(50, AccessDecision::End)).unwrap(),
            0,
        ),
        ("the attestation over", |town| town.now += HOUR / 2, 0),
        (
            "keys rotated",
            |town| {
                town.send(ADA, about(ADA, PersonChange::Rotate(keys(21))))
                    .unwrap();
            },
            2,
        ),
    ];
    for (what, change, left) in changes {
        let mut town = granted.clone();
        change(&mut town);
        assert_eq!(town.readable(50).len(), left, "{what}");
    }
    for (text, left) in [(withdrawn, 0), (limited, 1)] {
        let mut town = granted.clone();
        let text = text.replace("SUBJECT", &subject().to_string());
        town.send(HARBOUR, consent("choice", Some(&text))).unwrap();
        assert_eq!(town.readable(50).len(), left, "{text}");
        let denied = town.ask(ADA, asked(51));
        assert_eq!(denied.metrics.len(), 0);
        town.send(HARBOUR, consent("choice", None)).unwrap();
        assert_eq!(town.readable(50).len(), 2, "a consent given again");
    }
}

#[test]
fn where_a_policy_says_so_a_person_decides() {
    let mut town = Town::founded();
    let text = format!("@approval(\"needed\") {HEART_FOR_ALL}");
    town.send(HARBOUR, rule("asks", Some(&text))).unwrap();
    let waits = town.ask(ADA, asked(50));
    assert_eq!(waits.state, AccessState::Waiting);
    assert_eq!(town.readable(50), [""; 0]);
    let waiting = town.clone();
    let may_not = AccessError::MayNotDecide;
    for (by, error) in [
        (ADA, may_not),
        (EVE, may_not),
        (CY, may_not),
        (HARBOUR, may_not),
        (CLINIC, AccessError::NotAPerson),
    ] {
        let allow = town.send(by, decision(50, AccessDecision::Allow));
        assert_eq!(allow, refused(error), "{by}");
    }
    town.now += HOUR / 2;
    town.send(BO, decision(50, AccessDecision::Allow)).unwrap();
    let granted = town.found(&handle(50));
    assert_eq!(
        (granted.state, granted.decided_by),
        (AccessState::Granted, Some(handle(BO)))
    );
    assert_eq!(
        granted.until_millis,
        START + HOUR / 2 + HOUR,
        "from the grant on"
    );
    assert_eq!(town.readable(50), [HEART_RATE]);
    let again = town.send(BO, decision(50, AccessDecision::Allow));
    assert_eq!(again, refused(AccessError::NotOpen));

    let mut town = waiting.clone();
    town.send(BO, decision(50, AccessDecision::End)).unwrap();
    assert_eq!(town.found(&handle(50)).state, AccessState::Refused);
    let mut town = waiting.clone();
    town.send(ADA, decision(50, AccessDecision::End)).unwrap();
    assert_eq!(town.found(&handle(50)).state, AccessState::Ended);
    let mut town = waiting;
    town.now += HOUR;
    let late = town.send(BO, decision(50, AccessDecision::Allow));
    assert_eq!(late, refused(AccessError::NotOpen));
}

#[test]
fn a_broken_glass_is_reviewed() {
    let mut town = Town::founded();
    let text = "permit(principal in Role::\"nurse\", action, resource) when { context.emergency };";
    town.send(HARBOUR, rule("glass", Some(text))).unwrap();
    let review = AccessDecision::Review { is_justified: true };
    town.ask(EVE, asked(50));
    let emergency = Some(Digest::of(b"a reason"));
    let broken = town.ask(
        EVE,
        AskAccess {
            emergency,
            ..asked(51)
        },
    );
    assert_eq!(broken.state, AccessState::Granted);
    for (by, request, error) in [
        (EVE, 51, AccessError::MayNotDecide),
        (CY, 51, AccessError::MayNotDecide),
        (HARBOUR, 51, AccessError::MayNotDecide),
        (BO, 50, AccessError::NotOpen),
        (BO, 52, AccessError::NoAccess),
    ] {
        assert_eq!(
            town.send(by, decision(request, review)),
            refused(error),
            "{by} {request}"
        );
    }
    town.now += 2 * HOUR;
    town.send(BO, decision(51, review)).unwrap();
    let reviewed = town.found(&handle(51)).review.unwrap();
    assert_eq!((reviewed.by, reviewed.is_justified), (handle(BO), true));
    assert_eq!(
        town.send(BO, decision(51, review)),
        refused(AccessError::NotOpen)
    );
}

#[test]
fn receipts_are_for_what_was_granted() {
    let mut town = Town::founded();
    town.ask(ADA, asked(50));
    town.send(HARBOUR, rule("heart", Some(HEART_FOR_ALL)))
        .unwrap();
    town.ask(ADA, asked(51));
    let not_granted = town.send(HARBOUR, receipt(50));
    assert_eq!(not_granted, refused(AccessError::NotGranted));
    assert_eq!(
        town.send(CLINIC, receipt(51)),
        refused(AccessError::NotServing)
    );
    assert_eq!(
        town.send(HARBOUR, receipt(52)),
        refused(AccessError::NoAccess)
    );
    town.send(HARBOUR, receipt(51)).unwrap();
    town.send(ADA, decision(51, AccessDecision::End)).unwrap();
    town.send(HARBOUR, receipt(51)).unwrap();
    let kept = access::receipts(&town.state, &handle(51)).unwrap();
    assert_eq!((kept.count, kept.readings), (2, 2 * 86_400));
}

#[test]
fn what_is_malformed_is_void() {
    let mut town = Town::founded();
    type Change = fn(&mut AskAccess);
    let cases: [(Change, AccessError); 13] = [
        (|a| a.metrics.clear(), AccessError::Metrics),
        (|a| a.metrics.reverse(), AccessError::Metrics),
        (
            |a| a.metrics[1] = a.metrics[0].clone(),
            AccessError::Metrics,
        ),
        (|a| a.metrics[0] = "x".repeat(17), AccessError::Metrics),
        (|a| a.metrics[0] = "59408 5".into(), AccessError::Metrics),
        (
            |a| a.metrics = (10..27).map(|n| n.to_string()).collect(),
            AccessError::Metrics,
        ),
        (|a| a.until_millis = a.from_millis, AccessError::Period),
        (|a| a.for_millis = 59_999, AccessError::Duration),
        (
            |a| a.for_millis = MAX_GRANT_MILLIS + 1,
            AccessError::Duration,
        ),
        (|a| a.holder = organisation(9).id, AccessError::NoHolder),
        // Of another person, of another subject, and altered.
        (
            |a| a.attestation = treating(EVE, START + DAY),
            AccessError::Attestation,
        ),
        (
            |a| {
                a.attestation = treating(ADA, START + DAY);
                a.subject = Digest::of(b"another");
            },
            AccessError::Attestation,
        ),
        (
            |a| {
                let mut altered = treating(ADA, START + DAY).unwrap();
                altered.until_millis += 1;
                a.attestation = Some(altered);
            },
            AccessError::Attestation,
        ),
    ];
    for (number, (change, error)) in cases.into_iter().enumerate() {
        let mut request = asked(50);
        change(&mut request);
        let sent = town.send(ADA, Payload::AskAccess(request));
        assert_eq!(sent, refused(error), "case {number}");
    }
    // Attested by a node of the asker's, not of the holder's.
    let relations = BTreeSet::from([Relation::Treating]);
    let own = Attestation::sign(
        &key(CLINIC),
        &handle(ADA),
        &subject(),
        relations,
        START + DAY,
    );
    let request = AskAccess {
        attestation: Some(own),
        ..asked(50)
    };
    let sent = town.send(ADA, Payload::AskAccess(request));
    assert_eq!(sent, refused(AccessError::Attestation));
    town.ask(ADA, asked(50));
    assert_eq!(
        town.send(EVE, Payload::AskAccess(asked(50))),
        refused(AccessError::Taken)
    );
}

#[test]
fn people_are_their_organisations() {
    let mut town = Town::founded();
    let cases = [
        (BO, person(20, &[Role::Nurse]), AccessError::NotAdmin),
        (HARBOUR, person(20, &[]), AccessError::Roles),
        (HARBOUR, person(ADA, &[Role::Nurse]), AccessError::Taken),
        (
            CLINIC,
            about(BO, PersonChange::Revoke),
            AccessError::NoPerson,
        ),
        (ADA, about(ADA, PersonChange::Revoke), AccessError::NotAdmin),
        (
            ADA,
            about(ADA, PersonChange::Roles([Role::Admin].into())),
            AccessError::NotAdmin,
        ),
        (
            EVE,
            about(ADA, PersonChange::Rotate(keys(21))),
            AccessError::NotAdmin,
        ),
        (
            ADA,
            about(ADA, PersonChange::Rotate(keys(ADA))),
            AccessError::NothingNew,
        ),
        (
            ADA,
            about(ADA, PersonChange::Rotate(keys(EVE))),
            AccessError::KeyTaken,
        ),
        (
            ADA,
            about(ADA, PersonChange::Rotate(keys(HARBOUR))),
            AccessError::KeyTaken,
        ),
        (
            CLINIC,
            about(ADA, PersonChange::Roles([].into())),
            AccessError::Roles,
        ),
        (
            CLINIC,
            about(ADA, PersonChange::Roles([Role::Physician].into())),
            AccessError::NothingNew,
        ),
        (
            CLINIC,
            about(99, PersonChange::Revoke),
            AccessError::NoPerson,
        ),
    ];
    for (number, (by, payload, error)) in cases.into_iter().enumerate() {
        assert_eq!(town.send(by, payload), refused(error), "case {number}");
    }
    for bad in [
        PersonKeys {
            signing: PublicKey([0; 32]),
            ..keys(21)
        },
        PersonKeys {
            sealing: [0; 32],
            ..keys(21)
        },
    ] {
        let sent = town.send(ADA, about(ADA, PersonChange::Rotate(bad)));
        assert_eq!(sent, refused(AccessError::BadKey));
    }
    // Her keys lost, an admin gives her new ones; the old ones open nothing and are nobody else's.
    town.send(CLINIC, about(ADA, PersonChange::Rotate(keys(21))))
        .unwrap();
    let with_old = town.send(ADA, Payload::AskAccess(asked(50)));
    assert_eq!(with_old, Err(ExecutionError::NotMember));
    town.ask(21, asked(50));
    let reused = town.send(CLINIC, about(EVE, PersonChange::Rotate(keys(ADA))));
    assert_eq!(reused, refused(AccessError::KeyTaken));
    town.send(CLINIC, about(EVE, PersonChange::Revoke)).unwrap();
    let revoked = town.send(EVE, Payload::AskAccess(asked(51)));
    assert_eq!(revoked, Err(ExecutionError::NotMember));
    let again = town.send(
        CLINIC,
        about(EVE, PersonChange::Roles([Role::Admin].into())),
    );
    assert_eq!(again, refused(AccessError::Revoked));
}

#[test]
fn policies_are_their_holders() {
    let mut town = Town::founded();
    let heart = Some(HEART_FOR_ALL);
    let cases = [
        (CLINIC, rule("heart", heart), AccessError::NotYours),
        (CLINIC, consent("heart", heart), AccessError::NotYours),
        (BO, rule("heart", heart), AccessError::NotAdmin),
        (HARBOUR, rule("Heart", heart), AccessError::PolicyName),
        (HARBOUR, rule("", heart), AccessError::PolicyName),
        (
            HARBOUR,
            rule(&"h".repeat(49), heart),
            AccessError::PolicyName,
        ),
        (
            HARBOUR,
            rule("heart", Some("permit(principal, action, resource)")),
            AccessError::PolicyText,
        ),
        (HARBOUR, rule("heart", None), AccessError::NothingNew),
        // A consent that would open the data of others.
        (HARBOUR, consent("heart", heart), AccessError::PolicyText),
    ];
    for (number, (by, payload, error)) in cases.into_iter().enumerate() {
        assert_eq!(town.send(by, payload), refused(error), "case {number}");
    }
    town.send(HARBOUR, rule("heart", heart)).unwrap();
    assert_eq!(
        town.send(HARBOUR, rule("heart", heart)),
        refused(AccessError::NothingNew)
    );
    let about_all = Scope::all_of(holder());
    let names = |town: &Town| -> Vec<String> {
        let found = access::policies(&town.state, &about_all).unwrap();
        found.into_iter().map(|policy| policy.put.name).collect()
    };
    town.send(HARBOUR, rule("a-first", heart)).unwrap();
    assert_eq!(names(&town), ["a-first", "heart"]);
    town.send(HARBOUR, rule("heart", None)).unwrap();
    assert_eq!(names(&town), ["a-first"]);
    let text = format!(
        "permit(principal, action, resource in Subject::\"{}\");",
        subject()
    );
    for number in 0..MAX_CONSENTS {
        town.send(HARBOUR, consent(&number.to_string(), Some(&text)))
            .unwrap();
    }
    let more = town.send(HARBOUR, consent("more", Some(&text)));
    assert_eq!(more, refused(AccessError::TooManyPolicies));
}

/// Whoever is nobody sends nothing: it does not even use up room in a block.
#[test]
fn strangers_send_nothing() {
    let mut town = Town::founded();
    let payloads = [
        person(20, &[Role::Nurse]),
        about(ADA, PersonChange::Revoke),
        rule("heart", Some(HEART_FOR_ALL)),
        Payload::AskAccess(asked(50)),
        decision(50, AccessDecision::Allow),
        receipt(50),
    ];
    for payload in payloads {
        assert_eq!(town.execute(30, payload), Err(ExecutionError::NotMember));
    }
}

/// Goal: a node's tombstones are numbered under its organisation, each once; nobody else tells one, and none is kept
/// back by another of the same name. Method: both hospitals' nodes, one of them twice, and a person.
#[test]
fn tombstones_are_numbered_by_organisation() {
    let mut town = Town::founded();
    let told = |name: u8, readings| Tombstone {
        handle: handle(name),
        readings,
        certificate: Digest::of(b"certificate"),
    };
    let all = [
        (HARBOUR, told(1, 7)),
        (CLINIC, told(1, 8)),
        (HARBOUR, told(1, 7)),
    ];
    for (node, tombstone) in all {
        let payload = Payload::Tombstone(tombstone);
        town.send(node, payload).expect("told");
    }
    let payload = Payload::Tombstone(told(2, 9));
    assert!(matches!(
        town.execute(ADA, payload),
        Err(ExecutionError::NotMember)
    ));
    for (of, readings) in [(HARBOUR, vec![7, 7]), (CLINIC, vec![8])] {
        let id = organisation(of).id;
        assert_eq!(
            access::tombstones(&town.state, &id).unwrap(),
            readings.len() as u64
        );
        let kept = |number| access::tombstone(&town.state, &id, number).unwrap();
        for (number, readings) in (0..).zip(&readings) {
            let kept = kept(number).expect("numbered");
            assert_eq!(
                (kept.tombstone, kept.node),
                (told(1, *readings), public(of))
            );
        }
        assert_eq!(kept(readings.len() as u64), None);
    }
}
