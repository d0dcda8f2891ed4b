//! Goal: what was granted is shown as it comes, each reading once and none missing, under receipts; and nothing is
//! shown from the block on that ends it, or after its time, its period or a lock. Method: the program itself follows a
//! simulated ward; the record as a nurse sees it at the bedside is the oracle; the node is killed in the middle.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json as value};

use crate::access::{is_clean, put, refused, register};
use crate::desk::Desk;
use crate::disclosed::{PULSE, SATURATION, shown, told};
use crate::program::{Printing, Running, ask, wait_for};

const NURSES: &str = "permit(principal in Role::\"nurse\", action, resource)\nwhen { \
     context.relations.contains(Relation::\"treating\") && resource.metric == \"59408-5\" };";
/// The same of nobody.
const NO_NURSES: &str = "permit(principal in Role::\"nurse\", action, resource)\nwhen { \
     context.relations.contains(Relation::\"treating\") && resource.metric == \"0-0\" };";

/// Shorter than the time between two reads: what waited for the next one would be later more often than not.
const AT_ONCE: i64 = 1_000;

/// Readings by name: when they were taken, and their values.
pub(crate) type Readings = BTreeMap<String, (i64, Option<f64>)>;

/// A patient who wears the first device of a ward.
pub(crate) struct Worn {
    id: String,
    pub(crate) handle: String,
}

impl Worn {
    pub(crate) fn of_ward(api: &str) -> Self {
        let devices = ask(&["device", "list", "--api", api]);
        let device = devices[0]["id"].as_str().unwrap();
        wait_for("the registration", || {
            let device = ask(&["device", "show", device, "--api", api]);
            device["registered_height"].as_u64()
        });
        let added = ask(&["patient", "add", "Ana Brook", "--api", api]);
        let id = added["id"].as_str().unwrap().to_owned();
        ask(&["patient", "assign", &id, device, "--api", api]);
        let patient = ask(&["patient", "show", &id, "--api", api]);
        let mut handles = patient["handles"].as_array().unwrap().iter();
        let handle = handles.find(|row| row["purpose"] == "treatment").unwrap();
        let handle = handle["handle"].as_str().unwrap().to_owned();
        Self { id, handle }
    }

    /// Her readings at the bedside that were taken in a time.
    pub(crate) fn readings(&self, desk: &Desk, who: &str, from: i64, until: i64) -> Readings {
        let asked = ["patient", "readings", &self.id, "--limit", "10000"];
        let rows = desk.ask(&[&asked[..], &["--metric", SATURATION, "--as", who]].concat());
        let rows = rows.as_array().unwrap().iter().map(|row| {
            let at = row["host_time"].as_i64().unwrap();
            let id = row["id"].as_str().unwrap().to_owned();
            (id, (at, row["value"].as_f64()))
        });
        rows.filter(|(_, (at, _))| (from..until).contains(at))
            .collect()
    }

    /// Asks for what is to come; the request.
    fn request(&self, desk: &Desk, who: &str, seconds: &str, lasts: &str) -> Value {
        let both = ["--metric", SATURATION, "--metric", PULSE];
        let asked = ["access", "request", &self.handle, "--as", who];
        let time = ["--next", seconds, "--for", lasts];
        desk.ask(&[&asked[..], &both, &time, &["--relation", "treating"]].concat())
    }
}

/// Somebody who follows.
pub(crate) struct View {
    printing: Printing,
    events: Vec<Value>,
}

/// How a view has ended.
pub(crate) struct Ended {
    /// What was shown, oldest first.
    pub(crate) events: Vec<Value>,
    /// The last event, if it is the end.
    pub(crate) end: Option<Value>,
    pub(crate) exit: i32,
    pub(crate) complaint: String,
}

pub(crate) fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(now.as_millis()).unwrap()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

impl View {
    pub(crate) fn open(desk: &Desk, request: &str, who: &str, more: &[&str]) -> Self {
        let follow = ["access", "read", request, "--follow", "--as", who];
        Self {
            printing: desk.printing(&[&follow[..], more].concat()),
            events: Vec::new(),
        }
    }

    /// The next event that shows something; how old its newest reading was when it came, in milliseconds.
    pub(crate) fn see(&mut self) -> i64 {
        loop {
            let event = self.printing.next().expect("it goes on");
            assert_eq!(event["event"], "shown", "{event}");
            let newest = shown(&event["data"])
                .values()
                .map(|(taken, _)| *taken)
                .max();
            self.events.push(event["data"].clone());
            if let Some(newest) = newest {
                return now() - newest;
            }
        }
    }

    /// Waits until it ends.
    pub(crate) fn end(mut self) -> Ended {
        let mut end = None;
        while let Some(event) = self.printing.next() {
            assert_eq!(end, None, "nothing follows the end");
            match text(&event["event"]) {
                "shown" => self.events.push(event["data"].clone()),
                _ => end = Some(event["data"].clone()),
            }
        }
        let (exit, complaint) = self.printing.ended();
        Ended {
            events: self.events,
            end,
            exit,
            complaint,
        }
    }
}

impl Ended {
    /// All that was shown; nothing twice.
    pub(crate) fn shown(&self) -> Readings {
        let mut all = Readings::new();
        for event in &self.events {
            for stream in event["streams"].as_array().unwrap() {
                assert_eq!(stream["code"], SATURATION, "cut by metric");
            }
            for (id, row) in shown(event) {
                assert!(all.insert(id, row).is_none(), "shown twice");
            }
        }
        all
    }

    /// How many reads that were, each under a receipt of its own.
    pub(crate) fn reads(&self) -> u64 {
        let receipts = self.events.iter().map(|event| &event["receipts"]);
        let receipts: Vec<_> = receipts.flat_map(|all| all.as_array().unwrap()).collect();
        let names: std::collections::BTreeSet<_> = receipts
            .iter()
            .map(|one| text(&one["transaction"]))
            .collect();
        assert_eq!(names.len(), receipts.len());
        let readings: u64 = receipts
            .iter()
            .map(|one| one["readings"].as_u64().unwrap())
            .sum();
        assert_eq!(readings, self.shown().len() as u64);
        names.len() as u64
    }

    /// It was cut off at the block of this height, or the next, so many milliseconds at most after this moment, and
    /// nothing was read after it.
    pub(crate) fn was_cut_by(&self, row: &Value, by: &str, at: i64, within: i64) {
        let end = self.end.as_ref().unwrap();
        let (height, ended) = (row["changed_height"].as_u64().unwrap(), &end["height"]);
        let ended = ended.as_u64().unwrap();
        assert!(
            (height..=height + 1).contains(&ended),
            "{ended} for {height}"
        );
        let late = end["at"].as_i64().unwrap() - at;
        assert!(late < within, "{late} ms");
        assert_eq!((&end["why"]["code"], self.exit), (&value!("ACC-06"), 1));
        assert!(text(&end["why"]["why"]).contains(by), "{end}");
        assert!(self.complaint.contains("(ACC-06)"), "{}", self.complaint);
        let with_receipts = self.events.iter();
        let mut with_receipts = with_receipts.filter(|event| event["receipts"] != value!([]));
        assert!(with_receipts.all(|event| event["at"].as_i64().unwrap() <= at));
        assert!(self.shown().values().all(|(taken, _)| *taken <= at));
    }

    /// Nothing is missing of what the bedside has from the first reading shown to the last.
    pub(crate) fn is_without_a_hole(&self, patient: &Worn, desk: &Desk, who: &str) {
        let shown = self.shown();
        let taken = || shown.values().map(|(taken, _)| *taken);
        let (first, last) = (taken().min().unwrap(), taken().max().unwrap());
        assert_eq!(shown, patient.readings(desk, who, first, last + 1));
    }
}

/// The ledger was told of all reads that were shown, and of at most so many that were given up.
pub(crate) fn told_of(desk: &Desk, who: &str, request: &str, reads: u64, given_up: u64) {
    wait_for("the receipts", || {
        let row = desk.ask(&["access", "show", request, "--as", who]);
        let told = row["reads"].as_u64().unwrap();
        assert!(told <= reads + given_up, "{told} of {reads}");
        (told >= reads).then_some(())
    });
}

#[test]
fn what_is_followed_is_cut_off_at_the_block_that_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let node = Running::start(&data, &["--demo=2".into()]);
    let api = node.address();
    let patient = Worn::of_ward(&api);
    let desk = Desk::new(&api);
    let people = [("anna", "admin"), ("nina", "nurse"), ("nora", "nurse")];
    register(&desk, &people);
    put(&desk, Some("anna"), "nurses", NURSES);
    let request = |who| patient.request(&desk, who, "600", "3600");
    let row = request("nina");
    let handle = text(&row["handle"]);

    // New values come within seconds, each once, none missing.
    let mut view = View::open(&desk, handle, "nina", &[]);
    for _ in 0..4 {
        let late = view.see();
        assert!(late < 8_000, "{late} ms");
    }
    // Ended by an admin: the view ends at that block.
    let ended = desk.ask(&["access", "revoke", handle, "--as", "anna"]);
    let at = now();
    let seen = view.end();
    seen.was_cut_by(&ended, "anna Featherstone", at, AT_ONCE);
    seen.is_without_a_hole(&patient, &desk, "nina");
    told_of(&desk, "nina", handle, seen.reads(), 1);
    let follow = ["access", "read", handle, "--follow", "--as", "nina"];
    refused(&desk, &follow, "ACC-06");

    // What the grant rests on is gone: the same.
    let row = request("nina");
    let handle = text(&row["handle"]);
    let mut view = View::open(&desk, handle, "nina", &["--metric", SATURATION]);
    view.see();
    put(&desk, Some("anna"), "nurses", NO_NURSES);
    let at = now();
    let seen = view.end();
    let end = seen.end.as_ref().unwrap();
    assert!(text(&end["why"]["why"]).contains("the policies permit nothing"));
    assert_eq!((&end["why"]["code"], seen.exit), (&value!("ACC-06"), 1));
    assert!(end["at"].as_i64().unwrap() < at + AT_ONCE);
    assert!(seen.shown().values().all(|(taken, _)| *taken <= at));
    told_of(&desk, "nina", handle, seen.reads(), 1);

    // Nobody follows what is somebody else's, nor more than a few things at once.
    put(&desk, Some("anna"), "nurses", NURSES);
    let row = request("nora");
    let handle = text(&row["handle"]);
    refused(
        &desk,
        &["access", "read", handle, "--follow", "--as", "nina"],
        "API-04",
    );
    refused(
        &desk,
        &["access", "read", handle, "--follow", "--as", "anna"],
        "ACC-03",
    );
    let follow = ["access", "read", handle, "--follow", "--as", "nora"];
    let other = [&follow[..], &["--metric", "1-1"]].concat();
    refused(&desk, &other, "ACC-01");
    let mut views: Vec<_> = (0..4)
        .map(|_| View::open(&desk, handle, "nora", &[]))
        .collect();
    for view in &mut views {
        view.see();
    }
    let (exit, _, complaint) = desk.run(&follow);
    assert!(
        exit == 2 && complaint.contains("(ACC-12)"),
        "{exit} {complaint}"
    );
    drop(views);
    let mut again = wait_for("a free seat", || {
        let view = View::open(&desk, handle, "nora", &[]);
        view.printing.next().map(|event| (view, event))
    });
    again.0.see();
    assert!(node.terminate().success());
    let stopped = again.0.end();
    assert_eq!(stopped.exit, 2, "{}", stopped.complaint);
    is_clean(&data);
}

#[test]
fn what_is_followed_ends_with_its_time_its_period_and_the_session() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let arguments = ["--demo=2", "--lock-after=60"].map(str::to_owned);
    let node = Running::start(&data, &arguments);
    let api = node.address();
    let patient = Worn::of_ward(&api);
    let desk = Desk::new(&api);
    let people = [
        ("anna", "admin"),
        ("nina", "nurse"),
        ("nora", "nurse"),
        ("nick", "nurse"),
    ];
    register(&desk, &people);
    put(&desk, Some("anna"), "nurses", NURSES);
    let view = |row: &Value, who| {
        let from = row["from"].to_string();
        View::open(&desk, text(&row["handle"]), who, &["--from", &from])
    };
    let [short, whole] = [("600", "60"), ("20", "3600")]
        .map(|(seconds, lasts)| patient.request(&desk, "nina", seconds, lasts));
    let (of_nora, of_nick) = (
        patient.request(&desk, "nora", "600", "3600"),
        patient.request(&desk, "nick", "600", "3600"),
    );
    let [short_view, whole_view] = [view(&short, "nina"), view(&whole, "nina")];
    let (locking, mut leaving) = (view(&of_nora, "nora"), view(&of_nick, "nick"));

    // Who signs out follows nothing.
    leaving.see();
    desk.ask(&["logout", "nick"]);
    let left = now();
    let out = leaving.end();
    assert_eq!(out.end.as_ref().unwrap()["why"]["code"], "AUTH-01");
    assert!(out.end.as_ref().unwrap()["at"].as_i64().unwrap() < left + 2_000);
    assert_eq!(out.exit, 1);

    // The period is over: exactly that was shown.
    let all = whole_view.end();
    assert_eq!(all.end.as_ref().unwrap()["why"]["code"], "ACC-13");
    assert_eq!((all.exit, all.complaint.as_str()), (0, ""));
    let of = |name: &str| whole[name].as_i64().unwrap();
    let expected = patient.readings(&desk, "nina", of("from"), of("until"));
    assert!(expected.len() > 4);
    assert_eq!(all.shown(), expected);
    told(&desk, "nina", text(&whole["handle"]), all.reads());

    // Nina does something now and then, Nora does not; the grant of a minute ends to the moment.
    let busy = std::thread::scope(|scope| {
        let short = scope.spawn(|| short_view.end());
        while !short.is_finished() {
            desk.ask(&["access", "list", "--as", "nina"]);
            std::thread::sleep(Duration::from_secs(2));
        }
        short.join().unwrap()
    });
    let (end, ends) = (busy.end.as_ref().unwrap(), short["ends"].as_i64().unwrap());
    let late = end["at"].as_i64().unwrap() - ends;
    assert!((0..2_000).contains(&late), "{late} ms");
    assert_eq!((&end["why"]["code"], busy.exit), (&value!("ACC-06"), 1));
    assert!(busy.shown().values().all(|(taken, _)| *taken < ends));
    busy.is_without_a_hole(&patient, &desk, "nina");
    let locked = locking.end();
    assert_eq!(locked.end.as_ref().unwrap()["why"]["code"], "AUTH-03");
    assert_eq!(locked.exit, 1);
    assert!(node.terminate().success());
    is_clean(&data);
}

#[test]
fn killed_in_the_middle_receipts_and_what_was_shown_agree() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut node = Running::start(&data, &["--demo=2".into()]);
    let api = node.address();
    let patient = Worn::of_ward(&api);
    let mut desk = Desk::new(&api);
    let mut people = register(&desk, &[("anna", "admin"), ("nina", "nurse")]);
    put(&desk, Some("anna"), "nurses", NURSES);
    let row = patient.request(&desk, "nina", "600", "3600");
    let handle = text(&row["handle"]);
    let (mut all, mut reads, mut from) = (Readings::new(), 0, None::<String>);
    for kill in 0..3 {
        let more = from.iter().flat_map(|from| ["--from", from]);
        let mut view = View::open(&desk, handle, "nina", &more.collect::<Vec<_>>());
        view.see();
        view.see();
        std::thread::sleep(Duration::from_millis(700 * kill));
        node.kill();
        let seen = view.end();
        assert_eq!((seen.end.as_ref(), seen.exit), (None, 2));
        reads += seen.reads();
        all.extend(seen.shown());
        // It says itself how to go on.
        let (_, asked) = seen.complaint.split_once("--from ").unwrap();
        let digits = asked.chars().take_while(char::is_ascii_digit);
        from = Some(digits.collect());
        node = Running::start(&data, &["--demo=2".into()]);
        desk = Desk::new(&node.address());
        desk.login_by_recovery(&mut people[1]);
    }
    // What was shown has its receipts; a kill gives up at most the read that is on its way.
    told_of(&desk, "nina", handle, reads, 3);
    let taken = || all.values().map(|(taken, _)| *taken);
    let (first, last) = (taken().min().unwrap(), taken().max().unwrap());
    assert_eq!(all, patient.readings(&desk, "nina", first, last + 1));
    assert!(node.terminate().success());
    is_clean(&data);
}
