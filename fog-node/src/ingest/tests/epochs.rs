//! Goal: each reading is sealed under the keys of whoever wore the device when it came, also where the node is killed
//! in between: epochs begin exactly where it changed whose a device is, no batch's part goes over such a place, and no
//! epoch's keys open another's readings. Method: a writer that is fed, assigned, flushed and killed in random order,
//! from seeds; a count of what was fed as the oracle.

use std::collections::BTreeSet;

use super::*;
use crate::patients::patient::{Called, Patient, PatientId};
use crate::vault::assignments::{Assigned, Assignment};
use crate::vault::open_stream::OpenStream;
use crate::vault::streams::StreamRow;

const SEEDS: u64 = 12;
const STEPS: u32 = 40;

pub(super) const fn master() -> [u8; 32] {
    [4; 32]
}

impl Rig {
    /// Writes a patient down.
    pub(super) async fn patient(&self, name: &str) -> Patient {
        let patient = Patient::new(Called::pseudonym(name.into()), 0).unwrap();
        let sealed = patient.seal(&MasterKey::new(master())).unwrap();
        let kept = self
            .ingest
            .until_durable(|done| Item::Patient(sealed, done));
        kept.await.unwrap();
        patient
    }

    /// Says that a device is somebody's from now on, or nobody's.
    pub(super) async fn assign(&self, device: DeviceIndex, id: &str, patient: Option<PatientId>) {
        let assignment = patient.map(|patient| assignment(id, patient));
        // What the ledger is told does not matter here.
        let payload = Payload::RegisterDevice(ledger_core::transaction::RegisterDevice {
            handle: Digest::of(id.as_bytes()),
            key: None,
            simulated: true,
        });
        let whose = Some((device, assignment));
        let told = self
            .ingest
            .until_durable(|done| Item::Tell(payload, whose, done));
        told.await.unwrap().unwrap();
    }
}

fn assignment(id: &str, patient: PatientId) -> Assignment {
    let assigned = Assigned::new(patient).unwrap();
    assigned.seal(&MasterKey::new(master()), id, None).unwrap()
}

/// Copies a vault as a kill would leave it, while nothing is written.
pub(super) fn copy(from: &Path, to: &Path) {
    for name in [VAULT_FILE.to_owned(), format!("{VAULT_FILE}-wal")] {
        std::fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

/// xorshift64: an order needs no better randomness.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wearer_has_other_keys() {
    for seed in 1..=SEEDS {
        let mut chance = Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut dir = tempfile::tempdir().unwrap();
        let mut rig = start(dir.path(), SLOW);
        let device = rig.add("a").await;
        let patients = [rig.patient("Ana").await.id, rig.patient("Ben").await.id];
        let (mut fed, mut begun) = (0_i64, BTreeSet::from([0]));
        for _ in 0..STEPS {
            match chance.below(10) {
                0..=4 => {
                    let next = fed + 1 + chance.below(70) as i64;
                    rig.feed(device, Metric::SpO2, fed..next).await;
                    fed = next;
                }
                5..=7 => {
                    let whose = patients.get(chance.below(3) as usize).copied();
                    rig.assign(device, "a", whose).await;
                    // Before its first reading there is no stream that could have other keys.
                    begun.insert(fed as u64);
                }
                8 => rig.ingest.flush().await.unwrap(),
                _ => {
                    // Once this is answered, what was fed before is durable, in the journal or in a batch.
                    rig.patient("Cem").await;
                    let after_kill = tempfile::tempdir().unwrap();
                    copy(dir.path(), after_kill.path());
                    rig.stop().await;
                    dir = after_kill;
                    rig = start(dir.path(), SLOW);
                }
            }
        }
        rig.stop().await;
        if fed == 0 {
            continue;
        }
        assert_eq!(
            stored(dir.path(), Metric::SpO2),
            (0..fed).collect::<Vec<_>>(),
            "seed {seed}"
        );
        // An epoch without a reading after it begins with the next one only if it is the last.
        check_epochs(dir.path(), &begun, seed);
    }
}

fn check_epochs(dir: &Path, begun: &BTreeSet<u64>, seed: u64) {
    let connection = vault::open_read_only(&dir.join(VAULT_FILE)).unwrap();
    let row = streams::list(&connection, None).unwrap().remove(0);
    let found: BTreeSet<u64> = row.sealed_keys.keys().copied().collect();
    assert_eq!(&found, begun, "seed {seed}");
    let master = MasterKey::new(master());
    let alone = row.sealed_keys.iter().map(|(from, sealed)| {
        let keys = StreamRow {
            sealed_keys: [(0, sealed.clone())].into(),
            ..row.clone()
        };
        (*from, OpenStream::new(&keys, &master).unwrap())
    });
    let alone: Vec<_> = alone.collect();
    for payload in payloads::newest(&connection, row.number, u64::MAX, 100_000).unwrap() {
        let first = payload.first_sequence;
        let end = first + u64::from(payload.count);
        let cuts = begun.range(first + 1..end).count();
        assert_eq!(cuts, 0, "seed {seed}: a part goes over an epoch's begin");
        let own = begun.range(..=first).next_back();
        for (from, open) in &alone {
            let opened = open.open(first, payload.count, &payload.sealed);
            assert_eq!(opened.is_ok(), Some(from) == own, "seed {seed}");
        }
    }
}
