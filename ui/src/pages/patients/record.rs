//! A patient's record: what was measured of her over all devices, with the times in which she wore each.

use fog_api::{History, PatientView, ReadingRow, WornDevice};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::Segments;
use crate::failure::Failure;
use crate::live::use_live;
use crate::patient_plots::{Window, marked, simulated, window};
use crate::plot::{PlotSpec, Plots, Point, SeriesHandle, Span};
use crate::profile_plots::{Line, break_after, is_episodic, panels, points};
use crate::route::escape;
use crate::testids;
use crate::transport;
use crate::words::number::unit;
use crate::words::patients;
use crate::words::proof::WAVE;

/// Points asked for a plot.
const POINTS: i64 = 1_200;
/// Single readings asked for, of what is measured now and then.
const EPISODES: u32 = 1_000;

/// What is drawn: the lines of one window.
#[derive(Clone)]
struct Drawn {
    lines: Vec<Line>,
    window: Span,
    points: usize,
}

/// The card.
#[component]
pub(super) fn Record(
    view: RwSignal<Option<PatientView>>,
    /// Where what belongs to the patient is: `/api/patients/ID`, or `/api/me`.
    base: String,
) -> impl IntoView {
    let live = use_live();
    let base = StoredValue::new(base);
    let chosen = RwSignal::new("1h");
    let drawn = RwSignal::new(None::<Drawn>);
    let failure = RwSignal::new(None::<Failure>);
    let asked = StoredValue::new(0_u32);
    // What is asked for is asked again when there may be something new to see.
    let pace = Memo::new(move |_| {
        live.now
            .get()
            .div_euclid(Window::of(chosen.get()).pause_millis)
    });
    Effect::new(move || {
        pace.get();
        live.epoch.track();
        let Some(told) = view.get() else { return };
        if document().hidden() {
            return;
        }
        asked.update_value(|asked| *asked = asked.wrapping_add(1));
        let turn = asked.get_value();
        let window = window(&told.worn, chosen.get(), live.now.get_untracked());
        let base = base.get_value();
        spawn_local(async move {
            let said = ask(&base, &told, window).await;
            // The page may be gone, or another window chosen meanwhile.
            if asked.try_get_value() != Some(turn) {
                return;
            }
            failure.set(said.as_ref().err().cloned());
            if let Ok(new) = said {
                drawn.set(Some(new));
            }
        });
    });
    let worn = move || {
        view.with(|view| view.as_ref().map(|view| view.worn.clone()))
            .unwrap_or_default()
    };
    let spec = Signal::derive(move || {
        drawn
            .with(|drawn| drawn.as_ref().map(|drawn| spec(drawn, &worn())))
            .unwrap_or_default()
    });
    // A canvas without a panel has no size, and cannot be painted on.
    let has_any = Memo::new(move |_| spec.with(|spec| !spec.panels.is_empty()));
    let count =
        Memo::new(move |_| drawn.with(|drawn| drawn.as_ref().map_or(0, |drawn| drawn.points)));
    let says = move || match failure.get() {
        Some(failure) => failure.words().what,
        None => patients::record(count.get(), Window::of(chosen.get()).name),
    };
    let options = Window::ALL
        .iter()
        .map(|one| (one.key, one.label, None))
        .collect();
    view! {
        <section class="card" aria-labelledby="h-record" data-testid=testids::PATIENT_RECORD data-points=move || count.get().to_string()>
            <div class="card-head">
                <h2 id="h-record">"Record"</h2><p role="status">{says}</p>
                <div class="push"><Segments name="record" legend="Period" options=options value=chosen testid=testids::PERIOD/></div>
            </div>
            <div class="card-body">{move || has_any.get().then(|| view! { <Plots spec=spec/> })}</div>
        </section>
    }
}

fn spec(drawn: &Drawn, worn: &[WornDevice]) -> PlotSpec {
    let shown: Vec<Line> = drawn
        .lines
        .iter()
        .filter(|line| !line.series.read().is_empty())
        .cloned()
        .collect();
    let mut panels = panels(&shown, false);
    marked(&mut panels, worn);
    for panel in &mut panels {
        panel.simulated = simulated(worn, drawn.window);
    }
    PlotSpec {
        panels,
        window: drawn.window,
    }
}

/// Asks for all metrics of her devices but the waves.
async fn ask(base: &str, view: &PatientView, window: Span) -> Result<Drawn, Failure> {
    let (mut lines, mut count) = (Vec::new(), 0);
    for metric in view.metrics.iter().filter(|metric| metric.code != WAVE.0) {
        let code = escape(&metric.code);
        let series = SeriesHandle::new(
            8_000,
            break_after(&metric.code, window.length(), POINTS, 0.0),
        );
        let (from, to) = (window.from, window.to);
        let kept: Vec<Point> = match is_episodic(&metric.code) {
            true => {
                let path =
                    format!("{base}/readings?metric={code}&from={from}&to={to}&limit={EPISODES}");
                points(&transport::get::<Vec<ReadingRow>>(&path).await?).collect()
            }
            false => {
                let path =
                    format!("{base}/history?metric={code}&from={from}&to={to}&points={POINTS}");
                let history = transport::get::<History>(&path).await?;
                let point = |point: &fog_api::HistoryPoint| Point {
                    time: point.time,
                    range: point.min.zip(point.max),
                };
                history.points.iter().map(point).collect()
            }
        };
        count += kept.len();
        series.replace(kept);
        lines.push(Line {
            code: metric.code.clone(),
            title: metric.label.clone(),
            unit: unit(&metric.unit).to_owned(),
            series,
        });
    }
    Ok(Drawn {
        lines,
        window,
        points: count,
    })
}
