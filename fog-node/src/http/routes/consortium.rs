//! Routes of the consortium: who is in it, proposals, votes, invitations.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use fog_api::consortium::Change;
use fog_api::{
    ApiError, Capability, CastVote, ConsortiumSeries, ConsortiumView, InvitationMade,
    InvitationView, JoinConsortium, JoinProgress, MakeInvitation, PreflightFinding, ProposalRow,
    ProposeChange, ReadInvitation,
};
use utoipa_axum::routes;

use super::super::body::{Body, Path, Query};
use super::super::gate::{Gate, Routes};
use super::{Answer, App, PeriodQuery};
use crate::Failure;

const READ: Gate = Gate::Any(&[Capability::ReadConsortium]);
const VOTE: Gate = Gate::Any(&[Capability::Vote]);
const VOTE_FRESH: Gate = Gate::AnyFresh(&[Capability::Vote]);

pub(super) fn routes() -> Routes {
    Routes::new()
        .at(READ, routes!(consortium))
        .at(READ, routes!(consortium_series))
        .at(VOTE_FRESH, routes!(propose))
        .at(VOTE_FRESH, routes!(vote))
        .at(READ, routes!(preflight))
        .at(VOTE_FRESH, routes!(invite))
        .at(VOTE, routes!(revoke_invitation))
        .at(VOTE, routes!(read_invitation))
        .at(VOTE_FRESH, routes!(join))
        .at(READ, routes!(join_progress))
}

/// The consortium: organisations, nodes, proposals, invitations, rules.
#[utoipa::path(get, path = "/api/consortium", tag = "consortium", responses(
    (status = 200, body = ConsortiumView), (status = "default", body = ApiError)))]
async fn consortium(State(node): App) -> Answer<ConsortiumView> {
    node.consortium_view().await.map(Json)
}

/// How much waits for a block, who signs and how far the peers are, over the last minutes.
#[utoipa::path(get, path = "/api/consortium/series", tag = "consortium", params(PeriodQuery), responses(
    (status = 200, body = ConsortiumSeries), (status = "default", body = ApiError)))]
async fn consortium_series(
    State(node): App,
    Query(query): Query<PeriodQuery>,
) -> Answer<ConsortiumSeries> {
    let minutes = query.minutes.unwrap_or(15).clamp(1, 1440);
    node.consortium_series(minutes).await.map(Json)
}

/// Proposes a change; answered once the proposal is final.
#[utoipa::path(post, path = "/api/consortium/proposals", tag = "consortium", request_body = ProposeChange,
    responses((status = 200, body = ProposalRow), (status = "default", body = ApiError)))]
async fn propose(State(node): App, Body(asked): Body<ProposeChange>) -> Answer<ProposalRow> {
    node.propose(asked).await.map(Json)
}

/// Votes for this node's organisation; answered once the vote is final.
#[utoipa::path(post, path = "/api/consortium/proposals/{number}/vote", tag = "consortium",
    params(("number" = u64, Path)), request_body = CastVote,
    responses((status = 200, body = ProposalRow), (status = "default", body = ApiError)))]
async fn vote(
    State(node): App,
    Path(number): Path<u64>,
    Body(cast): Body<CastVote>,
) -> Answer<ProposalRow> {
    node.vote(number, cast).await.map(Json)
}

/// What a change would do, before anybody votes. Nothing is recorded.
#[utoipa::path(post, path = "/api/consortium/preflight", tag = "consortium", request_body = Change,
    responses((status = 200, body = Vec<PreflightFinding>), (status = "default", body = ApiError)))]
async fn preflight(State(node): App, Body(change): Body<Change>) -> Answer<Vec<PreflightFinding>> {
    node.preflight(change).await.map(Json)
}

/// Makes an invitation to the consortium.
#[utoipa::path(post, path = "/api/consortium/invitations", tag = "consortium", request_body = MakeInvitation,
    responses((status = 200, body = InvitationMade), (status = "default", body = ApiError)))]
async fn invite(State(node): App, Body(asked): Body<MakeInvitation>) -> Answer<InvitationMade> {
    node.invite(asked).await.map(Json)
}

/// Revokes an invitation.
#[utoipa::path(delete, path = "/api/consortium/invitations/{id}", tag = "consortium",
    params(("id" = String, Path)), responses(
    (status = 204), (status = "default", body = ApiError)))]
async fn revoke_invitation(
    State(node): App,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    node.revoke_invitation(id)
        .await
        .map(|()| StatusCode::NO_CONTENT)
}

/// What an invitation says, and what becomes of this node if it takes it. Nothing is done.
#[utoipa::path(post, path = "/api/consortium/join/invitation", tag = "consortium", request_body = ReadInvitation,
    responses((status = 200, body = InvitationView), (status = "default", body = ApiError)))]
async fn read_invitation(
    State(node): App,
    Body(asked): Body<ReadInvitation>,
) -> Answer<InvitationView> {
    node.read_invitation(asked).await.map(Json)
}

/// Takes an invitation; answered at once. The node starts again by itself once its door has answered.
#[utoipa::path(post, path = "/api/consortium/join", tag = "consortium", request_body = JoinConsortium,
    responses((status = 200, body = JoinProgress), (status = "default", body = ApiError)))]
async fn join(State(node): App, Body(asked): Body<JoinConsortium>) -> Answer<JoinProgress> {
    node.join_consortium(asked).await.map(Json)
}

/// How far joining is; answered between two lives of the node as well.
#[utoipa::path(get, path = "/api/consortium/join", tag = "consortium", responses(
    (status = 200, body = JoinProgress), (status = "default", body = ApiError)))]
async fn join_progress(State(node): App) -> Answer<JoinProgress> {
    node.join_progress().await.map(Json)
}
