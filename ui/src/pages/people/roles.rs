//! The roles of a person, each with a box.

use std::collections::BTreeSet;

use fog_api::Role;
use leptos::prelude::*;

use crate::words::people::{role, role_means};

/// The boxes; what is ticked is in `chosen`. One may be fixed as it is.
#[component]
pub(super) fn RoleBoxes(
    chosen: RwSignal<BTreeSet<Role>>,
    testid: &'static str,
    /// Says what each means.
    #[prop(optional)]
    explained: bool,
    #[prop(optional_no_strip)] fixed: Option<Role>,
) -> impl IntoView {
    let tick = move |which: Role, event: web_sys::Event| {
        chosen.update(|roles| {
            if event_target_checked(&event) {
                roles.insert(which);
            } else {
                roles.remove(&which);
            }
        });
    };
    let one = move |which: Role| {
        view! {
            <label class="check">
                <input type="checkbox" disabled=fixed == Some(which) data-testid=testid data-key=which.name()
                    prop:checked=move || chosen.with(|roles| roles.contains(&which)) on:change=move |event| tick(which, event)/>
                <span>{role(which)}{explained.then(|| view! { <small class="dim">{role_means(which)}</small> })}</span>
            </label>
        }
    };
    view! {
        <fieldset class="stack tight"><legend class="label-text">"Roles"</legend>{Role::ALL.map(one).collect_view()}</fieldset>
    }
}
