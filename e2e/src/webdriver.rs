//! A WebDriver server on a free port, and a session on it.

use crate::page::Page;
use crate::process::Program;
use anyhow::{Context, Result, bail};
use fantoccini::ClientBuilder;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Map, Value};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

/// How long a driver may take until it listens.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running WebDriver server.
#[derive(Debug)]
pub struct Driver {
    port: u16,
    /// The server; what it starts is below it.
    pub program: Program,
}

impl Driver {
    /// Starts a server; `command` makes its command line from the port.
    pub async fn start(command: impl FnOnce(u16) -> Command) -> Result<Self> {
        let port = free_port()?;
        let driver = Self {
            port,
            program: Program::start(&mut command(port))?,
        };
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            if began.elapsed() > PATIENCE {
                bail!("the WebDriver server did not listen within {PATIENCE:?}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(driver)
    }

    /// Opens a session, which starts the browser or the program under test.
    pub async fn session(&self, capabilities: Map<String, Value>) -> Result<Page> {
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(capabilities)
            .connect(&format!("http://127.0.0.1:{}", self.port))
            .await
            .context("the WebDriver server opened no session")?;
        Ok(Page::new(client))
    }
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}
