//! The hospital scenario, whole: from a sensor that is paired at one hospital to the day on which its patient is
//! forgotten, with a physician of another hospital who sees what she was granted, and nothing more.
//!
//! ```text
//! Hospital of node-1                                         Hospital of node-2
//! the desktop window: anna (admin, physician), nina (nurse)  Chromium: carl (admin), petra (physician)
//! node-1 in that window, and node-3                          node-2
//!      └───────────────── one ledger of three validators ─────────────────┘
//! ```

use anyhow::{Context, Result, ensure};
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli;
use e2e::desktop::Desktop;
use e2e::page::Page;
use e2e::town::{self, Place};
use std::path::Path;

use crate::desktop;
use crate::feed::Oximeter;
use crate::journey::{fragment, pair};
use crate::people::{App, heading, sign_in, somebody_else, two_people};
use crate::requests::{open_row, row, shown, tick};

const SPO2: &str = "59408-5";
const PULSE: &str = "8889-8";
const RETURN: &str = "\u{e007}";
const SIZES: [(u32, u32); 2] = [(390, 844), (1280, 800)];
/// What the first hospital agrees to: physicians see the saturation once somebody of its own agrees; whoever breaks
/// the glass sees everything.
const POLICIES: [(&str, &str); 2] = [
    (
        "physicians",
        "@approval(\"needed\") permit(principal in Role::\"physician\", action, resource) \
         when { resource.metric == \"59408-5\" };",
    ),
    (
        "emergency",
        "permit(principal, action, resource) when { context.emergency };",
    ),
];

/// Goal: pair, assign, live, request, partial grant, read at the other hospital, audit, revoke, denied, break-glass,
/// review, erase, each as people do it in their consoles. Method: three real nodes of two organisations; the window
/// and Chromium, each with two people; a serial oximeter at the far end of a pty, whose values the test chooses.
#[tokio::test(flavor = "multi_thread")]
async fn a_hospital_shares_revokes_and_forgets() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let downloads = folder.path().join("downloads");
    let places = [1, 2, 3].map(|number| Place::on_loopback(folder.path(), number));
    let mut running = town::found(&places[..2], &[])?;
    town::add_node(&mut running, &places[2], &[])?;
    let (here, node) = running.remove(0);
    for (name, text) in POLICIES {
        let file = folder.path().join(name);
        std::fs::write(&file, text)?;
        let file = file.display().to_string();
        here.fogward(&["policy", "put", name, &file, "--api", &node.address])?;
    }
    // From now on this node lives in the window.
    node.stop()?;
    let oximeter = Oximeter::nonin(97, 64)?;
    let window = Desktop::start(&here.data, &downloads, &[]).await?;
    let browser = Browser::start(folder.path()).await?;
    let (_, clinic) = running.first().context("the clinic's node runs")?;
    browser.page.open(&clinic.address).await?;

    let stage = Stage {
        window: &window,
        browser: &browser,
        downloads: &downloads,
    };
    let played = stage.play(&oximeter).await;
    let afar = cli::picture("hospital-failure-clinic")?;
    let played = browser.page.explain(played, &afar).await;
    let failure = cli::picture("hospital-failure-window")?;
    window.page.explain(played, &failure).await?;

    desktop::stop(&window).await?;
    drop((window, browser));
    town::stop(running)?;
    here.fsck().map(drop)
}

/// The two consoles.
struct Stage<'a> {
    window: &'a Desktop,
    browser: &'a Browser,
    downloads: &'a Path,
}

impl Stage<'_> {
    async fn play(&self, oximeter: &Oximeter) -> Result<()> {
        let (here, there) = (&self.window.page, &self.browser.page);
        let [mut anna, _] =
            two_people(here, ("anna", Some("physician")), ("nina", "nurse")).await?;
        let [_, mut petra] = two_people(there, ("carl", None), ("petra", "physician")).await?;
        let subject = self.admit(oximeter).await?;
        self.ask(&subject).await?;
        self.grant().await?;
        self.read().await?;
        self.audit().await?;
        self.revoke(&subject).await?;
        self.break_glass(&subject, &mut petra).await?;
        self.review().await?;
        self.erase(&mut anna).await
    }

    /// Nina pairs the sensor and gives it to a patient, whose values she sees; the patient's handle for treatment.
    async fn admit(&self, oximeter: &Oximeter) -> Result<String> {
        let page = &self.window.page;
        pair(page, oximeter).await?;
        let device = fragment(page).await?;
        let device = device.trim_start_matches("#/devices/").to_owned();
        let path = format!("/api/devices/{device}");
        page.until("the device on the ledger", || async {
            let device = desktop::ask(self.window, &path).await?;
            Ok(device["registered_height"].as_u64())
        })
        .await?;
        page.click("nav-patients").await?;
        page.type_into("patient-name", "Ana Brook").await?;
        page.type_into("patient-number", &format!("P-4417{RETURN}"))
            .await?;
        heading(page, "page-heading", "Ana Brook").await?;
        page.choose("patient-device", &device).await?;
        page.click("patient-assign").await?;
        page.until_attribute("patient-wears", "data-device", &device)
            .await?;
        // Live: what the sensor measures from now on is what stands beside her name.
        oximeter.set_spo2(91);
        let live = "return document.querySelector(\"[data-testid=patient-wears]\")?.textContent.includes('91')";
        page.until("the new value beside her name", || async {
            Ok((page.script(live).await? == true).then_some(()))
        })
        .await?;
        page.picture(&cli::picture("hospital-1-live")?).await?;
        let handle = "return document.querySelector(\"[data-testid=patient-handle][data-purpose=treatment] bdi\")?.title";
        let handle = page.script(handle).await?;
        Ok(handle.as_str().context("her handle is shown")?.to_owned())
    }

    /// Petra asks for two metrics of the patient, of whom she knows the handle.
    async fn ask(&self, subject: &str) -> Result<()> {
        let page = &self.browser.page;
        page.click("nav-requests").await?;
        fill_in(page, subject, &[SPO2, PULSE]).await?;
        self.browser
            .look("hospital-2-asking", &SIZES, PAGE_FITS)
            .await?;
        page.click("ask-send").await?;
        row(page, "Waiting").await
    }

    /// Anna grants it; the policy cuts it to one of the two.
    async fn grant(&self) -> Result<()> {
        let page = &self.window.page;
        somebody_else(page, "anna").await?;
        page.click("nav-requests").await?;
        heading(page, "page-heading", "One request waits for you").await?;
        open_row(page, "Waits for you").await?;
        page.picture(&cli::picture("hospital-3-granting")?).await?;
        shown(page, "request-approve").await?;
        row(page, "Granted").await
    }

    /// Petra reads it in her own console, from another hospital's node, each reading proven on her node's replica.
    async fn read(&self) -> Result<()> {
        let page = &self.browser.page;
        row(page, "Granted").await?;
        let words = read(page).await?;
        for told in ["SpO₂", "Each was anchored by the node it is from"] {
            ensure!(words.contains(told), "{told}: {words}");
        }
        ensure!(!words.contains("Pulse"), "it was cut off: {words}");
        self.browser
            .look("hospital-4-read", &SIZES, PAGE_FITS)
            .await?;
        let rows = texts(page, "request-row").await?;
        ensure!(rows.contains("Cut off, as not permitted: Pulse"), "{rows}");
        Ok(())
    }

    /// Anna finds who looked at the patient.
    async fn audit(&self) -> Result<()> {
        let page = &self.window.page;
        page.click("nav-audit").await?;
        page.type_into("audit-patient", "P-4417").await?;
        page.click("audit-look").await?;
        for outcome in ["Granted", "Served"] {
            let found = format!("[data-testid='audit-row'][data-outcome='{outcome}']");
            page.find_css(&found).await?;
        }
        page.picture(&cli::picture("hospital-5-audit")?).await
    }

    /// Anna ends the grant; Petra gets nothing under it any more, and of the pulse nothing at all.
    async fn revoke(&self, subject: &str) -> Result<()> {
        let (here, there) = (&self.window.page, &self.browser.page);
        here.click("nav-requests").await?;
        open_row(here, "Granted").await?;
        shown(here, "request-end").await?;
        row(here, "Ended").await?;
        row(there, "Ended").await?;
        ensure!(read_again(there, "Ended").await? == "ACC-06");
        // What no policy permits is denied at once, and that stays on record.
        fill_in(there, subject, &[PULSE]).await?;
        there.click("ask-send").await?;
        row(there, "Denied").await?;
        self.browser
            .look("hospital-6-denied", &SIZES, PAGE_FITS)
            .await
    }

    /// Petra, who has just shown a code of her app, breaks the glass, and sees both metrics.
    async fn break_glass(&self, subject: &str, petra: &mut App) -> Result<()> {
        let page = &self.browser.page;
        page.click("who").await?;
        page.click("sign-out").await?;
        page.click("door-somebody-else").await?;
        sign_in(page, "petra", petra).await?;
        page.click("nav-requests").await?;
        fill_in(page, subject, &[SPO2, PULSE]).await?;
        tick(page, "ask-emergency", None).await?;
        page.type_into("ask-reason", "Brought in unconscious")
            .await?;
        page.click("ask-send").await?;
        let granted = "[data-testid='request-row'][data-standing='Granted']";
        with_code(page, petra, granted).await?;
        let words = read(page).await?;
        ensure!(
            words.contains("SpO₂") && words.contains("Pulse"),
            "the whole of what was asked: {words}"
        );
        self.browser
            .look("hospital-7-broken-glass", &SIZES, PAGE_FITS)
            .await
    }

    /// Anna is told, and says that there was reason.
    async fn review(&self) -> Result<()> {
        let page = &self.window.page;
        heading(page, "page-heading", "One request waits for you").await?;
        open_row(page, "Break-glass").await?;
        page.picture(&cli::picture("hospital-8-review")?).await?;
        shown(page, "request-justified").await?;
        heading(page, "page-heading", "No request waits for you").await
    }

    /// Anna erases the patient; a stranger checks the certificate, and Petra's last grant is over.
    async fn erase(&self, anna: &mut App) -> Result<()> {
        let page = &self.window.page;
        page.click("nav-patients").await?;
        page.find_css("[data-testid=patient-row] a")
            .await?
            .click()
            .await?;
        heading(page, "page-heading", "Ana Brook").await?;
        page.click("patient-erase").await?;
        page.type_into("patient-erase-name", &format!("Ana Brook{RETURN}"))
            .await?;
        with_code(page, anna, "[data-testid='patient-erased']").await?;
        page.picture(&cli::picture("hospital-9-erased")?).await?;
        page.click("patient-certificate").await?;
        let file = self.downloads.join("certificate-of-erasure.json");
        page.until("the certificate", || async {
            let is_whole = std::fs::read(&file).is_ok_and(|bytes| bytes.ends_with(b"}"));
            Ok(is_whole.then_some(()))
        })
        .await?;
        let file = file.display().to_string();
        let verdict = cli::fogward_json(["verify", &file, "--erasure", "--json"])?;
        ensure!(verdict["valid"] == true, "{verdict}");

        let there = &self.browser.page;
        there
            .until("the end of the last grant", || async {
                let granted = "return !document.querySelector(\"[data-testid='request-row'][data-standing='Granted']\")";
                Ok((there.script(granted).await? == true).then_some(()))
            })
            .await?;
        ensure!(read_again(there, "Ended").await? == "ACC-06");
        there.picture(&cli::picture("hospital-10-over")?).await
    }
}

/// Fills in what Petra asks for: metrics of the last hour, held by the other hospital.
async fn fill_in(page: &Page, subject: &str, metrics: &[&str]) -> Result<()> {
    page.type_into("ask-subject", subject).await?;
    let other = "[data-testid='ask-holder'] option:not([value=''])";
    let other = page.find_css(other).await?.attr("value").await?;
    page.choose("ask-holder", &other.context("the other hospital")?)
        .await?;
    // What was asked for before is ticked still.
    page.script(
        "document.querySelectorAll('[data-testid=ask-metric]:checked').forEach(box => box.click())",
    )
    .await?;
    for code in metrics {
        tick(page, "ask-metric", Some(code)).await?;
    }
    page.choose("ask-period", "1").await
}

/// Reads what is granted; what is shown of it, in words.
async fn read(page: &Page) -> Result<String> {
    open_row(page, "Granted").await?;
    shown(page, "request-read").await?;
    let some = "[data-testid='request-shown']:not([data-readings='0'])";
    page.find_css(some).await?;
    page.script("document.querySelector('[data-testid=request-shown]').scrollIntoView()")
        .await?;
    texts(page, "request-shown").await
}

/// Reads under the first request that stands so without its button, as somebody would who still has the page of
/// before: the code of the refusal.
async fn read_again(page: &Page, standing: &str) -> Result<String> {
    let script = format!(
        "const row = document.querySelector(\"[data-testid='request-row'][data-standing='{standing}']\"); \
         return fetch(`/api/access/${{row.dataset.handle}}/read`, {{method: 'POST', body: '{{}}', headers: \
         {{'Content-Type': 'application/json', Authorization: `Bearer ${{sessionStorage.getItem('fogward.token')}}`}}}}) \
         .then(answer => answer.json()).then(answer => answer.code)"
    );
    let code = page.script(&script).await?;
    Ok(code.as_str().context("a code of a refusal")?.to_owned())
}

/// The text of all elements with this test id.
async fn texts(page: &Page, id: &str) -> Result<String> {
    let script = format!(
        "return [...document.querySelectorAll(\"[data-testid='{id}']\")].map(one => one.textContent).join()"
    );
    let words = page.script(&script).await?;
    Ok(words.as_str().unwrap_or_default().to_owned())
}

/// Waits for what was asked for, and shows a code of the app first if the last one is too old for it.
async fn with_code(page: &Page, app: &mut App, done: &str) -> Result<()> {
    let glance = format!(
        "return document.querySelector(\"{done}\") ? 'done' : \
         document.querySelector(\"dialog[open] [data-testid='step-up-code']\") ? 'code' : ''"
    );
    let seen = page
        .until("what needs a fresh code", || async {
            let seen = page.script(&glance).await?;
            Ok(seen
                .as_str()
                .filter(|seen| !seen.is_empty())
                .map(str::to_owned))
        })
        .await?;
    if seen == "code" {
        let code = app.code().await?;
        page.type_into("step-up-code", &format!("{code}{RETURN}"))
            .await?;
    }
    page.find_css(done).await.map(drop)
}
