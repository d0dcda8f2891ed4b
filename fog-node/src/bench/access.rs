//! Bench `access`: how long the ledger takes to decide a request, from a replica on disk with 1,000 policies in
//! force, half of them about the roles of the asker; and how long the keys of 10,000 batches in a vault take to be
//! wrapped for a person. Left out so far: reading what was granted, and receipts.

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use curve25519_dalek::MontgomeryPoint;
use fog_api::PutPolicy;
use ledger_core::access::{
    self, AskAccess, Attestation, PersonKeys, Purpose, RegisterPerson, Relation, Resolution, Role,
};
use ledger_core::{Digest, Payload, SecretKey, StreamId, governance};
use rusqlite::Connection;

use super::percentile;
use crate::keystore::{Keystore, random};
use crate::tell::block_clock;
use crate::vault::open_stream::OpenStream;
use crate::vault::seal::{MasterKey, StreamKeys};
use crate::vault::streams::StreamRow;
use crate::vault::{self, VAULT_FILE, VaultError, batches, devices, payloads, streams};
use crate::{Node, NodeConfig, disclosure};

/// Policies in force.
const POLICIES: usize = 1_000;
/// Requests that are decided.
const REQUESTS: usize = 5_000;
/// Batches whose keys are wrapped.
const BATCHES: usize = 10_000;
/// Most requests that are decided before those that count.
const WARM: usize = 100;
const DAY_MILLIS: u64 = 86_400_000;

pub(super) async fn measure(data_dir: &Path) -> anyhow::Result<Vec<(&'static str, f64)>> {
    let node = Node::start(NodeConfig::new(data_dir)).await?;
    for number in 0..POLICIES {
        let (name, text) = (format!("policy-{number}"), text(number));
        node.put_policy(PutPolicy { name, text }).await?;
    }
    let person = SecretKey::from_seed(&random()?);
    let handle = Digest(random()?);
    let register = Payload::RegisterPerson(RegisterPerson {
        handle,
        keys: PersonKeys {
            signing: person.public(),
            sealing: random()?,
        },
        roles: [Role::Physician, Role::Nurse].into(),
        credential: Digest(random()?),
    });
    node.send(register).await?;
    let keys = Keystore::open_existing(data_dir)?;
    let mut micros = Vec::with_capacity(REQUESTS);
    let mut granted = 0;
    for number in 0..WARM + REQUESTS {
        // A fresh view of the replica for each, as each block begins with one.
        let snapshot = node.replica.read()?;
        let clock = block_clock(&snapshot)?;
        let holder = governance::admin_of(&snapshot, &keys.admin.public())?;
        let subject = Digest(random()?);
        let relations = [Relation::Treating].into();
        let until = clock.time_millis + DAY_MILLIS;
        let attestation = Attestation::sign(&keys.node, &handle, &subject, relations, until);
        let asked = Payload::AskAccess(AskAccess {
            handle: Digest(random()?),
            holder: holder.context("the node has no organisation")?,
            subject,
            metrics: vec![metric(number % POLICIES)],
            from_millis: clock.time_millis - DAY_MILLIS,
            until_millis: clock.time_millis,
            resolution: Resolution::Raw,
            purpose: Purpose::Treatment,
            for_millis: DAY_MILLIS,
            attestation: Some(attestation),
            emergency: None,
        });
        let since = Instant::now();
        let outcome = access::check(&snapshot, clock, person.public(), black_box(&asked));
        let took = since.elapsed().as_secs_f64() * 1e6;
        granted += usize::from(outcome.is_ok());
        if number >= WARM {
            micros.push(took);
        }
    }
    ensure!(granted == WARM + REQUESTS, "a request was not decided");
    node.shutdown().await;
    Ok(vec![
        ("decision_us_p50", percentile(micros.clone(), 50)),
        ("decision_us_p99", percentile(micros, 99)),
        ("rewrap_10k_batches_ms", rewrap(&data_dir.join("rewrap"))?),
    ])
}

/// Wraps the keys of [`BATCHES`] batches, of five metrics in turn, ten readings each; the slowest of ten times, in
/// milliseconds.
fn rewrap(folder: &Path) -> anyhow::Result<f64> {
    std::fs::create_dir_all(folder)?;
    let mut vault = vault::open(&folder.join(VAULT_FILE))?;
    let master = MasterKey::new(random()?);
    let streams = filled(&mut vault, &master)?;
    let ranges = streams.iter().map(|row| {
        let open = OpenStream::new(row, &master)?;
        Ok((open, 0..u64::MAX))
    });
    let ranges: Vec<_> = ranges.collect::<Result<_, VaultError>>()?;
    let secret = MontgomeryPoint::mul_base_clamped(random()?);
    let mut slowest: f64 = 0.0;
    for _ in 0..10 {
        let access = Digest(random()?);
        let since = Instant::now();
        let wrapped = disclosure::wrap(&vault, &ranges, secret.as_bytes(), &access)?;
        slowest = slowest.max(since.elapsed().as_secs_f64() * 1e3);
        ensure!(black_box(wrapped).len() == BATCHES, "a key was not wrapped");
    }
    Ok(slowest)
}

/// Fills a vault with batches; returns their streams.
fn filled(vault: &mut Connection, master: &MasterKey) -> anyhow::Result<Vec<StreamRow>> {
    const METRICS: usize = 5;
    const READINGS: u32 = 10;
    let transaction = vault.transaction()?;
    let device = devices::DeviceRow {
        id: "bench".to_owned(),
        name: "bench".to_owned(),
        profile: "bench".to_owned(),
        path: "bench".to_owned(),
        simulated: true,
        sealed_key: None,
        handle: Digest(random()?),
        added: 0,
        durable_sequence: None,
        handovers: 0,
    };
    devices::insert(&transaction, &device)?;
    let mut rows = Vec::new();
    for number in 0..METRICS {
        let id = StreamId(random()?);
        let sealed = StreamKeys::generate()?.wrap(master, id)?;
        streams::insert(&transaction, id, &device.id, &metric(number), "%", &sealed)?;
    }
    rows.extend(streams::list(&transaction, None)?);
    for batch in 0..BATCHES as u64 {
        let row = batches::BatchRow {
            number: batch,
            tx: Digest(random()?),
            root: Digest(random()?),
            readings: READINGS,
            created: 0,
        };
        batches::insert(&transaction, &row)?;
        let stream = rows.get(batch as usize % METRICS).context("no stream")?;
        let payload = payloads::PayloadRow {
            stream: stream.number,
            first_sequence: batch / METRICS as u64 * u64::from(READINGS),
            count: READINGS,
            batch,
            newest: 0,
            sealed: random::<96>()?.to_vec(),
        };
        payloads::insert(&transaction, &payload)?;
    }
    transaction.commit()?;
    Ok(rows)
}

fn metric(number: usize) -> String {
    format!("{number}-0")
}

/// A policy as hospitals have them: about a role, a metric and a condition.
fn text(number: usize) -> String {
    let metric = metric(number);
    match number % 4 {
        0 => format!(
            "permit(principal in Role::\"physician\", action, resource) when {{ \
             [\"{metric}\"].contains(resource.metric) && context.purpose == Purpose::\"treatment\" && \
             context.relations.contains(Relation::\"treating\") }};"
        ),
        1 => format!(
            "permit(principal in Role::\"nurse\", action, resource) when {{ \
             [\"{metric}\", \"8867-4\"].contains(resource.metric) && context.hour >= 7 && context.hour < 19 }};"
        ),
        2 => format!(
            "permit(principal in Role::\"researcher\", action, resource) when {{ \
             resource.metric == \"{metric}\" && context.resolution == Resolution::\"aggregate\" }};"
        ),
        _ => format!(
            "forbid(principal in Role::\"technician\", action, resource) when {{ \
             resource.metric == \"{metric}\" }} unless {{ context.emergency }};"
        ),
    }
}
