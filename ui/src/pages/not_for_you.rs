//! A page that the person's roles do not open: says so, and what is open instead.

use fog_api::Capability;
use leptos::prelude::*;

use crate::components::{Icon, PageHead};
use crate::route::Route;
use crate::session::use_session;
use crate::testids;
use crate::words::people::{may, roles};

/// The page.
#[component]
pub fn NotForYouPage(
    /// What it would take.
    needs: Capability,
) -> impl IntoView {
    let session = use_session();
    let own = session.person().map(|person| roles(&person.roles));
    let sub = format!(
        "It is for people who may {}. You are signed in as: {}. An admin gives roles.",
        may(needs),
        own.unwrap_or_default()
    );
    let places = [
        (Capability::OwnRecord, Route::Me, "My record"),
        (Capability::SeeDevices, Route::Overview, "Overview"),
        (Capability::ReadConsortium, Route::Chain, "Chain"),
        (Capability::ReadConsortium, Route::Consortium, "Consortium"),
        (Capability::ReadConsortium, Route::Policies, "Policies"),
        (Capability::SeePeople, Route::People, "People"),
        (Capability::Audit, Route::Audit, "Audit"),
    ];
    let open = places
        .into_iter()
        .filter(move |(needs, ..)| session.may(*needs))
        .map(|(_, route, label)| view! { <a class="btn" href=route.href()>{label}</a> })
        .collect_view();
    view! {
        <div class="page" data-testid=testids::NOT_FOR_YOU>
            <PageHead heading="This page is not open to you" sub=Signal::stored(sub)/>
            <div class="row"><Icon name="lock"/>{open}</div>
        </div>
    }
}
