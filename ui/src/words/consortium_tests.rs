//! The consortium's sentences, each state a page can meet.

use super::*;

fn node(name: &str, validator: bool) -> NodeRow {
    NodeRow {
        key: name.to_owned(),
        vote_key: format!("vote-{name}"),
        name: name.to_owned(),
        organisation: "a".to_owned(),
        validator,
        here: false,
        address: None,
        heard: true,
        heard_ms_ago: Some(20),
        height: Some(100),
        delay_ms: Some(12.0),
        clock_ms: Some(-3.0),
        signed: Some(1.0),
        participation: Vec::new(),
    }
}

/// So many validators, so many of them heard.
pub(crate) fn view(all: usize, present: u32) -> ConsortiumView {
    let needed = u32::try_from(all * 2 / 3 + 1).unwrap();
    let half = FractionView {
        numerator: 1,
        denominator: 2,
    };
    // From JSON, as the node sends it: what it may add later is left out here.
    let mut view: ConsortiumView = serde_json::from_value(serde_json::json!({
        "name": "Harbour consortium", "chain_id": "", "height": 100,
        "needed": needed, "present": present, "quorum": "",
        "me": {
            "node": "n0", "role": "validator", "organisation": "a", "can_vote": true, "address": null,
        },
        "organisations": [{ "id": "a", "name": "Harbour General", "admins": [], "removed": null }],
        "nodes": [], "open": [], "decided": [], "queue": [], "invitations": [],
        "parameters": {
            "max_block_bytes": 524_288, "finality_limit_ms": 500, "heartbeat_seconds": 300,
            "retention_days": 0, "retention_bytes": 0,
        },
        "thresholds": {
            "organisations": half, "validators": half, "nodes": half, "parameters": half,
            "thresholds": half,
        },
    }))
    .unwrap();
    view.nodes = (0..all).map(|at| node(&format!("n{at}"), true)).collect();
    view
}

/// The heading says who signs and what may still fail, from one validator to seven.
#[test]
fn the_heading_answers() {
    for (all, present, expected) in [
        (1, 1, "A consortium of one: this node signs by itself."),
        (2, 2, "Both validators sign. The ledger cannot lose any."),
        (4, 4, "All four validators sign. The ledger can lose one."),
        (
            7,
            6,
            "Six of seven validators sign. The ledger can lose one more.",
        ),
        (
            7,
            5,
            "Five of seven validators sign. The ledger cannot lose another.",
        ),
        (
            7,
            4,
            "The ledger waits: four of seven validators can be heard, five must sign.",
        ),
    ] {
        assert_eq!(heading(&view(all, present)), expected);
        let waits = expected.starts_with("The ledger waits");
        assert_eq!(is_halted(&view(all, present)), waits);
    }
    let mut observed = view(1, 1);
    observed.nodes.push(node("observer", false));
    assert_eq!(
        heading(&observed),
        "One validator signs for all. Without it the ledger waits."
    );
    let mut waiting = view(4, 4);
    waiting.me.role = NodeRole::Waiting;
    assert_eq!(heading(&waiting), "This node waits to be admitted.");
}

/// The sentence below names what it consists of and this node's part.
#[test]
fn the_sub_line_counts() {
    let mut seven = view(7, 7);
    assert_eq!(
        sub(&seven),
        "Harbour consortium: 1 organisation, 7 validators of equal power, 5 signatures make a block final."
    );
    seven.me.role = NodeRole::Observer;
    assert!(sub(&seven).ends_with("This node follows as an observer."));
    assert!(sub(&view(1, 1)).contains("Invite"));
}

/// A node's state is a word before it is a colour; silence carries its time.
#[test]
fn nodes_have_a_word() {
    let check = |node: &NodeRow, halted, expected: (State, &str, bool)| {
        let mark = mark(node, halted, 500, "14:01");
        assert_eq!((mark.state, mark.word.as_str(), mark.chip), expected);
    };
    let well = node("n", true);
    check(&well, false, (State::Ok, "Signing", false));
    check(&well, true, (State::Unknown, "Ready, waits", false));
    let missing = NodeRow {
        signed: Some(0.914),
        ..well.clone()
    };
    check(&missing, false, (State::Attention, "Slow", false));
    let far = NodeRow {
        delay_ms: Some(125.0),
        ..well.clone()
    };
    check(&far, false, (State::Attention, "Slow", false));
    let silent = NodeRow {
        heard: false,
        ..well.clone()
    };
    check(&silent, false, (State::Offline, "Silent since 14:01", true));
    let long = NodeRow {
        heard_ms_ago: Some(3 * 86_400_000),
        ..silent.clone()
    };
    check(&long, false, (State::Offline, "Silent for 3 d", true));
    let never = NodeRow {
        heard_ms_ago: None,
        ..silent.clone()
    };
    check(&never, false, (State::Unknown, "Not heard yet", false));
    check(
        &NodeRow {
            here: true,
            ..never
        },
        false,
        (State::Ok, "Signing", false),
    );
    let observer = NodeRow {
        validator: false,
        ..well
    };
    check(&observer, false, (State::Ok, "Observer", false));
    check(
        &NodeRow {
            heard: false,
            ..observer
        },
        false,
        (State::Offline, "Silent since 14:01", false),
    );
}

/// Only what is out of the ordinary is remarked.
#[test]
fn remarks_are_rare() {
    let well = node("n", true);
    assert_eq!(remark(&well, 101), None);
    assert_eq!(
        remark(&well, 1_340).as_deref(),
        Some("1\u{202f}240 blocks behind")
    );
    let off = NodeRow {
        clock_ms: Some(-2_500.0),
        ..well.clone()
    };
    assert_eq!(remark(&off, 100).as_deref(), Some("Clock 2.5 s behind"));
    assert_eq!(
        remark(
            &NodeRow {
                heard: false,
                ..off
            },
            100
        ),
        None
    );
    assert_eq!(behind(&well, 90), Some(0));
}

/// Figures: a share is never rounded up to all, an offset has its sign.
#[test]
fn figures_are_honest() {
    assert_eq!(percent(Some(1.0)), "100.0");
    assert_eq!(percent(Some(0.999_9)), "99.9");
    assert_eq!(percent(None), "–");
    assert_eq!(delay(Some(0.42)), "0.4");
    assert_eq!(delay(Some(94.2)), "94");
    for (offset, expected) in [
        (0.2, "0"),
        (-0.2, "0"),
        (12.0, "+12"),
        (-1_200.0, "−1\u{202f}200"),
    ] {
        assert_eq!(clock(Some(offset)), expected);
    }
}

/// Rules and thresholds are told as what holds.
#[test]
fn rules_are_words() {
    let view = view(4, 4);
    assert_eq!(
        rules(&view.parameters).map(|(_, words)| words),
        [
            "500 ms",
            "524 kB of transactions",
            "a block at least every 5 min",
            "for ever"
        ]
    );
    let both = ParametersView {
        retention_days: 30,
        retention_bytes: 5_000_000_000,
        ..view.parameters
    };
    assert_eq!(rules(&both)[3].1, "30 days, up to 5.0 GB");
    let two_thirds = FractionView {
        numerator: 2,
        denominator: 3,
    };
    for (voices, expected) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (7, 5)] {
        assert_eq!(voices_needed(two_thirds, voices), expected);
    }
    let table = ThresholdsView {
        organisations: two_thirds,
        ..view.thresholds
    };
    assert_eq!(
        thresholds(&table, 5)[0].1,
        "more than two thirds: 4 of 5 voices"
    );
    assert_eq!(thresholds(&table, 5)[1].1, "more than half: 3 of 5 voices");
}

/// A vote is asked only of who has one.
#[test]
fn votes_are_asked_of_voters() {
    let mut view = view(4, 4);
    assert_eq!(votes_asked(&view), 0);
    view.me.can_vote = false;
    assert_eq!(votes_asked(&view), 0);
}

/// A validator that signed two different things again and again is named once, with the newest proof.
#[test]
fn liars_are_named_once() {
    let mut view = view(4, 4);
    let proof = |vote_key: &str, height| EvidenceRow {
        vote_key: vote_key.to_owned(),
        name: vote_key.to_owned(),
        what: "voted for two blocks in one round".to_owned(),
        height,
        round: 0,
        noticed: height,
    };
    view.evidence = vec![proof("b", 9), proof("a", 8), proof("b", 7)];
    let named = liars(&view);
    assert_eq!(
        named.iter().map(|row| row.height).collect::<Vec<_>>(),
        [9, 8]
    );
}
