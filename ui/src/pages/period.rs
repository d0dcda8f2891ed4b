//! A card of plots over a period that the reader chooses; its series are asked for again while somebody
//! looks.

use std::future::Future;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::Segments;
use crate::failure::Failure;
use crate::live::{after, use_live};
use crate::plot::{PlotSpec, Plots};
use crate::testids;

/// How far back the plots may go.
#[derive(Clone, Copy)]
pub struct Period {
    /// Its key, for tests.
    pub key: &'static str,
    /// Its name, for people.
    pub label: &'static str,
    /// Its length.
    pub minutes: u32,
    /// Time between two questions: as often as there is a new stretch to show.
    pub pause_millis: u64,
}

impl Period {
    /// Five minutes.
    pub const FIVE_MINUTES: Self = Self::new("5m", "5 min", 5, 2_000);
    /// Half an hour.
    pub const HALF_AN_HOUR: Self = Self::new("30m", "30 min", 30, 6_000);
    /// A day.
    pub const DAY: Self = Self::new("24h", "24 h", 1_440, 60_000);

    const fn new(key: &'static str, label: &'static str, minutes: u32, pause_millis: u64) -> Self {
        Self {
            key,
            label,
            minutes,
            pause_millis,
        }
    }
}

/// The answers for a period, and the choice of it.
pub struct Asked<T: 'static> {
    periods: &'static [Period],
    chosen: RwSignal<&'static str>,
    /// The newest answer.
    pub answer: RwSignal<Option<T>>,
    /// Why there is no newer one.
    pub failure: RwSignal<Option<Failure>>,
}

impl<T> Clone for Asked<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Asked<T> {}

impl<T: Send + Sync + 'static> Asked<T> {
    /// Asks for half an hour, or what is chosen of `periods`, again and again while the page is there.
    pub fn new<F>(periods: &'static [Period], ask: impl Fn(u32) -> F + Copy + 'static) -> Self
    where
        F: Future<Output = Result<T, Failure>> + 'static,
    {
        let asked = Self {
            periods,
            chosen: RwSignal::new(Period::HALF_AN_HOUR.key),
            answer: RwSignal::new(None),
            failure: RwSignal::new(None),
        };
        let (live, turn) = (use_live(), RwSignal::new(0_u32));
        Effect::new(move || {
            let key = asked.chosen.get();
            let turn_now = turn.get();
            live.epoch.track();
            let Some(period) = periods.iter().find(|period| period.key == key) else {
                return;
            };
            spawn_local(async move {
                // Nobody looks at a hidden page.
                if !document().hidden() {
                    let said = ask(period.minutes).await;
                    // The page may be gone, or another period chosen meanwhile.
                    if asked.chosen.try_get_untracked() != Some(key) {
                        return;
                    }
                    asked.failure.set(said.as_ref().err().cloned());
                    if let Ok(new) = said {
                        asked.answer.set(Some(new));
                    }
                }
                after(period.pause_millis, move || {
                    if turn.try_get_untracked() == Some(turn_now) {
                        turn.try_update(|turn| *turn = turn.wrapping_add(1));
                    }
                });
            });
        });
        asked
    }
}

/// The card.
#[component]
pub fn PeriodCard<T: Send + Sync + 'static>(
    /// Its heading.
    heading: &'static str,
    /// The heading's id, and that of the choice.
    id: &'static str,
    /// Name for tests.
    testid: &'static str,
    /// What stands beside the heading while there are answers.
    #[prop(into)]
    beside: Signal<String>,
    /// The answers.
    asked: Asked<T>,
    /// What is drawn of them.
    #[prop(into)]
    spec: Signal<PlotSpec>,
) -> impl IntoView {
    let beside = move || {
        let failure = asked
            .failure
            .with(|failure| failure.as_ref().map(|failure| failure.words().what));
        failure.unwrap_or_else(|| beside.get())
    };
    let options = asked.periods.iter();
    let options = options
        .map(|period| (period.key, period.label, None))
        .collect();
    view! {
        <section class="card" aria-labelledby=id data-testid=testid>
            <div class="card-head">
                <h2 id=id>{heading}</h2>
                <p>{beside}</p>
                <div class="push"><Segments name=id legend="Period" options=options value=asked.chosen testid=testids::PERIOD/></div>
            </div>
            <div class="card-body"><Plots spec=spec/></div>
        </section>
    }
}
