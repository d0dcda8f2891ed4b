//! Listening on loopback: binding, a bound on connections, and a clean end.

use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum::Router;
use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// Port that is tried when none was asked for.
pub const USUAL_PORT: u16 = 7400;
/// Most connections at once; further ones wait until one is closed.
const MAX_CONNECTIONS: usize = 256;
/// How long answers that are on their way may take once the node is to stop. Listeners to events never
/// end by themselves and are cut then.
const GRACE: Duration = Duration::from_millis(300);

/// Binds the address that was asked for, or the usual port and, where that is taken, any free one.
///
/// # Errors
/// If the address is not of this machine alone, or is taken.
pub async fn bind(asked: Option<SocketAddr>) -> anyhow::Result<TcpListener> {
    let Some(asked) = asked else {
        let usual = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), USUAL_PORT);
        return match TcpListener::bind(usual).await {
            Ok(listener) => Ok(listener),
            Err(_) => listen(SocketAddr::new(usual.ip(), 0)).await,
        };
    };
    if !asked.ip().is_loopback() {
        bail!(
            "the API listens on this machine only, and {} is open to others; choose 127.0.0.1:PORT",
            asked.ip()
        );
    }
    listen(asked).await
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("cannot listen on {address}"))
}

/// Serves until `stop`, then for as long as answers are on their way, but not for long.
///
/// # Errors
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<()> {
    let listener = BoundedListener {
        listener,
        room: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
    };
    let (stopping, stopped) = oneshot::channel();
    let served = axum::serve(listener, router).with_graceful_shutdown(async move {
        stop.await;
        // Its receiver is gone only when serving has ended already.
        let _ = stopping.send(());
    });
    let cut = async {
        if stopped.await.is_ok() {
            tokio::time::sleep(GRACE).await;
        } else {
            std::future::pending().await
        }
    };
    tokio::select! {
        ended = async { served.await } => ended.context("the API stopped listening"),
        () = cut => Ok(()),
    }
}

/// Accepts while there is room.
struct BoundedListener {
    listener: TcpListener,
    room: Arc<Semaphore>,
}

impl Listener for BoundedListener {
    type Io = BoundedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (BoundedStream, SocketAddr) {
        // The semaphore is never closed; without room this waits for a connection to end.
        let permit = Arc::clone(&self.room).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps the system's delay");
        }
        (
            BoundedStream {
                stream,
                _permit: permit,
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that holds its place until it is closed.
struct BoundedStream {
    stream: TcpStream,
    _permit: Option<OwnedSemaphorePermit>,
}

impl AsyncRead for BoundedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for BoundedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    //! Goal: only loopback is bound, and a taken usual port is no obstacle. Method: bind.

    use super::*;

    #[tokio::test]
    async fn only_loopback_is_bound() {
        for refused in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"] {
            let error = bind(Some(refused.parse().unwrap())).await.unwrap_err();
            assert!(error.to_string().contains("this machine only"), "{error}");
        }
        let first = bind(None).await.unwrap();
        let second = bind(None).await.unwrap();
        assert_ne!(first.local_addr().unwrap(), second.local_addr().unwrap());
        let taken = bind(Some(first.local_addr().unwrap())).await.unwrap_err();
        assert!(taken.to_string().contains("cannot listen"), "{taken}");
    }
}
