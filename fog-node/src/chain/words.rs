//! Transactions in words: what each does, in one line and in fields. Names nobody whom the chain does not name.

use ledger_core::Payload;
use ledger_core::access::{AccessDecision, AskAccess, LogPart, Scope};
use ledger_core::governance::Choice;

/// What a transaction does, in one line.
pub(super) fn summary_of(payload: &Payload) -> String {
    match payload {
        Payload::Genesis(genesis) => format!("Founds {}", genesis.name),
        Payload::RegisterDevice(device) if device.simulated => {
            "Registers a simulated device".into()
        }
        Payload::RegisterDevice(_) => "Registers a device".into(),
        Payload::AnchorBatch(anchor) => format!(
            "Anchors batch {} of {} streams",
            anchor.batch, anchor.streams
        ),
        Payload::Propose(propose) => format!("Proposes to {}", spaced(propose.change.kind())),
        Payload::Vote(vote) => format!("Votes {} proposal {}", side(vote.choice), vote.proposal),
        Payload::ChangeDevice(asked) => {
            format!("Changes a device: {}", spaced(asked.change.kind()))
        }
        Payload::AskInteraction(_) => "Asks that one device may hear another".into(),
        Payload::DecideInteraction(decided) => match decided.allow {
            true => "Lets one device hear another".into(),
            false => "Ends that one device hears another".into(),
        },
        Payload::RegisterPerson(_) => "Registers a person".into(),
        Payload::ChangePerson(asked) => format!("Changes a person: {}", asked.change.kind()),
        Payload::PutPolicy(put) => format!(
            "Puts {} {}",
            policy_of(&put.scope, &put.name),
            if put.text.is_some() {
                "in force"
            } else {
                "out of force"
            }
        ),
        Payload::AskAccess(asked) => match asked.emergency {
            None => "Asks for a part of somebody's data".into(),
            Some(_) => "Breaks the glass for a part of somebody's data".into(),
        },
        Payload::DecideAccess(decided) => match decided.decision {
            AccessDecision::Allow => "Grants access".into(),
            AccessDecision::End => "Refuses or ends access".into(),
            AccessDecision::Review { .. } => "Reviews an emergency access".into(),
        },
        Payload::GrantAccess(_) => "Grants somebody a part of somebody's data".into(),
        Payload::Receipt(receipt) => format!("Tells that {} readings were read", receipt.readings),
        Payload::Tombstone(tombstone) => {
            format!("Tells that {} readings were erased", tombstone.readings)
        }
        Payload::ReadLog(asked) => format!("Reads the access log: {}", part_of(asked.part)),
    }
}

/// How much of the access log somebody reads.
const fn part_of(part: LogPart) -> &'static str {
    match part {
        LogPart::Organisation => "what concerns her organisation",
        LogPart::Subject => "what concerns one subject",
        LogPart::Bundle => "for a bundle",
    }
}

/// A policy, by name; a consent's says nothing of whose it is.
fn policy_of(scope: &Scope, name: &str) -> String {
    match scope.subject {
        None => format!("the policy {name}"),
        Some(_) => format!("the consent {name}"),
    }
}

fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

/// What a transaction holds, by name.
pub(super) fn fields_of(payload: &Payload) -> Vec<(String, String)> {
    let fields: Vec<(&str, String)> = match payload {
        Payload::Genesis(genesis) => vec![
            ("Consortium", genesis.name.clone()),
            (
                "Validators",
                genesis.validators.as_slice().len().to_string(),
            ),
            ("Members", genesis.members.len().to_string()),
            (
                "Agreed limit",
                format!("{} ms", genesis.parameters.finality_limit_millis),
            ),
        ],
        Payload::RegisterDevice(device) => vec![
            ("Handle", device.handle.to_string()),
            (
                "Simulated",
                if device.simulated { "yes" } else { "no" }.into(),
            ),
        ],
        Payload::AnchorBatch(anchor) => vec![
            ("Batch", anchor.batch.to_string()),
            ("Batch root", anchor.root.to_string()),
            ("Streams", anchor.streams.to_string()),
            ("Readings", anchor.readings.to_string()),
        ],
        Payload::Propose(propose) => vec![
            ("Change", propose.change.kind().replace('_', " ")),
            ("Reason", propose.reason.clone()),
            ("Open for", format!("{} ms", propose.open_for_millis)),
        ],
        Payload::Vote(vote) => vec![
            ("Proposal", vote.proposal.to_string()),
            ("Vote", side(vote.choice).to_owned()),
        ],
        Payload::ChangeDevice(asked) => vec![
            ("Handle", asked.handle.to_string()),
            ("Change", asked.change.kind().replace('_', " ")),
        ],
        Payload::AskInteraction(asked) => vec![
            ("Asks", asked.asker.to_string()),
            ("For data of", asked.source.to_string()),
            ("For", format!("{} ms", asked.for_millis)),
        ],
        Payload::DecideInteraction(decided) => vec![
            ("Interaction", decided.interaction.to_string()),
            ("Allowed", yes_or_no(decided.allow)),
        ],
        _ => fields_of_access(payload),
    };
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What a transaction about people, policies or access holds.
fn fields_of_access(payload: &Payload) -> Vec<(&'static str, String)> {
    match payload {
        Payload::RegisterPerson(asked) => vec![
            ("Person", asked.handle.to_string()),
            ("Key", asked.keys.signing.to_string()),
            ("Roles", words(asked.roles.iter().map(|role| role.word()))),
        ],
        Payload::ChangePerson(asked) => vec![
            ("Person", asked.handle.to_string()),
            ("Change", asked.change.kind().to_owned()),
        ],
        Payload::PutPolicy(put) => vec![
            ("Policy", put.name.clone()),
            ("Holder", put.scope.holder.to_string()),
            (
                "Text",
                put.text
                    .clone()
                    .unwrap_or_else(|| "none: out of force".into()),
            ),
        ],
        Payload::GrantAccess(given) => {
            let mut fields = vec![("Person", given.person.to_string())];
            fields.append(&mut fields_of_request(&given.asked));
            fields
        }
        Payload::AskAccess(asked) => fields_of_request(asked),
        Payload::DecideAccess(decided) => vec![
            ("Request", decided.access.to_string()),
            (
                "Decision",
                match decided.decision {
                    AccessDecision::Allow => "granted",
                    AccessDecision::End => "refused or ended",
                    AccessDecision::Review { is_justified: true } => "the emergency was justified",
                    AccessDecision::Review {
                        is_justified: false,
                    } => "the emergency was not justified",
                }
                .to_owned(),
            ),
        ],
        Payload::Receipt(receipt) => vec![
            ("Request", receipt.access.to_string()),
            ("Readings", receipt.readings.to_string()),
            ("Commitment", receipt.disclosed.to_string()),
        ],
        Payload::ReadLog(asked) => vec![
            ("Organisation", asked.organisation.to_string()),
            ("Part", part_of(asked.part).to_owned()),
            ("Commitment", asked.question.to_string()),
        ],
        Payload::Tombstone(tombstone) => vec![
            ("Erasure", tombstone.handle.to_string()),
            ("Readings", tombstone.readings.to_string()),
            ("Certificate", tombstone.certificate.to_string()),
        ],
        _ => Vec::new(),
    }
}

fn fields_of_request(asked: &AskAccess) -> Vec<(&'static str, String)> {
    vec![
        ("Request", asked.handle.to_string()),
        ("Holder", asked.holder.to_string()),
        ("Subject", asked.subject.to_string()),
        ("Metrics", asked.metrics.join(", ")),
        ("Purpose", spaced(asked.purpose.word())),
        ("Resolution", asked.resolution.word().to_owned()),
        ("Emergency", yes_or_no(asked.emergency.is_some())),
    ]
}

fn words<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

fn yes_or_no(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.to_owned()
}

/// How a vote is told.
const fn side(choice: Choice) -> &'static str {
    match choice {
        Choice::Approve => "for",
        Choice::Reject => "against",
    }
}
