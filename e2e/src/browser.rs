//! The same console in Chromium without a screen.

use crate::cli;
use crate::page::Page;
use crate::webdriver::Driver;
use anyhow::{Context, Result, ensure};
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::Command;
use std::time::Duration;
use tempfile::TempDir;
use url::{ParseError, Url};

/// Whether the page is no wider than its window.
pub const PAGE_FITS: &str =
    "const root = document.documentElement; return root.scrollWidth <= root.clientWidth";
/// How long a page may take to be as it stays at another size.
const SETTLING: Duration = Duration::from_millis(400);

/// A browser with a profile of its own.
///
/// Fields end in the order of their declaration: the browser before its profile.
#[derive(Debug)]
pub struct Browser {
    /// What the browser shows.
    pub page: Page,
    _driver: Driver,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser that saves files into `downloads`.
    pub async fn start(downloads: &Path) -> Result<Self> {
        Self::start_with(downloads, &[]).await
    }

    /// Starts one that trusts, besides what an authority vouches for, whoever has the key with this pin: SHA-256 of
    /// the key as it stands in a certificate, in base64.
    pub async fn start_pinned(downloads: &Path, pin: &str) -> Result<Self> {
        let trusts = format!("--ignore-certificate-errors-spki-list={pin}");
        Self::start_with(downloads, &[trusts]).await
    }

    async fn start_with(downloads: &Path, arguments: &[String]) -> Result<Self> {
        let profile = tempfile::tempdir()?;
        std::fs::create_dir_all(downloads)?;
        let driver = Driver::start(|port| {
            let mut command = Command::new("chromedriver");
            command
                .arg(format!("--port={port}"))
                .env("HOME", profile.path());
            command
        })
        .await?;
        let page = driver
            .session(capabilities(profile.path(), downloads, arguments))
            .await?;
        Ok(Self {
            page,
            _driver: driver,
            _profile: profile,
        })
    }

    /// Gives the page this size, which may be narrower than a window can be.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.page
            .client()
            .issue_cmd(Viewport { width, height })
            .await
            .map(drop)
            .context("the browser did not take the size")
    }

    /// Takes pictures of the page at these sizes in both themes, and looks each time whether `fits` holds, a
    /// script that returns whether nothing is wider than its place.
    pub async fn look(&self, name: &str, sizes: &[(u32, u32)], fits: &str) -> Result<()> {
        for theme in ["dark", "light"] {
            let dress = format!("document.documentElement.dataset.theme = '{theme}'");
            self.page.script(&dress).await?;
            for &(width, height) in sizes {
                self.resize(width, height).await?;
                // Streaming values must not widen the page either.
                tokio::time::sleep(SETTLING).await;
                let file = cli::picture(&format!("{name}-{width}-{theme}"))?;
                self.page.picture(&file).await?;
                let is_fit = self.page.script(fits).await? == true;
                ensure!(is_fit, "{name} is too wide at {width}");
            }
        }
        Ok(())
    }
}

/// Chromium's own command for the size of a page.
#[derive(Debug)]
struct Viewport {
    width: u32,
    height: u32,
}

impl WebDriverCompatibleCommand for Viewport {
    fn endpoint(&self, base_url: &Url, session_id: Option<&str>) -> Result<Url, ParseError> {
        let session = session_id.unwrap_or_default();
        base_url.join(&format!("session/{session}/goog/cdp/execute"))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        let body = json!({
            "cmd": "Emulation.setDeviceMetricsOverride",
            "params": {
                "width": self.width,
                "height": self.height,
                "deviceScaleFactor": 1,
                "mobile": false,
            },
        });
        (Method::POST, Some(body.to_string()))
    }
}

fn capabilities(profile: &Path, downloads: &Path, more: &[String]) -> Map<String, Value> {
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--no-first-run",
        "--disable-quic",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-dev-shm-usage",
        "--use-angle=swiftshader",
        "--enable-unsafe-swiftshader",
        // Plots are painted by GL in software; the page itself is composed without it, as where there is no GPU.
        "--disable-gpu-compositing",
        "--window-size=1440,900",
    ];
    let mut all: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    all.push(format!(
        "--user-data-dir={}",
        profile.join("profile").display()
    ));
    all.extend_from_slice(more);
    let mut capabilities = Map::new();
    capabilities.insert("browserName".to_owned(), json!("chrome"));
    capabilities.insert(
        "goog:chromeOptions".to_owned(),
        json!({
            "args": all,
            "prefs": {
                "download.default_directory": downloads,
                "download.prompt_for_download": false,
                "safebrowsing.enabled": false,
            },
        }),
    );
    capabilities
}
