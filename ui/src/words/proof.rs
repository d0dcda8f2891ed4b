//! What is said of proofs: what each check shows, what its failure means, and what no proof shows.

use fog_api::ApiError;
use ledger_core::proof::Check;
use ledger_core::{Genesis, Origin, Payload, Proof, Quality, Reading, SignedTransaction, Value};

use super::number::{capital, clock, count, date, duration, spelled, thousands, unit};
use crate::check::{Checked, Level, Trust, Unreadable};

/// A step's title, and the name of the hash it leads to.
#[must_use]
pub const fn title(check: Check) -> (&'static str, &'static str) {
    match check {
        Check::Commitment => ("The reading matches its sealed commitment", "Leaf"),
        Check::Batch => ("The leaf is in the batch", "Batch root"),
        Check::Transaction => ("The batch is in the transaction", "Transaction"),
        Check::Inclusion => ("The transaction is in the block header", "Header"),
        Check::Certificate => ("The certificate makes the header final", "Block"),
        Check::Genesis => ("The validators lead back to the genesis", "Genesis"),
    }
}

/// What was done in a step that holds.
#[must_use]
pub fn done(check: Check, proof: &Proof, genesis: &Genesis) -> String {
    let hashes = |number: usize| match number {
        1 => "One sibling hash leads".to_owned(),
        number => format!("{} sibling hashes lead", capital(&spelled(number as u64))),
    };
    let block = thousands(proof.header.height.0);
    match check {
        Check::Commitment => {
            "The value, its time and the salt in the file hash to the leaf. Without the salt nobody can guess it.".to_owned()
        }
        Check::Batch => match proof.batch_path.reading_path.len() + proof.batch_path.entry_path.len() {
            0 => "The batch holds this reading alone: its leaf leads to the root by itself.".to_owned(),
            number => format!("{} from the leaf to the batch root.", hashes(number)),
        },
        Check::Transaction => signed(proof, genesis),
        Check::Inclusion => match proof.transaction_path.len() {
            0 => format!("It is the only transaction of block {block}: its id leads to the root by itself."),
            number => format!("{} to the transactions root of block {block}.", hashes(number)),
        },
        Check::Certificate => {
            let validators = proof.changes.last().map_or(&genesis.validators, |change| &change.next);
            match (proof.certificate.signatures.len(), validators.as_slice().len()) {
                (_, 1) => "The only validator signed.".to_owned(),
                (signed, all) => format!("{signed} of {all} validators signed; more than two thirds are needed."),
            }
        }
        Check::Genesis => match proof.changes.len() {
            0 => "They are the validators of the genesis: none changed since block 0.".to_owned(),
            1 => "One change of validators since block 0, approved by those before.".to_owned(),
            number => format!("{number} changes of validators since block 0, each approved by those before."),
        },
    }
}

fn signed(proof: &Proof, genesis: &Genesis) -> String {
    let transaction = SignedTransaction::decode(&proof.transaction).ok();
    let sender = transaction
        .as_ref()
        .map(|transaction| *transaction.sender());
    let member = genesis
        .members
        .iter()
        .find(|member| Some(member.key) == sender);
    let name = member
        .map(|member| member.name.clone())
        .or_else(|| Some(sender?.short()))
        .unwrap_or_default();
    let body = transaction.and_then(|transaction| transaction.body().ok());
    match body.map(|body| body.payload) {
        Some(Payload::AnchorBatch(anchor)) => format!(
            "Signed by {name} over exactly these bytes: batch {} with {}.",
            thousands(anchor.batch.0),
            count(u64::from(anchor.readings), "reading", "readings")
        ),
        _ => format!("Signed by {name} over exactly these bytes."),
    }
}

/// A step's title where it does not hold.
#[must_use]
pub const fn broken_title(check: Check) -> &'static str {
    match check {
        Check::Commitment => "The reading does not match its sealed commitment",
        Check::Batch => "The leaf is not in the batch",
        Check::Transaction => "The transaction does not hold",
        Check::Inclusion => "The transaction is not in the block header",
        Check::Certificate => "The header is not final",
        Check::Genesis => "The validators do not lead back to this genesis",
    }
}

/// What it means that a step does not hold.
#[must_use]
pub const fn meaning(check: Check) -> &'static str {
    match check {
        Check::Commitment => {
            "The value, its time, its stream or its salt is not what was sealed: the file was changed, or its parts belong to different readings."
        }
        Check::Batch => {
            "The reading was not among those that this batch anchored: the file was changed, or its parts belong to different batches."
        }
        Check::Transaction => {
            "The transaction was changed after it was signed, or was signed for another chain: nobody vouches for these bytes."
        }
        Check::Inclusion => {
            "The block does not hold this transaction: the file was changed, or its parts belong to different blocks."
        }
        Check::Certificate => {
            "Too few of the validators that follow from this genesis signed this block, or their signatures do not fit it."
        }
        Check::Genesis => {
            "The proof belongs to another consortium than the genesis it was checked against, or its validators were never agreed on."
        }
    }
}

/// The page's answer; times are said `offset_minutes` east of UTC.
#[must_use]
pub fn heading(proof: &Proof, checked: &Checked, genesis: &Genesis, offset_minutes: i32) -> String {
    match checked.broken() {
        None => {
            let time = i64::try_from(proof.header.time_millis).unwrap_or(i64::MAX);
            let (day, clock) = (date(time, offset_minutes), clock(time, offset_minutes));
            format!("This reading existed on {day} at {clock} and has not changed since.")
        }
        Some(_) if is_foreign(proof, genesis) => "This proof belongs to another chain.".to_owned(),
        Some((number, _)) => format!("This proof does not hold: step {number} of 6 fails."),
    }
}

/// The sentence below: who checked, how long it took, or what the failure means.
#[must_use]
pub fn source(proof: &Proof, checked: &Checked, genesis: &Genesis) -> String {
    match checked.broken() {
        None => format!(
            "Six checks, all passed in {}, computed in this window from the proof file and the genesis alone. No server was asked and none needs to be trusted.",
            duration(checked.millis())
        ),
        Some(_) if is_foreign(proof, genesis) => format!(
            "It was checked against the genesis of {}, which is not its own. Choose the genesis file of its consortium, too; until then do not rely on what it says.",
            genesis.name
        ),
        Some((_, step)) => format!(
            "{} Do not rely on what the file says.",
            meaning(step.outcome.check)
        ),
    }
}

/// Whether a proof names another chain than the genesis it was checked against.
fn is_foreign(proof: &Proof, genesis: &Genesis) -> bool {
    proof.chain != genesis.chain_id()
}

/// How long a step took.
#[must_use]
pub fn took(millis: f64) -> String {
    if millis < 0.05 {
        "under 0.1 ms".to_owned()
    } else {
        duration(millis)
    }
}

/// A metric's name, for a proof that comes without its device.
#[must_use]
pub fn metric(loinc: &str) -> Option<&'static str> {
    Some(match loinc {
        "59408-5" => "SpO₂",
        "8889-8" => "Pulse",
        "8867-4" => "Heart rate",
        "76524-8" => "Pleth wave",
        "61006-3" => "Perfusion",
        "8310-5" => "Temperature",
        "9279-1" => "Respiration",
        "8480-6" => "Systolic",
        "8462-4" => "Diastolic",
        "8478-0" => "Mean pressure",
        "2339-0" | "15074-8" => "Glucose",
        "29463-7" => "Weight",
        "8302-2" => "Height",
        "39156-5" => "BMI",
        "41982-0" => "Body fat",
        "73965-6" => "Muscle",
        "73964-9" => "Muscle mass",
        "101683-1" => "Body water",
        "8637-1" => "RR interval",
        "41981-2" => "Energy",
        _ => return None,
    })
}

/// What was measured, large, and its unit, small.
#[must_use]
pub fn value(reading: &Reading) -> (String, String) {
    let name =
        metric(&reading.code).map_or_else(|| format!("LOINC {}", reading.code), str::to_owned);
    match &reading.value {
        Value::Quantity(number) => (format!("{name} {number}"), unit(&reading.unit).to_owned()),
        Value::Samples(wave) => {
            let seconds = wave.samples.len() as f64 * f64::from(wave.period_micros) / 1e6;
            (
                name,
                format!(
                    "{} over {seconds:.1} s",
                    count(wave.samples.len() as u64, "sample", "samples")
                ),
            )
        }
        Value::Absent => (name, "no value".to_owned()),
    }
}

/// A metric's codes: LOINC, and the UCUM unit where there is one.
#[must_use]
pub fn codes(reading: &Reading) -> String {
    match reading.unit.as_ref() {
        "1" | "" => format!("LOINC {}, without a unit", reading.code),
        unit => format!("LOINC {}, in {unit}", reading.code),
    }
}

/// The name a proof's file is saved under.
#[must_use]
pub fn file_name(reading: &str) -> String {
    let name = reading
        .chars()
        .filter(|letter| letter.is_ascii_alphanumeric() || *letter == '.');
    let name: String = name.take(64).collect();
    let (stream, sequence) = name.split_once('.').unwrap_or((&name, ""));
    let stream: String = stream.chars().take(8).collect();
    let sequence: String = sequence.chars().filter(char::is_ascii_digit).collect();
    format!("reading-{stream}-{sequence}.fwproof")
}

/// Where in its stream's part of the batch a reading stands.
#[must_use]
pub fn place(proof: &Proof) -> String {
    let entry = &proof.batch_path.entry;
    let number = proof.reading.sequence.saturating_sub(entry.first_sequence) + 1;
    let readings = count(u64::from(entry.count), "reading", "readings");
    format!(
        "The batch holds {readings} of this stream; this is number {}.",
        thousands(number)
    )
}

/// A quality as a proof says it.
#[must_use]
pub const fn quality(quality: Quality) -> &'static str {
    match quality {
        Quality::Good => "good, by the sensor’s own word",
        Quality::Questionable => {
            "questionable: motion, an artifact, a weak signal, or not yet settled"
        }
        Quality::LowPerfusion => "questionable: little blood flow under the sensor",
        Quality::SensorOff => "nothing measured: the sensor was off the body",
        Quality::Searching => "nothing measured: the sensor was searching",
        Quality::Missing => "nothing measured: the sensor sent its sign for no value",
        Quality::SensorFault => "nothing measured: the sensor said that it is broken",
    }
}

/// Where a reading came from.
#[must_use]
pub const fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Sensor => "a sensor that cannot sign; the fog node vouches for having received it",
        Origin::AuthenticatedSensor => "a sensor whose frames the fog node verified",
        Origin::Simulated => "a simulated device, not a person’s body",
    }
}

/// The words under the picture of the path.
#[must_use]
pub fn path(levels: &[Level]) -> String {
    let all = levels.len() as u64;
    if all == 0 {
        return "This batch holds one reading: its leaf is the root.".to_owned();
    }
    let above = levels.iter().filter(|level| level.among_streams).count() as u64;
    let parts = match (all - above, above) {
        (below, 0) => format!(
            "{} lead to the root of the one stream in the batch.",
            levels_of(below)
        ),
        (0, above) => format!(
            "The reading is alone in its stream; {} lead among the streams to the batch root.",
            levels_of(above)
        ),
        (below, above) => format!(
            "{} lead to the stream’s own root, {} more among the streams to the batch root.",
            capital(&levels_of(below)),
            spelled(above)
        ),
    };
    let bytes = thousands(all * 32);
    format!(
        "{parts} Filled circles are computed here. Squares are the sibling hashes the file brings along; {bytes} bytes in all."
    )
}

fn levels_of(number: u64) -> String {
    format!(
        "{} {}",
        spelled(number),
        if number == 1 { "level" } else { "levels" }
    )
}

/// The note beside the picture's title.
#[must_use]
pub fn shown(all: usize, most: usize) -> String {
    if all > most {
        format!("upper {most} of {all} levels")
    } else {
        count(all as u64, "level", "levels")
    }
}

/// Which genesis a proof was checked against; `pinned` is the day this window first saw it.
#[must_use]
pub fn trust(trust: &Trust, pinned: &str) -> String {
    match trust {
        Trust::First(_) => "the one this node has; pinned in this window from now on".to_owned(),
        Trust::Same(_) => format!("the one this window pinned on {pinned}"),
        Trust::Changed { .. } => {
            format!("the one this window pinned on {pinned}, not the one the node has now")
        }
        Trust::Given(genesis) => format!("the file you gave, of {}", genesis.name),
    }
}

/// What is said when the node has another genesis than the one that was pinned.
#[must_use]
pub fn changed(pinned: &str) -> ApiError {
    ApiError {
        code: "UI-10".into(),
        what: "This node has another chain than before".into(),
        why: format!(
            "its genesis is not the one this window pinned on {pinned}: the node was set up anew, or somebody put another in its place"
        ),
        next: "ask who runs the node. Until you trust the new chain, proofs are checked against the pinned one.".into(),
    }
}

/// What is said of a file that cannot be checked.
#[must_use]
pub fn unreadable(why: Unreadable) -> ApiError {
    let say = |code: &str, what: &str, why: &str, next: &str| ApiError {
        code: code.into(),
        what: what.into(),
        why: why.into(),
        next: next.into(),
    };
    match why {
        Unreadable::Empty => say(
            "UI-11",
            "This file is empty",
            "it holds no bytes at all, so it was probably not copied to its end",
            "ask for the proof file again.",
        ),
        Unreadable::TooLong => say(
            "UI-12",
            "This file is no proof",
            "it is longer than a proof or a genesis can be",
            "choose the file that was saved as a proof; it has a few kilobytes.",
        ),
        Unreadable::BrokenProof => say(
            "UI-13",
            "This proof file is damaged",
            "it begins as a proof but its bytes do not fit together: it was cut short or changed on its way",
            "ask for the file again, and have it sent as it is, not as text.",
        ),
        Unreadable::BrokenGenesis => say(
            "UI-14",
            "This genesis file is damaged",
            "it begins as a genesis but its bytes do not fit together",
            "ask the consortium for its genesis file again.",
        ),
        Unreadable::OtherVersion => say(
            "UI-15",
            "This file is of another version",
            "it is a proof or a genesis in a format this console does not know",
            "open it with a console of the version that wrote it, or a newer one.",
        ),
        Unreadable::Foreign => say(
            "UI-16",
            "This file is no proof",
            "it begins neither as a proof nor as a genesis",
            "choose a file that was saved with “Save proof file”, or a genesis file.",
        ),
    }
}
