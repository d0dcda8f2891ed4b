//! Goal: a serial line does what lines do, and the source survives it, says why, and reconnects
//! by itself. Method: a test plays the sensor on a pty, in real time.

use crate::pty::Sensor;
use crate::{numbers, refusals};
use device_drivers::codec::{contec_cms50d, nonin_ascii, nonin_oem3};
use device_drivers::{
    Device, Event, LinkState, Metric, MissingCause, Profile, Quality, ReasonCode, SerialConfig,
    SourceConfig,
};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::time::timeout;

const SOON: Duration = Duration::from_secs(6);

fn open(path: &Path, profile: Profile) -> Device {
    Device::open(SourceConfig::Serial(SerialConfig::new(path, profile))).unwrap()
}

async fn state(device: &Device, code: &str) -> LinkState {
    let mut states = device.state.clone();
    let reached = timeout(SOON, states.wait_for(|state| state.code() == code)).await;
    match reached {
        Ok(state) => state.unwrap().clone(),
        Err(_) => panic!("{code} was not reached, it is {:?}", *device.state.borrow()),
    }
}

async fn reason(device: &Device, code: &str) -> ReasonCode {
    let state = state(device, code).await;
    let reason = state.reason().unwrap();
    assert!(
        [&reason.what, &reason.why, &reason.next]
            .iter()
            .all(|sentence| sentence.ends_with('.')),
        "{reason}"
    );
    reason.code
}

/// The next reading of a metric.
async fn next(device: &mut Device, metric: Metric) -> (Option<i64>, Quality) {
    loop {
        let event = timeout(SOON, device.events.recv())
            .await
            .expect("a reading in time")
            .expect("an open device");
        if let Some(number) = numbers(&[event], metric).pop() {
            return number;
        }
    }
}

fn line(spo2: u8) -> Vec<u8> {
    nonin_ascii::encode_line(Some(spo2), Some(64)).into_bytes()
}

#[tokio::test]
async fn readings_arrive_in_any_pieces() {
    let mut sensor = Sensor::plug_in();
    let mut device = open(sensor.path(), Profile::NoninOem3);
    let content = nonin_oem3::PacketContent {
        pulse: Some(300),
        spo2: Some(97),
        status: 0,
        pleth: [7; 25],
    };
    let packet = nonin_oem3::encode_packet(&content);
    state(&device, "opening").await;
    for piece in packet.chunks(7) {
        sensor.send(piece);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(
        next(&mut device, Metric::SpO2).await,
        (Some(97), Quality::Good)
    );
    assert_eq!(
        next(&mut device, Metric::PulseRate).await,
        (Some(300), Quality::Good)
    );
    state(&device, "streaming").await;
    let stopping = Instant::now();
    device.handle.stop().await;
    assert!(
        stopping.elapsed() < Duration::from_millis(300),
        "{:?}",
        stopping.elapsed()
    );
    assert_eq!(*device.state.borrow(), LinkState::Stopped);
}

#[tokio::test]
async fn a_half_frame_and_noise_cost_nothing_after_them() {
    let mut sensor = Sensor::plug_in();
    let mut device = open(sensor.path(), Profile::NoninAscii);
    sensor.send(b"7 HR=064\r\n\xff\x00\xfe");
    sensor.send(&line(97));
    assert_eq!(
        next(&mut device, Metric::SpO2).await,
        (Some(97), Quality::Good)
    );
}

#[tokio::test]
async fn wrong_speed_is_garbage_and_silence_is_no_data() {
    let mut sensor = Sensor::plug_in();
    let device = open(sensor.path(), Profile::NoninOem3);
    let noise: Vec<u8> = (0..40u8).map(|byte| byte.wrapping_mul(37) | 0x04).collect();
    for _ in 0..30 {
        sensor.send(&noise);
        tokio::time::sleep(Duration::from_millis(100)).await;
        if device.state.borrow().code() == "garbage" {
            break;
        }
    }
    assert_eq!(reason(&device, "garbage").await, ReasonCode::Unrecognised);
    let quiet = Sensor::plug_in();
    let device = open(quiet.path(), Profile::NoninOem3);
    assert_eq!(reason(&device, "no-data").await, ReasonCode::Silent);
}

#[tokio::test]
async fn unplugging_is_told_counted_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sensor");
    let mut sensor = Sensor::plug_in();
    std::os::unix::fs::symlink(sensor.path(), &path).unwrap();
    let mut device = open(&path, Profile::NoninAscii);
    sensor.send(&line(97));
    assert_eq!(
        next(&mut device, Metric::SpO2).await,
        (Some(97), Quality::Good)
    );
    sensor.send(b"SPO2=0");
    tokio::time::sleep(Duration::from_millis(50)).await;

    drop(sensor);
    assert_eq!(reason(&device, "disconnected").await, ReasonCode::Unplugged);
    std::fs::remove_file(&path).unwrap();
    let gone = timeout(
        SOON,
        device.state.wait_for(|state| {
            state
                .reason()
                .is_some_and(|reason| reason.code == ReasonCode::PortMissing)
        }),
    );
    assert!(
        gone.await
            .unwrap()
            .unwrap()
            .reason()
            .unwrap()
            .retry_millis
            .is_some()
    );
    tokio::time::sleep(Duration::from_secs(2)).await;

    let mut sensor = Sensor::plug_in();
    std::os::unix::fs::symlink(sensor.path(), &path).unwrap();
    state(&device, "opening").await;
    sensor.send(&line(95));
    let mut missing = 0;
    let mut refused = 0;
    loop {
        let event = timeout(SOON, device.events.recv()).await.unwrap().unwrap();
        refused += refusals(std::slice::from_ref(&event)).len();
        match &event {
            Event::Missing {
                readings,
                cause: MissingCause::Disconnected,
            } => missing += readings,
            Event::Measurement(measured) if measured.metric == Metric::SpO2 => {
                assert_eq!(numbers(&[event], Metric::SpO2), [(Some(95), Quality::Good)]);
                break;
            }
            _ => {}
        }
    }
    assert_eq!(refused, 1, "the half line");
    assert!((4..=12).contains(&missing), "{missing} of about 5 readings");
}

#[tokio::test]
async fn silence_is_counted_by_the_rate() {
    let mut sensor = Sensor::plug_in();
    let mut device = open(sensor.path(), Profile::NoninAscii);
    sensor.send(&line(97));
    next(&mut device, Metric::SpO2).await;
    assert_eq!(reason(&device, "no-data").await, ReasonCode::Silent);
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    sensor.send(&line(97));
    state(&device, "streaming").await;
    let mut missing = 0;
    while let Ok(event) = device.events.try_recv() {
        if let Event::Missing {
            readings,
            cause: MissingCause::Silence,
        } = event
        {
            missing += readings;
        }
    }
    assert!(
        (5..=8).contains(&missing),
        "{missing} of about 6 readings in 3.3 s of silence"
    );
}

#[tokio::test]
async fn ports_that_cannot_be_opened_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let missing = open(&folder.path().join("nothing"), Profile::NoninAscii);
    assert_eq!(
        reason(&missing, "disconnected").await,
        ReasonCode::PortMissing
    );

    let file = folder.path().join("file");
    std::fs::write(&file, "not a port").unwrap();
    let file = open(&file, Profile::NoninAscii);
    assert_eq!(
        reason(&file, "disconnected").await,
        ReasonCode::NotASerialPort
    );

    let null = open(Path::new("/dev/null"), Profile::NoninAscii);
    assert_eq!(
        reason(&null, "disconnected").await,
        ReasonCode::NotASerialPort
    );

    let mut sensor = Sensor::plug_in();
    let mut first = open(sensor.path(), Profile::NoninAscii);
    sensor.send(&line(97));
    next(&mut first, Metric::SpO2).await;
    let mut second = open(sensor.path(), Profile::NoninAscii);
    assert_eq!(reason(&second, "disconnected").await, ReasonCode::PortBusy);
    first.handle.stop().await;
    state(&second, "opening").await;
    sensor.send(&line(96));
    assert_eq!(
        next(&mut second, Metric::SpO2).await,
        (Some(96), Quality::Good)
    );
}

#[tokio::test]
async fn a_contec_is_asked_to_start_and_asked_again() {
    let mut sensor = Sensor::plug_in();
    let mut device = open(sensor.path(), Profile::ContecCms50d115200);
    let heard = sensor.hear(SOON, |heard| heard.len() >= 18).await;
    assert_eq!(
        heard,
        contec_cms50d::START.repeat(2),
        "at once, and again while it is silent"
    );
    let content = contec_cms50d::FrameContent {
        wave: 9,
        pulse: Some(65),
        spo2: Some(97),
        ..Default::default()
    };
    let mut heard = Vec::new();
    for _ in 0..60 {
        sensor.send(&contec_cms50d::encode_frame(&content).repeat(6));
        heard.extend(sensor.hear(Duration::from_millis(100), |_| false).await);
        if heard
            .windows(9)
            .any(|bytes| bytes == contec_cms50d::KEEP_ALIVE)
        {
            break;
        }
    }
    assert!(
        heard
            .windows(9)
            .any(|bytes| bytes == contec_cms50d::KEEP_ALIVE),
        "kept alive within 6 s"
    );
    assert_eq!(
        next(&mut device, Metric::PulseRate).await,
        (Some(65), Quality::Good)
    );
}

#[tokio::test]
async fn nothing_is_dropped_when_nobody_takes_it() {
    let mut sensor = Sensor::plug_in();
    let mut device = open(sensor.path(), Profile::NoninAscii);
    let sending = tokio::task::spawn_blocking(move || {
        for spo2 in (90..100).cycle().take(1_500) {
            while sensor.try_send(&line(spo2)).is_err() {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        sensor
    });
    tokio::time::sleep(Duration::from_millis(800)).await;
    for expected in (90..100).cycle().take(1_500) {
        assert_eq!(
            next(&mut device, Metric::SpO2).await,
            (Some(expected), Quality::Good)
        );
    }
    drop(sending.await.unwrap());
}

#[tokio::test]
async fn dropping_the_handle_stops_the_device() {
    let sensor = Sensor::plug_in();
    let device = open(sensor.path(), Profile::NoninAscii);
    let Device {
        mut events,
        mut state,
        handle,
    } = device;
    drop(handle);
    assert_eq!(timeout(SOON, events.recv()).await.unwrap(), None);
    timeout(SOON, state.wait_for(|state| *state == LinkState::Stopped))
        .await
        .unwrap()
        .unwrap();
}
