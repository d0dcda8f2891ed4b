//! Routes of policies: what is in force, what a text means, what it would change.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use fog_api::{
    ApiError, Capability, CheckPolicy, PoliciesView, PolicyChecked, PolicyDecisions, PolicyHistory,
    PolicyRow, PolicySimulation, PutPolicy, RetractedPolicies, SimulatePolicies,
};
use utoipa_axum::routes;

use super::super::body::{Body, Path};
use super::super::gate::{Gate, Routes};
use super::super::session::Asker;
use super::{Answer, App};
use crate::Failure;

const READ: Gate = Gate::Any(&[Capability::ReadConsortium]);
const VOTE: Gate = Gate::AnyFresh(&[Capability::Vote]);
const AUDIT: Gate = Gate::Any(&[Capability::Audit]);

pub(super) fn routes() -> Routes {
    Routes::new()
        .at(READ, routes!(policies))
        .at(VOTE, routes!(put_policy))
        .at(VOTE, routes!(retract_policy))
        .at(READ, routes!(retracted_policies))
        .at(READ, routes!(policy_history))
        .at(AUDIT, routes!(policy_decisions))
        .at(READ, routes!(check_policy))
        .at(READ, routes!(simulate_policies))
}

/// The policies in force, this organisation's first.
#[utoipa::path(get, path = "/api/policies", tag = "policies", responses(
    (status = 200, body = PoliciesView), (status = "default", body = ApiError)))]
async fn policies(State(node): App) -> Answer<PoliciesView> {
    node.policies().map(Json)
}

/// Puts a policy of this organisation in force; answered once that is final.
#[utoipa::path(post, path = "/api/policies", tag = "policies", request_body = PutPolicy, responses(
    (status = 200, body = PolicyRow), (status = "default", body = ApiError)))]
async fn put_policy(State(node): App, Body(asked): Body<PutPolicy>) -> Answer<PolicyRow> {
    node.put_policy(asked).await.map(Json)
}

/// Puts a policy of this organisation out of force; answered once that is final.
#[utoipa::path(delete, path = "/api/policies/{name}", tag = "policies", params(("name" = String, Path)),
    responses((status = 204), (status = "default", body = ApiError)))]
async fn retract_policy(State(node): App, Path(name): Path<String>) -> Result<StatusCode, Failure> {
    node.retract_policy(&name)
        .await
        .map(|()| StatusCode::NO_CONTENT)
}

/// The policies of this organisation that are not in force any more, the one that was retracted last first. What is below
/// `/api/policies/` is a policy's name, so this is not.
#[utoipa::path(get, path = "/api/retracted-policies", tag = "policies", responses(
    (status = 200, body = RetractedPolicies), (status = "default", body = ApiError)))]
async fn retracted_policies(State(node): App) -> Answer<RetractedPolicies> {
    node.retracted_policies().await.map(Json)
}

/// The versions of a policy of this organisation, the newest first.
#[utoipa::path(get, path = "/api/policies/{name}/history", tag = "policies", params(("name" = String, Path)),
    responses((status = 200, body = PolicyHistory), (status = "default", body = ApiError)))]
async fn policy_history(State(node): App, Path(name): Path<String>) -> Answer<PolicyHistory> {
    node.policy_history(name).await.map(Json)
}

/// The requests that a policy of this organisation has decided, with their receipts; answered once it is final that
/// the caller reads them.
#[utoipa::path(get, path = "/api/policies/{name}/decisions", tag = "policies", params(("name" = String, Path)),
    responses((status = 200, body = PolicyDecisions), (status = "default", body = ApiError)))]
async fn policy_decisions(
    State(node): App,
    asker: Asker,
    Path(name): Path<String>,
) -> Answer<PolicyDecisions> {
    let found = node.policy_decisions(name, asker.signed()?);
    found.await.map(Json)
}

/// What is wrong with a text, or what it says. Nothing is done with it.
#[utoipa::path(post, path = "/api/policies/check", tag = "policies", request_body = CheckPolicy, responses(
    (status = 200, body = PolicyChecked), (status = "default", body = ApiError)))]
async fn check_policy(State(node): App, Body(asked): Body<CheckPolicy>) -> Answer<PolicyChecked> {
    Ok(Json(node.check_policy(&asked)))
}

/// Who could see what, now and with a draft in force. Nothing is done.
#[utoipa::path(post, path = "/api/policies/simulate", tag = "policies", request_body = SimulatePolicies,
    responses((status = 200, body = PolicySimulation), (status = "default", body = ApiError)))]
async fn simulate_policies(
    State(node): App,
    Body(asked): Body<SimulatePolicies>,
) -> Answer<PolicySimulation> {
    node.simulate_policies(asked).await.map(Json)
}
