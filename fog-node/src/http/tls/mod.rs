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
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::Request;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::connections;
use identity::Identity;

/// How long the handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(5);

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
    stop: watch::Receiver<bool>,
) -> anyhow::Result<()> {
    let acceptor = TlsAcceptor::from(Arc::new(identity.config()?));
    let open = |stream| {
        let shaken = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream));
        async {
            let shaken = shaken.await.ok().and_then(Result::ok);
            if shaken.is_none() {
                tracing::debug!("somebody did not shake hands");
            }
            shaken
        }
    };
    connections::serve(listener, router, stop, open).await;
    Ok(())
}

/// Whether a request came from another machine.
pub(super) fn is_afar(request: &Request) -> bool {
    request.extensions().get::<Afar>().is_some()
}
