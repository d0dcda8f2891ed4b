//! A nurse asks for a part of somebody's data at a shared window and reads it, and an administrator answers.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli::{self, Node};
use e2e::page::Page;
use serde_json::Value;

use crate::people::{heading, somebody_else, two_people};

const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 720)];
/// Nurses are granted the saturation once somebody agrees, and everything where they break the glass.
const POLICIES: [(&str, &str); 2] = [
    (
        "on-request",
        "@approval(\"needed\") permit(principal in Role::\"nurse\", action, resource) \
         when { resource.metric == \"59408-5\" };",
    ),
    (
        "emergency",
        "permit(principal, action, resource) when { context.emergency };",
    ),
];

/// Goal: what is asked for waits for who decides, is granted by a click and told in words, with what was cut off;
/// a broken glass shows the record at once and waits for review. Method: Chromium, two people at one window, policies put
/// beforehand, and somebody who wears a simulated sensor.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_asked_granted_and_reviewed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(&folder.path().join("data"), &["--demo=1"])?;
    let subject = somebody(&node.address).await?;
    for (name, text) in POLICIES {
        let file = folder.path().join(name);
        std::fs::write(&file, text)?;
        let put = cli::fogward([
            "policy",
            "put",
            name,
            &file.display().to_string(),
            "--api",
            &node.address,
        ])?;
        ensure!(
            put.status.success(),
            "{}",
            String::from_utf8_lossy(&put.stderr)
        );
    }
    let browser = Browser::start(folder.path()).await?;
    browser.page.open(&node.address).await?;
    let asked = ask(&browser, &subject).await;
    let failure = cli::picture("requests-failure")?;
    browser.page.explain(asked, &failure).await?;
    drop(browser);
    node.stop()
}

/// The row that stands so.
pub(crate) async fn row(page: &Page, standing: &str) -> Result<()> {
    let row = format!("[data-testid='request-row'][data-standing='{standing}']");
    page.find_css(&row).await.map(drop)
}

pub(crate) async fn tick(page: &Page, testid: &str, key: Option<&str>) -> Result<()> {
    let key = key
        .map(|key| format!("[data-key='{key}']"))
        .unwrap_or_default();
    let check = format!("[data-testid='{testid}']{key}");
    page.find_css(&check).await?.click().await?;
    Ok(())
}

/// Somebody who wears the first simulated sensor; her handle for treatment.
pub(crate) async fn somebody(api: &str) -> Result<String> {
    let ask = |arguments: &[&str]| {
        let more = ["--api", api, "--json"];
        cli::fogward_json(arguments.iter().copied().chain(more))
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let device = text(&ask(&["device", "list"])?[0]["id"]);
    while ask(&["device", "show", &device])?["registered_height"].is_null() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let patient = text(&ask(&["patient", "add", "Ana Brook"])?["id"]);
    ask(&["patient", "assign", &patient, &device])?;
    let shown = ask(&["patient", "show", &patient])?;
    let mut handles = shown["handles"].as_array().into_iter().flatten();
    let handle = handles.find(|row| row["purpose"] == "treatment");
    Ok(text(&handle.context("no handle for treatment")?["handle"]))
}

async fn ask(browser: &Browser, subject: &str) -> Result<()> {
    let page = &browser.page;
    page.click("nav-requests").await?;
    heading(page, "page-heading", "Nobody can ask yet").await?;
    two_people(page, ("anna", None), ("nina", "nurse")).await?;

    page.click("nav-requests").await?;
    heading(page, "page-heading", "No request waits for you").await?;
    page.type_into("ask-subject", subject).await?;
    for code in ["8867-4", "59408-5"] {
        tick(page, "ask-metric", Some(code)).await?;
    }
    browser.look("requests-asking", &SIZES, PAGE_FITS).await?;
    page.click("ask-send").await?;
    row(page, "Waiting").await?;
    tick(page, "ask-emergency", None).await?;
    page.type_into("ask-reason", "Found unconscious").await?;
    page.click("ask-send").await?;
    row(page, "Granted").await?;

    // Who broke it is told nothing of it; who reviews it is, on every page.
    ensure!(!is_noticed(page).await?, "a nurse reviews nothing");

    // What was granted is shown, and the ledger is told.
    open_row(page, "Granted").await?;
    shown(page, "request-read").await?;
    let some = "[data-testid='request-shown']:not([data-readings='0'])";
    page.find_css(some).await?;
    page.script("document.querySelector('[data-testid=request-shown]').scrollIntoView()")
        .await?;
    browser.look("requests-read", &SIZES, PAGE_FITS).await?;

    // At the same window: hers is locked, and the administrator opens her own.
    somebody_else(page, "anna").await?;
    page.until("the notice of a broken glass", || async {
        Ok(is_noticed(page).await?.then_some(()))
    })
    .await?;
    page.click("nav-requests").await?;
    heading(page, "page-heading", "2 requests wait for you").await?;
    browser.look("requests", &SIZES, PAGE_FITS).await?;
    open_row(page, "Waits for you").await?;
    shown(page, "request-approve").await?;
    row(page, "Granted").await?;
    open_row(page, "Break-glass").await?;
    let reason =
        "return document.querySelector('dialog[open]').textContent.includes('Found unconscious')";
    ensure!(
        page.script(reason).await? == true,
        "the reviewer is told why"
    );
    shown(page, "request-unjustified").await?;
    heading(page, "page-heading", "No request waits for you").await?;
    page.until("no notice any more", || async {
        Ok((!is_noticed(page).await?).then_some(()))
    })
    .await?;
    let words = "return [...document.querySelectorAll('[data-testid=request-row]')].map(row => row.textContent).join()";
    let words = page.script(words).await?;
    let words = words.as_str().unwrap_or_default();
    for told in [
        "may see SpO₂ until",
        "Cut off, as not permitted: Heart rate",
        "there was no reason",
    ] {
        ensure!(words.contains(told), "{told}: {words}");
    }
    Ok(())
}

/// Whether the page says that a glass was broken.
async fn is_noticed(page: &Page) -> Result<bool> {
    let notice = "return document.querySelector(\"[data-testid='notice'][data-about='broken-glass']\") !== null";
    Ok(page.script(notice).await? == true)
}

/// Opens the row that stands so, in the middle of the window: half below the top bar, it takes no click.
pub(crate) async fn open_row(page: &Page, standing: &str) -> Result<()> {
    let opens = format!(
        "[data-testid='request-row'][data-standing='{standing}'] [data-testid='request-open']"
    );
    let button = page.find_css(&opens).await?;
    let middle =
        format!("document.querySelector(\"{opens}\").scrollIntoView({{ block: 'center' }})");
    page.script(&middle).await?;
    button.click().await?;
    Ok(())
}

/// Clicks what is in the open dialog.
pub(crate) async fn shown(page: &Page, testid: &str) -> Result<()> {
    let button = format!("dialog[open] [data-testid='{testid}']");
    page.find_css(&button).await?.click().await?;
    Ok(())
}
