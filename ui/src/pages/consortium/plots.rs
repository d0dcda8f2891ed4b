//! How the consortium runs: the plots of the last half hour or day.

use fog_api::{ConsortiumSeries, FinalitySeries};
use leptos::prelude::*;

use crate::consortium_plots::{Answer, spec};
use crate::failure::Failure;
use crate::live::{here_now, use_live};
use crate::pages::period::{Asked, Period, PeriodCard};
use crate::testids;
use crate::transport;
use crate::words::chain;

const PERIODS: &[Period] = &[Period::HALF_AN_HOUR, Period::DAY];

/// The card.
#[component]
pub fn Runs() -> impl IntoView {
    let live = use_live();
    let asked = Asked::new(PERIODS, ask);
    let shown = Signal::derive(move || {
        asked.answer.with(|answer| {
            let none = Answer {
                minutes: Period::HALF_AN_HOUR.minutes,
                ..Answer::default()
            };
            spec(
                answer.as_ref().unwrap_or(&none),
                here_now() + live.skew_millis(),
            )
        })
    });
    let beside = Signal::derive(move || {
        let beside = |answer: &Answer| chain::limit_in(&answer.finality).1;
        asked
            .answer
            .with(|answer| answer.as_ref().map(beside).unwrap_or_default())
    });
    view! {
        <PeriodCard heading="How it runs" id="h-runs" testid=testids::CONSORTIUM_PLOTS beside=beside asked=asked spec=shown/>
    }
}

async fn ask(minutes: u32) -> Result<Answer, Failure> {
    let finality = format!("/api/finality?minutes={minutes}");
    let consortium = format!("/api/consortium/series?minutes={minutes}");
    Ok(Answer {
        minutes,
        finality: transport::get::<FinalitySeries>(&finality).await?,
        consortium: transport::get::<ConsortiumSeries>(&consortium).await?,
    })
}
