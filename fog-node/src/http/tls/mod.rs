//! The API for other machines: over TLS alone, and for who is signed in alone.
//!
//! ```text
//! connection ─ handshake, 5 s ─▶ request's head, 10 s ─▶ guard (Host, Origin) ─▶ as over loopback, but:
//!                                                          nobody registered yet is nobody signed in
//! ```
//!
//! The node's token is for programs on its own machine, and is not asked for here; a session is, for everything but
//! signing in and transactions that prove their sender. TLS 1.3 (RFC 8446) and nothing older; the certificate is the
//! node's own ([`identity`]), which callers pin, or one that the hospital's authority has signed. A caller who is slow
//! or silent loses its place. Left out: certificates of callers, for people sign in.

pub mod identity;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::Request;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;
use tower_http::timeout::RequestBodyTimeoutLayer;

use identity::Identity;

/// Most connections at once; further ones wait until one is closed.
const MAX_CONNECTIONS: usize = 256;
/// How long the handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// How long the head of a request may take, also of the next one on a connection.
const HEAD: Duration = Duration::from_secs(10);
/// How long nothing may come of a body that is not there yet.
const BODY: Duration = Duration::from_secs(10);
/// How long answers that are on their way may take once the node is to stop.
const GRACE: Duration = Duration::from_millis(300);
/// Pause after a connection that could not be taken.
const PAUSE: Duration = Duration::from_millis(100);

/// Marks a request that came from another machine.
#[derive(Clone, Copy)]
pub(super) struct Afar;

/// Binds the address for callers on other machines.
///
/// # Errors
/// If it is taken, or is not this machine's.
pub async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot listen on {address}"))
}

/// Serves until `stop` is true or its sender is gone.
///
/// # Errors
/// If the certificate and its key cannot be used.
pub async fn serve(
    listener: TcpListener,
    identity: &Identity,
    router: Router,
    mut stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let acceptor = TlsAcceptor::from(Arc::new(identity.config()?));
    let router = router.layer(RequestBodyTimeoutLayer::new(BODY));
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let next = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (listener.accept().await, permit)
        };
        let (accepted, permit) = tokio::select! {
            () = ended(&mut stop) => return Ok(()),
            next = next => next,
        };
        let (Ok((stream, _)), Ok(permit)) = (accepted, permit) else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (acceptor, router, stop) = (acceptor.clone(), router.clone(), stop.clone());
        tokio::spawn(async move {
            answer(stream, &acceptor, router, stop).await;
            drop(permit);
        });
    }
}

/// Answers on one connection until it is closed.
async fn answer(
    stream: TcpStream,
    acceptor: &TlsAcceptor,
    router: Router,
    mut stop: watch::Receiver<bool>,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection keeps the system's delay");
    }
    let shaken = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await;
    let Ok(Ok(stream)) = shaken else {
        tracing::debug!("somebody did not shake hands");
        return;
    };
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

/// Whether a request came from another machine.
pub(super) fn is_afar(request: &Request) -> bool {
    request.extensions().get::<Afar>().is_some()
}
