//! Goal: a ward of sensors of all Bluetooth profiles, of level-0 sensors over the air and of wired ones lives a hard
//! life at two nodes, and every reading that was sent has its fate in the gap ledgers; nothing is counted twice.
//! Method: two real nodes of one organisation that roam (`--ble --roam`), each with a fake BlueZ of its own, and
//! wired level-0 sensors at pseudo terminals. Once a second each sensor measures; by chance it loses its link, goes
//! out of reach and comes back, walks to the other ward, or sends a damaged value; now and then a node is killed
//! and started again. At the end:
//!
//! - What is numbered (level-0 readings, a glucose meter's records) is received or named, each number once. An
//!   introduction of a level-0 device has a number, too: one that no host may have heard is the only thing that may
//!   be named besides.
//! - Of the other profiles, which number nothing, the test knows what it notified to a subscriber: it is stored
//!   exactly as often as it was sent, or refused and counted, also when the link fell at once afterwards or the
//!   node let it go for a hand-over. Only of what was notified in the last two seconds before a node was *killed*
//!   some may be neither: it was never durable, and there is no number to miss it by. It is told apart as *in
//!   flight*, and not stored twice either.
//! - What such a sensor measured while nobody was subscribed was never sent. The profiles promise no rate, so the
//!   gap ledger must claim nothing of it; it is told as *unheard*.
//! - Both folders pass `fsck`.
//!
//! As part of the tests it takes 20 s with 28 sensors, and half a minute around them. The long one, with 100 sensors for half an hour, is
//! `cargo xtask ward`, or `FOGWARD_WARD_SECONDS=1800 FOGWARD_WARD_SENSORS=100 cargo test -p fog-node --test it
//! moving_ward -- --nocapture`. Left out: wired sensors that staff move, and the wired profiles that number nothing,
//! which `fogward bench moves` plays; bonded sensors, which do not roam.

mod air;
mod fates;
mod meter;
mod nodes;
mod numbered;
mod spoil;
mod standard;
mod wired;
mod worn;

use std::path::Path;
use std::time::{Duration, Instant};

use bluez_fake::Daemon;
use device_drivers::measurement::Metric;

use air::Air;
use fates::{Accounts, Fates, utc};
use nodes::{Devices, Nodes};
use numbered::{Class, Numbered};
use spoil::{Done, Spoil};
use standard::Profile;
use wired::Wired;
use worn::{Kind, Place, Worn};

/// Seconds of hard life, and sensors, in the test that everybody runs.
const SECONDS: u32 = 20;
const SENSORS: u32 = 28;
/// Seconds until all is as it is to be: a device is handed over, a killed node is back.
const CALM_AT_MOST: u32 = 120;
/// The gap ledgers have settled when they stay as they are for so long.
const SETTLED: Duration = Duration::from_millis(1_500);
/// Seconds between two kills, at most.
const KILLS_EVERY: u32 = 240;

/// All that lives in the wards.
struct Ward {
    worn: Vec<Worn>,
    wired: Vec<Wired>,
    done: Done,
}

impl Ward {
    /// So many sensors of all kinds in turn: of 14, eight of standard profiles, four level-0 over the air and two
    /// wired.
    fn new(folder: &Path, sensors: u32) -> Self {
        const PROFILES: [Profile; 7] = [
            Profile::HeartRate,
            Profile::Thermometer,
            Profile::Oximeter,
            Profile::SpotCheck,
            Profile::BloodPressure,
            Profile::Weight,
            Profile::Composition,
        ];
        const CLASSES: [Class; 4] = [
            Class::Keeping,
            Class::UltraLight,
            Class::LowCost,
            Class::Signing,
        ];
        let (mut worn, mut wired) = (Vec::new(), Vec::new());
        for number in 0..sensors {
            let (round, of) = (number as usize / 14, number as usize % 14);
            match of {
                0..7 => worn.push(Worn::standard(number, PROFILES[of])),
                7 => worn.push(Worn::meter(number)),
                8..12 => worn.push(Worn::numbered(number, CLASSES[of - 8])),
                _ => {
                    let class = CLASSES[(2 * round + of) % 4];
                    wired.push(Wired::new(folder, number, class));
                }
            }
        }
        for (number, worn) in worn.iter_mut().enumerate() {
            worn.place = Place::Between(0, number % 2);
        }
        Self {
            worn,
            wired,
            done: Done::default(),
        }
    }

    /// A second of all sensors, one after another and spread over it; longer on a machine that is too slow for it.
    fn second(&mut self, air: &Air, spoil: &mut Spoil) {
        let start = Instant::now();
        let step = Duration::from_secs(1) / (self.worn.len() + self.wired.len()) as u32;
        let mut next = start;
        let mut wait = || {
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            next += step;
        };
        for worn in &mut self.worn {
            wait();
            worn.live(air, spoil, &mut self.done);
        }
        for wired in &mut self.wired {
            wait();
            wired.live(spoil, &mut self.done);
        }
        wait();
    }

    /// Lives without disturbance until every sensor is read and has said all.
    fn calm(&mut self, air: &Air, spoil: &mut Spoil, nodes: &mut Nodes) {
        spoil.is_on = false;
        self.worn.iter_mut().for_each(Worn::calm_down);
        for _ in 0..CALM_AT_MOST {
            self.second(air, spoil);
            let is_heard = |wired: &Wired| wired.numbered.is_heard;
            if self.worn.iter().all(Worn::is_done) && self.wired.iter().all(is_heard) {
                return;
            }
        }
        let silent = self.wired.iter().filter(|wired| !wired.numbered.is_heard);
        let silent: Vec<_> = silent
            .map(|wired| (wired.numbered.class, &wired.path))
            .collect();
        let waiting = self.worn.iter().filter(|worn| !worn.is_done());
        let waiting: Vec<_> = waiting
            .map(|worn| (&worn.body.address, worn.place))
            .collect();
        let states = nodes.states();
        panic!("{states:#?}: not read after {CALM_AT_MOST} s: {waiting:?}, {silent:?}");
    }

    fn node_killed(&mut self, air: &Air, node: usize) {
        self.done.kills += 1;
        for worn in &mut self.worn {
            worn.node_killed(air, node);
        }
        for wired in self.wired.iter_mut().skip(node).step_by(2) {
            wired.numbered.is_heard = false;
            wired.numbered.line_ended();
        }
    }
}

fn setting(name: &str, standard: u32) -> u32 {
    let set = std::env::var(name).ok();
    set.map_or(standard, |set| set.parse().unwrap())
}

#[test]
fn every_reading_of_a_moving_ward_has_its_fate() {
    let seconds = setting("FOGWARD_WARD_SECONDS", SECONDS);
    let sensors = setting("FOGWARD_WARD_SENSORS", SENSORS);
    let folder = tempfile::tempdir().unwrap();
    let buses = [Daemon::start(), Daemon::start()];
    let air = Air::new(&buses);
    let mut nodes = Nodes::start(folder.path(), buses);
    let mut ward = Ward::new(folder.path(), sensors);
    let mut spoil = Spoil::new(sensors);
    nodes.pair(folder.path(), &ward.worn, &ward.wired);
    ward.calm(&air, &mut spoil, &mut nodes);
    spoil.is_on = true;
    let between_kills = (seconds / 3).clamp(1, KILLS_EVERY);
    let (begun, mut next_kill) = (Instant::now(), between_kills);
    while begun.elapsed().as_secs() < seconds.into() {
        if begun.elapsed().as_secs() >= next_kill.into() && next_kill + between_kills <= seconds {
            let node = (next_kill / between_kills) as usize % 2;
            nodes.kill(node);
            eprintln!("{}: killed node {node}", utc(Instant::now()));
            ward.node_killed(&air, node);
            nodes.start_again(node);
            next_kill += between_kills;
        }
        ward.second(&air, &mut spoil);
    }
    ward.calm(&air, &mut spoil, &mut nodes);
    let accounts = settled(&nodes);
    let devices = nodes.devices(accounts);
    let fates = judged(&ward, &devices);
    let (moves, registered) = (devices.moves, devices.registered);
    eprintln!(
        "{seconds} s, {sensors} sensors: {moves} moves, {:?}",
        ward.done
    );
    eprintln!("{fates:?}");
    assert!(fates.faults.is_empty(), "{:#?}", fates.faults);
    assert_eq!(registered, sensors as usize, "registered once");
    assert!(moves > 0 && ward.done.disturbed > 0 && ward.done.drops > 0);
    assert!(fates.received > fates.sent / 2 && fates.named > 0);
    nodes.stop();
}

/// The accounts once nothing is on its way any more.
fn settled(nodes: &Nodes) -> Accounts {
    let since = Instant::now();
    let mut before = nodes.accounts();
    loop {
        std::thread::sleep(SETTLED);
        let now = nodes.accounts();
        if now == before {
            return now;
        }
        assert!(since.elapsed() < Duration::from_secs(30), "never settled");
        before = now;
    }
}

/// What became of all readings, sensor by sensor, so that one's excess hides no other's loss.
fn judged(ward: &Ward, devices: &Devices) -> Fates {
    let mut fates = Fates::default();
    let numbers = |numbered: &Numbered| {
        let code = Metric::HeartRate.loinc();
        let numbers = numbered.first.unwrap_or_default()..numbered.measured;
        let numbers = numbers.map(|number| i64::try_from(number).unwrap());
        numbers.map(move |number| (code.to_owned(), number * 10_000))
    };
    for worn in &ward.worn {
        let path = format!("ble:{}", worn.body.address);
        let at = devices.at(&path);
        fates.unheard += worn.unheard;
        match &worn.kind {
            Kind::Numbered(numbered) => {
                let name = format!("{:?} over the air", numbered.class);
                let values = (numbers(numbered), numbered.lost_hellos);
                fates.of_numbered(&name, at, values);
            }
            Kind::Meter(meter) => fates.of_meter("Glucose", at, meter),
            Kind::Standard(profile, sent) => {
                fates.of_standard(&format!("{profile:?}"), at, (*profile, sent));
            }
        }
    }
    for wired in &ward.wired {
        let name = format!("{:?} on a wire", wired.numbered.class);
        let at = devices.at(&wired.path.display().to_string());
        let values = (numbers(&wired.numbered), wired.numbered.lost_hellos);
        fates.of_numbered(&name, at, values);
    }
    fates
}
