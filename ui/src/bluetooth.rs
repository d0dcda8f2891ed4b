//! What the node sees of Bluetooth, asked for once a second while a page looks at it; the node scans only then.

use fog_api::BluetoothView;
use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::live::after;
use crate::transport;

/// Time between two looks.
const LOOK_MILLIS: u64 = 1_000;

/// What is nearby, as last told; `None` before the first answer.
#[derive(Clone, Copy)]
pub struct Nearby {
    /// The newest answer.
    pub view: RwSignal<Option<BluetoothView>>,
    /// Whether it is not asked for, for now.
    pub is_paused: RwSignal<bool>,
}

/// Looks until the page that asked is gone.
pub fn look() -> Nearby {
    let nearby = Nearby {
        view: RwSignal::new(None),
        is_paused: RwSignal::new(false),
    };
    look_again(nearby);
    nearby
}

fn look_again(nearby: Nearby) {
    spawn_local(async move {
        if nearby.is_paused.try_get_untracked() == Some(false) {
            // Without an answer the last one stays; the shell says that the node is away.
            if let Ok(view) = transport::get::<BluetoothView>("/api/bluetooth").await
                && nearby
                    .view
                    .try_get_untracked()
                    .is_some_and(|now| now.as_ref() != Some(&view))
            {
                nearby.view.try_set(Some(view));
            }
        }
        // The page is gone where its signals are.
        if nearby.is_paused.try_get_untracked().is_some() {
            after(LOOK_MILLIS, move || look_again(nearby));
        }
    });
}
