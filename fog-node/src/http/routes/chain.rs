//! Routes of the chain: blocks, transactions, proofs, and what a light client asks.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use fog_api::{
    ApiError, BlockDetail, BlockRow, BlocksQuery, Capability, FinalitySeries, LightPage,
    LightQuery, Pushed, StateAnswer, StateQuery, TransactionDetail,
};
use utoipa_axum::routes;

use super::super::body::{Path, Query, Raw};
use super::super::gate::{Gate, Routes};
use super::{Answer, App, PeriodQuery};
use crate::Failure;

const READ_CHAIN: Gate = Gate::Any(&[Capability::ReadConsortium]);
const READ_RECORDS: Gate = Gate::Any(&[Capability::ReadRecords]);
/// A transaction proves its sender by itself, whoever hands it in.
const PUSH: Gate = Gate::Anybody;

pub(super) fn routes() -> Routes {
    Routes::new()
        .at(PUSH, routes!(push))
        .at(READ_CHAIN, routes!(blocks))
        .at(READ_CHAIN, routes!(block))
        .at(READ_CHAIN, routes!(transaction))
        .at(READ_CHAIN, routes!(finality))
        .at(READ_CHAIN, routes!(light_blocks))
        .at(READ_CHAIN, routes!(light_block))
        .at(READ_CHAIN, routes!(light_state))
        .at(READ_RECORDS, routes!(proof))
        .at(READ_CHAIN, routes!(genesis))
}

/// Takes a transaction that a device or program signed itself; answered once it is final.
#[utoipa::path(post, path = "/api/transactions", tag = "chain",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 200, body = Pushed), (status = "default", body = ApiError)))]
async fn push(State(node): App, Raw(bytes): Raw) -> Answer<Pushed> {
    node.push(&bytes).await.map(Json)
}

/// Blocks, newest first.
#[utoipa::path(get, path = "/api/blocks", tag = "chain", params(BlocksQuery), responses(
    (status = 200, body = Vec<BlockRow>), (status = "default", body = ApiError)))]
async fn blocks(State(node): App, Query(query): Query<BlocksQuery>) -> Answer<Vec<BlockRow>> {
    node.blocks(query).await.map(Json)
}

/// One block.
#[utoipa::path(get, path = "/api/blocks/{height}", tag = "chain", params(("height" = u64, Path)), responses(
    (status = 200, body = BlockDetail), (status = "default", body = ApiError)))]
async fn block(State(node): App, Path(height): Path<u64>) -> Answer<BlockDetail> {
    node.block(height).await.map(Json)
}

/// One transaction.
#[utoipa::path(get, path = "/api/transactions/{id}", tag = "chain", params(("id" = String, Path)), responses(
    (status = 200, body = TransactionDetail), (status = "default", body = ApiError)))]
async fn transaction(State(node): App, Path(id): Path<String>) -> Answer<TransactionDetail> {
    node.transaction(id).await.map(Json)
}

/// Time to finality and load over the last minutes.
#[utoipa::path(get, path = "/api/finality", tag = "chain", params(PeriodQuery), responses(
    (status = 200, body = FinalitySeries), (status = "default", body = ApiError)))]
async fn finality(State(node): App, Query(query): Query<PeriodQuery>) -> Json<FinalitySeries> {
    Json(node.finality(query.minutes.unwrap_or(15).clamp(1, 1440)))
}

/// Light blocks, oldest first: headers, certificates and validators, to be verified and not believed.
#[utoipa::path(get, path = "/api/light/blocks", tag = "chain", params(LightQuery), responses(
    (status = 200, body = LightPage), (status = "default", body = ApiError)))]
async fn light_blocks(State(node): App, Query(query): Query<LightQuery>) -> Answer<LightPage> {
    node.light_blocks(query).await.map(Json)
}

/// One light block.
#[utoipa::path(get, path = "/api/light/blocks/{height}", tag = "chain", params(("height" = u64, Path)), responses(
    (status = 200, body = LightPage), (status = "default", body = ApiError)))]
async fn light_block(State(node): App, Path(height): Path<u64>) -> Answer<LightPage> {
    node.light_block(height).await.map(Json)
}

/// A proof of what the newest state holds under a key, or that it holds nothing.
#[utoipa::path(get, path = "/api/light/state", tag = "chain", params(StateQuery), responses(
    (status = 200, body = StateAnswer), (status = "default", body = ApiError)))]
async fn light_state(State(node): App, Query(query): Query<StateQuery>) -> Answer<StateAnswer> {
    node.light_state(query).await.map(Json)
}

/// The proof file of a final reading.
#[utoipa::path(get, path = "/api/proofs/{reading}", tag = "chain", params(("reading" = String, Path)), responses(
    (status = 200, body = [u8], content_type = "application/octet-stream"),
    (status = "default", body = ApiError)))]
async fn proof(State(node): App, Path(reading): Path<String>) -> Result<Response, Failure> {
    node.proof(reading).await.map(file)
}

/// The chain's genesis file.
#[utoipa::path(get, path = "/api/genesis", tag = "chain", responses(
    (status = 200, body = [u8], content_type = "application/octet-stream"),
    (status = "default", body = ApiError)))]
async fn genesis(State(node): App) -> Response {
    file(node.genesis())
}

/// Bytes that are no text.
pub(super) fn file(bytes: Vec<u8>) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    (kind, bytes).into_response()
}
