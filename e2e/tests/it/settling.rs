//! Somebody who audits settles a receipt that another node has promised and never told.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use e2e::browser::{Browser, PAGE_FITS};
use e2e::cli::{self, Node};
use fog_node::keystore::Keystore;
use fog_node::vault::promises::{self, Finding, Promise};
use fog_node::vault::{self, VAULT_FILE};
use ledger_core::access::Receipt;
use ledger_core::{ChainId, Digest, Nonce, Payload, SignedTransaction, TransactionBody};

use crate::people::{somebody_else, two_people};

const SIZES: [(u32, u32); 3] = [(390, 844), (1280, 720), (1920, 1080)];
const WHY: &str = "Restored from a backup; they told us so by telephone.";

/// Goal: a finding is on the overview and in the audit until somebody who audits settles it; then its words say who did
/// and why, and nobody is named. Method: a vault in which the finding stands, as `fog-node/tests/it/witness.rs` has a
/// node earn it; Chromium.
#[tokio::test(flavor = "multi_thread")]
async fn a_finding_is_settled() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    Node::start(&data, &[])?.stop()?;
    find_silent(&data)?;
    let node = Node::start(&data, &[])?;
    let browser = Browser::start(folder.path()).await?;
    browser.page.open(&node.address).await?;
    let settled = settle(&browser).await;
    let failure = cli::picture("settling-failure")?;
    browser.page.explain(settled, &failure).await?;
    drop(browser);
    node.stop()
}

async fn settle(browser: &Browser) -> Result<()> {
    let page = &browser.page;
    two_people(page, ("carl", None), ("nina", "nurse")).await?;
    somebody_else(page, "carl").await?;
    page.find_css("[data-testid=notice][data-about=untold]")
        .await?;
    page.click("nav-audit").await?;
    page.until_attribute("audit-untold", "data-settled", "false")
        .await?;
    ensure!(
        !page.find("audit-settle").await?.is_enabled().await?,
        "nothing is said yet"
    );
    page.type_into("audit-reason", WHY).await?;
    browser.look("settling", &SIZES, PAGE_FITS).await?;
    page.click("audit-settle").await?;
    page.until_attribute("audit-untold", "data-settled", "true")
        .await?;
    let words = page.text("audit-untold").await?;
    ensure!(
        words.contains("settled it at") && words.ends_with(WHY),
        "{words}"
    );
    browser.look("settling-done", &SIZES, PAGE_FITS).await?;
    page.until("nobody to be named", || async {
        let named = "return document.querySelectorAll('[data-about=untold]').length";
        Ok((page.script(named).await? == 0).then_some(()))
    })
    .await
}

/// Has a stopped node know that something was given in its own name and is not told.
fn find_silent(data: &Path) -> Result<()> {
    let keys = Keystore::open_existing(data).context("the node's keys")?;
    let body = TransactionBody {
        chain: ChainId(Digest([9; 32])),
        nonce: Nonce(5_000),
        payload: Payload::Receipt(Receipt {
            access: Digest([1; 32]),
            readings: 40,
            disclosed: Digest([2; 32]),
        }),
    };
    let signed = SignedTransaction::sign(&body, &keys.node);
    let promise = Promise {
        access: Digest([1; 32]),
        read: Digest([3; 32]),
        transaction: signed.encode(),
        at_millis: 1_795_773_600_000,
        logged_from: 0,
        finding: Some(Finding::Silent),
    };
    let row = promise.seal(&keys.vault, signed.id())?;
    promises::keep(&vault::open(&data.join(VAULT_FILE))?, &row)?;
    Ok(())
}
