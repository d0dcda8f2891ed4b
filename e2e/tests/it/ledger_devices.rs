//! Devices between two hospitals, as their staff see it: one is handed over and taken, one is heard.

use anyhow::{Context, Result, ensure};
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli::{self, Node};
use e2e::page::Page;
use e2e::town::{self, Place};
use serde_json::Value;

use crate::feed::Oximeter;

const SPO2: &str = "vital-59408-5";

/// Goal: a sensor goes from one hospital to another by two people in two consoles, its stream goes on, and its
/// bed stays behind; then a device asks to hear it, is allowed for a time, and is cut off. Method: two real
/// nodes on one ledger, an oximeter on a pty that both can open, and two Chromiums; each node's folder is
/// checked at the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_moves_and_is_heard_between_hospitals() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let places = [1, 2].map(|number| Place::on_loopback(folder.path(), number));
    let running = town::found(&places, &["--demo=1"])?;
    let oximeter = Oximeter::nonin(97, 64)?;
    let browsers = [
        Browser::start(folder.path()).await?,
        Browser::start(folder.path()).await?,
    ];
    let [one, two] = &browsers;
    let nodes = (&running[0].1, &running[1].1);
    let lived = live((&one.page, nodes.0), (&two.page, nodes.1), &oximeter).await;
    for (name, browser) in [("ledger-one", one), ("ledger-two", two)] {
        browser.page.picture(&cli::picture(name)?).await?;
    }
    lived?;
    go(&one.page, "#/registry").await?;
    let sizes = [(390, 844), (1280, 800), (2560, 1440)];
    one.look("registry", &sizes, PAGE_FITS).await?;
    drop(browsers);
    drop(oximeter);
    town::stop(running)?;
    Ok(())
}

fn fogward(node: &Node, arguments: &[&str]) -> Result<Value> {
    let all = arguments.iter().copied();
    cli::fogward_json(all.chain(["--api", &node.address, "--json"]))
}

/// The devices of a node that are not simulated.
fn real(node: &Node) -> Result<Vec<Value>> {
    let all = fogward(node, &["device", "list"])?;
    let all = all.as_array().cloned().unwrap_or_default();
    Ok(all
        .into_iter()
        .filter(|device| device["simulated"] == false)
        .collect())
}

fn text<'a>(value: &'a Value, name: &str) -> Result<&'a str> {
    value[name].as_str().with_context(|| format!("no {name}"))
}

async fn live(one: (&Page, &Node), two: (&Page, &Node), oximeter: &Oximeter) -> Result<()> {
    let path = oximeter.sensor.path().display().to_string();
    let pair = ["device", "pair", &path, "--profile", oximeter.profile];
    let paired = fogward(one.1, &pair)?;
    let (id, handle) = (text(&paired, "id")?, text(&paired, "handle")?);
    let place = ["device", "place", id, "--ward", "3A", "--bed", "09"];
    fogward(one.1, &place)?;
    one.0.open(&one.1.address).await?;
    two.0.open(&two.1.address).await?;
    go(one.0, &format!("#/devices/{id}")).await?;
    one.0.until_attribute(SPO2, "data-value", "97").await?;
    one.0
        .until("the registration", || async {
            let device = fogward(one.1, &["device", "show", id])?;
            Ok(device["registered_height"].as_u64())
        })
        .await?;
    hand_over(one, two, handle).await?;
    hear(one, two, handle).await
}

async fn go(page: &Page, place: &str) -> Result<()> {
    page.script(&format!("location.hash = '{place}'"))
        .await
        .map(drop)
}

/// The device goes from the first console to the second.
async fn hand_over(one: (&Page, &Node), two: (&Page, &Node), handle: &str) -> Result<()> {
    let (from, to) = (one.0, two.0);
    // The safe way out first.
    from.click("hand-over").await?;
    from.click("hand-over-keep").await?;
    from.until_attribute("device-standing", "data-standing", "InService")
        .await?;
    from.click("hand-over").await?;
    from.click("hand-over-confirm").await?;
    from.until_attribute("device-standing", "data-standing", "HandedOver")
        .await?;

    go(to, "#/devices").await?;
    let waits = format!("[data-testid='incoming-device'][data-handle='{handle}']");
    to.find_css(&waits).await?;
    to.picture(&cli::picture("incoming")?).await?;
    // A port that is not there is refused in words, and nothing is lost.
    to.type_into("incoming-port", "relative").await?;
    to.click("incoming-take").await?;
    let refusal = "[data-testid='incoming-device'] .note";
    to.find_css(refusal).await?;
    let empty = "\u{8}".repeat("relative".len());
    to.type_into("incoming-port", &empty).await?;
    to.click("incoming-take").await?;
    to.until_attribute(SPO2, "data-value", "97").await?;
    ensure!(
        to.text("device-placed").await? == "at none",
        "no bed comes with it"
    );
    let taken = real(two.1)?;
    ensure!(
        taken.len() == 1 && taken[0]["handle"] == handle,
        "{taken:?}"
    );
    from.until("the first node to let it go", || async {
        Ok(real(one.1)?.is_empty().then_some(()))
    })
    .await?;

    go(from, "#/registry").await?;
    let row = format!("[data-testid='registry-row'][data-handle='{handle}'][data-node='node-2']");
    let row = from.find_css(&row).await?;
    ensure!(
        row.text().await?.contains("once"),
        "how often it was handed over"
    );
    Ok(())
}

/// A device of the first node asks to hear it, is allowed by the second, and is cut off there.
async fn hear(one: (&Page, &Node), two: (&Page, &Node), handle: &str) -> Result<()> {
    let (asker, source) = (one.0, two.0);
    let own = fogward(one.1, &["device", "list"])?;
    go(asker, &format!("#/devices/{}", text(&own[0], "id")?)).await?;
    asker.click("hears-ask").await?;
    asker.choose("hears-source", handle).await?;
    asker.choose("hears-seconds", "900").await?;
    asker.click("hears-ask-confirm").await?;
    asker
        .until_attribute("hears-row", "data-state", "Asked")
        .await?;

    source
        .until_attribute("hears-row", "data-state", "Asked")
        .await?;
    let words = source.text("hears-allow").await?;
    ensure!(
        words.starts_with("Allow for 1") && words.ends_with("min"),
        "{words}"
    );
    source.picture(&cli::picture("hears-asked")?).await?;
    source.click("hears-allow").await?;
    for page in [source, asker] {
        page.until_attribute("hears-row", "data-state", "Granted")
            .await?;
    }
    source.picture(&cli::picture("hears-granted")?).await?;
    source.click("hears-end").await?;
    source.click("hears-end-keep").await?;
    ensure!(granted(two.1)? == 1, "it goes on");
    source.click("hears-end").await?;
    source.click("hears-end-confirm").await?;
    for page in [source, asker] {
        page.until_attribute("hears-row", "data-state", "Ended")
            .await?;
    }
    ensure!(granted(two.1)? == 0, "it was ended");
    Ok(())
}

fn granted(node: &Node) -> Result<usize> {
    let all = fogward(node, &["device", "interactions"])?;
    let all = all.as_array().cloned().unwrap_or_default();
    Ok(all.iter().filter(|row| row["state"] == "granted").count())
}
