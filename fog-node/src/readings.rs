//! Stored readings and their way to finality, read from the vault and the replica.

use std::collections::BTreeMap;
use std::sync::Arc;

use device_drivers::measurement::Metric;
use fog_api::{History, HistoryPoint, HistoryQuery, ReadingRow, ReadingsQuery, SampleSegment};
use ledger_core::{Origin, StreamId, Value};

use crate::failure::Failure;
use crate::node::Node;
use crate::time_taken::place;
use crate::vault::clocks::Setting;
use crate::vault::open_stream::{OpenStream, Opened};
use crate::vault::seal::Record;
use crate::vault::streams::StreamRow;
use crate::vault::{batches, clocks, devices, journal, payloads, streams};

/// Readings in an answer without a limit.
pub(crate) const DEFAULT_LIMIT: u32 = 100;
/// Most readings in an answer.
pub(crate) const MAX_LIMIT: u32 = 10_000;
/// Payload rows read from the vault at once.
const PAGE: u32 = 256;

/// A reading's name: its stream and its place in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ReadingId {
    pub(crate) stream: StreamId,
    pub(crate) sequence: u64,
}

impl ReadingId {
    /// Reads `STREAM.SEQUENCE`.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let parsed = text.split_once('.').and_then(|(stream, sequence)| {
            Some(Self {
                stream: stream.parse().ok()?,
                sequence: sequence.parse().ok()?,
            })
        });
        parsed.ok_or_else(|| {
            Failure::new(
                400,
                "READ-01",
                "The reading was not looked up.",
                "A reading is named by 32 hexadecimal digits, a dot and a number.",
                "Copy the whole name from a list of readings.",
            )
        })
    }
}

impl std::fmt::Display for ReadingId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.stream, self.sequence)
    }
}

/// A stored reading before its batch's transaction is looked up.
pub(crate) struct Stored {
    pub(crate) sequence: u64,
    pub(crate) record: Record,
    batch: Option<u64>,
}

impl Node {
    /// A device's newest readings, newest first; those of a removed device stay.
    ///
    /// # Errors
    /// [`Failure`] if there never was such a device or the vault cannot be read.
    pub async fn readings(
        self: &Arc<Self>,
        query: ReadingsQuery,
    ) -> Result<Vec<ReadingRow>, Failure> {
        self.blocking(move |node| node.newest_readings(&query))
            .await
    }

    /// One reading.
    ///
    /// # Errors
    /// [`Failure`] if there is none of this name.
    pub async fn reading(self: &Arc<Self>, id: String) -> Result<ReadingRow, Failure> {
        self.blocking(move |node| {
            let id = ReadingId::parse(&id)?;
            let (stream, stored) = node.stored(id)?;
            let settings = clocks::of_device(&node.vault(), &stream.device)?;
            node.row(&stream, stored, &settings, &mut Anchors::default())
        })
        .await
    }

    /// A metric's past, decimated by minimum and maximum.
    ///
    /// # Errors
    /// [`Failure`] if there never was such a device or the vault cannot be read.
    pub async fn history(
        self: &Arc<Self>,
        device: String,
        query: HistoryQuery,
    ) -> Result<History, Failure> {
        self.blocking(move |node| node.past(&device, &query)).await
    }

    /// Runs what reads from disk off the async threads.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Self) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let node = Arc::clone(self);
        tokio::task::spawn_blocking(move || read(&node))
            .await
            .map_err(Failure::internal)?
    }

    /// When a device's newest stored reading was received, in Unix milliseconds.
    pub(crate) fn last_heard(&self, device: &str) -> Result<Option<i64>, Failure> {
        let mut newest = None;
        for stream in &self.streams_of(device, None)? {
            self.newest_first(stream, u64::MAX, i64::MIN, |stored| {
                newest = newest.max(Some(stored.record.host_time_millis));
                false
            })?;
        }
        Ok(newest)
    }

    fn newest_readings(&self, query: &ReadingsQuery) -> Result<Vec<ReadingRow>, Failure> {
        let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize;
        let before = query.before.unwrap_or(i64::MAX);
        let mut found: Vec<(usize, Stored)> = Vec::new();
        self.check_was_paired(&query.device)?;
        let rows = self.streams_of(&query.device, query.metric.as_deref())?;
        for (at, stream) in rows.iter().enumerate() {
            let mut taken = 0;
            self.newest_first(stream, u64::MAX, i64::MIN, |stored| {
                if stored.record.host_time_millis < before {
                    found.push((at, stored));
                    taken += 1;
                }
                taken < limit
            })?;
        }
        found.sort_by_key(|(at, stored)| {
            (
                std::cmp::Reverse(stored.record.host_time_millis),
                *at,
                std::cmp::Reverse(stored.sequence),
            )
        });
        found.truncate(limit);
        let settings = clocks::of_device(&self.vault(), &query.device)?;
        let mut anchors = Anchors::default();
        found
            .into_iter()
            .filter_map(|(at, stored)| rows.get(at).map(|stream| (stream, stored)))
            .map(|(stream, stored)| self.row(stream, stored, &settings, &mut anchors))
            .collect()
    }

    fn past(&self, device: &str, query: &HistoryQuery) -> Result<History, Failure> {
        self.check_was_paired(device)?;
        let mut points = Vec::new();
        for stream in &self.streams_of(device, Some(&query.metric))? {
            self.newest_first(stream, u64::MAX, query.from, |stored| {
                let time = stored.record.host_time_millis;
                if time >= query.from && time <= query.to {
                    let value = match stored.record.value {
                        Value::Quantity(value) => Some(value.to_f64()),
                        Value::Samples(_) | Value::Absent => None,
                    };
                    points.push((time, value));
                }
                time >= query.from
            })?;
        }
        points.reverse();
        Ok(History {
            points: decimate(&points, query.points.clamp(10, 5000) as usize),
        })
    }

    /// Hands a stream's readings to `take`, newest first, until it says that it has enough; of the stored rows those
    /// that begin below this sequence. Payloads whose newest reading is older than `from` end it, too.
    pub(crate) fn newest_first(
        &self,
        stream: &StreamRow,
        mut below: u64,
        from: i64,
        mut take: impl FnMut(Stored) -> bool,
    ) -> Result<(), Failure> {
        let open = OpenStream::new(stream, &self.master)?;
        let start = below;
        // The journal first: a flush between the two reads then shows a reading twice, never not at
        // all; those below the journal's first are taken from the payloads.
        let waiting = journal::list(&self.vault(), Some(stream.number))?;
        for row in waiting
            .iter()
            .rev()
            .filter(|row| row.first_sequence < start)
        {
            let opened = open.open(row.first_sequence, row.count, &row.sealed)?;
            let readings: Vec<_> = opened.into_readings().collect();
            for (sequence, record) in readings.into_iter().rev() {
                if !take(Stored {
                    sequence,
                    record,
                    batch: None,
                }) {
                    return Ok(());
                }
            }
            below = row.first_sequence;
        }
        loop {
            let page = payloads::newest(&self.vault(), stream.number, below, PAGE)?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            below = last.first_sequence;
            for row in page {
                if row.newest < from {
                    return Ok(());
                }
                let opened = open.open(row.first_sequence, row.count, &row.sealed)?;
                let readings: Vec<_> = opened.into_readings().collect();
                for (sequence, record) in readings.into_iter().rev() {
                    if !take(Stored {
                        sequence,
                        record,
                        batch: Some(row.batch),
                    }) {
                        return Ok(());
                    }
                }
            }
        }
    }

    pub(crate) fn check_was_paired(&self, device: &str) -> Result<(), Failure> {
        if devices::was_paired(&self.vault(), device)? {
            return Ok(());
        }
        Err(Failure::not_found(
            "There is no such device.",
            "Take the device's id from the list of devices, or from one of its readings.",
        ))
    }

    pub(crate) fn streams_of(
        &self,
        device: &str,
        metric: Option<&str>,
    ) -> Result<Vec<StreamRow>, Failure> {
        let mut rows = streams::list(&self.vault(), Some(device))?;
        rows.retain(|row| metric.is_none_or(|code| row.code == code));
        Ok(rows)
    }

    /// The stream of a reading and the reading.
    pub(crate) fn stored(&self, id: ReadingId) -> Result<(StreamRow, Stored), Failure> {
        let stream = self.stream(id)?;
        let open = OpenStream::new(&stream, &self.master)?;
        if let Some((batch, opened)) = self.payload(&open, id.sequence)? {
            let (record, _) = opened.at(id.sequence).ok_or_else(no_reading)?;
            let stored = Stored {
                sequence: id.sequence,
                record: record.clone(),
                batch: Some(batch),
            };
            return Ok((stream, stored));
        }
        let waiting = journal::list(&self.vault(), Some(stream.number))?;
        for row in waiting {
            let opened = open.open(row.first_sequence, row.count, &row.sealed)?;
            if let Some((record, _)) = opened.at(id.sequence) {
                let stored = Stored {
                    sequence: id.sequence,
                    record: record.clone(),
                    batch: None,
                };
                return Ok((stream, stored));
            }
        }
        Err(no_reading())
    }

    /// The stream a reading's name says.
    pub(crate) fn stream(&self, id: ReadingId) -> Result<StreamRow, Failure> {
        streams::find(&self.vault(), id.stream)?.ok_or_else(no_reading)
    }

    /// The segment that holds a reading, or held it, and its batch's number, if it is in a batch.
    pub(crate) fn payload<'a>(
        &self,
        open: &'a OpenStream,
        sequence: u64,
    ) -> Result<Option<(u64, Opened<'a>)>, Failure> {
        let Some(row) = payloads::holding(&self.vault(), open.number, sequence)? else {
            return Ok(None);
        };
        let opened = open.open(row.first_sequence, row.count, &row.sealed)?;
        Ok(Some((row.batch, opened)))
    }

    pub(crate) fn row(
        &self,
        stream: &StreamRow,
        stored: Stored,
        settings: &[Setting],
        anchors: &mut Anchors,
    ) -> Result<ReadingRow, Failure> {
        let Stored {
            sequence,
            record,
            batch,
        } = stored;
        let anchor = match batch {
            Some(batch) => anchors.of(self, batch)?,
            None => Anchor::default(),
        };
        let (value, samples) = match record.value {
            Value::Quantity(value) => (Some(value.to_f64()), None),
            Value::Samples(data) => (
                None,
                Some(SampleSegment {
                    period_micros: data.period_micros,
                    samples: data.samples,
                }),
            ),
            Value::Absent => (None, None),
        };
        let id = ReadingId {
            stream: stream.id,
            sequence,
        };
        Ok(ReadingRow {
            id: id.to_string(),
            device: stream.device.clone(),
            label: Metric::from_loinc(&stream.code)
                .map_or("", Metric::label)
                .into(),
            code: stream.code.clone(),
            value,
            unit: stream.unit.clone(),
            samples,
            quality: record.quality,
            simulated: record.origin == Origin::Simulated,
            device_time: record.device_time_millis,
            corrected_time: record
                .device_time_millis
                .and_then(|time| place(time, record.host_time_millis, settings)),
            host_time: record.host_time_millis,
            batch,
            tx: anchor.tx,
            height: anchor.height,
            finalized: anchor.height.is_some(),
        })
    }
}

/// Never there, or erased.
pub(crate) fn no_reading() -> Failure {
    Failure::not_found(
        "There is no such reading.",
        "Copy the whole name from a list of this node's readings.",
    )
}

/// The transaction of a batch and the height of its block.
#[derive(Clone, Default)]
struct Anchor {
    tx: Option<String>,
    height: Option<u64>,
}

/// Anchors looked up so far.
#[derive(Default)]
pub(crate) struct Anchors(BTreeMap<u64, Anchor>);

impl Anchors {
    fn of(&mut self, node: &Node, batch: u64) -> Result<Anchor, Failure> {
        if let Some(known) = self.0.get(&batch) {
            return Ok(known.clone());
        }
        let found = batches::find(&node.vault(), batch)?;
        let anchor = match found {
            None => Anchor::default(),
            Some(row) => Anchor {
                tx: Some(row.tx.to_string()),
                height: node
                    .replica
                    .read()?
                    .transaction(&row.tx)?
                    .map(|stored| stored.height.0),
            },
        };
        self.0.insert(batch, anchor.clone());
        Ok(anchor)
    }
}

/// At most about `limit` points that keep every lowest and highest value, and every absence between.
fn decimate(points: &[(i64, Option<f64>)], limit: usize) -> Vec<HistoryPoint> {
    let chunk = points.len().div_ceil(limit).max(1);
    points
        .chunk_by(|a, b| a.1.is_some() == b.1.is_some())
        .flat_map(|run| run.chunks(chunk))
        .filter_map(|run| {
            let values = || run.iter().filter_map(|(_, value)| *value);
            Some(HistoryPoint {
                time: run.first()?.0,
                min: values().reduce(f64::min),
                max: values().reduce(f64::max),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    //! Goal: decimation loses no peak and bridges no absence. Method: property.

    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_peak_is_lost(values in proptest::collection::vec(proptest::option::weighted(0.9, -1000.0f64..1000.0), 1..500), limit in 10usize..100) {
            let points: Vec<_> = values.iter().enumerate().map(|(at, value)| (at as i64, *value)).collect();
            let kept = decimate(&points, limit);
            let highest = values.iter().flatten().copied().reduce(f64::max);
            let lowest = values.iter().flatten().copied().reduce(f64::min);
            prop_assert_eq!(kept.iter().filter_map(|point| point.max).reduce(f64::max), highest);
            prop_assert_eq!(kept.iter().filter_map(|point| point.min).reduce(f64::min), lowest);
            let runs = |absent: Vec<bool>| { let mut absent = absent; absent.dedup(); absent };
            prop_assert_eq!(
                runs(kept.iter().map(|point| point.min.is_none()).collect()),
                runs(values.iter().map(Option::is_none).collect())
            );
        }
    }

    #[test]
    fn reading_ids_are_strict() {
        let text = "000102030405060708090a0b0c0d0e0f.17";
        assert_eq!(ReadingId::parse(text).unwrap().to_string(), text);
        for wrong in [
            "",
            "17",
            "00.17",
            "000102030405060708090a0b0c0d0e0f.",
            "000102030405060708090a0b0c0d0e0f.-1",
            "x.y.z",
        ] {
            assert_eq!(ReadingId::parse(wrong).unwrap_err().status, 400);
        }
    }
}
