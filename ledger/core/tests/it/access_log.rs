//! The access log. Goal: each transaction that changed something of people, policies and requests, and each reading of
//! the log, is one entry that says who, about whom, whose and what came of it; nothing else is; and the head in the
//! state follows from the entries alone. Method: two hospitals, blocks executed on a state in memory, what is void among
//! them; digests are computed here by hand once more.

use std::collections::BTreeMap;

use ledger_core::access::{
    AccessDecision, AccessError, AccessState, AskAccess, ChangePerson, DecideAccess, LogEntry,
    LogHead, LogPart, Logged, MAX_LOG_ENTRY_BYTES, MAX_METRICS, PersonChange, PersonKeys, Purpose,
    PutPolicy, ReadLog, Receipt, RegisterPerson, Resolution, Role, Scope, check, log_head,
};
use ledger_core::canonical::encode;
use ledger_core::state::{Clock, ExecutionError, Executor};
use ledger_core::{Digest, Genesis, Height, OrganisationId, Payload, SignedTransaction};

use crate::support::{State, genesis, register, sign};
use crate::town::{id, public};

/// Nodes and admins of the two hospitals.
pub const HARBOUR: u8 = 1;
pub const CLINIC: u8 = 2;
/// A physician and an auditor of the harbour's, a physician of the clinic's.
pub const BO: u8 = 11;
pub const UMA: u8 = 12;
pub const ADA: u8 = 13;
const START: u64 = 1_795_773_600_000;
const HEART_RATE: &str = "8867-4";

/// A chain, and what it entered in its log.
pub struct Journal {
    pub genesis: Genesis,
    pub state: State,
    pub height: u64,
    pub logged: Vec<Logged>,
    /// The transaction of each entry.
    pub sent: Vec<SignedTransaction>,
    nonces: BTreeMap<u8, u64>,
}

impl Journal {
    /// Two hospitals whose people are registered.
    pub fn new() -> Self {
        let genesis = genesis(&[HARBOUR, CLINIC]);
        let mut journal = Self {
            state: State::default(),
            height: 0,
            logged: Vec::new(),
            sent: Vec::new(),
            nonces: BTreeMap::new(),
            genesis,
        };
        let founded = Payload::Genesis(journal.genesis.clone());
        assert_eq!(journal.send(HARBOUR, founded), None);
        journal.nonces.clear();
        let people = [
            (BO, HARBOUR, Role::Physician),
            (UMA, HARBOUR, Role::Auditor),
            (ADA, CLINIC, Role::Physician),
        ];
        for (number, admin, role) in people {
            let entry = journal.send(admin, person(number, role)).unwrap();
            assert_eq!(entry.person, Some(handle(number)));
            assert_eq!((entry.signer, entry.organisation), (None, id(admin)));
        }
        journal
    }

    /// The height and time of the next block.
    pub fn clock(&self) -> Clock {
        let founded = self.genesis.time_millis;
        Clock {
            height: Height(self.height),
            time_millis: match self.height {
                0 => founded,
                height => START + 1_000 * height,
            },
        }
    }

    /// Sends a transaction in a block of its own: its entry, if it has one.
    pub fn send(&mut self, sender: u8, payload: Payload) -> Option<LogEntry> {
        let clock = self.clock();
        let nonce = self.nonces.entry(sender).or_default();
        let sent = sign(&self.genesis, sender, *nonce, payload);
        *nonce += 1;
        let verified = sent.clone().verify(self.genesis.chain_id()).unwrap();
        let mut executor = Executor::new(&self.state, clock.height, clock.time_millis);
        executor.apply(&verified).unwrap();
        let logged = executor.take_logged();
        assert_eq!(executor.take_logged(), None, "it is taken once");
        let writes = executor.finish().unwrap();
        self.state.0.extend(writes);
        self.height += 1;
        let logged = logged?;
        let entry = logged.entry.clone();
        assert_eq!(entry.transaction, verified.id());
        assert_eq!(
            (entry.height, entry.time_millis),
            (clock.height, clock.time_millis)
        );
        self.logged.push(logged);
        self.sent.push(sent);
        Some(entry)
    }
}

pub fn handle(number: u8) -> Digest {
    Digest::of(&[number])
}

fn person(number: u8, role: Role) -> Payload {
    Payload::RegisterPerson(RegisterPerson {
        handle: handle(number),
        keys: keys(number),
        roles: [role].into(),
        credential: Digest::of(b"credential"),
    })
}

fn keys(number: u8) -> PersonKeys {
    PersonKeys {
        signing: public(number),
        sealing: [number; 32],
    }
}

pub fn rule(subject: Option<Digest>, text: &str) -> Payload {
    Payload::PutPolicy(PutPolicy {
        scope: Scope {
            holder: id(HARBOUR),
            subject,
        },
        name: "rule".into(),
        text: Some(text.into()),
        grounds: None,
    })
}

pub fn ask(number: u8, subject: Digest) -> Payload {
    Payload::AskAccess(AskAccess {
        handle: handle(number),
        holder: id(HARBOUR),
        subject,
        metrics: vec![HEART_RATE.into()],
        from_millis: 1,
        until_millis: 2,
        resolution: Resolution::Raw,
        purpose: Purpose::Quality,
        for_millis: 3_600_000,
        attestation: None,
        emergency: None,
    })
}

pub fn decide(number: u8, decision: AccessDecision) -> Payload {
    let access = handle(number);
    Payload::DecideAccess(DecideAccess { access, decision })
}

pub fn receipt(number: u8) -> Payload {
    Payload::Receipt(Receipt {
        access: handle(number),
        readings: 7,
        disclosed: Digest::of(b"disclosed"),
    })
}

pub fn look(organisation: OrganisationId, part: LogPart) -> Payload {
    Payload::ReadLog(ReadLog {
        organisation,
        part,
        question: Digest::of(b"question"),
    })
}

#[test]
fn each_change_is_an_entry_that_says_what_it_was() {
    let mut journal = Journal::new();
    let subject = Digest::of(b"subject");
    let denied = journal.send(ADA, ask(40, subject)).unwrap();
    assert_eq!(denied.request.unwrap().state, AccessState::Denied);
    let on_request = "@approval(\"needed\") permit(principal, action, resource);";
    let put = journal.send(HARBOUR, rule(None, on_request)).unwrap();
    assert_eq!((put.organisation, put.subject), (id(HARBOUR), None));

    let asked = journal.send(ADA, ask(41, subject)).unwrap();
    assert_eq!(
        (
            asked.signer,
            asked.person,
            asked.subject,
            asked.organisation
        ),
        (
            Some(handle(ADA)),
            Some(handle(ADA)),
            Some(subject),
            id(HARBOUR)
        )
    );
    let request = asked.request.unwrap();
    assert_eq!(
        (request.handle, request.state),
        (handle(41), AccessState::Waiting)
    );
    assert_eq!(
        (request.purpose, request.is_emergency),
        (Purpose::Quality, false)
    );
    assert_eq!(
        (&request.metrics[..], &request.by[..]),
        (&[HEART_RATE.to_owned()][..], &["rule".to_owned()][..])
    );

    let allowed = journal.send(BO, decide(41, AccessDecision::Allow)).unwrap();
    assert_eq!(
        (allowed.signer, allowed.person),
        (Some(handle(BO)), Some(handle(ADA)))
    );
    assert_eq!(
        allowed.subject,
        Some(subject),
        "also of a decision it is told about whom"
    );
    let request = allowed.request.unwrap();
    assert_eq!(request.state, AccessState::Granted);
    assert_eq!(request.until_millis, allowed.time_millis + 3_600_000);
    let served = journal.send(HARBOUR, receipt(41)).unwrap();
    assert_eq!((served.signer, served.person), (None, Some(handle(ADA))));
    assert_eq!(served.request.unwrap().handle, handle(41));

    // Who changes her own key is told of by her handle, and so is what she signs then.
    let rotated = Payload::ChangePerson(ChangePerson {
        handle: handle(ADA),
        change: PersonChange::Rotate(keys(20)),
    });
    let rotated = journal.send(ADA, rotated).unwrap();
    assert_eq!(
        (rotated.signer, rotated.organisation),
        (Some(handle(ADA)), id(CLINIC))
    );
    let ended = journal.send(20, decide(41, AccessDecision::End)).unwrap();
    assert_eq!(ended.signer, Some(handle(ADA)));
    assert_eq!(ended.request.unwrap().state, AccessState::Ended);

    let about_all = journal
        .send(UMA, look(id(HARBOUR), LogPart::Organisation))
        .unwrap();
    assert_eq!(
        (about_all.signer, about_all.person, about_all.subject),
        (Some(handle(UMA)), Some(handle(UMA)), None)
    );
    let about_one = journal
        .send(BO, look(id(HARBOUR), LogPart::Subject))
        .unwrap();
    assert_eq!(about_one.request, None);

    // The head follows from the entries alone.
    let mut head = (0u64, [0u8; 32]);
    for (logged, number) in journal.logged.iter().zip(0u64..) {
        assert_eq!((logged.entry.number, logged.before.0), (number, head.1));
        assert_eq!(head.0, number);
        let own = Digest::tagged("fogward/access-log-entry/1", &[&encode(&logged.entry)]);
        let next = Digest::tagged("fogward/access-log/1", &[&head.1, &own.0]);
        head = (number + 1, next.0);
        assert_eq!(
            LogEntry::decode(&logged.entry.encode()).unwrap(),
            logged.entry
        );
    }
    let expected = LogHead {
        count: head.0,
        accumulator: Digest(head.1),
    };
    assert_eq!(log_head(&journal.state).unwrap(), expected);
    assert_eq!(expected.count, 12);
}

#[test]
fn what_changes_nothing_and_what_is_of_another_kind_is_no_entry() {
    let mut journal = Journal::new();
    let before = log_head(&journal.state).unwrap();
    let void = [
        (HARBOUR, rule(None, "permit(")),
        (BO, decide(99, AccessDecision::Allow)),
        (HARBOUR, receipt(99)),
        (UMA, look(id(CLINIC), LogPart::Subject)),
        (BO, look(id(HARBOUR), LogPart::Organisation)),
        (HARBOUR, register(5)),
    ];
    for (sender, payload) in void {
        assert_eq!(journal.send(sender, payload), None);
    }
    assert_eq!(log_head(&journal.state).unwrap(), before);
}

/// Goal: the log is read by its own organisation's people, by auditors and admins all of it. Method: each of three people
/// and an admin's key against each part of each hospital's log.
#[test]
fn who_may_read_the_log() {
    let journal = Journal::new();
    let parts = [LogPart::Organisation, LogPart::Bundle, LogPart::Subject];
    let not_hers = ExecutionError::Access(AccessError::MayNotRead);
    for (sender, own, may) in [
        (UMA, HARBOUR, [true, true, true]),
        (BO, HARBOUR, [false, false, true]),
        (ADA, CLINIC, [false, false, true]),
    ] {
        for (part, may) in parts.into_iter().zip(may) {
            for hospital in [HARBOUR, CLINIC] {
                let asked = look(id(hospital), part);
                let looked = check(&journal.state, journal.clock(), public(sender), &asked);
                let expected = match may && own == hospital {
                    true => Ok(()),
                    false => Err(not_hers.clone()),
                };
                assert_eq!(looked, expected, "{sender} {part:?} of {hospital}");
            }
        }
    }
    let asked = look(id(HARBOUR), LogPart::Subject);
    let by_admin = check(&journal.state, journal.clock(), public(HARBOUR), &asked);
    assert_eq!(
        by_admin,
        Err(AccessError::NotAPerson.into()),
        "an admin's key is nobody"
    );
}

/// Goal: no entry is too long to be read. Method: the longest there can be.
#[test]
fn the_longest_entry_can_be_read() {
    let mut entry = Journal::new().logged[0].entry.clone();
    entry.number = u64::MAX;
    entry.height = Height(u64::MAX);
    entry.time_millis = u64::MAX;
    entry.signer = entry.person;
    entry.subject = entry.person;
    let longest = |length: usize| "m".repeat(length);
    entry.request = Some(ledger_core::access::LoggedRequest {
        handle: handle(1),
        purpose: Purpose::Payment,
        is_emergency: true,
        state: AccessState::Ended,
        metrics: vec![longest(16); MAX_METRICS],
        by: vec![format!("consent/{}", longest(48)); 8],
        until_millis: u64::MAX,
    });
    let bytes = entry.encode();
    assert!(bytes.len() <= MAX_LOG_ENTRY_BYTES, "{}", bytes.len());
    assert_eq!(LogEntry::decode(&bytes), Ok(entry));
}
