//! The node's API over HTTP, and the console's files.
//!
//! ```text
//! request ─▶ guard (Host, Origin, token) ─▶ who asks (session) ─▶ gate ─▶ one-line handler ─▶ Node
//!                                               └─▶ console's files, public: they hold no data
//! ```
//!
//! The same router serves three kinds of callers ([`Access`]): the desktop window, in process and without a
//! token; programs on this machine over loopback; and other machines over TLS ([`tls`]). Once people are registered, all
//! need a session, and other machines always do. What each route takes and answers is in `fog-api`; what the node does,
//! in [`crate::Node`]. Every refusal is a [`fog_api::ApiError`].

mod access;
mod body;
mod connections;
mod console;
mod events;
mod failure;
mod gate;
mod routes;
pub mod serve;
mod session;
pub mod tls;

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRef, Request};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use tokio::sync::Semaphore;
use tower_http::compression::CompressionLayer;

pub use access::{Access, Token};
pub use session::SESSION_HEADER;

use crate::{Host, Node};

/// Longest request body in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// Most listeners to events at once.
pub const MAX_LISTENERS: usize = 64;

/// Scripts and styles of the console only; nothing is fetched from elsewhere, nobody frames it.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; \
     style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; object-src 'none'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What handlers work with.
#[derive(Clone)]
struct Shared {
    node: Arc<Node>,
    /// One permit for each further listener to events.
    listeners: Arc<Semaphore>,
}

impl FromRef<Shared> for Arc<Node> {
    fn from_ref(shared: &Shared) -> Self {
        Self::clone(&shared.node)
    }
}

/// The API and the console's files, for callers of this kind.
pub fn router(node: Arc<Node>, access: Access) -> Router {
    let shared = Shared {
        node,
        listeners: Arc::new(Semaphore::new(MAX_LISTENERS)),
    };
    let router = routes::router()
        .fallback(console::file)
        .method_not_allowed_fallback(failure::method_not_allowed)
        .layer(CompressionLayer::new().compress_when(is_json))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn_with_state(shared.clone(), session::identify))
        .with_state(shared);
    guarded(router, access).layer(from_fn(add_headers))
}

/// The same for a host, whose node may be started again while it is served.
pub fn host_router(host: Arc<Host>, access: Access) -> Router {
    let forward = move |request: Request| {
        let host = Arc::clone(&host);
        async move { host.call(request).await }
    };
    let router = guarded(Router::new().fallback(forward), access);
    router.layer(from_fn(add_headers))
}

fn guarded(router: Router, access: Access) -> Router {
    match access {
        Access::InProcess => router,
        Access::Loopback { token, port } => {
            let door = Arc::new(access::Door::new(token, port));
            router.layer(from_fn_with_state(door, access::guard))
        }
        Access::Afar { names, port } => {
            let door = Arc::new(access::FarDoor::new(&names, port));
            router.layer(from_fn_with_state(door, access::guard_afar))
        }
    }
}

/// Answers with a file of the console while no node runs.
pub(crate) async fn console_file(request: Request) -> Response {
    let (parts, _) = request.into_parts();
    console::file(parts.method, parts.uri, parts.headers).await
}

/// Only JSON is worth compressing: files go over loopback, events must not wait in a compressor.
fn is_json(
    _: axum::http::StatusCode,
    _: axum::http::Version,
    headers: &axum::http::HeaderMap,
    _: &axum::http::Extensions,
) -> bool {
    headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

async fn add_headers(request: Request, next: Next) -> Response {
    let is_api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    set(
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    );
    if is_api {
        set(header::CACHE_CONTROL, "no-store");
    }
    response
}
