//! What a self-test measures, the bar of each figure, and the judgement.
//!
//! The bars of a radio are those Home Assistant publishes for adapters of high performance (its
//! documentation of the integration *Bluetooth*): a connection in a second, an advertisement of each device
//! a second and none lost, 95 % connected within two tries, five devices at once. The others are this
//! project's own. All of it is pure: figures in, verdicts out. Upon a figure that was not taken the
//! verdict is *not measured*, with the reason, and never *reached*.
//!
//! The order of every list here is part of a signed record (`docs/commissioning-format.md`): append only.
//! It leaves out taking the figures, which is [`crate::ble::self_test`]'s and, of lines, the fog node's.

use core::fmt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A Bluetooth adapter, with the devices it is tried with.
    Adapter,
    /// One Bluetooth LE device.
    Bluetooth,
    /// A device on a serial line.
    Serial,
    /// A simulated device.
    Simulated,
}

impl Kind {
    /// What is measured of it, in the order of the record.
    #[must_use]
    pub const fn checks(self) -> &'static [Check] {
        use Check::{
            Advertisements, Battery, BondedReads, ConnectTime, Discovery, FirstFrame,
            FramesRefused, HeldAtOnce, PortOpens, Rate, RoundTrip, Silence, TwoTries,
        };
        match self {
            Kind::Adapter => &[Advertisements, Silence, ConnectTime, TwoTries, HeldAtOnce],
            Kind::Bluetooth => &[
                Advertisements,
                Silence,
                ConnectTime,
                TwoTries,
                Discovery,
                BondedReads,
                Battery,
            ],
            Kind::Serial => &[PortOpens, FirstFrame, FramesRefused, Rate, RoundTrip],
            Kind::Simulated => &[FirstFrame, FramesRefused, Rate],
        }
    }
}

/// One figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Advertisements heard in 1,000 s, of the device least heard.
    Advertisements,
    /// Longest time in milliseconds in which one device was not heard. An advertisement lost of one a
    /// second makes two seconds of it.
    Silence,
    /// Milliseconds until the link was there, of 95 % of the tries that connected (nearest rank).
    ConnectTime,
    /// Percent of the connections that came about at the first or the second try.
    TwoTries,
    /// Devices connected at one moment.
    HeldAtOnce,
    /// Milliseconds from the link until all services were known, at the first connection.
    Discovery,
    /// Percent of the readable characteristics that a bonded device answered, its link being encrypted.
    BondedReads,
    /// Charge of the battery in percent.
    Battery,
    /// How often the port opened, of one try.
    PortOpens,
    /// Milliseconds from opening until the first valid frame.
    FirstFrame,
    /// Frames refused in the window.
    FramesRefused,
    /// Readings received in the window, in percent of those promised.
    Rate,
    /// Milliseconds from the request to introduce itself until a level-0 device has done so.
    RoundTrip,
}

impl Check {
    /// What it must reach.
    #[must_use]
    pub const fn bar(self) -> Bar {
        match self {
            Check::Advertisements => Bar::AtLeast(1_000),
            Check::Silence => Bar::AtMost(1_999),
            Check::ConnectTime => Bar::AtMost(1_000),
            Check::TwoTries | Check::Rate => Bar::AtLeast(95),
            Check::HeldAtOnce => Bar::AtLeast(5),
            Check::Discovery | Check::FirstFrame => Bar::AtMost(5_000),
            Check::BondedReads => Bar::AtLeast(100),
            Check::Battery => Bar::AtLeast(20),
            Check::PortOpens => Bar::AtLeast(1),
            Check::FramesRefused => Bar::AtMost(0),
            Check::RoundTrip => Bar::AtMost(2_000),
        }
    }

    /// The unit of the figure and its bar, UCUM but for counts, which have none.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Check::Advertisements => "/(1000.s)",
            Check::Silence
            | Check::ConnectTime
            | Check::Discovery
            | Check::FirstFrame
            | Check::RoundTrip => "ms",
            Check::TwoTries | Check::BondedReads | Check::Battery | Check::Rate => "%",
            Check::HeldAtOnce | Check::PortOpens | Check::FramesRefused => "",
        }
    }

    /// The name for programs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Check::Advertisements => "advertisements",
            Check::Silence => "silence",
            Check::ConnectTime => "connect-time",
            Check::TwoTries => "two-tries",
            Check::HeldAtOnce => "held-at-once",
            Check::Discovery => "discovery",
            Check::BondedReads => "bonded-reads",
            Check::Battery => "battery",
            Check::PortOpens => "port-opens",
            Check::FirstFrame => "first-frame",
            Check::FramesRefused => "frames-refused",
            Check::Rate => "rate",
            Check::RoundTrip => "round-trip",
        }
    }
}

/// What a figure must reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bar {
    /// This or less.
    AtMost(u64),
    /// This or more.
    AtLeast(u64),
}

/// What came of one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// The figure.
    Measured(u64),
    /// It had not happened after this much of the unit, when it was waited for no longer.
    NotWithin(u64),
    /// There is no figure.
    NotMeasured(Why),
}

/// Why there is no figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// The test ended before it.
    NotReached,
    /// No device was heard at all.
    NobodyHeard,
    /// No device was named that may be connected to.
    NobodyToConnectTo,
    /// All devices named were held, and they are fewer than the bar asks for.
    TooFewDevices,
    /// No connection came about, or it fell before the figure could be taken.
    NoConnection,
    /// Nothing arrived on the line.
    NothingArrived,
    /// In the window fewer than ten readings were promised.
    WindowTooShort,
    /// There is no bond with the device.
    NotBonded,
    /// The device has nothing of that kind.
    HasNone,
    /// The device promises no rate.
    PromisesNoRate,
    /// A level-0 device has not said what it is.
    NotIntroduced,
}

impl Why {
    /// Every reason.
    pub const ALL: [Why; 11] = [
        Why::NotReached,
        Why::NobodyHeard,
        Why::NobodyToConnectTo,
        Why::TooFewDevices,
        Why::NoConnection,
        Why::NothingArrived,
        Why::WindowTooShort,
        Why::NotBonded,
        Why::HasNone,
        Why::PromisesNoRate,
        Why::NotIntroduced,
    ];

    /// The code: `TEST-01` and on.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Why::NotReached => "TEST-01",
            Why::NobodyHeard => "TEST-02",
            Why::NobodyToConnectTo => "TEST-03",
            Why::TooFewDevices => "TEST-04",
            Why::NoConnection => "TEST-05",
            Why::NothingArrived => "TEST-06",
            Why::WindowTooShort => "TEST-07",
            Why::NotBonded => "TEST-08",
            Why::HasNone => "TEST-09",
            Why::PromisesNoRate => "TEST-10",
            Why::NotIntroduced => "TEST-11",
        }
    }

    /// Why, in a sentence for a person.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Why::NotReached => "The test ended before this was measured.",
            Why::NobodyHeard => "No device was heard nearby.",
            Why::NobodyToConnectTo => "No paired or named device is there to connect to.",
            Why::TooFewDevices => "All devices were held, but fewer than five took part.",
            Why::NoConnection => "There was no connection to measure it on.",
            Why::NothingArrived => "Nothing arrived on the line.",
            Why::WindowTooShort => "In so short a time too few readings are due to tell.",
            Why::NotBonded => "The device is not bonded; it is read without encryption.",
            Why::HasNone => "The device has nothing of this kind.",
            Why::PromisesNoRate => "The device promises no rate.",
            Why::NotIntroduced => "The device has not introduced itself in this time.",
        }
    }

    /// What to do so that it is measured the next time.
    #[must_use]
    pub const fn next(self) -> &'static str {
        match self {
            Why::NotReached => "Test once more, and let the test run to its end.",
            Why::NobodyHeard => "Switch a sensor on near the adapter and test once more.",
            Why::NobodyToConnectTo => "Pair a sensor, or name one by its address.",
            Why::TooFewDevices => "Bring five sensors near, pair or name them, and test once more.",
            Why::NoConnection => "Wake the sensor, bring it nearer and test once more.",
            Why::NothingArrived => "Check the cable, switch the sensor on and test once more.",
            Why::WindowTooShort => "Test for longer.",
            Why::NotBonded => "Pair it with a bond, if it has data to protect.",
            Why::HasNone | Why::PromisesNoRate => "Nothing; it does not count against the device.",
            Why::NotIntroduced => {
                "Test for longer than a minute: one that does not listen says what it is once a minute."
            }
        }
    }

    /// Whether the question does not arise for this device, so that the whole can pass without it.
    #[must_use]
    pub const fn is_inapplicable(self) -> bool {
        matches!(self, Why::NotBonded | Why::HasNone | Why::PromisesNoRate)
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.words(), self.next(), self.code())
    }
}

/// What is said of one figure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The bar is reached.
    Reached,
    /// It is not.
    Missed,
    /// Nobody can tell.
    NotMeasured,
}

/// What is said of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// At least one bar is reached, none missed, and what was not measured does not arise here.
    Passed,
    /// A bar is missed.
    Failed,
    /// No bar is missed, and something that should have been measured was not.
    Incomplete,
}

/// One figure, its bar, and what is said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judged {
    /// Which.
    pub check: Check,
    /// What it had to reach.
    pub bar: Bar,
    /// What came of it.
    pub finding: Finding,
    /// Whether it did.
    pub verdict: Verdict,
}

/// The figures that were taken.
pub type Findings = BTreeMap<Check, Finding>;

/// The judgement: every check of this kind, in order; one that is not among the findings was not reached.
#[must_use]
pub fn judge(kind: Kind, findings: &Findings) -> Vec<Judged> {
    let of = |check: &Check| {
        let not_reached = Finding::NotMeasured(Why::NotReached);
        let finding = findings.get(check).copied().unwrap_or(not_reached);
        let bar = check.bar();
        Judged {
            check: *check,
            bar,
            finding,
            verdict: verdict(bar, finding),
        }
    };
    kind.checks().iter().map(of).collect()
}

/// What is said of a figure under a bar.
#[must_use]
pub const fn verdict(bar: Bar, finding: Finding) -> Verdict {
    let is_reached = match (bar, finding) {
        (Bar::AtMost(limit), Finding::Measured(figure)) => figure <= limit,
        (Bar::AtLeast(limit), Finding::Measured(figure)) => figure >= limit,
        (Bar::AtMost(limit), Finding::NotWithin(waited)) if waited >= limit => false,
        (_, Finding::NotWithin(_) | Finding::NotMeasured(_)) => return Verdict::NotMeasured,
    };
    if is_reached {
        Verdict::Reached
    } else {
        Verdict::Missed
    }
}

/// What is said of the whole.
#[must_use]
pub fn outcome(judged: &[Judged]) -> Outcome {
    let has = |verdict| judged.iter().any(|one| one.verdict == verdict);
    let is_open = |one: &Judged| match one.finding {
        Finding::Measured(_) => false,
        Finding::NotWithin(_) => one.verdict == Verdict::NotMeasured,
        Finding::NotMeasured(why) => !why.is_inapplicable(),
    };
    if has(Verdict::Missed) {
        Outcome::Failed
    } else if has(Verdict::Reached) && !judged.iter().any(is_open) {
        Outcome::Passed
    } else {
        Outcome::Incomplete
    }
}
