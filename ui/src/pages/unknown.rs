//! An address that leads nowhere.

use leptos::prelude::*;

use crate::components::{Icon, PageHead};
use crate::route::Route;

/// Says so, and shows the way back.
#[component]
pub fn UnknownPage(
    /// The address.
    address: String,
) -> impl IntoView {
    view! {
        <div class="page">
            <PageHead heading="There is no such page"/>
            <section class="card">
                <div class="empty">
                    <Icon name="search"/>
                    <p>"The address "<bdi class="hash">{address}</bdi>" leads nowhere in this console; it may be from another version."</p>
                    <div class="row"><a class="btn primary" href=Route::Overview.href()>"Go to the overview"</a></div>
                </div>
            </section>
        </div>
    }
}
