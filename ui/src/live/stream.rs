//! The stream of events: opened, listened to, looked after, and opened again when it breaks.

use std::cell::{Cell, RefCell};

use fog_api::{Capability, Event, Status};
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::{Link, Live, after, here_now};
use crate::failure::Failure;
use crate::live_model::{Pending, join_blocks};
use crate::measure;
use crate::route::escape;
use crate::transport::{self, Signal as Report, Stream};

/// Blocks kept in the list.
const BLOCKS: usize = 200;
/// A stream that has said nothing for so long is looked after, in milliseconds.
const QUIET_MILLIS: i64 = 10_000;
/// Most events that are applied as they come between two frames: what a node tells in the time of one.
const AT_ONCE: u8 = 3;
/// Longest wait between two tries to open the stream, in milliseconds.
const LONGEST_WAIT: u64 = 8_000;

thread_local! {
    static STREAM: RefCell<Option<Stream>> = const { RefCell::new(None) };
    static PENDING: RefCell<Pending> = RefCell::new(Pending::default());
    /// How many events were applied since the last frame; those beyond [`AT_ONCE`] wait for the next one.
    static APPLIED: Cell<u8> = const { Cell::new(0) };
    /// The device whose waves are wanted.
    pub(super) static WAVES: RefCell<Option<String>> = const { RefCell::new(None) };
    /// When the stream last said something, by this machine's clock.
    static HEARD: RefCell<i64> = const { RefCell::new(0) };
    static WAIT: RefCell<u64> = const { RefCell::new(500) };
}

impl Live {
    pub(super) fn open(self) {
        if !self.sees() {
            return self.up();
        }
        let waves = WAVES.with_borrow(Clone::clone);
        // The old stream ends before the new one begins: two would deliver everything twice.
        STREAM.with_borrow_mut(Option::take);
        let waves = waves.map(|waves| format!("?waves={}", escape(&waves)));
        let path = format!("/api/events{}", waves.unwrap_or_default());
        let stream = Stream::open(&path, move |report| match report {
            Report::Up => self.up(),
            Report::Down => self.down(),
            Report::Message(text) => self.heard(&text),
        });
        STREAM.with_borrow_mut(|kept| *kept = Some(stream));
    }

    fn up(self) {
        HEARD.set(here_now());
        WAIT.with_borrow_mut(|wait| *wait = 500);
        self.link.set(Link::Online);
        self.refetch();
    }

    fn down(self) {
        self.lost();
        let wait = WAIT.with_borrow_mut(|wait| {
            let now = *wait;
            *wait = (now * 2).min(LONGEST_WAIT);
            now
        });
        after(wait, move || {
            spawn_local(async move {
                match transport::get::<Status>("/api/status").await {
                    Ok(status) => {
                        self.take_status(status);
                        self.open();
                    }
                    Err(Failure::NotAllowed) => self.link.set(Link::NotAllowed),
                    Err(_) if matches!(self.link.get_untracked(), Link::Offline(_)) => self.down(),
                    Err(_) => {}
                }
            });
        });
    }

    /// Tries at once instead of waiting.
    pub fn try_now(self) {
        WAIT.with_borrow_mut(|wait| *wait = 500);
        self.open();
    }

    fn heard(self, text: &str) {
        HEARD.set(here_now());
        let Ok(event) = serde_json::from_str::<Event>(text) else {
            // A newer node may say more than this console knows; what it knows is asked for again.
            return;
        };
        if let Event::Live(devices) = &event {
            measure::arrived(devices);
        }
        PENDING.with_borrow_mut(|pending| pending.absorb(event));
        let applied = APPLIED.get();
        if applied == AT_ONCE {
            return;
        }
        // Plots are painted when a frame begins: applied only then, it would be in the frame after.
        self.apply();
        APPLIED.set(applied + 1);
        if applied == 0 {
            self.wait_a_frame();
        }
    }

    /// What had to wait is applied together, with the next frame.
    fn wait_a_frame(self) {
        let next = move || {
            APPLIED.set(0);
            if !PENDING.with_borrow(Pending::is_empty) {
                self.apply();
            }
        };
        if document().hidden() {
            // No frames are painted in a hidden page; the figures still have to be right on return.
            after(250, next);
        } else {
            request_animation_frame(next);
        }
    }

    fn apply(self) {
        let pending = PENDING.take();
        if let Some(status) = pending.status {
            self.take_status(*status);
        }
        for live in pending.live.into_values() {
            if let Some(entry) = self.device(&live.id) {
                entry.take(live);
            }
        }
        if !pending.blocks.is_empty() {
            self.blocks.update(|blocks| {
                join_blocks(blocks.get_or_insert_default(), pending.blocks, BLOCKS)
            });
        }
        if !pending.waves.is_empty() {
            self.waves.set(pending.waves);
        }
        if let Some(ports) = pending.ports {
            self.ports.set(Some(ports));
        }
        if let Some(preview) = pending.preview {
            self.preview.set(Some(*preview));
        }
        if pending.provisioning.is_some() {
            self.provisioning.set(pending.provisioning);
        }
        if let Some(waiting) = pending.broken_glass {
            self.broken_glass.set(waiting);
        }
        if pending.missed {
            self.refetch();
        } else if pending.devices_changed {
            spawn_local(self.refetch_devices());
        }
    }

    /// Upon a stream that is open and silent: asks the node whether there is nothing to say. A node that
    /// is gone without closing the stream must not look alive.
    pub(super) fn look_after(self) {
        let quiet = here_now() - HEARD.with_borrow(|heard| *heard);
        let asks = self.sees() || self.session.may(Capability::ReadConsortium);
        if !asks || quiet < QUIET_MILLIS || self.link.get_untracked() != Link::Online {
            return;
        }
        HEARD.set(here_now());
        spawn_local(async move {
            match transport::get::<Status>("/api/status").await {
                Ok(status) => {
                    let missed = self.status.with_untracked(|known| {
                        known.as_ref().is_none_or(|known| {
                            known.height != status.height || known.gap != status.gap
                        })
                    });
                    self.take_status(status);
                    if missed {
                        self.open();
                    }
                }
                Err(Failure::NotAllowed) => self.link.set(Link::NotAllowed),
                Err(_) => self.down(),
            }
        });
    }
}
