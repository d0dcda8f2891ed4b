//! Goal: no counter is taken twice, holes are counted, late ones are taken. Method: tables, and
//! any order of frames against a set that remembers everything.

use fogward_level0::{Refusal, ReplayWindow, Step, WINDOW};
use proptest::prelude::*;
use std::collections::BTreeSet;

const EPOCH: u64 = 1 << 32;

/// First counter, span, and what is expected: missing and recovered, or a refusal.
type Expected = (u64, u32, Result<(u32, u32), Refusal>);

#[track_caller]
fn check(floor: Option<u64>, steps: &[Expected]) {
    let mut window = ReplayWindow::new(floor);
    for (index, &(first, span, expected)) in steps.iter().enumerate() {
        let expected = expected.map(|(missing, recovered)| Step { missing, recovered });
        assert_eq!(window.accept(first, span), expected, "step {index}");
    }
}

#[test]
fn holes_are_counted_and_filled() {
    check(
        None,
        &[
            (5, 1, Ok((0, 0))),
            (6, 2, Ok((0, 0))),
            (10, 1, Ok((2, 0))),
            (8, 2, Ok((0, 2))),
        ],
    );
    check(
        None,
        &[
            (5, 1, Ok((0, 0))),
            (3, 1, Ok((0, 0))),
            (3, 1, Err(Refusal::Replayed)),
        ],
    );
}

#[test]
fn a_floor_holds_over_a_restart() {
    check(
        Some(7),
        &[
            (7, 1, Err(Refusal::Replayed)),
            (10, 1, Ok((2, 0))),
            (8, 1, Ok((0, 1))),
            (0, 1, Err(Refusal::Replayed)),
        ],
    );
}

#[test]
fn a_new_epoch_counts_from_its_beginning() {
    check(
        Some(40),
        &[(EPOCH, 1, Ok((0, 0))), (41, 1, Err(Refusal::Replayed))],
    );
    check(
        Some(40),
        &[(EPOCH + 3, 1, Ok((3, 0))), (EPOCH + 1, 1, Ok((0, 1)))],
    );
}

#[test]
fn what_left_the_window_is_refused() {
    check(
        None,
        &[
            (0, 1, Ok((0, 0))),
            (WINDOW, 1, Ok((WINDOW as u32 - 1, 0))),
            (0, 1, Err(Refusal::Replayed)),
            (1, 1, Ok((0, 1))),
        ],
    );
    check(
        None,
        &[
            (0, 1, Ok((0, 0))),
            (u64::MAX, 1, Ok((u32::MAX, 0))),
            (u64::MAX, 2, Err(Refusal::Replayed)),
        ],
    );
}

proptest! {
    #[test]
    fn nothing_is_taken_twice(frames in proptest::collection::vec((0u64..6_000, 1u32..40), 0..400)) {
        let mut window = ReplayWindow::new(None);
        let mut taken = BTreeSet::new();
        for (first, span) in frames {
            let counters: Vec<u64> = (first..first + u64::from(span)).collect();
            let highest = taken.last().copied();
            let was_accepted = window.accept(first, span).is_ok();
            let is_fresh = counters.iter().all(|counter| !taken.contains(counter));
            let is_recent = highest.is_none_or(|highest| first > highest || highest - first < WINDOW);
            let fits = highest.is_none_or(|highest| first > highest || first + u64::from(span) - 1 <= highest);
            prop_assert_eq!(was_accepted, is_fresh && is_recent && fits);
            if was_accepted {
                taken.extend(counters);
            }
        }
    }
}
