//! Self-tests of a device or a Bluetooth adapter: a new one, how far it is, and the signed records of the last
//! ones, the newest with its figures.
//!
//! A test goes on when the page is left; its record is there at the next visit.

mod adapters;
mod device;
mod parts;

pub use adapters::Adapters;
pub use device::CommissioningCard;

use fog_api::{CommissioningRecord, SelfTest, SelfTestStage, StartSelfTest};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::failure::Failure;
use crate::live::after;
use crate::route::escape;
use crate::transport;

/// Time between two looks at how far a test is.
const LOOK_MILLIS: u64 = 500;
const TESTS: &str = "/api/selftests";

/// What is tested.
#[derive(Clone)]
enum Subject {
    /// A paired device, by its id.
    Device(String),
    /// A Bluetooth adapter.
    Adapter {
        /// The system's name of it.
        name: String,
        /// Under what its records stand: its address, or its name where there is none.
        address: String,
    },
}

/// The tests of one device or adapter.
#[derive(Clone, Copy)]
struct Tests {
    subject: StoredValue<Subject>,
    /// The records that are kept, newest first.
    records: RwSignal<Vec<CommissioningRecord>>,
    /// The test under way.
    running: RwSignal<Option<SelfTest>>,
    failure: RwSignal<Option<Failure>>,
}

impl Tests {
    /// The tests of this one; its records are asked for.
    fn of(subject: Subject) -> Self {
        let of = match &subject {
            Subject::Device(id) => format!("device={}", escape(id)),
            Subject::Adapter { address, .. } => format!("adapter={}", escape(address)),
        };
        let tests = Self {
            subject: StoredValue::new(subject),
            records: RwSignal::new(Vec::new()),
            running: RwSignal::new(None),
            failure: RwSignal::new(None),
        };
        spawn_local(async move {
            let path = format!("/api/commissionings?{of}");
            match transport::get::<Vec<CommissioningRecord>>(&path).await {
                // The page may be gone by now.
                Ok(records) => drop(tests.records.try_set(records)),
                Err(why) => drop(tests.failure.try_set(Some(why))),
            }
        });
        tests
    }

    fn begin(self) {
        self.failure.set(None);
        let (device, adapter) = match self.subject.get_value() {
            Subject::Device(id) => (Some(id), None),
            Subject::Adapter { name, .. } => (None, Some(name)),
        };
        let asked = StartSelfTest {
            device,
            adapter,
            ..StartSelfTest::default()
        };
        spawn_local(async move {
            self.note(transport::post::<SelfTest>(TESTS, &asked).await);
        });
    }

    /// Shows where a test stands, and looks again until it has ended or the page is gone.
    fn note(self, answer: Result<SelfTest, Failure>) {
        let test = match answer {
            Ok(test) => test,
            Err(why) => {
                self.running.try_set(None);
                self.failure.try_set(Some(why));
                return;
            }
        };
        match &test.stage {
            SelfTestStage::Done { record } => {
                let record = (**record).clone();
                self.records.try_update(|records| records.insert(0, record));
            }
            SelfTestStage::Failed { error } => {
                self.failure.try_set(Some(Failure::Refused(error.clone())));
            }
            SelfTestStage::Running { .. } | SelfTestStage::Cancelled => {}
        }
        let path = format!("{TESTS}/{}", escape(&test.id));
        let is_end = test.stage.is_end();
        let is_gone = self.running.try_set((!is_end).then_some(test)).is_some();
        if is_end || is_gone {
            return;
        }
        after(LOOK_MILLIS, move || {
            spawn_local(async move {
                let now = transport::get::<SelfTest>(&path).await;
                self.note(now);
            });
        });
    }

    fn cancel(self) {
        let Some(test) = self.running.get_untracked() else {
            return;
        };
        spawn_local(async move {
            let path = format!("{TESTS}/{}", escape(&test.id));
            if let Err(why) = transport::delete(&path).await {
                self.failure.try_set(Some(why));
            }
        });
    }

    /// Saves a signed record as a file.
    fn save(self, record: CommissioningRecord) {
        spawn_local(async move {
            let name = format!("commissioning-{}.json", record.ended);
            let text = serde_json::to_string_pretty(&record.file).unwrap_or_default() + "\n";
            if let Err(why) = transport::save_file(&name, text.as_bytes()).await {
                self.failure.try_set(Some(why));
            }
        });
    }
}
