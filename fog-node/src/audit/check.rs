//! Verifies an audit bundle offline, line by line (`docs/audit-format.md`): with the genesis and nothing else.
//!
//! Upon a line: it is at most so long, the one text of what it says, and in its place. Entries go into a
//! [`Trail`]; the end is held against it and against the genesis; the signature covers all bytes before it, and nothing
//! comes after it. The first thing that does not hold makes the whole invalid.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{BufRead, Read as _};

use ledger_core::access::{AccessState, LogEntry, Trail, TrailEnd};
use ledger_core::{Genesis, Signature};
use serde::Serialize;

use super::file::{BEGIN, Begin, FORMAT, Line, MAX_LINE_BYTES, Shown, Signing, Told};

/// Longest bundle that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 64 << 20;

/// What a bundle's verification found.
#[derive(Clone, PartialEq, Eq, Default, Serialize)]
pub struct BundleVerdict {
    /// Whether all of it holds.
    pub valid: bool,
    /// What does not, with the line, if something does not.
    pub problem: Option<String>,
    /// The chain's id.
    pub chain_id: String,
    /// What was asked for, in the words of the node that made it.
    pub asked: String,
    /// The name of that node, as the ledger knows it.
    pub node: String,
    /// When it made the file, by its own clock, in Unix milliseconds.
    pub made: u64,
    /// The block whose state holds the log's head.
    pub height: u64,
    /// That block's time in Unix milliseconds: until then the log is whole.
    pub until: u64,
    /// Number of the first entry.
    pub first: u64,
    /// From when on nothing is missing, in Unix milliseconds: the time of the first entry, if that is told; 0 where the
    /// log begins; none where the file begins with a digest.
    pub since: Option<u64>,
    /// How many entries there were by then, those before the first included.
    pub count: u64,
    /// Entries that stand as their digests.
    pub left_out: u64,
    /// The entries that are shown or told.
    pub entries: Vec<ProvenEntry>,
}

/// Says what came of it, and nothing of what the file holds.
impl fmt::Debug for BundleVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BundleVerdict({}, {:?})", self.valid, self.problem)
    }
}

/// What is proven of an entry.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct ProvenEntry {
    /// Its number.
    pub number: u64,
    /// The block that executed it.
    pub height: u64,
    /// That block's time in Unix milliseconds.
    pub time: u64,
    /// The transaction's kind; none where the entry is told without it.
    pub kind: Option<&'static str>,
    /// Id of the transaction.
    pub transaction: String,
    /// The key that signed it; none where the entry is told without it.
    pub sender: Option<String>,
    /// Id of the organisation whose data, people or log it is about.
    pub organisation: String,
    /// Handle of the person who signed.
    pub signer: Option<String>,
    /// Handle of the person it is about.
    pub person: Option<String>,
    /// Handle of the subject.
    pub subject: Option<String>,
    /// Handle of the request.
    pub request: Option<String>,
    /// Where the request stood after it.
    pub state: Option<&'static str>,
    /// What the node adds in words, which nobody proves.
    pub unproven: Option<String>,
}

/// Whether a file begins as a bundle does.
#[must_use]
pub fn is_bundle(begin: &[u8]) -> bool {
    begin.starts_with(BEGIN)
}

/// Verifies a bundle against a genesis that the verifier trusts.
///
/// # Errors
/// Only if the file cannot be read; what is wrong with it is in the verdict.
pub fn verify(file: impl BufRead, genesis: &Genesis) -> std::io::Result<BundleVerdict> {
    let mut file = file.take(MAX_FILE_BYTES);
    let mut walk = Walk {
        genesis,
        signing: Signing::new(),
        place: Place::Begin,
        found: BundleVerdict::default(),
        words: BTreeMap::new(),
    };
    let (mut line, mut number) = (Vec::new(), 0u64);
    loop {
        line.clear();
        let limit = MAX_LINE_BYTES as u64;
        if (&mut file).take(limit).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        number += 1;
        if let Err(why) = walk.line(&line) {
            return Ok(walk.refuse(format!("line {number}: {why}")));
        }
    }
    Ok(match walk.place {
        Place::Done => walk.accept(),
        _ => walk.refuse("the file breaks off".to_owned()),
    })
}

/// What is expected next.
enum Place {
    Begin,
    Entries { begin: Begin, trail: Trail },
    Words { begin: Begin },
    Done,
}

struct Walk<'a> {
    genesis: &'a Genesis,
    signing: Signing,
    place: Place,
    found: BundleVerdict,
    /// What nobody proves, by number.
    words: BTreeMap<u64, String>,
}

impl Walk<'_> {
    fn line(&mut self, bytes: &[u8]) -> Result<(), String> {
        let unreadable = || "it is no line of an audit bundle".to_owned();
        let line: Line = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
        // One text for what it says: else bytes could change that say nothing.
        if line.text().map_err(|_| unreadable())?.as_bytes() != bytes {
            return Err(unreadable());
        }
        let place = std::mem::replace(&mut self.place, Place::Done);
        self.place = match (place, line) {
            (Place::Begin, Line::Begin(begin)) => self.begin(begin)?,
            (Place::Entries { begin, trail }, Line::End(end)) => self.end(begin, &trail, &end)?,
            (Place::Entries { begin, mut trail }, line) => {
                self.entry(&mut trail, line)?;
                Place::Entries { begin, trail }
            }
            (Place::Words { begin }, Line::Unproven(said)) => {
                self.words.insert(said.number, said.words);
                Place::Words { begin }
            }
            (Place::Words { begin }, Line::Signature(signature)) => {
                return self.signature(&begin, &signature);
            }
            _ => return Err("it is not in its place".to_owned()),
        };
        self.signing.add(bytes);
        Ok(())
    }

    fn begin(&mut self, begin: Begin) -> Result<Place, String> {
        if begin.format != FORMAT {
            return Err(format!("this program knows {FORMAT} only"));
        }
        let trail = Trail::begin(begin.chain, begin.first, begin.before);
        let trail = trail.map_err(|error| error.to_string())?;
        self.found.chain_id = begin.chain.to_string();
        self.found.asked = begin.asked.clone();
        self.found.made = begin.made;
        self.found.first = begin.first;
        self.found.since = (begin.first == 0).then_some(0);
        Ok(Place::Entries { begin, trail })
    }

    fn entry(&mut self, trail: &mut Trail, line: Line) -> Result<(), String> {
        let is_first = trail.count() == self.found.first;
        let proven = match line {
            Line::LeftOut(digest) => {
                self.found.left_out += 1;
                return trail.leave_out(&digest).map_err(|error| error.to_string());
            }
            Line::Told(Told { entry }) => {
                let told = trail.tell(&bytes_of(&entry)?);
                proven(&told.map_err(|error| error.to_string())?)
            }
            Line::Shown(Shown { entry, transaction }) => {
                let (entry, transaction) = (bytes_of(&entry)?, bytes_of(&transaction)?);
                let shown = trail.show(&entry, &transaction);
                let (entry, transaction) = shown.map_err(|error| error.to_string())?;
                ProvenEntry {
                    kind: Some(transaction.body().payload.kind()),
                    sender: Some(transaction.sender().to_string()),
                    ..proven(&entry)
                }
            }
            _ => return Err("it is not in its place".to_owned()),
        };
        if is_first && self.found.first > 0 {
            self.found.since = Some(proven.time);
        }
        self.found.entries.push(proven);
        Ok(())
    }

    fn end(&mut self, begin: Begin, trail: &Trail, end: &str) -> Result<Place, String> {
        let end = TrailEnd::decode(&bytes_of(end)?).map_err(|error| error.to_string())?;
        let proven = trail.end(&end, &begin.node, self.genesis);
        let proven = proven.map_err(|error| error.to_string())?;
        self.found.node.clone_from(&proven.node.name);
        self.found.height = proven.height.0;
        self.found.until = proven.time_millis;
        self.found.count = proven.head.count;
        Ok(Place::Words { begin })
    }

    fn signature(&mut self, begin: &Begin, signature: &str) -> Result<(), String> {
        let bytes = <[u8; 64]>::try_from(bytes_of(signature)?);
        let signing = std::mem::replace(&mut self.signing, Signing::new());
        match bytes.is_ok_and(|bytes| signing.holds(&begin.node, &Signature(bytes))) {
            true => Ok(()),
            false => Err("the signature is not that of the node that made the file".to_owned()),
        }
    }

    fn accept(mut self) -> BundleVerdict {
        for entry in &mut self.found.entries {
            entry.unproven = self.words.remove(&entry.number);
        }
        self.found.valid = true;
        self.found
    }

    /// Nothing of what was read is told: it may be anything.
    fn refuse(self, problem: String) -> BundleVerdict {
        BundleVerdict {
            problem: Some(problem),
            ..BundleVerdict::default()
        }
    }
}

/// The bytes that are written so; in lower case, so that there is one text for them.
fn bytes_of(text: &str) -> Result<Vec<u8>, String> {
    let bytes = hex::decode(text).ok();
    let bytes = bytes.filter(|bytes| hex::encode(bytes) == text);
    bytes.ok_or_else(|| "its bytes are not written in hexadecimal digits".to_owned())
}

fn proven(entry: &LogEntry) -> ProvenEntry {
    let request = entry.request.as_ref();
    let text = |handle: Option<ledger_core::Digest>| handle.map(|handle| handle.to_string());
    ProvenEntry {
        number: entry.number,
        height: entry.height.0,
        time: entry.time_millis,
        kind: None,
        transaction: entry.transaction.to_string(),
        sender: None,
        organisation: entry.organisation.to_string(),
        signer: text(entry.signer),
        person: text(entry.person),
        subject: text(entry.subject),
        request: text(request.map(|request| request.handle)),
        state: request.map(|request| match request.state {
            AccessState::Waiting => "waiting",
            AccessState::Granted => "granted",
            AccessState::Denied => "denied",
            AccessState::Refused => "refused",
            AccessState::Ended => "ended",
        }),
        unproven: None,
    }
}
