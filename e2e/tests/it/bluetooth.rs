//! A nurse pairs a blood pressure cuff that shows a passkey, on the real BlueZ.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bluez_rig::Rig;
use e2e::browser::Browser;
use e2e::cli::{self, Node};
use e2e::page::Page;

/// A pairing takes a nurse less than this.
const PAIRED_WITHIN: Duration = Duration::from_secs(60);
/// 120/80 mmHg, mean 93, pulse 72: the vector of the Blood Pressure Measurement (2A35).
const MEASURED: [u8; 9] = [0x04, 0x78, 0x00, 0x50, 0x00, 0x5D, 0x00, 0x48, 0x00];

/// Goal: from *switched on* to a value on the device's page: found in the inbox, paired by its passkey after a
/// wrong one, assigned, measured; and unpaired with its bond. All by keyboard once the page is open, in less
/// than a minute. Method: the real BlueZ in a virtual machine, Chromium through WebDriver.
#[tokio::test(flavor = "multi_thread")]
async fn a_cuff_is_paired_by_its_passkey() -> Result<()> {
    let rig = Rig::start()?;
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let mut command = Command::new(cli::program("fogward")?);
    command
        .env("DBUS_SYSTEM_BUS_ADDRESS", rig.address())
        .args(["run", "--api", "127.0.0.1:0", "--ble", "--data"])
        .arg(&data);
    let node = Node::from_command(&mut command)?;
    let browser = Browser::start(folder.path()).await?;
    browser.page.open(&node.address).await?;
    let paired = pair(&rig, &browser.page, &node).await;
    let failure = cli::picture("bluetooth-failure")?;
    browser.page.explain(paired, &failure).await?;
    drop(browser);
    node.stop()?;
    let fsck = cli::fogward(["fsck".as_ref(), "--data".as_ref(), data.as_os_str()])?;
    ensure!(fsck.status.success(), "{fsck:?}");
    Ok(())
}

async fn pair(rig: &Rig, page: &Page, node: &Node) -> Result<()> {
    let cuff = rig.cuff();
    cuff.advertise(true)?;
    page.script("location.hash = '#/devices'").await?;
    let found = format!(
        "[data-testid=inbox-found][data-address='{}']",
        cuff.address()
    );
    page.find_css(&found).await?;
    page.picture(&cli::picture("bluetooth-inbox")?).await?;

    let begun = Instant::now();
    let link = format!("{found} [data-testid=inbox-pair]");
    page.find_css(&link).await?.click().await?;
    page.until_attribute("ble-stage", "data-stage", "enter_passkey")
        .await?;
    let shown = cuff.state()?.shown.context("digits on its display")?;
    type_digits(page, (shown + 1) % 1_000_000).await?;
    page.until_attribute("ble-stage", "data-stage", "failed")
        .await?;
    page.find_css("[data-testid=ble-failure][data-code=PAIR-06]")
        .await?;
    page.picture(&cli::picture("bluetooth-refused")?).await?;
    page.click("ble-again").await?;
    page.until_attribute("ble-stage", "data-stage", "enter_passkey")
        .await?;
    page.picture(&cli::picture("bluetooth-passkey")?).await?;
    type_digits(page, cuff.state()?.shown.context("digits again")?).await?;
    page.until_attribute("ble-stage", "data-stage", "paired")
        .await?;
    page.type_into("ble-subject", "P-4417").await?;
    page.find("patient-option").await?;
    page.type_into("ble-subject", "\u{e007}").await?;
    page.until("somebody is chosen", || async {
        let finish = page.text("ble-finish").await?;
        Ok((finish == "Assign and finish").then_some(()))
    })
    .await?;
    page.type_into("ble-subject", "\u{e007}").await?;
    page.until_attribute("device-standing", "data-standing", "InService")
        .await?;
    let took = begun.elapsed();
    ensure!(took < PAIRED_WITHIN, "it took {took:?}");
    ensure!(page.text("device-assigned").await? == "P-4417");

    page.until("a measurement", || async {
        // The cuff indicates once somebody has subscribed.
        cuff.send(0x2A35, &MEASURED).ok();
        let devices = cli::fogward_json(["device", "list", "--api", &node.address, "--json"])?;
        let received = devices[0]["gap"]["received"].as_u64();
        Ok(received.filter(|count| *count > 0))
    })
    .await?;
    for (code, value) in [("8480-6", 120.0), ("8462-4", 80.0), ("8867-4", 72.0)] {
        let readings = readings_of(node, code)?;
        ensure!(readings.contains(&value), "{code}: {readings:?}");
    }
    let state = cuff.state()?;
    ensure!(state.encrypted && state.bonds == 1, "{state:?}");
    page.picture(&cli::picture("bluetooth-device")?).await?;

    page.click("unpair").await?;
    page.click("unpair-confirm").await?;
    page.until("no device", || async {
        let devices = cli::fogward_json(["device", "list", "--api", &node.address, "--json"])?;
        Ok((devices.as_array().map(Vec::len) == Some(0)).then_some(()))
    })
    .await
}

/// The values of the first device's readings of a metric.
fn readings_of(node: &Node, code: &str) -> Result<Vec<f64>> {
    let api = &node.address;
    let devices = cli::fogward_json(["device", "list", "--api", api, "--json"])?;
    let id = devices[0]["id"].as_str().unwrap_or_default();
    let asked = [
        "readings", "--api", api, "--device", id, "--metric", code, "--json",
    ];
    let readings = cli::fogward_json(asked)?;
    let rows = readings.as_array().into_iter().flatten();
    Ok(rows.filter_map(|row| row["value"].as_f64()).collect())
}

/// Types six digits, one after the other, and confirms by return.
async fn type_digits(page: &Page, passkey: u32) -> Result<()> {
    let digits = format!("{passkey:06}");
    for (place, digit) in digits.chars().enumerate() {
        let field = format!(
            "[data-testid=ble-digit][aria-label='Digit {} of 6']",
            place + 1
        );
        let field = page.find_css(&field).await?;
        field.send_keys(&digit.to_string()).await?;
    }
    let last = page
        .find_css("[data-testid=ble-digit][aria-label='Digit 6 of 6']")
        .await?;
    last.send_keys("\u{e007}").await?;
    Ok(())
}
