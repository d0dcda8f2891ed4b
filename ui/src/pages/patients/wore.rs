//! The times in which a patient wore devices, numbered as in the plots of her record.

use fog_api::{Capability, WornDevice};
use leptos::prelude::*;

use crate::components::{local_clock_minutes, local_date};
use crate::route::Route;
use crate::session::use_session;
use crate::testids;

/// The card.
#[component]
pub(super) fn Wore(
    /// What she wears last first.
    worn: Signal<Vec<WornDevice>>,
) -> impl IntoView {
    let rows = move || {
        let worn = worn.get();
        let count = worn.len();
        worn.into_iter()
            .enumerate()
            .map(|(at, worn)| (count - at, worn))
            .collect::<Vec<_>>()
    };
    view! {
        <section class="card" aria-labelledby="h-wore">
            <div class="card-head"><h2 id="h-wore">"Worn so far"</h2><span class="count">{move || worn.with(Vec::len)}</span></div>
            <p class="card-body small soft">"A reading is of whoever wore the device when it was taken, also if it came later."</p>
            <div class="scroll" tabindex="0" role="group" aria-labelledby="h-wore">
                <table class="tbl" hidden=move || worn.with(Vec::is_empty)>
                    <thead><tr>
                        <th scope="col" class="num">"No."</th><th scope="col">"Device"</th>
                        <th scope="col">"From"</th><th scope="col">"Until"</th>
                    </tr></thead>
                    <tbody>
                        <For each=rows key=|(at, worn)| (*at, worn.device.clone(), worn.since, worn.until) let:row>
                            <Row number=row.0 worn=row.1/>
                        </For>
                    </tbody>
                </table>
            </div>
        </section>
    }
}

#[component]
fn Row(number: usize, worn: WornDevice) -> impl IntoView {
    let moment = |at: i64| {
        view! { <time title=local_date(at)>{local_clock_minutes(at)}</time>" "<small class="dim">{local_date(at)}</small> }
    };
    let until = worn
        .until
        .map_or_else(String::new, |until| until.to_string());
    let name = worn.name;
    let name = match use_session().may(Capability::SeeDevices) {
        true => {
            let to = Route::Device(worn.device.clone()).href();
            view! { <a href=to><bdi>{name}</bdi></a> }.into_any()
        }
        false => view! { <bdi>{name}</bdi> }.into_any(),
    };
    view! {
        <tr data-testid=testids::PATIENT_WORE data-device=worn.device data-until=until>
            <td class="num">{number}</td>
            <th scope="row">{name}</th>
            <td>{moment(worn.since)}</td>
            <td>{match worn.until {
                Some(until) => moment(until).into_any(),
                None => view! { <span class="dim">"now"</span> }.into_any(),
            }}</td>
        </tr>
    }
}
