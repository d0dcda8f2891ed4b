//! Readings from sensor to finality, the ledger, the vault.

use fog_api::{FinalitySeries, Gap, Status};
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::components::StateMark;
use crate::live::{Live, use_live};
use crate::plot::{Colour, Limit, Mark, Panel, PlotSpec, Plots, Point, SeriesHandle, Span, YRange};
use crate::route::Route;
use crate::testids;
use crate::words::number::{age, bytes, count, duration, rate, thousands};
use crate::words::state::State;
use crate::words::{device, node};

/// Length of the finality plot in minutes.
const MINUTES: i64 = 60;

fn of_status<T: PartialEq + Send + Sync + 'static>(
    live: Live,
    read: fn(&Status) -> T,
) -> Memo<Option<T>> {
    Memo::new(move |_| live.status.with(|status| status.as_ref().map(read)))
}

/// Readings from sensor to finality, of all devices.
#[component]
pub fn Custody() -> impl IntoView {
    let live = use_live();
    let gap = Memo::new(move |_| {
        // The devices' own ledgers are fresher than the status, which comes once a second at most.
        live.devices()
            .iter()
            .fold(Gap::default(), |sum, entry| add(sum, entry.gap.get()))
    });
    let per_second = of_status(live, |status| status.readings_per_second.max(0.0));
    let beside = move || {
        per_second
            .get()
            .map(|rate_now| format!("{} a second now", rate(rate_now)))
    };
    let devices = Memo::new(move |_| live.ids.with(|ids| ids.as_ref().map_or(0, Vec::len)));
    let expected = move |_: Gap| {
        let devices = devices.get();
        format!(
            "by the rates of {}",
            count(u64::try_from(devices).unwrap_or(0), "device", "devices")
        )
    };
    let received = |gap: Gap| match gap.rejected {
        0 => device::missing(&gap),
        rejected => format!("{}, {} refused", device::missing(&gap), thousands(rejected)),
    };
    let sealed = |gap: Gap| match gap.received.saturating_sub(gap.sealed) {
        0 => "in the vault, encrypted".to_owned(),
        _ => device::waiting(gap.received, gap.sealed, "the vault"),
    };
    let anchored = |gap: Gap| device::waiting(gap.sealed, gap.anchored, "the next batch");
    let finalized = |gap: Gap| match gap.anchored.saturating_sub(gap.finalized) {
        0 => "none in the vote".to_owned(),
        voted => format!("{} in the block now being voted", thousands(voted)),
    };
    view! {
        <section class="card" aria-labelledby="h-cust">
            <div class="card-head"><h2 id="h-cust">"Readings, from sensor to finality"</h2><p class="push num">{beside}</p></div>
            <ol class="custody">
                <Step title="Expected" gap=gap value=|gap| gap.expected says=expected testid=testids::CUSTODY_EXPECTED/>
                <Step title="Received" gap=gap value=|gap| gap.received says=received testid=testids::CUSTODY_RECEIVED/>
                <Step title="Sealed" gap=gap value=|gap| gap.sealed says=sealed testid=testids::CUSTODY_SEALED/>
                <Step title="Anchored" gap=gap value=|gap| gap.anchored says=anchored testid=testids::CUSTODY_ANCHORED/>
                <Step title="Final" gap=gap value=|gap| gap.finalized says=finalized testid=testids::CUSTODY_FINAL/>
            </ol>
        </section>
    }
}

fn add(a: Gap, b: Gap) -> Gap {
    Gap {
        expected: a.expected.saturating_add(b.expected),
        received: a.received.saturating_add(b.received),
        rejected: a.rejected.saturating_add(b.rejected),
        sealed: a.sealed.saturating_add(b.sealed),
        anchored: a.anchored.saturating_add(b.anchored),
        finalized: a.finalized.saturating_add(b.finalized),
    }
}

#[component]
fn Step(
    title: &'static str,
    gap: Memo<Gap>,
    value: fn(Gap) -> u64,
    says: impl Fn(Gap) -> String + Send + Sync + 'static,
    testid: &'static str,
) -> impl IntoView {
    view! {
        <li>
            <h3>{title}</h3>
            <b data-testid=testid data-value=move || value(gap.get()).to_string()>{move || thousands(value(gap.get()))}</b>
            <p>{move || says(gap.get())}</p>
        </li>
    }
}

/// The ledger: newest block, who signs, time to finality.
#[component]
pub fn Ledger() -> impl IntoView {
    let live = use_live();
    let height = of_status(live, |status| status.height);
    let tip_time = of_status(live, |status| status.tip_time);
    let signing = of_status(live, node::signing);
    let needed = of_status(live, |status| status.quorum);
    let can_lose = of_status(live, node::can_lose);
    let trouble = of_status(live, |status| status.trouble.is_some());
    let p50 = of_status(live, |status| status.finality.p50_ms.unwrap_or(-1.0));
    let mark = Memo::new(move |_| match (live.is_current(), trouble.get()) {
        (false, _) => device::NOT_KNOWN,
        (true, Some(true)) => (State::Critical, "Not anchoring"),
        (true, _) => (State::Ok, "In step"),
    });
    let final_ago = move || {
        let then = tip_time.get().and_then(|time| i64::try_from(time).ok());
        then.map(|then| format!(", final {} ago", age(live.now.get(), then)))
    };
    let median = move || match p50.get() {
        Some(p50) if p50 >= 0.0 => format!("half within {}", duration(p50)),
        _ => "no anchor yet since the start".to_owned(),
    };
    let block = move || {
        height.get().map(|height| view! {
        <a href=Route::Block(height).href() data-testid=testids::LEDGER_BLOCK data-value=height.to_string()>{thousands(height)}</a>
    })
    };
    view! {
        <section class="card" aria-labelledby="h-ledger">
            <div class="card-head">
                <h2 id="h-ledger">"Ledger"</h2>
                <div class="push"><StateMark state=Signal::derive(move || mark.get().0) word=Signal::derive(move || mark.get().1.to_owned())/></div>
            </div>
            <div class="card-body stack">
                <dl class="kv">
                    <dt>"Block"</dt><dd class="num-text">{block}{final_ago}</dd>
                    <dt>"Validators"</dt><dd>{move || signing.get()}", "{move || needed.get()}" needed"</dd>
                    <dt>"Can lose"</dt><dd>{move || can_lose.get()}</dd>
                    <dt>"Finality"</dt><dd class="num-text">{median}</dd>
                </dl>
                <FinalityPlot/>
            </div>
        </section>
    }
}

/// Time to finality in the last hour; asked for again each ten seconds.
#[component]
fn FinalityPlot() -> impl IntoView {
    let live = use_live();
    let series = SeriesHandle::new(2_000, 10 * 60_000);
    let limit = RwSignal::new(0_u32);
    let version = RwSignal::new(0_u32);
    let fill = series.clone();
    let tens = Memo::new(move |_| live.now.get().div_euclid(10_000));
    Effect::new(move || {
        tens.track();
        live.epoch.track();
        let fill = fill.clone();
        spawn_local(async move {
            let asked = crate::transport::get::<FinalitySeries>(&format!(
                "/api/finality?minutes={MINUTES}"
            ))
            .await;
            // Without an answer the plot keeps what it had; the banner says that the node is away.
            if let Ok(answer) = asked {
                fill.replace(
                    answer
                        .points
                        .iter()
                        .filter_map(|point| Some(Point::value(point.time, point.p99_ms?))),
                );
                limit.try_set(answer.limit_ms);
                version.try_update(|version| *version += 1);
            }
        });
    });
    let spec = Signal::derive(move || {
        version.track();
        let now = tens.get() * 10_000 + 10_000;
        let limit = limit.get();
        let most = series
            .read()
            .extent(Span::new(now - MINUTES * 60_000, now))
            .map_or(0.0, |(_, most)| most);
        // The agreed limit is drawn once finality comes near it; else it would flatten the line.
        let near = limit > 0 && most * 3.0 > f64::from(limit);
        let limits = if near {
            vec![Limit {
                value: f64::from(limit),
                label: format!("agreed limit {limit} ms"),
            }]
        } else {
            Vec::new()
        };
        let mut panel = Panel::line(
            "Time to finality",
            "ms, p99, last hour",
            Colour::FINALITY,
            series.clone(),
        );
        panel
            .traces
            .iter_mut()
            .for_each(|trace| trace.mark = Mark::Area);
        panel.height_rem = 5.5;
        panel.gaps = false;
        panel.y = YRange::AtLeast(0.0, 10.0);
        panel.limits = limits;
        PlotSpec {
            panels: vec![panel],
            window: Span::new(now - MINUTES * 60_000, now),
        }
    });
    view! { <Plots spec=spec/> }
}

/// The vault: size, room.
#[component]
pub fn Vault() -> impl IntoView {
    let live = use_live();
    let grown = RwSignal::new(None::<(i64, u64)>);
    let room = Memo::new(move |_| {
        live.status.with(|status| {
            status.as_ref().map(|status| {
                let (now, size) = (
                    i64::try_from(status.now).unwrap_or(0),
                    status.disk.vault_bytes,
                );
                let (since, from) = grown.get_untracked().unwrap_or((now, size));
                // A rate from less than a minute would jump about.
                let days = (now - since) as f64 / 86_400_000.0;
                let per_day =
                    (now - since > 60_000 && size > from).then(|| (size - from) as f64 / days);
                node::room(status, per_day)
            })
        })
    });
    Effect::new(move || {
        live.status.with(|status| {
            if let (Some(status), None) = (status, grown.get_untracked()) {
                grown.set(Some((
                    i64::try_from(status.now).unwrap_or(0),
                    status.disk.vault_bytes,
                )));
            }
        });
    });
    let replica = of_status(live, |status| status.disk.replica_bytes);
    let free = of_status(live, |status| status.disk.free_bytes);
    view! {
        <section class="card" aria-labelledby="h-vault">
            <div class="card-head">
                <h2 id="h-vault">"Vault"</h2>
                <div class="push"><StateMark state=State::Ok word="Sealed"/></div>
            </div>
            <div class="card-body">
                <dl class="kv">
                    <dt>"Size"</dt><dd class="num-text" data-testid=testids::VAULT_SIZE>{move || room.get()}</dd>
                    <dt>"Replica"</dt><dd class="num-text">{move || replica.get().map(bytes)}</dd>
                    <dt>"Free"</dt><dd class="num-text">{move || free.get().map(bytes)}</dd>
                </dl>
            </div>
        </section>
    }
}
