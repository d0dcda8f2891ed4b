//! Goal: a reading is the patient's who wore the device when it was taken: after swaps, at their very millisecond, in
//! gaps, and however late it comes. Method: a real node with two silent devices whose readings the test makes itself,
//! at moments around the assignments that the ledger confirmed; an oracle that tells the rule again over all of them.

use std::collections::BTreeMap;

use axum::body::Body;
use device_drivers::event::CoincidentTime;
use device_drivers::measurement::{Measurement, Metric, Quality, Value};
use fog_node::ingest::{DeviceIndex, Heard, Item};
use http_body_util::BodyExt as _;
use serde_json::{Value as Json, json};

use crate::served::Served;

/// How slow the second device's clock is, in milliseconds.
const SLOW: i64 = 3_600_000;
const HEART_RATE: &str = "8867-4";

/// A reading that the test made.
#[derive(Clone, Copy)]
struct Made {
    device: usize,
    metric: Metric,
    number: i64,
    taken: i64,
}

struct Ward {
    served: Served,
    devices: Vec<String>,
    made: Vec<Made>,
}

impl Ward {
    async fn new() -> Self {
        let served = Served::with_demo(0).await;
        let mut devices = Vec::new();
        for name in ["first", "second"] {
            let path = format!("/dev/fogward-no-such-port-{name}");
            let asked = json!({ "name": name, "profile": "nonin-ascii", "path": path });
            let device = post(&served, "/api/devices", &asked).await;
            devices.push(device["id"].as_str().unwrap().to_owned());
        }
        for device in &devices {
            let path = format!("/api/devices/{device}");
            while served.json(&path).await["registered_height"].is_null() {
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
        }
        Self {
            served,
            devices,
            made: Vec::new(),
        }
    }

    async fn patient(&self, name: &str) -> String {
        let added = post(&self.served, "/api/patients", &json!({ "name": name })).await;
        added["id"].as_str().unwrap().to_owned()
    }

    async fn wears(&self, device: usize, patient: Option<&str>) {
        let path = format!("/api/devices/{}/changes", self.devices[device]);
        let change = match patient {
            Some(patient) => json!({ "change": "assign", "patient": patient }),
            None => json!({ "change": "unassign" }),
        };
        let changed = post(&self.served, &path, &change).await;
        assert_eq!(changed["assigned_to"], json!(patient));
    }

    /// The times in which a patient wore a device.
    async fn worn(&self, patient: &str) -> Vec<(usize, i64, i64)> {
        let view = self.served.json(&format!("/api/patients/{patient}")).await;
        let worn = view["worn"].as_array().unwrap().iter();
        worn.map(|worn| {
            let is_it = |id: &String| worn["device"] == **id;
            let device = self.devices.iter().position(is_it).unwrap();
            let until = worn["until"].as_i64().unwrap_or(i64::MAX);
            (device, worn["since"].as_i64().unwrap(), until)
        })
        .collect()
    }

    /// A device reports a reading of its own number, taken and received then.
    async fn report(&mut self, device: usize, metric: Metric, taken: i64, received: i64) {
        let number = self.made.len() as i64;
        let value = Some(Value::whole(number));
        let mut measurement = Measurement::new(metric, value, Quality::Good, received);
        let mut heard = Heard::default();
        if device == 1 {
            measurement.device_time_millis = Some(taken - SLOW);
            heard.clocks.push(CoincidentTime {
                device_time_millis: received - SLOW,
                host_time_millis: received,
            });
        }
        heard.measurements.push(measurement);
        let item = Item::Heard(DeviceIndex(device as u32), heard);
        self.served.node.ingest().unwrap().send(item).await.unwrap();
        self.made.push(Made {
            device,
            metric,
            number,
            taken,
        });
    }

    async fn flush(&self) {
        self.served.node.ingest().unwrap().flush().await.unwrap();
    }

    /// The rule, told again: the numbers of a patient's readings, taken last first.
    fn expected(&self, worn: &[(usize, i64, i64)], is_asked: impl Fn(&Made) -> bool) -> Vec<i64> {
        let is_hers = |made: &&Made| {
            let mut spans = worn.iter();
            let covers = |span: &(usize, i64, i64)| {
                span.0 == made.device && (span.1..span.2).contains(&made.taken)
            };
            spans.any(covers) && is_asked(made)
        };
        let mut hers: Vec<&Made> = self.made.iter().filter(is_hers).collect();
        hers.sort_by_key(|made| std::cmp::Reverse(made.taken));
        hers.iter().map(|made| made.number).collect()
    }

    async fn rows(&self, patient: &str, query: &str) -> Vec<Json> {
        let path = format!("/api/patients/{patient}/readings?{query}");
        self.served.json(&path).await.as_array().unwrap().clone()
    }

    async fn numbers(&self, patient: &str, query: &str) -> Vec<i64> {
        numbers(&self.rows(patient, query).await)
    }
}

fn numbers(rows: &[Json]) -> Vec<i64> {
    let number = |row: &Json| row["value"].as_f64().unwrap() as i64;
    rows.iter().map(number).collect()
}

/// Numbers of readings of one moment come in no order that the rule names.
fn sorted(mut numbers: Vec<i64>) -> Vec<i64> {
    numbers.sort_unstable();
    numbers
}

async fn post(served: &Served, path: &str, body: &Json) -> Json {
    let response = served
        .send("POST", path, Body::from(body.to_string()))
        .await;
    let status = response.status();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let answer = serde_json::from_slice(&bytes).unwrap();
    assert!(status.is_success(), "{path}: {answer}");
    answer
}

/// Two patients who wore both devices in turn; readings around every change, on both sides of a flush.
async fn swapped() -> (Ward, [String; 2]) {
    let mut ward = Ward::new().await;
    let patients = [ward.patient("Ana").await, ward.patient("Ben").await];
    let [ana, ben] = patients.each_ref().map(String::as_str);
    ward.wears(1, Some(ben)).await;
    for whose in [Some(ana), Some(ben), None, Some(ana)] {
        ward.wears(0, whose).await;
    }
    ward.wears(1, Some(ana)).await;
    let mut changes: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
    for patient in [ana, ben] {
        for (device, since, until) in ward.worn(patient).await {
            let of = changes.entry(device).or_default();
            of.extend([since, until].into_iter().filter(|at| *at < i64::MAX));
        }
    }
    for moments in changes.values_mut() {
        moments.sort_unstable();
        moments.dedup();
    }
    assert_eq!((changes[&0].len(), changes[&1].len()), (4, 2));
    // As they came: each moment, the one before it and the one after.
    for (at, moment) in changes[&0].iter().enumerate() {
        for taken in [moment - 1, *moment, moment + 1] {
            ward.report(0, Metric::HeartRate, taken, taken).await;
            ward.report(0, Metric::SpO2, taken, taken).await;
        }
        if at == 2 {
            ward.flush().await;
        }
    }
    // Kept by a meter with a slow clock, and read an hour after the last change, the newest first.
    let read = changes[&1][1] + 3_600_000;
    for moment in changes[&1].iter().rev() {
        for taken in [moment + 1, *moment, moment - 1] {
            ward.report(1, Metric::HeartRate, taken, read).await;
        }
    }
    ward.flush().await;
    // What is not in a batch yet counts, too.
    let last = changes[&0][3] + 5_000;
    ward.report(0, Metric::HeartRate, last, last).await;
    while ward.served.json("/api/devices").await[0]["gap"]["received"] != 25 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    (ward, patients)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reading_is_whose_the_device_was_when_it_was_taken() {
    let (ward, patients) = swapped().await;
    let mut whose = BTreeMap::new();
    for patient in &patients {
        let worn = ward.worn(patient).await;
        let expected = ward.expected(&worn, |_| true);
        assert!(expected.len() > 8, "{expected:?}");
        let found = ward.numbers(patient, "limit=1000").await;
        assert_eq!(sorted(found.clone()), sorted(expected));
        for number in found {
            assert!(whose.insert(number, patient).is_none(), "of two patients");
        }
        let rows = ward.rows(patient, "limit=1000").await;
        let taken = |row: &Json| row["corrected_time"].as_i64().or(row["host_time"].as_i64());
        assert!(rows.is_sorted_by_key(|row| std::cmp::Reverse(taken(row))));

        let heart = ward.expected(&worn, |made| made.metric == Metric::HeartRate);
        let found = ward.numbers(patient, &format!("metric={HEART_RATE}")).await;
        assert_eq!(sorted(found), sorted(heart.clone()));
        let (from, to) = (worn[0].1, worn[0].1 + 1);
        let moment = ward.expected(&worn, |made| made.taken == from);
        let found = ward.numbers(patient, &format!("from={from}&to={to}")).await;
        assert_eq!(sorted(found), sorted(moment));

        // The plot's lowest and highest are those of the readings.
        let begin = worn.iter().map(|worn| worn.1).min().unwrap();
        let part = format!("from={begin}&to={}&points=50", begin + 4 * SLOW);
        let path = format!("/api/patients/{patient}/history?metric={HEART_RATE}&{part}");
        let history = ward.served.json(&path).await;
        let points = history["points"].as_array().unwrap();
        let low = points
            .iter()
            .map(|point| point["min"].as_f64().unwrap() as i64)
            .min();
        let high = points
            .iter()
            .map(|point| point["max"].as_f64().unwrap() as i64)
            .max();
        assert_eq!(
            (low, high),
            (heart.iter().copied().min(), heart.iter().copied().max())
        );
    }
    // What was taken while nobody wore the device, or before, is nobody's.
    assert!(whose.len() < ward.made.len());
    ward.served.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_each_other_without_hole_or_overlap() {
    let (ward, patients) = swapped().await;
    for patient in &patients {
        let whole = ward.rows(patient, "limit=1000").await;
        for limit in [1, 2, 3, 7] {
            let mut pages: Vec<Json> = Vec::new();
            loop {
                let before = pages.last().map(|row| row["id"].as_str().unwrap());
                let before = before.map_or(String::new(), |id| format!("&before={id}"));
                let page = ward.rows(patient, &format!("limit={limit}{before}")).await;
                if page.is_empty() {
                    break;
                }
                assert!(page.len() <= limit);
                pages.extend(page);
            }
            let ids = |rows: &[Json]| {
                rows.iter()
                    .map(|row| row["id"].to_string())
                    .collect::<Vec<_>>()
            };
            assert_eq!(ids(&pages), ids(&whole), "pages of {limit}");
        }
    }
    let (status, _) = ward.served.get("/api/patients/none/readings").await;
    assert_eq!(status.as_u16(), 404);
    let unknown = format!("/api/patients/{}/readings?before=x", patients[0]);
    assert_eq!(ward.served.get(&unknown).await.0.as_u16(), 400);
    ward.served.end().await;
}

/// Goal: patients are found by any part of name or number, a number is one patient's, and nothing unfit is kept or
/// repeated. Method: requests over the router, again after a restart.
#[tokio::test(flavor = "multi_thread")]
async fn patients_are_written_down_and_found() {
    let served = Served::with_demo(0).await;
    for (name, number) in [
        ("Zoë Ávila", "P-0100"),
        ("ben Brook", "P-0200"),
        ("Ana Brook", "Q-0300"),
    ] {
        let asked = json!({ "name": name, "number": number, "born": "1957-03-14" });
        post(&served, "/api/patients", &asked).await;
    }
    let served = Served::at(served.stop().await, None, Default::default()).await;
    let names = async |query: &str| {
        let view = served.json(&format!("/api/patients?{query}")).await;
        let patients = view["patients"].as_array().unwrap().clone();
        let names: Vec<_> = patients
            .iter()
            .map(|row| row["name"].as_str().unwrap().to_owned())
            .collect();
        (
            names.join(", "),
            view["found"].as_u64().unwrap(),
            view["all"].as_u64().unwrap(),
        )
    };
    assert_eq!(
        names("").await,
        ("Ana Brook, ben Brook, Zoë Ávila".into(), 3, 3)
    );
    assert_eq!(
        names("search=BROOK").await,
        ("Ana Brook, ben Brook".into(), 2, 3)
    );
    assert_eq!(names("search=%C3%81vi").await, ("Zoë Ávila".into(), 1, 3));
    assert_eq!(
        names("search=p-0&limit=1").await,
        ("ben Brook".into(), 2, 3)
    );
    assert_eq!(names("wearing=true").await, (String::new(), 0, 3));
    let ben = served.json("/api/patients?search=ben").await["patients"][0].clone();
    let path = format!("/api/patients/{}", ben["id"].as_str().unwrap());
    let handles = served.json(&path).await["handles"].clone();
    let mut differ: Vec<_> = handles
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["handle"].to_string())
        .collect();
    differ.sort();
    differ.dedup();
    assert_eq!(differ.len(), 5, "one for each purpose");
    let renamed = post(
        &served,
        &path,
        &json!({ "name": "Ben Brook-Lee", "number": "P-0200" }),
    )
    .await;
    assert_eq!(
        (&renamed["id"], &renamed["born"]),
        (&ben["id"], &Json::Null)
    );
    assert_eq!(
        served.json(&path).await["handles"],
        handles,
        "they outlive a name"
    );
    for (body, status, code) in [
        (r#"{"name":"x","number":"Q-0300"}"#, 409, "PAT-02"),
        (r#"{"name":"  "}"#, 400, "PAT-01"),
        (r#"{"name":"tell\nnobody"}"#, 400, "PAT-01"),
        (
            r#"{"name":"tell nobody","born":"1957-02-30"}"#,
            400,
            "PAT-01",
        ),
    ] {
        for path in ["/api/patients", &path] {
            let refused = served.send("POST", path, body).await;
            assert_eq!(refused.status().as_u16(), status, "{body}");
            let bytes = refused.into_body().collect().await.unwrap().to_bytes();
            let words = String::from_utf8_lossy(&bytes).into_owned();
            assert!(words.contains(code) && !words.contains("nobody"), "{words}");
        }
    }
    served.end().await;
}
