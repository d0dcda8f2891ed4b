//! From the frame on the wire to the painted line on a device's page, with 100 sensors at once.
//!
//! ```text
//! sensor writes a frame ─▶ node: durable, event ─▶ event arrives ─▶ plot painted, frame ends ─▶ next frame begins
//! │◀──────────────── frame to event ────────────────▶│◀── event to painted ──▶│               │
//! │◀──────────────────────────── frame to painted ───────────────────────────▶│               │
//! │◀──────────────────────────────────── frame to handed ────────────────────────────────────▶│
//! ```
//!
//! The console marks the last three (`ui/src/measure.rs`); sensors, node and browser read one clock. Which frame a
//! mark belongs to is told by the record: each frame has a pulse of its own. Left out: the screen's own time.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use device_drivers::codec::nonin_ascii::encode_line;
use e2e::browser::Browser;
use e2e::cli::{self, Node};
use e2e::page::Page;
use e2e::sensor::Sensor;
use serde_json::{Value, json};

/// Sensors beside the watched one.
const OTHERS: usize = 99;
/// Values that are measured unless `FOGWARD_VALUES` says more, 10,000 at most.
const VALUES: usize = 200;
/// Pulses repeat after so many frames; none is on its way for so long.
const DISTINCT: u64 = 200;
const LEAST_PULSE: u64 = 40;
/// Between two frames of the watched sensor at least, and how much longer at most.
const PACE: Duration = Duration::from_millis(85);
const JITTER: Duration = Duration::from_millis(40);
/// A median beyond this is no slow machine: something waits that must not.
const MEDIAN_MOST_MILLIS: f64 = 100.0;

/// Frames written: the pulse, and when in Unix milliseconds.
type Written = Arc<Mutex<Vec<(u64, f64)>>>;

/// Goal: every value is painted, and soon. Method: 100 oximeters on ptys, one of them some ten times a second at
/// irregular moments; Chromium without a screen, which paints in software, on its page.
#[tokio::test(flavor = "multi_thread")]
async fn a_value_is_painted_soon() -> Result<()> {
    let wanted = std::env::var("FOGWARD_VALUES").ok();
    let wanted = wanted.and_then(|text| text.parse().ok());
    let wanted: usize = wanted.unwrap_or(VALUES).min(10_000);
    let folder = tempfile::tempdir()?;
    let others: Vec<_> = (0..OTHERS).map(other).collect::<Result<_>>()?;
    let written = Written::default();
    let watched = watched(Arc::clone(&written))?;
    let lines = others.iter().chain([&watched]);
    let lines = lines.map(|sensor| format!("--serial={}=nonin-ascii", sensor.path().display()));
    let lines: Vec<_> = lines.collect();
    let arguments: Vec<_> = lines.iter().map(String::as_str).collect();
    let node = Node::start(&folder.path().join("data"), &arguments)?;
    let browser = Browser::start(folder.path()).await?;
    let page = &browser.page;
    page.open(&format!("{}&measure", node.address)).await?;
    let figures = measure(page, &node, &watched, (&written, wanted)).await;
    let figures = page
        .explain(figures, &cli::picture("painted-failure")?)
        .await?;
    eprintln!("{figures}");
    let median = figures["frame_to_painted_p50_ms"].as_f64();
    let median = median.context("no median")?;
    ensure!(median <= MEDIAN_MOST_MILLIS, "{figures}");
    drop(browser);
    node.stop()
}

/// A sensor that sends once a second, at a time of its own.
fn other(number: usize) -> Result<Sensor> {
    let first = Duration::from_millis(number as u64 * 10);
    Sensor::plug_in(Duration::from_secs(1), move |count| {
        if count == 0 {
            std::thread::sleep(first);
        }
        let pulse = 60 + (count % 40) as u16;
        encode_line(Some(97), Some(pulse)).into_bytes()
    })
}

/// The sensor that is looked at; it notes what it writes right before.
fn watched(written: Written) -> Result<Sensor> {
    Sensor::plug_in(PACE, move |count| {
        // Steps of the golden ratio fall into no rhythm with the node's and the browser's.
        let place = (count as f64 * 0.618_033_988_749_895).fract();
        std::thread::sleep(JITTER.mul_f64(place));
        let pulse = LEAST_PULSE + count % DISTINCT;
        let line = encode_line(Some(97), Some(pulse as u16)).into_bytes();
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs_f64() * 1e3;
        let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
        written.push((pulse, now));
        line
    })
}

async fn measure(
    page: &Page,
    node: &Node,
    watched: &Sensor,
    (written, wanted): (&Written, usize),
) -> Result<Value> {
    let frames = || written.lock().unwrap_or_else(PoisonError::into_inner).len();
    let path = watched.path().display().to_string();
    let id = page
        .until("all sensors to be read", || async {
            let devices = cli::fogward_json(["devices", "--api", &node.address, "--json"])?;
            let devices = devices.as_array().cloned().unwrap_or_default();
            let streaming = devices
                .iter()
                .filter(|device| device["state"] == "streaming");
            let here = devices.iter().find(|device| device["path"] == *path);
            let id = here.and_then(|device| device["id"].as_str().map(str::to_owned));
            Ok(id.filter(|_| streaming.count() > OTHERS))
        })
        .await?;
    page.script(&format!("location.hash = '#/devices/{id}'"))
        .await?;
    page.find("plots").await?;
    // The page fills its lines from the record first.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let skew_before = clock_skew(page).await?;
    page.script("performance.clearMarks()").await?;
    let first = frames();
    while frames() < first + wanted {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let last = first + wanted;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let marks = Marks::read(page, &id).await?;
    let skew = skew_before.max(clock_skew(page).await?);
    let written = written.lock().unwrap_or_else(PoisonError::into_inner);
    let written = written.get(..last).context("written")?.to_vec();
    let times = times(node, &id, &written)?;
    let delays = Delays::of(&written[first..], &times[first..], &marks)?;
    Ok(delays.figures(skew))
}

/// How far the browser's timeline and its wall clock are apart, in milliseconds. The wall clock has whole ones.
async fn clock_skew(page: &Page) -> Result<f64> {
    let script = "return Math.abs(Date.now() - performance.timeOrigin - performance.now())";
    page.script(script).await?.as_f64().context("no clock")
}

/// When the watched pulses arrived, were painted and handed on: the value's own time, and when in Unix milliseconds.
struct Marks {
    arrived: BTreeMap<i64, f64>,
    painted: BTreeMap<i64, f64>,
    handed: BTreeMap<i64, f64>,
}

impl Marks {
    async fn read(page: &Page, id: &str) -> Result<Self> {
        let read = async |prefix: String| -> Result<BTreeMap<i64, f64>> {
            // A value is told and painted again with what is new beside it; the first time counts.
            let script = format!(
                "const first = {{}}; for (const mark of performance.getEntriesByType('mark')) {{ \
                 if (!mark.name.startsWith('{prefix}') || !mark.name.includes('ulse')) continue; \
                 const time = mark.name.slice('{prefix}'.length).split(' ')[0]; \
                 first[time] ??= performance.timeOrigin + mark.startTime; }} return first"
            );
            let marks = page.script(&script).await?;
            let marks = marks.as_object().context("no marks")?;
            let mark = |(time, at): (&String, &Value)| Some((time.parse().ok()?, at.as_f64()?));
            Ok(marks.iter().filter_map(mark).collect())
        };
        Ok(Self {
            arrived: read(format!("fogward arrived {id} ")).await?,
            painted: read("fogward painted ".to_owned()).await?,
            handed: read("fogward handed ".to_owned()).await?,
        })
    }

    /// When this value or a newer one was first there.
    fn since(marks: &BTreeMap<i64, f64>, time: i64) -> Option<f64> {
        marks.range(time..).map(|(_, at)| *at).reduce(f64::min)
    }
}

/// The time that the record gives each frame's pulse, in their order.
fn times(node: &Node, id: &str, written: &[(u64, f64)]) -> Result<Vec<i64>> {
    let asked = ["readings", "--api", &node.address, "--device", id];
    let only = ["--metric", "8889-8", "--limit", "10000", "--json"];
    let rows = cli::fogward_json(asked.into_iter().chain(only))?;
    let rows = rows.as_array().context("no readings")?;
    let row = |row: &Value| Some((row["value"].as_f64()? as u64, row["host_time"].as_i64()?));
    let mut rows: Vec<_> = rows.iter().filter_map(row).collect();
    rows.reverse();
    // What was written before the node opened the line is not in the record; from there on, all is.
    let mut rows = rows.into_iter();
    let mut next = rows.next();
    let mut times = Vec::new();
    for (pulse, at) in written {
        match next {
            Some((value, time)) if value == *pulse && time as f64 + 1.0 >= *at => {
                times.push(time);
                next = rows.next();
            }
            _ if times.iter().all(|time| *time == i64::MIN) => times.push(i64::MIN),
            _ => anyhow::bail!("a pulse that was written is not the next one in the record"),
        }
    }
    Ok(times)
}

/// Milliseconds, a value each.
#[derive(Default)]
struct Delays {
    frame_to_event: Vec<f64>,
    event_to_painted: Vec<f64>,
    frame_to_painted: Vec<f64>,
    frame_to_handed: Vec<f64>,
}

impl Delays {
    fn of(written: &[(u64, f64)], times: &[i64], marks: &Marks) -> Result<Self> {
        let mut delays = Self::default();
        for ((_, at), time) in written.iter().zip(times) {
            let arrived = Marks::since(&marks.arrived, *time).context("never told")?;
            let painted = Marks::since(&marks.painted, *time).context("never painted")?;
            let handed = Marks::since(&marks.handed, *time).context("never handed on")?;
            ensure!(arrived <= painted, "painted before it was told");
            delays.frame_to_event.push(arrived - at);
            delays.event_to_painted.push(painted - arrived);
            delays.frame_to_painted.push(painted - at);
            delays.frame_to_handed.push(handed - at);
        }
        Ok(delays)
    }

    fn figures(mut self, skew: f64) -> Value {
        let mut figures = json!({
            "values": self.frame_to_painted.len(),
            "sensors": OTHERS + 1,
            "browser_clock_skew_ms": skew,
        });
        for (name, delays) in [
            ("frame_to_event", &mut self.frame_to_event),
            ("event_to_painted", &mut self.event_to_painted),
            ("frame_to_painted", &mut self.frame_to_painted),
            ("frame_to_handed", &mut self.frame_to_handed),
        ] {
            delays.sort_by(f64::total_cmp);
            for percent in [50, 99] {
                // The nearest rank.
                let rank = (delays.len() * percent).div_ceil(100).saturating_sub(1);
                let figure = delays
                    .get(rank)
                    .map(|millis| (millis * 10.0).round() / 10.0);
                figures[format!("{name}_p{percent}_ms")] = json!(figure);
            }
        }
        figures
    }
}
