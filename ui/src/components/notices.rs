//! Notices that stay on every page until somebody has looked into what they are about.

use leptos::prelude::*;

use super::Icon;
use super::time::offset_minutes;
use crate::live::{Live, use_live};
use crate::route::Route;
use crate::testids;
use crate::words::notices::{Notice, notices};
use crate::words::state::State;

/// The notices of now; tracks what they are made of.
#[must_use]
pub fn notices_now(live: Live) -> Vec<Notice> {
    let untold = live.status.with(|status| {
        status
            .as_ref()
            .map(|status| status.untold.clone())
            .unwrap_or_default()
    });
    live.broken_glass
        .with(|broken| notices(&untold, broken, offset_minutes))
}

/// The notices as banners.
#[component]
pub fn Notices() -> impl IntoView {
    let live = use_live();
    let now = Memo::new(move |_| notices_now(live));
    let banner = |notice: Notice| {
        view! {
            <div class="banner" role="status" data-state=State::Attention.key() data-testid=testids::NOTICE data-about=notice.about>
                <Icon name="attention"/>
                <span><b>{notice.what}</b>" "{notice.why}</span>
                <a class="btn" href=Route::Requests.href()>"Open Requests"</a>
            </div>
        }
    };
    move || now.get().into_iter().map(banner).collect_view()
}
