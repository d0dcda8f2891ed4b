//! A real node with a real router, asked in process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use fog_node::http::{Access, Token, router};
use fog_node::people::sessions::SessionRules;
use fog_node::{Node, NodeConfig};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

pub(crate) const PORT: u16 = 7400;

/// Rules of sessions by which a code stays fresh for longer than a test lasts.
pub(crate) fn fresh() -> SessionRules {
    SessionRules {
        fresh_for: Duration::from_secs(3_600),
        ..SessionRules::default()
    }
}

/// A node with its router, as `fogward run` serves it.
pub(crate) struct Served {
    pub(crate) node: Arc<Node>,
    router: Router,
    pub(crate) token: String,
    folder: TempDir,
}

impl Served {
    pub(crate) async fn with_demo(devices: u16) -> Self {
        let demo = (devices > 0).then_some(devices);
        Self::at(tempfile::tempdir().unwrap(), demo, SessionRules::default()).await
    }

    /// A node in this folder, whose sessions follow these rules.
    pub(crate) async fn at(folder: TempDir, demo: Option<u16>, sessions: SessionRules) -> Self {
        let config = NodeConfig {
            demo,
            sessions,
            ..NodeConfig::new(folder.path())
        };
        let node = Node::start(config).await.unwrap();
        let token = Token::load_or_make(folder.path()).unwrap();
        let digits = token.digits().to_owned();
        let router = router(Arc::clone(&node), Access::Loopback { token, port: PORT });
        Self {
            node,
            router,
            token: digits,
            folder,
        }
    }

    /// Where the node keeps everything.
    pub(crate) fn data(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) async fn end(self) {
        self.stop().await.close().unwrap();
    }

    /// Stops the node and waits until its folder is free for another.
    pub(crate) async fn stop(self) -> TempDir {
        self.node.shutdown().await;
        let left = Arc::downgrade(&self.node);
        let folder = self.folder;
        drop((self.node, self.router));
        for _ in 0..500 {
            if left.strong_count() == 0 {
                return folder;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("somebody holds the node still");
    }

    /// Sends a request as it is.
    pub(crate) async fn raw(&self, request: Request<Body>) -> Response<Body> {
        self.router.clone().oneshot(request).await.unwrap()
    }

    /// Sends a request with host and token.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        body: impl Into<Body>,
    ) -> Response<Body> {
        let request = self
            .request(method, path)
            .header(header::CONTENT_TYPE, "application/json");
        self.raw(request.body(body.into()).unwrap()).await
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, format!("127.0.0.1:{PORT}"))
            .header(header::AUTHORIZATION, format!("Bearer {}", self.token))
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Vec<u8>) {
        let response = self.send("GET", path, Body::empty()).await;
        let status = response.status();
        (
            status,
            response
                .into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .to_vec(),
        )
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(
            status,
            StatusCode::OK,
            "{path}: {}",
            String::from_utf8_lossy(&body)
        );
        serde_json::from_slice(&body).unwrap()
    }

    /// Waits for a final reading of the device; its id.
    pub(crate) async fn final_reading(&self, device: &str) -> Value {
        for _ in 0..100 {
            let readings = self
                .json(&format!("/api/readings?device={device}&limit=50"))
                .await;
            let mut readings = readings.as_array().unwrap().iter();
            if let Some(reading) = readings.find(|reading| reading["final"] == true) {
                return reading.clone();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("no reading became final");
    }
}
