//! Every page in both themes, from a phone's width to a wall's.
//!
//! Pictures go to `screenshots` in cargo's target folder; what is asserted is that a
//! page has its heading, fits its window, and says that simulated data is simulated.

use anyhow::{Result, ensure};
use e2e::browser::Browser;
use e2e::cli::{self, Node};
use e2e::page::Page;
use std::path::Path;

const SIZES: [(u32, u32); 3] = [(390, 844), (1440, 900), (2560, 1440)];

/// Goal: nothing is cut off at any width in any theme. Method: Chromium on a simulated
/// ward, one look at each page, its width compared with the window's.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_fits_every_window() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(&folder.path().join("data"), &["--demo=6"])?;
    let devices = cli::fogward_json(["devices", "--api", &node.address, "--json"])?;
    ensure!(
        devices.as_array().is_some_and(|all| all.len() == 6),
        "{devices}"
    );
    let device = devices[0]["id"].as_str().unwrap_or_default().to_owned();
    let browser = Browser::start(folder.path()).await?;
    let page = &browser.page;
    page.open(&node.address).await?;
    page.find("simulated-banner").await?;

    let device = format!("#/devices/{device}");
    let places = [
        ("overview", "#/"),
        ("devices", "#/devices"),
        ("registry", "#/registry"),
        ("wall-empty", "#/wall"),
        ("pair", "#/pair"),
        ("device", &device),
        ("chain", "#/chain"),
        ("block", "#/blocks/1"),
        ("proofs", "#/proofs"),
        ("consortium-alone", "#/consortium"),
        ("propose", "#/consortium/propose"),
        ("join", "#/consortium/join"),
        ("policies", "#/policies"),
    ];
    for theme in ["light", "dark"] {
        page.script(&format!(
            "document.documentElement.dataset.theme = '{theme}'"
        ))
        .await?;
        for (width, height) in SIZES {
            browser.resize(width, height).await?;
            for (name, place) in places {
                let file = cli::picture(&format!("{name}-{width}-{theme}"))?;
                look(page, place, &file).await?;
            }
        }
    }
    node.stop()
}

async fn look(page: &Page, place: &str, file: &Path) -> Result<()> {
    page.script(&format!("location.hash = '{place}'")).await?;
    page.find("page-heading").await?;
    // Streaming values must not widen the page either.
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    let widths = page
        .script(
            "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]",
        )
        .await?;
    page.picture(file).await?;
    ensure!(
        widths[0].as_u64() <= widths[1].as_u64(),
        "{place} is {} wide in a window of {}",
        widths[0],
        widths[1]
    );
    Ok(())
}
