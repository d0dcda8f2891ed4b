//! How the consortium runs: the plots of the last half hour or day, asked for again while somebody looks.

use fog_api::{ConsortiumSeries, FinalitySeries};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::Segments;
use crate::consortium_plots::{Answer, spec};
use crate::failure::Failure;
use crate::live::{after, here_now, use_live};
use crate::plot::Plots;
use crate::testids;
use crate::transport;
use crate::words::chain;

/// Period keys, labels, minutes and how often they are asked for again, in milliseconds: as often as
/// there is a new stretch to show.
const PERIODS: [(&str, &str, u32, u64); 2] =
    [("30m", "30 min", 30, 6_000), ("24h", "24 h", 1_440, 60_000)];

/// The card.
#[component]
pub fn Runs() -> impl IntoView {
    let live = use_live();
    let period = RwSignal::new("30m");
    let answer = RwSignal::new(Answer {
        minutes: 30,
        ..Answer::default()
    });
    let failure = RwSignal::new(None::<Failure>);
    let turn = RwSignal::new(0_u32);
    Effect::new(move || {
        let key = period.get();
        let turn_now = turn.get();
        live.epoch.track();
        let known = PERIODS.into_iter().find(|(known, ..)| *known == key);
        let Some((_, _, minutes, pause)) = known else {
            return;
        };
        spawn_local(async move {
            // Nobody looks at a hidden page.
            if !document().hidden() {
                let asked = ask(minutes).await;
                // The page may be gone, or another period chosen meanwhile.
                if period.try_get_untracked() != Some(key) {
                    return;
                }
                failure.set(asked.as_ref().err().cloned());
                if let Ok(new) = asked {
                    answer.set(new);
                }
            }
            after(pause, move || {
                if turn.try_get_untracked() == Some(turn_now) {
                    turn.try_update(|turn| *turn = turn.wrapping_add(1));
                }
            });
        });
    });
    let shown =
        Signal::derive(move || answer.with(|answer| spec(answer, here_now() + live.skew_millis())));
    let beside = move || match failure.get() {
        Some(failure) => failure.words().what,
        None => answer.with(|answer| {
            let slowest = answer
                .finality
                .points
                .iter()
                .filter_map(|point| point.p99_ms);
            chain::limit(answer.finality.limit_ms, slowest.reduce(f64::max)).1
        }),
    };
    let options = PERIODS
        .into_iter()
        .map(|(key, label, ..)| (key, label, None))
        .collect();
    view! {
        <section class="card" aria-labelledby="h-runs" data-testid=testids::CONSORTIUM_PLOTS>
            <div class="card-head">
                <h2 id="h-runs">"How it runs"</h2>
                <p>{beside}</p>
                <div class="push"><Segments name="consortium-period" legend="Period" options=options value=period testid=testids::PERIOD/></div>
            </div>
            <div class="card-body"><Plots spec=shown/></div>
        </section>
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
