//! The sentences about votes: what is missing, when it ends, what it would do.

use fog_api::consortium::Change;

use super::*;

fn row(
    approvals: u32,
    rejections: u32,
    voices: u32,
    needed: u32,
    mine: Option<&str>,
) -> ProposalRow {
    ProposalRow {
        number: 31,
        title: "Remove eastmoor-1".to_owned(),
        change: Change::RemoveValidator {
            node: "e".to_owned(),
        },
        by: "Quayside Lab".to_owned(),
        reason: String::new(),
        opened: 0,
        expires: 1,
        approvals,
        rejections,
        voices,
        needed,
        mine: mine.map(str::to_owned),
        outcome: "open".to_owned(),
        decided: None,
        in_force: None,
        why: None,
    }
}

/// Every voice is in the bar exactly once, this organisation's too.
#[test]
fn the_bar_holds_every_voice() {
    for (row, can_vote) in [
        (row(3, 1, 7, 5, None), true),
        (row(3, 1, 7, 5, None), false),
        (row(7, 0, 7, 5, Some("approve")), true),
        (row(0, 0, 1, 1, None), true),
        (row(9, 9, 7, 5, None), true),
    ] {
        let tally = Tally::of(&row, can_vote);
        let parts: u32 = tally.parts().iter().map(|(_, voices, _)| voices).sum();
        assert_eq!(parts, row.voices.max(row.approvals + row.rejections));
        assert!(tally.mine <= u32::from(can_vote));
    }
    let tally = Tally::of(&row(3, 1, 7, 5, None), true);
    let words: Vec<_> = tally
        .parts()
        .into_iter()
        .map(|(_, _, words)| words)
        .collect();
    assert_eq!(words, ["3 for", "1 yours", "2 open", "1 against"]);
    assert_eq!(tally.label(5), "3 for, 1 against, 3 not given, 5 needed");
}

/// The sentence under the bar says what one's own vote would do.
#[test]
fn the_sentence_says_what_ones_vote_does() {
    for (row, can_vote, expected) in [
        (row(4, 1, 7, 5, None), true, "With your vote it passes."),
        (
            row(4, 1, 7, 5, None),
            false,
            "One more vote for it and it passes.",
        ),
        (
            row(2, 0, 7, 5, None),
            true,
            "Three more votes for it and it passes.",
        ),
        (
            row(2, 4, 7, 5, None),
            true,
            "It cannot pass any more, unless a vote is changed.",
        ),
        (
            row(4, 0, 7, 5, Some("approve")),
            true,
            "Your organisation voted for it. One more vote for it and it passes.",
        ),
        (
            row(0, 1, 4, 3, Some("reject")),
            true,
            "Your organisation voted against it. Three more votes for it and it passes.",
        ),
    ] {
        assert_eq!(stands(&row, can_vote), expected);
    }
}

/// The end is told by the day one is in, also west of UTC.
#[test]
fn ends_are_told_by_the_day() {
    let day = 86_400_000;
    let now = 1_776_175_343_000; // Tuesday 14 April, 14:02 UTC
    assert_eq!(closes(now + 3_600_000, now, 0), "closes today 15:02");
    assert_eq!(closes(now + day, now, 0), "closes tomorrow 14:02");
    assert_eq!(
        closes(now + 3 * day, now, 0),
        "closes Friday 17 April, 14:02"
    );
    assert_eq!(
        closes(now + 12 * 3_600_000, now, -180),
        "closes today 23:02"
    );
    assert_eq!(closes(now, now, 0), "closes with the next block");
    assert_eq!(until(now + day, now, 0), "until tomorrow 14:02");
    assert_eq!(until(now - 1, now, 0), "expired");
}

/// Findings stand with the worst first, and the verdict names it.
#[test]
fn the_worst_stands_first() {
    let finding = |severity: &str, halts| PreflightFinding {
        severity: severity.to_owned(),
        code: String::new(),
        what: String::new(),
        next: String::new(),
        halts,
    };
    let mixed = worst_first(vec![
        finding("holds", false),
        finding("breaks", false),
        finding("changes", false),
        finding("breaks", true),
    ]);
    let order: Vec<_> = mixed
        .iter()
        .map(|one| (one.severity.as_str(), one.halts))
        .collect();
    assert_eq!(
        order,
        [
            ("breaks", true),
            ("breaks", false),
            ("changes", false),
            ("holds", false)
        ]
    );
    assert!(breaks(&mixed) && halts(&mixed));
    assert_eq!(verdict(&mixed), "The ledger would halt.");
    assert_eq!(verdict(&mixed[1..]), "1 thing breaks.");
    assert_eq!(verdict(&mixed[2..]), "Nothing breaks; 1 thing changes.");
    assert_eq!(verdict(&mixed[3..]), "Nothing breaks.");
    assert!(doubt(None).is_some_and(|doubt| doubt.0.contains("before it is known")));
    assert!(doubt(Some(&mixed)).is_some_and(|doubt| doubt.0.contains("although")));
    assert_eq!(doubt(Some(&mixed[2..])), None);
    assert_eq!(severity("something new").1, "Not known");
    assert_eq!(
        lead("No spare validator. Six remain."),
        ("No spare validator.", " Six remain.")
    );
    assert_eq!(lead("Old proofs verify."), ("Old proofs verify.", ""));
}

/// Outcomes have words; an unknown one is not guessed.
#[test]
fn outcomes_have_words() {
    assert_eq!(outcome("expired").2, "Not enough votes");
    assert_eq!(outcome("rejected").1, None);
    assert_eq!(outcome("later").2, "Not known");
    assert_eq!(inside("Remove eastmoor-1"), "remove eastmoor-1");
}
