//! The desktop console in a real window on a screen of its own.
//!
//! A virtual X server, a private session bus (so that a console which already runs
//! on this machine is not asked to come forward), WebKit's own WebDriver server,
//! and the program.

use crate::cli;
use crate::page::Page;
use crate::process::{self, Program};
use crate::screen::Screen;
use crate::webdriver::Driver;
use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
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
    display: String,
    environment: Vec<(&'static str, OsString)>,
    _bus: Program,
    _screen: Program,
}

impl Desktop {
    /// Starts the console on `data`, saving files into `downloads`.
    pub async fn start(data: &Path, downloads: &Path, arguments: &[&str]) -> Result<Self> {
        let (screen, display) = screen()?;
        let home = data.with_extension("home");
        std::fs::create_dir_all(&home)?;
        let (bus, bus_address) = bus(&home)?;
        let environment: Vec<(&'static str, OsString)> = vec![
            ("DISPLAY", display.clone().into()),
            ("DBUS_SESSION_BUS_ADDRESS", bus_address.into()),
            ("HOME", home.clone().into()),
            ("XDG_RUNTIME_DIR", home.into()),
            ("FOGWARD_DOWNLOAD_DIR", downloads.into()),
            ("LIBGL_ALWAYS_SOFTWARE", "1".into()),
            ("NO_AT_BRIDGE", "1".into()),
        ];
        let driver = Driver::start(|port| {
            let mut command = Command::new("WebKitWebDriver");
            command
                .arg(format!("--port={port}"))
                .env("TAURI_WEBVIEW_AUTOMATION", "true")
                .envs(environment.iter().cloned())
                .env_remove("WAYLAND_DISPLAY");
            command
        })
        .await?;
        let page = driver.session(capabilities(data, arguments)?).await?;
        Ok(Self {
            page,
            driver,
            display,
            environment,
            _bus: bus,
            _screen: screen,
        })
    }

    /// Starts the console once more in the same session and waits for its end.
    pub fn start_again(&self, data: &Path) -> Result<ExitStatus> {
        let mut command = Command::new(cli::program("fogward-console")?);
        command
            .arg("--data")
            .arg(data)
            .envs(self.environment.iter().cloned())
            .env_remove("WAYLAND_DISPLAY");
        Program::start(&mut command)?.wait(Duration::from_secs(20))
    }

    /// The screen on which the window is.
    pub fn screen(&self) -> Result<Screen> {
        Screen::open(&self.display)
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

/// A bus that starts no services: no portal, no accessibility registry.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=FOLDER</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

fn bus(folder: &Path) -> Result<(Program, String)> {
    let settings = folder.join("bus.conf");
    let text = BUS.replace("FOLDER", &folder.display().to_string());
    std::fs::write(&settings, text)?;
    let mut command = Command::new("dbus-daemon");
    command
        .args(["--nofork", "--print-address=1", "--config-file"])
        .arg(settings);
    let (program, address) = Program::start_and_read(&mut command, Duration::from_secs(20))?;
    Ok((program, address.trim().to_owned()))
}
