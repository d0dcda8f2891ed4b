//! Plots on the page: captions and drawing areas as elements, one canvas over them, and the same data
//! in words and as a table.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, KeyboardEvent, PointerEvent};

use super::canvas::{self, MountId};
use super::paint::readout;
use super::spec::PlotSpec;
use super::words;
use crate::components::offset_minutes;
use crate::live::here_now;
use crate::testids;

/// Rows of the table.
const ROWS: usize = 30;
/// The description for screen readers is made anew this often, in milliseconds.
const DESCRIBE_MILLIS: i64 = 10_000;

/// What the page lays out for one panel; changes seldom.
#[derive(Clone, PartialEq)]
struct Head {
    title: Option<String>,
    style: String,
    unit: String,
    traces: Vec<(String, String)>,
}

/// Panels over one stretch of time on one canvas. See the module for how to feed it.
#[component]
pub fn Plots(
    /// What to show; each change is painted once.
    #[prop(into)]
    spec: Signal<PlotSpec>,
) -> impl IntoView {
    let holder = NodeRef::<html::Div>::new();
    let canvas_ref = NodeRef::<html::Canvas>::new();
    let mounted = RwSignal::new(None::<MountId>);
    let (failed, table) = (RwSignal::new(false), RwSignal::new(false));
    let heads = Memo::new(move |_| spec.with(heads));
    let said = RwSignal::new(String::new());
    let description = described(spec);

    Effect::new(move || {
        let (Some(canvas), Some(holder)) = (canvas_ref.get(), holder.get()) else {
            return;
        };
        if mounted.get_untracked().is_none() {
            let holder: HtmlElement = holder.unchecked_into();
            mounted.set(Some(canvas::mount(canvas, holder, move || {
                failed.try_set(true);
            })));
        }
    });
    Effect::new(move || {
        if failed.get()
            && let Some(id) = mounted.get_untracked()
        {
            mounted.set(None);
            canvas::unmount(id);
        }
    });
    on_cleanup(move || {
        if let Some(id) = mounted.try_get_untracked().flatten() {
            canvas::unmount(id);
        }
    });
    Effect::new(move || {
        if let Some(id) = mounted.get() {
            canvas::show(id, spec.get());
        }
    });
    Effect::new(move || {
        heads.track();
        if let Some(id) = mounted.get() {
            // The new drawing areas are on the page once this frame is.
            request_animation_frame(move || canvas::measure(id));
        }
    });

    let point = move |x: Option<f64>| {
        if let Some(id) = mounted.get_untracked() {
            canvas::point_at(id, x);
        }
    };
    let keys = move |event: KeyboardEvent| on_key(&event, mounted, table, said, spec);
    view! {
        <div class="plots stack" class:plots-failed=move || failed.get()>
            <div class="plots-stage" node_ref=holder tabindex="0" role="group" aria-label="Plots, arrow keys move the cursor, T shows the table"
                aria-keyshortcuts="ArrowLeft ArrowRight T" data-testid=testids::PLOTS
                on:pointermove=move |event: PointerEvent| point(Some(f64::from(event.client_x())))
                on:pointerdown=move |event: PointerEvent| point(Some(f64::from(event.client_x())))
                on:pointerleave=move |_| point(None)
                on:keydown=keys>
                {move || heads.get().into_iter().map(caption).collect_view()}
                <canvas node_ref=canvas_ref role="img" aria-label=move || description.get()></canvas>
                <span class="plots-probe" aria-hidden="true"></span>
            </div>
            <p class="vh" aria-live="polite">{move || said.get()}</p>
            <p class="small dim" hidden=move || !failed.get()>
                "This window cannot paint plots, because WebGL is missing or was taken away. The table holds the same figures."
            </p>
            <button type="button" class="btn quiet plots-toggle" aria-expanded=move || table.get().to_string()
                hidden=move || failed.get() on:click=move |_| table.update(|open| *open = !*open)>
                {move || if table.get() { "Hide the table" } else { "Show as a table" }}
            </button>
            {move || (table.get() || failed.get()).then(|| view! { <Table spec=spec/> })}
        </div>
    }
}

fn heads(spec: &PlotSpec) -> Vec<Head> {
    let panels = spec.panels.iter().map(|panel| {
        let colour = panel
            .traces
            .first()
            .map(|trace| trace.colour.property())
            .unwrap_or_default();
        let name = |name: &str| {
            if panel.traces.len() == 1 && !panel.is_titled {
                panel.title.clone()
            } else {
                name.to_owned()
            }
        };
        let unit = if panel.unit.is_empty() {
            String::new()
        } else {
            format!(", {}", panel.unit)
        };
        Head {
            title: panel.is_titled.then(|| format!("{}{unit}", panel.title)),
            style: format!("--c:var({colour});--h:{}rem", panel.height_rem),
            unit: if panel.is_titled {
                String::new()
            } else {
                panel.unit.clone()
            },
            traces: panel
                .traces
                .iter()
                .map(|trace| (name(&trace.name), trace.colour.property()))
                .collect(),
        }
    });
    panels.collect()
}

/// A panel's caption, and the empty element whose place the canvas paints.
fn caption(head: Head) -> impl IntoView {
    let names: Vec<_> = head
        .traces
        .into_iter()
        .map(|(name, colour)| {
            let unit = head.unit.clone();
            view! { <span class="plots-name"><b style=format!("--c:var({colour})")>{name}</b>" "{unit}</span> }
        })
        .collect();
    view! {
        <div class="plot" style=head.style>
            <div class="plots-caption">{head.title.map(|title| view! { <span>{title}</span> })}{names}</div>
            <div class="area"></div>
        </div>
    }
}

/// The canvas in words, made anew only now and then: a screen reader would read every change.
fn described(spec: Signal<PlotSpec>) -> RwSignal<String> {
    let text = RwSignal::new(String::new());
    let made = StoredValue::new(0_i64);
    Effect::new(move || {
        spec.with(|spec| {
            let lacks = text.with_untracked(|text| text.is_empty() || text.contains("no data"));
            if lacks || here_now() - made.get_value() >= DESCRIBE_MILLIS {
                made.set_value(here_now());
                text.set(words::summary(spec, offset_minutes(spec.window.to)));
            }
        });
    });
    text
}

fn on_key(
    event: &KeyboardEvent,
    mounted: RwSignal<Option<MountId>>,
    table: RwSignal<bool>,
    said: RwSignal<String>,
    spec: Signal<PlotSpec>,
) {
    let Some(id) = mounted.get_untracked() else {
        return;
    };
    if event.ctrl_key() || event.meta_key() || event.alt_key() {
        return;
    }
    let step = if event.shift_key() { 0.1 } else { 0.01 };
    let share = match event.key().as_str() {
        "ArrowLeft" => -step,
        "ArrowRight" => step,
        "Home" => -1.0,
        "End" => 1.0,
        "Escape" => {
            canvas::point_at(id, None);
            said.set(String::new());
            return;
        }
        "t" | "T" => {
            table.update(|open| *open = !*open);
            return;
        }
        _ => return,
    };
    event.prevent_default();
    let Some(time) = canvas::step_cursor(id, share) else {
        return;
    };
    let offset = offset_minutes(time);
    let sentences: Vec<_> = spec.with_untracked(|spec| {
        let panels = spec.panels.iter().enumerate();
        panels
            .map(|(index, panel)| {
                format!(
                    "{} {}",
                    panel.title,
                    readout(panel, time, (index == 0).then_some(offset))
                )
            })
            .collect()
    });
    said.set(sentences.join(", "));
}

/// The data as a table, newest first.
#[component]
fn Table(spec: Signal<PlotSpec>) -> impl IntoView {
    let content = Memo::new(move |_| {
        spec.with(|spec| words::table(spec, ROWS, offset_minutes(spec.window.to)))
    });
    let head = move || {
        content.with(|(head, _)| {
            head.iter()
                .map(|name| view! { <th scope="col">{name.clone()}</th> })
                .collect_view()
        })
    };
    let body = move || {
        content.with(|(_, rows)| {
            rows.iter()
                .map(|row| {
                    let mut cells = row.iter().cloned();
                    let time = cells.next();
                    let cells: Vec<_> = cells
                        .map(|cell| view! { <td class="num">{cell}</td> })
                        .collect();
                    view! { <tr><th scope="row">{time}</th>{cells}</tr> }
                })
                .collect_view()
        })
    };
    view! {
        <div class="scroll plots-table" tabindex="0" role="group" aria-label="The plots’ figures">
            <table class="tbl" data-testid=testids::PLOTS_TABLE><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>
        </div>
    }
}
