//! Connecting again and again, holding several at once, and looking inside one device.

use super::millis;
use crate::ble::pairing::{self, BondState};
use crate::ble::{BleConfig, assigned_number, discovery};
use crate::gatt::READ;
use crate::gatt::uuid::BATTERY_LEVEL;
use crate::link::{LinkReason, ReasonCode};
use crate::self_test::{Check, Finding, Why};
use btleplug::api::{CharPropFlags, Characteristic, Peripheral as _};
use btleplug::platform::Peripheral;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};

/// A try that takes longer has failed; the bar is a second.
const CONNECT_AT_MOST: Duration = Duration::from_secs(10);
const ANSWER_AT_MOST: Duration = Duration::from_secs(5);
/// How often it is looked whether the link is there: the resolution of the figure.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How long a device has after a connection to advertise again.
const PAUSE: Duration = Duration::from_millis(300);
/// No try begins later: twenty tries that all fail would take longer than anybody waits.
const TRIES_AT_MOST: Duration = Duration::from_secs(180);
/// How long several links must stand together.
const HOLD: Duration = Duration::from_secs(1);

/// A link of the test's, let go of when this is dropped.
pub(super) struct Link(Option<Peripheral>);

impl Link {
    /// Lets go and waits until it is.
    async fn end(mut self) {
        if let Some(peripheral) = self.0.take() {
            // One that fell by itself is let go of already.
            let _ = timeout(ANSWER_AT_MOST, peripheral.disconnect()).await;
        }
    }

    async fn is_up(&self) -> bool {
        match &self.0 {
            Some(peripheral) => is_connected(peripheral).await,
            None => false,
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if let (Some(peripheral), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(async move { timeout(ANSWER_AT_MOST, peripheral.disconnect()).await });
        }
    }
}

/// What the tries showed.
#[derive(Default)]
pub(super) struct Tries {
    /// Until the link was there, of each try that connected.
    times: Vec<Duration>,
    /// Connections wanted, and those that came about within two tries.
    wanted: u64,
    within_two: u64,
    /// From the link until all services were known, at the first connection.
    pub(super) discovery: Option<Duration>,
    /// The devices that were connected to at least once.
    pub(super) reached: Vec<BleConfig>,
}

impl Tries {
    pub(super) fn findings(&self) -> [(Check, Finding); 2] {
        let mut times = self.times.clone();
        times.sort_unstable();
        // Nearest rank: the least time that 95 of 100 did not exceed.
        let rank = (times.len() * 95).div_ceil(100);
        let slow = times.get(rank.saturating_sub(1));
        let (time, share) = match (self.wanted, slow) {
            (0, _) => {
                let nobody = Finding::NotMeasured(Why::NobodyToConnectTo);
                (nobody, nobody)
            }
            (_, None) => (
                Finding::NotMeasured(Why::NoConnection),
                Finding::Measured(0),
            ),
            (wanted, Some(slow)) => (
                Finding::Measured(millis(*slow)),
                Finding::Measured(self.within_two * 100 / wanted),
            ),
        };
        [(Check::ConnectTime, time), (Check::TwoTries, share)]
    }

    fn note(&mut self, config: &BleConfig, times: (Duration, Duration)) {
        self.times.push(times.0);
        self.discovery.get_or_insert(times.1);
        let is_it = |of: &BleConfig| of.address == config.address;
        if !self.reached.iter().any(is_it) {
            self.reached.push(config.clone());
        }
    }
}

/// Lets go of devices that the system is connected to.
pub(super) async fn let_go(configs: &[BleConfig]) {
    for config in configs {
        if let Ok(Some(peripheral)) = discovery::find_known(config).await
            && is_connected(&peripheral).await
        {
            Link(Some(peripheral)).end().await;
        }
    }
}

/// Connects to each in turn until so many tries were made, or time is over; `tell` hears how many were.
///
/// # Errors
/// The reason, if the adapter is what failed.
pub(super) async fn try_all(
    configs: &[BleConfig],
    tries: u32,
    mut tell: impl FnMut(u32),
) -> Result<Tries, LinkReason> {
    let (mut all, mut done) = (Tries::default(), 0);
    let until = Instant::now() + TRIES_AT_MOST;
    for config in configs.iter().cycle() {
        if done >= tries || Instant::now() >= until {
            break;
        }
        all.wanted += 1;
        for _ in 0..2_u32.min(tries - done) {
            done += 1;
            let connected = connect(config).await?;
            tell(done);
            sleep(PAUSE).await;
            if let Some((link, times)) = connected {
                all.note(config, times);
                all.within_two += 1;
                link.end().await;
                break;
            }
        }
    }
    Ok(all)
}

/// One try: the link, and how long it took until it was there, and from then until all services were
/// known. `None` if there was no connection.
async fn connect(config: &BleConfig) -> Result<Option<(Link, (Duration, Duration))>, LinkReason> {
    let peripheral = match discovery::find(config).await {
        Ok((_, peripheral)) => peripheral,
        Err(reason) if reason.code == ReasonCode::DeviceNotFound => return Ok(None),
        Err(reason) => return Err(reason),
    };
    let link = Link(Some(peripheral.clone()));
    let begun = Instant::now();
    let connecting = timeout(CONNECT_AT_MOST, peripheral.connect());
    tokio::pin!(connecting);
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut up = None;
    loop {
        tokio::select! {
            biased;
            connected = &mut connecting => {
                if !matches!(connected, Ok(Ok(()))) {
                    break;
                }
                let until_up = up.unwrap_or_else(|| begun.elapsed());
                return Ok(Some((link, (until_up, begun.elapsed().saturating_sub(until_up)))));
            }
            _ = look.tick() => match (up, is_connected(&peripheral).await) {
                (None, true) => up = Some(begun.elapsed()),
                // It fell before its services were known.
                (Some(_), false) => break,
                (None, false) | (Some(_), true) => {}
            },
        }
    }
    link.end().await;
    Ok(None)
}

/// How many of these are connected together for a while.
pub(super) async fn hold(configs: &[BleConfig]) -> Finding {
    if configs.is_empty() {
        return Finding::NotMeasured(Why::NoConnection);
    }
    let mut links = Vec::new();
    for config in configs {
        for _ in 0..2 {
            if let Ok(Some((link, _))) = connect(config).await {
                links.push(link);
                break;
            }
        }
    }
    sleep(HOLD).await;
    let mut held = 0;
    for link in &links {
        held += usize::from(link.is_up().await);
    }
    for link in links {
        link.end().await;
    }
    let is_bounded_by_devices = held == configs.len() && held < super::DEVICES_AT_MOST;
    match u64::try_from(held) {
        Ok(held) if !is_bounded_by_devices => Finding::Measured(held),
        _ => Finding::NotMeasured(Why::TooFewDevices),
    }
}

/// The share of readable characteristics that a bonded device answers, and its battery's charge.
pub(super) async fn look_inside(config: &BleConfig) -> (Finding, Finding) {
    let none = (
        Finding::NotMeasured(Why::NoConnection),
        Finding::NotMeasured(Why::NoConnection),
    );
    let Ok(Some((link, _))) = connect(config).await else {
        return none;
    };
    let Some(peripheral) = link.0.as_ref() else {
        return none;
    };
    if !matches!(
        timeout(ANSWER_AT_MOST, peripheral.discover_services()).await,
        Ok(Ok(()))
    ) {
        return none;
    }
    let bond = pairing::bond_state(config).await;
    let is_bonded = matches!(bond, Ok(BondState::Bonded { .. }));
    let (mut asked, mut answered, mut battery) = (0_u64, 0, None);
    for (number, characteristic) in readable(peripheral) {
        // Without a bond, asking for what needs encryption makes the system pair on its own account.
        if !is_bonded && number != BATTERY_LEVEL {
            continue;
        }
        asked += 1;
        if let Ok(Ok(value)) = timeout(ANSWER_AT_MOST, peripheral.read(&characteristic)).await {
            answered += 1;
            if number == BATTERY_LEVEL {
                // Battery Service 1.0, 3.1: percent in one byte; above 100 is reserved.
                battery = value.first().filter(|percent| **percent <= 100).copied();
            }
        }
    }
    link.end().await;
    let reads = match (is_bonded, asked) {
        (false, _) => Finding::NotMeasured(Why::NotBonded),
        (true, 0) => Finding::NotMeasured(Why::HasNone),
        (true, asked) => Finding::Measured(answered * 100 / asked),
    };
    let battery = battery.map_or(Finding::NotMeasured(Why::HasNone), |percent| {
        Finding::Measured(u64::from(percent))
    });
    (reads, battery)
}

/// The characteristics known here that can be read, by their numbers.
fn readable(peripheral: &Peripheral) -> Vec<(u16, Characteristic)> {
    let all = peripheral.services().into_iter();
    let all = all.flat_map(|service| service.characteristics);
    let known = all.filter_map(|characteristic| {
        let number = assigned_number(&characteristic.uuid)?;
        let can_be_read = characteristic.properties.contains(CharPropFlags::READ);
        (can_be_read && READ.contains(&number)).then_some((number, characteristic))
    });
    known.collect()
}

pub(super) async fn is_connected(peripheral: &Peripheral) -> bool {
    let answer = timeout(ANSWER_AT_MOST, peripheral.is_connected()).await;
    matches!(answer, Ok(Ok(true)))
}

#[cfg(test)]
mod tests {
    //! Goal: tries become figures, and none without a connection. Method: times and what a person counts.
    use super::*;

    #[test]
    fn tries_become_figures() {
        use Finding::{Measured, NotMeasured};
        let of = |millis: &[u64], wanted, within_two| {
            let tries = Tries {
                times: millis.iter().copied().map(Duration::from_millis).collect(),
                wanted,
                within_two,
                ..Tries::default()
            };
            tries.findings().map(|(_, finding)| finding)
        };
        let twenty: Vec<u64> = (1..=20).map(|number| number * 100).collect();
        assert_eq!(of(&twenty, 20, 20), [Measured(1_900), Measured(100)]);
        assert_eq!(of(&[700], 1, 1), [Measured(700), Measured(100)]);
        assert_eq!(of(&[700, 500], 3, 2), [Measured(700), Measured(66)]);
        assert_eq!(of(&[], 2, 0), [NotMeasured(Why::NoConnection), Measured(0)]);
        let nobody = NotMeasured(Why::NobodyToConnectTo);
        assert_eq!(of(&[], 0, 0), [nobody, nobody]);
    }
}
