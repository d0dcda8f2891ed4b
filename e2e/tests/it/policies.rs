//! Who may see what, decided at the console: a template becomes a policy in force, and goes again.

use anyhow::{Result, ensure};
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli::{self, Node};
use e2e::page::Page;

use crate::people::{App, heading, register, sign_in, somebody_else};

const ENTER: &str = "\u{e007}";
const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 800)];
const FIRST_FAULT: &str = "Relation::\"treat1ng\"";

/// Goal: an administrator begins with a template, reads what it means, tries what it changes, puts it in force, sees a fault at its words, and takes it out of force, whence its history is still told; a nurse reads and tries, and is told why no more.
/// Method: Chromium on a node with two people, by clicks and keys.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_is_written_tried_put_and_retracted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let node = Node::start(&folder.path().join("data"), &[])?;
    let browser = Browser::start(folder.path()).await?;
    browser.page.open(&node.address).await?;
    let done = journey(&browser).await;
    let failure = cli::picture("policies-failure")?;
    browser.page.explain(done, &failure).await?;
    drop(browser);
    node.stop()
}

async fn journey(browser: &Browser) -> Result<()> {
    let page = &browser.page;
    let mut anna = register(page, "anna", None).await?;
    page.click("enrolment-done").await?;
    sign_in(page, "anna", &mut anna).await?;
    page.click("nav-policies").await?;
    heading(page, "page-heading", "Nobody may see anything yet").await?;
    page.find("policy-none").await?;
    browser.look("policies-none", &SIZES, PAGE_FITS).await?;

    write(browser).await?;
    put(browser, &mut anna).await?;
    faults(browser).await?;
    nurse(browser, &mut anna).await
}

/// Clicks the element with this test id and key, wherever on the page it is.
async fn click_keyed(page: &Page, id: &str, key: &str) -> Result<()> {
    let selector = format!("[data-testid='{id}'][data-key='{key}']");
    let element = page.find_css(&selector).await?;
    let show =
        format!("document.querySelector(\"{selector}\").scrollIntoView({{ block: 'center' }})");
    page.script(&show).await?;
    Ok(element.click().await?)
}

async fn says(page: &Page, id: &str, expected: &str) -> Result<()> {
    page.until(&format!("`{id}` says `{expected}`"), || async {
        let said = page.text(id).await.unwrap_or_default();
        Ok(said.contains(expected).then_some(()))
    })
    .await
}

/// The lines of the simulation, once there are `expected`.
async fn lines(page: &Page, expected: usize) -> Result<Vec<String>> {
    let script = "return [...document.querySelectorAll('[data-testid=simulate-row]')].map(row => row.innerText)";
    page.until(&format!("{expected} lines of the simulation"), || async {
        let found = page.script(script).await?;
        let found: Vec<String> = serde_json::from_value(found)?;
        Ok((found.len() == expected).then_some(found))
    })
    .await
}

/// From the template to a policy that is tried and changed by its fields.
async fn write(browser: &Browser) -> Result<()> {
    let page = &browser.page;
    click_keyed(page, "policy-template", "care-team").await?;
    says(
        page,
        "policy-said",
        "Physicians and nurses who treat the patient may see everything, for treatment.",
    )
    .await?;
    // Not in force yet, and tried already.
    let seen = lines(page, 2).await?;
    ensure!(
        seen[0].contains("Physicians and nurses who treat the patient")
            && seen[0].contains("care-team"),
        "{seen:?}"
    );
    ensure!(seen[1].contains("Denied"), "{seen:?}");

    // The fields write the text, and the text is read back by the node.
    click_keyed(page, "policy-role", "physician").await?;
    page.click("policy-what").await?;
    for metric in ["59408-5", "8867-4"] {
        click_keyed(page, "policy-metric", metric).await?;
    }
    page.type_into("policy-days", "3\t").await?;
    page.choose("policy-from", "7").await?;
    page.choose("policy-to", "19").await?;
    says(
        page,
        "policy-said",
        "Nurses who treat the patient may see SpO₂ and heart rate, of the last 3 days, for treatment, from 7:00 to 19:00 UTC.",
    )
    .await?;
    // At eight in the evening nobody sees it, at noon they do.
    page.choose("simulate-hour", "20").await?;
    lines(page, 1).await?;
    page.choose("simulate-hour", "12").await?;
    lines(page, 2).await?;
    click_keyed(page, "simulate-side", "changes").await?;
    let changes = lines(page, 1).await?;
    ensure!(
        changes[0].contains("Newly seen") && changes[0].contains("SpO₂ and heart rate"),
        "{changes:?}"
    );
    browser.look("policies-new", &SIZES, PAGE_FITS).await?;
    click_keyed(page, "simulate-side", "what").await?;
    let seen = lines(page, 2).await?;
    ensure!(seen[1].starts_with("Everything else"), "{seen:?}");
    page.choose("simulate-role", "researcher").await?;
    let seen = lines(page, 1).await?;
    ensure!(seen[0].starts_with("Everything"), "{seen:?}");
    click_keyed(page, "simulate-side", "who").await
}

async fn put(browser: &Browser, anna: &mut App) -> Result<()> {
    let page = &browser.page;
    page.click("policy-put").await?;
    page.click("policy-put-confirm").await?;
    decided(page, anna, "One policy decides who sees what").await?;
    let row = "[data-testid='policy-row'][data-name='care-team'][aria-current='true']";
    page.find_css(row).await?;
    says(page, "policy-why-not", "Nothing is changed yet.").await?;
    says(page, "policy-version", "Put in force").await?;
    lines(page, 2).await?;
    browser.look("policies", &SIZES, PAGE_FITS).await
}

/// A fault stands at its words, is reached by keyboard, and keeps the text from being put.
async fn faults(browser: &Browser) -> Result<()> {
    let page = &browser.page;
    click_keyed(page, "policy-side", "cedar").await?;
    page.find("policy-text").await?;
    let misspell = "const text = document.querySelector('[data-testid=policy-text]'); \
        text.setSelectionRange(text.value.indexOf('treating') + 5, text.value.indexOf('treating') + 6); text.focus()";
    page.script(misspell).await?;
    page.press("1").await?;
    says(page, "policy-fault", "Line 3, column 32").await?;
    let marks = "return [...document.querySelectorAll('[data-testid=policy-marks] mark')].map(mark => mark.textContent)";
    let marks = page.script(marks).await?;
    ensure!(
        marks
            .as_array()
            .is_some_and(|marks| marks[0] == FIRST_FAULT),
        "{marks}"
    );
    let put = page.find("policy-put").await?;
    ensure!(!put.is_enabled().await?, "nothing is put with faults");
    says(
        page,
        "policy-why-not",
        "1 fault; it cannot be put in force.",
    )
    .await?;
    browser.look("policies-fault", &SIZES, PAGE_FITS).await?;
    page.script("document.querySelector('[data-testid=policy-fault]').focus()")
        .await?;
    page.press(ENTER).await?;
    let selected = "const text = document.activeElement; return text.value.slice(text.selectionStart, text.selectionEnd)";
    let selected = page.script(selected).await?;
    ensure!(selected == FIRST_FAULT, "{selected}");

    // Something else is not opened over what is written unless that is meant.
    page.click("policy-new").await?;
    page.click("policy-stay").await?;
    page.find("policy-fault").await?;
    page.click("policy-undo").await?;
    says(page, "policy-said", "Nurses who treat the patient").await
}

/// Who may not vote reads, tries, and is told why there is no more; then the policy goes.
async fn nurse(browser: &Browser, anna: &mut App) -> Result<()> {
    let page = &browser.page;
    let mut nina = register(page, "nina", Some("nurse")).await?;
    page.click("enrolment-done").await?;
    page.click("who").await?;
    page.click("lock").await?;
    page.click("door-somebody-else").await?;
    sign_in(page, "nina", &mut nina).await?;
    page.click("nav-policies").await?;
    says(page, "policy-may-not", "You are signed in as: Nurse.").await?;
    let retract = page.find("policy-retract").await?;
    ensure!(!retract.is_displayed().await?, "a nurse retracts nothing");
    click_keyed(page, "policy-role", "nurse").await?;
    says(page, "policy-said", "All people who treat the patient").await?;
    let put = page.find("policy-put").await?;
    ensure!(!put.is_enabled().await?, "a nurse puts nothing");
    browser.look("policies-nurse", &SIZES, PAGE_FITS).await?;

    somebody_else(page, "anna").await?;
    page.click("nav-policies").await?;
    page.click("policy-retract").await?;
    page.click("policy-keep").await?;
    page.click("policy-retract").await?;
    page.click("policy-retract-confirm").await?;
    decided(page, anna, "Nobody may see anything yet").await?;
    retracted(browser).await
}

/// What is not in force any more has its history, and cannot be changed.
async fn retracted(browser: &Browser) -> Result<()> {
    let page = &browser.page;
    page.find("policy-none").await?;
    let row = "[data-testid='policy-retracted'][data-name='care-team']";
    page.find_css(row).await?.click().await?;
    says(page, "policy-open", "care-team").await?;
    says(page, "policy-gone", "permits and forbids nothing any more").await?;
    says(page, "policy-version", "Put out of force").await?;
    let versions = "return document.querySelectorAll('[data-testid=policy-version]').length";
    ensure!(page.script(versions).await? == 2, "put, and retracted");
    let acts = "return document.querySelectorAll('[data-testid=policy-put], [data-testid=policy-text]').length";
    ensure!(page.script(acts).await? == 0, "nothing is written over it");
    page.find_css(&format!("{row}[aria-current='true']"))
        .await?;
    browser
        .look("policies-retracted", &SIZES, PAGE_FITS)
        .await?;

    // A new one is begun as before.
    page.script("scrollTo(0, 0)").await?;
    page.click("policy-new").await?;
    page.find("policy-template").await?;
    Ok(())
}

/// Waits for a heading; shows a code of the app if the node asks for one, which it does unless one was shown lately.
async fn decided(page: &Page, app: &mut App, expected: &str) -> Result<()> {
    let is_asked =
        "return document.querySelector('dialog[open] [data-testid=step-up-code]') !== null";
    let what = format!("`{expected}`, or a question for a code");
    let asked = page.until(&what, || async {
        if page.script(is_asked).await? == true {
            return Ok(Some(true));
        }
        let said = page.text("page-heading").await.unwrap_or_default();
        Ok((said == expected).then_some(false))
    });
    if asked.await? {
        let code = app.code().await?;
        page.type_into("step-up-code", &format!("{code}{ENTER}"))
            .await?;
    }
    heading(page, "page-heading", expected).await
}
