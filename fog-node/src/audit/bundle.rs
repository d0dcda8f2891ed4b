//! Audit bundles: a part of the access log as a file that a stranger verifies offline (`docs/audit-format.md`).
//!
//! Upon a question: the export is recorded; then, at one height, all entries from just before the period to the newest
//! go into the file. Shown with their transactions are those that are asked for and concern the caller's organisation;
//! told are the one before the period and the one after it, so that it can be seen to begin and end there, and those
//! whose transaction was pruned here; the others stand as their digests. Last come the proof, names in words, and the
//! node's signature.

use std::sync::Arc;

use fog_api::AuditQuery;
use ledger_core::Digest;
use ledger_core::access::{LogEntry, LogPart, TrailEnd};
use ledger_core::state::StateKey;
use ledger_store::Snapshot;

use super::asked::Asked;
use super::file::{Begin, FORMAT, Line, Shown, Signing, Told, Unproven};
use super::rows::Look;
use crate::clock::unix_millis;
use crate::failure::Failure;
use crate::node::Node;
use crate::people::Signed;

/// Longest bundle in bytes.
const MAX_BUNDLE_BYTES: usize = 48 << 20;
/// Entries that are read at once.
const CHUNK: u32 = 500;
/// For whoever verifies it.
const README: &str = include_str!("README.txt");

/// A bundle in the making.
struct Writer {
    bytes: Vec<u8>,
    signing: Signing,
}

impl Writer {
    fn add(&mut self, line: &Line) -> Result<(), Failure> {
        let text = line.text().map_err(Failure::internal)?;
        self.signing.add(text.as_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
        match self.bytes.len() > MAX_BUNDLE_BYTES {
            true => Err(too_long()),
            false => Ok(()),
        }
    }
}

impl Node {
    /// A bundle of what is asked for; made once it is final that the caller exports it. Its bytes.
    ///
    /// # Errors
    /// As [`Node::audit`]; `AUD-02` if it would be longer than a bundle may be.
    pub async fn audit_bundle(
        self: &Arc<Self>,
        query: AuditQuery,
        signed: &Signed,
    ) -> Result<Vec<u8>, Failure> {
        let (query, asked) = self.resolve(query).await?;
        self.record_reading(&query, LogPart::Bundle, signed).await?;
        let signed = signed.clone();
        self.blocking(move |node| node.make_bundle(&query, &asked, &signed))
            .await
    }

    fn make_bundle(
        &self,
        query: &AuditQuery,
        asked: &Asked,
        signed: &Signed,
    ) -> Result<Vec<u8>, Failure> {
        let snapshot = self.replica.read()?;
        let mut look = self.look_at_log(&snapshot, signed)?;
        let held = snapshot.log_begins()?.unwrap_or(0);
        let period = (
            snapshot.log_at(asked.period.0)?,
            snapshot.log_at(asked.period.1)?,
        );
        let first = period.0.saturating_sub(1).max(held);
        let before = snapshot.logged(first)?;
        let mut writer = Writer {
            bytes: Vec::new(),
            signing: Signing::new(),
        };
        writer.add(&Line::Begin(Begin {
            format: FORMAT.to_owned(),
            readme: README.to_owned(),
            chain: self.chain,
            node: self.node_key,
            made: unix_millis(),
            asked: asked_words(query),
            first,
            before: before.map_or(Digest::ZERO, |logged| logged.before),
        }))?;
        let mut shown = Vec::new();
        let mut next = first;
        loop {
            let entries = snapshot.logged_from(next, CHUNK)?;
            let Some(last) = entries.last() else { break };
            next = last.entry.number.saturating_add(1);
            for logged in entries {
                let entry = logged.entry;
                let (line, is_shown) = line_of(&mut look, asked, period, &entry)?;
                writer.add(&line)?;
                if is_shown {
                    shown.push(entry);
                }
            }
        }
        let end = trail_end(&snapshot, &StateKey::member(&self.node_key))?;
        writer.add(&Line::End(hex::encode(end.encode())))?;
        for entry in &shown {
            let words = self.audit_row(&look, entry)?.words;
            let number = entry.number;
            writer.add(&Line::Unproven(Unproven { number, words }))?;
        }
        let Writer { mut bytes, signing } = writer;
        let signature = signing.sign(&self.requests.attesting);
        let last = Line::Signature(hex::encode(signature.0)).text();
        bytes.extend_from_slice(last.map_err(Failure::internal)?.as_bytes());
        Ok(bytes)
    }
}

/// An entry's line, and whether it is asked for.
fn line_of(
    look: &mut Look<'_>,
    asked: &Asked,
    (begin, end): (u64, u64),
    entry: &LogEntry,
) -> Result<(Line, bool), Failure> {
    let told = || {
        Line::Told(Told {
            entry: hex::encode(entry.encode()),
        })
    };
    let is_asked = look.concerns(entry)?
        && asked
            .includes(look.snapshot, entry, look.now_millis)
            .map_err(Failure::internal)?;
    if is_asked {
        let stored = look.snapshot.transaction(&entry.transaction)?;
        let line = stored.map_or_else(told, |stored| {
            Line::Shown(Shown {
                entry: hex::encode(entry.encode()),
                transaction: hex::encode(&stored.bytes),
            })
        });
        return Ok((line, true));
    }
    let is_bound = entry.number.checked_add(1) == Some(begin) || entry.number == end;
    Ok(match is_bound {
        true => (told(), false),
        false => (Line::LeftOut(entry.digest()), false),
    })
}

/// The proof of the heads that the newest state holds.
fn trail_end(snapshot: &Snapshot<'_>, node: &StateKey) -> Result<TrailEnd, Failure> {
    let (height, log) = snapshot.prove_state(&StateKey::access_log())?;
    let (_, node) = snapshot.prove_state(node)?;
    let missing = |what| Failure::internal(format!("the newest block is without its {what}"));
    let header = snapshot.header(height)?.ok_or_else(|| missing("header"))?;
    let certificate = snapshot.certificate(height)?;
    Ok(TrailEnd {
        certificate: certificate.ok_or_else(|| missing("certificate"))?,
        changes: snapshot.validator_changes(height)?,
        header,
        log,
        node,
    })
}

/// What was asked for, without the name or the id of a patient.
fn asked_words(query: &AuditQuery) -> String {
    let one = |named: &Option<String>, what: &str| named.as_ref().map(|_| what.to_owned());
    super::question_words(&AuditQuery {
        patient: one(&query.patient, "(one)"),
        device: one(&query.device, "(one)"),
        ..query.clone()
    })
}

fn too_long() -> Failure {
    Failure::new(
        409,
        "AUD-02",
        "There is no bundle of this.",
        format!("It would have more than {MAX_BUNDLE_BYTES} bytes."),
        "Ask for a shorter period.",
    )
}
