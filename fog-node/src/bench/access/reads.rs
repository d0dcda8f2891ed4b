//! How long it takes to read what was granted: a patient's day of one metric at 1 Hz, each second in a batch of its
//! own, as a ward's node makes them; how long after the answer the receipt is final; and two hundred people at once.
//!
//! The day is put into a vault as the writer would have left it, before the node starts; all else goes its usual way.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use fog_api::{DescribePatient, PutPolicy};
use ledger_core::access::{
    AskAccess, Period, PersonKeys, Purpose, RegisterPerson, Resolution, Role,
};
use ledger_core::{
    Decimal, Digest, Origin, Payload, Quality, SecretKey, SignedTransaction, StreamId,
    TransactionBody, Value, governance,
};
use tokio::task::JoinSet;

use super::super::percentile;
use super::DAY_MILLIS;
use crate::clock::{now_millis, unix_millis};
use crate::disclosure::content::Content;
use crate::keystore::{Keystore, random};
use crate::patients::patient::{Called, Patient};
use crate::requests::serving::{Order, Served};
use crate::vault::assignments::{self, Assigned};
use crate::vault::open_stream::OpenStream;
use crate::vault::seal::{Record, StreamKeys};
use crate::vault::{self, VAULT_FILE, batches, devices, patients, payloads, streams};
use crate::{Node, NodeConfig};

/// Readings of a day at 1 Hz.
const SECONDS: u64 = 86_400;
const SATURATION: &str = "59408-5";
/// How often the day is read.
const DAYS: usize = 10;
/// Short reads one after another, whose receipts are waited for.
const RECEIPTS: usize = 200;
/// Who reads at once.
const READERS: usize = 200;
/// What a short read shows, in milliseconds: ten minutes.
const SHORT_MILLIS: i64 = 600_000;

pub(super) async fn measure(data_dir: &Path) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let begin = now_millis() - 2 * DAY_MILLIS as i64;
    let patient = filled(data_dir, begin)?;
    let node = Node::start(NodeConfig::new(data_dir)).await?;
    let access = granted(&node, &patient, begin).await?;
    let mut days = Vec::with_capacity(DAYS);
    for _ in 0..=DAYS {
        let since = Instant::now();
        let shown = served(&node, &order(&node, access, None)?).await?;
        days.push(since.elapsed().as_secs_f64() * 1e3);
        ensure!(readings(&shown) == SECONDS, "a reading was not shown");
    }
    // The first is to warm up.
    days.swap_remove(0);
    let short = Some((begin + SHORT_MILLIS, begin + 2 * SHORT_MILLIS));
    let mut receipts = Vec::with_capacity(RECEIPTS);
    for _ in 0..RECEIPTS {
        let mut blocks = node.consortium.subscribe();
        let shown = served(&node, &order(&node, access, short)?).await?;
        let since = Instant::now();
        while node.replica.read()?.transaction(&shown.receipt)?.is_none() {
            blocks.recv().await?;
        }
        receipts.push(since.elapsed().as_secs_f64() * 1e3);
    }
    let mut reading = JoinSet::new();
    for _ in 0..READERS {
        let (node, order) = (Arc::clone(&node), order(&node, access, short)?);
        reading.spawn(async move {
            let since = Instant::now();
            let shown = served(&node, &order).await?;
            anyhow::Ok((since.elapsed().as_secs_f64() * 1e3, readings(&shown)))
        });
    }
    let mut together = Vec::with_capacity(READERS);
    while let Some(read) = reading.join_next().await {
        let (took, count) = read??;
        ensure!(
            count == SHORT_MILLIS as u64 / 1_000,
            "a reading was not shown"
        );
        together.push(took);
    }
    node.shutdown().await;
    Ok(vec![
        ("read_patient_day_ms", percentile(days, 100)),
        ("receipt_final_p50_ms", percentile(receipts.clone(), 50)),
        ("receipt_final_p99_ms", percentile(receipts, 99)),
        ("concurrent_readers", READERS as f64),
        ("concurrent_read_p99_ms", percentile(together, 99)),
    ])
}

async fn served(node: &Arc<Node>, order: &Arc<Order>) -> anyhow::Result<Served> {
    node.serve(order).await?.context("nothing was served")
}

fn readings(shown: &Served) -> u64 {
    Content::readings(&shown.content.streams)
}

/// Orders the whole, or what is in a time.
fn order(node: &Node, access: Digest, time: Option<(i64, i64)>) -> anyhow::Result<Arc<Order>> {
    Ok(Arc::new(Order {
        chain: node.chain,
        access,
        read: Digest(random()?),
        metrics: Vec::new(),
        from: time.map(|(from, _)| from),
        until: time.map(|(_, until)| until),
        since: None,
    }))
}

/// A vault with a patient's day that begins then.
fn filled(data_dir: &Path, begin: i64) -> anyhow::Result<Patient> {
    let master = Keystore::open(data_dir)?.vault;
    let mut vault = vault::open(&data_dir.join(VAULT_FILE))?;
    let transaction = vault.transaction()?;
    let described = DescribePatient {
        name: "Bench".to_owned(),
        number: None,
        born: None,
    };
    let called = Called::checked(&described, begin)?;
    let patient = Patient::new(called, begin)?;
    patients::put(&transaction, &patient.seal(&master)?)?;
    let device = devices::DeviceRow {
        id: "bench".to_owned(),
        name: "bench".to_owned(),
        profile: "nonin-ascii".to_owned(),
        path: "bench".to_owned(),
        simulated: true,
        sealed_key: None,
        handle: Digest(random()?),
        added: begin,
        durable_sequence: None,
        handovers: 0,
    };
    devices::insert(&transaction, &device)?;
    let worn = Assigned::new(patient.id)?.seal(&master, &device.id, Some(begin))?;
    assignments::change(&transaction, &device.id, Some(&worn), begin)?;
    let id = StreamId(random()?);
    let keys = StreamKeys::generate()?.wrap(&master, id)?;
    streams::insert(&transaction, id, &device.id, SATURATION, "%", &keys)?;
    let row = streams::find(&transaction, id)?.context("no stream")?;
    let stream = OpenStream::new(&row, &master)?;
    for second in 0..SECONDS {
        let batch = batches::BatchRow {
            number: second,
            tx: Digest(random()?),
            root: Digest(random()?),
            readings: 1,
            created: begin,
        };
        batches::insert(&transaction, &batch)?;
        let host_time_millis = begin + second as i64 * 1_000;
        let record = Record {
            host_time_millis,
            device_time_millis: None,
            value: Value::Quantity(Decimal {
                mantissa: 90 + second as i64 % 10,
                exponent: 0,
            }),
            quality: Quality::Good,
            origin: Origin::Simulated,
        };
        let payload = payloads::PayloadRow {
            stream: stream.number,
            first_sequence: second,
            count: 1,
            batch: second,
            newest: host_time_millis,
            sealed: stream.seal(second, &[record])?,
        };
        payloads::insert(&transaction, &payload)?;
    }
    // It is worn no more, and not read by the node that is measured.
    let end = begin + DAY_MILLIS as i64;
    assignments::change(&transaction, &device.id, None, end)?;
    devices::remove(&transaction, &device.id, end)?;
    transaction.commit()?;
    Ok(patient)
}

/// Grants the whole day to somebody: the request's handle.
async fn granted(node: &Arc<Node>, patient: &Patient, begin: i64) -> anyhow::Result<Digest> {
    let text = "permit(principal in Role::\"nurse\", action, resource);".to_owned();
    let name = "nurses".to_owned();
    node.put_policy(PutPolicy { name, text }).await?;
    let person = SecretKey::from_seed(&random()?);
    let register = Payload::RegisterPerson(RegisterPerson {
        handle: Digest(random()?),
        keys: PersonKeys {
            signing: person.public(),
            sealing: random()?,
        },
        roles: [Role::Nurse].into(),
        credential: Digest(random()?),
    });
    node.send(register).await?;
    let access = Digest(random()?);
    let body = {
        let snapshot = node.replica.read()?;
        let holder = governance::admin_of(&snapshot, &node.membership.admin())?;
        TransactionBody {
            chain: node.chain,
            nonce: snapshot.account(&person.public())?.next_nonce,
            payload: Payload::AskAccess(AskAccess {
                handle: access,
                holder: holder.context("the node has no organisation")?,
                subject: patient.handle(Purpose::Treatment, Period::at(unix_millis())),
                metrics: vec![SATURATION.to_owned()],
                from_millis: begin as u64,
                until_millis: begin as u64 + DAY_MILLIS,
                resolution: Resolution::Raw,
                purpose: Purpose::Treatment,
                for_millis: DAY_MILLIS,
                attestation: None,
                emergency: None,
            }),
        }
    };
    let submitted = node
        .consortium
        .submit(SignedTransaction::sign(&body, &person));
    submitted.await?.await?;
    Ok(access)
}
