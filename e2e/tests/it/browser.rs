//! The journey in a browser, against the node without a screen.

use crate::feed::Oximeter;
use crate::{journey, proof_file};
use anyhow::{Context, Result, ensure};
use e2e::browser::Browser;
use e2e::cli::{self, Node};

/// Goal: the browser form does all that the window does, and the command line agrees
/// with it. Method: Chromium against `fogward run`, driven through WebDriver.
#[tokio::test(flavor = "multi_thread")]
async fn a_reading_is_proven_from_the_browser() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let downloads = folder.path().join("downloads");
    std::fs::create_dir_all(&downloads)?;
    let oximeter = Oximeter::contec(97, 64)?;
    let node = Node::start(&data, &[])?;
    let browser = Browser::start(&downloads).await?;
    browser.page.open(&node.address).await?;
    let proven = journey::pair_and_prove(&browser.page, &oximeter, &downloads).await;
    let failure = cli::picture("browser-failure")?;
    let proven = browser.page.explain(proven, &failure).await?;
    agrees_with_the_command_line(&node, &proven)?;
    let genesis = folder.path().join("genesis");
    let saved = cli::fogward([
        "genesis".as_ref(),
        "--api".as_ref(),
        node.address.as_ref(),
        "-o".as_ref(),
        genesis.as_os_str(),
    ])?;
    ensure!(saved.status.success(), "{saved:?}");
    // A browser that ends takes back what it saved a moment ago.
    proof_file::check(&proven.file, &genesis, &proven.reading, 93.0)?;
    drop(browser);
    node.stop()?;
    let fsck = cli::fogward(["fsck".as_ref(), "--data".as_ref(), data.as_os_str()])?;
    ensure!(fsck.status.success(), "{fsck:?}");
    Ok(())
}

fn agrees_with_the_command_line(node: &Node, proven: &journey::Proven) -> Result<()> {
    let devices = cli::fogward_json(["devices", "--api", &node.address, "--json"])?;
    let devices = devices.as_array().context("no list of devices")?;
    ensure!(
        devices.len() == 1 && devices[0]["id"] == *proven.device,
        "{devices:?}"
    );
    let gap = &devices[0]["gap"];
    let count = |stage: &str| gap[stage].as_u64().unwrap_or_default();
    ensure!(count("final") > 0, "{gap}");
    ensure!(
        count("received") >= count("sealed")
            && count("sealed") >= count("anchored")
            && count("anchored") >= count("final"),
        "{gap}"
    );
    ensure!(count("rejected") == 0, "{gap}");

    let list = [
        "readings",
        "--api",
        &node.address,
        "--device",
        &proven.device,
    ];
    let readings = cli::fogward_json(list.into_iter().chain(["--limit", "5000", "--json"]))?;
    let reading = readings
        .as_array()
        .into_iter()
        .flatten()
        .find(|reading| reading["id"] == *proven.reading)
        .context("the proven reading is not in the list")?;
    ensure!(
        reading["code"] == "59408-5" && reading["unit"] == "%",
        "{reading}"
    );
    ensure!(reading["value"].as_f64() == Some(93.0), "{reading}");
    ensure!(
        reading["final"] == true && reading["height"].is_u64(),
        "{reading}"
    );
    Ok(())
}
