//! The ward's wall, as it hangs in a ward: beds named on the devices' pages, read without the console's frame.

use anyhow::{Result, ensure};
use e2e::browser::Browser;
use e2e::cli::{self, Node};
use e2e::page::Page;
use serde_json::Value;

use crate::feed::Oximeter;

/// Sizes of a phone, a desk and a 43-inch screen.
const SIZES: [(u32, u32); 3] = [(390, 844), (1280, 720), (2560, 1440)];
/// At no size is a figure or the page wider than its place.
const BEDS_FIT: &str = "return [document.documentElement, ...document.querySelectorAll('.bed dd')]\
    .every(part => part.scrollWidth <= part.clientWidth + 1)";

/// Goal: a bed whose patient's saturation stays below 90 is the one that the wall names, and is steady again
/// when it is; simulated beds are hatched; no patient and no device is named on the wall. Method: an oximeter
/// on a pty and simulated devices, put at beds in the console and on the command line, in Chromium.
#[tokio::test(flavor = "multi_thread")]
async fn the_wall_names_the_bed_that_needs_somebody() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(&folder.path().join("data"), &["--demo=4"])?;
    let oximeter = Oximeter::nonin(97, 64)?;
    let browser = Browser::start(folder.path()).await?;
    browser.page.open(&node.address).await?;
    let watched = watch(&browser, &node, &oximeter).await;
    let failure = cli::picture("wall-failure")?;
    browser.page.explain(watched, &failure).await?;
    drop(browser);
    node.stop()
}

fn fogward(node: &Node, arguments: &[&str]) -> Result<Value> {
    let all = arguments.iter().copied();
    cli::fogward_json(all.chain(["--api", &node.address, "--json"]))
}

async fn watch(browser: &Browser, node: &Node, oximeter: &Oximeter) -> Result<()> {
    let page = &browser.page;
    page.script("location.hash = '#/wall'").await?;
    page.find("wall-empty").await?;
    let simulated = fogward(node, &["device", "list"])?;
    let simulated = simulated.as_array().cloned().unwrap_or_default();
    // Two devices at one bed are one tile.
    for (device, bed) in simulated.iter().zip(["10", "2", "2", "11"]) {
        let id = device["id"].as_str().unwrap_or_default();
        fogward(node, &["device", "place", id, "--ward", "3A", "--bed", bed])?;
    }
    let path = oximeter.sensor.path().display().to_string();
    let pair = ["device", "pair", &path, "--profile", oximeter.profile];
    let real = fogward(node, &pair)?;
    let id = real["id"].as_str().unwrap_or_default();
    page.until("the registration", || async {
        let device = fogward(node, &["device", "show", id])?;
        Ok(device["registered_height"].as_u64())
    })
    .await?;
    fogward(node, &["patient", "add", "PSEUDONYM-7"])?;
    let assign = ["device", "assign", id, "--to", "PSEUDONYM-7"];
    fogward(node, &assign)?;

    page.script(&format!("location.hash = '#/devices/{id}'"))
        .await?;
    page.click("device-place").await?;
    let put = page.find("device-place-confirm").await?;
    ensure!(!put.is_enabled().await?, "a bed without a name");
    page.type_into("device-ward", "3A").await?;
    page.type_into("device-bed", "09\u{e007}").await?;
    page.until("the bed on the device's page", || async {
        let placed = page.text("device-placed").await?;
        Ok((placed == "ward 3A, bed 09").then_some(()))
    })
    .await?;

    page.click("nav-devices").await?;
    page.click("wall-open").await?;
    page.find("wall-leave").await?;
    ensure!(page.text("page-heading").await? == "Ward 3A");
    page.until("three simulated beds and a real one", || async {
        let beds = beds(page).await?;
        let expected = "2:simulated 09:ok 10:simulated 11:simulated";
        Ok((beds == expected).then_some(()))
    })
    .await?;
    ensure!(!is_there(page, "wall-say").await?, "nobody is needed");

    oximeter.set_spo2(85);
    page.until_attribute("wall-say", "data-state", "critical")
        .await?;
    ensure!(page.text("wall-say").await? == "Bed 09 needs somebody now");
    let expected = "2:simulated 09:critical 10:simulated 11:simulated";
    ensure!(beds(page).await? == expected);
    let figure = "[data-bed='09'] [data-code='59408-5']";
    let figure = page.find_css(figure).await?;
    ensure!(figure.attr("data-value").await?.as_deref() == Some("85"));
    let words = page.script("return document.body.innerText").await?;
    let words = words.as_str().unwrap_or_default();
    for name in ["PSEUDONYM", "Simulated pulse", "Nonin", "nonin"] {
        ensure!(!words.contains(name), "{name} is on the wall");
    }
    browser.look("wall", &SIZES, BEDS_FIT).await?;

    oximeter.set_spo2(96);
    page.until("a steady bed", || async {
        Ok((!is_there(page, "wall-say").await?).then_some(()))
    })
    .await?;
    // A ward that is not there has no beds; Escape goes back.
    page.script("location.hash = '#/wall/4B'").await?;
    page.find("wall-empty").await?;
    page.script("dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }))")
        .await?;
    page.find("device-filter").await.map(drop)
}

/// The beds in their order, each with its state.
async fn beds(page: &Page) -> Result<String> {
    let script = "return [...document.querySelectorAll(\"[data-testid='wall-bed']\")]\
        .map(bed => bed.dataset.bed + ':' + bed.dataset.state).join(' ')";
    let beds = page.script(script).await?;
    Ok(beds.as_str().unwrap_or_default().to_owned())
}

async fn is_there(page: &Page, id: &str) -> Result<bool> {
    let script = format!("return !!document.querySelector(\"[data-testid='{id}']\")");
    Ok(page.script(&script).await? == true)
}
