//! Policies in plain words: a form of fields that all hold together, written as Cedar and read back from it.
//!
//! What is written by hand may be anything, and is shown as it is. A text is read as a rule only if the rule would
//! write just that text, so no words are shown that a text does not mean.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::policy::Effect;
use crate::question::{Purpose, Relation, Resolution, Role};

/// A policy in plain words. An empty set, or none, leaves open what it is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// Whether it permits or forbids.
    pub effect: Effect,
    /// People with one of these roles.
    pub roles: BTreeSet<Role>,
    /// Who are this to the subject.
    pub relation: Option<Relation>,
    /// One of these metrics, by LOINC code.
    pub metrics: BTreeSet<String>,
    /// For one of these purposes.
    pub purposes: BTreeSet<Purpose>,
    /// At this resolution.
    pub resolution: Option<Resolution>,
    /// Of so many last days, today counted.
    pub last_days: Option<u32>,
    /// From one hour of the day to before another, in Coordinated Universal Time.
    pub hours: Option<(u8, u8)>,
    /// Only while the glass is broken.
    pub emergency: bool,
    /// Only if a person agrees.
    pub needs_approval: bool,
}

impl Rule {
    /// A rule about everybody and everything.
    #[must_use]
    pub const fn new(effect: Effect) -> Self {
        Self {
            effect,
            roles: BTreeSet::new(),
            relation: None,
            metrics: BTreeSet::new(),
            purposes: BTreeSet::new(),
            resolution: None,
            last_days: None,
            hours: None,
            emergency: false,
            needs_approval: false,
        }
    }

    /// The rule in Cedar.
    #[must_use]
    pub fn to_text(&self) -> String {
        let effect = match self.effect {
            Effect::Permit => "permit",
            Effect::Forbid => "forbid",
        };
        let mut text = String::new();
        if self.needs_approval {
            text.push_str("@approval(\"needed\")\n");
        }
        let who = match self.roles.first() {
            Some(role) if self.roles.len() == 1 => {
                format!("principal in Role::\"{}\"", role.word())
            }
            _ => "principal".to_owned(),
        };
        // Writing to a string does not fail.
        let _ = write!(text, "{effect}({who}, action, resource)");
        let conditions = self.conditions();
        if !conditions.is_empty() {
            let _ = write!(text, "\nwhen {{\n    {}\n}}", conditions.join(" &&\n    "));
        }
        text.push_str(";\n");
        text
    }

    fn conditions(&self) -> Vec<String> {
        let mut conditions = Vec::new();
        if self.roles.len() > 1 {
            let roles = listed(
                self.roles
                    .iter()
                    .map(|role| format!("Role::\"{}\"", role.word())),
            );
            conditions.push(format!("principal in {roles}"));
        }
        if let Some(relation) = self.relation {
            let word = relation.word();
            conditions.push(format!("context.relations.contains(Relation::\"{word}\")"));
        }
        if !self.metrics.is_empty() {
            let metrics = listed(self.metrics.iter().map(|metric| format!("\"{metric}\"")));
            conditions.push(format!("{metrics}.contains(resource.metric)"));
        }
        if !self.purposes.is_empty() {
            let purposes = self
                .purposes
                .iter()
                .map(|one| format!("Purpose::\"{}\"", one.word()));
            conditions.push(format!("{}.contains(context.purpose)", listed(purposes)));
        }
        if let Some(resolution) = self.resolution {
            let word = resolution.word();
            conditions.push(format!("context.resolution == Resolution::\"{word}\""));
        }
        if let Some(days) = self.last_days {
            conditions.push(format!("context.age_days <= {days}"));
        }
        if let Some((from, to)) = self.hours {
            conditions.push(format!("context.hour >= {from}"));
            conditions.push(format!("context.hour < {to}"));
        }
        if self.emergency {
            conditions.push("context.emergency".to_owned());
        }
        conditions
    }

    /// The rule that writes just this text, if one does.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let mut rule = Self::new(Effect::Permit);
        for line in text.lines() {
            let line = line.trim();
            rule.read_line(line.strip_suffix(" &&").unwrap_or(line))?;
        }
        (rule.to_text() == text).then_some(rule)
    }

    /// Takes what a line says. None if no rule writes such a line.
    fn read_line(&mut self, line: &str) -> Option<()> {
        let between = |start, end| line.strip_prefix(start)?.strip_suffix(end);
        let word = |start| {
            between(start, "\"")?
                .split_once("::\"")
                .map(|(_, word)| word)
        };
        if let Some(head) = line
            .strip_prefix("permit(")
            .or_else(|| line.strip_prefix("forbid("))
        {
            self.effect = match line.starts_with('f') {
                true => Effect::Forbid,
                false => Effect::Permit,
            };
            if let Some(role) = head.strip_prefix("principal in Role::\"") {
                self.roles = [Role::from_word(role.split_once('"')?.0)?].into();
            }
        } else if let Some(relation) = between("context.relations.contains(Relation::\"", "\")") {
            self.relation = Some(Relation::from_word(relation)?);
        } else if let Some(metrics) = between("[", "].contains(resource.metric)") {
            let codes = metrics
                .split(", ")
                .map(|metric| metric.trim_matches('"').to_owned());
            self.metrics = codes.collect();
        } else if let Some(purposes) = between("[", "].contains(context.purpose)") {
            self.purposes = words(purposes, Purpose::from_word)?;
        } else if let Some(roles) = between("principal in [", "]") {
            self.roles = words(roles, Role::from_word)?;
        } else if let Some(resolution) = word("context.resolution == ") {
            self.resolution = Some(Resolution::from_word(resolution)?);
        } else if let Some(days) = line.strip_prefix("context.age_days <= ") {
            self.last_days = Some(days.parse().ok()?);
        } else if let Some(from) = line.strip_prefix("context.hour >= ") {
            self.hours = Some((from.parse().ok()?, 0));
        } else if let Some(to) = line.strip_prefix("context.hour < ") {
            self.hours = Some((self.hours?.0, to.parse().ok()?));
        } else {
            match line {
                "context.emergency" => self.emergency = true,
                "@approval(\"needed\")" => self.needs_approval = true,
                // What stands around the conditions; whether it does so in the right order is seen in the end.
                "when {" | "};" => {}
                _ => return None,
            }
        }
        Some(())
    }

    /// The rule as a sentence; `metric` names what a LOINC code measures.
    #[must_use]
    pub fn words(&self, metric: impl Fn(&str) -> String) -> String {
        let one_of = |words: Vec<String>, all: &str| match words.split_last() {
            None => all.to_owned(),
            Some((last, [])) => last.clone(),
            Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        };
        let roles = self.roles.iter().map(|role| role.plural().to_owned());
        let mut said = capital(&one_of(roles.collect(), "all people"));
        if let Some(relation) = self.relation {
            let _ = write!(said, " {}", relation.clause());
        }
        said.push_str(match self.effect {
            Effect::Permit => " may see ",
            Effect::Forbid => " may not see ",
        });
        if self.resolution == Some(Resolution::Aggregate) {
            said.push_str("statistics of ");
        }
        let metrics = self.metrics.iter().map(|code| metric(code)).collect();
        let all = match self.effect {
            Effect::Permit => "everything",
            Effect::Forbid => "anything",
        };
        said.push_str(&one_of(metrics, all));
        if self.resolution == Some(Resolution::Raw) {
            said.push_str(" as measured");
        }
        if let Some(days) = self.last_days {
            let _ = match days {
                1 => write!(said, ", of the last day"),
                _ => write!(said, ", of the last {days} days"),
            };
        }
        if !self.purposes.is_empty() {
            let purposes = self.purposes.iter().map(|one| one.word().replace('_', " "));
            let _ = write!(said, ", for {}", one_of(purposes.collect(), ""));
        }
        if let Some((from, to)) = self.hours {
            let _ = write!(said, ", from {from}:00 to {to}:00 UTC");
        }
        if self.emergency {
            said.push_str(", in an emergency");
        }
        if self.needs_approval {
            said.push_str(", if a person agrees");
        }
        said.push('.');
        said
    }
}

impl Role {
    /// Several people of this role, as a sentence names them.
    #[must_use]
    pub const fn plural(self) -> &'static str {
        match self {
            Self::Admin => "admins",
            Self::Physician => "physicians",
            Self::Nurse => "nurses",
            Self::Technician => "technicians",
            Self::Researcher => "researchers",
            Self::Auditor => "auditors",
            Self::Patient => "patients",
        }
    }
}

impl Relation {
    /// What follows people who are this to the subject, in a sentence.
    #[must_use]
    pub const fn clause(self) -> &'static str {
        match self {
            Self::Treating => "who treat the patient",
            Self::Oneself => "whose own data they are",
            Self::Guardian => "who act for the patient by law",
        }
    }
}

fn listed(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// The words of a list of entities of one type.
fn words<T: Ord>(list: &str, from_word: fn(&str) -> Option<T>) -> Option<BTreeSet<T>> {
    let word = |entity: &str| from_word(entity.split_once("::\"")?.1.strip_suffix('"')?);
    list.split(", ").map(word).collect()
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}
