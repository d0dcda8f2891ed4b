//! The same console in Chromium without a screen.

use crate::page::Page;
use crate::webdriver::Driver;
use anyhow::{Context, Result};
use fantoccini::wd::WebDriverCompatibleCommand;
use http::Method;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::Command;
use tempfile::TempDir;
use url::{ParseError, Url};

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
            .session(capabilities(profile.path(), downloads))
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

fn capabilities(profile: &Path, downloads: &Path) -> Map<String, Value> {
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
