//! A node over its lives: starts it, answers for it, and starts it again when it asks for that.
//!
//! ```text
//! Starting ─▶ Running ─▶ Restarting ─▶ Running ─▶ … ─▶ Stopped
//!     └────────────────────────┴──▶ Failed
//! ```
//!
//! A node asks to be started again when what it has on disk is to take the place of what it works with:
//! the chain of a consortium it joins, or a snapshot it has taken over. Between two lives nothing of the
//! first is left: the second begins only when the first has closed its files. Requests wait for it, but
//! not for long; how far joining is, is answered at once all the time.

use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::bail;
use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::response::{IntoResponse as _, Response};
use fog_api::{ApiError, JoinProgress, JoinStage};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

use crate::http::{Access, console_file, router};
use crate::{Failure, Node, NodeConfig};

/// How long a node's last life may take to close its files.
const CLOSING: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(10);
/// How long a request waits between two lives.
const BETWEEN: Duration = Duration::from_secs(10);
/// The path that is answered between two lives.
const JOIN_PATH: &str = "/api/consortium/join";

#[derive(Clone)]
enum Stage {
    Starting,
    Running(Arc<Node>, Router),
    Restarting,
    Failed(String),
    Stopped,
}

/// The node, from before it is there until it has stopped.
pub struct Host {
    stage: watch::Sender<Stage>,
    is_stopping: watch::Sender<bool>,
    /// Why nothing becomes final any more.
    trouble: watch::Sender<Option<String>>,
    keeper: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            stage: watch::Sender::new(Stage::Starting),
            is_stopping: watch::Sender::new(false),
            trouble: watch::Sender::new(None),
            keeper: tokio::sync::Mutex::default(),
        }
    }
}

impl Host {
    /// Starts the node; from then on it is started again with the same `config` whenever it asks.
    ///
    /// # Errors
    /// As [`Node::start`]; requests are answered with the reason then.
    pub async fn start(self: &Arc<Self>, config: NodeConfig) -> anyhow::Result<Arc<Node>> {
        let mut keeper = self.keeper.lock().await;
        let node = self.live(config.clone()).await?;
        *keeper = Some(tokio::spawn(Box::pin(Arc::clone(self).keep(config))));
        Ok(node)
    }

    /// Begins one life.
    async fn live(&self, config: NodeConfig) -> anyhow::Result<Arc<Node>> {
        match Box::pin(Node::start(config)).await {
            Ok(node) => {
                let router = router(Arc::clone(&node), Access::InProcess);
                self.stage
                    .send_replace(Stage::Running(Arc::clone(&node), router));
                Ok(node)
            }
            Err(error) => {
                tracing::error!("the node did not start: {error:#}");
                self.fail(format!("{error:#}"));
                Err(error)
            }
        }
    }

    /// Says that there is no node, and why.
    pub fn fail(&self, why: String) {
        self.stage.send_replace(Stage::Failed(why.clone()));
        self.trouble.send_replace(Some(why));
    }

    /// Ends lives and begins the next until the node is to stop, or cannot start again.
    async fn keep(self: Arc<Self>, config: NodeConfig) {
        let mut stopping = self.is_stopping.subscribe();
        loop {
            let Some(node) = self.node() else { return };
            let is_last = tokio::select! {
                () = node.restart_wanted() => false,
                () = self.note_failure(&node) => true,
                // The sender lives as long as this host.
                _ = stopping.wait_for(|is_stopping| *is_stopping) => true,
            };
            let next = if is_last {
                Stage::Stopped
            } else {
                tracing::info!("the node starts again");
                Stage::Restarting
            };
            self.stage.send_replace(next);
            let closed = close(node).await;
            if is_last {
                return;
            }
            if let Err(error) = closed {
                tracing::error!(%error, "the node did not start again");
                return self.fail(error.to_string());
            }
            if self.live(config.clone()).await.is_err() {
                return;
            }
        }
    }

    /// Says why consensus has stopped by itself. Never returns: what is there stays readable.
    async fn note_failure(&self, node: &Node) {
        let state = node.failed().await;
        let why = format!("consensus stopped by itself ({state:?}); start the node again");
        self.trouble.send_replace(Some(why));
        std::future::pending().await
    }

    /// The node, while it runs.
    #[must_use]
    pub fn node(&self) -> Option<Arc<Node>> {
        match &*self.stage.borrow() {
            Stage::Running(node, _) => Some(Arc::clone(node)),
            _ => None,
        }
    }

    /// Resolves when consensus has stopped by itself or the node could not start again; says why.
    pub async fn trouble(&self) -> String {
        let mut trouble = self.trouble.subscribe();
        let known = trouble.wait_for(Option::is_some).await;
        known.map_or_else(|_| String::new(), |why| why.clone().unwrap_or_default())
    }

    /// The node's answer to `request`, as soon as there is a node.
    pub async fn call(&self, request: Request) -> Response {
        let path = request.uri().path();
        let asks_progress = path == JOIN_PATH && request.method() == Method::GET;
        let stage = self
            .settled(asks_progress || !path.starts_with("/api/"))
            .await;
        if let Stage::Running(_, router) = stage {
            return router
                .oneshot(request)
                .await
                .unwrap_or_else(|never| match never {});
        }
        if !request.uri().path().starts_with("/api/") {
            return console_file(request).await;
        }
        match absent(&stage) {
            (progress, _) if asks_progress => axum::Json(progress).into_response(),
            (_, refusal) => refusal.into_response(),
        }
    }

    /// Where the node is, once it is there for the first time; between two lives, after a short wait
    /// unless `at_once`.
    async fn settled(&self, at_once: bool) -> Stage {
        let mut stage = self.stage.subscribe();
        let is_settled = |stage: &Stage| {
            !matches!(stage, Stage::Starting) && (at_once || !matches!(stage, Stage::Restarting))
        };
        let until = tokio::time::timeout(BETWEEN, stage.wait_for(is_settled));
        if let Ok(Ok(stage)) = until.await {
            return stage.clone();
        }
        let known = stage.wait_for(|stage| !matches!(stage, Stage::Starting));
        known.await.map_or(Stage::Stopped, |stage| stage.clone())
    }

    /// Flushes and stops the node, if it ever ran. A node that is yet to start has nothing to flush, and is
    /// not waited for.
    pub async fn stop(&self) {
        self.is_stopping.send_replace(true);
        let keeper = self.keeper.try_lock().ok();
        if let Some(keeper) = keeper.and_then(|mut keeper| keeper.take()) {
            // A panic of the task has been reported where it happened.
            let _ = keeper.await;
        }
        self.stage.send_replace(Stage::Stopped);
    }
}

/// Stops a node and waits until its files are closed.
async fn close(node: Arc<Node>) -> anyhow::Result<()> {
    node.shutdown().await;
    let (left, replica) = (Arc::downgrade(&node), Arc::downgrade(&node.replica));
    drop(node);
    let until = tokio::time::Instant::now() + CLOSING;
    while Weak::strong_count(&left) + Weak::strong_count(&replica) > 0 {
        if tokio::time::Instant::now() > until {
            bail!("the node did not close its files; quit Fogward and start it again");
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// What is answered while no node runs.
fn absent(stage: &Stage) -> (JoinProgress, Failure) {
    let refused = |code: &str, what: &str, why: String, next: &str| Failure {
        status: 503,
        error: ApiError {
            code: code.into(),
            what: what.into(),
            why,
            next: next.into(),
        },
    };
    let (at, failure) = match stage {
        Stage::Failed(why) => (
            JoinStage::Failed,
            refused(
                "NODE-01",
                "This computer's fog node is not running.",
                why.clone(),
                "Quit Fogward and start it again; its log says more.",
            ),
        ),
        Stage::Stopped => (
            JoinStage::Idle,
            refused(
                "NODE-01",
                "This computer's fog node is not running.",
                "It is being stopped.".into(),
                "Start it again.",
            ),
        ),
        _ => (
            JoinStage::Restarting,
            refused(
                "NODE-02",
                "The node starts again.",
                "What it has received takes the place of what it worked with.".into(),
                "Ask again in a second.",
            ),
        ),
    };
    let words = format!("{} {}", failure.error.what, failure.error.why);
    let error = (at == JoinStage::Failed).then(|| failure.error.clone());
    let progress = JoinProgress {
        stage: at,
        words,
        consortium: None,
        proposal: None,
        error,
    };
    (progress, failure)
}
