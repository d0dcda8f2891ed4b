//! Patients, as a nurse knows them: written down, given a sensor, read, and the sensor given to another; and erased.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli::{self, Node};
use e2e::page::Page;
use serde_json::Value;

/// Sizes of a phone and of a desk.
const SIZES: [(u32, u32); 3] = [(390, 844), (1280, 800), (1440, 900)];
/// How long a plot may take to be painted, or to say that it cannot be.
const SETTLING: Duration = Duration::from_secs(2);
/// Return.
const RETURN: &str = "\u{e007}";

/// Goal: a patient is written down and given a device; her value and her record are on her page; once the device is
/// another's, her record ends there and his begins; once she is erased, his is all that is left. Method: Chromium against a node with a simulated ward, and the
/// command line beside it.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_ends_where_the_sensor_goes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let node = Node::start(&data, &["--demo=2"])?;
    let browser = Browser::start(folder.path()).await?;
    browser.page.open(&node.address).await?;
    let seen = journey(&browser, &node).await;
    let failure = cli::picture("patients-failure")?;
    browser.page.explain(seen, &failure).await?;
    drop(browser);
    node.stop()?;
    let fsck = cli::fogward(["fsck".as_ref(), "--data".as_ref(), data.as_os_str()])?;
    ensure!(fsck.status.success(), "{fsck:?}");
    Ok(())
}

fn ask(node: &Node, arguments: &[&str]) -> Result<Value> {
    let all = arguments.iter().copied();
    cli::fogward_json(all.chain(["--api", &node.address, "--json"]))
}

/// The moments of a patient's readings, the last first.
fn record(node: &Node, patient: &str) -> Result<Vec<i64>> {
    let rows = ask(node, &["patient", "readings", patient, "--limit", "10000"])?;
    let rows = rows.as_array().context("a list")?;
    Ok(rows
        .iter()
        .filter_map(|row| row["host_time"].as_i64())
        .collect())
}

/// Waits until the first element with this test id has another attribute than `not`.
async fn until_other(page: &Page, id: &str, name: &str, not: &str) -> Result<String> {
    page.until(&format!("another {name} of {id}"), || async {
        let now = page.attribute(id, name).await?;
        Ok(now.filter(|now| now != not))
    })
    .await
}

async fn heading(page: &Page, expected: &str) -> Result<()> {
    page.until(expected, || async {
        // The page may be another one in the next moment.
        let script = "return document.querySelector(\"[data-testid='page-heading']\")?.textContent";
        Ok((page.script(script).await? == expected).then_some(()))
    })
    .await
}

async fn journey(browser: &Browser, node: &Node) -> Result<()> {
    let page = &browser.page;
    let devices = ask(node, &["device", "list"])?;
    let device = devices[0]["id"].as_str().context("a device")?;
    page.until("the registration", || async {
        Ok(ask(node, &["device", "show", device])?["registered_height"].as_u64())
    })
    .await?;

    page.click("nav-patients").await?;
    heading(page, "No patient is written down yet").await?;
    let keep = page.find("patient-keep").await?;
    ensure!(!keep.is_enabled().await?, "nobody is named yet");
    page.type_into("patient-name", "Ana Brook").await?;
    page.type_into("patient-number", &format!("P-4417{RETURN}"))
        .await?;
    heading(page, "Ana Brook").await?;
    let title = page.script("return document.title").await?;
    ensure!(title == "Patient · Fogward", "a tab names nobody: {title}");

    page.choose("patient-device", device).await?;
    page.click("patient-assign").await?;
    page.until_attribute("patient-wears", "data-device", device)
        .await?;
    let value = "[data-testid=patient-wears] .vital:not([data-value=''])";
    page.find_css(value).await?;
    until_other(page, "patient-record", "data-points", "0").await?;
    page.find_css("[data-testid=patient-record] canvas").await?;
    tokio::time::sleep(SETTLING).await;
    let is_painted = "return !document.querySelector('.plots-failed')";
    ensure!(
        page.script(is_painted).await? == true,
        "the record is not painted"
    );
    page.until_attribute("patient-wore", "data-until", "")
        .await?;
    browser.look("patient", &SIZES, PAGE_FITS).await?;
    page.until("more of hers", || async {
        Ok((record(node, "P-4417")?.len() > 20).then_some(()))
    })
    .await?;

    // Another patient, written down where the device is given.
    page.script(&format!("location.hash = '#/devices/{device}'"))
        .await?;
    page.until("who wears it", || async {
        Ok((page.text("device-assigned").await? == "Ana Brook").then_some(()))
    })
    .await?;
    page.click("device-assign").await?;
    page.type_into("device-subject", "Ben").await?;
    page.find("patient-option").await?;
    page.type_into("device-subject", RETURN).await?;
    page.until("somebody is chosen", || async {
        let confirm = page.find("device-assign-confirm").await?;
        Ok(confirm.is_enabled().await?.then_some(()))
    })
    .await?;
    page.type_into("device-subject", RETURN).await?;
    page.until("who wears it", || async {
        Ok((page.text("device-assigned").await? == "Ben").then_some(()))
    })
    .await?;

    page.click("nav-patients").await?;
    heading(page, "2 patients, one wears a device").await?;
    page.until("two live rows", || async {
        let script = "return [...document.querySelectorAll(\"[data-testid='patient-now']\")]\
            .map(cell => cell.textContent)";
        let now = page.script(script).await?;
        Ok((now[0] == "–" && now[1].as_str().is_some_and(|now| now.contains('%'))).then_some(()))
    })
    .await?;
    browser.look("patients", &SIZES, PAGE_FITS).await?;
    page.type_into("patient-search", "p-44").await?;
    page.until("one row", || async {
        let script = "return document.querySelectorAll(\"[data-testid='patient-row']\").length";
        Ok((page.script(script).await? == 1).then_some(()))
    })
    .await?;
    page.find_css("[data-testid=patient-row] a")
        .await?
        .click()
        .await?;
    heading(page, "Ana Brook").await?;

    let until = until_other(page, "patient-wore", "data-until", "").await?;
    let until: i64 = until.parse()?;
    let wears = "return !document.querySelector(\"[data-testid='patient-wears']\")";
    ensure!(page.script(wears).await? == true, "nothing any more");
    let (hers, his) = (record(node, "Ana Brook")?, record(node, "Ben")?);
    ensure!(
        hers.iter().all(|at| *at < until),
        "nothing of hers after {until}"
    );
    ensure!(his.iter().all(|at| *at >= until), "nothing of his before");
    page.until("more of his", || async {
        Ok((record(node, "Ben")?.len() > his.len() + 4).then_some(()))
    })
    .await?;
    ensure!(record(node, "P-4417")? == hers, "her record has ended");
    erase(browser, node, hers.len()).await
}

/// On her page, whose name has to be typed once more, and who is on no page afterwards.
async fn erase(browser: &Browser, node: &Node, hers: usize) -> Result<()> {
    let page = &browser.page;
    page.click("patient-erase").await?;
    page.type_into("patient-erase-name", "Ana").await?;
    let confirm = page.find("patient-erase-confirm").await?;
    ensure!(!confirm.is_enabled().await?, "that is not her name");
    browser.look("patient-erase", &SIZES, PAGE_FITS).await?;
    page.type_into("patient-erase-name", &format!(" Brook{RETURN}"))
        .await?;
    page.find("patient-erased").await?;
    browser.look("patient-erased", &SIZES, PAGE_FITS).await?;
    page.click("patient-certificate").await?;
    let erased = ask(node, &["erase", "--list"])?;
    ensure!(erased[0]["readings"] == hers, "{erased} of {hers}");
    let his = record(node, "Ben")?.len();
    ensure!(his > 4, "{his} of his");
    page.find_css("dialog[open] > footer a")
        .await?
        .click()
        .await?;
    heading(page, "One patient, who wears a device").await
}
