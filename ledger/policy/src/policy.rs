//! One policy: its text, and what is wrong with it.

use std::fmt;
use std::str::FromStr as _;
use std::sync::LazyLock;

use cedar_policy::{
    Policy, PolicyId, PolicySet, ResourceConstraint, Schema, ValidationMode, Validator,
};
use miette::Diagnostic;
use serde::{Deserialize, Serialize};

use crate::on_own_stack;
use crate::place::{Place, placed};
use crate::question::uid;

/// Longest text of a policy in bytes.
pub const MAX_POLICY_BYTES: usize = 4096;
/// Most brackets that are open at once, and most `if`s.
const MAX_NESTED: usize = 32;
/// Most signs that chain one expression to another: `&`, `|`, `+`, `-`, `*` and `.`, those in texts among them.
const MAX_CHAINED: usize = 512;
/// How Cedar begins to tell of a policy that has no name yet.
const UNNAMED: &str = "for policy `policy0`";
/// The annotation of a policy under which a person decides: `@approval("needed")`.
const APPROVAL: (&str, &str) = ("approval", "needed");

const SCHEMA_TEXT: &str = include_str!("policy.cedarschema");

static SCHEMA: LazyLock<Schema> = LazyLock::new(|| {
    let schema = Schema::from_cedarschema_str(SCHEMA_TEXT);
    schema.expect("a test reads the schema").0
});

/// What a policy can speak of, in Cedar's language of schemas.
#[must_use]
pub const fn schema_text() -> &'static str {
    SCHEMA_TEXT
}

pub(crate) fn schema() -> &'static Schema {
    &SCHEMA
}

/// What a policy does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Effect {
    /// It allows what no other forbids.
    Permit,
    /// It forbids, whatever others permit.
    Forbid,
}

/// Something wrong with a text, and where.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// What could be done about it, where Cedar knows.
    pub help: Option<String>,
    /// The bytes of the text that it is about: begin, and end after the last. The whole text if unknown.
    pub span: (usize, usize),
}

impl Fault {
    fn new(message: impl Into<String>, text: &str) -> Self {
        Self {
            message: message.into(),
            help: None,
            span: (0, text.len()),
        }
    }

    fn of(found: &dyn Diagnostic, text: &str) -> Self {
        let label = found.labels().and_then(|mut labels| labels.next());
        let span = label.map(|label| (label.offset(), label.offset().saturating_add(label.len())));
        let message = found.to_string();
        let message = message.trim_start_matches(UNNAMED);
        let message = message.trim_start_matches([',', ':', ' ']);
        Self {
            message: message.to_owned(),
            help: found.help().map(|help| help.to_string()),
            span: span.map_or((0, text.len()), |(from, to)| {
                (from.min(text.len()), to.min(text.len()))
            }),
        }
    }
}

/// A policy that fits the schema.
#[derive(Clone)]
pub struct CheckedPolicy {
    /// What decides, in its place.
    pub(crate) policy: Policy,
    pub(crate) place: Place,
}

impl fmt::Debug for CheckedPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CheckedPolicy({})", self.policy.id())
    }
}

impl CheckedPolicy {
    /// Reads the text of one policy and holds it against the schema. `name` is how decisions tell of it.
    ///
    /// # Errors
    /// Every [`Fault`] that is found.
    pub fn read(name: &str, text: &str) -> Result<Self, Vec<Fault>> {
        if text.len() > MAX_POLICY_BYTES {
            let message = format!("a policy has at most {MAX_POLICY_BYTES} bytes; make it two");
            return Err(vec![Fault::new(message, text)]);
        }
        if !is_flat(text) {
            let message = format!(
                "a policy has at most {MAX_NESTED} brackets open at once, as many `if`s, and {MAX_CHAINED} of \
                 the signs & | + - * .; make it two"
            );
            return Err(vec![Fault::new(message, text)]);
        }
        on_own_stack(|| read(name, text))
    }

    /// The same, of a policy that may speak of the data of one subject only.
    ///
    /// # Errors
    /// Every [`Fault`] that is found.
    pub fn read_of_subject(name: &str, text: &str, subject: &str) -> Result<Self, Vec<Fault>> {
        let policy = Self::read(name, text)?;
        let subject = uid("Subject", subject);
        match policy.policy.resource_constraint() {
            ResourceConstraint::In(only) | ResourceConstraint::IsIn(_, only) if only == subject => {
                Ok(policy)
            }
            _ => Err(vec![Fault::new(
                format!(
                    "this policy is about one person's data only: write `resource in {subject}`"
                ),
                text,
            )]),
        }
    }

    /// What it does.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match self.policy.effect() {
            cedar_policy::Effect::Permit => Effect::Permit,
            cedar_policy::Effect::Forbid => Effect::Forbid,
        }
    }

    /// Whether a person must agree to what it permits.
    #[must_use]
    pub fn needs_approval(&self) -> bool {
        needs_approval(&self.policy)
    }
}

pub(crate) fn needs_approval(policy: &Policy) -> bool {
    policy.annotation(APPROVAL.0).is_some()
}

/// Whether the tree of a text is so flat that the stack suffices: Cedar goes down it by recursion, and gives up
/// where the stack ends, or falls.
fn is_flat(text: &str) -> bool {
    let (mut open, mut chained) = (0_usize, 0_usize);
    for byte in text.bytes() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            b'&' | b'|' | b'+' | b'-' | b'*' | b'.' => chained += 1,
            _ => {}
        }
        if open > MAX_NESTED || chained > MAX_CHAINED {
            return false;
        }
    }
    text.matches("if").count() <= MAX_NESTED
}

fn read(name: &str, text: &str) -> Result<CheckedPolicy, Vec<Fault>> {
    let set = PolicySet::from_str(text).map_err(|errors| {
        let faults = errors.iter().map(|error| Fault::of(error, text));
        faults.collect::<Vec<_>>()
    })?;
    let mut policies = set.policies();
    let (Some(policy), None) = (policies.next(), policies.next()) else {
        return Err(vec![Fault::new("one text holds one policy", text)]);
    };
    if set.num_of_templates() > 0 {
        let message = "a policy says whom it is about; placeholders are not filled in";
        return Err(vec![Fault::new(message, text)]);
    }
    let needed = policy.annotation(APPROVAL.0);
    if needed.is_some_and(|needed| needed != APPROVAL.1) {
        return Err(vec![Fault::new("write `@approval(\"needed\")`", text)]);
    }
    if needed.is_some() && policy.effect() == cedar_policy::Effect::Forbid {
        let message = "what is forbidden needs no approval; only a permit has `@approval`";
        return Err(vec![Fault::new(message, text)]);
    }
    let found = Validator::new(schema().clone()).validate(&set, ValidationMode::Strict);
    let mut faults: Vec<_> = found
        .validation_errors()
        .map(|error| Fault::of(error, text))
        .collect();
    // What can never apply, and letters that look like others, are mistakes, too.
    faults.extend(
        found
            .validation_warnings()
            .map(|warning| Fault::of(warning, text)),
    );
    // Cedar tells them in any order.
    faults.sort_by(|one, next| (one.span, &one.message).cmp(&(next.span, &next.message)));
    match faults.is_empty() {
        true => {
            let (place, policy) = placed(policy.new_id(PolicyId::new(name)));
            Ok(CheckedPolicy { policy, place })
        }
        false => Err(faults),
    }
}
