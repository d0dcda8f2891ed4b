//! An administrator looks at who did what, and exports it; a nurse looks at who looked at her patient.

use anyhow::{Context as _, Result, ensure};
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli::{self, Node};
use e2e::page::Page;
use serde_json::Value;
use std::path::Path;

use crate::people::{heading, somebody_else, two_people};

const SIZES: [(u32, u32); 3] = [(390, 844), (1280, 720), (2560, 1440)];
const EMERGENCY: &str = "permit(principal, action, resource) when { context.emergency };";

/// Goal: what was asked about a patient is found with what came of it, by who audits and by who looks after her; what
/// is exported by a click is valid for a stranger. Method: Chromium, two people at one window; a policy, a patient and
/// the genesis beforehand, while nobody is registered.
#[tokio::test(flavor = "multi_thread")]
async fn who_did_what_is_found_and_exported() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(&folder.path().join("data"), &[])?;
    let policy = folder.path().join("emergency");
    std::fs::write(&policy, EMERGENCY)?;
    let genesis = folder.path().join("chain.fwgenesis");
    let ask = |arguments: &[&str]| {
        let all = arguments.iter().copied();
        cli::fogward_json(all.chain(["--api", &node.address, "--json"]))
    };
    ask(&["policy", "put", "emergency", &policy.display().to_string()])?;
    ask(&["genesis", "--output", &genesis.display().to_string()])?;
    ask(&["patient", "add", "Ana Brook", "--number", "P-4417"])?;
    let shown = ask(&["patient", "show", "P-4417"])?;
    let patient = shown["patient"]["id"].as_str().context("a patient")?;
    let handles = shown["handles"].as_array().context("handles")?;
    let hers = handles.iter().find(|one| one["purpose"] == "treatment");
    let hers = hers.and_then(|one| one["handle"].as_str());
    let hers = hers.context("a handle for treatment")?;

    let browser = Browser::start(folder.path()).await?;
    browser.page.open(&node.address).await?;
    let looked = look(&browser, patient, hers).await;
    let failure = cli::picture("audit-failure")?;
    browser.page.explain(looked, &failure).await?;
    let file = folder.path().join("audit.fwaudit");
    is_valid(&file, &genesis)?;
    drop(browser);
    node.stop()
}

fn is_valid(file: &Path, genesis: &Path) -> Result<()> {
    let verdict = cli::fogward_json([
        "verify".as_ref(),
        file.as_os_str(),
        "--genesis".as_ref(),
        genesis.as_os_str(),
        "--json".as_ref(),
    ])?;
    ensure!(verdict["valid"] == Value::Bool(true), "{verdict}");
    let entries = verdict["entries"].as_array().context("entries")?;
    ensure!(
        entries.len() == 1 && entries[0]["state"] == "denied",
        "{verdict}"
    );
    Ok(())
}

async fn row(page: &Page, outcome: &str) -> Result<()> {
    let row = format!("[data-testid='audit-row'][data-outcome='{outcome}']");
    page.find_css(&row).await.map(drop)
}

async fn look(browser: &Browser, patient: &str, subject: &str) -> Result<()> {
    let page = &browser.page;
    page.click("nav-audit").await?;
    heading(page, "page-heading", "Nobody can look yet").await?;
    two_people(page, ("anna", None), ("nina", "nurse")).await?;
    page.script("location.hash = '#/audit'").await?;
    page.find("not-for-you").await?;

    page.click("nav-requests").await?;
    page.type_into("ask-subject", subject).await?;
    page.find_css("[data-testid='ask-metric'][data-key='8867-4']")
        .await?
        .click()
        .await?;
    page.click("ask-send").await?;
    page.find_css("[data-testid='request-row'][data-standing='Denied']")
        .await?;
    page.click("ask-emergency").await?;
    page.type_into("ask-reason", "Found unconscious").await?;
    page.click("ask-send").await?;
    page.find_css("[data-testid='request-row'][data-standing='Granted']")
        .await?;

    // Who looks after her sees both, and nothing before she asks for it.
    page.script(&format!("location.hash = '#/patients/{patient}'"))
        .await?;
    page.click("patient-looked").await?;
    row(page, "Denied").await?;
    row(page, "Break-glass").await?;
    browser.look("patient-looked", &SIZES, PAGE_FITS).await?;

    somebody_else(page, "anna").await?;
    page.click("nav-audit").await?;
    let all = "1 denial and 1 broken glass in these 7 entries";
    heading(page, "page-heading", all).await?;
    browser.look("audit", &SIZES, PAGE_FITS).await?;
    page.type_into("audit-patient", "P-4417").await?;
    page.choose("audit-outcome", "denied").await?;
    page.click("audit-look").await?;
    heading(page, "page-heading", "1 denial in this entry").await?;
    let words = "return document.querySelector('[data-testid=audit-row]').textContent";
    let words = page.script(words).await?;
    let words = words.as_str().unwrap_or_default();
    ensure!(
        words.contains("asked for Heart rate from") && words.contains("no policy permits it"),
        "{words}"
    );
    page.click("audit-export").await?;
    page.until("the export", || async {
        let said = page.text("audit-saved").await?;
        Ok(said.starts_with("Saved as").then_some(()))
    })
    .await?;
    browser.look("audit-exported", &SIZES, PAGE_FITS).await?;
    page.type_into("audit-patient", "nobody").await?;
    page.click("audit-look").await?;
    page.find_css("[data-code='API-04']").await?;
    Ok(())
}
