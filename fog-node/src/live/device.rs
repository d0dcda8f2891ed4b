//! One device as everybody may see it now: its newest values, its link in words, its gap ledger.

use std::collections::{BTreeMap, VecDeque};

use device_drivers::measurement::Metric;
use fog_api::{Device, DeviceLive, DeviceStanding, DeviceState, Gap, RejectedCount, Vital};
use ledger_core::Quality;
use tokio::sync::watch;

use crate::vault::gaps::Kind;

/// Most marks of [`LiveDevice::flushed`]: a node that is cut off for days makes one with each batch.
const MAX_FLUSHED: usize = 128;

/// One device's live state.
pub struct LiveDevice {
    pub(super) base: Device,
    pub(super) vitals: BTreeMap<Metric, Vital>,
    pub(super) counters: BTreeMap<(Kind, String), u64>,
    pub(super) in_flight: u64,
    pub(super) durable_sequence: watch::Sender<Option<u64>>,
    pub(super) final_sequence: watch::Sender<Option<u64>>,
    /// How many readings were anchored when so many of the device's own numbers were durable: once all of
    /// these are final, so is every number up to that one. At most [`MAX_FLUSHED`].
    pub(super) flushed: VecDeque<(u64, u64)>,
    pub(super) standing: watch::Sender<DeviceStanding>,
}

impl LiveDevice {
    /// A device whose gap ledger stands at `counters`, with `in_flight` readings anchored but not final.
    #[must_use]
    pub fn new(base: Device, counters: BTreeMap<(Kind, String), u64>, in_flight: u64) -> Self {
        Self {
            standing: watch::Sender::new(base.standing),
            base,
            vitals: BTreeMap::new(),
            counters,
            in_flight,
            durable_sequence: watch::Sender::new(None),
            final_sequence: watch::Sender::new(None),
            flushed: VecDeque::new(),
        }
    }

    /// All that was received before is in batches. Of too many marks every second goes: what they would have told
    /// is told with the next one.
    pub(super) fn note_flushed(&mut self) {
        let sequence = *self.durable_sequence.borrow();
        let anchored = self.sum(Kind::Anchored);
        let is_new = self.flushed.back().is_none_or(|last| last.0 < anchored);
        let Some(sequence) = sequence.filter(|_| is_new) else {
            return;
        };
        if self.flushed.len() == MAX_FLUSHED {
            let mut is_second = true;
            self.flushed.retain(|_| {
                is_second = !is_second;
                is_second
            });
        }
        self.flushed.push_back((anchored, sequence));
        // It may have become final meanwhile.
        self.note_final();
    }

    /// The newest of its own numbers that is final now, if that is a newer one.
    pub(super) fn note_final(&mut self) {
        let finalized = self.gap().finalized;
        let mut newest = None;
        while let Some(&(anchored, sequence)) = self.flushed.front()
            && anchored <= finalized
        {
            newest = Some(sequence);
            self.flushed.pop_front();
        }
        if newest.is_some() {
            self.final_sequence.send_if_modified(|known| {
                let is_newer = *known < newest;
                *known = newest.max(*known);
                is_newer
            });
        }
    }

    pub(super) fn sum(&self, kind: Kind) -> u64 {
        let of_kind = self.counters.iter().filter(|((of, _), _)| *of == kind);
        of_kind.map(|(_, count)| count).sum()
    }

    pub(super) fn gap(&self) -> Gap {
        let received = self.sum(Kind::Received);
        let lost = self.sum(Kind::RejectedReadings) + self.sum(Kind::Missing);
        let anchored = self.sum(Kind::Anchored);
        Gap {
            expected: (received + lost).saturating_sub(self.sum(Kind::Recovered)),
            received,
            rejected: self.sum(Kind::RejectedFrames),
            sealed: received,
            anchored,
            finalized: anchored.saturating_sub(self.in_flight),
        }
    }

    pub(super) fn snapshot(&self) -> Device {
        let rejected_reasons = self
            .counters
            .iter()
            .filter(|((kind, _), _)| *kind == Kind::RejectedFrames);
        Device {
            vitals: self.vitals.values().cloned().collect(),
            gap: self.gap(),
            rejected_reasons: rejected_reasons
                .map(|((_, reason), count)| RejectedCount {
                    reason: reason.clone(),
                    count: *count,
                })
                .collect(),
            ..self.base.clone()
        }
    }

    pub(super) fn live(&self) -> DeviceLive {
        DeviceLive {
            id: self.base.id.clone(),
            state: self.base.state,
            reason: self.base.reason.clone(),
            next_step: self.base.next_step.clone(),
            reason_code: self.base.reason_code.clone(),
            last_heard: self.base.last_heard,
            vitals: self.vitals.values().cloned().collect(),
            gap: self.gap(),
        }
    }

    /// The state in words: what the link says, and, while it streams, whether there is contact.
    pub(super) fn refresh_contact(&mut self) {
        if !self.base.state.is_live() || self.vitals.is_empty() {
            return;
        }
        let without =
            |vital: &Vital| matches!(vital.quality, Quality::SensorOff | Quality::Searching);
        let all_without = self.vitals.values().all(without);
        if all_without {
            self.base.state = DeviceState::NoContact;
            self.base.reason =
                Some("The sensor is not on the body, or it is still searching.".into());
            self.base.next_step =
                Some("Put the sensor on and keep it still for some seconds.".into());
            self.base.reason_code = Some("DEV-01".into());
        } else if self.base.state == DeviceState::NoContact {
            self.base.state = DeviceState::Streaming;
            self.clear_reason();
        }
    }

    pub(super) fn clear_reason(&mut self) {
        self.base.reason = None;
        self.base.next_step = None;
        self.base.reason_code = None;
    }
}

#[cfg(test)]
mod tests {
    //! Goal: a device whose node is cut off for days is told what is final and nothing more, and costs no more
    //! memory than another. Method: a batch a minute for a week, then finality batch by batch.

    use super::*;
    use crate::live::DeviceLook;
    use crate::vault::devices::DeviceRow;

    const BATCHES: u64 = 7 * 24 * 60;

    fn device() -> LiveDevice {
        let row = DeviceRow {
            id: "a".into(),
            name: "a".into(),
            profile: "fogward-level0".into(),
            path: "/dev/a".into(),
            simulated: false,
            sealed_key: None,
            handle: ledger_core::Digest::ZERO,
            added: 0,
            durable_sequence: None,
            handovers: 0,
        };
        let shown = crate::pairing::described(&row, None, DeviceLook::default(), None);
        LiveDevice::new(shown, BTreeMap::new(), 0)
    }

    #[test]
    fn days_without_finality_cost_no_memory() {
        let mut device = device();
        // Ten readings a batch, the newest of batch n numbered 10 n.
        for batch in 1..=BATCHES {
            *device
                .counters
                .entry((Kind::Anchored, String::new()))
                .or_default() += 10;
            device.in_flight += 10;
            device.durable_sequence.send_replace(Some(batch * 10));
            device.note_flushed();
            assert!(device.flushed.len() <= MAX_FLUSHED);
        }
        let mut told = None;
        let mut steps = 0;
        for batch in 1..=BATCHES {
            device.in_flight -= 10;
            device.note_final();
            let now = *device.final_sequence.borrow();
            assert!(
                now <= Some(batch * 10),
                "{now:?} told as final in batch {batch}"
            );
            assert!(now >= told);
            steps += usize::from(now > told);
            told = now;
        }
        assert_eq!(told, Some(BATCHES * 10), "all is told in the end");
        assert!(steps >= MAX_FLUSHED / 4, "{steps} steps");
    }
}
