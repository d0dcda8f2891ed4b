//! The journey in the real desktop window.

use crate::feed::Oximeter;
use crate::{journey, proof_file};
use anyhow::{Result, ensure};
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

/// Goal: a ward without sensors, and marked as such. Method: the flag `--demo`, then the
/// overview in the window; its picture is the one that the README shows.
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
    stop(&desktop).await
}

/// Goal: a second start brings the first window forward instead of fighting over the
/// data. Method: the same program once more, on the same screen and session.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_ends_and_the_first_goes_on() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let desktop = Desktop::start(&data, folder.path(), &[]).await?;
    desktop.page.find("page-heading").await?;
    let first = desktop.console()?;

    let second = desktop.start_again(&data)?;
    ensure!(second.success(), "the second start ended with {second}");
    ensure!(process::is_running(first), "the first console is gone");
    desktop.page.find("page-heading").await?;
    stop(&desktop).await
}

/// Asks the console to quit and waits until it has.
async fn stop(desktop: &Desktop) -> Result<()> {
    let console = desktop.console()?;
    process::terminate(console);
    let began = Instant::now();
    while process::is_running(console) {
        ensure!(
            began.elapsed() < Duration::from_secs(30),
            "the console did not stop"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
