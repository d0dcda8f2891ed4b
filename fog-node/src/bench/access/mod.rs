//! Bench `access`: how long the ledger takes to decide a request, from a replica on disk with 1,000 policies in
//! force, half of them about the roles of the asker; how long the keys of 10,000 batches in a vault take to be wrapped
//! for a person (`rewrap`); how long it takes to read what was granted, and until the ledger knows (`reads`).

mod reads;
mod rewrap;

use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use anyhow::Context as _;
use fog_api::PutPolicy;
use ledger_core::access::{
    self, AskAccess, Attestation, PersonKeys, Purpose, RegisterPerson, Relation, Resolution, Role,
};
use ledger_core::{Digest, Payload, SecretKey, governance};

use super::percentile;
use crate::keystore::{Keystore, random};
use crate::tell::block_clock;
use crate::{Node, NodeConfig};

/// Policies in force.
const POLICIES: usize = 1_000;
/// Requests that are decided.
const REQUESTS: usize = 5_000;
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
    let decide = |number: usize| -> anyhow::Result<f64> {
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
            metrics: vec![asked_metric(number)],
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
        outcome.context("a request was not decided")?;
        Ok(took)
    };
    for number in 0..WARM {
        decide(number)?;
    }
    let micros: anyhow::Result<Vec<f64>> =
        (0..REQUESTS).map(|number| decide(WARM + number)).collect();
    let micros = micros?;
    let (name, text) = ("one-more".to_owned(), text(POLICIES));
    node.put_policy(PutPolicy { name, text }).await?;
    let after_change = decide(0)? / 1e3;
    node.shutdown().await;
    let wrapped = rewrap::measure(&data_dir.join("rewrap"))?;
    let mut figures = vec![
        ("decision_us_p50", percentile(micros.clone(), 50)),
        ("decision_us_p99", percentile(micros, 99)),
        ("decision_after_change_ms", after_change),
        ("rewrap_10k_batches_ms", wrapped),
    ];
    figures.extend(reads::measure(&data_dir.join("reads")).await?);
    Ok(figures)
}

/// Every other request is about the metric that a quarter of all policies names.
fn asked_metric(number: usize) -> String {
    match number % 2 {
        0 => metric(number % POLICIES),
        _ => "8867-4".to_owned(),
    }
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
