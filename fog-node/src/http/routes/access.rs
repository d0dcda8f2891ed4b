//! Routes of requests for access: the caller's own, and those that she has a say in.

use axum::Json;
use axum::extract::State;
use fog_api::{AccessRow, ApiError, AskAccess, BreakGlass, Capability, DecideAccess, ReviewAccess};
use utoipa_axum::routes;

use super::super::body::{Body, Path};
use super::super::gate::{Gate, Routes};
use super::super::session::Asker;
use super::{Answer, App};

/// Anybody may ask; the policies on the ledger say what comes of it.
const ASK: Gate = Gate::SignedIn;
const BREAK: Gate = Gate::AnyFresh(&[Capability::ReadRecords]);
const DECIDE: Gate = Gate::Any(&[Capability::DecideAccess]);

pub(super) fn routes() -> Routes {
    Routes::new()
        .at(ASK, routes!(accesses, ask_access))
        .at(BREAK, routes!(break_glass))
        .at(ASK, routes!(access))
        .at(DECIDE, routes!(decide_access))
        .at(ASK, routes!(end_access))
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
