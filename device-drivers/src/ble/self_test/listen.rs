//! How often the devices nearby are heard.
//!
//! The system tells of one advertisement in up to three events (signal, maker's data, service data), all at
//! once; none advertises more often than every 20 ms (Core Specification, Vol 6, Part B, 4.4.2.2.1). So
//! events of one device within 10 ms are one advertisement.

use super::{DEVICES_AT_MOST, millis};
use crate::ble::discovery::Discovery;
use crate::ble::radio::Radio;
use crate::ble::scanner::heard_in;
use crate::ble::{PeripheralAddress, reasons};
use crate::link::LinkReason;
use crate::self_test::{Check, Finding, Why};
use btleplug::api::{Central as _, CentralEvent};
use btleplug::platform::PeripheralId;
use futures_util::StreamExt as _;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::{Instant, timeout, timeout_at};

const ONE_ADVERTISEMENT: Duration = Duration::from_millis(10);
const ANSWER_AT_MOST: Duration = Duration::from_secs(5);
/// What the system tells at once of devices it knows from before is no advertisement.
const MEMORIES: Duration = Duration::from_millis(250);
/// Devices counted; in a crowd those heard later are left out.
const COUNTED_AT_MOST: usize = 256;

/// How one device was heard in a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heard {
    /// How many advertisements.
    pub(super) count: u64,
    /// The longest time without one, from the window's begin to its end.
    pub(super) silence: Duration,
    last: Duration,
    rssi_dbm: i16,
}

impl Heard {
    const NOTHING: Heard = Heard {
        count: 0,
        silence: Duration::ZERO,
        last: Duration::ZERO,
        rssi_dbm: i16::MIN,
    };

    /// Notes an event, so long after the window's begin.
    fn note(&mut self, at: Duration) {
        let since = at.saturating_sub(self.last);
        if self.count == 0 || since >= ONE_ADVERTISEMENT {
            self.count += 1;
            self.silence = self.silence.max(since);
        }
        self.last = at;
    }

    fn end(mut self, window: Duration) -> Heard {
        self.silence = self.silence.max(window.saturating_sub(self.last));
        self
    }
}

/// Listens; answers with the wanted devices, or, where none is wanted, with the five heard strongest.
pub(super) async fn listen(
    radio: &Radio,
    wanted: &[PeripheralAddress],
    window: Duration,
) -> Result<Vec<Heard>, LinkReason> {
    let lost = || reasons::adapter_lost(&radio.name);
    let events = timeout(ANSWER_AT_MOST, radio.adapter.events()).await;
    let Ok(Ok(mut events)) = events else {
        return Err(lost());
    };
    let _scan = Discovery::start(radio).await?;
    let memories = Instant::now() + MEMORIES;
    while let Ok(event) = timeout_at(memories, events.next()).await {
        event.ok_or_else(lost)?;
    }
    let begun = Instant::now();
    let mut all: BTreeMap<PeripheralId, Heard> = BTreeMap::new();
    while let Ok(event) = timeout_at(begun + window, events.next()).await {
        let event = event.ok_or_else(lost)?;
        let signal = match &event {
            CentralEvent::RssiUpdate { rssi, .. } => Some(*rssi),
            _ => None,
        };
        let Some(id) = heard_in(event) else { continue };
        if all.len() < COUNTED_AT_MOST || all.contains_key(&id) {
            let heard = all.entry(id).or_insert(Heard::NOTHING);
            heard.note(begun.elapsed());
            heard.rssi_dbm = signal.unwrap_or(heard.rssi_dbm);
        }
    }
    if wanted.is_empty() {
        let mut strongest: Vec<Heard> = all.into_values().collect();
        strongest.sort_by_key(|heard| core::cmp::Reverse(heard.rssi_dbm));
        strongest.truncate(DEVICES_AT_MOST);
        return Ok(strongest
            .into_iter()
            .map(|heard| heard.end(window))
            .collect());
    }
    let mut heard = vec![Heard::NOTHING; wanted.len()];
    for (id, one) in all {
        if let Ok(peripheral) = radio.adapter.peripheral(&id).await {
            let address = PeripheralAddress::of(&peripheral);
            if let Some(at) = wanted.iter().position(|wanted| *wanted == address) {
                heard[at] = one;
            }
        }
    }
    Ok(heard.into_iter().map(|heard| heard.end(window)).collect())
}

/// The figures of the device least heard and of the longest silence.
pub(super) fn findings(heard: &[Heard], window: Duration) -> [(Check, Finding); 2] {
    let per_1000_s = |heard: &Heard| heard.count.saturating_mul(1_000_000) / millis(window).max(1);
    let nobody = Finding::NotMeasured(Why::NobodyHeard);
    let least = heard.iter().map(per_1000_s).min();
    let silence = heard.iter().max_by_key(|heard| heard.silence);
    [
        (
            Check::Advertisements,
            least.map_or(nobody, Finding::Measured),
        ),
        (
            Check::Silence,
            silence.map_or(nobody, |heard| match heard.count {
                0 => Finding::NotWithin(millis(window)),
                _ => Finding::Measured(millis(heard.silence)),
            }),
        ),
    ]
}

#[cfg(test)]
mod tests {
    //! Goal: advertisements are counted once, and silence at both ends of the window counts. Method:
    //! moments of events, and what a person counts by hand.
    use super::*;

    fn heard(moments_millis: &[u64], window: Duration) -> Heard {
        let mut heard = Heard::NOTHING;
        for moment in moments_millis {
            heard.note(Duration::from_millis(*moment));
        }
        heard.end(window)
    }

    #[test]
    fn moments_become_figures() {
        let window = Duration::from_secs(4);
        for (moments, count, silence) in [
            (&[500, 1_500, 2_500, 3_500][..], 4, 1_000),
            // Three events of one advertisement.
            (&[500, 503, 506, 1_500, 2_500, 3_500], 4, 1_000),
            // One lost of one a second.
            (&[500, 1_500, 3_500], 3, 2_000),
            (&[3_000], 1, 3_000),
            (&[100], 1, 3_900),
            (&[], 0, 4_000),
        ] {
            let heard = heard(moments, window);
            assert_eq!(
                (heard.count, millis(heard.silence)),
                (count, silence),
                "{moments:?}"
            );
        }
    }

    #[test]
    fn the_worst_device_is_what_counts() {
        let window = Duration::from_secs(4);
        let (good, bad) = (
            heard(&[500, 1_500, 2_500, 3_500], window),
            heard(&[500], window),
        );
        let figures = |heard: &[Heard]| findings(heard, window).map(|(_, finding)| finding);
        use Finding::{Measured, NotMeasured, NotWithin};
        assert_eq!(figures(&[good]), [Measured(1_000), Measured(1_000)]);
        assert_eq!(figures(&[good, bad]), [Measured(250), Measured(3_500)]);
        let silent = heard(&[], window);
        assert_eq!(figures(&[good, silent]), [Measured(0), NotWithin(4_000)]);
        let nobody = NotMeasured(Why::NobodyHeard);
        assert_eq!(figures(&[]), [nobody, nobody]);
    }
}
