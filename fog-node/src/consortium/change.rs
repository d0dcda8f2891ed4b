//! Changes of the consortium as the API writes them, as the ledger does, and in words.

use fog_api::consortium::{Change as Asked, FractionView};
use fog_api::{NewNode, ParametersView, ThresholdsView};
use ledger_core::governance::{Change, Fraction, NewOrganisation, Node, Thresholds};
use ledger_core::parameters::{Parameters, Retention};
use ledger_core::{OrganisationId, PublicKey};

use crate::failure::Failure;

/// Reads a change.
///
/// # Errors
/// A refusal that names the field that cannot be read.
pub(crate) fn read(asked: &Asked) -> Result<Change, Failure> {
    Ok(match asked {
        Asked::AdmitOrganisation {
            id,
            name,
            admins,
            nodes,
        } => {
            let mut admins = keys(admins, "admins")?;
            admins.sort_unstable();
            Change::AdmitOrganisation(NewOrganisation {
                id: organisation(id)?,
                name: name.clone(),
                admins,
                nodes: nodes.iter().map(node).collect::<Result<_, _>>()?,
            })
        }
        Asked::RemoveOrganisation { id } => Change::RemoveOrganisation {
            id: organisation(id)?,
        },
        Asked::RotateAdmin {
            organisation: id,
            old,
            new,
        } => Change::RotateAdmin {
            organisation: organisation(id)?,
            old: old.as_deref().map(|text| key(text, "old")).transpose()?,
            new: new.as_deref().map(|text| key(text, "new")).transpose()?,
        },
        Asked::AdmitNode {
            organisation: id,
            node: new,
        } => Change::AdmitNode {
            organisation: organisation(id)?,
            node: node(new)?,
        },
        Asked::RemoveNode { key: text } => Change::RemoveNode {
            key: key(text, "key")?,
        },
        Asked::RotateNode {
            old,
            new,
            new_vote_key,
        } => Change::RotateNode {
            old: key(old, "old")?,
            new: key(new, "new")?,
            new_vote_key: key(new_vote_key, "new_vote_key")?,
        },
        Asked::AdmitValidator { node } => Change::AdmitValidator {
            node: key(node, "node")?,
        },
        Asked::RemoveValidator { node } => Change::RemoveValidator {
            node: key(node, "node")?,
        },
        Asked::SetParameters(rules) => Change::SetParameters(parameters(rules)),
        Asked::SetThresholds(rules) => Change::SetThresholds(thresholds(rules)),
        Asked::MoveNode { key: text, address } => Change::MoveNode {
            key: key(text, "key")?,
            address: address.clone(),
        },
    })
}

/// Writes a change.
pub(crate) fn write(change: &Change) -> Asked {
    let text = PublicKey::to_string;
    match change {
        Change::AdmitOrganisation(new) => Asked::AdmitOrganisation {
            id: new.id.to_string(),
            name: new.name.clone(),
            admins: new.admins.iter().map(text).collect(),
            nodes: new.nodes.iter().map(new_node).collect(),
        },
        Change::RemoveOrganisation { id } => Asked::RemoveOrganisation { id: id.to_string() },
        Change::RotateAdmin {
            organisation,
            old,
            new,
        } => Asked::RotateAdmin {
            organisation: organisation.to_string(),
            old: old.as_ref().map(text),
            new: new.as_ref().map(text),
        },
        Change::AdmitNode { organisation, node } => Asked::AdmitNode {
            organisation: organisation.to_string(),
            node: new_node(node),
        },
        Change::RemoveNode { key } => Asked::RemoveNode { key: text(key) },
        Change::RotateNode {
            old,
            new,
            new_vote_key,
        } => Asked::RotateNode {
            old: text(old),
            new: text(new),
            new_vote_key: text(new_vote_key),
        },
        Change::AdmitValidator { node } => Asked::AdmitValidator { node: text(node) },
        Change::RemoveValidator { node } => Asked::RemoveValidator { node: text(node) },
        Change::SetParameters(rules) => Asked::SetParameters(parameters_view(rules)),
        Change::SetThresholds(rules) => Asked::SetThresholds(thresholds_view(rules)),
        Change::MoveNode { key, address } => Asked::MoveNode {
            key: text(key),
            address: address.clone(),
        },
    }
}

/// Who is who, for titles.
pub(crate) trait Names {
    /// A node's name.
    fn node(&self, key: &PublicKey) -> String;
    /// An organisation's name.
    fn organisation(&self, id: &OrganisationId) -> String;
}

/// A change in words.
pub(crate) fn title(change: &Change, names: &impl Names) -> String {
    match change {
        Change::AdmitOrganisation(new) => format!("Admit {} to the consortium", new.name),
        Change::RemoveOrganisation { id } => format!("Remove {}", names.organisation(id)),
        Change::RotateAdmin {
            organisation,
            old,
            new,
        } => {
            let name = names.organisation(organisation);
            match (old, new) {
                (Some(_), Some(_)) => format!("Replace an admin key of {name}"),
                (None, _) => format!("Add an admin key of {name}"),
                (Some(_), None) => format!("Remove an admin key of {name}"),
            }
        }
        Change::AdmitNode { organisation, node } => {
            let name = names.organisation(organisation);
            format!("Admit {} as a node of {name}", node.name)
        }
        Change::RemoveNode { key } => format!("Remove the node {}", names.node(key)),
        Change::RotateNode { old, .. } => format!("Rotate the keys of {}", names.node(old)),
        Change::AdmitValidator { node } => format!("Admit {} as validator", names.node(node)),
        Change::RemoveValidator { node } => {
            format!("Remove {} from the validators", names.node(node))
        }
        Change::SetParameters(_) => "Change the rules of the ledger".into(),
        Change::SetThresholds(_) => "Change how many voices a change needs".into(),
        Change::MoveNode { key, .. } => format!("Reach {} at another address", names.node(key)),
    }
}

/// The rules as the API writes them.
pub(crate) const fn parameters_view(rules: &Parameters) -> ParametersView {
    ParametersView {
        max_block_bytes: rules.max_block_bytes,
        finality_limit_ms: rules.finality_limit_millis,
        heartbeat_seconds: rules.heartbeat_seconds,
        retention_days: rules.retention.days,
        retention_bytes: rules.retention.bytes,
    }
}

/// The thresholds as the API writes them.
pub(crate) const fn thresholds_view(rules: &Thresholds) -> ThresholdsView {
    const fn view(of: Fraction) -> FractionView {
        FractionView {
            numerator: of.numerator,
            denominator: of.denominator,
        }
    }
    ThresholdsView {
        organisations: view(rules.organisations),
        validators: view(rules.validators),
        nodes: view(rules.nodes),
        parameters: view(rules.parameters),
        thresholds: view(rules.thresholds),
    }
}

const fn parameters(rules: &ParametersView) -> Parameters {
    Parameters {
        max_block_bytes: rules.max_block_bytes,
        finality_limit_millis: rules.finality_limit_ms,
        heartbeat_seconds: rules.heartbeat_seconds,
        retention: Retention {
            days: rules.retention_days,
            bytes: rules.retention_bytes,
        },
    }
}

const fn thresholds(rules: &ThresholdsView) -> Thresholds {
    const fn fraction(of: FractionView) -> Fraction {
        Fraction {
            numerator: of.numerator,
            denominator: of.denominator,
        }
    }
    Thresholds {
        organisations: fraction(rules.organisations),
        validators: fraction(rules.validators),
        nodes: fraction(rules.nodes),
        parameters: fraction(rules.parameters),
        thresholds: fraction(rules.thresholds),
    }
}

fn node(new: &NewNode) -> Result<Node, Failure> {
    Ok(Node {
        key: key(&new.key, "key")?,
        vote_key: key(&new.vote_key, "vote_key")?,
        name: new.name.clone(),
        address: new.address.clone(),
    })
}

fn new_node(node: &Node) -> NewNode {
    NewNode {
        key: node.key.to_string(),
        vote_key: node.vote_key.to_string(),
        name: node.name.clone(),
        address: node.address.clone(),
    }
}

fn keys(texts: &[String], field: &str) -> Result<Vec<PublicKey>, Failure> {
    texts.iter().map(|text| key(text, field)).collect()
}

fn key(text: &str, field: &str) -> Result<PublicKey, Failure> {
    let parsed = text.parse::<PublicKey>().ok();
    parsed
        .filter(PublicKey::is_valid)
        .ok_or_else(|| malformed(field, "a key of 64 hexadecimal digits"))
}

fn organisation(text: &str) -> Result<OrganisationId, Failure> {
    text.parse()
        .map_err(|_| malformed("organisation", "an id of 32 hexadecimal digits"))
}

fn malformed(field: &str, expected: &str) -> Failure {
    Failure::new(
        400,
        "GOV-01",
        "The change was not understood.",
        format!("The field `{field}` does not hold {expected}."),
        "Copy keys and ids whole, from the consortium's page or `fogward consortium status`.",
    )
}

#[cfg(test)]
mod tests {
    //! Goal: what the API writes it reads, for every kind of change. Method: one of each.
    use super::*;
    use ledger_core::SecretKey;

    #[test]
    fn every_change_is_read_as_it_was_written() {
        let key = |seed| SecretKey::from_seed(&[seed; 32]).public();
        let id = OrganisationId([7; 16]);
        let node = Node {
            key: key(1),
            vote_key: key(2),
            name: "quayside-1".into(),
            address: "192.0.2.9:7401".into(),
        };
        let changes = [
            Change::AdmitOrganisation(NewOrganisation {
                id,
                name: "Quayside Lab".into(),
                admins: vec![key(3)],
                nodes: vec![node.clone()],
            }),
            Change::RemoveOrganisation { id },
            Change::RotateAdmin {
                organisation: id,
                old: None,
                new: Some(key(4)),
            },
            Change::AdmitNode {
                organisation: id,
                node,
            },
            Change::RemoveNode { key: key(1) },
            Change::RotateNode {
                old: key(1),
                new: key(5),
                new_vote_key: key(6),
            },
            Change::AdmitValidator { node: key(1) },
            Change::RemoveValidator { node: key(1) },
            Change::SetParameters(Parameters::default()),
            Change::SetThresholds(Thresholds::default()),
            Change::MoveNode {
                key: key(1),
                address: "fog.example:7401".into(),
            },
        ];
        for change in changes {
            let written = write(&change);
            let json = serde_json::to_string(&written).unwrap();
            assert!(
                json.contains(&format!("\"kind\":\"{}\"", change.kind())),
                "{json}"
            );
            assert_eq!(read(&serde_json::from_str(&json).unwrap()).unwrap(), change);
        }
        let wrong = Asked::RemoveNode {
            key: "00".repeat(32),
        };
        assert_eq!(read(&wrong).unwrap_err().status, 400);
    }
}
