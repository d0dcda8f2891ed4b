//! Goal: a device is one patient's at a time, whatever the clock does; no name is in the file or twice alike on the
//! ledger; what earlier versions wrote is read on. Method: a vault on disk, read back.

use proptest::prelude::*;

use super::*;
use crate::vault::{VAULT_FILE, devices, open};

const MASTER: [u8; 32] = [4; 32];

struct Vault {
    dir: tempfile::TempDir,
    connection: Connection,
    master: MasterKey,
}

impl Vault {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let connection = open(&dir.path().join(VAULT_FILE)).unwrap();
        let device = devices::DeviceRow {
            id: "d".into(),
            name: "Test".into(),
            profile: "nonin-ascii".into(),
            path: "/dev/null".into(),
            simulated: false,
            sealed_key: None,
            handle: Digest::of(b"d"),
            added: 0,
            durable_sequence: None,
            handovers: 0,
        };
        devices::insert(&connection, &device).unwrap();
        let master = MasterKey::new(MASTER);
        Self {
            dir,
            connection,
            master,
        }
    }

    fn assign(&self, patient: u8, since: Option<i64>, now: i64) -> Digest {
        let assigned = Assigned::new(PatientId([patient; 16])).unwrap();
        let new = assigned.seal(&self.master, "d", since).unwrap();
        change(&self.connection, "d", Some(&new), now).unwrap();
        assert!(!format!("{new:?}").contains(&assigned.subject));
        new.commitment
    }

    fn end(&self, now: i64) {
        change(&self.connection, "d", None, now).unwrap();
    }

    fn current(&self) -> Option<(Assigned, i64)> {
        current(&self.connection, &self.master, "d").unwrap()
    }

    fn spans(&self) -> Vec<(u8, i64, Option<i64>)> {
        let all = all(&self.connection, &self.master).unwrap();
        let span = |worn: Worn| (worn.patient.0[0], worn.since, worn.until);
        all.into_iter().map(span).collect()
    }

    /// A row as versions before patients wrote it.
    fn assign_pseudonym(&self, pseudonym: &str, since: i64, until: Option<i64>) -> Digest {
        let content = [&[9; SALT_BYTES][..], pseudonym.as_bytes()].concat();
        let sealed = self.master.seal(&purpose("d"), &content).unwrap();
        self.connection
            .execute(
                "INSERT INTO assignments VALUES ('d', ?1, ?2, ?3)",
                params![since, until, sealed],
            )
            .unwrap();
        assignment(&[9; SALT_BYTES], pseudonym.as_bytes())
    }
}

#[test]
fn a_device_is_one_patients_at_a_time() {
    let vault = Vault::new();
    assert!(vault.current().is_none());
    let [first, second] = [1_000, 2_000].map(|now| {
        let commitment = vault.assign(7, None, now);
        let (assigned, since) = vault.current().unwrap();
        assert_eq!((assigned.patient, since), (PatientId([7; 16]), now));
        assert_eq!(assigned.commitment(), commitment);
        commitment
    });
    assert_ne!(first, second, "a fresh salt each");
    let other = MasterKey::new([5; 32]);
    assert!(current(&vault.connection, &other, "d").is_err());
    vault.end(3_000);
    assert!(vault.current().is_none());
    let expected = [(7, 1_000, Some(2_000)), (7, 2_000, Some(3_000))];
    assert_eq!(vault.spans(), expected);
    let file = std::fs::read(vault.dir.path().join(VAULT_FILE)).unwrap();
    let id = PatientId([7; 16]).to_string();
    for words in [&[7; 16][..], id.as_bytes()] {
        assert!(!file.windows(words.len()).any(|bytes| bytes == words));
    }
}

#[test]
fn swapped_within_a_millisecond_the_later_one_holds() {
    let vault = Vault::new();
    vault.assign(1, None, 1_000);
    vault.assign(2, None, 2_000);
    vault.assign(3, None, 2_000);
    assert_eq!(vault.spans(), [(1, 1_000, Some(2_000)), (3, 2_000, None)]);
}

/// A device that comes back from another node under the same assignment goes on where it was; under another one it
/// begins after what has ended here.
#[test]
fn a_hand_over_goes_on_with_its_assignment() {
    let vault = Vault::new();
    vault.assign(1, None, 1_000);
    vault.end(2_000);
    vault.assign(1, Some(1_000), 3_000);
    assert_eq!(vault.spans(), [(1, 1_000, None)]);
    vault.end(4_000);
    vault.assign(2, Some(3_500), 5_000);
    vault.end(6_000);
    vault.assign(3, Some(7_000), 8_000);
    let expected = [
        (1, 1_000, Some(4_000)),
        (2, 4_000, Some(6_000)),
        (3, 7_000, None),
    ];
    assert_eq!(vault.spans(), expected);
}

#[test]
fn pseudonyms_of_earlier_versions_become_patients() {
    let mut vault = Vault::new();
    let first = vault.assign_pseudonym("P-4417", 1_000, Some(2_000));
    vault.assign_pseudonym("P-0001", 2_000, Some(3_000));
    let last = vault.assign_pseudonym("P-4417", 3_000, None);
    assert_eq!(first, last, "of one salt, in this test");
    assert!(vault.spans().is_empty(), "not yet");
    for _ in 0..2 {
        adopt(&mut vault.connection, &vault.master).unwrap();
        let rows = patients::all(&vault.connection).unwrap();
        let open = |row| Patient::open(row, &vault.master).unwrap();
        let known: BTreeMap<String, PatientId> = rows
            .iter()
            .map(open)
            .map(|patient| (patient.name.clone(), patient.id))
            .collect();
        assert_eq!(known.keys().collect::<Vec<_>>(), ["P-0001", "P-4417"]);
        let worn = all(&vault.connection, &vault.master).unwrap();
        let whose: Vec<_> = worn.iter().map(|worn| worn.patient).collect();
        let expected = ["P-4417", "P-0001", "P-4417"].map(|name| known[name]);
        assert_eq!(whose, expected);
        let (assigned, since) = vault.current().unwrap();
        assert_eq!(
            (assigned.commitment(), since),
            (last, 3_000),
            "as the ledger has it"
        );
    }
}

#[derive(Clone, Debug)]
enum Step {
    Assign(u8),
    Handed(u8, i64),
    End,
}

fn step() -> impl Strategy<Value = (Step, i64)> {
    let step = prop_oneof![
        (1..5_u8).prop_map(Step::Assign),
        (1..5_u8, 0..100_i64).prop_map(|(patient, since)| Step::Handed(patient, since)),
        Just(Step::End),
    ];
    (step, 0..100_i64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever a clock shows and other nodes say, no moment is two patients'.
    #[test]
    fn no_moment_is_two_patients(steps in proptest::collection::vec(step(), 1..24)) {
        let vault = Vault::new();
        for (step, now) in steps {
            match step {
                Step::Assign(patient) => {
                    vault.assign(patient, None, now);
                }
                Step::Handed(patient, since) => {
                    vault.assign(patient, Some(since), now);
                }
                Step::End => vault.end(now),
            }
            let spans = vault.spans();
            let last = spans.len().saturating_sub(1);
            for (at, (_, since, until)) in spans.iter().enumerate() {
                prop_assert!(until.is_some() || at == last);
                prop_assert!(until.is_none_or(|until| until >= *since));
            }
            for moment in 0..100 {
                let covers = |span: &&(u8, i64, Option<i64>)| {
                    span.1 <= moment && span.2.is_none_or(|until| moment < until)
                };
                prop_assert!(spans.iter().filter(covers).count() <= 1, "{spans:?} {moment}");
            }
        }
    }

    #[test]
    fn foreign_content_is_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = Content::read(&bytes);
    }
}
