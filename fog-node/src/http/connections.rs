//! Answering connections, whoever they come from: so many at a time, and none for long without a request.
//!
//! ```text
//! accept, while there is room ─▶ open (TLS) ─▶ head, 10 s ─▶ body, 10 s from part to part ─▶ answer
//!                                                └──────────────────── the next ◀──────────────┘
//! ```
//!
//! A caller who is slow or silent loses its place, over loopback as from afar: other users of this machine can connect,
//! too. An answer may take as long as it needs, for events never end by themselves.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tower_http::timeout::RequestBodyTimeoutLayer;

/// Most connections at once; further ones wait until one is closed.
const MAX_CONNECTIONS: u32 = 256;
/// How long the head of a request may take, also of the next one on a connection.
const HEAD: Duration = Duration::from_secs(10);
/// How long nothing may come of a body that is not there yet.
const BODY: Duration = Duration::from_secs(10);
/// How long answers that are on their way may take once the node is to stop. Listeners to events never end by
/// themselves and are cut then.
const GRACE: Duration = Duration::from_millis(300);
/// Pause after a connection that could not be taken.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves until `stop` is true or its sender is gone, then for as long as answers are on their way, but not for long.
/// Each connection is what `open` makes of it, if anything.
pub(super) async fn serve<S, F>(
    listener: TcpListener,
    router: Router,
    mut stop: watch::Receiver<bool>,
    open: impl Fn(TcpStream) -> F,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Future<Output = Option<S>> + Send + 'static,
{
    let router = router.layer(RequestBodyTimeoutLayer::new(BODY));
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS as usize));
    loop {
        let next = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            () = ended(&mut stop) => break,
            next = next => next,
        };
        let (Ok((stream, _)), Ok(permit)) = (accepted, permit) else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps the system's delay");
        }
        let (opening, router, stop) = (open(stream), router.clone(), stop.clone());
        tokio::spawn(async move {
            if let Some(stream) = opening.await {
                answer(stream, router, stop).await;
            }
            drop(permit);
        });
    }
    drop(listener);
    // Every place is free once the last answer is out; what takes longer is cut.
    drop(tokio::time::timeout(2 * GRACE, room.acquire_many(MAX_CONNECTIONS)).await);
}

/// Answers on one connection until it is closed.
async fn answer<S>(stream: S, router: Router, mut stop: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD);
    let service = TowerToHyperService::new(router);
    let mut serving = pin!(http.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = ended(&mut stop) => {
            serving.as_mut().graceful_shutdown();
            tokio::time::timeout(GRACE, serving).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// Resolves once `stop` is true or its sender is gone.
async fn ended(stop: &mut watch::Receiver<bool>) {
    drop(stop.wait_for(|stop| *stop).await);
}
