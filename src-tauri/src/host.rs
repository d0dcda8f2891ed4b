//! The fog node inside this process: started in the background, asked through its
//! router, stopped once.
//!
//! The window is on screen before the node has opened its replica. A request that
//! comes earlier waits; if the node cannot start, every request is answered with
//! the reason, in the same shape as any other refusal.

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use fog_node::Node;
use fog_node::http::{Access, router};
use serde_json::json;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::watch;
use tower::ServiceExt;

#[derive(Clone)]
enum Stage {
    Starting,
    Running(Arc<Node>, Router),
    Failed(String),
    Stopped,
}

/// The node, from before it is there until it has stopped.
pub struct Host {
    stage: watch::Sender<Stage>,
}

impl Host {
    /// A host whose node is yet to start.
    pub fn new() -> Self {
        Self {
            stage: watch::Sender::new(Stage::Starting),
        }
    }

    /// Waits for `start` and keeps what comes of it.
    pub async fn start(&self, start: impl Future<Output = Result<Arc<Node>>>) {
        let stage = match start.await {
            Ok(node) => {
                let router = router(Arc::clone(&node), Access::InProcess);
                Stage::Running(node, router)
            }
            Err(error) => {
                tracing::error!("the node did not start: {error:#}");
                Stage::Failed(format!("{error:#}"))
            }
        };
        self.stage.send_replace(stage);
    }

    /// The node's answer to `request`, as soon as there is a node.
    pub async fn call(&self, request: Request<Body>) -> Response<Body> {
        let mut stage = self.stage.subscribe();
        let known = stage.wait_for(|stage| !matches!(stage, Stage::Starting));
        let stage = match known.await {
            Ok(stage) => stage.clone(),
            Err(_) => Stage::Stopped,
        };
        match stage {
            Stage::Running(_, router) => router
                .oneshot(request)
                .await
                .unwrap_or_else(|never| match never {}),
            Stage::Failed(why) => unavailable(&why),
            Stage::Starting | Stage::Stopped => unavailable("It is being stopped."),
        }
    }

    /// Flushes and stops the node, if it ever ran.
    pub async fn stop(&self) {
        if let Stage::Running(node, router) = self.stage.send_replace(Stage::Stopped) {
            drop(router);
            node.shutdown().await;
        }
    }
}

fn unavailable(why: &str) -> Response<Body> {
    let words = json!({
        "code": "NODE-01",
        "what": "This computer's fog node is not running.",
        "why": why,
        "next": "Quit Fogward from the tray and start it again; its log says more.",
    });
    let mut response = Response::new(Body::from(words.to_string()));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        header::HeaderValue::from_static("application/json"),
    );
    response
}
