//! The patients that the node has told this console of, by id: so a device's page names who wears it.
//!
//! Who may see devices is told a patient's id only; the names are asked for where the person may know them, once for
//! all who wear a device. Nothing of it outlives the page.

use std::collections::{BTreeMap, BTreeSet};

use fog_api::{Capability, Patient, PatientsView};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::live::Live;
use crate::session::Session;
use crate::transport;

/// All who wear a device, as far as the node lists them.
const WEARING: &str = "/api/patients?wearing=true&limit=1000";

/// The patients this page knows. `Copy`: signals are handles.
#[derive(Clone, Copy)]
pub struct Patients {
    known: RwSignal<BTreeMap<String, Patient>>,
    /// Whose names were asked for.
    asked: StoredValue<BTreeSet<String>>,
}

/// The patients of this page.
#[must_use]
pub fn use_patients() -> Patients {
    expect_context()
}

impl Patients {
    /// Begins to learn who wears the devices, if the person may know.
    #[must_use]
    pub fn start(live: Live, session: Session) -> Self {
        let patients = Self {
            known: RwSignal::default(),
            asked: StoredValue::default(),
        };
        let may_know = session.may(Capability::Assign) || session.may(Capability::ReadRecords);
        let worn = Memo::new(move |_| {
            let devices = live.devices().into_iter();
            let whose =
                devices.filter_map(|entry| entry.facts.with(|facts| facts.assigned_to.clone()));
            whose.collect::<BTreeSet<_>>()
        });
        Effect::new(move || {
            let worn = worn.get();
            let is_new = patients.asked.with_value(|asked| !worn.is_subset(asked));
            if !may_know || !is_new {
                return;
            }
            patients.asked.update_value(|asked| asked.extend(worn));
            spawn_local(async move {
                // Without an answer they stay without a name.
                if let Ok(view) = transport::get::<PatientsView>(WEARING).await {
                    patients.learn(view.patients);
                }
            });
        });
        patients
    }

    /// Takes in what the node has said of patients.
    pub fn learn(self, told: impl IntoIterator<Item = Patient>) {
        self.known.update(|known| {
            for patient in told {
                known.insert(patient.id.clone(), patient);
            }
        });
    }

    /// What a patient is called; tracks it.
    #[must_use]
    pub fn called(self, id: &str) -> String {
        let name = self.known.with(|known| Some(known.get(id)?.name.clone()));
        name.unwrap_or_else(|| "A patient".to_owned())
    }
}
