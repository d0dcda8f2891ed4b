//! Server-sent events: what the node tells, to each listener in order.
//!
//! Upon a listener: the node's status first, what waits for its review, then every event that is for it, and the
//! waves of the one device it asked for. Upon the end of its session, or its lock: the end. Upon a listener that is too slow: one `missed`,
//! then on from the present. A listener of whom
//! nothing is heard is found by the keep-alive comments.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event as Frame, KeepAlive, Sse};
use fog_api::{Event, Wave};
use futures_util::stream::{self, Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::Shared;
use super::body::Query;
use super::session::Asker;
use crate::Failure;
use crate::node::Node;
use crate::people::Caller;

const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Which waves a listener wants.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventsQuery {
    /// Id of the device whose waves are sent; none without it.
    waves: Option<String>,
}

/// The node's events, each one JSON object of an [`Event`].
#[utoipa::path(get, path = "/api/events", tag = "node", params(EventsQuery), responses(
    (status = 200, body = Event, content_type = "text/event-stream"),
    (status = "default", body = fog_api::ApiError)))]
pub(super) async fn events(
    State(shared): State<Shared>,
    asker: Asker,
    Query(query): Query<EventsQuery>,
) -> Result<Sse<impl Stream<Item = Result<Frame, Infallible>>>, Failure> {
    let permit = Arc::clone(&shared.listeners)
        .try_acquire_owned()
        .map_err(|_| too_many())?;
    let events = shared.node.events();
    let waves = query.waves.map(|device| (device, shared.node.waves()));
    // Subscribed first, so that nothing falls between the status and the events after it.
    let mut first = VecDeque::from([Event::Status(Box::new(shared.node.status()?))]);
    first.extend(shared.node.broken_glass_for(&asker.caller)?);
    let listener = Listener {
        node: Arc::downgrade(&shared.node),
        caller: asker.caller.clone(),
        first,
        events,
        waves,
        _permit: permit,
    };
    let frames = stream::unfold(listener, |mut listener| async {
        let frame = listener.next().await?;
        Some((frame, listener))
    });
    // A session that was locked since is dismissed at once.
    let dismissed = Arc::clone(&shared.node.people).dismissed(asker.caller);
    Ok(told(frames.take_until(Box::pin(dismissed))))
}

/// An answer of these frames, with signs of life between them.
pub(super) fn told(
    frames: impl Stream<Item = Frame> + Send + 'static,
) -> Sse<impl Stream<Item = Result<Frame, Infallible>>> {
    Sse::new(frames.map(Ok)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

struct Listener {
    /// Who says what it may hear; the node may stop while it listens.
    node: Weak<Node>,
    caller: Caller,
    first: VecDeque<Event>,
    events: Receiver<Arc<Event>>,
    waves: Option<(String, Receiver<Arc<Wave>>)>,
    _permit: OwnedSemaphorePermit,
}

impl Listener {
    /// The next frame, or `None` when the node has stopped.
    async fn next(&mut self) -> Option<Frame> {
        if let Some(first) = self.first.pop_front() {
            return frame(&first);
        }
        loop {
            tokio::select! {
                event = self.events.recv() => match event {
                    Ok(event) if !matches!(*event, Event::BrokenGlass(_)) => return frame(&event),
                    Ok(event) => {
                        if let Some(event) = self.node.upgrade()?.told_to(&self.caller, &event) {
                            return frame(&event);
                        }
                    }
                    Err(RecvError::Lagged(_)) => {
                        let waiting = self.node.upgrade()?.broken_glass_for(&self.caller);
                        self.first.extend(waiting.ok().flatten());
                        return frame(&Event::Missed);
                    }
                    Err(RecvError::Closed) => return None,
                },
                wave = next_wave(&mut self.waves) => return frame(&Event::Wave(wave?)),
            }
        }
    }
}

/// The next wave of the device that was asked for; a lost second is a hole in a picture, no more.
async fn next_wave(waves: &mut Option<(String, Receiver<Arc<Wave>>)>) -> Option<Wave> {
    let Some((device, waves)) = waves else {
        return std::future::pending().await;
    };
    loop {
        match waves.recv().await {
            Ok(wave) if wave.device == *device => return Some(wave.as_ref().clone()),
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}

/// An event as one JSON object.
pub(super) fn frame(event: &impl Serialize) -> Option<Frame> {
    let text = serde_json::to_string(event).ok()?;
    Some(Frame::default().data(text))
}

fn too_many() -> Failure {
    Failure::new(
        429,
        "API-08",
        "Too many consoles listen at once.",
        format!("The node tells at most {} listeners.", super::MAX_LISTENERS),
        "Close windows that are not needed.",
    )
}
