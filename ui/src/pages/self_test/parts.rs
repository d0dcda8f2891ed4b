//! What every card of self-tests is made of: the newest record with its figures, the buttons, the older records.

use fog_api::{CommissioningFigure, CommissioningRecord, SelfTestStage};
use leptos::prelude::*;

use super::Tests;
use crate::components::{FailureNote, Icon, StateMark, local_clock_minutes, local_date};
use crate::testids;
use crate::words::commissioning::{bar, found, older, outcome, progress, title, verdict};

/// What the newest test came to with its figures, how far the one under way is, and why there is none.
#[component]
pub(super) fn Newest(
    tests: Tests,
    /// What a test costs.
    meanwhile: &'static str,
) -> impl IntoView {
    let newest = Memo::new(move |_| tests.records.with(|records| records.first().cloned()));
    let percent = move || {
        tests.running.with(|test| match test.as_ref()?.stage {
            SelfTestStage::Running { percent } => Some(progress(percent)),
            _ => None,
        })
    };
    view! {
        <div class="card-body stack" aria-live="polite">
            {move || match newest.get() {
                None => view! { <p class="soft">"Not tested yet. "{meanwhile}</p> }.into_any(),
                Some(record) => view! { <Whole record=record/> }.into_any(),
            }}
            {move || percent().map(|percent| view! { <p class="num-text" role="status" data-testid=testids::SELF_TEST_PROGRESS>{percent}</p> })}
            {move || tests.failure.get().map(|failure| view! { <FailureNote failure=failure/> })}
        </div>
        {move || newest.get().map(|record| view! { <Figures figures=record.figures/> })}
    }
}

/// Begins a test, cancels it, and saves the newest record.
#[component]
pub(super) fn Buttons(
    tests: Tests,
    /// What a test costs.
    meanwhile: &'static str,
) -> impl IntoView {
    let is_running = Memo::new(move |_| tests.running.with(Option::is_some));
    let save = move |_| {
        if let Some(record) = tests
            .records
            .with_untracked(|records| records.first().cloned())
        {
            tests.save(record);
        }
    };
    view! {
        <button type="button" class="btn" hidden=is_running title=meanwhile data-testid=testids::DEVICE_TEST on:click=move |_| tests.begin()>"Test it"</button>
        <button type="button" class="btn" hidden=move || !is_running.get() data-testid=testids::DEVICE_TEST_CANCEL on:click=move |_| tests.cancel()>"Cancel the test"</button>
        <button type="button" class="btn quiet" hidden=move || tests.records.with(Vec::is_empty) data-testid=testids::COMMISSIONING_SAVE on:click=save>
            <Icon name="down"/>"Save the signed record"
        </button>
    }
}

/// The records before the newest, each as what it came to; its file has the figures.
#[component]
pub(super) fn Older(tests: Tests) -> impl IntoView {
    let is_open = RwSignal::new(false);
    let count = Memo::new(move |_| {
        tests
            .records
            .with(|records| records.len().saturating_sub(1))
    });
    let rows = move || {
        let rows = tests.records.get().into_iter().skip(1);
        rows.map(|record| view! { <OlderRow tests=tests record=record/> })
            .collect_view()
    };
    view! {
        <div class="card-foot row" hidden=move || count.get() == 0>
            <button type="button" class="btn quiet" aria-expanded=move || is_open.get().to_string()
                data-testid=testids::COMMISSIONINGS_OPEN on:click=move |_| is_open.update(|open| *open = !*open)>
                {move || older(is_open.get(), count.get())}
            </button>
        </div>
        {move || (is_open.get() && count.get() > 0).then(|| view! {
            <div class="scroll" tabindex="0" role="group" aria-label="Older records">
                <table class="tbl">
                    <thead><tr><th scope="col">"Tested"</th><th scope="col">"Outcome"</th><th scope="col" data-p="2">"Version"</th><th scope="col"><span class="vh">"File"</span></th></tr></thead>
                    <tbody>{rows}</tbody>
                </table>
            </div>
        })}
    }
}

#[component]
fn OlderRow(tests: Tests, record: CommissioningRecord) -> impl IntoView {
    let (state, word) = outcome(record.outcome);
    let (when, came_to) = (when(&record), format!("{:?}", record.outcome));
    let (program, said) = (record.program.clone(), when.clone());
    view! {
        <tr data-testid=testids::COMMISSIONING_OLDER data-outcome=came_to>
            <th scope="row" class="num-text">{when}</th>
            <td><StateMark state=state word=word.to_owned()/></td>
            <td data-p="2">{program}</td>
            <td class="num">
                <button type="button" class="btn quiet" on:click=move |_| tests.save(record.clone())>
                    <Icon name="down"/>"Save"<span class="vh">" the record of "{said}</span>
                </button>
            </td>
        </tr>
    }
}

fn when(record: &CommissioningRecord) -> String {
    let ended = i64::try_from(record.ended).unwrap_or(i64::MAX);
    format!("{}, {}", local_date(ended), local_clock_minutes(ended))
}

/// What the test came to.
#[component]
fn Whole(record: CommissioningRecord) -> impl IntoView {
    let (state, word) = outcome(record.outcome);
    view! {
        <p class="row" data-testid=testids::COMMISSIONING data-outcome=format!("{:?}", record.outcome)>
            <StateMark state=state word=word.to_owned()/>
            <span class="tag" hidden=!record.simulated>"simulated"</span>
            <span class="dim small num-text">{when(&record)}", version "{record.program}</span>
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
