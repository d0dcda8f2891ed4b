//! `fogward light`: follows the chain from its genesis to the tip, trusting no node; proves what its
//! state holds; says by name which lie a node told.
//!
//! What is asked of whom, in this order:
//! 1. the node: its light blocks from 1 on, each verified ([`follow`]), or with `--skip` a few of them;
//! 2. the node: the rules in force, proven, which say how old a newest block may be; then `--key`;
//! 3. each `--witness`: its block at the height that was reached, which must be the same, and its newest.
//!
//! Left out: keeping what was reached for the next run.

mod follow;

use std::path::PathBuf;

use anyhow::Context as _;
use fog_api::{LightPage, StateAnswer};
use ledger_core::canonical;
use ledger_core::genesis::Parameters;
use ledger_core::light::{Evidence, LightBlock};
use ledger_core::state::{MAX_STATE_VALUE_BYTES, StateKey};
use ledger_core::state_proof::StateProof;
use ledger_core::{Genesis, Height, LightClient, LightError};
use serde_json::json;

use self::follow::{Progress, Stop};
use super::Outcome;
use super::check::genesis_of;
use super::client::{Address, Api, Question, Refused};
use super::output::{print, print_json, time_words};
use super::table::pairs;
use crate::clock::unix_millis;

/// A tip is stale after this many heartbeats without a block, and
const HEARTBEATS: u64 = 3;
/// this much grace, in milliseconds.
const GRACE_MILLIS: u64 = 30_000;

/// `fogward light`
#[derive(Debug, clap::Args)]
pub(super) struct Light {
    #[command(flatten)]
    api: Api,
    /// The genesis file of the chain you trust, as `fogward genesis` saves it.
    #[arg(long, value_name = "FILE")]
    genesis: PathBuf,
    /// Prove what the state holds under this key, or that it holds nothing; the key's bytes as hex.
    #[arg(long, value_name = "HEX", value_parser = state_key)]
    key: Option<StateKey>,
    /// Verify only as many headers as needed, instead of every one.
    #[arg(long)]
    skip: bool,
    /// Another node to compare the reached block with; may be given several times.
    #[arg(long = "witness", value_name = "URL")]
    witnesses: Vec<Address>,
    /// Where to write the evidence, should two nodes show two certified blocks at one height.
    #[arg(long, value_name = "FILE")]
    evidence: Option<PathBuf>,
}

fn state_key(text: &str) -> Result<StateKey, String> {
    let bytes = hex::decode(text).map_err(|_| "expected hexadecimal digits".to_owned())?;
    Ok(StateKey(bytes))
}

/// What was reached, for the answer.
struct Report {
    client: LightClient,
    progress: Progress,
    state_proof_bytes: usize,
    /// The value under `--key`.
    value: Option<Vec<u8>>,
}

impl Light {
    pub(super) fn run(&self) -> anyhow::Result<Outcome> {
        let genesis = genesis_of(&self.genesis)?;
        let mut report = Report {
            client: LightClient::from_genesis(&genesis),
            progress: Progress::default(),
            state_proof_bytes: 0,
            value: None,
        };
        match self.look(&genesis, &mut report) {
            Ok(()) => {
                self.say(&report, None)?;
                Ok(Outcome::Yes)
            }
            Err(Stop::Refused { error, node }) => {
                if let (LightError::Fork(fork), Some(path)) = (&error, &self.evidence) {
                    std::fs::write(path, Evidence::Fork(fork.clone()).encode())
                        .with_context(|| format!("cannot write {}", path.display()))?;
                }
                self.say(&report, Some((&error, &node)))?;
                let told = error.is_lie() || matches!(error, LightError::StaleTip { .. });
                Ok(if told {
                    Outcome::No
                } else {
                    Outcome::CannotTell
                })
            }
            Err(Stop::Other(error)) => Err(error),
        }
    }

    fn look(&self, genesis: &Genesis, report: &mut Report) -> Result<(), Stop> {
        let Report {
            client, progress, ..
        } = report;
        if self.skip {
            follow::skip(&self.api, client, progress)?;
        } else {
            follow::each(&self.api, client, progress, None)?;
        }
        let (bytes, value) = self.prove(report, &StateKey::parameters())?;
        report.state_proof_bytes = bytes;
        let parameters =
            value.and_then(|value| canonical::decode(&value, MAX_STATE_VALUE_BYTES).ok());
        self.check_age(&report.client, &parameters.unwrap_or(genesis.parameters))?;
        if let Some(key) = &self.key {
            let (bytes, value) = self.prove(report, key)?;
            (report.state_proof_bytes, report.value) = (bytes, value);
        }
        self.witnesses
            .iter()
            .try_for_each(|witness| self.compare(&report.client, &Api::at(witness)))
    }

    /// Asks for what the newest state holds under `key` and verifies it against its header, following
    /// the chain up to there. Gives the proof's length and the value.
    fn prove(&self, report: &mut Report, key: &StateKey) -> Result<(usize, Option<Vec<u8>>), Stop> {
        let question = Question::path("/api/light/state").with("key", Some(hex::encode(&key.0)));
        let answer: StateAnswer = self.api.ask(&question)?;
        let client = &mut report.client;
        let refuse = |error| Stop::by(&self.api, error);
        if answer.height < client.height().0 {
            return Err(refuse(LightError::Withheld {
                height: Height(answer.height),
                other: client.height(),
            }));
        }
        follow::each(&self.api, client, &mut report.progress, Some(answer.height))?;
        let bytes = hex::decode(&answer.proof).ok();
        let proof = bytes
            .as_ref()
            .and_then(|bytes| StateProof::decode(bytes).ok());
        let proof = proof.ok_or_else(|| refuse(LightError::Malformed))?;
        let value = client.verify_state(key, &proof).map_err(refuse)?;
        Ok((proof.encode().len(), value.map(<[u8]>::to_vec)))
    }

    fn check_age(&self, client: &LightClient, parameters: &Parameters) -> Result<(), Stop> {
        let heartbeat = u64::from(parameters.heartbeat_seconds) * 1000;
        let limit_millis = heartbeat.saturating_mul(HEARTBEATS) + GRACE_MILLIS;
        let age_millis = unix_millis().saturating_sub(client.time_millis());
        if age_millis > limit_millis {
            let error = LightError::StaleTip {
                age_millis,
                limit_millis,
            };
            return Err(Stop::by(&self.api, error));
        }
        Ok(())
    }

    /// Compares the reached block with a witness's, and the node's newest with the witness's newest.
    fn compare(&self, client: &LightClient, witness: &Api) -> Result<(), Stop> {
        let refuse = |error| Stop::by(witness, error);
        let of = |height| {
            let block = block_of(witness, height)?;
            let block = block.ok_or_else(|| refuse(LightError::MissingBlock { height }))?;
            block.certify(client.chain()).map_err(refuse)
        };
        let (at, newest) = (client.height(), follow::tip_of(witness)?);
        if newest < at {
            // It is behind: all that can be told is whether it is of this chain.
            return if newest > Height(0) {
                of(newest).map(drop)
            } else {
                Ok(())
            };
        }
        client.judge(&of(at)?, unix_millis()).map_err(refuse)?;
        let newest = of(newest)?;
        let header = &newest.light().header;
        let (height, time) = (header.height, header.time_millis);
        let shown = follow::tip_of(&self.api)?;
        if height > at
            && client.judge(&newest, unix_millis()).is_ok()
            && shown < height
            && unix_millis().saturating_sub(time) > GRACE_MILLIS
        {
            let error = LightError::Withheld {
                height: shown,
                other: height,
            };
            return Err(Stop::by(&self.api, error));
        }
        Ok(())
    }

    fn say(&self, report: &Report, refused: Option<(&LightError, &str)>) -> anyhow::Result<()> {
        let Report {
            client, progress, ..
        } = report;
        let (time, now) = (client.time_millis(), unix_millis());
        let hash = client.hash().map(|hash| hash.to_string());
        let value = report.value.as_ref().map(hex::encode);
        let proven = self.key.is_some() && refused.is_none();
        if self.api.json {
            return print_json(&json!({
                "chain_id": client.chain().to_string(),
                "height": client.height().0,
                "hash": hash,
                "time": time,
                "headers": progress.headers,
                "validator_changes": progress.validator_changes,
                "headers_per_second": progress.per_second().round(),
                "state_proof_bytes": report.state_proof_bytes,
                "clock_behind_millis": time.saturating_sub(now),
                "tip_age_millis": now.saturating_sub(time),
                "key": self.key.as_ref().map(|key| hex::encode(&key.0)),
                "value": value,
                "witnesses": self.witnesses.len(),
                "refused": refused.map(|(error, node)| json!({
                    "code": error.code(),
                    "what": error.to_string(),
                    "next": error.next(),
                    "lie": error.is_lie(),
                    "node": node,
                })),
            }));
        }
        let mut rows = vec![
            ("chain", client.chain().to_string()),
            ("height", client.height().to_string()),
            ("hash", hash.unwrap_or_else(|| "–".into())),
            ("time", time_words(i64::try_from(time).unwrap_or(i64::MAX))),
            (
                "verified",
                format!(
                    "{} headers, {:.0} a second; the validators changed {} times",
                    progress.headers,
                    progress.per_second(),
                    progress.validator_changes
                ),
            ),
            ("state proof", format!("{} bytes", report.state_proof_bytes)),
        ];
        if proven {
            let words = value.unwrap_or_else(|| "nothing, proven".into());
            rows.push(("value", words));
        }
        let mut text = pairs(&rows);
        match refused {
            Some((error, node)) => {
                let sort = if error.is_lie() { "A LIE" } else { "REFUSED" };
                let (code, next) = (error.code(), error.next());
                text.push_str(&format!("\n{sort} ({code}) by {node}: {error} {next}\n"));
            }
            None => {
                text.push_str("\nVERIFIED: this is the chain of the genesis, up to this block.\n")
            }
        }
        print(&text)
    }
}

/// A node's light block at a height; `None` if it says that it has none.
fn block_of(api: &Api, height: Height) -> Result<Option<LightBlock>, Stop> {
    let page: LightPage = match api.ask(&Question::named("/api/light/blocks", &height.to_string()))
    {
        Ok(page) => page,
        Err(error) => match error.downcast_ref::<Refused>() {
            Some(refused) if refused.is_answer() => return Ok(None),
            _ => return Err(error.into()),
        },
    };
    let mut blocks = page.decode().map_err(|error| Stop::by(api, error))?;
    match (blocks.pop(), blocks.is_empty()) {
        (Some(block), true) if block.header.height == height => Ok(Some(block)),
        _ => Err(Stop::by(api, LightError::MissingBlock { height })),
    }
}
