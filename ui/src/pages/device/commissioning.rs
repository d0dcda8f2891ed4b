//! Commissioning: what the last self-test found against which bars, and a new test.
//!
//! A test goes on when the page is left; its record is there at the next visit. It leaves out older records,
//! which the command line and the API list.

use fog_api::{
    CommissioningFigure, CommissioningRecord, DeviceSource, SelfTest, SelfTestStage, StartSelfTest,
};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::{FailureNote, Icon, IsItMine, StateMark, local_clock_minutes, local_date};
use crate::failure::Failure;
use crate::live::{DeviceEntry, after};
use crate::route::escape;
use crate::testids;
use crate::transport;
use crate::words::commissioning::{bar, found, outcome, progress, title, verdict};

/// Time between two looks at how far a test is.
const LOOK_MILLIS: u64 = 500;
const TESTS: &str = "/api/selftests";

/// The tests of one device.
#[derive(Clone, Copy)]
struct Tests {
    id: StoredValue<String>,
    /// The newest record; none before the first test.
    record: RwSignal<Option<CommissioningRecord>>,
    /// The test under way.
    running: RwSignal<Option<SelfTest>>,
    failure: RwSignal<Option<Failure>>,
}

impl Tests {
    /// Asks for the newest record.
    fn load(self) {
        spawn_local(async move {
            let path = format!(
                "/api/commissionings?device={}",
                escape(&self.id.get_value())
            );
            match transport::get::<Vec<CommissioningRecord>>(&path).await {
                // The page may be gone by now.
                Ok(records) => drop(self.record.try_set(records.into_iter().next())),
                Err(why) => drop(self.failure.try_set(Some(why))),
            }
        });
    }

    fn begin(self) {
        self.failure.set(None);
        let asked = StartSelfTest {
            device: Some(self.id.get_value()),
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
                self.record.try_set(Some((**record).clone()));
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

    /// Saves the signed record as a file.
    fn save(self) {
        let Some(record) = self.record.get_untracked() else {
            return;
        };
        spawn_local(async move {
            let name = format!("commissioning-{}.json", record.ended);
            let text = serde_json::to_string_pretty(&record.file).unwrap_or_default() + "\n";
            if let Err(why) = transport::save_file(&name, text.as_bytes()).await {
                self.failure.try_set(Some(why));
            }
        });
    }
}

/// The card.
#[component]
pub fn CommissioningCard(entry: DeviceEntry) -> impl IntoView {
    let (id, source) = entry
        .facts
        .with_untracked(|facts| (facts.id.clone(), facts.source));
    let tests = Tests {
        id: StoredValue::new(id.clone()),
        record: RwSignal::new(None),
        running: RwSignal::new(None),
        failure: RwSignal::new(None),
    };
    tests.load();
    let is_running = Memo::new(move |_| tests.running.with(Option::is_some));
    let percent = move || {
        tests.running.with(|test| match test.as_ref()?.stage {
            SelfTestStage::Running { percent } => Some(progress(percent)),
            _ => None,
        })
    };
    let is_bluetooth = source == DeviceSource::Bluetooth;
    let meanwhile = match is_bluetooth {
        true => "It is not read while it is measured, about a minute.",
        false => "It is read on while it is measured, some ten seconds.",
    };
    view! {
        <section class="card" aria-labelledby="h-commissioning">
            <div class="card-head"><h2 id="h-commissioning">"Commissioning"</h2></div>
            <div class="card-body stack" aria-live="polite">
                {move || match tests.record.get() {
                    None => view! { <p class="soft">"Not tested yet. "{meanwhile}</p> }.into_any(),
                    Some(record) => view! { <Whole record=record/> }.into_any(),
                }}
                {move || percent().map(|percent| view! { <p class="num-text" role="status">{percent}</p> })}
                {move || tests.failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
            </div>
            {move || tests.record.get().map(|record| view! { <Figures figures=record.figures/> })}
            <div class="card-foot row">
                <button type="button" class="btn" hidden=is_running title=meanwhile data-testid=testids::DEVICE_TEST on:click=move |_| tests.begin()>"Test it"</button>
                <button type="button" class="btn" hidden=move || !is_running.get() data-testid=testids::DEVICE_TEST_CANCEL on:click=move |_| tests.cancel()>"Cancel the test"</button>
                <button type="button" class="btn quiet" hidden=move || tests.record.with(Option::is_none) data-testid=testids::COMMISSIONING_SAVE on:click=move |_| tests.save()>
                    <Icon name="down"/>"Save the signed record"
                </button>
                {is_bluetooth.then(|| view! { <IsItMine at=id/> })}
            </div>
        </section>
    }
}

/// What the test came to.
#[component]
fn Whole(record: CommissioningRecord) -> impl IntoView {
    let (state, word) = outcome(record.outcome);
    let ended = i64::try_from(record.ended).unwrap_or(i64::MAX);
    view! {
        <p class="row" data-testid=testids::COMMISSIONING data-outcome=format!("{:?}", record.outcome)>
            <StateMark state=state word=word.to_owned()/>
            <span class="tag" hidden=!record.simulated>"simulated"</span>
            <span class="dim small num-text">{local_date(ended)}", "{local_clock_minutes(ended)}", version "{record.program}</span>
        </p>
    }
}

/// Each figure with its bar below it, and why there is none.
#[component]
fn Figures(figures: Vec<CommissioningFigure>) -> impl IntoView {
    let row = |figure: CommissioningFigure| {
        let (state, word) = verdict(figure.verdict);
        let why = figure.reason.as_ref();
        let why = why.map(|why| view! { <small>{why.why.clone()}" "{why.next.clone()}" "<span class="hash">{why.code.clone()}</span></small> });
        view! {
            <tr data-testid=testids::COMMISSIONING_FIGURE data-check=figure.check.clone() data-verdict=format!("{:?}", figure.verdict)>
                <td class="wrap">{title(&figure.check).to_owned()}<small class="num-text">{bar(&figure)}</small>{why}</td>
                <td class="num">{found(&figure)}</td>
                <td><StateMark state=state word=word.to_owned()/></td>
            </tr>
        }
    };
    view! {
        <table class="tbl">
            <thead><tr><th scope="col">"Figure and bar"</th><th scope="col" class="num">"Found"</th><th scope="col">"Verdict"</th></tr></thead>
            <tbody>{figures.into_iter().map(row).collect_view()}</tbody>
        </table>
    }
}
