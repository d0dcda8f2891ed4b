//! With `?measure` in the address: marks in the browser's performance timeline, from which a test tells how
//! long a value takes from its event to its painted line.
//!
//! ```text
//! fogward arrived DEVICE TIME METRIC   upon the event that tells a value; TIME is the value's own
//! fogward painted TIME METRIC          upon the end of the frame in which a plot was painted up to it
//! fogward handed TIME METRIC           upon the begin of the next frame
//! ```
//!
//! When the next frame begins, the browser has handed the painted one on; what the screen needs to light it is
//! left out. A mark holds no value. Without the flag nothing is marked.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use fog_api::DeviceLive;
use leptos::prelude::{request_animation_frame, set_timeout, window};

use crate::plot::PlotSpec;

thread_local! {
    static IS_ON: Cell<bool> = const { Cell::new(false) };
}

/// Looks for the flag; call before the token is taken, and the query with it.
pub fn begin() {
    let query = window().location().search().unwrap_or_default();
    let mut words = query.trim_start_matches('?').split('&');
    IS_ON.set(words.any(|word| word == "measure"));
}

/// An event told these devices' newest values.
pub fn arrived(devices: &[DeviceLive]) {
    if !IS_ON.get() {
        return;
    }
    for device in devices {
        for vital in &device.vitals {
            mark(&format!(
                "fogward arrived {} {} {}",
                device.id, vital.time, vital.label
            ));
        }
    }
}

/// A plot is painted in this frame.
pub fn painted(spec: &PlotSpec) {
    if !IS_ON.get() {
        return;
    }
    let traces = spec.panels.iter().flat_map(|panel| &panel.traces);
    let newest = traces.filter_map(|trace| {
        let time = trace.series.read().latest()?.time;
        Some(format!("{time} {}", trace.name))
    });
    let newest: Rc<[String]> = newest.collect();
    let all = |what: &'static str| {
        let newest = Rc::clone(&newest);
        move || {
            newest
                .iter()
                .for_each(|of| mark(&format!("fogward {what} {of}")))
        }
    };
    // The first task after the frame's own work.
    set_timeout(all("painted"), Duration::ZERO);
    request_animation_frame(all("handed"));
}

fn mark(name: &str) {
    if let Some(timeline) = window().performance() {
        // Refused are the names of the browser's own marks only.
        timeline.mark(name).ok();
    }
}
