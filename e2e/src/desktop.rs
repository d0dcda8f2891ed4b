//! The desktop console in a real window on a screen of its own.
//!
//! A virtual X server, a private session bus (so that a console which already runs
//! on this machine is not asked to come forward), WebKit's own WebDriver server,
//! and the program.

use crate::cli;
use crate::page::Page;
use crate::process::{self, Program};
use crate::webdriver::Driver;
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// The size of the virtual screen, as large as the largest layout that is looked at.
const SCREEN: &str = "2560x1440x24";

/// A window on a virtual screen.
///
/// Fields end in the order of their declaration: the program before its screen.
#[derive(Debug)]
pub struct Desktop {
    /// What the window shows.
    pub page: Page,
    driver: Driver,
    _bus: Program,
    _screen: Program,
}

impl Desktop {
    /// Starts the console on `data`, saving files into `downloads`.
    pub async fn start(data: &Path, downloads: &Path, arguments: &[&str]) -> Result<Self> {
        let (screen, display) = screen()?;
        let (bus, bus_address) = bus()?;
        let home = data.with_extension("home");
        std::fs::create_dir_all(&home)?;
        let driver = Driver::start(|port| {
            let mut command = Command::new("WebKitWebDriver");
            command
                .arg(format!("--port={port}"))
                .env("DISPLAY", &display)
                .env("DBUS_SESSION_BUS_ADDRESS", &bus_address)
                .env("HOME", &home)
                .env("XDG_RUNTIME_DIR", &home)
                .env("FOGWARD_DOWNLOAD_DIR", downloads)
                .env("TAURI_WEBVIEW_AUTOMATION", "true")
                // Software GL without buffer sharing: twice the frames under Xvfb.
                .env("WEBKIT_DISABLE_DMABUF_RENDERER", "1")
                .env("LIBGL_ALWAYS_SOFTWARE", "1")
                .env("NO_AT_BRIDGE", "1")
                .env_remove("WAYLAND_DISPLAY");
            command
        })
        .await?;
        let page = driver.session(capabilities(data, arguments)?).await?;
        Ok(Self {
            page,
            driver,
            _bus: bus,
            _screen: screen,
        })
    }

    /// The process id of the console.
    pub fn console(&self) -> Result<u32> {
        let below = self.driver.program.descendants();
        below
            .into_iter()
            .find(|pid| process::name(*pid).is_some_and(|name| name == "fogward-console"))
            .context("the console does not run")
    }
}

fn capabilities(data: &Path, arguments: &[&str]) -> Result<Map<String, Value>> {
    let mut all = vec!["--data".to_owned(), data.display().to_string()];
    all.extend(arguments.iter().map(ToString::to_string));
    let binary: PathBuf = cli::program("fogward-console")?;
    let mut capabilities = Map::new();
    capabilities.insert(
        "webkitgtk:browserOptions".to_owned(),
        json!({"binary": binary, "args": all}),
    );
    Ok(capabilities)
}

fn screen() -> Result<(Program, String)> {
    let mut command = Command::new("Xvfb");
    command.args([
        "-displayfd",
        "1",
        "-screen",
        "0",
        SCREEN,
        "-nolisten",
        "tcp",
    ]);
    let (program, number) = Program::start_and_read(&mut command, Duration::from_secs(20))?;
    Ok((program, format!(":{}", number.trim())))
}

fn bus() -> Result<(Program, String)> {
    let mut command = Command::new("dbus-daemon");
    command.args(["--session", "--nofork", "--print-address=1"]);
    let (program, address) = Program::start_and_read(&mut command, Duration::from_secs(20))?;
    Ok((program, address.trim().to_owned()))
}
