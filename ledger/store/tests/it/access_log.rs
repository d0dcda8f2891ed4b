//! The access log of a replica. Goal: what is looked for is found, by number, subject, person and time, and nothing else;
//! pruning takes no entry; an entry that is removed or altered is reported. Method: a chain of people and requests; each
//! answer compared with a walk through the whole log.

use ledger_core::access::{
    AskAccess, LogEntry, LogHead, PersonKeys, Purpose, RegisterPerson, Resolution, Role, log_head,
};
use ledger_core::{Digest, Nonce, Payload};
use ledger_store::{LogLookup, Policy, Replica};

use crate::support::{Chain, assert_clean, certificate, key, organisation};
use crate::transfer::import;

/// A person's keys are those of this number.
pub fn person(handle: &[u8], number: u8) -> Payload {
    Payload::RegisterPerson(RegisterPerson {
        handle: Digest::of(handle),
        keys: PersonKeys {
            signing: key(number).public(),
            sealing: [number; 32],
        },
        roles: [Role::Physician].into(),
        credential: Digest::of(b"credential"),
    })
}

fn ask(handle: &[u8], subject: &[u8]) -> Payload {
    Payload::AskAccess(AskAccess {
        handle: Digest::of(handle),
        holder: organisation(1).id,
        subject: Digest::of(subject),
        metrics: vec!["8867-4".into()],
        from_millis: 1,
        until_millis: 2,
        resolution: Resolution::Raw,
        purpose: Purpose::Quality,
        for_millis: 60_000,
        attestation: None,
        emergency: None,
    })
}

/// Two people, who ask about three subjects in turn, two requests a block, with blocks without any between them.
fn chain() -> Chain {
    let chain = Chain::new(1);
    let people = [
        chain.sign(1, Nonce(0), person(b"one", 50)),
        chain.sign(1, Nonce(1), person(b"two", 51)),
    ];
    chain.append(&people);
    for turn in 0..9u8 {
        chain.append(&[]);
        let ask = |number: u8, at: u8| {
            let handle = [number, turn];
            chain.sign(number, Nonce(u64::from(turn)), ask(&handle, &[at % 3]))
        };
        chain.append(&[ask(50, turn), ask(51, turn + 1)]);
    }
    chain
}

fn numbers(entries: &[LogEntry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.number).collect()
}

#[test]
fn what_is_looked_for_is_found() {
    let chain = chain();
    let snapshot = chain.replica.read().unwrap();
    let all = snapshot.logged_from(0, 1_000).unwrap();
    assert_eq!(all.len(), 2 + 18);
    let mut head = LogHead::default();
    for logged in &all {
        assert_eq!(logged.entry.number, head.count);
        assert_eq!(logged.before, head.accumulator);
        assert_eq!(snapshot.logged(head.count).unwrap().as_ref(), Some(logged));
        head = head.after(&logged.entry.digest()).unwrap();
    }
    assert_eq!(log_head(&snapshot).unwrap(), head);
    assert_eq!(snapshot.logged(head.count).unwrap(), None);

    let [first, second, nobody] = [&[0u8][..], &[1], b"nobody"].map(Digest::of);
    let one = Digest::of(b"one");
    let both = [first, second];
    let lookups = [
        LogLookup::All,
        LogLookup::Subjects(&both),
        LogLookup::Subjects(&both[..1]),
        LogLookup::Subjects(&[]),
        LogLookup::Person(&one),
        LogLookup::Person(&nobody),
    ];
    let is_found = |lookup: &LogLookup<'_>, entry: &LogEntry| match lookup {
        LogLookup::All => true,
        LogLookup::Subjects(subjects) => entry
            .subject
            .is_some_and(|subject| subjects.contains(&subject)),
        LogLookup::Person(person) => [entry.signer, entry.person].contains(&Some(**person)),
    };
    for lookup in lookups {
        for range in [(0, u64::MAX), (0, 7), (3, 12), (5, 5), (100, u64::MAX)] {
            for limit in [1, 4, 1_000] {
                let found = snapshot.logged_below(lookup, range, limit).unwrap();
                let expected = all.iter().rev().map(|logged| &logged.entry);
                let expected = expected.filter(|entry| {
                    is_found(&lookup, entry) && (range.0..range.1).contains(&entry.number)
                });
                let expected: Vec<_> = expected.take(limit as usize).cloned().collect();
                assert_eq!(
                    numbers(&found),
                    numbers(&expected),
                    "{lookup:?} {range:?} {limit}"
                );
                assert_eq!(found, expected);
            }
        }
    }
    let times: Vec<_> = all.iter().map(|logged| logged.entry.time_millis).collect();
    for time in times
        .iter()
        .flat_map(|time| [time - 1, *time, time + 1])
        .chain([0, u64::MAX])
    {
        let expected = times
            .iter()
            .position(|at| *at >= time)
            .unwrap_or(times.len());
        assert_eq!(snapshot.log_at(time).unwrap(), expected as u64, "{time}");
    }
}

#[test]
fn pruning_takes_transactions_and_no_entry() {
    let chain = chain();
    let before = chain.replica.read().unwrap().logged_from(0, 1_000).unwrap();
    let policy = Policy {
        keep_bytes: Some(0),
        keep_blocks: 1,
        ..Policy::default()
    };
    chain.replica.prune(&policy, 0).unwrap();
    let snapshot = chain.replica.read().unwrap();
    assert!(
        snapshot
            .transaction(&before[0].entry.transaction)
            .unwrap()
            .is_none()
    );
    assert_eq!(snapshot.logged_from(0, 1_000).unwrap(), before);
    assert_eq!(snapshot.log_begins().unwrap(), Some(0));
    drop(snapshot);
    assert_clean(&chain.path());
}

/// Goal: a replica that started from a snapshot holds the entries from then on, and knows from which one on.
#[test]
fn a_joiner_has_no_entries_of_before() {
    let chain = chain();
    let folder = chain.beside("snapshot");
    chain
        .replica
        .read()
        .unwrap()
        .export_snapshot(&folder)
        .unwrap();
    let path = chain.beside("joiner.sqlite");
    import(&path, &folder, &chain.genesis).unwrap();
    assert_clean(&path);
    let joiner = Replica::open(&path).unwrap();
    assert_eq!(joiner.read().unwrap().log_begins().unwrap(), None);
    let range = (0, u64::MAX);
    for handle in [b"three", b"four."] {
        let nonce = chain
            .replica
            .read()
            .unwrap()
            .account(&key(1).public())
            .unwrap();
        let registered = chain.sign(1, nonce.next_nonce, person(handle, handle[0]));
        let block = chain.prepare(&[registered]);
        let certificate = certificate(&block, &chain.signers());
        joiner.commit(block.block(), certificate.clone()).unwrap();
        let certificate = block.certify(certificate).unwrap();
        chain.replica.append(&block, &certificate).unwrap();
    }
    let (own, theirs) = (joiner.read().unwrap(), chain.replica.read().unwrap());
    assert_eq!(own.log_begins().unwrap(), Some(20));
    assert_eq!(
        own.logged_from(0, 10).unwrap(),
        theirs.logged_from(20, 10).unwrap()
    );
    let found = own.logged_below(LogLookup::All, range, 10).unwrap();
    assert_eq!(numbers(&found), [21, 20]);
    assert_eq!(own.log_at(0).unwrap(), 20);
    drop((own, theirs));
    assert_clean(&path);
}
