//! Goal: a wearable walks from one ward to another and back, and nobody does anything about it: the node that
//! hears it serves it, its stream goes on, no reading counts twice. Method: two real nodes of one organisation,
//! each with a fake BlueZ of its own; the firmware's own code behind the fake's characteristics, which advertises
//! while it is not connected, as a sensor does. Each reading's value is its own number.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bluez_fake::{Daemon, Fake};
use fogward_level0::{DeviceId, MAX_WIRE, Outgoing, PairingKey, Reading, Sensor, metric, quality};
use serde_json::{Value, json as value};
use tokio::runtime::Runtime;

use crate::consortium::{Place, create, invite};
use crate::handover::values;
use crate::program::{Running, ask, fogward, json, wait_for};

const ADDRESS: &str = "C4:F2:17:1A:1D:BB";
const SERVICE: &str = "6e400001-b5a3-f393-e0a9-e50e24dcca9e";
const RX: &str = "6e400002-b5a3-f393-e0a9-e50e24dcca9e";
const TX: &str = "6e400003-b5a3-f393-e0a9-e50e24dcca9e";
const KEY: [u8; 32] = [0x5a; 32];
/// So much as a frame needs, and more than most.
const MTU: u16 = 247;

/// The wards' adapters, and in which ward the wearable is.
struct Air {
    wards: [Fake; 2],
    ward: AtomicUsize,
}

impl Air {
    async fn new(buses: &[Daemon; 2]) -> Self {
        let [one, two] = buses.each_ref().map(|bus| bus.address.as_str());
        let wards = [Fake::start_on(one).await, Fake::start_on(two).await];
        for (ward, address) in wards.iter().zip(["AA:AA:AA:00:00:01", "AA:AA:AA:00:00:02"]) {
            ward.plug_in("hci0", address, true).await;
        }
        let air = Self {
            wards,
            ward: AtomicUsize::new(0),
        };
        air.appear(0).await;
        air
    }

    async fn appear(&self, ward: usize) {
        let line = vec![
            (TX.to_owned(), vec!["notify"]),
            (RX.to_owned(), vec!["write-without-response"]),
        ];
        let ward = &self.wards[ward];
        ward.appear_with("hci0", ADDRESS, SERVICE.to_owned(), line, MTU)
            .await;
    }

    /// The wearer walks out of one ward's reach and into the other's.
    async fn walk(&self, to: usize) {
        let from = &self.wards[self.ward.swap(to, Ordering::Relaxed)];
        from.drop_link("hci0", ADDRESS).await;
        from.vanish("hci0", ADDRESS).await;
        self.appear(to).await;
    }
}

/// Measures ten times a second, and sends it if there is a link; it keeps nothing.
async fn wear(air: Arc<Air>, numbers: Arc<Mutex<i32>>) {
    let mut sensor = Sensor::new(DeviceId([8; 8]), PairingKey::from_bytes(KEY), 1);
    loop {
        let number = {
            let mut numbers = numbers.lock().unwrap();
            *numbers += 1;
            *numbers - 1
        };
        let reading = Reading {
            metric: metric::HEART_RATE,
            quality: quality::GOOD,
            mantissa: number,
            exponent: 0,
        };
        let mut wire = [0; MAX_WIRE];
        let message = Outgoing::Readings {
            time_millis: None,
            readings: &[reading],
        };
        let length = sensor.seal(&message, &mut wire).unwrap();
        let ward = &air.wards[air.ward.load(Ordering::Relaxed)];
        if ward.is_connected("hci0", ADDRESS).await {
            ward.notify("hci0", ADDRESS, &wire[..length]).await;
        } else {
            ward.advertise_at("hci0", ADDRESS, -55).await;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The device at a node that serves it, once it has received more than so much.
fn served(api: &str, more_than: u64) -> Value {
    wait_for("a device that is served and heard", || {
        let devices = ask(&["device", "list", "--api", api]);
        let mut devices = devices.as_array()?.iter();
        let device = devices.find(|device| device["standing"] == "in_service")?;
        let received = device["gap"]["received"].as_u64()?;
        (received > more_than).then(|| device.clone())
    })
}

fn start(place: &Place, bus: &Daemon) -> (Running, String) {
    let arguments = ["--roam".to_owned(), "--ble".to_owned()];
    let node = Running::start_on_bus(&place.data, &arguments, &bus.address);
    let address = node.address();
    (node, address)
}

fn key_file(folder: &Path) -> String {
    let file = folder.join("key");
    std::fs::write(&file, hex::encode(KEY)).unwrap();
    file.to_str().unwrap().to_owned()
}

/// The device steps aside, is measured, and is read again. How fast it connects depends on this machine.
fn passes_its_self_test(api: &str, id: &str) {
    let before = served(api, 0)["gap"]["received"].as_u64().unwrap();
    let tested = fogward([
        "device",
        "selftest",
        id,
        "--seconds=5",
        "--json",
        "--api",
        api,
    ]);
    let record: Value = serde_json::from_slice(&tested.stdout).unwrap();
    let figure = |check: &str| {
        let mut figures = record["figures"].as_array().unwrap().iter();
        figures
            .find(|figure| figure["check"] == check)
            .map(|figure| &figure["value"])
    };
    assert_eq!(figure("two-tries"), Some(&value!(100)), "{record}");
    assert!(figure("discovery").is_some_and(Value::is_u64), "{record}");
    served(api, before);
}

#[test]
fn a_wearable_walks_from_ward_to_ward() {
    let folder = tempfile::tempdir().unwrap();
    let buses = [Daemon::start(), Daemon::start()];
    let runtime = Runtime::new().unwrap();
    let air = Arc::new(runtime.block_on(Air::new(&buses)));
    let [ward_a, ward_b] = [71, 72].map(|number| Place::new(folder.path(), number));
    create(&ward_a);
    let (first, one) = start(&ward_a, &buses[0]);
    ward_b.join(
        &invite(&one, &["--same-organisation"]),
        "Harbour General",
        "ward-b",
    );
    let (second, two) = start(&ward_b, &buses[1]);

    let numbers = Arc::<Mutex<i32>>::default();
    let worn = runtime.spawn(wear(Arc::clone(&air), Arc::clone(&numbers)));
    let key = key_file(folder.path());
    let level0 = ["--profile", "fogward-level0", "--key-file", key.as_str()];
    let pair = [&["device", "pair", ADDRESS][..], &level0, &["--api", &one]].concat();
    ask(&pair);
    let at_a = served(&one, 5);
    assert_eq!(at_a["about"]["authentication"], "ascon_tag");

    passes_its_self_test(&one, at_a["id"].as_str().unwrap());

    runtime.block_on(air.walk(1));
    let at_b = served(&two, 5);
    assert_eq!(at_b["handle"], at_a["handle"], "registered once");
    assert_eq!(ask(&["device", "list", "--api", &one]), value!([]));

    runtime.block_on(air.walk(0));
    let before = at_a["gap"]["received"].as_u64().unwrap();
    let back = served(&one, before + 10);
    assert_eq!(back["id"], at_a["id"], "the same device as before");
    worn.abort();

    let stored = [(&one, &at_a), (&two, &at_b)]
        .map(|(api, device)| values(api, device["id"].as_str().unwrap()));
    assert!(
        stored[0].is_disjoint(&stored[1]),
        "no reading at both nodes"
    );
    let sent: BTreeSet<i64> = (0..i64::from(*numbers.lock().unwrap())).collect();
    assert!(stored.iter().all(|stored| stored.is_subset(&sent)));
    for (place, node) in [(ward_a, first), (ward_b, second)] {
        assert!(node.terminate().success());
        let (code, report) = json(["fsck", "--data", place.data(), "--json"]);
        assert_eq!((code, &report["clean"]), (0, &value!(true)), "{report}");
    }
}
