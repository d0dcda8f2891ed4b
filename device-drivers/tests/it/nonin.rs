//! Goal: Nonin's two formats mean what the manuals say, whatever the line does. Method: tables of
//! bytes, the known vectors first.

use crate::{NOW, decode, decoder, numbers, one_wave, refusals, waves};
use device_drivers::codec::nonin_ascii::encode_line;
use device_drivers::codec::nonin_oem3::{
    PACKET_BYTES, PacketContent, encode_frame, encode_packet, status,
};
use device_drivers::{Event, Metric, Profile, Quality, RejectReason};

const OEM3: Profile = Profile::NoninOem3;
const ASCII: Profile = Profile::NoninAscii;

fn packet(pulse: u16, spo2: u8, bits: u8) -> Vec<u8> {
    let pleth = core::array::from_fn(|index| 100 + index as u8);
    let content = PacketContent {
        pulse: Some(pulse).filter(|&pulse| pulse != 511),
        spo2: Some(spo2).filter(|&spo2| spo2 != 127),
        status: bits,
        pleth,
    };
    encode_packet(&content).to_vec()
}

#[test]
fn oem3_vectors() {
    assert_eq!(
        encode_frame(0x81, 0x01, 0x00),
        [0x01, 0x81, 0x01, 0x00, 0x83]
    );
    let mut events = Vec::new();
    let mut good = decoder(OEM3);
    good.push(&[0x01, 0x81, 0x01, 0x00, 0x83], NOW, &mut events);
    assert_eq!((good.frames(), events.len()), (1, 0));
    let mut bad = decoder(OEM3);
    bad.push(&[0x01, 0x81, 0x02, 0x00, 0x00], NOW, &mut events);
    assert_eq!(bad.frames(), 0);
}

#[test]
fn oem3_vitals_and_qualities() {
    let table = [
        (72, 97, 0, Some(72), Some(97), Quality::Good),
        (
            300,
            100,
            status::GREEN_PERFUSION,
            Some(300),
            Some(100),
            Quality::Good,
        ),
        (
            72,
            97,
            status::RED_PERFUSION | status::GREEN_PERFUSION,
            Some(72),
            Some(97),
            Quality::Good,
        ),
        (
            72,
            97,
            status::RED_PERFUSION,
            Some(72),
            Some(97),
            Quality::LowPerfusion,
        ),
        (
            72,
            97,
            status::ARTIFACT,
            Some(72),
            Some(97),
            Quality::Questionable,
        ),
        (72, 97, status::OUT_OF_TRACK, None, None, Quality::Searching),
        (72, 97, status::SENSOR_ALARM, None, None, Quality::SensorOff),
        (
            72,
            97,
            status::SENSOR_DISCONNECTED,
            None,
            None,
            Quality::SensorFault,
        ),
        (511, 127, 0, None, None, Quality::Missing),
        (
            511,
            127,
            status::SENSOR_ALARM,
            None,
            None,
            Quality::SensorOff,
        ),
    ];
    for (pulse, spo2, bits, expected_pulse, expected_spo2, quality) in table {
        let events = decode(OEM3, &packet(pulse, spo2, bits));
        assert_eq!(
            numbers(&events, Metric::PulseRate),
            [(expected_pulse, quality)],
            "{pulse} {spo2} {bits:02x}"
        );
        assert_eq!(
            numbers(&events, Metric::SpO2),
            [(expected_spo2, quality)],
            "{pulse} {spo2} {bits:02x}"
        );
        assert_eq!(refusals(&events), []);
    }
}

#[test]
fn oem3_impossible_numbers_are_refused() {
    let events = decode(OEM3, &packet(400, 110, 0));
    assert_eq!(numbers(&events, Metric::SpO2), []);
    assert_eq!(numbers(&events, Metric::PulseRate), []);
    assert_eq!(
        refusals(&events),
        [
            (RejectReason::Implausible, 1, 1),
            (RejectReason::Implausible, 1, 1)
        ]
    );
}

#[test]
fn oem3_a_second_is_three_vitals_and_one_wave() {
    let second = packet(60, 98, 0).repeat(3);
    let events = decode(OEM3, &second);
    assert_eq!(numbers(&events, Metric::SpO2).len(), 3);
    let (samples, period_micros, quality) = one_wave(&events);
    assert_eq!(
        (samples.len(), period_micros, quality),
        (75, 13_333, Quality::Good)
    );
    assert_eq!((samples[0], samples[25]), (Some(100), Some(100)));
    let info = events.iter().find_map(|event| match event {
        Event::Device(info) => info.firmware.clone(),
        _ => None,
    });
    assert_eq!(info.as_deref(), Some("47"));
}

#[test]
fn oem3_wave_without_finger_is_absent() {
    let events = decode(OEM3, &packet(511, 127, status::SENSOR_ALARM).repeat(3));
    assert_eq!(waves(&events), [(vec![], 0, Quality::SensorOff)]);
}

#[test]
fn oem3_any_lost_byte_costs_at_most_one_packet() {
    let stream = packet(72, 97, 0).repeat(4);
    for lost in PACKET_BYTES..2 * PACKET_BYTES {
        let mut bytes = stream.clone();
        bytes.remove(lost);
        let mut decoder = decoder(OEM3);
        let mut events = Vec::new();
        decoder.push(&bytes, NOW, &mut events);
        let vitals =
            numbers(&events, Metric::SpO2).len() + numbers(&events, Metric::PulseRate).len();
        let refused: u32 = refusals(&events)
            .iter()
            .map(|(_, _, readings)| readings)
            .sum();
        assert_eq!(vitals as u32 + refused, 8, "lost byte {lost}");
        assert!(
            decoder.frames() >= 98,
            "lost byte {lost}: {} frames",
            decoder.frames()
        );
        assert!(!refusals(&events).is_empty(), "lost byte {lost}");
        let wrong = numbers(&events, Metric::SpO2)
            .iter()
            .any(|number| *number != (Some(97), Quality::Good));
        assert!(!wrong, "lost byte {lost}");
    }
}

#[test]
fn oem3_a_damaged_frame_keeps_its_place() {
    let mut stream = packet(72, 97, 0).repeat(3);
    stream[PACKET_BYTES + 5 * 10 + 2] ^= 0x40;
    let events = decode(OEM3, &stream);
    assert_eq!(
        numbers(&events, Metric::SpO2).len(),
        3,
        "frame 11 carries no vitals"
    );
    assert_eq!(refusals(&events), [(RejectReason::Checksum, 1, 0)]);
    let (samples, _, quality) = one_wave(&events);
    assert_eq!(quality, Quality::Questionable);
    assert_eq!(samples.iter().filter(|sample| sample.is_none()).count(), 1);
    assert_eq!(
        (samples[34], samples[35], samples[36]),
        (Some(109), None, Some(111))
    );
}

#[test]
fn ascii_lines() {
    let ok = |pulse, spo2| (vec![(pulse, quality(pulse))], vec![(spo2, quality(spo2))]);
    let none = (vec![], vec![]);
    let table = [
        ("SPO2=097 HR=064\r\n", ok(Some(64), Some(97)), vec![]),
        ("SPO2=--- HR=---\r\n", ok(None, None), vec![]),
        ("SPO2=097 HR=---\n", ok(None, Some(97)), vec![]),
        (
            "12:34:56 SPO2=100 HR=321*\r\n",
            ok(Some(321), Some(100)),
            vec![],
        ),
        ("SPO2=097 HR=064 F\r\n", ok(Some(64), Some(97)), vec![]),
        ("SPO2=097 HR=064B\r", ok(Some(64), Some(97)), vec![]),
        (
            "SPO2=97 HR=064\r\n",
            none.clone(),
            vec![RejectReason::Incomplete],
        ),
        (
            "SPO2=097 HR=64\r\n",
            none.clone(),
            vec![RejectReason::Incomplete],
        ),
        (
            "SPO2=097 HR=0644\r\n",
            none.clone(),
            vec![RejectReason::Garbage],
        ),
        (
            "SPO2=101 HR=064\r\n",
            none.clone(),
            vec![RejectReason::Implausible],
        ),
        (
            "SPO2=097 HR=322\r\n",
            none.clone(),
            vec![RejectReason::Implausible],
        ),
        (
            "97 HR=064\r\n",
            none.clone(),
            vec![RejectReason::Incomplete],
        ),
        (
            "NONIN MODEL 9847\r\n",
            none.clone(),
            vec![RejectReason::Garbage],
        ),
        (
            "SPO2=097 HR=064SPO2=097 HR=064\r\n",
            none.clone(),
            vec![RejectReason::Garbage],
        ),
        ("SPO2=097 HR=064", none, vec![]),
    ];
    for (text, (pulse, spo2), reasons) in table {
        let events = decode(ASCII, text.as_bytes());
        assert_eq!(numbers(&events, Metric::PulseRate), pulse, "{text:?}");
        assert_eq!(numbers(&events, Metric::SpO2), spo2, "{text:?}");
        let refused: Vec<RejectReason> = refusals(&events)
            .iter()
            .map(|(reason, _, _)| *reason)
            .collect();
        assert_eq!(refused, reasons, "{text:?}");
    }
}

fn quality(number: Option<i64>) -> Quality {
    if number.is_some() {
        Quality::Good
    } else {
        Quality::Missing
    }
}

#[test]
fn ascii_after_noise() {
    let line = encode_line(Some(97), Some(64));
    assert_eq!(line, "SPO2=097 HR=064\r\n");
    for noise in [
        &b"\xff\xfe\x00"[..],
        &b"\r\n"[..],
        &[b'x'; 300][..],
        b"SPO2=0",
    ] {
        let mut bytes = noise.to_vec();
        bytes.extend(line.repeat(2).bytes());
        let last = numbers(&decode(ASCII, &bytes), Metric::SpO2);
        assert_eq!(
            last.last(),
            Some(&(Some(97), Quality::Good)),
            "{noise:02x?}"
        );
    }
    assert_eq!(
        numbers(&decode(ASCII, b"SPO2=09\x807 HR=064\r\n"), Metric::SpO2),
        []
    );
}
