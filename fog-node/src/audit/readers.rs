//! Who reads what of the access log: told to the ledger before anything is answered.
//!
//! Upon a question: if its reader asked the same within the last hour, that reading stands. Else what she asks is sealed
//! in the vault and durable, then she says on the ledger that she reads, with her own key; the answer waits until that is
//! final and an entry of the log. What is remembered is *volatile*: after a restart a question is a new reading.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fog_api::AuditQuery;
use ledger_core::access::{LogKind, LogPart, ReadLog};
use ledger_core::{Digest, Height, Payload, SignedTransaction};
use ledger_store::LogLookup;

use super::question_words;
use crate::failure::Failure;
use crate::node::Node;
use crate::people::Signed;
use crate::vault::reasons::Reason;

/// For so long the same question of the same person is one reading.
const ONE_READING: Duration = Duration::from_secs(3_600);
/// Readings that are remembered; of more, the oldest are told again.
const MAX_REMEMBERED: usize = 4_096;
/// Entries of a person that are looked through for the one she has just made.
const RECENT: u32 = 256;

/// Readings of the last hour, by a digest of reader, part and question.
#[derive(Default)]
pub(crate) struct Readers(Mutex<BTreeMap<Digest, (Instant, Height)>>);

impl Readers {
    /// Where a reading of the last hour stands.
    fn find(&self, reading: &Digest, now: Instant) -> Option<Height> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, height) = known.get(reading)?;
        (now.duration_since(*at) < ONE_READING).then_some(*height)
    }

    fn remember(&self, reading: Digest, now: Instant, height: Height) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (at, _)| now.duration_since(*at) < ONE_READING);
        if known.len() >= MAX_REMEMBERED {
            let oldest = known.iter().min_by_key(|(_, (at, _))| *at);
            if let Some(oldest) = oldest.map(|(reading, _)| *reading) {
                known.remove(&oldest);
            }
        }
        known.insert(reading, (now, height));
    }
}

impl Node {
    /// Has it on the ledger that the caller reads this; the block in which it stands.
    ///
    /// # Errors
    /// [`Failure`] `ACC-02` if the ledger does not know her, `ACC-03` if it does not let her, `ACC-04` if that is not
    /// final in time, `AUD-03` if it did not become an entry.
    pub(super) async fn record_reading(
        self: &Arc<Self>,
        query: &AuditQuery,
        part: LogPart,
        signed: &Signed,
    ) -> Result<Height, Failure> {
        self.record_words(question_words(query), part, signed).await
    }

    /// Has it on the ledger that the caller reads what is asked for in these words, which name nobody.
    ///
    /// # Errors
    /// As of every reading of the log: `ACC-02`, `ACC-03`, `ACC-04`, `AUD-03`.
    pub(crate) async fn record_words(
        self: &Arc<Self>,
        words: String,
        part: LogPart,
        signed: &Signed,
    ) -> Result<Height, Failure> {
        let me = {
            let snapshot = self.replica.read()?;
            self.participant(&snapshot, signed)?
        };
        let (reader, organisation) = (me.handle(), me.known.organisation);
        let place = [part as u8];
        let parts = [&reader.0[..], &place, words.as_bytes()];
        let reading = Digest::tagged("fogward/log-reading/1", &parts);
        let readers = &self.requests.readers;
        let is_once_each = part == LogPart::Bundle;
        if let Some(height) = readers
            .find(&reading, Instant::now())
            .filter(|_| !is_once_each)
        {
            return Ok(height);
        }
        let sealed = Reason::draw(&words)?;
        let question = sealed.commitment();
        let payload = Payload::ReadLog(ReadLog {
            organisation,
            part,
            question,
        });
        self.refuse_void_of(&me.key, &payload)?;
        self.keep_reason(question, &sealed).await?;
        let height = self.say(signed, payload).await?;
        let is_entered = self
            .blocking(move |node| node.is_entered(&reader, &question, height))
            .await?;
        if !is_entered {
            return Err(not_entered());
        }
        readers.remember(reading, Instant::now(), height);
        Ok(height)
    }

    /// Whether a reading that is final became an entry: its reader may have lost her role in the same block.
    fn is_entered(
        &self,
        reader: &Digest,
        question: &Digest,
        height: Height,
    ) -> Result<bool, Failure> {
        let snapshot = self.replica.read()?;
        let own = snapshot.logged_below(LogLookup::Person(reader), (0, u64::MAX), RECENT)?;
        let there = |kind, at| kind == LogKind::Read && at == height;
        for entry in own.iter().filter(|entry| there(entry.kind, entry.height)) {
            let Some(stored) = snapshot.transaction(&entry.transaction)? else {
                continue;
            };
            let said = SignedTransaction::decode(&stored.bytes).map_err(Failure::internal)?;
            let body = said.body().map_err(Failure::internal)?;
            if matches!(body.payload, Payload::ReadLog(said) if said.question == *question) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

fn not_entered() -> Failure {
    Failure::new(
        409,
        "AUD-03",
        "Nothing is shown.",
        "That you read the access log did not become an entry of it: your role has just changed.",
        "Ask an admin for your roles, and try again.",
    )
}

#[cfg(test)]
mod tests {
    //! Goal: the same question within an hour is one reading, and what is remembered is bounded. Method: a clock that is
    //! handed in.

    use super::*;

    #[test]
    fn a_reading_stands_for_an_hour() {
        let (readers, begin) = (Readers::default(), Instant::now());
        let at = |seconds| begin + Duration::from_secs(seconds);
        let of = |number: u32| Digest::of(&number.to_be_bytes());
        readers.remember(of(1), at(0), Height(7));
        assert_eq!(readers.find(&of(1), at(3_599)), Some(Height(7)));
        assert_eq!(readers.find(&of(1), at(3_600)), None);
        assert_eq!(readers.find(&of(2), at(0)), None);
        for number in 2..=MAX_REMEMBERED as u32 + 1 {
            readers.remember(of(number), at(10), Height(8));
        }
        assert_eq!(readers.find(&of(1), at(10)), None, "the oldest made room");
        assert_eq!(readers.find(&of(2), at(10)), Some(Height(8)));
        readers.remember(of(1), at(4_000), Height(9));
        assert_eq!(
            readers.0.lock().unwrap().len(),
            1,
            "what is over is forgotten"
        );
    }
}
