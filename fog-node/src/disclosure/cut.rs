//! What is cut out of a patient's record: the readings of these metrics that were surely hers and surely taken in this
//! period, over all devices. What is not in a batch yet comes with the next read, a second later.

use std::collections::{BTreeMap, BTreeSet};

use ledger_core::{StreamId, Value};
use rayon::prelude::*;

use super::content::{Shown, StreamPart};
use crate::failure::Failure;
use crate::node::Node;
use crate::patients::patient::PatientId;
use crate::patients::record::WornStream;
use crate::patients::taken::{Clock, Taken};
use crate::vault::disclosures::Disclosed;
use crate::vault::open_stream::OpenStream;
use crate::vault::payloads::PayloadRow;
use crate::vault::seal::Record;
use crate::vault::{VaultError, devices, payloads, streams};

/// Most readings of one read; a day of one metric at 1 Hz has 86,400. Samples of a wave count as a reading for each
/// [`SAMPLES`].
const MAX_READINGS: usize = 100_000;
const SAMPLES: usize = 64;
/// Payload rows that are read, and then opened beside each other, at once.
const PAGE: u32 = 4_096;
/// So many are opened by one thread in one go.
const TOGETHER: usize = 128;

/// A part of a record.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Cut {
    /// LOINC codes.
    pub(crate) metrics: BTreeSet<String>,
    /// Its begin in Unix milliseconds.
    pub(crate) from: i64,
    /// Its end, itself not in it.
    pub(crate) until: i64,
    /// Of these streams only what begins at these sequences.
    pub(crate) since: BTreeMap<StreamId, u64>,
}

impl Cut {
    fn covers(&self, taken: &Taken) -> bool {
        let covers = |at| (self.from..self.until).contains(&at);
        covers(taken.at) && taken.or.is_none_or(covers)
    }
}

/// Counts what one read has disclosed.
#[derive(Default)]
struct Measure(usize);

impl Measure {
    /// Whether there is room for one more.
    fn take(&mut self, value: &Value) -> bool {
        let samples = match value {
            Value::Samples(data) => data.samples.len() / SAMPLES,
            Value::Quantity(_) | Value::Absent => 0,
        };
        self.0 += 1 + samples;
        self.0 <= MAX_READINGS
    }
}

impl Node {
    /// Cuts a part out of a patient's record.
    ///
    /// # Errors
    /// [`Failure`] `ACC-08` if that is more than is disclosed at once, or the vault cannot be read.
    pub(crate) fn cut(&self, patient: &PatientId, cut: &Cut) -> Result<Vec<StreamPart>, Failure> {
        let mut measure = Measure::default();
        let mut parts = Vec::new();
        for worn in self.worn_streams(patient, None)? {
            if !cut.metrics.contains(&worn.stream.code) {
                continue;
            }
            let readings = self.cut_stream(&worn, cut, &mut measure)?;
            if !readings.is_empty() {
                parts.push(StreamPart {
                    stream: worn.stream.id,
                    code: worn.stream.code,
                    unit: worn.stream.unit,
                    readings,
                });
            }
        }
        Ok(parts)
    }

    /// Cuts a part out of one stream. Nothing is taken after it came, so what came before the part is not looked at;
    /// nor is what came after it, of a device without a clock.
    fn cut_stream(
        &self,
        worn: &WornStream,
        cut: &Cut,
        measure: &mut Measure,
    ) -> Result<Vec<Shown>, Failure> {
        let number = worn.stream.number;
        let from = worn.worn.iter().map(|worn| worn.since).min();
        let from = cut.from.max(from.unwrap_or(i64::MAX));
        let received_from = |time| payloads::first_received_from(&self.vault(), number, time);
        let Some(first) = received_from(from)? else {
            return Ok(Vec::new());
        };
        let mut next = cut
            .since
            .get(&worn.stream.id)
            .map_or(first, |since| first.max(*since));
        let past = match *worn.clock {
            // The row in which it is may begin before.
            Clock::None => received_from(cut.until)?.map(|first| first.saturating_add(1)),
            Clock::Told | Clock::Own(_) => None,
        };
        let open = OpenStream::new(&worn.stream, &self.master)?;
        let is_shown = |record: &Record| {
            let taken = Taken::of(record, &worn.clock);
            let is_hers = cut.covers(&taken) && worn.worn.iter().any(|worn| taken.is_in(worn));
            is_hers.then_some(taken.at)
        };
        let of_rows = |rows: &[PayloadRow]| {
            let mut all = Vec::with_capacity(rows.len());
            for row in rows {
                let opened = open.open(row.first_sequence, row.count, &row.sealed)?;
                let shown = opened.into_readings().filter_map(|(sequence, record)| {
                    Some(Shown {
                        sequence,
                        taken: is_shown(&record)?,
                        record,
                    })
                });
                all.extend(shown);
            }
            Ok(all)
        };
        let past = past.unwrap_or(u64::MAX);
        let page = |next| payloads::from(&self.vault(), number, next..past, PAGE);
        let (mut readings, mut rows) = (Vec::new(), page(next)?);
        while let Some(last) = rows.last() {
            next = last.first_sequence.saturating_add(1);
            // The next rows are read while these are opened.
            let open_all = || rows.par_chunks(TOGETHER).map(of_rows).collect();
            let (opened, later): (Result<Vec<Vec<Shown>>, VaultError>, _) =
                rayon::join(open_all, || page(next));
            for shown in opened?.into_iter().flatten() {
                if !measure.take(&shown.record.value) {
                    return Err(too_many());
                }
                readings.push(shown);
            }
            rows = later?;
        }
        Ok(readings)
    }

    /// The readings that an earlier read disclosed; none if one of them is not here any more.
    pub(crate) fn cut_again(
        &self,
        disclosed: &Disclosed,
    ) -> Result<Option<Vec<StreamPart>>, Failure> {
        let mut parts = Vec::new();
        for (id, runs) in &disclosed.streams {
            let Some(part) = self.runs_of(*id, runs)? else {
                return Ok(None);
            };
            parts.push(part);
        }
        Ok(Some(parts))
    }

    fn runs_of(&self, id: StreamId, runs: &[(u64, u64)]) -> Result<Option<StreamPart>, Failure> {
        let Some(stream) = streams::find(&self.vault(), id)? else {
            return Ok(None);
        };
        let known = devices::known(&self.vault())?;
        let Some(device) = known.get(&stream.device) else {
            return Ok(None);
        };
        let clock = self.clock_of(&stream.device, device)?;
        let open = OpenStream::new(&stream, &self.master)?;
        let mut readings = Vec::new();
        for (first, count) in runs {
            let (mut next, end) = (*first, first.saturating_add(*count));
            while next < end {
                let Some(row) = payloads::holding(&self.vault(), stream.number, next)? else {
                    return Ok(None);
                };
                let held = open.open(row.first_sequence, row.count, &row.sealed)?;
                let held = held.into_readings();
                for (sequence, record) in held.filter(|(at, _)| (next..end).contains(at)) {
                    readings.push(Shown {
                        sequence,
                        taken: Taken::of(&record, &clock).at,
                        record,
                    });
                }
                next = row.first_sequence.saturating_add(u64::from(row.count));
            }
        }
        Ok(Some(StreamPart {
            stream: id,
            code: stream.code,
            unit: stream.unit,
            readings,
        }))
    }
}

/// Where the readings of these parts are: runs of sequences that follow each other.
pub(crate) fn places(parts: &[StreamPart]) -> Vec<(StreamId, Vec<(u64, u64)>)> {
    let runs = |part: &StreamPart| {
        let follows =
            |one: &Shown, next: &Shown| one.sequence.checked_add(1) == Some(next.sequence);
        let runs = part.readings.chunk_by(follows);
        runs.filter_map(|run| Some((run.first()?.sequence, run.len() as u64)))
            .collect()
    };
    parts.iter().map(|part| (part.stream, runs(part))).collect()
}

fn too_many() -> Failure {
    Failure::new(
        400,
        "ACC-08",
        "Nothing was read.",
        format!("One read shows at most {MAX_READINGS} readings, or waves of that size."),
        "Read a shorter period, or fewer metrics at a time.",
    )
}
