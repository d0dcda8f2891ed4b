//! What is asked of a contract: who, what of whom, why, when.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use cedar_policy::{
    Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Request, RestrictedExpression,
};
use serde::{Deserialize, Serialize};

/// Words that stand in the schema as members of an enumerated type. New ones go to the end: their numbers are on
/// the ledger.
macro_rules! words {
    ($(#[$about:meta])* $name:ident, $type:literal, { $($(#[$of:meta])* $word:ident = $text:literal),+ $(,)? }) => {
        $(#[$about])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
        pub enum $name { $($(#[$of])* $word),+ }

        impl $name {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$word),+];

            /// The word in a policy.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$word => $text),+ }
            }

            /// The one with this word.
            #[must_use]
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }

            pub(crate) fn uid(self) -> EntityUid {
                uid($type, self.word())
            }
        }
    };
}

words!(
    /// What a person may be in an organisation.
    Role, "Role", {
        /// Manages people and policies.
        Admin = "admin",
        /// Treats.
        Physician = "physician",
        /// Cares.
        Nurse = "nurse",
        /// Looks after devices and nodes.
        Technician = "technician",
        /// Studies.
        Researcher = "researcher",
        /// Verifies what was done.
        Auditor = "auditor",
        /// Whose data they are.
        Patient = "patient",
    }
);

words!(
    /// What for, after the purposes of use of HL7 (value set `v3-PurposeOfUse`).
    Purpose, "Purpose", {
        /// `TREAT`.
        Treatment = "treatment",
        /// `PATRQT`.
        PatientRequest = "patient_request",
        /// `HRESCH`.
        Research = "research",
        /// `HQUALIMP`.
        Quality = "quality",
        /// `HPAYMT`.
        Payment = "payment",
    }
);

words!(
    /// What the asker is to the subject.
    Relation, "Relation", {
        /// Takes part in the treatment.
        Treating = "treating",
        /// Is the subject.
        Oneself = "self",
        /// Acts for the subject by law.
        Guardian = "guardian",
    }
);

words!(
    /// How finely data are disclosed.
    Resolution, "Resolution", {
        /// As measured.
        Raw = "raw",
        /// Statistics over spans of time only.
        Aggregate = "aggregate",
    }
);

/// Whether somebody may read one metric of somebody's data.
///
/// Texts that name people and organisations are compared as they are: give every name in one form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question<'a> {
    /// Who asks, by handle.
    pub person: &'a str,
    /// The asker's organisation, by id.
    pub organisation: &'a str,
    /// What the asker is there.
    pub roles: &'a BTreeSet<Role>,
    /// Whose data they are, by handle.
    pub subject: &'a str,
    /// Which organisation holds them, by id.
    pub holder: &'a str,
    /// What was measured: a LOINC code.
    pub metric: &'a str,
    /// What for.
    pub purpose: Purpose,
    /// What the asker is to the subject.
    pub relations: &'a BTreeSet<Relation>,
    /// How finely.
    pub resolution: Resolution,
    /// Whether the glass is broken.
    pub emergency: bool,
    /// When it is asked, in Unix milliseconds.
    pub now_millis: u64,
    /// The period's begin in Unix milliseconds.
    pub from_millis: u64,
    /// The period's end in Unix milliseconds, itself not in it.
    pub until_millis: u64,
}

const HOUR_MILLIS: u64 = 3_600_000;
const DAY_MILLIS: u64 = 24 * HOUR_MILLIS;

impl Question<'_> {
    pub(crate) fn person_uid(&self) -> EntityUid {
        uid("Person", self.person)
    }

    /// The groups of principals that the asker belongs to, itself first.
    pub(crate) fn principals(&self) -> impl Iterator<Item = EntityUid> {
        let roles = self.roles.iter().map(|role| role.uid());
        [self.person_uid(), uid("Organisation", self.organisation)]
            .into_iter()
            .chain(roles)
    }

    /// The question as Cedar takes it. `None` if it cannot be put.
    pub(crate) fn asked(&self) -> Option<(Request, Entities)> {
        let person = Entity::new(
            self.person_uid(),
            [].into(),
            self.principals().skip(1).collect(),
        );
        let subject = uid("Subject", self.subject);
        let holder = [uid("Organisation", self.holder)].into();
        let part = Entity::new(
            uid("Part", self.metric),
            [("metric".to_owned(), text(self.metric))].into(),
            [subject.clone()].into(),
        );
        let subject = Entity::new_no_attrs(subject, holder);
        let entities = [person.ok()?, subject, part.ok()?];
        // Without a schema: the types hold by construction, which a test compares with the schema.
        let entities = Entities::from_entities(entities, None).ok()?;
        let request = Request::new(
            self.person_uid(),
            uid("Action", "read"),
            uid("Part", self.metric),
            self.context()?,
            None,
        );
        Some((request.ok()?, entities))
    }

    fn context(&self) -> Option<Context> {
        let relations = self.relations.iter();
        let relations = relations.map(|one| RestrictedExpression::new_entity_uid(one.uid()));
        let long = |number: u64| i64::try_from(number).ok();
        let days = |millis: u64| long(millis.div_ceil(DAY_MILLIS)).map(number);
        let hours = self.now_millis / HOUR_MILLIS;
        // The first day of Unix time was a Thursday.
        let weekday = (hours / 24 + 3) % 7 + 1;
        let pairs = [
            (
                "purpose",
                RestrictedExpression::new_entity_uid(self.purpose.uid()),
            ),
            ("relations", RestrictedExpression::new_set(relations)),
            (
                "resolution",
                RestrictedExpression::new_entity_uid(self.resolution.uid()),
            ),
            ("emergency", RestrictedExpression::new_bool(self.emergency)),
            (
                "age_days",
                days(self.now_millis.saturating_sub(self.from_millis))?,
            ),
            (
                "span_days",
                days(self.until_millis.saturating_sub(self.from_millis))?,
            ),
            ("hour", number(long(hours % 24)?)),
            ("weekday", number(long(weekday)?)),
        ];
        Context::from_pairs(pairs.map(|(name, value)| (name.to_owned(), value))).ok()
    }
}

fn number(number: i64) -> RestrictedExpression {
    RestrictedExpression::new_long(number)
}

fn text(text: &str) -> RestrictedExpression {
    RestrictedExpression::new_string(text.to_owned())
}

/// An entity of one of the schema's types.
pub(crate) fn uid(of: &'static str, id: &str) -> EntityUid {
    /// Each question names a dozen entities; Cedar's parser reads their types once.
    static TYPES: Mutex<BTreeMap<&str, EntityTypeName>> = Mutex::new(BTreeMap::new());
    let mut types = TYPES.lock().unwrap_or_else(PoisonError::into_inner);
    let name = types
        .entry(of)
        .or_insert_with(|| of.parse().expect("a type of the schema is a name"));
    EntityUid::from_type_name_and_id(name.clone(), EntityId::new(id))
}
