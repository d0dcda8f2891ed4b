//! The journey in the real desktop window.

use crate::feed::Oximeter;
use crate::{journey, proof_file};
use anyhow::{Context, Result, ensure};
use e2e::cli::{self, Node};
use e2e::desktop::Desktop;
use e2e::process;
use std::time::{Duration, Instant};

/// Goal: from a plugged-in oximeter to a file that convinces a stranger. Method: the
/// desktop program under a virtual screen, driven through WebDriver; afterwards the
/// headless node on the same folder hands out the genesis, and the command line checks.
#[tokio::test(flavor = "multi_thread")]
async fn a_reading_is_proven_from_the_desktop_window() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let downloads = folder.path().join("downloads");
    let oximeter = Oximeter::nonin(97, 64)?;
    let desktop = Desktop::start(&data, &downloads, &[]).await?;
    let proven = journey::pair_and_prove(&desktop.page, &oximeter, &downloads).await;
    let failure = cli::picture("desktop-failure")?;
    let proven = desktop.page.explain(proven, &failure).await?;

    stop(&desktop).await?;
    let fsck = cli::fogward(["fsck".as_ref(), "--data".as_ref(), data.as_os_str()])?;
    ensure!(fsck.status.success(), "{fsck:?}");

    let node = Node::start(&data, &[])?;
    let genesis = folder.path().join("genesis");
    let saved = cli::fogward([
        "genesis".as_ref(),
        "--api".as_ref(),
        node.address.as_ref(),
        "-o".as_ref(),
        genesis.as_os_str(),
    ])?;
    ensure!(saved.status.success(), "{saved:?}");
    node.stop()?;
    proof_file::check(&proven.file, &genesis, &proven.reading, 93.0)
}

/// Goal: a ward without sensors, and marked as such; the way out asks first. Method: the flag `--demo`,
/// then the overview in the window; its picture is the one that the README shows.
#[tokio::test(flavor = "multi_thread")]
async fn a_simulated_ward_says_that_it_is_simulated() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let desktop = Desktop::start(&folder.path().join("data"), folder.path(), &["--demo"]).await?;
    let page = &desktop.page;
    page.find("simulated-banner").await?;
    page.until("six devices in the table, each marked", || async {
        let rows = page
            .script("return [...document.querySelectorAll('[data-testid=device-row]')].map(row => row.innerText)")
            .await?;
        let rows = rows.as_array().cloned().unwrap_or_default();
        let marked = |row: &serde_json::Value| row.as_str().is_some_and(|text| text.contains("imulated"));
        Ok((rows.len() == 6 && rows.iter().all(marked)).then_some(()))
    })
    .await?;
    page.until("readings that are final", || async {
        let count = page.attribute("custody-final", "data-value").await?;
        Ok(count.filter(|count| count != "0"))
    })
    .await?;
    page.picture(&cli::picture("desktop-overview")?).await?;
    page.click("quit").await?;
    page.click("quit-keep").await?;
    ensure!(process::is_running(desktop.console()?), "it quit unasked");
    page.click("quit").await?;
    let family = family(&desktop)?;
    page.click("quit-confirm").await?;
    ended(&family).await
}

/// Goal: closing the window keeps the node at work; starting again brings the same window
/// back instead of a second node. Method: the close button's message, a look at the
/// heights before and after, and the same program once more in the same session.
#[tokio::test(flavor = "multi_thread")]
async fn a_closed_window_keeps_its_node_and_comes_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let desktop = Desktop::start(&data, folder.path(), &["--demo=1"]).await?;
    let before = height(&desktop).await?;
    let first = desktop.console()?;
    let screen = desktop.screen()?;
    screen.wait_until_visible("Fogward", true)?;

    screen.close("Fogward")?;
    screen.wait_until_visible("Fogward", false)?;
    ensure!(process::is_running(first), "the console is gone");
    tokio::time::sleep(Duration::from_secs(2)).await;

    let second = desktop.start_again(&data)?;
    ensure!(second.success(), "the second start ended with {second}");
    screen.wait_until_visible("Fogward", true)?;
    ensure!(desktop.console()? == first, "another console runs");
    let after = height(&desktop).await?;
    ensure!(
        after > before,
        "no block while the window was closed: {before}, {after}"
    );
    stop(&desktop).await
}

/// The newest block's height, as the node tells the window.
async fn height(desktop: &Desktop) -> Result<u64> {
    let status = ask(desktop, "/api/status").await?;
    status["height"].as_u64().context("no height in the status")
}

/// What the node answers the window that it lives in.
pub(crate) async fn ask(desktop: &Desktop, path: &str) -> Result<serde_json::Value> {
    let script = format!(
        "return window.__TAURI__.core.invoke('api_call', {{method: 'GET', path: '{path}', body: null}})\
         .then(answer => {{ const bytes = new Uint8Array(answer); return new TextDecoder().decode(bytes.slice(4 + bytes[2] + 256 * bytes[3])); }})"
    );
    let answer = desktop.page.script(&script).await?;
    Ok(serde_json::from_str(answer.as_str().unwrap_or_default())?)
}

/// Asks the console to quit and waits until it and its helpers have.
pub(crate) async fn stop(desktop: &Desktop) -> Result<()> {
    let family = family(desktop)?;
    process::terminate(desktop.console()?);
    ended(&family).await
}

/// The console and its helpers.
fn family(desktop: &Desktop) -> Result<Vec<u32>> {
    let console = desktop.console()?;
    let mut family = process::descendants(console);
    family.push(console);
    Ok(family)
}

/// Waits until they have ended.
async fn ended(family: &[u32]) -> Result<()> {
    let began = Instant::now();
    while family.iter().any(|pid| process::is_running(*pid)) {
        ensure!(
            began.elapsed() < Duration::from_secs(30),
            "the console did not stop"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
