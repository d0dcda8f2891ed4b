//! The ticker: tells listeners what changed, and measures the rate of readings.
//!
//! Upon news (a value, a link): tell at once if the last telling is [`TELL_PACE`] ago, else then. Upon each
//! [`TELL_EVERY`]: tell what else has changed; each second, the rate, the load and the status. So the work
//! of a second is bounded however many devices there are, and a node that has nothing to tell wakes four
//! times a second. Left out: waves, which the live view passes on itself.

use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fog_api::Event;
use tokio::sync::Notify;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::live::{TELL_EVERY, TELL_PACE};
use crate::node::Node;

/// Readings a second, measured by the ticker.
#[derive(Debug, Default)]
pub(crate) struct Rate(AtomicU64);

impl Rate {
    pub(crate) fn per_second(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    fn set(&self, per_second: f64) {
        self.0.store(per_second.to_bits(), Ordering::Relaxed);
    }
}

/// Works as long as the node is there.
pub(crate) async fn run(node: Weak<Node>) {
    let Some(news) = node.upgrade().map(|node| node.live.news()) else {
        return;
    };
    let mut ticks = interval(TELL_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = (Instant::now(), 0);
    let mut told = Instant::now();
    let (mut is_status_due, mut has_news) = (true, true);
    let (mut ports, mut present) = (None, 0);
    loop {
        // What is told upon a tick is told, news or not; none is lost when the tick comes first.
        tokio::select! {
            _ = ticks.tick() => {}
            () = paced(&news, told) => {}
        }
        let Some(node) = node.upgrade() else { return };
        let now = Instant::now();
        let elapsed = now.duration_since(last.0);
        if elapsed >= Duration::from_secs(1) {
            let received = node.live.received_since_start();
            node.rate
                .set((received - last.1) as f64 / elapsed.as_secs_f64());
            last = (now, received);
            let here = node.note_load();
            has_news |= here != std::mem::replace(&mut present, here);
            is_status_due = true;
        }
        if !node.live.has_listeners() {
            ports = None;
            told = now;
            continue;
        }
        let ports = ports.get_or_insert_with(device_drivers::serial::watch_ports);
        if ports.has_changed().is_ok_and(|is_changed| is_changed) {
            ports.mark_unchanged();
            node.live.tell(Event::PortsChanged(node.ports().await));
        }
        told = now;
        has_news |= node.live.tell_changes();
        if is_status_due && has_news {
            (is_status_due, has_news) = (false, false);
            match node.status() {
                Ok(status) => node.live.tell(Event::Status(Box::new(status))),
                Err(failure) => tracing::error!(%failure, "the status could not be read"),
            }
        }
    }
}

/// Resolves upon news, not before [`TELL_PACE`] after the last telling.
async fn paced(news: &Notify, told: Instant) {
    news.notified().await;
    sleep_until(told + TELL_PACE).await;
}

#[cfg(test)]
mod tests {
    //! Goal: news are told at once, but never closer together than the pace. Method: real time, of which
    //! only what it can never undercut is asserted.

    use super::*;

    #[tokio::test]
    async fn news_keep_their_distance() {
        let news = Notify::new();
        let nothing = tokio::time::timeout(TELL_PACE * 2, paced(&news, Instant::now()));
        assert!(nothing.await.is_err(), "told without news");
        let told = Instant::now();
        news.notify_one();
        news.notify_one();
        paced(&news, told).await;
        assert!(told.elapsed() >= TELL_PACE);
        let again = tokio::time::timeout(TELL_PACE * 2, paced(&news, Instant::now()));
        assert!(
            again.await.is_err(),
            "two news before a telling are told once"
        );
    }
}
