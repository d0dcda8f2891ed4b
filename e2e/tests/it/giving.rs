//! A physician gives a nurse a part of a record that she has not asked for, at the window that both share.

use anyhow::{Result, ensure};
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli::{self, Node};
use e2e::page::Page;

use crate::oneself::worn;
use crate::people::{somebody_else, two_people};
use crate::requests::{open_row, row, shown, tick};

const SIZES: [(u32, u32); 3] = [(390, 844), (1280, 720), (1920, 1080)];
/// Nurses see the saturation once somebody agrees.
const POLICY: &str = "@approval(\"needed\") permit(principal in Role::\"nurse\", action, resource) \
     when { resource.metric == \"59408-5\" };";

/// Goal: who decides gives a part of a record, by the patient's number, to somebody who has not asked; what cannot be
/// given is told at the form; it stands in the lists of both, with its time, is read, and is ended there. Who does not
/// decide is told why there is no form. Method: Chromium, two people at one window, somebody who wears a simulated
/// sensor, and a policy put beforehand.
#[tokio::test(flavor = "multi_thread")]
async fn access_is_given_read_and_ended() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(&folder.path().join("data"), &["--demo=1"])?;
    worn(&node).await?;
    let file = folder.path().join("on-request");
    std::fs::write(&file, POLICY)?;
    let file = file.display().to_string();
    let put = [
        "policy",
        "put",
        "on-request",
        &file,
        "--api",
        &node.address,
        "--json",
    ];
    cli::fogward_json(put)?;
    let browser = Browser::start(folder.path()).await?;
    browser.page.open(&node.address).await?;
    let given = give(&browser).await;
    let failure = cli::picture("giving-failure")?;
    browser.page.explain(given, &failure).await?;
    drop(browser);
    node.stop()
}

async fn give(browser: &Browser) -> Result<()> {
    let page = &browser.page;
    two_people(page, ("paul", Some("physician")), ("nina", "nurse")).await?;
    page.click("nav-requests").await?;
    let why = page.text("give-may-not").await?;
    ensure!(why.contains("signed in as: Nurse"), "{why}");
    let forms = "return document.querySelectorAll('[data-testid=give-send]').length";
    ensure!(page.script(forms).await? == 0, "she decides about nothing");
    into_view(page).await?;
    browser.look("giving-may-not", &SIZES, PAGE_FITS).await?;

    somebody_else(page, "paul").await?;
    page.click("nav-requests").await?;
    let send = page.find("give-send").await?;
    ensure!(!send.is_enabled().await?, "nobody is named yet");
    page.type_into("give-person", "nobody").await?;
    page.type_into("give-subject", "P-4417").await?;
    tick(page, "give-metric", Some("8867-4")).await?;
    into_view(page).await?;
    browser.look("giving", &SIZES, PAGE_FITS).await?;
    page.click("give-send").await?;
    page.find_css("[data-code='ACC-01']").await?;
    for (width, height) in SIZES {
        browser.resize(width, height).await?;
        page.script("document.querySelector('[data-code=\"ACC-01\"]').scrollIntoView(false)")
            .await?;
        let file = cli::picture(&format!("giving-refused-{width}"))?;
        page.picture(&file).await?;
    }

    // No policy lets nurses see the heart rate, whoever gives it.
    page.find("give-person").await?.clear().await?;
    page.type_into("give-person", "nina").await?;
    page.click("give-send").await?;
    page.find_css("[data-code='ACC-03']").await?;
    tick(page, "give-metric", Some("59408-5")).await?;
    page.choose("give-lasts", "8").await?;
    page.click("give-send").await?;
    row(page, "Granted").await?;
    let send = page.find("give-send").await?;
    ensure!(!send.is_enabled().await?, "it is not given twice");
    let words = words(page).await?;
    for told in [
        "nina of ward 3",
        "may see SpO₂ until",
        "Cut off, as not permitted: Heart rate",
        "Agreed to by paul of ward 3",
        " h",
    ] {
        ensure!(words.contains(told), "{told}: {words}");
    }
    page.script("scrollTo(0, 0)").await?;
    browser.look("giving-given", &SIZES, PAGE_FITS).await?;

    // It is hers to read.
    somebody_else(page, "nina").await?;
    page.click("nav-requests").await?;
    open_row(page, "Granted").await?;
    shown(page, "request-read").await?;
    page.find_css("[data-testid='request-shown']:not([data-readings='0'])")
        .await?;

    somebody_else(page, "paul").await?;
    page.click("nav-requests").await?;
    open_row(page, "Granted").await?;
    shown(page, "request-end").await?;
    row(page, "Ended").await
}

/// Scrolls the card up to the top bar, and not below it.
async fn into_view(page: &Page) -> Result<()> {
    let card = "const card = document.getElementById('h-give'); card.scrollIntoView(); \
        const bar = document.querySelector('.topbar').getBoundingClientRect(); \
        return card.getBoundingClientRect().top >= bar.bottom";
    ensure!(page.script(card).await? == true, "the bar covers it");
    Ok(())
}

/// The row of what was given, with the time that is left.
async fn words(page: &Page) -> Result<String> {
    let row = "return document.querySelector('[data-testid=request-row]').textContent";
    let words = page.script(row).await?;
    Ok(words.as_str().unwrap_or_default().to_owned())
}
