//! Golden bytes of people, policies and access, on the wire and in the state.

use ledger_core::access::{
    Access, AccessDecision, AccessState, AskAccess, Attestation, ChangePerson, DecideAccess,
    GrantAccess, KeptTombstone, LogEntry, LogHead, LogKind, LogPart, LoggedRequest, Person,
    PersonChange, PersonKeys, Policy, Purpose, PutPolicy, ReadLog, Receipt, Receipts,
    RegisterPerson, Relation, Resolution, Review, Role, Scope, Tombstone,
};
use ledger_core::canonical::encode;
use ledger_core::state::StateKey;
use ledger_core::{Digest, Height, Nonce, Payload, TransactionBody};

use crate::golden::check;
use crate::support::{genesis, key};
use crate::town::id;

fn registered() -> RegisterPerson {
    RegisterPerson {
        handle: Digest::of(b"person"),
        keys: PersonKeys {
            signing: key(3).public(),
            sealing: [9; 32],
        },
        roles: Role::ALL.iter().copied().collect(),
        credential: Digest::of(b"credential"),
    }
}

fn put() -> PutPolicy {
    PutPolicy {
        scope: Scope {
            holder: id(1),
            subject: Some(Digest::of(b"subject")),
        },
        name: "choice".into(),
        text: Some("forbid(principal, action, resource);".into()),
        grounds: Some(Digest::of(b"form")),
    }
}

fn tombstone() -> Tombstone {
    Tombstone {
        handle: Digest::of(b"erased"),
        readings: 86_400,
        certificate: Digest::of(b"certificate"),
    }
}

fn asked() -> AskAccess {
    let (person, subject) = (Digest::of(b"person"), Digest::of(b"subject"));
    let relations = Relation::ALL.iter().copied().collect();
    AskAccess {
        handle: Digest::of(b"request"),
        holder: id(1),
        subject,
        metrics: vec!["59408-5".into(), "8867-4".into()],
        from_millis: 1_700_000_000_000,
        until_millis: 1_700_086_400_000,
        resolution: Resolution::Aggregate,
        purpose: Purpose::Research,
        for_millis: 3_600_000,
        attestation: Some(Attestation::sign(
            &key(1),
            &person,
            &subject,
            relations,
            1_700_090_000_000,
        )),
        emergency: Some(Digest::of(b"reason")),
    }
}

/// Goal: transactions about people, policies and access keep their bytes.
#[test]
fn bodies() {
    let access = Digest::of(b"request");
    for (name, payload) in [
        ("register_person", Payload::RegisterPerson(registered())),
        (
            "change_person",
            Payload::ChangePerson(ChangePerson {
                handle: Digest::of(b"person"),
                change: PersonChange::Revoke,
            }),
        ),
        ("put_policy", Payload::PutPolicy(put())),
        ("ask_access", Payload::AskAccess(asked())),
        (
            "decide_access",
            Payload::DecideAccess(DecideAccess {
                access,
                decision: AccessDecision::Review { is_justified: true },
            }),
        ),
        (
            "receipt",
            Payload::Receipt(Receipt {
                access,
                readings: 86_400,
                disclosed: Digest::of(b"disclosed"),
            }),
        ),
        (
            "read_log",
            Payload::ReadLog(ReadLog {
                organisation: id(1),
                part: LogPart::Bundle,
                question: Digest::of(b"question"),
            }),
        ),
        ("tombstone", Payload::Tombstone(tombstone())),
        (
            "grant_access",
            Payload::GrantAccess(GrantAccess {
                asked: asked(),
                person: Digest::of(b"person"),
            }),
        ),
    ] {
        let body = TransactionBody {
            chain: genesis(&[1, 2]).chain_id(),
            nonce: Nonce(200),
            payload,
        };
        check(&format!("body_{name}"), &encode(&body));
    }
}

/// Goal: what the state keeps of them keeps its bytes.
#[test]
fn entries() {
    let person = Person {
        registered: registered(),
        organisation: id(1),
        is_active: true,
        changed: Height(300),
    };
    check("state_person", &encode(&person));
    let policy = Policy {
        put: put(),
        by: key(1).public(),
        changed: Height(300),
    };
    check("state_policy", &encode(&policy));
    let access = Access {
        asked: asked(),
        person: Digest::of(b"person"),
        state: AccessState::Ended,
        metrics: vec!["8867-4".into()],
        by: vec!["consent/choice".into()],
        until_millis: 1_700_090_000_000,
        decided_by: Some(Digest::of(b"other")),
        review: Some(Review {
            by: Digest::of(b"other"),
            is_justified: false,
        }),
        changed: Height(300),
    };
    check("state_access", &encode(&access));
    let receipts = Receipts {
        count: 3,
        readings: 259_200,
        accumulator: Digest::of(b"all"),
    };
    check("state_receipts", &encode(&receipts));
    let entry = LogEntry {
        number: 300,
        height: Height(300),
        time_millis: 1_700_000_000_000,
        transaction: Digest::of(b"transaction"),
        kind: LogKind::Decided,
        organisation: id(1),
        signer: Some(Digest::of(b"other")),
        person: Some(Digest::of(b"person")),
        subject: None,
        request: Some(LoggedRequest {
            handle: Digest::of(b"request"),
            purpose: Purpose::Research,
            is_emergency: false,
            state: AccessState::Granted,
            metrics: vec!["8867-4".into()],
            by: vec!["consent/choice".into()],
            until_millis: 1_700_090_000_000,
        }),
    };
    check("access_log_entry", &entry.encode());
    check("access_log_entry_digest", &entry.digest().0);
    let head = LogHead::default().after(&entry.digest()).unwrap();
    check("state_access_log", &encode(&head));
    let kept = KeptTombstone {
        tombstone: tombstone(),
        node: key(1).public(),
        height: Height(300),
    };
    check("state_tombstone", &encode(&kept));
    let keys = [
        StateKey::tombstones(&id(1)).0,
        StateKey::tombstone(&id(1), 258).0,
    ];
    check("state_keys_tombstone", &keys.concat());
    let (handle, public) = (Digest::of(b"handle"), key(1).public());
    let scopes = [put().scope, Scope::all_of(id(1))];
    let mut keys = vec![
        StateKey::person(&handle),
        StateKey::person_key(&public),
        StateKey::access(&handle),
        StateKey::receipts(&handle),
        StateKey::access_changes(),
        StateKey::access_log(),
    ];
    for scope in &scopes {
        keys.extend([
            StateKey::policies(scope),
            StateKey::policy(scope, "choice"),
            StateKey::policy_revision(scope),
        ]);
    }
    let keys: Vec<_> = keys.into_iter().map(|key| key.0).collect();
    check("state_keys_access", &keys.concat());
}
