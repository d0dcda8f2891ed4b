//! What a simulation answers, in few lines: hundreds of single answers become parts, each of which is *these people
//! × these metrics × these reasons* and is answered alike.
//!
//! Parts never overlap, and together they are just the answers, so nothing is said that was not asked. They are not
//! always as few as could be, which would cost more than it tells.

use std::collections::BTreeMap;

use fog_api::{PolicyOutcome, SimulatedAccess, SimulatedDecision};
use ledger_policy::{Purpose, Relation, Resolution, Role};

/// What a question is made of; each has a set of choices.
const KINDS: usize = 6;
const ROLE: usize = 0;
const RELATION: usize = 1;
const METRIC: usize = 2;
const PURPOSE: usize = 3;
const RESOLUTION: usize = 4;
const GLASS: usize = 5;

/// Which kinds are gathered first: why and how before what, what before who.
const ORDER: [usize; KINDS] = [GLASS, RESOLUTION, PURPOSE, METRIC, RELATION, ROLE];

/// Questions that are answered alike: every mix of its choices. A set is kept as bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Part([u32; KINDS]);

impl Part {
    /// The one question of a row. None if it has a word that this console does not know.
    fn of(row: &SimulatedAccess, metrics: &[String]) -> Option<Self> {
        let relation = match &row.relation {
            None => 0,
            Some(word) => 1 + place(Relation::ALL, Relation::from_word(word)?)?,
        };
        let places = [
            place(Role::ALL, Role::from_word(&row.role)?)?,
            relation,
            place(metrics, row.metric.clone())?,
            place(Purpose::ALL, Purpose::from_word(&row.purpose)?)?,
            place(Resolution::ALL, Resolution::from_word(&row.resolution)?)?,
            u32::from(row.emergency),
        ];
        let mut bits = [0; KINDS];
        for (bits, place) in bits.iter_mut().zip(places) {
            *bits = 1_u32.checked_shl(place)?;
        }
        Some(Self(bits))
    }

    fn has(&self, kind: usize, place: usize) -> bool {
        let bits = self.0.get(kind).copied().unwrap_or_default();
        u32::try_from(place).is_ok_and(|place| bits.checked_shr(place).unwrap_or(0) & 1 == 1)
    }

    fn some<T: Copy>(&self, kind: usize, all: &[T]) -> Vec<T> {
        let places = all.iter().enumerate();
        let chosen = places.filter(|(place, _)| self.has(kind, *place));
        chosen.map(|(_, one)| *one).collect()
    }

    /// People of these roles.
    #[must_use]
    pub fn roles(&self) -> Vec<Role> {
        self.some(ROLE, Role::ALL)
    }

    /// Who are this to the subject, or nothing.
    #[must_use]
    pub fn relations(&self) -> Vec<Option<Relation>> {
        let nothing = self.has(RELATION, 0).then_some(None);
        let all = Relation::ALL.iter().enumerate();
        let chosen = all.filter(|(place, _)| self.has(RELATION, place + 1));
        nothing
            .into_iter()
            .chain(chosen.map(|(_, one)| Some(*one)))
            .collect()
    }

    /// Which of the metrics that were asked for, by place.
    #[must_use]
    pub fn has_metric(&self, place: usize) -> bool {
        self.has(METRIC, place)
    }

    /// For these purposes.
    #[must_use]
    pub fn purposes(&self) -> Vec<Purpose> {
        self.some(PURPOSE, Purpose::ALL)
    }

    /// At these resolutions.
    #[must_use]
    pub fn resolutions(&self) -> Vec<Resolution> {
        self.some(RESOLUTION, Resolution::ALL)
    }

    /// With the glass whole, broken, or either.
    #[must_use]
    pub fn glass(&self) -> Vec<bool> {
        self.some(GLASS, &[false, true])
    }
}

fn place<T: PartialEq>(all: &[T], one: T) -> Option<u32> {
    let place = all.iter().position(|other| *other == one)?;
    u32::try_from(place).ok()
}

/// The parts that questions make up.
fn gathered(mut parts: Vec<Part>) -> Vec<Part> {
    for kind in ORDER {
        let mut alike: BTreeMap<Part, u32> = BTreeMap::new();
        for Part(mut bits) in parts {
            let choices = bits.get_mut(kind).map(std::mem::take).unwrap_or_default();
            *alike.entry(Part(bits)).or_default() |= choices;
        }
        let whole = alike.into_iter().map(|(Part(mut bits), choices)| {
            if let Some(place) = bits.get_mut(kind) {
                *place = choices;
            }
            Part(bits)
        });
        parts = whole.collect();
    }
    parts
}

/// Rows gathered by what is said of them; a row of which nothing is said is left out. None if one has a word that
/// this console does not know.
fn gathered_by<K: Ord>(
    rows: &[SimulatedAccess],
    metrics: &[String],
    said: impl Fn(&SimulatedAccess) -> Option<K>,
) -> Option<Vec<(K, Vec<Part>)>> {
    let mut alike: BTreeMap<K, Vec<Part>> = BTreeMap::new();
    for row in rows {
        if let Some(said) = said(row) {
            let part = Part::of(row, metrics)?;
            alike.entry(said).or_default().push(part);
        }
    }
    let gather = |(said, parts)| (said, gathered(parts));
    Some(alike.into_iter().map(gather).collect())
}

/// What may be seen, and by which policies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// Whether a person must agree first.
    pub needs_approval: bool,
    /// The policies that permit it, by name.
    pub by: Vec<String>,
    /// Who, what and why.
    pub part: Part,
}

/// Whether a decision lets something be seen, and whether only once a person agrees.
const fn needs_approval(outcome: PolicyOutcome) -> Option<bool> {
    match outcome {
        PolicyOutcome::Permitted => Some(false),
        PolicyOutcome::NeedsApproval => Some(true),
        PolicyOutcome::Forbidden | PolicyOutcome::NotPermitted => None,
    }
}

/// What may be seen according to one of a row's two decisions, of the rows that are `meant`; what needs nobody's
/// agreement first. None if a row has a word that this console does not know.
#[must_use]
pub fn answers(
    rows: &[SimulatedAccess],
    metrics: &[String],
    decision: fn(&SimulatedAccess) -> &SimulatedDecision,
    meant: impl Fn(&SimulatedAccess) -> bool,
) -> Option<Vec<Answer>> {
    let said = |row: &SimulatedAccess| {
        let SimulatedDecision { outcome, by } = decision(row);
        let needs_approval = needs_approval(*outcome)?;
        meant(row).then(|| (needs_approval, by.clone()))
    };
    let alike = gathered_by(rows, metrics, said)?.into_iter();
    let answers = alike.flat_map(|((needs_approval, by), parts)| {
        parts.into_iter().map(move |part| Answer {
            needs_approval,
            by: by.clone(),
            part,
        })
    });
    Some(answers.collect())
}

/// What becomes of an answer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Change {
    /// It may be seen from then on.
    Seen,
    /// It may be seen from then on, once a person agrees.
    SeenOnceAgreed,
    /// It may not be seen any more.
    NotSeen,
    /// It may be seen with no person's agreement from then on.
    Freed,
    /// A person must agree from then on.
    Bound,
}

/// What a draft would change. None if a row has a word that this console does not know.
#[must_use]
pub fn changes(rows: &[SimulatedAccess], metrics: &[String]) -> Option<Vec<(Change, Part)>> {
    let said = |row: &SimulatedAccess| match (
        needs_approval(row.now.outcome),
        needs_approval(row.then.outcome),
    ) {
        (None, Some(false)) => Some(Change::Seen),
        (None, Some(true)) => Some(Change::SeenOnceAgreed),
        (Some(_), None) => Some(Change::NotSeen),
        (Some(true), Some(false)) => Some(Change::Freed),
        (Some(false), Some(true)) => Some(Change::Bound),
        (None, None) | (Some(false), Some(false)) | (Some(true), Some(true)) => None,
    };
    let alike = gathered_by(rows, metrics, said)?.into_iter();
    let changes =
        alike.flat_map(|(change, parts)| parts.into_iter().map(move |part| (change, part)));
    Some(changes.collect())
}

#[cfg(test)]
mod tests {
    //! Goal: the parts say just what the rows say. Method: rules of random fields make rows; the parts, taken apart
    //! again, are the rows; and examples of what is said.

    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const METRICS: [&str; 3] = ["59408-5", "8867-4", "8310-5"];

    fn metrics() -> Vec<String> {
        METRICS.map(str::to_owned).into()
    }

    fn decision(outcome: PolicyOutcome, by: &[&str]) -> SimulatedDecision {
        SimulatedDecision {
            outcome,
            by: by.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    /// A row for every question that there is.
    fn every_row() -> Vec<SimulatedAccess> {
        let nothing = decision(PolicyOutcome::NotPermitted, &[]);
        let mut rows = Vec::new();
        for metric in METRICS {
            for role in Role::ALL {
                for relation in
                    std::iter::once(None).chain(Relation::ALL.iter().map(|one| Some(one.word())))
                {
                    for purpose in Purpose::ALL {
                        for resolution in Resolution::ALL {
                            for emergency in [false, true] {
                                rows.push(SimulatedAccess {
                                    metric: metric.to_owned(),
                                    role: role.word().to_owned(),
                                    relation: relation.map(str::to_owned),
                                    purpose: purpose.word().to_owned(),
                                    resolution: resolution.word().to_owned(),
                                    emergency,
                                    now: nothing.clone(),
                                    then: nothing.clone(),
                                });
                            }
                        }
                    }
                }
            }
        }
        rows
    }

    /// The questions of a part, one by one.
    fn singles(part: Part) -> Vec<Part> {
        let mut singles = vec![Part([0; KINDS])];
        for kind in 0..KINDS {
            let places = (0..32).filter(|place| part.has(kind, *place));
            let places: Vec<_> = places.collect();
            singles = singles
                .into_iter()
                .flat_map(|Part(bits)| {
                    places.iter().map(move |place| {
                        let mut bits = bits;
                        bits[kind] = 1 << place;
                        Part(bits)
                    })
                })
                .collect();
        }
        singles
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn parts_are_the_rows(which in prop::collection::vec(any::<prop::sample::Index>(), 0..200)) {
            let all = every_row();
            let rows: Vec<_> = which.iter().map(|index| index.get(&all)).collect();
            let asked: BTreeSet<_> = rows.iter().map(|row| Part::of(row, &metrics()).unwrap()).collect();
            let parts = gathered(asked.iter().copied().collect());
            let again: Vec<_> = parts.into_iter().flat_map(singles).collect();
            prop_assert_eq!(again.len(), asked.len(), "no question twice");
            prop_assert_eq!(again.into_iter().collect::<BTreeSet<_>>(), asked);
        }
    }

    #[test]
    fn what_one_rule_permits_is_one_part() {
        let mut rows = every_row();
        for row in &mut rows {
            let is_care = ["physician", "nurse"].contains(&row.role.as_str())
                && row.relation.as_deref() == Some("treating");
            if is_care && row.purpose == "treatment" {
                row.now = decision(PolicyOutcome::Permitted, &["care"]);
            }
        }
        let found = answers(&rows, &metrics(), |row| &row.now, |_| true).unwrap();
        let [answer] = found.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            (answer.needs_approval, answer.by.as_slice()),
            (false, &["care".to_owned()][..])
        );
        let part = answer.part;
        assert_eq!(part.roles(), [Role::Physician, Role::Nurse]);
        assert_eq!(part.relations(), [Some(Relation::Treating)]);
        assert_eq!(part.purposes(), [Purpose::Treatment]);
        assert_eq!(part.resolutions(), Resolution::ALL);
        assert_eq!(part.glass(), [false, true]);
        assert!((0..3).all(|place| part.has_metric(place)) && !part.has_metric(3));
        let of_nurses = answers(&rows, &metrics(), |row| &row.now, |row| row.role == "nurse");
        assert_eq!(of_nurses.unwrap()[0].part.roles(), [Role::Nurse]);
        assert_eq!(
            answers(&rows, &metrics(), |row| &row.then, |_| true),
            Some(vec![])
        );
    }

    #[test]
    fn changes_are_told_apart() {
        use PolicyOutcome::{Forbidden, NeedsApproval, NotPermitted, Permitted};
        let cases = [
            (NotPermitted, Permitted, Some(Change::Seen)),
            (Forbidden, NeedsApproval, Some(Change::SeenOnceAgreed)),
            (Permitted, Forbidden, Some(Change::NotSeen)),
            (NeedsApproval, NotPermitted, Some(Change::NotSeen)),
            (NeedsApproval, Permitted, Some(Change::Freed)),
            (Permitted, NeedsApproval, Some(Change::Bound)),
            (Permitted, Permitted, None),
            (NotPermitted, Forbidden, None),
        ];
        for (now, then, expected) in cases {
            let mut row = every_row().remove(0);
            row.now = decision(now, &[]);
            row.then = decision(then, &[]);
            let found = changes(&[row], &metrics()).unwrap();
            assert_eq!(found.first().map(|(change, _)| *change), expected);
        }
    }

    /// A word of a newer node is not passed over in silence.
    #[test]
    fn an_unknown_word_is_no_answer() {
        let mut row = every_row().remove(0);
        row.now = decision(PolicyOutcome::Permitted, &[]);
        row.purpose = "marketing".to_owned();
        assert_eq!(
            answers(&[row.clone()], &metrics(), |row| &row.now, |_| true),
            None
        );
        row.purpose = "payment".to_owned();
        assert!(answers(&[row.clone()], &metrics(), |row| &row.now, |_| true).is_some());
        assert_eq!(answers(&[row], &[], |row| &row.now, |_| true), None);
    }
}
