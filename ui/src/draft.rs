//! A change that is being written: what may be chosen, what is typed, and what comes of it.
//!
//! Only what is plainly a mistake is refused here (no number, outside what the ledger allows); whether a
//! change is wise is the preflight's to say, and whether it is allowed the node's.

use fog_api::consortium::{Change, ConsortiumView, FractionView, ParametersView};
use ledger_core::parameters::{Parameters, Retention};

use crate::words::consortium::fraction_words;

/// What kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An observer becomes a validator.
    AdmitValidator,
    /// A validator becomes an observer.
    RemoveValidator,
    /// A node leaves.
    RemoveNode,
    /// An organisation leaves with its nodes.
    RemoveOrganisation,
    /// The rules.
    Rules,
    /// The voices a change needs.
    Thresholds,
}

/// One thing a change may be about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its key.
    pub key: String,
    /// Its name.
    pub label: String,
    /// What else tells it apart.
    pub beside: String,
}

impl Kind {
    /// All of them, what one does most often first.
    pub const ALL: [Self; 6] = [
        Self::AdmitValidator,
        Self::RemoveValidator,
        Self::RemoveNode,
        Self::RemoveOrganisation,
        Self::Rules,
        Self::Thresholds,
    ];

    /// Its name for tests and scripts.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::AdmitValidator => "admit-validator",
            Self::RemoveValidator => "remove-validator",
            Self::RemoveNode => "remove-node",
            Self::RemoveOrganisation => "remove-organisation",
            Self::Rules => "rules",
            Self::Thresholds => "thresholds",
        }
    }

    /// What it does.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::AdmitValidator => "Admit a validator",
            Self::RemoveValidator => "Take a validator’s seat away",
            Self::RemoveNode => "Remove a node",
            Self::RemoveOrganisation => "Remove an organisation",
            Self::Rules => "Change the rules",
            Self::Thresholds => "Change how many voices it takes",
        }
    }

    /// What it means.
    #[must_use]
    pub const fn hint(self) -> &'static str {
        match self {
            Self::AdmitValidator => "An observer begins to sign blocks.",
            Self::RemoveValidator => "It stops signing and goes on as an observer.",
            Self::RemoveNode => "It leaves, and its seat with it. Its records stay.",
            Self::RemoveOrganisation => {
                "It leaves with all its nodes and its voice. Its records stay."
            }
            Self::Rules => "Finality, size of blocks, heartbeat, how long transactions are kept.",
            Self::Thresholds => "By kind of change.",
        }
    }

    /// What stands there when nothing can be chosen.
    #[must_use]
    pub const fn nothing(self) -> &'static str {
        match self {
            Self::AdmitValidator => "There is no observer. Invite a node first.",
            Self::RemoveValidator | Self::RemoveNode => "There is no other node.",
            Self::RemoveOrganisation => "There is no other organisation.",
            Self::Rules | Self::Thresholds => "",
        }
    }

    /// Whether it takes something away, so that one is asked again.
    #[must_use]
    pub const fn removes(self) -> bool {
        matches!(
            self,
            Self::RemoveValidator | Self::RemoveNode | Self::RemoveOrganisation
        )
    }

    /// Whether one of several things is chosen, rather than written.
    #[must_use]
    pub const fn is_choice(self) -> bool {
        !matches!(self, Self::Rules | Self::Thresholds)
    }

    /// What may be chosen.
    #[must_use]
    pub fn choices(self, view: &ConsortiumView) -> Vec<Choice> {
        if self == Self::RemoveOrganisation {
            let rows = view
                .organisations
                .iter()
                .filter(|row| row.removed.is_none());
            let choices: Vec<Choice> = rows
                .map(|row| Choice {
                    key: row.id.clone(),
                    label: row.name.clone(),
                    beside: crate::words::number::count(nodes_of(view, &row.id), "node", "nodes"),
                })
                .collect();
            return if choices.len() > 1 {
                choices
            } else {
                Vec::new()
            };
        }
        let fits = |validator: bool| match self {
            Self::AdmitValidator => !validator,
            Self::RemoveValidator => validator,
            Self::RemoveNode => true,
            _ => false,
        };
        let choices: Vec<Choice> = view
            .nodes
            .iter()
            .filter(|node| fits(node.validator))
            .map(|node| Choice {
                key: node.key.clone(),
                label: node.name.clone(),
                beside: format!(
                    "{}, {}",
                    organisation(view, &node.organisation),
                    if node.here {
                        "this node"
                    } else if node.heard {
                        "heard now"
                    } else {
                        "silent"
                    }
                ),
            })
            .collect();
        let least = if self == Self::AdmitValidator { 1 } else { 2 };
        if choices.len() >= least {
            choices
        } else {
            Vec::new()
        }
    }

    /// The change about the chosen thing; `None` for what is written.
    #[must_use]
    pub fn change(self, chosen: &str) -> Option<Change> {
        let key = chosen.to_owned();
        match self {
            _ if key.is_empty() => None,
            Self::AdmitValidator => Some(Change::AdmitValidator { node: key }),
            Self::RemoveValidator => Some(Change::RemoveValidator { node: key }),
            Self::RemoveNode => Some(Change::RemoveNode { key }),
            Self::RemoveOrganisation => Some(Change::RemoveOrganisation { id: key }),
            Self::Rules | Self::Thresholds => None,
        }
    }

    /// The button that sends it: its effect.
    #[must_use]
    pub fn effect(self, name: &str) -> String {
        match self {
            Self::AdmitValidator => format!("Propose to admit {name}"),
            Self::RemoveValidator => format!("Propose to take {name}’s seat"),
            Self::RemoveNode | Self::RemoveOrganisation => format!("Propose to remove {name}"),
            Self::Rules => "Propose these rules".to_owned(),
            Self::Thresholds => "Propose these thresholds".to_owned(),
        }
    }
}

/// Whether this organisation's own voice, which proposing gives, decides the change at once: it is the
/// only one, or the change is about its own node.
#[must_use]
pub fn decides_alone(kind: Kind, chosen: &str, view: &ConsortiumView) -> bool {
    let own = || {
        let mut nodes = view.nodes.iter();
        nodes.any(|node| {
            node.key == chosen && view.me.organisation.as_ref() == Some(&node.organisation)
        })
    };
    crate::words::consortium::organisations(view) == 1 || kind == Kind::RemoveNode && own()
}

/// An organisation's name; its id where it is not known.
#[must_use]
pub fn organisation(view: &ConsortiumView, id: &str) -> String {
    let known = view.organisations.iter().find(|row| row.id == id);
    known.map_or_else(|| id.to_owned(), |row| row.name.clone())
}

/// Nodes of an organisation.
#[must_use]
pub fn nodes_of(view: &ConsortiumView, id: &str) -> u64 {
    let nodes = view.nodes.iter().filter(|node| node.organisation == id);
    nodes.count() as u64
}

/// The rules as they are typed.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RulesText {
    /// Milliseconds.
    pub finality: String,
    /// Kilobytes.
    pub block: String,
    /// Seconds.
    pub heartbeat: String,
    /// Days; 0 for no bound.
    pub days: String,
    /// Gigabytes; 0 for no bound.
    pub gigabytes: String,
}

impl RulesText {
    /// The rules in force, to be changed.
    #[must_use]
    pub fn of(rules: &ParametersView) -> Self {
        Self {
            finality: rules.finality_limit_ms.to_string(),
            block: (f64::from(rules.max_block_bytes) / 1e3).to_string(),
            heartbeat: rules.heartbeat_seconds.to_string(),
            days: rules.retention_days.to_string(),
            gigabytes: (rules.retention_bytes as f64 / 1e9).to_string(),
        }
    }

    /// The rules they mean, or what is wrong with them.
    ///
    /// # Errors
    /// A sentence that says which field and what it may be.
    pub fn read(&self) -> Result<ParametersView, &'static str> {
        let rules = ParametersView {
            finality_limit_ms: whole(&self.finality)
                .ok_or("“Final within” is a whole number of milliseconds.")?,
            max_block_bytes: scaled(&self.block, 1e3)
                .and_then(|bytes| u32::try_from(bytes).ok())
                .ok_or("“Largest block” is a number of kilobytes.")?,
            heartbeat_seconds: whole(&self.heartbeat)
                .ok_or("“Sign of life” is a whole number of seconds.")?,
            retention_days: whole(&self.days)
                .ok_or("“Keep transactions, days” is a whole number; 0 keeps all.")?,
            retention_bytes: scaled(&self.gigabytes, 1e9)
                .ok_or("“Keep transactions, GB” is a number; 0 keeps all.")?,
        };
        let meant = Parameters {
            max_block_bytes: rules.max_block_bytes,
            finality_limit_millis: rules.finality_limit_ms,
            heartbeat_seconds: rules.heartbeat_seconds,
            retention: Retention {
                days: rules.retention_days,
                bytes: rules.retention_bytes,
            },
        };
        if meant.may_be_voted() {
            Ok(rules)
        } else {
            Err(
                "One of these is outside what the ledger allows: up to 60 000 ms, blocks that hold the largest transaction, a sign of life each day, at least 0.07 GB or 0.",
            )
        }
    }
}

fn whole(text: &str) -> Option<u32> {
    text.trim().parse().ok()
}

/// A decimal number of units, in bytes.
fn scaled(text: &str, unit: f64) -> Option<u64> {
    let value: f64 = text.trim().replace(',', ".").parse().ok()?;
    let bytes = (value * unit).round();
    // 2^53: beyond it not every whole number has a float.
    (0.0..9.0e15).contains(&bytes).then_some(bytes as u64)
}

/// Fractions that a person picks from, and the one in force.
#[must_use]
pub fn fractions(in_force: FractionView) -> Vec<(String, String, FractionView)> {
    let mut all: Vec<FractionView> = [(1, 2), (2, 3), (3, 4)]
        .map(|(numerator, denominator)| FractionView {
            numerator,
            denominator,
        })
        .to_vec();
    if !all.contains(&in_force) {
        all.push(in_force);
    }
    all.into_iter()
        .map(|fraction| {
            (
                format!("{}/{}", fraction.numerator, fraction.denominator),
                format!("more than {}", fraction_words(fraction)),
                fraction,
            )
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> ParametersView {
        ParametersView {
            max_block_bytes: 524_288,
            finality_limit_ms: 500,
            heartbeat_seconds: 300,
            retention_days: 0,
            retention_bytes: 0,
        }
    }

    /// The rules in force read back as they are, so that an unchanged field changes nothing.
    #[test]
    fn rules_read_back() {
        assert_eq!(RulesText::of(&rules()).read(), Ok(rules()));
        let kept = ParametersView {
            retention_days: 90,
            retention_bytes: 123_456_789,
            ..rules()
        };
        assert_eq!(RulesText::of(&kept).read(), Ok(kept));
    }

    /// A field that is no number, or outside the ledger's bounds, is named instead of sent.
    #[test]
    fn wrong_rules_are_refused() {
        let text = RulesText::of(&rules());
        for wrong in [
            RulesText {
                finality: "soon".to_owned(),
                ..text.clone()
            },
            RulesText {
                finality: "0".to_owned(),
                ..text.clone()
            },
            RulesText {
                block: "-1".to_owned(),
                ..text.clone()
            },
            RulesText {
                block: "1".to_owned(),
                ..text.clone()
            },
            RulesText {
                heartbeat: "90000".to_owned(),
                ..text.clone()
            },
            RulesText {
                gigabytes: "NaN".to_owned(),
                ..text.clone()
            },
            RulesText {
                gigabytes: "0.001".to_owned(),
                ..text.clone()
            },
        ] {
            assert!(wrong.read().is_err(), "{wrong:?}");
        }
        let comma = RulesText {
            gigabytes: " 1,5 ".to_owned(),
            ..text
        };
        assert_eq!(
            comma.read().map(|rules| rules.retention_bytes),
            Ok(1_500_000_000)
        );
    }

    /// The chosen key goes into the change of its kind; nothing chosen is no change.
    #[test]
    fn choices_become_changes() {
        assert_eq!(
            Kind::RemoveNode.change("ab"),
            Some(Change::RemoveNode {
                key: "ab".to_owned()
            })
        );
        assert_eq!(Kind::AdmitValidator.change(""), None);
        assert_eq!(Kind::Rules.change("ab"), None);
        assert_eq!(
            Kind::RemoveNode.effect("harbour-2"),
            "Propose to remove harbour-2"
        );
    }

    /// A fraction of the genesis that nobody would pick stays among those offered.
    #[test]
    fn the_fraction_in_force_is_offered() {
        let odd = FractionView {
            numerator: 5,
            denominator: 9,
        };
        let offered = fractions(odd);
        assert_eq!(offered.len(), 4);
        assert_eq!(offered[3].1, "more than 5/9");
        assert_eq!(fractions(offered[0].2).len(), 3);
    }
}
