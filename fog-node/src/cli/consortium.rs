//! `fogward consortium`: found, invite, join, look, propose, vote, leave.
//!
//! `create` and `join` work on a stopped node's folder; the others ask a running node.

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use fog_api::consortium::Change;
use fog_api::{
    CastVote, CatchUp, CatchUpWay, ConsortiumView, FoundNode, InvitationMade, MakeInvitation,
    PreflightFinding, ProposalRow, ProposeChange,
};

use super::Outcome;
use super::client::{Api, Question};
use super::output::{bytes_words, print, print_json, time_words};
use super::table::{cell, numbers, table, words};
use crate::consortium::{Founding, JoinOptions, found, join};

/// `fogward consortium`
#[derive(Debug, clap::Args)]
pub(super) struct Consortium {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Found a consortium in a new data folder; start its node with `fogward run` afterwards.
    Create(Create),
    /// Make an invitation for another hospital, or for another node of this organisation.
    Invite(Invite),
    /// Join with an invitation; start the node with `fogward run` afterwards.
    Join(Join),
    /// Show organisations, nodes, proposals and rules.
    Status(Look),
    /// Propose a change; it counts as this organisation's vote for it.
    Propose(Propose),
    /// Vote on a proposal; a vote may be changed until the proposal is decided.
    Vote(Vote),
    /// List proposals: those that are open, then those that were decided.
    Proposals(Look),
    /// Take this node off the validators; it goes on as an observer.
    Leave(Leave),
}

impl Consortium {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        match self.command {
            Command::Create(create) => create.run(),
            Command::Invite(invite) => invite.run(),
            Command::Join(join) => join.run(),
            Command::Status(look) => look.status(),
            Command::Propose(propose) => propose.run(),
            Command::Vote(vote) => vote.run(),
            Command::Proposals(look) => look.proposals(),
            Command::Leave(leave) => leave.run(),
        }
    }
}

#[derive(Debug, clap::Args)]
struct Create {
    /// The node's data folder; made if missing, and must hold no chain.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// The consortium's name.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The founding organisation's name.
    #[arg(long, value_name = "NAME")]
    organisation: String,
    /// The node's name; made of its key if absent.
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Where the node listens for its peers. Who is invited knocks one port above.
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// Where others reach the node, if that is another address.
    #[arg(long, value_name = "HOST:PORT", requires = "listen")]
    address: Option<String>,
    /// Print one JSON value.
    #[arg(long)]
    json: bool,
}

impl Create {
    fn run(self) -> anyhow::Result<Outcome> {
        let chain = found(&Founding {
            data_dir: self.data.clone(),
            consortium: self.name,
            organisation: self.organisation,
            node: self.node,
            listen: self.listen,
            address: self.address,
        })?;
        if self.json {
            print_json(&serde_json::json!({ "chain_id": chain.to_string(), "data": self.data }))?;
        } else {
            print(&format!(
                "Founded. Chain {chain}\nStart it with: fogward run --data {}\n",
                self.data.display()
            ))?;
        }
        Ok(Outcome::Yes)
    }
}

#[derive(Debug, clap::Args)]
struct Invite {
    #[command(flatten)]
    api: Api,
    /// Hours it is valid, 1 to 720.
    #[arg(long, value_name = "HOURS", default_value_t = 72, value_parser = clap::value_parser!(u32).range(1..=720))]
    valid_hours: u32,
    /// For another node of this organisation, which needs no other's vote.
    #[arg(long)]
    same_organisation: bool,
    /// Write the invitation to a file instead of the screen.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Invite {
    fn run(&self) -> anyhow::Result<Outcome> {
        let asked = MakeInvitation {
            valid_hours: Some(self.valid_hours),
            same_organisation: self.same_organisation,
        };
        let made: InvitationMade = self
            .api
            .tell(&Question::path("/api/consortium/invitations"), &asked)?;
        if let Some(path) = &self.output {
            crate::keystore::write_private(path, &format!("{}\n", made.text))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        if self.api.json {
            print_json(&made)?;
        } else if let Some(path) = &self.output {
            print(&format!("{}\n", path.display()))?;
        } else {
            print(&format!("{}\n", made.text))?;
        }
        Ok(Outcome::Yes)
    }
}

#[derive(Debug, clap::Args)]
struct Join {
    /// The invitation: its text, a file that holds it, or - for standard input.
    #[arg(value_name = "INVITATION")]
    invitation: String,
    /// The node's data folder; made if missing.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// This organisation's name.
    #[arg(long, value_name = "NAME")]
    organisation: String,
    /// The node's name; made of its key if absent.
    #[arg(long, value_name = "NAME")]
    node: Option<String>,
    /// Where the node listens for its peers.
    #[arg(long, value_name = "IP:PORT")]
    listen: SocketAddr,
    /// Where others reach the node, if that is another address.
    #[arg(long, value_name = "HOST:PORT")]
    address: Option<String>,
    /// Put aside the chain that the folder holds: it stays readable and provable in a folder of its own.
    #[arg(long)]
    leave_own_chain: bool,
    /// Print one JSON value.
    #[arg(long)]
    json: bool,
}

impl Join {
    fn run(self) -> anyhow::Result<Outcome> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .context("cannot start the program's threads")?;
        let joined = runtime.block_on(join(&JoinOptions {
            invitation: invitation(&self.invitation)?,
            data_dir: self.data.clone(),
            organisation: self.organisation,
            node: self.node,
            listen: self.listen,
            address: self.address,
            leave_own_chain: self.leave_own_chain,
        }))?;
        if self.json {
            print_json(&joined)?;
            return Ok(Outcome::Yes);
        }
        let admitted = if joined.admitted {
            "This node is admitted.".to_owned()
        } else {
            format!(
                "Proposal {} asks to admit this node; it can follow the chain once that has passed.",
                joined.proposal
            )
        };
        let own = joined.own_chain.map_or_else(String::new, |path| {
            format!("The chain that was here is in {}.\n", path.display())
        });
        print(&format!(
            "{}, chain {}\n{admitted}\n{own}Start it with: fogward run --data {}\n",
            joined.consortium,
            joined.chain_id,
            self.data.display()
        ))?;
        Ok(Outcome::Yes)
    }
}

/// The text of an invitation, wherever it is.
fn invitation(given: &str) -> anyhow::Result<String> {
    if given.starts_with("fogward-invitation") || given.starts_with("FOGWARD-INVITATION") {
        return Ok(given.to_owned());
    }
    let mut text = String::new();
    if given == "-" {
        std::io::stdin()
            .take(1 << 16)
            .read_to_string(&mut text)
            .context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(given).with_context(|| format!("cannot read {given}"))
}

#[derive(Debug, clap::Args)]
struct Look {
    #[command(flatten)]
    api: Api,
}

impl Look {
    fn view(&self) -> anyhow::Result<ConsortiumView> {
        self.api.ask(&Question::path("/api/consortium"))
    }

    fn status(&self) -> anyhow::Result<Outcome> {
        let view = self.view()?;
        if self.api.json {
            print_json(&view)?;
            return Ok(Outcome::Yes);
        }
        let rows = view.nodes.iter().map(|node| {
            let organisation = view
                .organisations
                .iter()
                .find(|one| one.id == node.organisation);
            [
                node.name.clone(),
                organisation.map_or_else(String::new, |one| one.name.clone()),
                if node.validator {
                    "validator"
                } else {
                    "observer"
                }
                .to_owned(),
                if node.here {
                    "here"
                } else if node.heard {
                    "heard"
                } else {
                    "silent"
                }
                .to_owned(),
                cell(node.height),
                cell(node.delay_ms.map(|millis| format!("{millis:.1}"))),
                cell(node.clock_ms.map(|millis| format!("{millis:.1}"))),
                cell(node.address.as_ref()),
                node.key.clone(),
            ]
        });
        let rows = rows.collect::<Vec<_>>();
        print(&format!(
            "{}, chain {}\n{}\n\n",
            view.name, view.chain_id, view.quorum
        ))?;
        print(&table(
            [
                words("node"),
                words("organisation"),
                words("part"),
                words("state"),
                numbers("height"),
                numbers("delay ms"),
                numbers("clock ms"),
                words("address"),
                words("key"),
            ],
            &rows,
        ))?;
        print_proposals(&view.open)?;
        print(&catch_up(view.catch_up.as_ref()))?;
        print(&nearby(&view.found))?;
        Ok(Outcome::Yes)
    }

    fn proposals(&self) -> anyhow::Result<Outcome> {
        let view = self.view()?;
        let all: Vec<_> = view.open.into_iter().chain(view.decided).collect();
        if self.api.json {
            print_json(&all)?;
        } else {
            print_proposals(&all)?;
        }
        Ok(Outcome::Yes)
    }
}

/// How far catching up is, and who was refused meanwhile.
fn catch_up(view: Option<&CatchUp>) -> String {
    let Some(view) = view else {
        return String::new();
    };
    let rate = match view.by {
        CatchUpWay::Snapshot => format!(
            "{} of {}, {} a second",
            bytes_words(view.bytes),
            bytes_words(view.of_bytes),
            bytes_words(view.per_second as u64)
        ),
        CatchUpWay::Blocks => format!("{:.0} blocks a second", view.per_second),
    };
    let mut text = format!(
        "\nThis node is at block {} and goes to {}: {:.1} %, {rate}. {}\n",
        view.height, view.target, view.percent, view.words
    );
    for refused in &view.refused {
        text.push_str(&format!("Refused: {refused}\n"));
    }
    text
}

/// Nodes that announce themselves nearby.
fn nearby(nodes: &[FoundNode]) -> String {
    let mut text = String::new();
    for node in nodes {
        let chain = if node.same_chain {
            "says it is of this chain"
        } else {
            "another chain"
        };
        text.push_str(&format!(
            "Found on this network, not trusted: {} ({chain})\n",
            node.address
        ));
    }
    text
}

fn print_proposals(proposals: &[ProposalRow]) -> anyhow::Result<()> {
    let rows: Vec<_> = proposals
        .iter()
        .map(|row| {
            [
                row.number.to_string(),
                row.title.clone(),
                row.by.clone(),
                row.outcome.clone(),
                format!(
                    "{} of {} needed, {} against",
                    row.approvals, row.needed, row.rejections
                ),
                cell(row.mine.as_ref()),
                time_words(i64::try_from(row.expires).unwrap_or(i64::MAX)),
                cell(row.in_force),
            ]
        })
        .collect();
    print(&table(
        [
            numbers("number"),
            words("change"),
            words("by"),
            words("outcome"),
            words("votes"),
            words("own vote"),
            words("open until"),
            numbers("in force"),
        ],
        &rows,
    ))
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "CHANGE is JSON, such as {\"kind\":\"admit_validator\",\"node\":\"KEY\"}. Kinds: \
                        admit_organisation, remove_organisation, rotate_admin, admit_node, remove_node, \
                        rotate_node, admit_validator, remove_validator, set_parameters, set_thresholds, \
                        move_node; docs/api.md has their fields."
)]
struct Propose {
    #[command(flatten)]
    api: Api,
    /// What is to change, as JSON.
    #[arg(value_name = "CHANGE", value_parser = parse_change)]
    change: Change,
    /// Why, for those who vote.
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// Hours it may be voted on, 1 to 720.
    #[arg(long, value_name = "HOURS", default_value_t = 72, value_parser = clap::value_parser!(u32).range(1..=720))]
    open_hours: u32,
    /// Say what the change would do, and propose nothing.
    #[arg(long)]
    preflight: bool,
    /// Propose it although the ledger would halt.
    #[arg(long)]
    force: bool,
}

fn parse_change(text: &str) -> Result<Change, String> {
    serde_json::from_str(text).map_err(|error| format!("this is no change: {error}"))
}

impl Propose {
    fn run(self) -> anyhow::Result<Outcome> {
        let findings: Vec<PreflightFinding> = self
            .api
            .tell(&Question::path("/api/consortium/preflight"), &self.change)?;
        if self.preflight {
            if self.api.json {
                print_json(&findings)?;
            } else {
                print_findings(&findings)?;
            }
            let breaks = findings.iter().any(|finding| finding.severity == "breaks");
            return Ok(if breaks { Outcome::No } else { Outcome::Yes });
        }
        if !self.api.json {
            print_findings(&findings)?;
        }
        let asked = ProposeChange {
            change: self.change,
            reason: self.reason,
            open_hours: Some(self.open_hours),
            force: self.force,
        };
        let row: ProposalRow = self
            .api
            .tell(&Question::path("/api/consortium/proposals"), &asked)?;
        show(&self.api, &row)
    }
}

fn print_findings(findings: &[PreflightFinding]) -> anyhow::Result<()> {
    let rows: Vec<_> = findings
        .iter()
        .map(|finding| {
            [
                finding.severity.clone(),
                finding.what.clone(),
                finding.next.clone(),
            ]
        })
        .collect();
    print(&table(
        [words("preflight"), words("what"), words("next")],
        &rows,
    ))
}

fn show(api: &Api, row: &ProposalRow) -> anyhow::Result<Outcome> {
    if api.json {
        print_json(row)?;
    } else {
        print_proposals(std::slice::from_ref(row))?;
    }
    Ok(Outcome::Yes)
}

#[derive(Debug, clap::Args)]
struct Vote {
    #[command(flatten)]
    api: Api,
    /// The proposal's number.
    #[arg(value_name = "NUMBER")]
    number: u64,
    /// For it.
    #[arg(long, conflicts_with = "reject", required_unless_present = "reject")]
    approve: bool,
    /// Against it.
    #[arg(long)]
    reject: bool,
}

impl Vote {
    fn run(&self) -> anyhow::Result<Outcome> {
        let question = Question::path("/api/consortium/proposals")
            .then(self.number)
            .then("vote");
        let cast = CastVote {
            approve: self.approve,
        };
        let row: ProposalRow = self.api.tell(&question, &cast)?;
        show(&self.api, &row)
    }
}

#[derive(Debug, clap::Args)]
struct Leave {
    #[command(flatten)]
    api: Api,
    /// Leave although the ledger would halt.
    #[arg(long)]
    force: bool,
}

impl Leave {
    fn run(&self) -> anyhow::Result<Outcome> {
        let view: ConsortiumView = self.api.ask(&Question::path("/api/consortium"))?;
        let here = view.nodes.iter().find(|node| node.here);
        let Some(here) = here.filter(|node| node.validator) else {
            bail!("this node is no validator, so there is no seat to leave");
        };
        let asked = ProposeChange {
            change: Change::RemoveValidator {
                node: here.key.clone(),
            },
            reason: String::new(),
            open_hours: None,
            force: self.force,
        };
        let row: ProposalRow = self
            .api
            .tell(&Question::path("/api/consortium/proposals"), &asked)?;
        show(&self.api, &row)
    }
}
