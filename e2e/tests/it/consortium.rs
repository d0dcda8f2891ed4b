//! Three hospitals on one ledger, as their admins see it in the console.

use anyhow::{Context, Result, ensure};
use e2e::browser::Browser;
use e2e::cli::{self, Node};
use e2e::page::Page;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Goal: an admin invites two hospitals and they vote a validator in, without a restart; one joins by the
/// command line, the other, which has a chain of its own, from its console; the plots show how it went, and
/// a backup is saved that opens. Method: three real nodes on loopback hosts of their own, their consoles
/// one after the other in Chromium; what the consoles show is compared with the command line.
#[tokio::test(flavor = "multi_thread")]
async fn hospitals_invite_vote_and_sign() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let places = [1, 2, 3].map(|number| Place::new(folder.path(), number));
    places[0].found()?;
    let harbour = places[0].start()?;
    let browser = Browser::start(folder.path()).await?;
    let journey = async {
        let nodes = journey(&browser, &harbour, &places).await?;
        visit(&browser.page, &harbour).await?;
        plots(&browser).await?;
        back_up(&browser.page, folder.path()).await?;
        Ok(nodes)
    };
    let journey = journey.await;
    let failure = cli::picture("consortium-failure")?;
    let (eastmoor, quayside) = browser.page.explain(journey, &failure).await?;
    drop(browser);
    for node in [harbour, eastmoor, quayside] {
        node.stop()?;
    }
    for place in &places {
        let fsck = cli::fogward(["fsck".as_ref(), "--data".as_ref(), place.data.as_os_str()])?;
        ensure!(fsck.status.success(), "{fsck:?}");
    }
    Ok(())
}

async fn journey(browser: &Browser, harbour: &Node, places: &[Place; 3]) -> Result<(Node, Node)> {
    let page = &browser.page;
    let [_, east, quay] = places;
    visit(page, harbour).await?;
    let invitation = invite(page).await?;
    east.join(&invitation, "Eastmoor Clinic", "eastmoor-1")?;
    let eastmoor = east.start()?;
    heard(page, "eastmoor-1").await?;
    page.picture(&cli::picture("consortium-two")?).await?;

    // Two voices: the third hospital is admitted by the second one's vote.
    let invitation = invite(page).await?;
    let quayside = quay.start()?;
    visit(page, &quayside).await?;
    join_here(page, &invitation, &quay.listen).await?;
    page.until("the joined node to wait for votes", || async {
        // The page loads anew when the node has started again; a look in between fails.
        let script = "return !!document.querySelector('[data-testid=consortium-waiting]')";
        let seen = page.script(script).await;
        Ok(seen.ok().filter(|seen| *seen == true).map(drop))
    })
    .await?;
    page.picture(&cli::picture("join-waiting")?).await?;
    visit(page, &eastmoor).await?;
    approve(page).await?;
    let own = quay.data.join("left");
    ensure!(own.read_dir()?.count() == 1, "its own chain went aside");
    visit(page, harbour).await?;
    heard(page, "quayside-1").await?;

    // A seat for the second hospital, proposed by the first and approved by the third.
    propose_validator(page, &key_of(harbour, "eastmoor-1")?).await?;
    page.find("proposal").await?;
    page.picture(&cli::picture("consortium-proposal")?).await?;
    visit(page, &quayside).await?;
    approve(page).await?;
    page.until("a seat in the third console", || async {
        let view = view(&quayside)?;
        Ok(row(&view, "eastmoor-1").filter(|row| row["validator"] == true))
    })
    .await?;
    for (width, height) in [(390, 844), (1440, 900), (2560, 1440)] {
        browser.resize(width, height).await?;
        for theme in ["light", "dark"] {
            page.script(&format!(
                "document.documentElement.dataset.theme = '{theme}'"
            ))
            .await?;
            page.script("scrollTo(0, 0)").await?;
            let file = cli::picture(&format!("consortium-{width}-{theme}"))?;
            page.picture(&file).await?;
        }
    }
    Ok((eastmoor, quayside))
}

/// Takes an invitation in the console of a node that has a chain of its own.
async fn join_here(page: &Page, invitation: &str, listen: &str) -> Result<()> {
    page.click("join-open").await?;
    page.type_into("join-text", "fogward-invitation-1:nonsense")
        .await?;
    page.click("join-read").await?;
    page.find_css(".note[data-code=GOV-09]").await?;
    page.find("join-text").await?.clear().await?;
    page.type_into("join-text", invitation).await?;
    page.click("join-read").await?;
    let says = page.text("join-says").await?;
    ensure!(
        says.contains("Harbour consortium") && says.contains("Harbour General"),
        "{says}"
    );
    let send = page.find("join-send").await?;
    ensure!(!send.is_enabled().await?, "nothing is agreed to yet");
    page.type_into("join-organisation", "Quayside Lab").await?;
    for (field, words) in [("join-node", "quayside-1"), ("join-listen", listen)] {
        page.find(field).await?.clear().await?;
        page.type_into(field, words).await?;
    }
    page.picture(&cli::picture("join-says")?).await?;
    page.click("join-leave").await?;
    page.click("join-send").await
}

/// The plots hold what the three nodes did: every panel has figures, and each node its line.
async fn plots(browser: &Browser) -> Result<()> {
    let page = &browser.page;
    page.find("consortium-plots").await?;
    page.script("document.querySelector('[data-testid=consortium-plots] .plots-toggle').click()")
        .await?;
    page.find("plots-table").await?;
    let columns = [
        "Time to finality: median, ms",
        "Blocks signed: harbour-1, %",
        "Transactions waiting",
        "Bytes waiting, kB",
        "Way to a peer: eastmoor-1, ms",
        "Way to a peer: quayside-1, ms",
    ];
    page.until("figures in every plot", || async {
        let script = "const table = document.querySelector('[data-testid=plots-table]'); \
            const heads = [...table.querySelectorAll('thead th')].map(head => head.innerText); \
            const rows = [...table.querySelectorAll('tbody tr')]; \
            return heads.filter((_, at) => rows.some(row => /^[0-9]/.test(row.children[at].innerText)))";
        let filled = page.script(script).await?;
        let is_filled = |name: &&str| {
            let mut heads = filled.as_array().into_iter().flatten();
            heads.any(|head| head == *name)
        };
        Ok(columns.iter().all(is_filled).then_some(()))
    })
    .await?;
    page.script("document.querySelector('[data-testid=consortium-plots] .plots-toggle').click()")
        .await?;
    for (width, height) in [(390, 844), (1440, 900)] {
        browser.resize(width, height).await?;
        for theme in ["light", "dark"] {
            let show = format!(
                "document.documentElement.dataset.theme = '{theme}'; \
                 document.querySelector('[data-testid=consortium-plots]').scrollIntoView()"
            );
            page.script(&show).await?;
            let file = cli::picture(&format!("consortium-plots-{width}-{theme}"))?;
            page.picture(&file).await?;
        }
    }
    Ok(())
}

/// Saves a backup in the console's way; it opens with its passphrase, and only so.
async fn back_up(page: &Page, downloads: &Path) -> Result<()> {
    let words = "five words that nobody knows";
    page.type_into("backup-passphrase", words).await?;
    page.type_into("backup-again", words).await?;
    page.click("backup-make").await?;
    let file = page
        .until("a saved backup", || async {
            let says = page.text("backup-says").await?;
            let name = says.strip_prefix("Saved as ");
            let name = name.and_then(|rest| rest.split(',').next());
            let file = name.map(|name| downloads.join(name));
            Ok(file.filter(|file| file.exists()))
        })
        .await?;
    let (secret, other) = (downloads.join("secret"), downloads.join("other"));
    std::fs::write(&secret, words)?;
    std::fs::write(&other, "five words that are not right")?;
    let restore = |secret: &Path| {
        cli::fogward([
            "restore".as_ref(),
            file.as_os_str(),
            "--data".as_ref(),
            downloads.join("restored").as_os_str(),
            "--passphrase-file".as_ref(),
            secret.as_os_str(),
        ])
    };
    ensure!(restore(&other)?.status.code() == Some(1));
    let restored = restore(&secret)?;
    ensure!(restored.status.success(), "{restored:?}");
    Ok(())
}

/// A node's folder and its address among its peers, on a loopback host of its own.
struct Place {
    data: PathBuf,
    listen: String,
}

impl Place {
    fn new(folder: &Path, number: u8) -> Self {
        let process = std::process::id();
        let (high, low) = (process >> 8 & 0xff, process & 0xff);
        Self {
            data: folder.join(format!("node-{number}")),
            listen: format!("127.{high}.{low}.{}:7401", 100 + number),
        }
    }

    fn found(&self) -> Result<()> {
        let data = self.data.to_string_lossy();
        cli::fogward_json([
            "consortium",
            "create",
            "--data",
            &data,
            "--name",
            "Harbour consortium",
            "--organisation",
            "Harbour General",
            "--node",
            "harbour-1",
            "--listen",
            &self.listen,
            "--json",
        ])
        .map(drop)
    }

    fn join(&self, invitation: &str, organisation: &str, name: &str) -> Result<()> {
        let data = self.data.to_string_lossy();
        cli::fogward_json([
            "consortium",
            "join",
            invitation,
            "--data",
            &data,
            "--organisation",
            organisation,
            "--node",
            name,
            "--listen",
            &self.listen,
            "--json",
        ])
        .map(drop)
    }

    fn start(&self) -> Result<Node> {
        Node::start(&self.data, &[])
    }
}

fn view(node: &Node) -> Result<Value> {
    cli::fogward_json(["consortium", "status", "--api", &node.address, "--json"])
}

fn row(view: &Value, name: &str) -> Option<Value> {
    let nodes = view["nodes"].as_array()?;
    nodes.iter().find(|node| node["name"] == name).cloned()
}

fn key_of(node: &Node, name: &str) -> Result<String> {
    let row = row(&view(node)?, name).context("no such node")?;
    Ok(row["key"].as_str().unwrap_or_default().to_owned())
}

/// Opens a node's console at the consortium's page.
async fn visit(page: &Page, node: &Node) -> Result<()> {
    page.open(&node.address).await?;
    page.click("nav-consortium").await?;
    page.find("node-row").await.map(drop)
}

/// Makes an invitation for a new organisation.
async fn invite(page: &Page) -> Result<String> {
    page.click("invite-make").await?;
    page.find("invitation-qr").await?;
    let text = page.script("return document.querySelector('[data-testid=invitation-text]').value");
    let text = text.await?;
    let text = text.as_str().unwrap_or_default().to_owned();
    // It is shown once; the next one is made from a fresh page.
    page.script("location.reload()").await?;
    Ok(text)
}

/// Waits until the page shows this node, heard.
async fn heard(page: &Page, name: &str) -> Result<()> {
    page.until(&format!("{name} in the table"), || async {
        let script = format!(
            "return [...document.querySelectorAll('[data-testid=node-row]')].some(row => \
             row.innerText.includes('{name}') && !row.dataset.state)"
        );
        Ok((page.script(&script).await? == true).then_some(()))
    })
    .await
}

async fn propose_validator(page: &Page, key: &str) -> Result<()> {
    page.click("propose-open").await?;
    press(page, "[data-testid=propose-kind][data-key=admit-validator]").await?;
    press(
        page,
        &format!("[data-testid=propose-choice][data-key='{key}']"),
    )
    .await?;
    page.type_into("propose-reason", "A second signature.")
        .await?;
    page.find("preflight-finding").await?;
    page.click("propose-send").await
}

/// Approves the open proposal, whatever the preflight asks, and waits until it is decided.
async fn approve(page: &Page) -> Result<()> {
    let number = page.attribute("proposal", "data-number").await?;
    let number = number.context("no open proposal")?;
    page.find("preflight-finding").await?;
    page.click("vote-approve").await?;
    let decided =
        format!("[data-testid=decided-row][data-number='{number}'][data-outcome=approved]");
    page.until("the proposal to pass", || async {
        let script = format!(
            "const ask = document.querySelector('dialog[open] [data-testid=vote-confirm]'); if (ask) ask.click(); \
             return !!document.querySelector(\"{decided}\")"
        );
        Ok((page.script(&script).await? == true).then_some(()))
    })
    .await
}

/// Clicks what a CSS selector picks, as soon as it lets itself be clicked.
async fn press(page: &Page, selector: &str) -> Result<()> {
    page.until(&format!("`{selector}` can be clicked"), || async {
        let element = page.find_css(selector).await?;
        let ready = element.is_enabled().await? && element.click().await.is_ok();
        Ok(ready.then_some(()))
    })
    .await
}
