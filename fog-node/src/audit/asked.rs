//! A question to the access log, resolved: patients and devices became the handles under which the ledger knows whom it
//! is about, times became a period of block time.
//!
//! A patient is known under a handle for each purpose and month, from the month in which she was written down to the
//! next one. A device has none in any request; what may be about its readings are requests about those who wore it, for
//! a period in which they did.

use std::collections::BTreeMap;

use fog_api::{AuditOutcome, AuditQuery};
use ledger_core::Digest;
use ledger_core::access::{self, Access, AccessState, LogEntry, LogKind, Period, Purpose};
use ledger_core::state::StateReadError;
use ledger_store::Snapshot;

use super::{purpose_of, unfit};
use crate::clock::unix_millis;
use crate::failure::Failure;
use crate::node::Node;
use crate::patients::patient::{Patient, PatientId};
use crate::vault::{assignments, devices};

/// Handles of those whom a question is about; where it is about a device, each with the times in which she wore it.
type Subjects = BTreeMap<Digest, Vec<(u64, u64)>>;

/// What is asked for.
pub(super) struct Asked {
    /// The patient who is named.
    pub(super) patient: Option<PatientId>,
    /// About whom; anybody if there is none.
    pub(super) subjects: Option<Subjects>,
    /// By whom, or whom it concerns.
    pub(super) person: Option<Digest>,
    /// From then on and before then, in Unix milliseconds of block time.
    pub(super) period: (u64, u64),
    is_about_device: bool,
    purpose: Option<Purpose>,
    outcome: Option<AuditOutcome>,
    emergency_only: bool,
}

impl Asked {
    /// Whether an entry is asked for, as far as itself and the ledger of now tell.
    ///
    /// # Errors
    /// [`StateReadError`].
    pub(super) fn includes(
        &self,
        snapshot: &Snapshot<'_>,
        entry: &LogEntry,
        now_millis: u64,
    ) -> Result<bool, StateReadError> {
        let request = entry.request.as_ref();
        let is_person = |wanted| entry.signer == Some(wanted) || entry.person == Some(wanted);
        let fits = (self.period.0..self.period.1).contains(&entry.time_millis)
            && self.person.is_none_or(is_person)
            && self.is_purpose(entry)
            && (!self.emergency_only || request.is_some_and(|request| request.is_emergency));
        if !fits || !self.is_about(entry) {
            return Ok(false);
        }
        if !self.is_about_device && self.outcome.is_none() {
            return Ok(true);
        }
        let current = current(snapshot, entry)?;
        let outcome = outcome(entry, current.as_ref(), now_millis);
        Ok(self.is_worn(entry, current.as_ref())
            && self.outcome.is_none_or(|wanted| wanted == outcome))
    }

    fn is_purpose(&self, entry: &LogEntry) -> bool {
        let of_request = entry.request.as_ref().map(|request| request.purpose);
        self.purpose.is_none_or(|wanted| of_request == Some(wanted))
    }

    fn is_about(&self, entry: &LogEntry) -> bool {
        let Some(subjects) = &self.subjects else {
            return true;
        };
        let subject = entry.subject.as_ref();
        subject.is_some_and(|subject| subjects.contains_key(subject))
    }

    /// Whether a request may be about the device's readings, if a device is asked for.
    fn is_worn(&self, entry: &LogEntry, current: Option<&Access>) -> bool {
        if !self.is_about_device {
            return true;
        }
        let times = self.subjects.as_ref().zip(entry.subject);
        let times = times.and_then(|(subjects, subject)| subjects.get(&subject));
        let Some((times, current)) = times.zip(current) else {
            return false;
        };
        let asked = &current.asked;
        let overlaps =
            |(since, until): &(u64, u64)| asked.from_millis < *until && *since < asked.until_millis;
        times.iter().any(overlaps)
    }
}

/// The request that an entry is about, as it stands now.
pub(super) fn current(
    snapshot: &Snapshot<'_>,
    entry: &LogEntry,
) -> Result<Option<Access>, StateReadError> {
    match &entry.request {
        Some(request) => access::access(snapshot, &request.handle),
        None => Ok(None),
    }
}

/// What came of what an entry tells. That time is over is told by no transaction: a request that still stands as the
/// entry left it, after its end, is over.
pub(super) fn outcome(entry: &LogEntry, current: Option<&Access>, now_millis: u64) -> AuditOutcome {
    let Some(request) = &entry.request else {
        return match entry.kind {
            LogKind::Read => AuditOutcome::Read,
            LogKind::Erased => AuditOutcome::Erased,
            _ => AuditOutcome::Changed,
        };
    };
    let stands = current
        .is_some_and(|now| (now.state, now.until_millis) == (request.state, request.until_millis));
    match (entry.kind, request.state) {
        (LogKind::Served, _) => AuditOutcome::Served,
        (LogKind::Reviewed, _) => AuditOutcome::Reviewed,
        (_, AccessState::Denied) => AuditOutcome::Denied,
        (_, AccessState::Refused) => AuditOutcome::Refused,
        (_, AccessState::Ended) => AuditOutcome::Ended,
        _ if stands && now_millis >= request.until_millis => AuditOutcome::Over,
        (_, AccessState::Waiting) => AuditOutcome::Waiting,
        (_, AccessState::Granted) => AuditOutcome::Granted,
    }
}

impl Node {
    /// Resolves a question.
    ///
    /// # Errors
    /// [`Failure`] `AUD-01`, or that there is no such patient or device here.
    pub(super) fn asked(&self, query: &AuditQuery) -> Result<Asked, Failure> {
        let person = match filled(query.person.as_deref()) {
            Some(text) => {
                let parsed = text.parse::<Digest>();
                Some(parsed.map_err(|_| unfit("A person’s handle has 64 hexadecimal digits."))?)
            }
            None => None,
        };
        let purpose = match filled(query.purpose.as_deref()) {
            Some(word) => Some(purpose_of(word).ok_or_else(|| {
                let words: Vec<_> = Purpose::ALL.iter().map(|one| one.word()).collect();
                unfit(&format!("A purpose is one of {}.", words.join(", ")))
            })?),
            None => None,
        };
        let period = (query.from.unwrap_or(0), query.until.unwrap_or(u64::MAX));
        if period.0 >= period.1 {
            return Err(unfit("The period ends before it begins."));
        }
        let patient = filled(query.patient.as_deref());
        let patient = patient.map(|text| self.patients.called(text)).transpose()?;
        let device = filled(query.device.as_deref());
        let subjects = match (&patient, device) {
            (patient, Some(device)) => {
                Some(self.wearers(device, patient.as_ref().map(|patient| patient.id))?)
            }
            (Some(patient), None) => Some(handles(patient).map(|one| (one, Vec::new())).collect()),
            (None, None) => None,
        };
        Ok(Asked {
            patient: patient.map(|patient| patient.id),
            subjects,
            person,
            period,
            is_about_device: device.is_some(),
            purpose,
            outcome: query.outcome,
            emergency_only: query.emergency == Some(true),
        })
    }

    /// Those who wore a device, or one of them, by their handles, with the times.
    fn wearers(&self, device: &str, patient: Option<PatientId>) -> Result<Subjects, Failure> {
        if !devices::known(&self.vault())?.contains_key(device) {
            let next = "Take the device’s id from the list of devices.";
            return Err(Failure::not_found("There is no such device.", next));
        }
        let mut worn = assignments::all(&self.vault(), &self.master)?;
        worn.retain(|worn| {
            worn.device == device && patient.is_none_or(|patient| worn.patient == patient)
        });
        let mut subjects = Subjects::new();
        for worn in worn {
            let Some(wearer) = self.patients.find(&worn.patient) else {
                continue;
            };
            let moment = |millis: i64| u64::try_from(millis).unwrap_or(0);
            let time = (moment(worn.since), worn.until.map_or(u64::MAX, moment));
            for handle in handles(&wearer) {
                subjects.entry(handle).or_default().push(time);
            }
        }
        Ok(subjects)
    }
}

/// What is there and says something.
fn filled(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// All handles of a patient, from the month in which she was written down to the next one.
fn handles(patient: &Patient) -> impl Iterator<Item = Digest> + '_ {
    let first = Period::at(u64::try_from(patient.since).unwrap_or(0));
    let last = Period::at(unix_millis()).next();
    let periods = std::iter::successors(Some(first), |period| Some(period.next()));
    periods
        .take_while(move |period| *period <= last)
        .flat_map(move |period| {
            Purpose::ALL
                .iter()
                .map(move |one| patient.handle(*one, period))
        })
}
