//! Routes of requests for access: the caller's own, and those that she has a say in.

use std::convert::Infallible;
use std::future::ready;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use axum::response::sse::{Event as Frame, Sse};
use fog_api::{
    AccessRow, ApiError, AskAccess, BreakGlass, Capability, DecideAccess, Disclosure, FollowQuery,
    GrantAccess, LiveAccess, ReadAccess, ReviewAccess,
};
use futures_util::stream::{Stream, StreamExt as _};
use utoipa_axum::routes;

use super::super::body::{Body, Path, Query};
use super::super::events::{frame, told};
use super::super::gate::{Gate, Routes};
use super::super::session::Asker;
use super::chain::file;
use super::{Answer, App};
use crate::Failure;

/// Anybody may ask; the policies on the ledger say what comes of it.
const ASK: Gate = Gate::SignedIn;
const BREAK: Gate = Gate::AnyFresh(&[Capability::ReadRecords]);
const DECIDE: Gate = Gate::Any(&[Capability::DecideAccess]);

pub(super) fn routes() -> Routes {
    Routes::new()
        .at(ASK, routes!(accesses, ask_access))
        .at(BREAK, routes!(break_glass))
        .at(DECIDE, routes!(grant_access))
        .at(ASK, routes!(access))
        .at(DECIDE, routes!(decide_access))
        .at(ASK, routes!(end_access))
        .at(ASK, routes!(read_access))
        .at(ASK, routes!(follow_access))
        .at(ASK, routes!(proof_of_read))
        .at(DECIDE, routes!(review_access))
}

/// The caller's requests and those that she has a say in, what waits for her first; at most 200.
#[utoipa::path(get, path = "/api/access", tag = "access", responses(
    (status = 200, body = Vec<AccessRow>), (status = "default", body = ApiError)))]
async fn accesses(State(node): App, asker: Asker) -> Answer<Vec<AccessRow>> {
    node.accesses(asker.signed()?).await.map(Json)
}

/// Asks for access in the caller's name; answered once it is decided, or waits for a person.
#[utoipa::path(post, path = "/api/access", tag = "access", request_body = AskAccess, responses(
    (status = 200, body = AccessRow), (status = "default", body = ApiError)))]
async fn ask_access(
    State(node): App,
    asker: Asker,
    Body(asked): Body<AskAccess>,
) -> Answer<AccessRow> {
    node.ask_access(asked, asker.signed()?).await.map(Json)
}

/// Asks in an emergency; somebody reviews it afterwards.
#[utoipa::path(post, path = "/api/access/break-glass", tag = "access", request_body = BreakGlass,
    responses((status = 200, body = AccessRow), (status = "default", body = ApiError)))]
async fn break_glass(
    State(node): App,
    asker: Asker,
    Body(asked): Body<BreakGlass>,
) -> Answer<AccessRow> {
    node.break_glass(asked, asker.signed()?).await.map(Json)
}

/// Gives somebody a part of the organisation's data without a request; answered once that is final.
#[utoipa::path(post, path = "/api/access/grant", tag = "access", request_body = GrantAccess,
    responses((status = 200, body = AccessRow), (status = "default", body = ApiError)))]
async fn grant_access(
    State(node): App,
    asker: Asker,
    Body(given): Body<GrantAccess>,
) -> Answer<AccessRow> {
    node.grant_access(given, asker.signed()?).await.map(Json)
}

/// One request.
#[utoipa::path(get, path = "/api/access/{handle}", tag = "access", params(("handle" = String, Path)),
    responses((status = 200, body = AccessRow), (status = "default", body = ApiError)))]
async fn access(State(node): App, asker: Asker, Path(handle): Path<String>) -> Answer<AccessRow> {
    node.access(&handle, asker.signed()?).await.map(Json)
}

/// Grants what waits, or refuses it; answered once that is final.
#[utoipa::path(post, path = "/api/access/{handle}/decision", tag = "access", params(("handle" = String, Path)),
    request_body = DecideAccess, responses((status = 200, body = AccessRow), (status = "default", body = ApiError)))]
async fn decide_access(
    State(node): App,
    asker: Asker,
    Path(handle): Path<String>,
    Body(decided): Body<DecideAccess>,
) -> Answer<AccessRow> {
    let row = node.decide_access(&handle, decided.allow, asker.signed()?);
    row.await.map(Json)
}

/// Ends a request in the holder's name, or gives it back; answered once that is final.
#[utoipa::path(post, path = "/api/access/{handle}/end", tag = "access", params(("handle" = String, Path)),
    responses((status = 200, body = AccessRow), (status = "default", body = ApiError)))]
async fn end_access(
    State(node): App,
    asker: Asker,
    Path(handle): Path<String>,
) -> Answer<AccessRow> {
    node.end_access(&handle, asker.signed()?).await.map(Json)
}

/// Shows what was granted to the caller, or a part of it, once its receipt is durable.
#[utoipa::path(post, path = "/api/access/{handle}/read", tag = "access", params(("handle" = String, Path)),
    request_body = ReadAccess, responses((status = 200, body = Disclosure), (status = "default", body = ApiError)))]
async fn read_access(
    State(node): App,
    asker: Asker,
    Path(handle): Path<String>,
    Body(asked): Body<ReadAccess>,
) -> Answer<Disclosure> {
    let shown = node.read_access(&handle, asked, asker.signed()?);
    shown.await.map(Json)
}

/// Shows what was granted to the caller as it comes, until it ends; each event is one JSON object, and each has its
/// receipt.
#[utoipa::path(get, path = "/api/access/{handle}/live", tag = "access", params(("handle" = String, Path), FollowQuery),
    responses((status = 200, body = LiveAccess, content_type = "text/event-stream"),
        (status = "default", body = ApiError)))]
async fn follow_access(
    State(node): App,
    asker: Asker,
    Path(handle): Path<String>,
    Query(asked): Query<FollowQuery>,
) -> Result<Sse<impl Stream<Item = Result<Frame, Infallible>>>, Failure> {
    let following = node.follow_access(&handle, asked, asker.signed()?).await?;
    let frames = following.events().filter_map(|event| ready(frame(&event)));
    Ok(told(frames))
}

/// The proof file of a reading that a read of the caller's has shown.
#[utoipa::path(get, path = "/api/access/{handle}/reads/{read}/proofs/{reading}", tag = "access",
    params(("handle" = String, Path), ("read" = String, Path), ("reading" = String, Path)),
    responses((status = 200, body = [u8], content_type = "application/octet-stream"),
        (status = "default", body = ApiError)))]
async fn proof_of_read(
    State(node): App,
    asker: Asker,
    Path((handle, read, reading)): Path<(String, String, String)>,
) -> Result<Response, Failure> {
    let signed = asker.signed()?;
    let proof = node.proof_of_read(&handle, &read, &reading, signed).await?;
    Ok(file(proof))
}

/// Says whether there was reason to break the glass; answered once that is final.
#[utoipa::path(post, path = "/api/access/{handle}/review", tag = "access", params(("handle" = String, Path)),
    request_body = ReviewAccess, responses((status = 200, body = AccessRow), (status = "default", body = ApiError)))]
async fn review_access(
    State(node): App,
    asker: Asker,
    Path(handle): Path<String>,
    Body(said): Body<ReviewAccess>,
) -> Answer<AccessRow> {
    let row = node.review_access(&handle, said.is_justified, asker.signed()?);
    row.await.map(Json)
}
