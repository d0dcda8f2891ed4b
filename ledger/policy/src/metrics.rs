//! Which metrics a policy can apply to, read off its conditions; so that those about others are not evaluated.
//!
//! Cedar's `&&` stops at the first condition that does not hold, so what stands behind a test of the metric decides
//! nothing where that fails. Only a policy's first conditions are looked at: as long as none can fail to evaluate, for
//! one that does is told, whatever the metric.

use std::collections::BTreeSet;

use cedar_policy::Policy;
use cedar_policy::pst::{BinaryOp, Clause, Expr, Literal, Var};

/// A contract keeps a policy under each of its metrics: those with more are looked at whatever the metric.
const MAX_METRICS: usize = 16;

/// The only metrics that a policy can apply to. `None` if its first conditions do not say, or name too many.
///
/// For every other metric it neither applies nor fails.
pub(crate) fn only_metrics(policy: &Policy) -> Option<BTreeSet<String>> {
    let tree = policy.to_pst().ok()?;
    for clause in tree.body().clauses() {
        let Clause::When(condition) = clause else {
            return None;
        };
        let mut conditions = Vec::new();
        split(condition, &mut conditions);
        for condition in conditions {
            if let Some(metrics) = tested(condition) {
                return Some(metrics).filter(|metrics| metrics.len() <= MAX_METRICS);
            }
            if !is_safe(condition) {
                return None;
            }
        }
    }
    None
}

/// The conditions that `&&` joins, in the order they are evaluated.
fn split<'a>(condition: &'a Expr, into: &mut Vec<&'a Expr>) {
    match condition {
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
            policy.metrics.map(|metrics| metrics.len())
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
            let found = policy.metrics.as_ref();
            let found = found.map(|metrics| metrics.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(found.as_deref(), expected, "{conditions}");
        }
    }
}
