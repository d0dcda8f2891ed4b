//! One device in the live store: its signals, and how they take what the node says.

use fog_api::{Device, DeviceLive, DeviceState, Gap, Vital};
use leptos::prelude::*;

use super::Live;
use crate::oxygen::{self, LowOxygen};
use crate::spark::Spark;

/// Why a device's link is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceLink {
    /// The state.
    pub state: DeviceState,
    /// Why, where it is not streaming.
    pub reason: Option<String>,
    /// What to do.
    pub next_step: Option<String>,
    /// The reason's code.
    pub reason_code: Option<String>,
}

/// One device's signals. What changes seldom is in `facts`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct DeviceEntry {
    /// Name, profile, path and so on; its live fields are those of the last full fetch.
    pub facts: RwSignal<Device>,
    /// How its link is.
    pub link: RwSignal<DeviceLink>,
    /// Newest values.
    pub vitals: RwSignal<Vec<Vital>>,
    /// Where its readings are.
    pub gap: RwSignal<Gap>,
    /// When it was last heard.
    pub heard: RwSignal<Option<i64>>,
    /// Last ten minutes of SpO₂ and pulse.
    pub sparks: [RwSignal<Spark>; 2],
    /// Whether the lines were filled from what the node kept.
    pub filled: StoredValue<bool>,
    /// Since when its oxygen saturation is low, once that is sustained.
    pub low_since: RwSignal<Option<i64>>,
    /// The values that say so.
    pub low: StoredValue<LowOxygen>,
}

/// LOINC codes of the two metrics that tables show as lines, SpO₂ and pulse (of an oximeter or a heart).
pub const SPARK_CODES: [&[&str]; 2] = [oxygen::CODES, &["8889-8", "8867-4"]];

impl DeviceEntry {
    /// Whether its newest values are of now: the node answers and the sensor speaks. Else they are
    /// the past and must not look alive.
    #[must_use]
    pub fn is_now(self, live: Live) -> bool {
        let counts = self.facts.with(|facts| facts.standing.refusal().is_none());
        live.is_current() && counts && self.link.with(|link| link.state.is_live())
    }

    pub(super) fn new(device: Device) -> Self {
        let entry = Self {
            link: RwSignal::new(link_of(&device)),
            vitals: RwSignal::new(device.vitals.clone()),
            gap: RwSignal::new(device.gap),
            heard: RwSignal::new(device.last_heard),
            sparks: [
                RwSignal::new(Spark::default()),
                RwSignal::new(Spark::default()),
            ],
            filled: StoredValue::new(false),
            low_since: RwSignal::new(None),
            low: StoredValue::default(),
            facts: RwSignal::new(device),
        };
        entry.push_sparks();
        entry.push_oxygen();
        entry
    }

    pub(super) fn replace(self, device: Device) {
        set_if_new(self.link, link_of(&device));
        set_if_new(self.vitals, device.vitals.clone());
        set_if_new(self.gap, device.gap);
        set_if_new(self.heard, device.last_heard);
        set_if_new(self.facts, device);
    }

    pub(super) fn take(self, live: DeviceLive) {
        let link = DeviceLink {
            state: live.state,
            reason: live.reason,
            next_step: live.next_step,
            reason_code: live.reason_code,
        };
        set_if_new(self.link, link);
        set_if_new(self.vitals, live.vitals);
        set_if_new(self.gap, live.gap);
        set_if_new(self.heard, live.last_heard);
        self.push_sparks();
        self.push_oxygen();
    }

    fn push_sparks(self) {
        self.vitals.with_untracked(|vitals| {
            for (codes, spark) in SPARK_CODES.iter().zip(self.sparks) {
                let Some(vital) = vitals
                    .iter()
                    .find(|vital| codes.contains(&vital.code.as_str()))
                else {
                    continue;
                };
                let Some(value) = vital.value.as_ref().and_then(|value| value.parse().ok()) else {
                    continue;
                };
                let changed = spark.try_update_untracked(|spark| spark.push(vital.time, value));
                if changed == Some(true) {
                    spark.notify();
                }
            }
        });
    }
}

fn link_of(device: &Device) -> DeviceLink {
    DeviceLink {
        state: device.state,
        reason: device.reason.clone(),
        next_step: device.next_step.clone(),
        reason_code: device.reason_code.clone(),
    }
}

pub(crate) fn set_if_new<T: PartialEq + Send + Sync + 'static>(signal: RwSignal<T>, value: T) {
    if signal.with_untracked(|known| *known != value) {
        signal.set(value);
    }
}
