//! The access log as auditors, admins and those who look after a patient read it, and as a file for strangers.
//!
//! ```text
//! question ─▶ resolved here (patient, device ─▶ handles) ─▶ "she reads the log", signed, final ─▶ entries, in words
//!                     └─ sealed in the vault, durable first ─▶ commitment on the ledger
//! ```
//!
//! Who reads is an entry of the log itself (`ledger_core::access::ReadLog`), final before she is told anything; once
//! per person and question within an hour, so that turning pages and asking again are one reading, and once for every
//! bundle. What concerns an organisation: its data, its people, its policies, its log, and what its people ask of
//! others.
//!
//! A patient who signs in reads what concerns her as those who look after her do.

mod asked;
mod bundle;
pub mod check;
mod file;
mod readers;
mod rows;
mod words;

use std::sync::Arc;

use fog_api::{AuditPage, AuditQuery};
use ledger_core::access::{LogPart, Purpose};

pub(crate) use self::readers::Readers;

use self::asked::Asked;
use crate::failure::Failure;
use crate::node::Node;
use crate::people::Signed;

impl Node {
    /// A page of what concerns the caller's organisation, newest first; answered once it is final that she reads it.
    ///
    /// # Errors
    /// [`Failure`] `AUD-01` if it cannot be asked so, `ACC-02` if the ledger does not know the caller, `ACC-04` if it
    /// is not final in time.
    pub async fn audit(
        self: &Arc<Self>,
        query: AuditQuery,
        signed: &Signed,
    ) -> Result<AuditPage, Failure> {
        let is_first_page = query.before.is_none();
        let mut page = self.read_log(query, LogPart::Organisation, signed).await?;
        if is_first_page {
            let untold =
                self.blocking(|node| node.promised_receipts(|promise| promise.finding.is_some()));
            page.untold = untold.await?;
        }
        Ok(page)
    }

    /// A page of what concerns a patient, newest first: who asked for her data, what came of it, what was served.
    ///
    /// # Errors
    /// As [`Node::audit`], or if there is no such patient.
    pub async fn audit_of_patient(
        self: &Arc<Self>,
        id: &str,
        query: AuditQuery,
        signed: &Signed,
    ) -> Result<AuditPage, Failure> {
        let query = AuditQuery {
            patient: Some(self.patients.named(id)?.id.to_string()),
            ..query
        };
        self.read_log(query, LogPart::Subject, signed).await
    }

    async fn read_log(
        self: &Arc<Self>,
        query: AuditQuery,
        part: LogPart,
        signed: &Signed,
    ) -> Result<AuditPage, Failure> {
        let (query, asked) = self.resolve(query).await?;
        let recorded = self.record_reading(&query, part, signed).await?;
        let signed = signed.clone();
        self.blocking(move |node| node.audit_page(&query, &asked, recorded, &signed))
            .await
    }

    /// What is asked for, with handles in the place of patients and devices; and the question, with the patient's id in
    /// the place of her number.
    async fn resolve(self: &Arc<Self>, query: AuditQuery) -> Result<(AuditQuery, Asked), Failure> {
        self.blocking(move |node| {
            let asked = node.asked(&query)?;
            let patient = asked.patient.map(|patient| patient.to_string());
            Ok((AuditQuery { patient, ..query }, asked))
        })
        .await
    }
}

/// What is asked for, as it is sealed in the vault and told to those who audit: names nobody but by id.
fn question_words(query: &AuditQuery) -> String {
    let mut words = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        words.extend(value.map(|value| format!("{name} {value}")));
    };
    let number = |value: Option<u64>| value.map(|value| value.to_string());
    let outcome = query.outcome.map(words::outcome);
    add("patient", query.patient.clone());
    add("person", query.person.clone());
    add("device", query.device.clone());
    add("from", number(query.from));
    add("until", number(query.until));
    add("purpose", query.purpose.clone());
    add("outcome", outcome.map(str::to_owned));
    if query.emergency == Some(true) {
        words.push("broken glasses".to_owned());
    }
    match words.is_empty() {
        true => "everything".to_owned(),
        false => words.join(", "),
    }
}

/// A purpose by its word.
fn purpose_of(word: &str) -> Option<Purpose> {
    let mut all = Purpose::ALL.iter().copied();
    all.find(|purpose| purpose.word() == word)
}

/// What cannot be asked.
fn unfit(why: &str) -> Failure {
    let what = "This cannot be asked of the access log.";
    Failure::new(400, "AUD-01", what, why, "Correct it, and ask again.")
}
