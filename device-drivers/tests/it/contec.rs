//! Goal: Contec's two formats mean what is known of them, whatever the line does. Method: tables
//! of bytes, the known vectors first.

use crate::{NOW, decode, decoder, numbers, one_wave, refusals};
use device_drivers::codec::{contec_cms50d, contec_cms50dplus, nonin_oem3};
use device_drivers::{Event, Metric, Profile, Quality, RejectReason};

const OLD: Profile = Profile::ContecCms50dPlus;
const NEW: Profile = Profile::ContecCms50d115200;

#[test]
fn old_vectors() {
    let good = [0x87, 0x33, 0x06, 0x41, 0x61];
    let fast = [0x87, 0x33, 0x46, 0x16, 0x61];
    let finger_out = [0x90, 0x00, 0x10, 0x00, 0x00];
    let probe_error = [0x80, 0x00, 0x10, 0x41, 0x61];
    let searching = [0x80, 0x20, 0x20, 0x41, 0x61];
    let missing = [0x87, 0x33, 0x06, 0x00, 0x7f];
    let table = [
        (good, Some(65), Some(97), Quality::Good),
        (fast, Some(150), Some(97), Quality::Good),
        (finger_out, None, None, Quality::SensorOff),
        (probe_error, None, None, Quality::SensorOff),
        (searching, None, None, Quality::Searching),
        (missing, None, None, Quality::Missing),
    ];
    for (frame, pulse, spo2, quality) in table {
        let events = decode(OLD, &frame.repeat(15));
        assert_eq!(
            numbers(&events, Metric::PulseRate),
            [(pulse, quality)],
            "{frame:02x?}"
        );
        assert_eq!(
            numbers(&events, Metric::SpO2),
            [(spo2, quality)],
            "{frame:02x?}"
        );
    }
}

#[test]
fn new_vectors() {
    let good = [0x01, 0xe0, 0x85, 0xb3, 0x96, 0xc1, 0xe1, 0xff, 0xff];
    let idle = [0x01, 0xe1, 0x84, 0xc0, 0x90, 0x80, 0x80, 0xff, 0xff];
    let searching = [0x01, 0xe2, 0x85, 0xb3, 0x96, 0xc1, 0xe1, 0xff, 0xff];
    let missing = [0x01, 0xe8, 0x85, 0xb3, 0x96, 0xff, 0xff, 0xff, 0xff];
    let table = [
        (good, Some(65), Some(97), Quality::Good),
        (idle, None, None, Quality::SensorOff),
        (searching, None, None, Quality::Searching),
        (missing, None, None, Quality::Missing),
    ];
    for (frame, pulse, spo2, quality) in table {
        let events = decode(NEW, &frame.repeat(15));
        assert_eq!(
            numbers(&events, Metric::PulseRate),
            [(pulse, quality)],
            "{frame:02x?}"
        );
        assert_eq!(
            numbers(&events, Metric::SpO2),
            [(spo2, quality)],
            "{frame:02x?}"
        );
    }
    let content = contec_cms50d::FrameContent {
        wave: 0x33,
        pulse: Some(65),
        spo2: Some(97),
        ..Default::default()
    };
    assert_eq!(contec_cms50d::encode_frame(&content), good);
}

#[test]
fn a_second_is_four_vitals_and_one_wave() {
    let old: Vec<u8> = (0..60)
        .flat_map(|wave| {
            contec_cms50dplus::encode_frame(&contec_cms50dplus::FrameContent {
                wave,
                pulse: Some(200),
                spo2: Some(98),
                ..Default::default()
            })
        })
        .collect();
    let new: Vec<u8> = (0..60)
        .flat_map(|wave| {
            contec_cms50d::encode_frame(&contec_cms50d::FrameContent {
                wave,
                pulse: Some(200),
                spo2: Some(98),
                ..Default::default()
            })
        })
        .collect();
    for (profile, bytes) in [(OLD, old), (NEW, new)] {
        let events = decode(profile, &bytes);
        assert_eq!(
            numbers(&events, Metric::PulseRate),
            [(Some(200), Quality::Good); 4]
        );
        assert_eq!(
            numbers(&events, Metric::SpO2),
            [(Some(98), Quality::Good); 4]
        );
        let (samples, period_micros, quality) = one_wave(&events);
        assert_eq!((period_micros, quality), (16_666, Quality::Good));
        assert_eq!(samples, (0..60).map(Some).collect::<Vec<Option<i16>>>());
        assert_eq!(refusals(&events), []);
    }
}

#[test]
fn any_lost_byte_costs_one_sample() {
    let old = contec_cms50dplus::encode_frame(&contec_cms50dplus::FrameContent {
        wave: 9,
        pulse: Some(70),
        spo2: Some(96),
        ..Default::default()
    })
    .to_vec();
    let new = contec_cms50d::encode_frame(&contec_cms50d::FrameContent {
        wave: 9,
        pulse: Some(70),
        spo2: Some(96),
        ..Default::default()
    })
    .to_vec();
    for (profile, frame) in [(OLD, old), (NEW, new)] {
        let stream = frame.repeat(60);
        for lost in frame.len()..3 * frame.len() {
            let mut bytes = stream.clone();
            bytes.remove(lost);
            let events = decode(profile, &bytes);
            assert_eq!(
                refusals(&events),
                [(RejectReason::Incomplete, 1, 0)],
                "{profile} {lost}"
            );
            assert_eq!(
                numbers(&events, Metric::SpO2),
                [(Some(96), Quality::Good); 4],
                "{profile} {lost}"
            );
            let (samples, _, quality) = one_wave(&events);
            assert_eq!(quality, Quality::Questionable);
            assert_eq!(
                samples.iter().filter(|sample| sample.is_none()).count(),
                1,
                "{profile} {lost}"
            );
        }
    }
}

#[test]
fn a_frame_of_noise_is_outvoted() {
    let good = [0x87, 0x33, 0x06, 0x41, 0x61];
    let mut bytes = good.repeat(14);
    bytes.extend([0x87, 0x33, 0x06, 0x7e, 0x20]);
    let events = decode(OLD, &bytes);
    assert_eq!(numbers(&events, Metric::SpO2), [(Some(97), Quality::Good)]);
}

#[test]
fn answers_to_commands_are_passed_over() {
    let mut decoder = decoder(NEW);
    let mut events: Vec<Event> = Vec::new();
    decoder.push(
        &[
            0x0c, 0x80, 0x02, 0x80, 0x80, 0xb5, 0xb0, 0xc4, 0xa8, 0xc1, 0xa9, 0x0c, 0x80,
        ],
        NOW,
        &mut events,
    );
    assert_eq!((decoder.frames(), events.len()), (0, 0));
    decoder.push(
        &[0x01, 0xe0, 0x85, 0xb3, 0x96, 0xc1, 0xe1, 0xff, 0xff].repeat(15),
        NOW,
        &mut events,
    );
    assert_eq!(decoder.frames(), 15);
}

/// Some of the bytes of a Nonin happen to look like frames of a Contec.
#[test]
fn another_devices_bytes_are_refused_whatever_they_look_like() {
    let packets: Vec<u8> = (0..200u8)
        .flat_map(|count| {
            nonin_oem3::encode_packet(&nonin_oem3::PacketContent {
                pulse: Some(60 + u16::from(count % 40)),
                spo2: Some(90 + count % 10),
                status: 0,
                pleth: std::array::from_fn(|sample| {
                    count.wrapping_mul(5).wrapping_add(sample as u8)
                }),
            })
        })
        .collect();
    for profile in [OLD, NEW] {
        let mut decoder = decoder(profile);
        let mut events = Vec::new();
        decoder.push(&packets, NOW, &mut events);
        decoder.reset(&mut events);
        assert_eq!(decoder.frames(), 0, "{profile}");
        let readings = events
            .iter()
            .filter(|event| matches!(event, Event::Measurement(_)))
            .count();
        assert_eq!(readings, 0, "{profile}");
        let refused: u32 = refusals(&events).iter().map(|(_, frames, _)| frames).sum();
        assert!(refused > 1_000, "{profile}: {refused}");
    }
}

/// Where a device has streamed, an interval of noise costs its readings by name.
#[test]
fn an_interval_that_is_mostly_noise_is_lost_by_name() {
    let good = [0x87, 0x33, 0x06, 0x41, 0x61];
    let mut bytes = good.repeat(15);
    bytes.extend([0x87, 0x33, 0x87, 0x06].repeat(4));
    bytes.extend(good.repeat(7));
    bytes.extend(good.repeat(30));
    let events = decode(OLD, &bytes);
    assert_eq!(
        numbers(&events, Metric::SpO2),
        [(Some(97), Quality::Good); 3]
    );
    assert_eq!(
        refusals(&events),
        [
            (RejectReason::Incomplete, 8, 0),
            (RejectReason::Garbage, 7, 2)
        ]
    );
}
