//! `fogward erase`: destroys all of a patient or the readings of a device, and saves the certificates of it; and
//! `fogward verify --erasure`, which checks one offline.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use fog_api::{ApiError, Erase as Asked, ErasureOf, ErasureView};
use ledger_core::{Digest, PublicKey};

use super::Outcome;
use super::check::{genesis_of, read_at_most};
use super::client::{Api, Question, refuse};
use super::output::{print, print_json, time_words};
use super::table::{cell, numbers, pairs, table, words};
use crate::erasure::certificate::{MAX_FILE_BYTES, SignedErasure, view_of};

/// `fogward erase`
#[derive(Debug, clap::Args)]
pub(super) struct Erase {
    #[command(flatten)]
    api: Api,
    /// The patient's id, number or whole name; who may not see patients gives the id.
    #[arg(value_name = "PATIENT", required_unless_present_any = ["device", "list"])]
    patient: Option<String>,
    /// The device whose readings are erased, by its id; it stays paired.
    #[arg(long, value_name = "ID", conflicts_with = "patient")]
    device: Option<String>,
    /// List the certificates of what was erased at this node, and do nothing.
    #[arg(long, conflicts_with_all = ["patient", "device", "confirm"])]
    list: bool,
    /// The id once more; without it, it is asked for.
    #[arg(long, value_name = "ID")]
    confirm: Option<String>,
    /// Save the certificate in this new file.
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

impl Erase {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        if self.list {
            return self.print_all();
        }
        let (path, id) = match (&self.device, &self.patient) {
            (Some(device), _) => ("/api/devices", device.clone()),
            (None, patient) => (
                "/api/patients",
                self.patient_id(patient.as_deref().unwrap_or_default())?,
            ),
        };
        if let Some(file) = self.certificate.as_ref().filter(|file| file.exists()) {
            bail!("{} is there already", file.display());
        }
        let confirm = match &self.confirm {
            Some(confirm) => confirm.clone(),
            None => ask_for(&id)?,
        };
        let question = Question::named(path, &id).then("erase");
        let view: ErasureView = self.api.tell(&question, &Asked { confirm })?;
        if let Some(file) = &self.certificate {
            let text = serde_json::to_vec_pretty(&view.certificate)?;
            std::fs::write(file, text)
                .with_context(|| format!("cannot write {}", file.display()))?;
        }
        match self.api.json {
            true => print_json(&view)?,
            false => print(&in_words(&view))?,
        }
        Ok(Outcome::Yes)
    }

    /// The patient's id. Erasing is an admin's, and looking for patients is not: an id is taken as it is.
    fn patient_id(&self, wanted: &str) -> anyhow::Result<String> {
        match super::patient::is_id(wanted) {
            true => Ok(wanted.to_owned()),
            false => Ok(super::patient::find(&self.api, wanted)?.id),
        }
    }

    fn print_all(&self) -> anyhow::Result<Outcome> {
        let views: Vec<ErasureView> = self.api.ask(&Question::path("/api/erasures"))?;
        if self.api.json {
            print_json(&views)?;
            return Ok(Outcome::Yes);
        }
        let rows = views.iter().map(|view| {
            [
                time_words(view.at),
                of(view).to_owned(),
                view.readings.to_string(),
                cell(view.height),
                view.handle.clone(),
            ]
        });
        let columns = [
            words("erased"),
            words("of"),
            numbers("readings"),
            numbers("tombstone in block"),
            words("handle"),
        ];
        print(&table(columns, &rows.collect::<Vec<_>>()))?;
        Ok(Outcome::Yes)
    }
}

/// Has a person type the id once more.
fn ask_for(id: &str) -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        return Err(refuse(ApiError {
            code: "ERA-01".to_owned(),
            what: "Nothing was erased.".to_owned(),
            why: "There is nobody to type the id once more.".to_owned(),
            next: "Give it with --confirm.".to_owned(),
        }));
    }
    let mut err = std::io::stderr();
    write!(
        err,
        "This cannot be undone: what is erased, nobody can read again.\nType {id} to erase: "
    )?;
    err.flush()?;
    let mut typed = String::new();
    std::io::stdin()
        .read_line(&mut typed)
        .context("cannot read the answer")?;
    Ok(typed.trim().to_owned())
}

const fn of(view: &ErasureView) -> &'static str {
    match view.of {
        ErasureOf::Patient => "a patient",
        ErasureOf::Device => "a device",
    }
}

fn in_words(view: &ErasureView) -> String {
    let head = pairs(&[
        ("erased", of(view).to_owned()),
        ("at", time_words(view.at)),
        ("readings", view.readings.to_string()),
        ("times of wearing", view.assignments.to_string()),
        ("reasons", view.reasons.to_string()),
        ("requests ended", view.ended.len().to_string()),
        ("tombstone", view.handle.clone()),
        ("transaction", view.certificate.transaction.clone()),
        ("in block", cell(view.height)),
        ("node", view.node.clone()),
        ("chain", view.chain_id.clone()),
    ]);
    let part = |part: &fog_api::ErasedPart| {
        [
            part.device.clone(),
            part.code.clone(),
            part.readings.to_string(),
        ]
    };
    let parts: Vec<_> = view.parts.iter().map(part).collect();
    let columns = [words("device"), words("metric"), numbers("readings")];
    let mut text = format!("{head}\n{}", table(columns, &parts));
    text.push_str("\nNot covered:\n");
    for at in &view.backups {
        text.push_str(&format!("  the backup of {}\n", time_words(*at)));
    }
    for request in &view.disclosed {
        text.push_str(&format!("  what was served under the request {request}\n"));
    }
    text.push_str(
        "  backups and copies that this node does not know of, what a device keeps itself, and what a disk keeps of \
         blocks that were overwritten\n",
    );
    text
}

/// Checks the file of a certificate.
pub(super) fn verify(
    file: &Path,
    genesis: Option<&Path>,
    node: Option<&PublicKey>,
    json: bool,
) -> anyhow::Result<Outcome> {
    let bytes = read_at_most(file, MAX_FILE_BYTES)?;
    let chain = genesis.map(genesis_of).transpose()?;
    let chain = chain.map(|genesis| genesis.chain_id());
    let opened = SignedErasure::from_file(&bytes)
        .and_then(|(signed, tx)| signed.verify().map(|erasure| (erasure, signed, tx)));
    let (view, why) = match opened {
        Err(error) => (None, Some(error.to_string())),
        Ok((erasure, ..)) if node.is_some_and(|node| *node != erasure.node) => {
            (None, Some("another node signed it".to_owned()))
        }
        Ok((erasure, ..)) if chain.is_some_and(|chain| chain != erasure.chain) => {
            (None, Some("its node was on another chain".to_owned()))
        }
        Ok((erasure, signed, tx)) => {
            let commitment = signed.commitment();
            (
                Some((view_of(&erasure, &signed, &tx, None), commitment)),
                None,
            )
        }
    };
    say(view.as_ref(), why, json)
}

fn say(
    found: Option<&(ErasureView, Digest)>,
    why: Option<String>,
    json: bool,
) -> anyhow::Result<Outcome> {
    let (view, commitment) = found.map(|(view, commitment)| (view, commitment)).unzip();
    if json {
        let commitment = commitment.map(Digest::to_string);
        print_json(&serde_json::json!({
            "valid": view.is_some(), "erasure": view, "commitment": commitment, "error": why,
        }))?;
    } else if let (Some(view), Some(commitment)) = (view, commitment) {
        let words = in_words(view);
        print(&format!(
            "{words}\nVALID: the node of this key says so. Compare the key with the one you know, and look for the \
             tombstone with the commitment {commitment} on the ledger.\n"
        ))?;
    } else {
        print(&format!("INVALID: {}.\n", why.unwrap_or_default()))?;
    }
    Ok(match view {
        Some(_) => Outcome::Yes,
        None => Outcome::No,
    })
}
