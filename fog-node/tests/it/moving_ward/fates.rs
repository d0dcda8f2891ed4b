//! What became of all that was sent: the gap ledgers of both vaults and what is stored, beside what each sensor knows.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use fog_node::vault::gaps::{self, Kind as Counted};
use fog_node::vault::{VAULT_FILE, devices, open_read_only};

use super::meter::Meter;
use super::standard::Profile;
use super::worn::Sent;
use crate::program::ask;

/// Most readings that a node tells at once.
const PAGE: usize = 10_000;

/// How often each value was stored, or sent.
type Values = BTreeMap<(String, i64), u64>;

/// What both nodes say of one sensor.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Account {
    counters: BTreeMap<(Counted, String), u64>,
    /// Its ids, by the nodes that know it.
    ids: Vec<(usize, String)>,
}

/// The accounts of all sensors, by their handles.
pub(super) type Accounts = BTreeMap<String, Account>;

/// Reads the gap ledgers of both vaults, those of devices that were handed over among them.
pub(super) fn accounts(data: [&PathBuf; 2]) -> Accounts {
    let mut accounts = Accounts::new();
    for (node, data) in data.into_iter().enumerate() {
        let vault = open_read_only(&data.join(VAULT_FILE)).unwrap();
        for (id, handle) in devices::handles(&vault).unwrap() {
            let account = accounts.entry(handle.to_string()).or_default();
            for (counter, count) in gaps::of_device(&vault, &id).unwrap() {
                *account.counters.entry(counter).or_default() += count;
            }
            account.ids.push((node, id));
        }
    }
    accounts
}

/// What the sensors' readings came to, in all.
#[derive(Default, Debug)]
pub(super) struct Fates {
    /// Readings that are sure to have reached a node, or are numbered.
    pub(super) sent: u64,
    pub(super) received: u64,
    /// Readings named as lost, or refused.
    pub(super) named: u64,
    /// Readings that no number names and that were in flight when a node was killed or let the link go: stored,
    /// and not.
    pub(super) in_flight_stored: u64,
    pub(super) in_flight_lost: u64,
    /// Readings measured while nobody was subscribed, which neither a number nor a rate tells.
    pub(super) unheard: u64,
    /// What is wrong.
    pub(super) faults: Vec<String>,
}

impl Account {
    fn sum(&self, kind: Counted) -> u64 {
        let of_kind = self.counters.iter().filter(|((of, _), _)| *of == kind);
        of_kind.map(|(_, count)| count).sum()
    }

    fn count(&self, kind: Counted, reason: &str) -> u64 {
        let counter = (kind, reason.to_owned());
        self.counters.get(&counter).copied().unwrap_or_default()
    }

    fn received(&self) -> u64 {
        self.sum(Counted::Received)
    }

    /// Readings that are lost, by the ledger.
    fn lost(&self) -> u64 {
        let lost = self.sum(Counted::RejectedReadings) + self.sum(Counted::Missing);
        lost.saturating_sub(self.sum(Counted::Recovered))
    }

    /// What is stored of it, at both nodes.
    fn stored(&self, apis: &[String; 2]) -> Values {
        let mut stored = Values::new();
        for (node, id) in &self.ids {
            let limit = PAGE.to_string();
            let api = apis[*node].as_str();
            let rows = ask(&["readings", "--device", id, "--limit", &limit, "--api", api]);
            let rows = rows.as_array().unwrap();
            assert!(rows.len() < PAGE, "too many readings to look at");
            for row in rows {
                let value = row["value"].as_f64().unwrap();
                let key = (row["code"].as_str().unwrap(), (value * 1e4).round() as i64);
                *stored.entry((key.0.to_owned(), key.1)).or_default() += 1;
            }
        }
        stored
    }
}

impl Fates {
    /// Notes what is wrong with a sensor, unless it is right.
    fn check(&mut self, what: &str, is_right: bool, account: &Account) {
        if !is_right {
            self.faults.push(format!("{what}: {:?}", account.counters));
        }
    }

    /// Of a sensor whose readings are numbered and have these values: each is received or named, once. So many more
    /// may be named that were numbered and were no readings.
    pub(super) fn of_numbered(
        &mut self,
        name: &str,
        (account, apis): (&Account, &[String; 2]),
        (values, others): (impl IntoIterator<Item = (String, i64)>, u64),
    ) {
        let sent: Values = values.into_iter().map(|value| (value, 1)).collect();
        let (count, received, lost) = (sent.len() as u64, account.received(), account.lost());
        let stored = account.stored(apis);
        self.sent += count;
        self.received += received;
        self.named += lost;
        let what = format!("{name}: {received} received + {lost} named of {count}");
        let is_right = (count..=count + others).contains(&(received + lost));
        self.check(&what, is_right, account);
        let is_ours = stored
            .iter()
            .all(|(value, count)| sent.get(value) == Some(count));
        self.check(
            &format!("{name}: stored twice, or never sent"),
            is_ours,
            account,
        );
        let rows: u64 = stored.values().sum();
        self.check(&format!("{name}: {rows} stored"), rows == received, account);
    }

    /// Of a glucose meter.
    pub(super) fn of_meter(&mut self, name: &str, at: (&Account, &[String; 2]), meter: &Meter) {
        let mut values = Values::new();
        for number in 1..=meter.newest {
            let (code, value) = Meter::value(number);
            *values.entry((code.to_owned(), value)).or_default() += 1;
        }
        assert!(values.values().all(|count| *count == 1), "not each its own");
        self.of_numbered(name, at, (values.into_keys(), 0));
    }

    /// Of a sensor that numbers nothing: what was notified to a subscriber is stored as often as it was sent, or
    /// refused by name. Only what was in flight when a node was killed or let the link go may be neither.
    pub(super) fn of_standard(
        &mut self,
        name: &str,
        (account, apis): (&Account, &[String; 2]),
        (profile, sent): (Profile, &[Sent]),
    ) {
        let mut stored = account.stored(apis);
        let rows: u64 = stored.values().sum();
        let received = account.received();
        self.check(&format!("{name}: {rows} stored"), rows == received, account);
        // First what is sure, so that of equal values those in flight come second.
        let (unsure, sure): (Vec<_>, Vec<_>) = sent.iter().partition(|sent| sent.was_in_flight);
        let mut take = |all: &[&Sent]| -> Vec<u64> {
            let missed = all.iter().map(|sent| {
                let values = sent.readings.iter().map(|(code, value)| {
                    let left = stored.get_mut(&((*code).to_owned(), *value));
                    let left = left.filter(|left| **left > 0);
                    left.map_or(1, |left| {
                        *left -= 1;
                        0
                    })
                });
                values.sum()
            });
            missed.collect()
        };
        let missed = take(&sure);
        let missing: u64 = missed.iter().sum();
        let lost: u64 = take(&unsure).iter().sum();
        let readings = |all: &[&Sent]| all.iter().map(|sent| sent.readings.len() as u64).sum();
        let (sure_readings, unsure_readings): (u64, u64) = (readings(&sure), readings(&unsure));
        let surplus: u64 = stored.values().sum();
        self.sent += sure_readings;
        self.received += received - (unsure_readings - lost);
        self.in_flight_stored += unsure_readings - lost;
        self.in_flight_lost += lost;
        let when = spans(&sure, &missed);
        let what = format!("{name}: {missing} notified and neither stored nor refused, {when}");
        self.check(&what, missing == 0, account);
        let what = format!("{name}: {surplus} stored twice, or never sent");
        self.check(&what, surplus == 0, account);
        self.check_refused(name, account, profile, (&sure, &unsure));
    }

    fn check_refused(
        &mut self,
        name: &str,
        account: &Account,
        profile: Profile,
        (sure, unsure): (&[&Sent], &[&Sent]),
    ) {
        let sum = |all: &[&Sent]| {
            all.iter().fold((0, 0), |(frames, readings), sent| {
                (frames + sent.refused.0, readings + sent.refused.1)
            })
        };
        let (least, more) = (sum(sure), sum(unsure));
        // The first of two packets that was in flight with the second is refused as incomplete.
        let halves = match profile {
            Profile::Composition => unsure.len() as u64,
            _ => 0,
        };
        let frames = account.sum(Counted::RejectedFrames);
        let readings = account.sum(Counted::RejectedReadings);
        self.sent += least.1;
        self.named += least.1;
        let is_right = (least.0..=least.0 + more.0 + halves).contains(&frames)
            && (least.1..=least.1 + more.1).contains(&readings);
        let what = format!("{name}: {frames} frames and {readings} readings refused of {least:?}");
        self.check(&what, is_right, account);
        let missing =
            account.sum(Counted::Missing) + account.count(Counted::RejectedFrames, "replayed");
        let what = format!("{name}: neither rate nor number, and {missing} named by one");
        self.check(&what, missing == 0, account);
    }
}

/// When and where readings were missed, one after another.
fn spans(sent: &[&Sent], missed: &[u64]) -> String {
    let missed = sent
        .iter()
        .zip(missed)
        .filter(|(sent, _)| !sent.readings.is_empty());
    let mut spans: Vec<(&Sent, &Sent)> = Vec::new();
    let mut goes_on = false;
    for (sent, missed) in missed {
        match spans.last_mut().filter(|_| goes_on) {
            Some((_, last)) if *missed > 0 => *last = sent,
            _ if *missed > 0 => spans.push((sent, sent)),
            _ => {}
        }
        goes_on = *missed > 0;
    }
    let span = |(first, last): (&Sent, &Sent)| {
        let seconds = last.at.duration_since(first.at).as_secs_f32();
        format!(
            "from {} for {seconds:.1} s in ward {}",
            utc(first.at),
            first.ward
        )
    };
    let spans: Vec<_> = spans.into_iter().map(span).collect();
    spans.join(", ")
}

/// The time of day, as the nodes' logs tell it.
pub(super) fn utc(at: Instant) -> String {
    let at = SystemTime::now() - at.elapsed();
    let at = at.duration_since(UNIX_EPOCH).unwrap().as_secs();
    format!("{:02}:{:02}:{:02}", at / 3600 % 24, at / 60 % 60, at % 60)
}
