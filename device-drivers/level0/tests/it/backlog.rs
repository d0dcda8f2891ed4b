//! Goal: a reading is kept until it is durable, comes in order, comes again in the same bytes, and
//! if it must be dropped its number says so. Method: a ring between a sensor and a host, with a
//! line that is cut at will, against a plain list of what was taken.

use crate::{DEVICE, key};
use fogward_level0::{
    Accepted, Backlog, Clock, DeviceMessage, Host, MAX_WIRE, Reading, Sensor, metric, quality,
};
use proptest::prelude::*;

fn reading(number: u32) -> Reading {
    Reading {
        metric: metric::HEART_RATE,
        quality: quality::GOOD,
        mantissa: number as i32,
        exponent: 0,
    }
}

fn sealed<const N: usize>(backlog: &mut Backlog<N>, sensor: &Sensor) -> Option<Vec<u8>> {
    let mut wire = [0; MAX_WIRE];
    let length = backlog.seal_next(sensor, &mut wire)?;
    Some(wire[1..length - 1].to_vec())
}

fn value(accepted: &Accepted) -> i32 {
    let Some(DeviceMessage::Readings(body)) = &accepted.message else {
        panic!("{accepted:?}")
    };
    body.readings[0].mantissa
}

#[test]
fn what_is_sent_again_is_the_same_bytes() {
    let mut sensor = Sensor::new(DEVICE, key(), 1);
    let mut backlog = Backlog::<4>::new();
    for number in 0..3 {
        let time = Some(1_000 + u64::from(number));
        backlog.take(&mut sensor, time, reading(number)).unwrap();
    }
    let first: Vec<_> = std::iter::from_fn(|| sealed(&mut backlog, &sensor)).collect();
    backlog.send_again();
    let second: Vec<_> = std::iter::from_fn(|| sealed(&mut backlog, &sensor)).collect();
    assert_eq!((first.len(), &first), (3, &second));
}

#[test]
fn a_full_ring_drops_its_oldest_and_the_counters_say_so() {
    let mut sensor = Sensor::new(DEVICE, key(), 1);
    let mut host = Host::new(key(), Some((1 << 32) - 1));
    let mut backlog = Backlog::<4>::new();
    for number in 0..10 {
        backlog.take(&mut sensor, None, reading(number)).unwrap();
    }
    assert_eq!(backlog.len(), 4);
    let mut missing = 0;
    let mut values = Vec::new();
    while let Some(mut frame) = sealed(&mut backlog, &sensor) {
        let accepted = host.open(&mut frame).unwrap();
        missing += accepted.step.missing;
        values.push(value(&accepted));
    }
    assert_eq!((missing, values), (6, vec![6, 7, 8, 9]));
}

#[test]
fn a_wire_too_short_sends_nothing_and_forgets_nothing() {
    let mut sensor = Sensor::new(DEVICE, key(), 1);
    let mut backlog = Backlog::<2>::new();
    backlog.take(&mut sensor, None, reading(1)).unwrap();
    assert_eq!(backlog.seal_next(&sensor, &mut [0; 40]), None);
    assert!(sealed(&mut backlog, &sensor).is_some());
}

#[test]
fn a_clock_follows_its_host() {
    let mut clock = Clock::default();
    assert_eq!(clock.time_millis(5), None);
    clock.set(1_000, 1_770_000_000_000);
    assert_eq!(clock.time_millis(1_250), Some(1_770_000_000_250));
    clock.set(2_000, 1_769_999_999_000);
    assert_eq!(clock.time_millis(2_000), Some(1_769_999_999_000));
    clock.set(2_000, 1_000);
    assert_eq!(clock.time_millis(3_000), None, "before 1970");
    clock.set(0, u64::MAX);
    assert_eq!(clock.time_millis(1), None, "beyond all numbers");
}

/// What happens on the line.
#[derive(Clone, Copy, Debug)]
enum Step {
    Take,
    Send { arrives: bool },
    Acknowledge,
    HostIsBack,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Take),
        3 => any::<bool>().prop_map(|arrives| Step::Send { arrives }),
        1 => Just(Step::Acknowledge),
        1 => Just(Step::HostIsBack),
    ]
}

proptest! {
    #[test]
    fn every_reading_taken_is_received_or_missing(steps in proptest::collection::vec(step(), 1..200)) {
        let mut sensor = Sensor::new(DEVICE, key(), 1);
        let mut host = Host::new(key(), Some((1 << 32) - 1));
        let mut backlog = Backlog::<8>::new();
        let mut received = std::collections::BTreeSet::new();
        let (mut taken, mut missing, mut highest) = (0, 0, None);
        for step in steps {
            match step {
                Step::Take => {
                    backlog.take(&mut sensor, None, reading(taken)).unwrap();
                    taken += 1;
                }
                Step::Send { arrives } => {
                    let Some(mut frame) = sealed(&mut backlog, &sensor).filter(|_| arrives) else {
                        continue;
                    };
                    // A frame that came before is a replay and changes nothing.
                    if let Ok(accepted) = host.open(&mut frame) {
                        missing = missing + accepted.step.missing - accepted.step.recovered;
                        let number = value(&accepted) as u32;
                        prop_assert_eq!(accepted.counter, (1 << 32) + u64::from(number));
                        prop_assert!(received.insert(number), "counted twice");
                        highest = highest.max(Some(number));
                    }
                }
                Step::Acknowledge => {
                    // The host acknowledges up to its first hole.
                    let whole = (0..).take_while(|number| received.contains(number)).count() as u64;
                    if whole > 0 {
                        backlog.acknowledge((1 << 32) + whole - 1);
                    }
                }
                Step::HostIsBack => backlog.send_again(),
            }
            prop_assert!(backlog.len() <= 8);
            let known = highest.map_or(0, |highest| highest + 1);
            prop_assert_eq!(received.len() as u32 + missing, known);
        }
        // Once the line is whole, all that is still kept arrives.
        backlog.send_again();
        let kept = backlog.len() as u32;
        while let Some(mut frame) = sealed(&mut backlog, &sensor) {
            if let Ok(accepted) = host.open(&mut frame) {
                received.insert(value(&accepted) as u32);
            }
        }
        for number in taken - kept..taken {
            prop_assert!(received.contains(&number), "{} of {} is lost", number, taken);
        }
    }
}
