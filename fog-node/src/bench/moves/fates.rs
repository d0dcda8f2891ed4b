//! What became of every reading: what the gap ledgers of both vaults say of a sensor, beside what it sent.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use fog_api::ReadingRow;
use ledger_core::Digest;

use super::super::devices::running::Running;
use crate::cli::client::Question;
use crate::vault::gaps::{self, Kind};
use crate::vault::{devices, open_read_only};

/// Most readings that a node tells at once.
const PAGE: usize = 10_000;

/// What the gap ledgers of both nodes say of one sensor together.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Account {
    pub(super) received: u64,
    pub(super) expected: u64,
    pub(super) recovered: u64,
    /// Its ids at the two nodes, as far as it was there.
    pub(super) ids: [Option<String>; 2],
}

/// The accounts of all sensors, by their handles.
pub(super) type Accounts = BTreeMap<String, Account>;

/// Reads the gap ledgers of both vaults, those of devices that were handed over among them.
pub(super) fn accounts(vaults: &[PathBuf; 2]) -> anyhow::Result<Accounts> {
    let mut accounts = Accounts::new();
    for (node, path) in vaults.iter().enumerate() {
        let vault = open_read_only(path)?;
        let known: Vec<(String, Digest)> = devices::handles(&vault)?;
        for (id, handle) in known {
            let counters = gaps::of_device(&vault, &id)?;
            let sum = |kind| {
                let of_kind = counters.iter().filter(|((of, _), _)| *of == kind);
                of_kind.map(|(_, count)| count).sum::<u64>()
            };
            let account = accounts.entry(handle.to_string()).or_default();
            let received = sum(Kind::Received);
            let lost = sum(Kind::RejectedReadings) + sum(Kind::Missing);
            account.received += received;
            account.expected += (received + lost).saturating_sub(sum(Kind::Recovered));
            account.recovered += sum(Kind::Recovered);
            account.ids[node] = Some(id);
        }
    }
    Ok(accounts)
}

/// How many of a sensor's stored readings are there twice, at one node or at both: each has a value of its own.
pub(super) fn stored_twice(account: &Account, nodes: &[Running; 2]) -> anyhow::Result<u64> {
    let mut values = BTreeSet::new();
    let mut stored = 0;
    for (id, node) in account.ids.iter().zip(nodes) {
        let Some(id) = id else { continue };
        let question = Question::path("/api/readings")
            .with("device", Some(id))
            .with("limit", Some(PAGE));
        let rows: Vec<ReadingRow> = node.api.ask(&question)?;
        if rows.len() == PAGE {
            bail!("there are too many readings to look at; bench for less time");
        }
        for row in rows {
            let value = row.value.context("a reading without a value")?;
            values.insert(value as u64);
            stored += 1;
        }
    }
    if stored != account.received {
        bail!(
            "{stored} readings are stored of {} received",
            account.received
        );
    }
    Ok(stored - values.len() as u64)
}
