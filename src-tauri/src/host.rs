//! The fog node inside this process: started in the background, asked through its
//! router, started again when it asks for that, stopped once.
//!
//! The window is on screen before the node has opened its replica. A request that
//! comes earlier waits; if the node cannot start, every request is answered with
//! the reason, in the same shape as any other refusal.

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use fog_node::NodeConfig;
use fog_node::http::{Access, host_router};
use std::sync::Arc;
use tower::ServiceExt;

/// The node, from before it is there until it has stopped.
pub struct Host {
    host: Arc<fog_node::Host>,
    router: Router,
}

impl Host {
    /// A host whose node is yet to start.
    pub fn new() -> Self {
        let host = Arc::new(fog_node::Host::default());
        let router = host_router(Arc::clone(&host), Access::InProcess);
        Self { host, router }
    }

    /// Starts the node that `config` describes; what comes of it, requests are told.
    pub async fn start(&self, config: Result<NodeConfig>) {
        match config {
            // Why a node did not start is logged where it happens.
            Ok(config) => drop(self.host.start(config).await),
            Err(error) => self.host.fail(format!("{error:#}")),
        }
    }

    /// The node's answer to `request`, as soon as there is a node.
    pub async fn call(&self, request: Request<Body>) -> Response<Body> {
        let answer = self.router.clone().oneshot(request).await;
        answer.unwrap_or_else(|never| match never {})
    }

    /// Flushes and stops the node, if it ever ran.
    pub async fn stop(&self) {
        self.host.stop().await;
    }
}
