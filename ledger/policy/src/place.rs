//! Where a contract keeps a policy: whom it is about, by its head, and which metrics it can apply to, by its conditions.
//! So those about others are not evaluated, and what the place says already is not evaluated there.
//!
//! Cedar's `&&` stops at the first condition that does not hold, so what stands behind a test of the metric decides
//! nothing where that fails. Only a policy's first conditions are looked at: as long as none can fail to evaluate, for
//! one that does is told, whatever the metric.

use std::collections::BTreeSet;
use std::sync::Arc;

use cedar_policy::pst::{self, BinaryOp, Clause, Expr, Literal, StaticPolicy, Var};
use cedar_policy::{EntityUid, Policy, PrincipalConstraint};

/// A contract keeps a policy under each of its metrics: those with more are looked at whatever the metric.
const MAX_METRICS: usize = 16;

/// What a question must be about for a policy to be asked at all. For every other one it neither applies nor fails.
#[derive(Clone)]
pub(crate) struct Place {
    /// Who asks is this, or belongs to it; `None` for everybody.
    pub(crate) whom: Option<EntityUid>,
    /// It is about one of these metrics; `None` for all.
    pub(crate) metrics: Option<BTreeSet<String>>,
}

/// A policy's place, and what is left of it there: it decides what the policy does.
pub(crate) fn placed(policy: Policy) -> (Place, Policy) {
    let whom = match policy.principal_constraint() {
        PrincipalConstraint::In(whom)
        | PrincipalConstraint::Eq(whom)
        | PrincipalConstraint::IsIn(_, whom) => Some(whom),
        PrincipalConstraint::Any | PrincipalConstraint::Is(_) => None,
    };
    let tree = policy.to_pst().ok();
    let found = tree
        .as_ref()
        .and_then(|tree| read_off(tree.body().clauses()));
    let (metrics, clauses) = found.unzip();
    let rest = tree.and_then(|tree| without(tree.body().clone(), clauses));
    (Place { whom, metrics }, rest.unwrap_or(policy))
}

/// A policy without its group of people, and with these conditions.
fn without(mut body: pst::Template, clauses: Option<Vec<Clause>>) -> Option<Policy> {
    if matches!(body.principal, pst::PrincipalConstraint::In(_)) {
        body.principal = pst::PrincipalConstraint::Any;
    }
    if let Some(clauses) = clauses {
        body = body.try_with_clauses(clauses).ok()?;
    }
    let body = StaticPolicy::try_from(body).ok()?;
    Policy::from_pst(pst::Policy::Static(body)).ok()
}

/// The only metrics for which conditions can hold, and what is left of them for those. `None` if the first ones do not
/// say, or name too many.
fn read_off(clauses: &[Clause]) -> Option<(BTreeSet<String>, Vec<Clause>)> {
    for (at, clause) in clauses.iter().enumerate() {
        let Clause::When(condition) = clause else {
            return None;
        };
        let mut conditions = Vec::new();
        split(condition, &mut conditions);
        for (test, condition) in conditions.iter().enumerate() {
            if let Some(metrics) = tested(condition) {
                conditions.remove(test);
                let rest = conditions.into_iter().cloned().reduce(and);
                let mut clauses = clauses.to_vec();
                clauses.splice(at..=at, rest.map(Clause::When));
                return Some((metrics, clauses))
                    .filter(|(metrics, _)| metrics.len() <= MAX_METRICS);
            }
            if !is_safe(condition) {
                return None;
            }
        }
    }
    None
}

/// The conditions that `&&` joins, in the order they are evaluated.
fn split<'a>(condition: &'a Arc<Expr>, into: &mut Vec<&'a Arc<Expr>>) {
    match &**condition {
        Expr::BinaryOp {
            op: BinaryOp::And,
            left,
            right,
        } => {
            split(left, into);
            split(right, into);
        }
        _ => into.push(condition),
    }
}

fn and(left: Arc<Expr>, right: Arc<Expr>) -> Arc<Expr> {
    let op = BinaryOp::And;
    Arc::new(Expr::BinaryOp { op, left, right })
}

/// The metrics that a condition holds for, if that is all it tests: `[…].contains(resource.metric)`, or
/// `resource.metric == …` either way round.
fn tested(condition: &Expr) -> Option<BTreeSet<String>> {
    let Expr::BinaryOp { op, left, right } = condition else {
        return None;
    };
    match (op, &**left, &**right) {
        (BinaryOp::Contains, Expr::Set(metrics), tested) if is_metric(tested) => {
            metrics.iter().map(|metric| text(metric)).collect()
        }
        (BinaryOp::Eq, tested, metric) | (BinaryOp::Eq, metric, tested) if is_metric(tested) => {
            Some([text(metric)?].into())
        }
        _ => None,
    }
}

fn is_metric(expression: &Expr) -> bool {
    let Expr::GetAttr { expr, attr } = expression else {
        return false;
    };
    attr == "metric" && matches!(**expr, Expr::Var(Var::Resource))
}

fn text(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Literal(Literal::String(text)) => Some(text.to_string()),
        _ => None,
    }
}

/// Whether a condition that fits the schema surely has a value: numbers are only compared.
fn is_safe(condition: &Expr) -> bool {
    match condition {
        Expr::Literal(_) | Expr::Var(_) => true,
        Expr::GetAttr { expr, .. } => is_safe(expr),
        Expr::Set(of) => of.iter().all(|one| is_safe(one)),
        Expr::BinaryOp { op, left, right } => {
            let compares = matches!(
                op,
                BinaryOp::Eq
                    | BinaryOp::NotEq
                    | BinaryOp::Less
                    | BinaryOp::LessEq
                    | BinaryOp::In
                    | BinaryOp::Contains
                    | BinaryOp::Or
            );
            compares && is_safe(left) && is_safe(right)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::MAX_METRICS;
    use crate::CheckedPolicy;

    /// Goal: what a contract keeps does not grow with a policy's metrics. Method: one more than it keeps apart.
    #[test]
    fn too_many_metrics_are_not_kept_apart() {
        let metrics = |from: usize| {
            let named: Vec<_> = (from..=MAX_METRICS)
                .map(|one| format!("\"{one}\""))
                .collect();
            let named = named.join(", ");
            let text = format!(
                "permit(principal, action, resource) when {{ [{named}].contains(resource.metric) }};"
            );
            let policy = CheckedPolicy::read("p", &text);
            let policy = policy.unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
            policy.place.metrics.map(|metrics| metrics.len())
        };
        assert_eq!(metrics(1), Some(MAX_METRICS));
        assert_eq!(metrics(0), None);
    }

    /// Goal: a policy's metrics are read off where nothing before them can fail, and only there. Method: a table.
    #[test]
    fn metrics_are_read_off_first_conditions() {
        let cases: [(&str, Option<&[&str]>); 13] = [
            ("", None),
            (r#"when { resource.metric == "a" }"#, Some(&["a"])),
            (r#"when { "a" == resource.metric }"#, Some(&["a"])),
            (
                r#"when { ["b", "a"].contains(resource.metric) && context.emergency }"#,
                Some(&["a", "b"]),
            ),
            (
                r#"when { context.relations.contains(Relation::"self") && (context.emergency && resource.metric == "a") }"#,
                Some(&["a"]),
            ),
            (
                r#"when { context.emergency } when { resource.metric == "a" }"#,
                Some(&["a"]),
            ),
            (
                r#"when { resource.metric == "a" } unless { context.hour * 2 > 9 }"#,
                Some(&["a"]),
            ),
            (
                r#"when { context.emergency || resource.metric == "a" }"#,
                None,
            ),
            (r#"unless { resource.metric == "a" }"#, None),
            (
                r#"unless { context.emergency } when { resource.metric == "a" }"#,
                None,
            ),
            (
                r#"when { context.hour * 2 > 9 && resource.metric == "a" }"#,
                None,
            ),
            (r#"when { resource.metric != "a" }"#, None),
            (
                r#"when { if context.emergency then resource.metric == "a" else false }"#,
                None,
            ),
        ];
        for (conditions, expected) in cases {
            let text = format!("permit(principal, action, resource) {conditions};");
            let policy = CheckedPolicy::read("p", &text);
            let policy = policy.unwrap_or_else(|faults| panic!("{text}: {faults:?}"));
            let found = policy.place.metrics.as_ref();
            let found = found.map(|metrics| metrics.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(found.as_deref(), expected, "{conditions}");
        }
    }
}
