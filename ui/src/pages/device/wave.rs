//! The pleth wave, moving as at the bedside: the newest seconds, a little behind the clock, so that a
//! second that arrives whole is drawn smoothly.

use leptos::prelude::*;

use crate::live::{DeviceEntry, here_now, use_live};
use crate::plot::{Colour, Panel, PlotSpec, Plots, SeriesHandle, Simulated, Span};
use crate::wave_track::WaveTrack;

/// Seconds that are shown.
const SHOWN_MILLIS: i64 = 8_000;
/// How far behind the clock the picture is: a segment is a second long and takes its way.
const BEHIND_MILLIS: i64 = 1_600;
/// Milliseconds between two pictures: 30 a second.
const FRAME_MILLIS: i64 = 33;

/// The wave.
#[component]
pub fn Wave(entry: DeviceEntry) -> impl IntoView {
    let live = use_live();
    let id = entry.facts.with_untracked(|facts| facts.id.clone());
    let simulated = entry.facts.with_untracked(|facts| facts.simulated);
    live.watch_waves(Some(id.clone()));
    on_cleanup(move || live.watch_waves(None));
    let series = SeriesHandle::new(4_000, 500);
    let newest = RwSignal::new(0_i64);
    let track = StoredValue::new(WaveTrack::new(series.clone()));
    Effect::new(move || {
        live.waves.with(|waves| {
            for wave in waves.iter().filter(|wave| wave.device == id) {
                if let Some(end) = track.try_update_value(|track| track.join(wave)).flatten() {
                    newest.set(end);
                }
            }
        });
    });
    let to = RwSignal::new(live.now.get_untracked() - BEHIND_MILLIS);
    sweep(to, newest);
    let spec = Signal::derive(move || {
        let mut panel = Panel::line(
            "Pleth wave",
            "the sensor’s own steps",
            Colour::PULSE,
            series.clone(),
        );
        panel.height_rem = 6.0;
        if simulated {
            panel.simulated = Simulated::All;
        }
        let to = to.get();
        PlotSpec {
            panels: vec![panel],
            window: Span::new(to - SHOWN_MILLIS, to),
        }
    });
    view! {
        <hr class="rule"/>
        <div class="card-head"><h3>"Wave"</h3><p>"the last eight seconds"</p></div>
        <div class="card-body"><Plots spec=spec/></div>
    }
}

/// Moves the window with the clock, 30 times a second; with reduced motion once a second.
fn sweep(to: RwSignal<i64>, newest: RwSignal<i64>) {
    let live = use_live();
    let calm = window()
        .match_media("(prefers-reduced-motion: reduce)")
        .ok()
        .flatten()
        .is_some_and(|query| query.matches());
    let step = if calm { 1_000 } else { FRAME_MILLIS };
    frame(move || {
        // Both are gone once the page is: then the sweep ends.
        let (Some(shown), Some(newest)) = (to.try_get_untracked(), newest.try_get_untracked())
        else {
            return false;
        };
        let now = here_now() + live.skew_millis() - BEHIND_MILLIS;
        // The sender's clock may differ from the node's: never run far from what came.
        let wanted = if newest > 0 && (now - newest).abs() > 5_000 {
            newest
        } else {
            now
        };
        if wanted - shown >= step || wanted < shown - 1_000 {
            to.set(wanted);
        }
        true
    });
}

fn frame(work: impl Fn() -> bool + 'static) {
    request_animation_frame(move || {
        if work() {
            frame(work);
        }
    });
}
