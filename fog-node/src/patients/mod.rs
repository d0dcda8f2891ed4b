//! Patients: whom the clinic treats, what they wear, and which readings are theirs.
//!
//! ```text
//! patient ── wears, from … until … ──▶ device ──▶ stream ──▶ reading, taken at a moment
//!    │            (vault, sealed)                                 └── hers, if she wore it at that moment
//!    └─ secret ── purpose, month ──▶ handle on the ledger (ledger_core::access)
//! ```
//!
//! What identifies a patient is in the vault, sealed, and in this register in memory; one change is made at a time,
//! and what it changes is durable before it counts. Consoles that may see devices learn her id, those that may assign
//! or read records her name. Left out: erasure (`crate::erasure`), and the policies that decide what may be read of
//! whom.

mod account;
pub mod patient;
pub(crate) mod record;
pub(crate) mod taken;
mod team;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use device_drivers::measurement::Metric;
use fog_api::{
    DescribePatient, PatientView, PatientsQuery, PatientsView, RecordedMetric, SubjectHandle,
    WornDevice,
};
use ledger_core::Digest;
use ledger_core::access::{Period, Purpose};
use rusqlite::Connection;

use self::patient::{Called, Patient, PatientId};
use crate::clock::now_millis;
use crate::erasure::destroy::Target;
use crate::failure::Failure;
use crate::ingest::Item;
use crate::node::Node;
use crate::people::person::PersonId;
use crate::vault::assignments::{self, Worn};
use crate::vault::seal::MasterKey;
use crate::vault::{VaultError, devices, patients, streams};

/// Most patients of a node.
const MAX_PATIENTS: usize = 200_000;
/// Months in which a handle may have been asked about that is still read: a request waits for at most a year, and is
/// granted for at most another.
const HANDLE_MONTHS: usize = 26;
/// Patients in an answer without a limit.
const DEFAULT_LIMIT: u32 = 100;
/// Most patients in an answer.
const MAX_LIMIT: u32 = 1_000;

/// The patients of a node.
pub struct Patients {
    register: RwLock<BTreeMap<PatientId, Arc<Patient>>>,
    /// Held while something is changed.
    turn: tokio::sync::Mutex<()>,
}

impl Patients {
    /// The patients of a vault.
    ///
    /// # Errors
    /// [`VaultError`] if a row does not open.
    pub fn open(vault: &Connection, master: &MasterKey) -> Result<Self, VaultError> {
        let mut register = BTreeMap::new();
        for row in patients::all(vault)? {
            register.insert(row.id, Arc::new(Patient::open(&row, master)?));
        }
        Ok(Self {
            register: RwLock::new(register),
            turn: tokio::sync::Mutex::default(),
        })
    }

    fn register(&self) -> RwLockReadGuard<'_, BTreeMap<PatientId, Arc<Patient>>> {
        self.register.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The patient with this id.
    #[must_use]
    pub fn find(&self, id: &PatientId) -> Option<Arc<Patient>> {
        self.register().get(id).cloned()
    }

    /// The patient with whose record this person's account is linked.
    #[must_use]
    pub fn of_person(&self, person: PersonId) -> Option<Arc<Patient>> {
        let register = self.register();
        let is_hers = |patient: &&Arc<Patient>| {
            let account = patient.account.as_ref();
            account.is_some_and(|account| account.person == person)
        };
        register.values().find(is_hers).cloned()
    }

    /// The patient whom the ledger knows by this handle, for this purpose, in the month of `now_millis` or one of the
    /// two years before. Tries the secrets of all: a microsecond for each patient and month.
    #[must_use]
    pub fn of_handle(
        &self,
        purpose: Purpose,
        handle: &Digest,
        now_millis: u64,
    ) -> Option<Arc<Patient>> {
        let register = self.register();
        handle_months(now_millis).find_map(|month| {
            let mut all = register.values();
            all.find(|patient| patient.handle(purpose, month) == *handle)
                .cloned()
        })
    }

    /// The patient whose id this is.
    ///
    /// # Errors
    /// [`Failure`] if there is none.
    pub fn named(&self, id: &str) -> Result<Arc<Patient>, Failure> {
        let found = id.parse().ok().and_then(|id| self.find(&id));
        found.ok_or_else(|| {
            let next = "Take the patient’s id from the list of patients.";
            Failure::not_found("There is no such patient.", next)
        })
    }

    /// Waits until nothing else of the patients is changed, and keeps others from it.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Knows a patient no more. Called with the turn held, once her row is gone.
    pub(crate) fn forget(&self, id: &PatientId) {
        let mut register = self
            .register
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        register.remove(id);
    }

    /// All patients, by the names under which they would be erased.
    pub(crate) fn by_erasure_handle(&self) -> BTreeMap<Digest, Target> {
        let register = self.register();
        let named =
            |patient: &Arc<Patient>| (patient.erasure_handle(), Target::Patient(patient.id));
        register.values().map(named).collect()
    }

    /// The patient with this id, or with this number of the clinic's.
    ///
    /// # Errors
    /// [`Failure`] if there is none.
    pub fn called(&self, text: &str) -> Result<Arc<Patient>, Failure> {
        let register = self.register();
        let mut all = register.values();
        let numbered = all.find(|patient| patient.number.as_deref() == Some(text));
        let numbered = numbered.cloned();
        drop(register);
        numbered.map_or_else(|| self.named(text), Ok)
    }

    /// Refuses a number that somebody else has.
    fn check_number(&self, new: &Patient) -> Result<(), Failure> {
        let register = self.register();
        let mut others = register.values().filter(|other| other.id != new.id);
        if new.number.is_some() && others.any(|other| other.number == new.number) {
            return Err(Failure::new(
                409,
                "PAT-02",
                "The patient was not written down.",
                "Somebody else has this number.",
                "Look for the number in the list of patients; it may be the same person.",
            ));
        }
        Ok(())
    }

    /// Refuses one patient too many.
    fn check_room(&self, new: &Patient) -> Result<(), Failure> {
        let register = self.register();
        if register.len() >= MAX_PATIENTS && !register.contains_key(&new.id) {
            let what = "There is no room for another patient.";
            let why = format!("A node knows at most {MAX_PATIENTS}.");
            return Err(Failure::new(409, "PAT-03", what, why, "Use another node."));
        }
        Ok(())
    }
}

impl Node {
    /// Patients by name or number, in the order of their names.
    ///
    /// # Errors
    /// [`Failure`] if the node is stopping.
    pub async fn patients(self: &Arc<Self>, query: PatientsQuery) -> Result<PatientsView, Failure> {
        self.blocking(move |node| Ok(node.list_patients(&query)))
            .await
    }

    fn list_patients(&self, query: &PatientsQuery) -> PatientsView {
        let words = query.search.as_deref().unwrap_or_default();
        let words = words.trim().to_lowercase();
        let limit = query.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize;
        let worn = self.worn_now();
        let wears = |patient: &Patient| worn.contains_key(&patient.id.to_string());
        let register = self.patients.register();
        let mut found: Vec<_> = register
            .values()
            .filter(|patient| patient.is_found_by(&words) && (!query.wearing || wears(patient)))
            .collect();
        found.sort_by_cached_key(|patient| (patient.name.to_lowercase(), patient.id));
        let listed = found.iter().take(limit);
        PatientsView {
            patients: listed.map(|patient| view(patient, &worn)).collect(),
            found: found.len() as u64,
            all: register.len() as u64,
        }
    }

    /// Writes down a new patient; answered once that is durable.
    ///
    /// # Errors
    /// [`Failure`] `PAT-01` if something cannot be, `PAT-02` if somebody has the number, `PAT-03` if there are too
    /// many.
    pub async fn add_patient(&self, asked: &DescribePatient) -> Result<fog_api::Patient, Failure> {
        let now = now_millis();
        let new = Patient::new(Called::checked(asked, now)?, now)?;
        let _turn = self.patients.turn.lock().await;
        self.keep_patient(new).await
    }

    /// Changes what a patient is called; answered once that is durable.
    ///
    /// # Errors
    /// [`Failure`] as for [`Node::add_patient`], or if there is no such patient.
    pub async fn describe_patient(
        &self,
        id: &str,
        asked: &DescribePatient,
    ) -> Result<fog_api::Patient, Failure> {
        let now = now_millis();
        let called = Called::checked(asked, now)?;
        let _turn = self.patients.turn.lock().await;
        let patient = Patient::clone(&*self.patients.named(id)?);
        self.keep_patient(patient.renamed(called, now)).await
    }

    /// Takes over a patient from another node of this organisation; of two versions the later one holds. Two nodes may
    /// have given one number to two patients; which of them it is, people decide.
    pub(crate) async fn take_patient(&self, patient: Patient) -> Result<(), Failure> {
        patient.check(now_millis())?;
        let _turn = self.patients.turn.lock().await;
        let known = self.patients.find(&patient.id);
        let is_newest = |known: &Arc<Patient>| known.changed >= patient.changed;
        if known.as_ref().is_some_and(is_newest) {
            return Ok(());
        }
        // Another node says nothing of who signs in here.
        let account = known.and_then(|known| known.account.clone());
        self.put_patient(patient.linked(account)).await.map(drop)
    }

    /// A patient and what there is of her here.
    ///
    /// # Errors
    /// [`Failure`] if there is no such patient or the vault cannot be read.
    pub async fn patient(self: &Arc<Self>, id: String) -> Result<PatientView, Failure> {
        self.blocking(move |node| node.patient_view(&id)).await
    }

    fn patient_view(&self, id: &str) -> Result<PatientView, Failure> {
        let patient = self.patients.named(id)?;
        let known = devices::known(&self.vault())?;
        let mut worn = self.worn_by(&patient.id)?;
        worn.sort_by_key(|worn| std::cmp::Reverse((worn.until.unwrap_or(i64::MAX), worn.since)));
        let used: BTreeSet<_> = worn.iter().map(|worn| worn.device.as_str()).collect();
        let streams = streams::list(&self.vault(), None)?;
        let hers = streams
            .iter()
            .filter(|row| used.contains(row.device.as_str()));
        let metrics: BTreeMap<_, _> = hers.map(|row| (row.code.clone(), &row.unit)).collect();
        let metric = |(code, unit): (String, &String)| RecordedMetric {
            label: Metric::from_loinc(&code).map_or("", Metric::label).into(),
            unit: unit.clone(),
            code,
        };
        Ok(PatientView {
            metrics: metrics.into_iter().map(metric).collect(),
            handles: handles(&patient, now_millis()),
            worn: worn
                .into_iter()
                .map(|worn| {
                    let known = known.get(&worn.device);
                    WornDevice {
                        name: known.map(|known| known.name.clone()).unwrap_or_default(),
                        simulated: known.is_some_and(|known| known.simulated),
                        device: worn.device,
                        since: worn.since,
                        until: worn.until,
                    }
                })
                .collect(),
            patient: view(&patient, &self.worn_now()),
            person: self.linked_person(&patient),
            team: self.team(&self.replica.read()?, &patient)?,
        })
    }

    /// The times in which a patient wore devices.
    fn worn_by(&self, patient: &PatientId) -> Result<Vec<Worn>, Failure> {
        let mut worn = assignments::all(&self.vault(), &self.master)?;
        worn.retain(|worn| worn.patient == *patient);
        Ok(worn)
    }

    /// Ids of devices by the id of the patient who wears them now.
    fn worn_now(&self) -> BTreeMap<String, Vec<String>> {
        let mut worn: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for device in self.devices() {
            if let Some(patient) = device.assigned_to {
                worn.entry(patient).or_default().push(device.id);
            }
        }
        worn
    }

    /// Checks a patient against the others and stores her. Called with the turn held.
    async fn keep_patient(&self, patient: Patient) -> Result<fog_api::Patient, Failure> {
        self.patients.check_number(&patient)?;
        let kept = self.put_patient(patient).await?;
        Ok(view(&kept, &self.worn_now()))
    }

    /// Stores a patient; what is in memory follows once it is durable. Called with the turn held.
    async fn put_patient(&self, patient: Patient) -> Result<Arc<Patient>, Failure> {
        self.patients.check_room(&patient)?;
        let sealed = patient.seal(&self.master)?;
        self.until_durable(|done| Item::Patient(sealed, done))
            .await?;
        let patient = Arc::new(patient);
        let register = &self.patients.register;
        let mut register = register.write().unwrap_or_else(PoisonError::into_inner);
        register.insert(patient.id, Arc::clone(&patient));
        Ok(patient)
    }
}

fn view(patient: &Patient, worn: &BTreeMap<String, Vec<String>>) -> fog_api::Patient {
    let id = patient.id.to_string();
    fog_api::Patient {
        name: patient.name.clone(),
        number: patient.number.clone(),
        born: patient.born.clone(),
        since: patient.since,
        devices: worn.get(&id).cloned().unwrap_or_default(),
        id,
    }
}

/// The months in which a handle may have been asked about that is still read, the newest first.
fn handle_months(now_millis: u64) -> impl Iterator<Item = Period> {
    let months = std::iter::successors(Some(Period::at(now_millis)), |month| month.previous());
    months.take(HANDLE_MONTHS)
}

/// A patient's handles on the ledger at `now`, one for each purpose.
fn handles(patient: &Patient, now: i64) -> Vec<SubjectHandle> {
    let period = Period::at(u64::try_from(now).unwrap_or(0));
    let until = period.next().begin_millis();
    let handle = |purpose: &Purpose| SubjectHandle {
        purpose: purpose.word().to_owned(),
        handle: patient.handle(*purpose, period).to_string(),
        until: i64::try_from(until).unwrap_or(i64::MAX),
    };
    Purpose::ALL.iter().map(handle).collect()
}
