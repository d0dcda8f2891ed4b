//! A patient's record: the readings that were taken while she wore the devices they are of.
//!
//! ```text
//! worn ──▶ device ──▶ stream, newest first ──▶ taken in one of the times she wore it? ──▶ by time, over all devices
//! ```
//!
//! Readings are in the order in which they were taken, the newest first; those of one moment in the order of their
//! streams' numbers and their own. A stream of a device without a clock is in that order already: it is read from the
//! asked-for end on, and only as far as needed. A device with a clock may have sent late what it took long ago, so that
//! what came since the begin is read in whole.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use fog_api::{History, HistoryPoint, HistoryQuery, PatientReadingsQuery, ReadingRow};
use ledger_core::Value;

use super::patient::PatientId;
use super::taken::{Clock, Taken};
use crate::failure::Failure;
use crate::node::Node;
use crate::readings::{Anchors, DEFAULT_LIMIT, MAX_LIMIT, ReadingId, Stored, no_reading};
use crate::vault::assignments::Worn;
use crate::vault::devices::KnownDevice;
use crate::vault::streams::StreamRow;
use crate::vault::{clocks, devices, payloads};

/// A reading's place in the record: when it was taken, its stream's number, its own.
type Place = (i64, i64, u64);

/// A stream of a device that a patient wore.
pub(crate) struct WornStream {
    pub(crate) stream: StreamRow,
    pub(crate) clock: Arc<Clock>,
    pub(crate) worn: Arc<Vec<Worn>>,
}

/// Which part of a record.
struct Part<'a> {
    metric: Option<&'a str>,
    from: i64,
    /// Itself not in it.
    to: i64,
    /// Only what is before this place.
    before: Option<Place>,
}

impl Node {
    /// A patient's readings over all devices, taken last first.
    ///
    /// # Errors
    /// [`Failure`] if there is no such patient, or the vault cannot be read.
    pub async fn patient_readings(
        self: &Arc<Self>,
        id: String,
        query: PatientReadingsQuery,
    ) -> Result<Vec<ReadingRow>, Failure> {
        self.blocking(move |node| node.record(&id, &query)).await
    }

    /// A metric's past of a patient, over all devices, as the lowest and highest values of at most so many spans of
    /// the same length.
    ///
    /// # Errors
    /// [`Failure`] if there is no such patient, or the vault cannot be read.
    pub async fn patient_history(
        self: &Arc<Self>,
        id: String,
        query: HistoryQuery,
    ) -> Result<History, Failure> {
        self.blocking(move |node| node.course(&id, &query)).await
    }

    fn record(&self, id: &str, query: &PatientReadingsQuery) -> Result<Vec<ReadingRow>, Failure> {
        let patient = self.patients.named(id)?.id;
        let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize;
        let before = query.before.as_deref();
        let part = Part {
            metric: query.metric.as_deref(),
            from: query.from.unwrap_or(i64::MIN),
            to: query.to.unwrap_or(i64::MAX),
            before: before
                .map(|id| self.place_in_record(id, &patient))
                .transpose()?,
        };
        let streams = self.worn_streams(&patient, part.metric)?;
        let mut found: Vec<(Place, usize, Stored)> = Vec::new();
        for (at, worn) in streams.iter().enumerate() {
            let mut hers = Vec::new();
            self.each_of(worn, &part, |place, stored| {
                hers.push((place, at, stored));
                let is_full = hers.len() >= limit;
                // A stream without order keeps twice as many before it sorts them.
                if hers.len() >= 2 * limit {
                    newest(&mut hers, limit);
                }
                !is_full
            })?;
            found.append(&mut hers);
            newest(&mut found, limit);
        }
        let mut anchors = Anchors::default();
        found
            .into_iter()
            .filter_map(|(_, at, stored)| streams.get(at).map(|worn| (worn, stored)))
            .map(|(worn, stored)| {
                self.row(&worn.stream, stored, worn.clock.settings(), &mut anchors)
            })
            .collect()
    }

    fn course(&self, id: &str, query: &HistoryQuery) -> Result<History, Failure> {
        let patient = self.patients.named(id)?.id;
        let part = Part {
            metric: Some(&query.metric),
            from: query.from,
            to: query.to,
            before: None,
        };
        let spans = i64::from(query.points.clamp(10, 5_000));
        let length = (query.to.saturating_sub(query.from) / spans).max(1);
        let mut points: BTreeMap<i64, HistoryPoint> = BTreeMap::new();
        for worn in &self.worn_streams(&patient, part.metric)? {
            self.each_of(worn, &part, |(at, ..), stored| {
                let value = match stored.record.value {
                    Value::Quantity(value) => Some(value.to_f64()),
                    Value::Samples(_) | Value::Absent => None,
                };
                let new = HistoryPoint {
                    time: at,
                    min: value,
                    max: value,
                };
                let point = points.entry(at.saturating_sub(query.from) / length);
                point.and_modify(|point| join(point, &new)).or_insert(new);
                true
            })?;
        }
        Ok(History {
            points: points.into_values().collect(),
        })
    }

    /// Hands a stream's readings that are hers and in this part to `take`, until it says that it has enough and none
    /// can follow that is newer.
    fn each_of(
        &self,
        worn: &WornStream,
        part: &Part<'_>,
        mut take: impl FnMut(Place, Stored) -> bool,
    ) -> Result<(), Failure> {
        let WornStream {
            stream,
            clock,
            worn,
        } = worn;
        let begin = worn.iter().map(|worn| worn.since).min();
        let end = worn.iter().map(|worn| worn.until.unwrap_or(i64::MAX)).max();
        let from = part.from.max(begin.unwrap_or(i64::MAX));
        // What was taken with the last one of the page before is on this page, too.
        let last = part
            .before
            .map_or(i64::MAX, |(at, ..)| at.saturating_add(1));
        let to = part.to.min(end.unwrap_or(i64::MIN)).min(last);
        if from >= to {
            return Ok(());
        }
        let is_in_order = matches!(**clock, Clock::None);
        let below = match is_in_order {
            true => payloads::first_received_from(&self.vault(), stream.number, to)?,
            false => None,
        };
        // The row in which it is holds earlier ones, too.
        let below = below.map_or(u64::MAX, |first| first.saturating_add(1));
        self.newest_first(stream, below, from, |stored| {
            let taken = Taken::of(&stored.record, clock);
            let place = (taken.at, stream.number, stored.sequence);
            let is_asked = (from..to).contains(&taken.at)
                && part.before.is_none_or(|before| place < before)
                && worn.iter().any(|worn| taken.is_in(worn));
            let is_over = is_in_order && taken.at < from;
            !is_over && (!is_asked || take(place, stored) || !is_in_order)
        })
    }

    /// The streams of the devices that a patient wore.
    pub(crate) fn worn_streams(
        &self,
        patient: &PatientId,
        metric: Option<&str>,
    ) -> Result<Vec<WornStream>, Failure> {
        let mut by_device: BTreeMap<String, Vec<Worn>> = BTreeMap::new();
        for worn in self.worn_by(patient)? {
            by_device.entry(worn.device.clone()).or_default().push(worn);
        }
        let known = devices::known(&self.vault())?;
        let mut streams = Vec::new();
        for (device, worn) in by_device {
            let Some(known) = known.get(&device) else {
                continue;
            };
            let (clock, worn) = (Arc::new(self.clock_of(&device, known)?), Arc::new(worn));
            for stream in self.streams_of(&device, metric)? {
                streams.push(WornStream {
                    stream,
                    clock: Arc::clone(&clock),
                    worn: Arc::clone(&worn),
                });
            }
        }
        Ok(streams)
    }

    pub(crate) fn clock_of(&self, id: &str, device: &KnownDevice) -> Result<Clock, Failure> {
        let settings = clocks::of_device(&self.vault(), id)?;
        Ok(Clock::of(device, settings))
    }

    /// Where a reading is in her record; of another patient's it is not even told that there is one.
    fn place_in_record(&self, id: &str, patient: &PatientId) -> Result<Place, Failure> {
        let (stream, stored) = self.stored(ReadingId::parse(id)?)?;
        let known = devices::known(&self.vault())?;
        let clock = match known.get(&stream.device) {
            Some(known) => self.clock_of(&stream.device, known)?,
            None => Clock::None,
        };
        let taken = Taken::of(&stored.record, &clock);
        let worn = self.worn_by(patient)?;
        let mut worn = worn.iter().filter(|worn| worn.device == stream.device);
        match worn.any(|worn| taken.is_in(worn)) {
            true => Ok((taken.at, stream.number, stored.sequence)),
            false => Err(no_reading()),
        }
    }
}

/// Keeps the newest ones, the newest first.
fn newest(found: &mut Vec<(Place, usize, Stored)>, limit: usize) {
    found.sort_unstable_by_key(|(place, ..)| Reverse(*place));
    found.truncate(limit);
}

/// Takes another reading of its span into a point.
fn join(point: &mut HistoryPoint, new: &HistoryPoint) {
    let least =
        |one: Option<f64>, other: Option<f64>| [one, other].into_iter().flatten().reduce(f64::min);
    let most =
        |one: Option<f64>, other: Option<f64>| [one, other].into_iter().flatten().reduce(f64::max);
    *point = HistoryPoint {
        time: point.time.min(new.time),
        min: least(point.min, new.min),
        max: most(point.max, new.max),
    };
}
