//! A patient who signs in, and the nurse who lets her: the account, the consents, her own record.

use anyhow::{Context as _, Result, ensure};
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli::{self, Node};
use e2e::page::Page;
use serde_json::Value;

use crate::people::{heading, register, sign_in};

/// Sizes of a phone and of a desk.
const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 800)];

/// Goal: a nurse links an account with a patient and writes down a consent of hers; the patient signs in at the same
/// window, begins at her own record, sees both consents, signs one herself and withdraws it, sees who looked at her, and
/// no page of another. Method: Chromium on a simulated ward; the patient is written down on the command line before.
#[tokio::test(flavor = "multi_thread")]
async fn a_patient_sees_and_says_what_is_hers() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let node = Node::start(&data, &["--demo=2"])?;
    let patient = worn(&node).await?;
    let browser = Browser::start(folder.path()).await?;
    browser.page.open(&node.address).await?;
    let seen = journey(&browser, &patient).await;
    let failure = cli::picture("oneself-failure")?;
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

/// Somebody who wears the first device; her id.
pub(crate) async fn worn(node: &Node) -> Result<String> {
    let added = ask(node, &["patient", "add", "Ana Brook", "--number", "P-4417"])?;
    let patient = added["id"].as_str().context("an id")?.to_owned();
    let devices = ask(node, &["device", "list"])?;
    let device = devices[0]["id"].as_str().context("a device")?;
    while ask(node, &["device", "show", device])?["registered_height"].is_null() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    ask(node, &["patient", "assign", &patient, device])?;
    Ok(patient)
}

/// Somebody else signs in at the window, beside who was there.
async fn next(page: &Page, leave: &str) -> Result<()> {
    page.click("who").await?;
    page.click(leave).await?;
    page.click("door-somebody-else").await
}

async fn journey(browser: &Browser, patient: &str) -> Result<()> {
    let page = &browser.page;
    let mut anna = register(page, "anna", None).await?;
    page.click("enrolment-done").await?;
    sign_in(page, "anna", &mut anna).await?;
    let mut nina = register(page, "nina", Some("nurse")).await?;
    page.click("enrolment-done").await?;
    let mut zoe = register(page, "zoe", Some("patient")).await?;
    page.click("enrolment-done").await?;
    next(page, "lock").await?;
    sign_in(page, "nina", &mut nina).await?;
    let menu = "return document.querySelectorAll(\"[data-testid='nav-me']\").length";
    ensure!(page.script(menu).await? == 0, "staff have no record here");
    page.script(&format!("location.hash = '#/patients/{patient}'"))
        .await?;
    heading(page, "page-heading", "Ana Brook").await?;
    page.type_into("patient-login", "zoe").await?;
    page.click("patient-link").await?;
    page.until_attribute("patient-account", "data-login", "zoe")
        .await?;
    page.click("consent-new").await?;
    let give = page.find("consent-give").await?;
    ensure!(!give.is_enabled().await?, "nobody was there yet");
    page.type_into("consent-words", "You may tell how many hearts race.")
        .await?;
    page.type_into("consent-witness", "Paul Featherstone")
        .await?;
    browser.look("consent-new", &SIZES, PAGE_FITS).await?;
    page.click("consent-give").await?;
    page.find_css("[data-testid=consent-row][data-signed=witness][data-standing='In force']")
        .await?;
    browser.look("patient-linked", &SIZES, PAGE_FITS).await?;

    // She begins at her own record, and has no other page of people.
    next(page, "sign-out").await?;
    sign_in(page, "zoe", &mut zoe).await?;
    page.script("location.hash = ''").await?;
    heading(page, "page-heading", "Ana Brook").await?;
    let place = page.script("return location.hash").await?;
    ensure!(place == "#/me", "she is at {place}");
    let patients = page.find("nav-patients").await?;
    ensure!(
        !patients.is_displayed().await?,
        "the menu shows what is hers"
    );
    page.until("her record", || async {
        let points = page.attribute("patient-record", "data-points").await?;
        Ok(points.filter(|points| points != "0"))
    })
    .await?;
    page.find_css("[data-testid=consent-row][data-signed=witness]")
        .await?;
    let actions = "return document.querySelectorAll(\"[data-testid='patient-erase'], \
        [data-testid='patient-change'], [data-testid='patient-unlink']\").length";
    ensure!(
        page.script(actions).await? == 0,
        "what staff do is not hers"
    );

    page.click("consent-new").await?;
    page.type_into("consent-words", "Researchers may count me in.")
        .await?;
    browser.look("consent-own", &SIZES, PAGE_FITS).await?;
    page.click("consent-give").await?;
    let own = "[data-testid=consent-row][data-signed=valid]";
    page.find_css(&format!("{own}[data-standing='In force']"))
        .await?;
    page.click("patient-looked").await?;
    page.find_css("[data-testid=audit-row]").await?;
    browser.look("my-record", &SIZES, PAGE_FITS).await?;
    page.find_css(&format!("{own} [data-testid=consent-withdraw]"))
        .await?
        .click()
        .await?;
    page.find_css("dialog[open] [data-testid=consent-withdraw-confirm]")
        .await?
        .click()
        .await?;
    page.find_css(&format!("{own}[data-standing=Withdrawn]"))
        .await?;

    // An address of another place is not open to her, were it her own patient's.
    page.script(&format!("location.hash = '#/patients/{patient}'"))
        .await?;
    page.find("not-for-you").await.map(drop)
}
