//! Times in the person's own zone, and hashes as one can read them.

use leptos::prelude::*;
use wasm_bindgen::JsValue;

use crate::words::number;

/// Minutes east of UTC at that time, by the person's settings.
#[must_use]
pub fn offset_minutes(millis: i64) -> i32 {
    let date = js_sys::Date::new(&JsValue::from_f64(millis as f64));
    -(date.get_timezone_offset() as i32)
}

/// Time of day with seconds.
#[must_use]
pub fn local_clock(millis: i64) -> String {
    number::clock(millis, offset_minutes(millis))
}

/// Time of day in minutes.
#[must_use]
pub fn local_clock_minutes(millis: i64) -> String {
    number::clock_minutes(millis, offset_minutes(millis))
}

/// Weekday, day and month.
#[must_use]
pub fn local_date(millis: i64) -> String {
    number::date(millis, offset_minutes(millis))
}

/// Day, month and year, of what may be years away.
#[must_use]
pub fn local_day(millis: i64) -> String {
    number::day_of_year(millis, offset_minutes(millis))
}

/// A hash, key or id: monospaced, apart from the text's direction, whole in its title.
#[component]
pub fn Hash(
    /// The text.
    #[prop(into)]
    text: String,
    /// Shown whole, not cut in the middle.
    #[prop(optional)]
    whole: bool,
) -> impl IntoView {
    let shown = if whole {
        text.clone()
    } else {
        number::short_hash(&text)
    };
    view! { <bdi class="hash" title=text>{shown}</bdi> }
}
