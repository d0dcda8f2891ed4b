//! What is said while a node joins a consortium and catches up with it.

use fog_api::{CatchUp, CatchUpWay, InvitationView, JoinProgress, JoinStage};

use super::number::{bytes, count, duration, thousands};

/// Whether the node works on it, so that it is asked again.
#[must_use]
pub const fn is_under_way(stage: JoinStage) -> bool {
    matches!(stage, JoinStage::Knocking | JoinStage::Restarting)
}

/// Whether the node is another one by now: this window shows the one before.
#[must_use]
pub const fn is_through(stage: JoinStage) -> bool {
    matches!(
        stage,
        JoinStage::Waiting | JoinStage::CatchingUp | JoinStage::Joined
    )
}

/// What happens now, in a few words.
#[must_use]
pub fn doing(progress: &JoinProgress) -> &'static str {
    match progress.stage {
        JoinStage::Idle => "Nothing was asked",
        JoinStage::Knocking => "Knocking at the door",
        JoinStage::Restarting => "The node starts again",
        JoinStage::Waiting => "Waiting for the votes",
        JoinStage::CatchingUp => "Catching up",
        JoinStage::Joined => "Joined",
        JoinStage::Failed => "It did not work",
    }
}

/// What is missing before an invitation can be taken; `None` if nothing is.
#[must_use]
pub fn missing(
    view: &InvitationView,
    organisation: &str,
    listen: &str,
    leaves: bool,
) -> Option<&'static str> {
    if view.obstacle.is_some() {
        Some("This invitation cannot be taken.")
    } else if !view.same_organisation && organisation.trim().is_empty() {
        Some("Say what your organisation is called.")
    } else if view.listen.is_none() && listen.trim().is_empty() {
        Some("Say where this node is to listen.")
    } else if view.own_chain.is_some() && !leaves {
        Some("Tick that you know what becomes of this node’s own chain.")
    } else {
        None
    }
}

/// How far catching up is: percent, rate, time left, from whom.
#[must_use]
pub fn how_far(catch_up: &CatchUp) -> String {
    let mut parts = vec![format!("{:.1} %", catch_up.percent.clamp(0.0, 100.0))];
    match catch_up.by {
        CatchUpWay::Snapshot if catch_up.of_bytes > 0 => parts.push(format!(
            "{} of {}",
            bytes(catch_up.bytes),
            bytes(catch_up.of_bytes)
        )),
        _ => parts.push(format!(
            "block {} of {}",
            thousands(catch_up.height),
            thousands(catch_up.target)
        )),
    }
    if catch_up.per_second > 0.0 {
        let rate = catch_up.per_second.round().max(1.0) as u64;
        parts.push(match catch_up.by {
            CatchUpWay::Snapshot => format!("{} a second", bytes(rate)),
            CatchUpWay::Blocks => format!("{} a second", count(rate, "block", "blocks")),
        });
        parts.push(format!("about {} left", duration(left_ms(catch_up))));
    }
    if let Some(from) = &catch_up.from {
        parts.push(format!("from {from}"));
    }
    parts.join(", ")
}

/// Milliseconds left at this rate.
fn left_ms(catch_up: &CatchUp) -> f64 {
    let left = match catch_up.by {
        CatchUpWay::Snapshot => catch_up.of_bytes.saturating_sub(catch_up.bytes),
        CatchUpWay::Blocks => catch_up.target.saturating_sub(catch_up.height),
    };
    (left as f64 / catch_up.per_second).ceil().max(1.0) * 1_000.0
}

#[cfg(test)]
mod tests {
    //! Goal: the sentences say what the node said. Method: tables.

    use super::*;

    fn catch_up(by: CatchUpWay) -> CatchUp {
        CatchUp {
            by,
            words: String::new(),
            height: 1_200,
            target: 5_000,
            percent: 42.34,
            bytes: 12_000_000,
            of_bytes: 40_000_000,
            per_second: 4_000_000.0,
            from: Some("harbour-1".to_owned()),
            refused: Vec::new(),
        }
    }

    #[test]
    fn progress_has_percent_rate_and_time_left() {
        let snapshot = how_far(&catch_up(CatchUpWay::Snapshot));
        assert!(snapshot.starts_with("42.3 %, "), "{snapshot}");
        assert!(snapshot.contains("about 7.0 s left"), "{snapshot}");
        assert!(snapshot.ends_with("from harbour-1"), "{snapshot}");
        let blocks = CatchUp {
            per_second: 950.0,
            from: None,
            ..catch_up(CatchUpWay::Blocks)
        };
        let blocks = how_far(&blocks);
        assert!(
            blocks.contains("950 blocks a second, about 4.0 s left"),
            "{blocks}"
        );
        let idle = CatchUp {
            per_second: 0.0,
            ..catch_up(CatchUpWay::Blocks)
        };
        assert!(!how_far(&idle).contains("left"));
    }

    #[test]
    fn what_is_missing_is_said_in_order() {
        let mut view: InvitationView = serde_json::from_value(serde_json::json!({
            "consortium": "Harbour", "chain_id": "", "inviter": "Harbour General", "signer": "",
            "same_organisation": false, "expires": 0, "door": "", "peers": [], "listen": null,
            "node": "n", "own_chain": {
                "name": "", "chain_id": "", "height": 1, "readings": 0, "devices": 0,
                "other_nodes": 0, "becomes": "It goes aside.",
            },
            "obstacle": null,
        }))
        .unwrap();
        let says = |view: &InvitationView, organisation, listen, leaves| {
            missing(view, organisation, listen, leaves)
                .map(|words| words.split(' ').next_back().unwrap())
        };
        assert_eq!(says(&view, " ", "", false), Some("called."));
        assert_eq!(says(&view, "Quay", "", false), Some("listen."));
        assert_eq!(says(&view, "Quay", "127.0.0.1:1", false), Some("chain."));
        assert_eq!(says(&view, "Quay", "127.0.0.1:1", true), None);
        view.same_organisation = true;
        assert_eq!(says(&view, "", "127.0.0.1:1", true), None);
        view.obstacle = Some("It has expired.".to_owned());
        assert_eq!(says(&view, "Quay", "127.0.0.1:1", true), Some("taken."));
    }
}
