//! Goal: every stored record arrives once, whatever drops, lags, or is not supported. Method: a meter
//! written from the Glucose Service's procedures, and every place at which a link can drop.

use crate::NOW;
use device_drivers::event::MissingCause;
use device_drivers::gatt::{
    FetchError, Fetched, Gatt, Indication, RecordFetch, Records, Request, ResponseCode, Step,
    TIMEOUT_MILLIS, uuid,
};
use device_drivers::{Event, Measurement};
use std::collections::VecDeque;

/// A glucose meter.
#[derive(Clone, Debug)]
struct Meter {
    records: Vec<u16>,
    can_count: bool,
    can_filter: bool,
    /// A record that it counts and does not send.
    holds_back: Option<u16>,
}

impl Meter {
    /// What it sends upon a request, in order.
    fn answer(&self, request: &[u8]) -> VecDeque<(u16, Vec<u8>)> {
        let respond = |code: u8| {
            let value = vec![0x06, 0x00, request[0], code];
            VecDeque::from([(uuid::RECORD_ACCESS_CONTROL_POINT, value)])
        };
        let from = match request[1..] {
            [0x01] => 0,
            [0x03, 0x01, low, high] if self.can_filter => u16::from_le_bytes([low, high]),
            [0x03, ..] => return respond(0x04),
            _ => return respond(0x03),
        };
        let chosen: Vec<u16> = self
            .records
            .iter()
            .copied()
            .filter(|&one| one >= from)
            .collect();
        match request[0] {
            0x04 if self.can_count => {
                let [low, high] = (chosen.len() as u16).to_le_bytes();
                let value = vec![0x05, 0x00, low, high];
                VecDeque::from([(uuid::RECORD_ACCESS_CONTROL_POINT, value)])
            }
            0x01 if chosen.is_empty() => respond(0x06),
            0x01 => {
                let mut sent: VecDeque<_> = chosen
                    .iter()
                    .filter(|&&one| Some(one) != self.holds_back)
                    .map(|one| (uuid::GLUCOSE_MEASUREMENT, record(*one)))
                    .collect();
                sent.extend(respond(0x01));
                sent
            }
            _ => respond(0x02),
        }
    }
}

/// A record as it is sent.
fn record(sequence: u16) -> Vec<u8> {
    let [low, high] = sequence.to_le_bytes();
    let mut value = vec![0x02, low, high];
    value.extend([0xe4, 0x07, 1, 20, 8, 43, 0, 0x5f, 0xb0, 0x11]);
    value
}

fn sequences(events: &[Event]) -> Vec<u64> {
    let measured = events.iter().filter_map(|event| match event {
        Event::Measurement(Measurement { sequence, .. }) => *sequence,
        _ => None,
    });
    measured.collect()
}

/// Fetches over one link, which drops after `messages`; a record is durable once `lag` more have come.
fn fetch(
    meter: &Meter,
    fetch: &mut RecordFetch,
    gatt: &mut Gatt,
    messages: usize,
    lag: usize,
) -> (Option<Step>, Vec<u64>) {
    let mut events = Vec::new();
    let request = fetch.start(NOW).expect("nothing runs");
    assert_eq!(fetch.start(NOW), None, "one at a time");
    let mut waiting = meter.answer(&request.encode());
    let mut ended = None;
    for _ in 0..messages {
        let Some((characteristic, value)) = waiting.pop_front() else {
            break;
        };
        gatt.push(characteristic, &value, NOW, &mut events);
        let came = sequences(&events);
        if let Some(&durable) = came
            .len()
            .checked_sub(lag + 1)
            .and_then(|last| came.get(last))
        {
            fetch.durable(u16::try_from(durable).unwrap());
        }
        match fetch.take(characteristic, &value, NOW) {
            Step::Wait => {}
            Step::Write(request) => waiting.extend(meter.answer(&request.encode())),
            step => ended = Some(step),
        }
    }
    fetch.dropped();
    let mut rest = Vec::new();
    gatt.reset(&mut rest);
    (ended, sequences(&events))
}

#[test]
fn every_record_arrives_once_wherever_the_link_drops() {
    let records: Vec<u16> = vec![1, 2, 3, 7, 8, 300, 65_535];
    for (can_count, can_filter) in [(true, true), (true, false), (false, true), (false, false)] {
        let meter = Meter {
            records: records.clone(),
            can_count,
            can_filter,
            holds_back: None,
        };
        for messages in 0..16 {
            for lag in 0..4 {
                let mut session = RecordFetch::new(None);
                let mut gatt = Gatt::new();
                let (_, mut came) = fetch(&meter, &mut session, &mut gatt, messages, lag);
                let (ended, rest) = fetch(&meter, &mut session, &mut gatt, usize::MAX, 0);
                came.extend(rest);
                let all: Vec<u64> = records.iter().map(|one| u64::from(*one)).collect();
                assert_eq!(came, all, "dropped after {messages}, lag {lag}");
                assert!(matches!(
                    ended,
                    Some(Step::Done(Fetched { missing: 0, .. }))
                ));
            }
        }
    }
}

/// After a crash nothing is known but what was durable; the rest comes again, and once.
#[test]
fn a_crash_costs_a_repetition_and_no_record() {
    let meter = Meter {
        records: (1..=20).collect(),
        can_count: true,
        can_filter: true,
        holds_back: None,
    };
    for durable in 0..=20u16 {
        let mut gatt = Gatt::new();
        gatt.resume_after(durable);
        let mut session = RecordFetch::new(Some(durable));
        let (ended, came) = fetch(&meter, &mut session, &mut gatt, usize::MAX, 0);
        let expected: Vec<u64> = (u64::from(durable) + 1..=20).collect();
        assert_eq!(came, expected);
        let received = expected.len() as u32;
        assert_eq!(
            ended,
            Some(Step::Done(Fetched {
                received,
                missing: 0
            }))
        );
    }
}

#[test]
fn a_record_that_is_counted_and_not_sent_is_missing() {
    let meter = Meter {
        records: (1..=5).collect(),
        can_count: true,
        can_filter: true,
        holds_back: Some(3),
    };
    let (ended, came) = fetch(&meter, &mut RecordFetch::new(None), &mut Gatt::new(), 99, 0);
    assert_eq!(came, [1, 2, 4, 5]);
    let done = Fetched {
        received: 4,
        missing: 1,
    };
    assert_eq!(ended, Some(Step::Done(done)));
}

/// One link over which some records come damaged, those whose bits are set; all that comes is durable after it.
fn connected(
    meter: &Meter,
    session: &mut RecordFetch,
    gatt: &mut Gatt,
    damaged: u32,
) -> Vec<Event> {
    let mut events = Vec::new();
    let request = session.start(NOW).expect("nothing runs");
    let mut waiting = meter.answer(&request.encode());
    while let Some((characteristic, mut value)) = waiting.pop_front() {
        if characteristic == uuid::GLUCOSE_MEASUREMENT && damaged >> value[1] & 1 == 1 {
            value.pop();
        }
        gatt.push(characteristic, &value, NOW, &mut events);
        match session.take(characteristic, &value, NOW) {
            Step::Write(request) => waiting.extend(meter.answer(&request.encode())),
            Step::Done(Fetched { missing, .. }) => events.push(Event::Missing {
                readings: missing,
                cause: MissingCause::SequenceGap,
            }),
            step => assert_eq!(step, Step::Wait),
        }
    }
    if let Some(durable) = sequences(&events).last() {
        session.durable(u16::try_from(*durable).unwrap());
    }
    session.dropped();
    gatt.reset(&mut events);
    events
}

/// Goal: a record that comes damaged is named once, or comes again whole: never both, never neither. Method: all
/// ways in which some of six records are damaged over a first link and others over a second; a third is good.
#[test]
fn a_damaged_record_is_named_once_or_comes_again() {
    for (can_count, can_filter) in [(true, true), (true, false), (false, true), (false, false)] {
        let meter = Meter {
            records: (1..=6).collect(),
            can_count,
            can_filter,
            holds_back: None,
        };
        for damaged in 0..64 * 64_u32 {
            let (mut session, mut gatt) = (RecordFetch::new(None), Gatt::new());
            let links = [damaged % 64 * 2, damaged / 64 * 2, 0];
            let events: Vec<Event> = links
                .into_iter()
                .flat_map(|damaged| connected(&meter, &mut session, &mut gatt, damaged))
                .collect();
            let lost: u32 = events
                .iter()
                .map(|event| match event {
                    Event::Rejected(rejection) => rejection.readings,
                    Event::Missing { readings, .. } => *readings,
                    _ => 0,
                })
                .sum();
            let received = sequences(&events).len() as u32;
            assert_eq!(received + lost, 6, "damaged: {links:?}, {meter:?}");
        }
    }
}

#[test]
fn a_silent_meter_is_stopped_and_given_up() {
    let mut session = RecordFetch::new(Some(4));
    let count = session.start(NOW);
    assert_eq!(count, Some(Request::Count(Records::From(5))));
    assert_eq!(session.poll(NOW + TIMEOUT_MILLIS - 1), Step::Wait);
    let two = [0x05, 0x00, 2, 0];
    let report = session.take(uuid::RECORD_ACCESS_CONTROL_POINT, &two, NOW + 1_000);
    assert_eq!(report, Step::Write(Request::Report(Records::From(5))));
    // A record keeps it alive.
    let late = NOW + 20_000;
    assert_eq!(
        session.take(uuid::GLUCOSE_MEASUREMENT, &record(5), late),
        Step::Wait
    );
    assert_eq!(session.progress(), (1, Some(2)));
    assert_eq!(session.poll(NOW + 1_000 + TIMEOUT_MILLIS), Step::Wait);
    let silent = late + TIMEOUT_MILLIS;
    assert_eq!(session.poll(silent), Step::Write(Request::Abort));
    assert_eq!(session.poll(silent + 1), Step::Wait);
    // It stops, or stays silent: the fetch failed, and another may begin.
    let mut other = RecordFetch::new(Some(4));
    other.start(NOW);
    other.poll(NOW + TIMEOUT_MILLIS);
    let stopped = [0x06, 0x00, 0x03, 0x01];
    let failed = Step::Failed(FetchError::TimedOut);
    assert_eq!(
        session.take(uuid::RECORD_ACCESS_CONTROL_POINT, &stopped, silent + 2),
        failed
    );
    assert_eq!(other.poll(NOW + 2 * TIMEOUT_MILLIS), failed);
    for mut session in [session, other] {
        assert!(!session.is_running());
        assert!(session.start(silent).is_some());
    }
}

/// What was counted with a filter says nothing of what comes without.
#[test]
fn a_meter_that_counts_with_a_filter_and_sends_without_is_asked_for_all() {
    let mut session = RecordFetch::new(Some(4));
    session.start(NOW);
    session.take(uuid::RECORD_ACCESS_CONTROL_POINT, &[0x05, 0x00, 9, 0], NOW);
    let unsupported = [0x06, 0x00, 0x01, 0x09];
    let step = session.take(uuid::RECORD_ACCESS_CONTROL_POINT, &unsupported, NOW);
    assert_eq!(step, Step::Write(Request::Report(Records::All)));
    session.take(uuid::GLUCOSE_MEASUREMENT, &record(3), NOW);
    assert_eq!(session.progress(), (1, None));
    let step = session.take(uuid::RECORD_ACCESS_CONTROL_POINT, &[0x06, 0, 1, 1], NOW);
    let done = Fetched {
        received: 1,
        missing: 0,
    };
    assert_eq!(step, Step::Done(done));
}

#[test]
fn each_refusal_has_its_name() {
    for number in 0..=u8::MAX {
        let mut session = RecordFetch::new(None);
        session.start(NOW);
        let counted = [0x05, 0x00, 1, 0];
        session.take(uuid::RECORD_ACCESS_CONTROL_POINT, &counted, NOW);
        let response = [0x06, 0x00, 0x01, number];
        let Indication::Response { code, .. } = Indication::decode(&response).unwrap() else {
            panic!("a response");
        };
        let is_reserved = matches!(code, ResponseCode::Reserved(same) if same == number);
        assert_eq!(is_reserved, number == 0 || number > 10);
        let step = session.take(uuid::RECORD_ACCESS_CONTROL_POINT, &response, NOW);
        let done = |received, missing| Step::Done(Fetched { received, missing });
        match number {
            1 | 6 => assert_eq!(step, done(0, 1)),
            _ => assert_eq!(step, Step::Failed(FetchError::Refused(code))),
        }
    }
}

#[test]
fn requests_are_written_as_the_service_says() {
    let table = [
        (Request::Report(Records::All), "0101"),
        (Request::Report(Records::From(0x1234)), "0103013412"),
        (Request::Count(Records::All), "0401"),
        (Request::Count(Records::From(1)), "0403010100"),
        (Request::Abort, "0300"),
    ];
    for (request, hex) in table {
        assert_eq!(hex::encode(request.encode()), hex);
    }
    for (hex, length) in [("05000100", 4), ("06000101", 4)] {
        let value = hex::decode(hex).unwrap();
        assert!(Indication::decode(&value).is_ok());
        for length in 0..length {
            assert!(Indication::decode(&value[..length]).is_err());
        }
        assert!(Indication::decode(&[value, vec![0]].concat()).is_err());
    }
    for unknown in [
        [0x05, 0x01, 1, 0],
        [0x06, 0x01, 1, 1],
        [0x08, 0x00, 1, 0],
        [0x01, 0x00, 1, 0],
    ] {
        assert!(Indication::decode(&unknown).is_err());
    }
}
