//! The console on screen: find by test id, wait, read, click, type, take a picture.
//!
//! Every wait ends: after [`PATIENCE`] it fails with what it waited for.

use anyhow::{Context, Result, bail};
use fantoccini::elements::Element;
use fantoccini::{Client, Locator};
use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long anything on screen may take to appear.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often the screen is looked at while waiting.
const GLANCE: Duration = Duration::from_millis(100);

/// One window with the console.
#[derive(Debug, Clone)]
pub struct Page {
    client: Client,
}

impl Page {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Opens an address.
    pub async fn open(&self, address: &str) -> Result<()> {
        self.client
            .goto(address)
            .await
            .context("cannot open the address")
    }

    /// The first element with this test id, as soon as there is one.
    pub async fn find(&self, id: &str) -> Result<Element> {
        self.find_css(&format!("[data-testid='{id}']")).await
    }

    /// The first element that a CSS selector picks, as soon as there is one.
    pub async fn find_css(&self, selector: &str) -> Result<Element> {
        self.client
            .wait()
            .at_most(PATIENCE)
            .every(GLANCE)
            .for_element(Locator::Css(selector))
            .await
            .with_context(|| format!("`{selector}` did not appear within {PATIENCE:?}"))
    }

    /// Clicks the element with this test id, as soon as it lets itself be clicked.
    pub async fn click(&self, id: &str) -> Result<()> {
        self.until(&format!("`{id}` can be clicked"), || async {
            let element = self.find(id).await?;
            // The page may have replaced the element since it was found.
            let ready =
                element.is_enabled().await.unwrap_or_default() && element.click().await.is_ok();
            Ok(ready.then_some(()))
        })
        .await
    }

    /// Types into the element with this test id.
    pub async fn type_into(&self, id: &str, text: &str) -> Result<()> {
        let element = self.find(id).await?;
        element
            .send_keys(text)
            .await
            .with_context(|| format!("cannot type into `{id}`"))
    }

    /// Types on the keyboard, wherever the focus is.
    pub async fn press(&self, keys: &str) -> Result<()> {
        let focused = self.client.active_element().await?;
        let typed = focused.send_keys(keys).await;
        typed.context("cannot type where the focus is")
    }

    /// Chooses in the `select` with this test id.
    pub async fn choose(&self, id: &str, value: &str) -> Result<()> {
        let element = self.find(id).await?;
        element
            .select_by_value(value)
            .await
            .with_context(|| format!("`{id}` has no choice `{value}`"))
    }

    /// Waits until an attribute of the first element with this test id reads `expected`.
    pub async fn until_attribute(&self, id: &str, name: &str, expected: &str) -> Result<()> {
        let mut last = None;
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            last = self.attribute(id, name).await?;
            if last.as_deref() == Some(expected) {
                return Ok(());
            }
            tokio::time::sleep(GLANCE).await;
        }
        bail!("`{id}` has {name}={last:?}, expected `{expected}`")
    }

    /// An attribute of the first element with this test id.
    pub async fn attribute(&self, id: &str, name: &str) -> Result<Option<String>> {
        let element = self.find(id).await?;
        // The page may have replaced the element since it was found.
        Ok(element.attr(name).await.unwrap_or_default())
    }

    /// The visible text of the first element with this test id.
    pub async fn text(&self, id: &str) -> Result<String> {
        Ok(self.find(id).await?.text().await?)
    }

    /// Runs a script in the page and answers with its value.
    pub async fn script(&self, script: &str) -> Result<serde_json::Value> {
        Ok(self.client.execute(script, Vec::new()).await?)
    }

    /// Looks again and again until `glance` sees something.
    pub async fn until<T, F>(&self, what: &str, mut glance: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<Option<T>>>,
    {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if let Some(seen) = glance().await? {
                return Ok(seen);
            }
            tokio::time::sleep(GLANCE).await;
        }
        bail!("{what}: not within {PATIENCE:?}")
    }

    /// Passes a result on; if it is a failure, saves a picture of what was on screen then.
    pub async fn explain<T>(&self, result: Result<T>, file: &Path) -> Result<T> {
        if result.is_err() {
            let _ = self.picture(file).await;
        }
        result.with_context(|| format!("see {}", file.display()))
    }

    /// Saves a picture of the window.
    pub async fn picture(&self, file: &Path) -> Result<()> {
        let bytes = self.client.screenshot().await?;
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))
    }
}
