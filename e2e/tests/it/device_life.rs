//! A device's life, as a nurse changes it on the device's page.

use anyhow::{Result, ensure};
use e2e::browser::Browser;
use e2e::cli::{self, Node};
use e2e::page::Page;
use serde_json::Value;

/// Goal: a device is assigned, suspended, resumed and retired from its page; what the page says is what the
/// command line says. Method: Chromium against a node with a simulated ward, driven through WebDriver.
#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_assigned_suspended_and_retired() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let node = Node::start(&data, &["--demo=2"])?;
    let browser = Browser::start(folder.path()).await?;
    browser.page.open(&node.address).await?;
    let lived = live(&browser.page, &node).await;
    let failure = cli::picture("device-life-failure")?;
    browser.page.explain(lived, &failure).await?;
    drop(browser);
    node.stop()?;
    let fsck = cli::fogward(["fsck".as_ref(), "--data".as_ref(), data.as_os_str()])?;
    ensure!(fsck.status.success(), "{fsck:?}");
    Ok(())
}

fn devices(node: &Node) -> Result<Vec<Value>> {
    let devices = cli::fogward_json(["device", "list", "--api", &node.address, "--json"])?;
    Ok(devices.as_array().cloned().unwrap_or_default())
}

async fn live(page: &Page, node: &Node) -> Result<()> {
    let first = devices(node)?[0].clone();
    let id = first["id"].as_str().unwrap_or_default();
    page.script(&format!("location.hash = '#/devices/{id}'"))
        .await?;
    page.until_attribute("device-standing", "data-standing", "InService")
        .await?;

    page.click("device-assign").await?;
    let assign = page.find("device-assign-confirm").await?;
    ensure!(!assign.is_enabled().await?, "nobody is named yet");
    // Return takes what is found, or writes somebody new down; then it sends it, as from any form.
    page.type_into("device-subject", "P-4417").await?;
    page.find("patient-option").await?;
    page.type_into("device-subject", "\u{e007}").await?;
    page.until("somebody is chosen", || async {
        let confirm = page.find("device-assign-confirm").await?;
        Ok(confirm.is_enabled().await?.then_some(()))
    })
    .await?;
    page.type_into("device-subject", "\u{e007}").await?;
    page.until("who wears it", || async {
        Ok((page.text("device-assigned").await? == "P-4417").then_some(()))
    })
    .await?;
    let patients = cli::fogward_json(["patient", "list", "--api", &node.address, "--json"])?;
    ensure!(devices(node)?[0]["assigned_to"] == patients["patients"][0]["id"]);

    page.click("device-suspend").await?;
    page.until_attribute("device-standing", "data-standing", "Suspended")
        .await?;
    ensure!(page.text("device-state").await? == "Suspended");
    ensure!(devices(node)?[0]["standing"] == "suspended");
    page.until("refused readings", || async {
        let refused = page.attribute("gap-rejected", "data-value").await?;
        Ok(refused.filter(|refused| refused != "0").map(drop))
    })
    .await?;
    page.picture(&cli::picture("device-suspended")?).await?;
    page.click("device-suspend").await?;
    page.until_attribute("device-standing", "data-standing", "InService")
        .await?;

    page.click("device-retire").await?;
    page.click("device-retire-keep").await?;
    ensure!(devices(node)?.len() == 2, "it was kept");
    page.click("device-retire").await?;
    page.click("device-retire-confirm").await?;
    page.until("one device fewer", || async {
        Ok((devices(node)?.len() == 1).then_some(()))
    })
    .await
}

/// Goal: a device is tested from its page, the page says what was found, and that is the record the node keeps.
/// Method: the same, with a simulated device; the page is left and opened again.
#[tokio::test(flavor = "multi_thread")]
async fn a_device_is_tested_from_its_page() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let node = Node::start(&data, &["--demo=1"])?;
    let browser = Browser::start(folder.path()).await?;
    browser.page.open(&node.address).await?;
    let tested = test(&browser.page, &node).await;
    let failure = cli::picture("device-test-failure")?;
    browser.page.explain(tested, &failure).await?;
    drop(browser);
    node.stop()
}

async fn test(page: &Page, node: &Node) -> Result<()> {
    let first = devices(node)?[0].clone();
    let id = first["id"].as_str().unwrap_or_default();
    let open = format!("location.hash = '#/devices/{id}'");
    page.script(&open).await?;
    page.click("device-test").await?;
    page.find("device-test-cancel").await?;
    let shown = page.until("what was found", || async {
        page.attribute("commissioning", "data-outcome").await
    });
    let shown = shown.await?;
    let figure =
        "[data-testid=commissioning-figure][data-check=frames-refused][data-verdict=Reached]";
    page.find_css(figure).await?;
    page.find_css("[data-testid=commissioning-save]").await?;
    let foot = "document.querySelector('[data-testid=commissioning-save]').scrollIntoView(false)";
    page.script(foot).await?;
    page.picture(&cli::picture("device-tested")?).await?;

    page.script("location.hash = '#/devices'").await?;
    page.find("inbox").await?;
    page.script(&open).await?;
    page.until_attribute("commissioning", "data-outcome", &shown)
        .await
}
