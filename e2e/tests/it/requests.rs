//! A nurse asks for a part of somebody's data at a shared window, and an administrator answers.

use anyhow::{Result, ensure};
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli::{self, Node};
use e2e::page::Page;

use crate::people::{heading, register, sign_in, somebody_else};

const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 720)];
const SUBJECT: &str = "7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b7b";
/// Nurses are granted the heart rate once somebody agrees, and everything where they break the glass.
const POLICIES: [(&str, &str); 2] = [
    (
        "on-request",
        "@approval(\"needed\") permit(principal in Role::\"nurse\", action, resource) \
         when { resource.metric == \"8867-4\" };",
    ),
    (
        "emergency",
        "permit(principal, action, resource) when { context.emergency };",
    ),
];

/// Goal: what is asked for waits for who decides, is granted by a click and told in words, with what was cut off;
/// a broken glass waits for review. Method: Chromium, two people at one window, policies put beforehand.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_asked_granted_and_reviewed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(&folder.path().join("data"), &[])?;
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
    let asked = ask(&browser).await;
    let failure = cli::picture("requests-failure")?;
    browser.page.explain(asked, &failure).await?;
    drop(browser);
    node.stop()
}

/// The row that stands so.
async fn row(page: &Page, standing: &str) -> Result<()> {
    let row = format!("[data-testid='request-row'][data-standing='{standing}']");
    page.find_css(&row).await.map(drop)
}

async fn tick(page: &Page, testid: &str, key: Option<&str>) -> Result<()> {
    let key = key
        .map(|key| format!("[data-key='{key}']"))
        .unwrap_or_default();
    let check = format!("[data-testid='{testid}']{key}");
    page.find_css(&check).await?.click().await?;
    Ok(())
}

async fn ask(browser: &Browser) -> Result<()> {
    let page = &browser.page;
    page.click("nav-requests").await?;
    heading(page, "page-heading", "Nobody can ask yet").await?;
    let mut anna = register(page, "anna", None).await?;
    page.click("enrolment-done").await?;
    sign_in(page, "anna", &mut anna).await?;
    let mut nina = register(page, "nina", Some("nurse")).await?;
    page.click("enrolment-done").await?;
    page.click("who").await?;
    page.click("lock").await?;
    page.click("door-somebody-else").await?;
    sign_in(page, "nina", &mut nina).await?;

    page.click("nav-requests").await?;
    heading(page, "page-heading", "No request waits for you").await?;
    page.type_into("ask-subject", SUBJECT).await?;
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

    // At the same window: hers is locked, and the administrator opens her own.
    somebody_else(page, "anna").await?;
    page.click("nav-requests").await?;
    heading(page, "page-heading", "2 requests wait for you").await?;
    browser.look("requests", &SIZES, PAGE_FITS).await?;
    let open = |standing: &str| {
        format!(
            "[data-testid='request-row'][data-standing='{standing}'] [data-testid='request-open']"
        )
    };
    page.find_css(&open("Waits for you")).await?.click().await?;
    shown(page, "request-approve").await?;
    row(page, "Granted").await?;
    page.find_css(&open("Break-glass")).await?.click().await?;
    let reason =
        "return document.querySelector('dialog[open]').textContent.includes('Found unconscious')";
    ensure!(
        page.script(reason).await? == true,
        "the reviewer is told why"
    );
    shown(page, "request-unjustified").await?;
    heading(page, "page-heading", "No request waits for you").await?;
    let words = "return [...document.querySelectorAll('[data-testid=request-row]')].map(row => row.textContent).join()";
    let words = page.script(words).await?;
    let words = words.as_str().unwrap_or_default();
    for told in [
        "may see Heart rate until",
        "Cut off, as not permitted: SpO₂",
        "there was no reason",
    ] {
        ensure!(words.contains(told), "{told}: {words}");
    }
    Ok(())
}

/// Clicks what is in the open dialog.
async fn shown(page: &Page, testid: &str) -> Result<()> {
    let button = format!("dialog[open] [data-testid='{testid}']");
    page.find_css(&button).await?.click().await?;
    Ok(())
}
