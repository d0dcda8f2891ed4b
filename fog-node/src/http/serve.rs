//! Listening on loopback, for callers of this machine alone.

use std::future::{Future, ready};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use anyhow::{Context as _, bail};
use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::connections;

/// Port that is tried when none was asked for.
pub const USUAL_PORT: u16 = 7400;
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
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let (stopping, stopped) = watch::channel(false);
    let told = async {
        stop.await;
        stopping.send_replace(true);
    };
    let served = connections::serve(listener, router, stopped, |stream| ready(Some(stream)));
    tokio::join!(served, told);
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
