//! What is said of blocks and transactions.

use fog_api::{BlockDetail, BlockRow, FinalitySeries, PrunedBlock, Status};

use super::number::{bytes, count, duration, spelled, thousands};
use super::state::State;

/// The chain page's answer: the newest block, and how long it took.
#[must_use]
pub fn heading(newest: Option<&BlockRow>) -> String {
    match newest {
        None => "The chain has no block yet.".to_owned(),
        Some(block) => {
            let height = thousands(block.height);
            let took = block
                .finality_ms
                .map(|millis| format!(" It took {}.", duration(millis)));
            format!("Block {height} is final.{}", took.unwrap_or_default())
        }
    }
}

/// The sentence below: where the blocks come from and who signs.
#[must_use]
pub fn source(status: Option<&Status>) -> String {
    let source = "Read from this node’s own replica, each block checked before it was kept.";
    let Some(status) = status else {
        return source.to_owned();
    };
    let signing = match (status.present, status.validators) {
        (_, 1) => "This node is the only validator.".to_owned(),
        (present, all) if present >= all => {
            format!("All {} validators are here.", spelled(u64::from(all)))
        }
        (present, all) => {
            let absent = count(u64::from(all - present), "validator is", "validators are");
            format!("{absent} silent; {} of {all} are needed.", status.quorum)
        }
    };
    format!("{source} {signing}")
}

/// A block's finality, and its state where it took longer than agreed.
#[must_use]
pub fn took(block: &BlockRow, limit_ms: Option<u32>) -> (String, Option<State>) {
    let Some(millis) = block.finality_ms else {
        return ("–".to_owned(), None);
    };
    let late = limit_ms.is_some_and(|limit| millis > f64::from(limit));
    let figure = if millis < 9.95 {
        format!("{millis:.1}")
    } else {
        thousands(millis.round() as u64)
    };
    (figure, late.then_some(State::Attention))
}

/// How a block is final: `Final, 6 of 7 signatures`. Block 0 is agreed on, not signed.
#[must_use]
pub fn finality(block: &BlockDetail) -> String {
    match block.round {
        None if block.row.height == 0 => "Agreed on by its founders".to_owned(),
        None => "Final; its certificate is not here".to_owned(),
        Some(_) => format!(
            "Final, {} of {}",
            thousands(u64::from(block.row.signed)),
            count(u64::from(block.row.validators), "signature", "signatures")
        ),
    }
}

/// The block page's answer.
#[must_use]
pub fn block_heading(block: &BlockDetail) -> String {
    let height = thousands(block.row.height);
    match (block.round, block.row.readings) {
        (None, _) if block.row.height == 0 => format!("Block {height} is where this chain begins."),
        (_, 0) => format!("Block {height} is final. It anchors no readings."),
        (_, readings) => format!(
            "Block {height} is final. It anchors {}.",
            count(readings, "reading", "readings")
        ),
    }
}

/// Why a block's transactions are not all here: what happened, and what stays.
#[must_use]
pub fn pruned(block: &PrunedBlock) -> (String, String) {
    let missing = count(
        u64::from(block.missing),
        "transaction is",
        "transactions are",
    );
    let what = if block.ids.is_empty() {
        format!("{missing} not here: this node started from a snapshot.")
    } else if let Some(run) = &block.run {
        format!(
            "Pruned at height {}, {} freed: {missing} not here any more.",
            thousands(run.height),
            bytes(run.bytes_freed)
        )
    } else {
        format!("Pruned: {missing} not here any more.")
    };
    let freed = if block.run.is_some() {
        " What was freed is of all blocks that were pruned then."
    } else {
        ""
    };
    let stays = format!(
        "Header and certificate stay, and proofs that were made before still verify.{freed}"
    );
    (what, stays)
}

/// Who proposed a block and in which round.
#[must_use]
pub fn proposed(block: &BlockDetail) -> String {
    match block.round {
        None => block.row.proposer.clone(),
        Some(round) => format!("{}, round {round}", block.row.proposer),
    }
}

/// The transaction page's answer.
#[must_use]
pub fn transaction_heading(summary: &str) -> String {
    let mut letters = summary.chars();
    let first = letters
        .next()
        .map(|first| first.to_lowercase().to_string())
        .unwrap_or_default();
    format!("This transaction {first}{}.", letters.as_str())
}

/// The head of a list of transactions.
#[must_use]
pub fn transactions(number: usize) -> String {
    match number as u64 {
        0 => "No transactions".to_owned(),
        number => super::number::capital(&format!(
            "{} {}",
            spelled(number),
            if number == 1 {
                "transaction"
            } else {
                "transactions"
            }
        )),
    }
}

/// What is said beside the list while it is held still: how many blocks came since.
#[must_use]
pub fn held(newer: usize) -> String {
    match newer {
        0 => "Held still".to_owned(),
        newer => format!("Held still, {} newer", thousands(newer as u64)),
    }
}

/// Where the agreed limit stands in the plot of a series: drawn, or said to lie above the scale.
#[must_use]
pub fn limit_in(series: &FinalitySeries) -> (bool, String) {
    let slowest = series.points.iter().filter_map(|point| point.p99_ms);
    limit(series.limit_ms, slowest.reduce(f64::max))
}

/// Where the agreed limit stands in a plot whose highest value is `highest_ms`: drawn, or said to lie
/// above the scale so that the line can be read.
#[must_use]
fn limit(limit_ms: u32, highest_ms: Option<f64>) -> (bool, String) {
    let drawn = highest_ms.is_none_or(|highest| highest * 5.0 >= f64::from(limit_ms));
    let words = if drawn {
        "submitted here, final on this node’s disk".to_owned()
    } else {
        format!(
            "submitted here, final on this node’s disk; the agreed limit, {limit_ms} ms, is above the scale"
        )
    };
    (drawn, words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(height: u64, finality_ms: Option<f64>) -> BlockRow {
        BlockRow {
            height,
            hash: String::new(),
            time: 0,
            proposer: "harbour-1".to_owned(),
            transactions: 1,
            readings: 0,
            signed: 6,
            validators: 7,
            finality_ms,
        }
    }

    fn detail(round: Option<u32>, readings: u64) -> BlockDetail {
        BlockDetail {
            row: BlockRow {
                readings,
                // Only block 0 is certified by nobody.
                ..row(if round.is_some() { 48_213 } else { 0 }, None)
            },
            parent: String::new(),
            tx_root: String::new(),
            state_root: String::new(),
            validators_hash: String::new(),
            proposer_key: String::new(),
            round,
            signers: Vec::new(),
            absent: Vec::new(),
            bytes: 0,
            transactions: Vec::new(),
            pruned: None,
        }
    }

    /// The heading is the answer, also before the first block and after a restart.
    #[test]
    fn the_heading_answers() {
        assert_eq!(heading(None), "The chain has no block yet.");
        assert_eq!(
            heading(Some(&row(48_213, Some(112.4)))),
            "Block 48\u{202f}213 is final. It took 112 ms."
        );
        assert_eq!(heading(Some(&row(7, None))), "Block 7 is final.");
    }

    /// A block that took longer than agreed is marked; one that was not submitted here has no figure.
    #[test]
    fn late_blocks_are_marked() {
        assert_eq!(
            took(&row(1, Some(5.04)), Some(500)),
            ("5.0".to_owned(), None)
        );
        assert_eq!(
            took(&row(1, Some(1_412.0)), Some(500)),
            ("1\u{202f}412".to_owned(), Some(State::Attention))
        );
        assert_eq!(took(&row(1, None), Some(500)), ("–".to_owned(), None));
    }

    /// Blocks say how they are final and what they anchor.
    #[test]
    fn blocks_say_how_they_are_final() {
        assert_eq!(finality(&detail(Some(0), 1)), "Final, 6 of 7 signatures");
        assert_eq!(finality(&detail(None, 0)), "Agreed on by its founders");
        assert_eq!(
            block_heading(&detail(Some(0), 1)),
            "Block 48\u{202f}213 is final. It anchors 1 reading."
        );
        assert_eq!(
            block_heading(&detail(Some(0), 0)),
            "Block 48\u{202f}213 is final. It anchors no readings."
        );
        assert_eq!(
            block_heading(&detail(None, 0)),
            "Block 0 is where this chain begins."
        );
        assert_eq!(proposed(&detail(Some(2), 0)), "harbour-1, round 2");
        assert_eq!(
            transaction_heading("Anchors batch 3 of 2 streams"),
            "This transaction anchors batch 3 of 2 streams."
        );
        assert_eq!(transactions(1), "One transaction");
        assert_eq!(transactions(13), "13 transactions");
        assert_eq!(held(0), "Held still");
        assert_eq!(held(3), "Held still, 3 newer");
    }

    /// The limit is drawn where it can be seen beside the line, and named where it cannot.
    #[test]
    fn a_far_limit_is_named() {
        assert!(limit(500, Some(100.0)).0);
        assert!(limit(500, None).0);
        let (drawn, words) = limit(500, Some(8.0));
        assert!(!drawn && words.contains("500 ms"));
    }

    /// A block without its transactions says what happened to them, and that nothing proven is lost.
    #[test]
    fn pruned_blocks_say_so() {
        let run = fog_api::PruningRun {
            time: 0,
            height: 48_300,
            bytes_freed: 12_000_000,
        };
        let block = |ids: &[&str], run| PrunedBlock {
            missing: 2,
            ids: ids.iter().map(|id| (*id).to_owned()).collect(),
            run,
        };
        let (what, stays) = pruned(&block(&["a", "b"], Some(run)));
        let freed = bytes(12_000_000);
        let height = thousands(48_300);
        assert_eq!(
            what,
            format!(
                "Pruned at height {height}, {freed} freed: 2 transactions are not here any more."
            )
        );
        assert!(stays.contains("still verify") && stays.contains("all blocks"));
        let (what, stays) = pruned(&block(&["a", "b"], None));
        assert_eq!(what, "Pruned: 2 transactions are not here any more.");
        assert!(!stays.contains("all blocks"));
        let (what, _) = pruned(&block(&[], None));
        assert!(what.contains("started from a snapshot"), "{what}");
    }
}
