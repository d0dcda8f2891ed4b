//! Packs what is disclosed for somebody at another node: each segment of which it has readings, whole as the vault has
//! it or cut and sealed anew, with the path to its batch.

use std::collections::BTreeMap;

use ledger_core::{BatchTree, Digest};

use super::content::{Content, StreamPart};
use super::cut::places;
use super::package::{Anchoring, Head, Outgoing, Package, StreamHead};
use crate::failure::Failure;
use crate::node::Node;
use crate::vault::disclosures::Disclosed;
use crate::vault::open_stream::OpenStream;
use crate::vault::payloads::PayloadRow;
use crate::vault::seal::Record;
use crate::vault::{batches, payloads, streams};

/// The streams and batches of one package, each opened once.
struct Sources<'a> {
    node: &'a Node,
    streams: BTreeMap<i64, OpenStream>,
    batches: BTreeMap<u64, (Digest, BatchTree)>,
}

/// Batches kept opened; a package goes through them stream by stream.
const BATCHES: usize = 1_024;

impl Node {
    /// Packs a read for the person with this X25519 key.
    ///
    /// # Errors
    /// [`Failure`] if the vault cannot be read, or the key cannot be used.
    pub(crate) fn packed(
        &self,
        person: &[u8; 32],
        access: &Digest,
        names: (Digest, Vec<u8>),
        (disclosed, readings, content): (&Disclosed, u64, &Content),
    ) -> Result<Package, Failure> {
        let mut sources = Sources::of(self)?;
        let mut segments = Vec::new();
        for part in &content.streams {
            sources.pack(part, &mut segments)?;
        }
        let head = Head {
            salt: disclosed.salt,
            at_millis: disclosed.at_millis,
            from: disclosed.from,
            until: disclosed.until,
            readings,
            streams: content.streams.iter().map(head_of).collect(),
            spans: content.spans.clone(),
        };
        Package::seal(person, access, names, &head, segments).map_err(Failure::internal)
    }
}

impl<'a> Sources<'a> {
    fn of(node: &'a Node) -> Result<Self, Failure> {
        let rows = streams::list(&node.vault(), None)?;
        let mut streams = BTreeMap::new();
        for row in rows {
            streams.insert(row.number, OpenStream::new(&row, &node.master)?);
        }
        Ok(Self {
            node,
            streams,
            batches: BTreeMap::new(),
        })
    }

    /// Packs the readings of one stream.
    fn pack(&mut self, part: &StreamPart, segments: &mut Vec<Outgoing>) -> Result<(), Failure> {
        let number = self.streams.iter().find(|(_, open)| open.id == part.stream);
        let number = number.map(|(number, _)| *number).ok_or_else(missing)?;
        let mut rest = part.readings.as_slice();
        for (first, count) in places(std::slice::from_ref(part))
            .into_iter()
            .flat_map(|(_, runs)| runs)
        {
            let end = first.saturating_add(count);
            let mut next = first;
            while next < end {
                let row = payloads::holding(&self.node.vault(), number, next)?;
                let row = row.ok_or_else(missing)?;
                let past = row
                    .first_sequence
                    .saturating_add(u64::from(row.count))
                    .min(end);
                let length = usize::try_from(past - next).map_err(Failure::internal)?;
                let (here, later) = rest.split_at_checked(length).ok_or_else(missing)?;
                let records = here.iter().map(|shown| shown.record.clone());
                segments.push(self.segment(row, next, records.collect())?);
                (rest, next) = (later, past);
            }
        }
        Ok(())
    }

    /// Packs the readings of a row from `first` on, all of them or a part.
    fn segment(
        &mut self,
        row: PayloadRow,
        first: u64,
        records: Vec<Record>,
    ) -> Result<Outgoing, Failure> {
        let count = u32::try_from(records.len()).map_err(Failure::internal)?;
        self.open_batch(row.batch)?;
        let open = self.streams.get(&row.stream).ok_or_else(missing)?;
        let (transaction, tree) = self.batches.get(&row.batch).ok_or_else(missing)?;
        let range = tree.range(open.id, first, count).ok_or_else(missing)?;
        let (segment, key) = open.segment_key(first, count);
        let opened = open.open(row.first_sequence, row.count, &row.sealed)?;
        let salts = (first..)
            .take(count as usize)
            .map(|at| Some(opened.at(at)?.1));
        let salts: Option<Vec<_>> = salts.collect();
        // What an erasure has left of a segment says more than these readings.
        let is_whole = first == row.first_sequence && count == row.count && opened.erased() == 0;
        Ok(Outgoing {
            sealed: match is_whole {
                true => row.sealed,
                false => open.seal(first, &records)?,
            },
            anchoring: Anchoring {
                transaction: *transaction,
                salts: salts.ok_or_else(missing)?,
                range,
            },
            segment,
            key,
        })
    }

    fn open_batch(&mut self, number: u64) -> Result<(), Failure> {
        if self.batches.contains_key(&number) {
            return Ok(());
        }
        while self.batches.len() >= BATCHES {
            self.batches.pop_first();
        }
        let batch = batches::find(&self.node.vault(), number)?.ok_or_else(missing)?;
        let rows = payloads::of_batch(&self.node.vault(), number)?;
        let tree = crate::proofs::batch_tree(rows, &self.streams)?;
        self.batches.insert(number, (batch.tx, tree));
        Ok(())
    }
}

fn head_of(part: &StreamPart) -> StreamHead {
    let before =
        |shown: &super::content::Shown| shown.record.host_time_millis.saturating_sub(shown.taken);
    let before: Vec<_> = part.readings.iter().map(before).collect();
    let is_at_once = before.iter().all(|millis| *millis == 0);
    StreamHead {
        stream: part.stream,
        code: part.code.clone(),
        unit: part.unit.clone(),
        before: if is_at_once { Vec::new() } else { before },
    }
}

fn missing() -> Failure {
    Failure::internal("a reading that was cut out is not in its batch")
}
