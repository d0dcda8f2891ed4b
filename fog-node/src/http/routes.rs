//! The routes: each handler hands its request to the node and its answer back, in one line.
//!
//! The attributes above the handlers are the OpenAPI description; `fog-api`'s first page is the table.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use fog_api::consortium::Change;
use fog_api::{
    AddDevice, AnswerPairing, ApiError, AskInteraction, BlockDetail, BlockRow, BlocksQuery,
    BluetoothPairing, BluetoothView, CastVote, ChangeDevice, CheckCode, CommissioningQuery,
    CommissioningRecord, ConsortiumSeries, ConsortiumView, DecideInteraction, Device,
    FinalitySeries, HandOver, History, HistoryQuery, Identified, Identify, Interaction,
    InvitationMade, InvitationView, JoinConsortium, JoinProgress, LedgerDevice, LightPage,
    LightQuery, MakeBackup, MakeInvitation, PlaceDevice, Port, PreflightFinding, Preview,
    ProfileInfo, ProposalRow, ProposeChange, Pushed, ReadInvitation, ReadingRow, ReadingsQuery,
    RegisterSigner, RoamingView, SelfTest, StartBluetoothPairing, StartDemo, StartPreview,
    StartSelfTest, StateAnswer, StateQuery, Status, TakeDevice, TransactionDetail,
};
use serde::Deserialize;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Shared;
use super::body::{Body, Path, Query, Raw};
use super::events;
use crate::{Failure, Node};

type App = State<Arc<Node>>;
type Answer<T> = Result<Json<T>, Failure>;

/// What the description says of the API as a whole.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Fogward node",
        description = "One fog node: its devices, readings, chain and proofs. Times are Unix milliseconds, \
                       hashes and keys lowercase hex, units UCUM, codes LOINC. Every request carries the \
                       token of the address that the node printed."
    ),
    components(schemas(ApiError, fog_api::Event)),
    modifiers(&Security),
    security(("token" = []), ("query" = []))
)]
struct Description;

struct Security;

impl utoipa::Modify for Security {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        use utoipa::openapi::security::{
            ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme,
        };
        let components = description.components.get_or_insert_default();
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        components.add_security_scheme("token", SecurityScheme::Http(bearer));
        let query = ApiKey::Query(ApiKeyValue::new("token"));
        components.add_security_scheme("query", SecurityScheme::ApiKey(query));
    }
}

/// All routes below `/api/`.
pub(super) fn router() -> axum::Router<Shared> {
    let routes = OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(status))
        .routes(routes!(devices, add_device))
        .routes(routes!(device, remove_device))
        .routes(routes!(change_device))
        .routes(routes!(place_device))
        .routes(routes!(hand_over))
        .routes(routes!(incoming))
        .routes(routes!(take_device))
        .routes(routes!(roaming))
        .routes(routes!(ledger_devices, register_signer))
        .routes(routes!(interactions, ask_interaction))
        .routes(routes!(decide_interaction))
        .routes(routes!(push))
        .routes(routes!(history))
        .routes(routes!(readings))
        .routes(routes!(reading))
        .routes(routes!(profiles))
        .routes(routes!(ports))
        .routes(routes!(bluetooth))
        .routes(routes!(start_bluetooth_pairing))
        .routes(routes!(bluetooth_pairing, cancel_bluetooth_pairing))
        .routes(routes!(answer_bluetooth_pairing))
        .routes(routes!(start_self_test))
        .routes(routes!(self_test, cancel_self_test))
        .routes(routes!(commissionings))
        .routes(routes!(identify))
        .routes(routes!(check_code))
        .routes(routes!(start_preview))
        .routes(routes!(preview, end_preview))
        .routes(routes!(blocks))
        .routes(routes!(block))
        .routes(routes!(transaction))
        .routes(routes!(finality))
        .routes(routes!(light_blocks))
        .routes(routes!(light_block))
        .routes(routes!(light_state))
        .routes(routes!(proof))
        .routes(routes!(genesis))
        .routes(routes!(start_demo, end_demo))
        .routes(routes!(consortium))
        .routes(routes!(consortium_series))
        .routes(routes!(propose))
        .routes(routes!(vote))
        .routes(routes!(preflight))
        .routes(routes!(invite))
        .routes(routes!(revoke_invitation))
        .routes(routes!(read_invitation))
        .routes(routes!(join, join_progress))
        .routes(routes!(backup))
        .routes(routes!(events::events));
    let (router, description) = routes.split_for_parts();
    router.route(
        "/api/openapi.json",
        axum::routing::get(async move || Json(description)),
    )
}

/// The node as a whole.
#[utoipa::path(get, path = "/api/status", tag = "node", responses(
    (status = 200, body = Status), (status = "default", body = ApiError)))]
async fn status(State(node): App) -> Answer<Status> {
    node.status().map(Json)
}

/// The paired devices, in the order they were paired.
#[utoipa::path(get, path = "/api/devices", tag = "devices", responses(
    (status = 200, body = Vec<Device>), (status = "default", body = ApiError)))]
async fn devices(State(node): App) -> Json<Vec<Device>> {
    Json(node.devices())
}

/// Pairs a device; answered once it is durable.
#[utoipa::path(post, path = "/api/devices", tag = "devices", request_body = AddDevice, responses(
    (status = 200, body = Device), (status = "default", body = ApiError)))]
async fn add_device(State(node): App, Body(asked): Body<AddDevice>) -> Answer<Device> {
    node.add_device(asked).await.map(Json)
}

/// Changes a device on the ledger; answered once that is final.
#[utoipa::path(post, path = "/api/devices/{id}/changes", tag = "devices", params(("id" = String, Path)),
    request_body = ChangeDevice, responses(
    (status = 200, body = Device), (status = "default", body = ApiError)))]
async fn change_device(
    State(node): App,
    Path(id): Path<String>,
    Body(asked): Body<ChangeDevice>,
) -> Answer<Device> {
    node.change_device(&id, asked).await.map(Json)
}

/// Says at which bed a device is used; answered once that is durable.
#[utoipa::path(post, path = "/api/devices/{id}/place", tag = "devices", params(("id" = String, Path)),
    request_body = PlaceDevice, responses(
    (status = 200, body = Device), (status = "default", body = ApiError)))]
async fn place_device(
    State(node): App,
    Path(id): Path<String>,
    Body(asked): Body<PlaceDevice>,
) -> Answer<Device> {
    node.place_device(&id, asked).await.map(Json)
}

/// Hands a device over to another node; answered once that is final.
#[utoipa::path(post, path = "/api/devices/{id}/handover", tag = "devices", params(("id" = String, Path)),
    request_body = HandOver, responses(
    (status = 200, body = Device), (status = "default", body = ApiError)))]
async fn hand_over(
    State(node): App,
    Path(id): Path<String>,
    Body(asked): Body<HandOver>,
) -> Answer<Device> {
    node.hand_over(&id, asked).await.map(Json)
}

/// The devices that were handed to this node and wait to be taken.
#[utoipa::path(get, path = "/api/handovers", tag = "devices", responses(
    (status = 200, body = Vec<LedgerDevice>), (status = "default", body = ApiError)))]
async fn incoming(State(node): App) -> Answer<Vec<LedgerDevice>> {
    node.incoming().map(Json)
}

/// Takes a device that was handed to this node, and reads it.
#[utoipa::path(post, path = "/api/handovers/{handle}", tag = "devices", params(("handle" = String, Path)),
    request_body = TakeDevice, responses(
    (status = 200, body = Device), (status = "default", body = ApiError)))]
async fn take_device(
    State(node): App,
    Path(handle): Path<String>,
    Body(asked): Body<TakeDevice>,
) -> Answer<Device> {
    node.take_device(&handle, asked).await.map(Json)
}

/// Which node of the organisation serves which wireless device, and which could.
#[utoipa::path(get, path = "/api/roaming", tag = "devices", responses(
    (status = 200, body = RoamingView), (status = "default", body = ApiError)))]
async fn roaming(State(node): App) -> Answer<RoamingView> {
    node.roaming().await.map(Json)
}

/// What is nearby by Bluetooth; the node scans while this is asked for.
#[utoipa::path(get, path = "/api/bluetooth", tag = "devices", responses(
    (status = 200, body = BluetoothView), (status = "default", body = ApiError)))]
async fn bluetooth(State(node): App) -> Json<BluetoothView> {
    Json(node.bluetooth_view().await)
}

/// Begins to pair with a Bluetooth device.
#[utoipa::path(post, path = "/api/bluetooth/pairings", tag = "devices",
    request_body = StartBluetoothPairing, responses(
    (status = 200, body = BluetoothPairing), (status = "default", body = ApiError)))]
async fn start_bluetooth_pairing(
    State(node): App,
    Body(asked): Body<StartBluetoothPairing>,
) -> Answer<BluetoothPairing> {
    node.start_bluetooth_pairing(asked).map(Json)
}

/// Where a pairing stands.
#[utoipa::path(get, path = "/api/bluetooth/pairings/{id}", tag = "devices", params(("id" = String, Path)),
    responses((status = 200, body = BluetoothPairing), (status = "default", body = ApiError)))]
async fn bluetooth_pairing(State(node): App, Path(id): Path<String>) -> Answer<BluetoothPairing> {
    node.bluetooth_pairing(&id).map(Json)
}

/// Cancels a pairing.
#[utoipa::path(delete, path = "/api/bluetooth/pairings/{id}", tag = "devices", params(("id" = String, Path)),
    responses((status = 204), (status = "default", body = ApiError)))]
async fn cancel_bluetooth_pairing(
    State(node): App,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    node.cancel_bluetooth_pairing(&id)
        .map(|()| StatusCode::NO_CONTENT)
}

/// Answers a pairing's question.
#[utoipa::path(post, path = "/api/bluetooth/pairings/{id}/answer", tag = "devices",
    params(("id" = String, Path)), request_body = AnswerPairing, responses(
    (status = 200, body = BluetoothPairing), (status = "default", body = ApiError)))]
async fn answer_bluetooth_pairing(
    State(node): App,
    Path(id): Path<String>,
    Body(answer): Body<AnswerPairing>,
) -> Answer<BluetoothPairing> {
    node.answer_bluetooth_pairing(&id, answer).map(Json)
}

/// Begins a self-test of a device or the Bluetooth adapter.
#[utoipa::path(post, path = "/api/selftests", tag = "devices", request_body = StartSelfTest, responses(
    (status = 200, body = SelfTest), (status = "default", body = ApiError)))]
async fn start_self_test(State(node): App, Body(asked): Body<StartSelfTest>) -> Answer<SelfTest> {
    node.start_self_test(&asked).map(Json)
}

/// Where a self-test stands; the last one is remembered.
#[utoipa::path(get, path = "/api/selftests/{id}", tag = "devices", params(("id" = String, Path)),
    responses((status = 200, body = SelfTest), (status = "default", body = ApiError)))]
async fn self_test(State(node): App, Path(id): Path<String>) -> Answer<SelfTest> {
    node.self_test(&id).map(Json)
}

/// Cancels a self-test; there is no record of it.
#[utoipa::path(delete, path = "/api/selftests/{id}", tag = "devices", params(("id" = String, Path)),
    responses((status = 204), (status = "default", body = ApiError)))]
async fn cancel_self_test(State(node): App, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    node.cancel_self_test(&id).map(|()| StatusCode::NO_CONTENT)
}

/// The signed records of self-tests, newest first.
#[utoipa::path(get, path = "/api/commissionings", tag = "devices", params(CommissioningQuery), responses(
    (status = 200, body = Vec<CommissioningRecord>), (status = "default", body = ApiError)))]
async fn commissionings(
    State(node): App,
    Query(query): Query<CommissioningQuery>,
) -> Answer<Vec<CommissioningRecord>> {
    node.commissionings(&query).map(Json)
}

/// Lets a device show which one it is; answered once it has.
#[utoipa::path(post, path = "/api/identify", tag = "devices", request_body = Identify, responses(
    (status = 200, body = Identified), (status = "default", body = ApiError)))]
async fn identify(State(node): App, Body(asked): Body<Identify>) -> Answer<Identified> {
    node.identify(&asked).await.map(Json)
}

/// The devices on the ledger, those of other nodes too.
#[utoipa::path(get, path = "/api/ledger/devices", tag = "devices", responses(
    (status = 200, body = Vec<LedgerDevice>), (status = "default", body = ApiError)))]
async fn ledger_devices(State(node): App) -> Answer<Vec<LedgerDevice>> {
    node.ledger_devices().map(Json)
}

/// Registers a device that signs for itself; answered once that is final.
#[utoipa::path(post, path = "/api/ledger/devices", tag = "devices", request_body = RegisterSigner, responses(
    (status = 200, body = LedgerDevice), (status = "default", body = ApiError)))]
async fn register_signer(
    State(node): App,
    Body(asked): Body<RegisterSigner>,
) -> Answer<LedgerDevice> {
    node.register_signer(asked).await.map(Json)
}

/// Which device may hear which, or wants to.
#[utoipa::path(get, path = "/api/interactions", tag = "devices", responses(
    (status = 200, body = Vec<Interaction>), (status = "default", body = ApiError)))]
async fn interactions(State(node): App) -> Answer<Vec<Interaction>> {
    node.interactions().map(Json)
}

/// Asks that one device may hear another; answered once that is on the ledger.
#[utoipa::path(post, path = "/api/interactions", tag = "devices", request_body = AskInteraction, responses(
    (status = 200, body = Interaction), (status = "default", body = ApiError)))]
async fn ask_interaction(
    State(node): App,
    Body(asked): Body<AskInteraction>,
) -> Answer<Interaction> {
    node.ask_interaction(asked).await.map(Json)
}

/// Grants, refuses or ends an interaction; answered once that is final.
#[utoipa::path(post, path = "/api/interactions/{id}/decision", tag = "devices", params(("id" = String, Path)),
    request_body = DecideInteraction, responses(
    (status = 200, body = Interaction), (status = "default", body = ApiError)))]
async fn decide_interaction(
    State(node): App,
    Path(id): Path<String>,
    Body(decided): Body<DecideInteraction>,
) -> Answer<Interaction> {
    node.decide_interaction(&id, decided.allow).await.map(Json)
}

/// Takes a transaction that a device or program signed itself; answered once it is final.
#[utoipa::path(post, path = "/api/transactions", tag = "chain",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 200, body = Pushed), (status = "default", body = ApiError)))]
async fn push(State(node): App, Raw(bytes): Raw) -> Answer<Pushed> {
    node.push(&bytes).await.map(Json)
}

/// One device.
#[utoipa::path(get, path = "/api/devices/{id}", tag = "devices", params(("id" = String, Path)), responses(
    (status = 200, body = Device), (status = "default", body = ApiError)))]
async fn device(State(node): App, Path(id): Path<String>) -> Answer<Device> {
    node.device(&id).map(Json)
}

/// Removes a device; its readings stay.
#[utoipa::path(delete, path = "/api/devices/{id}", tag = "devices", params(("id" = String, Path)), responses(
    (status = 204), (status = "default", body = ApiError)))]
async fn remove_device(State(node): App, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    node.remove_device(&id)
        .await
        .map(|()| StatusCode::NO_CONTENT)
}

/// A metric's past, decimated for a plot.
#[utoipa::path(get, path = "/api/devices/{id}/history", tag = "readings",
    params(("id" = String, Path), HistoryQuery), responses(
    (status = 200, body = History), (status = "default", body = ApiError)))]
async fn history(
    State(node): App,
    Path(id): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Answer<History> {
    node.history(id, query).await.map(Json)
}

/// Readings of a device, newest first.
#[utoipa::path(get, path = "/api/readings", tag = "readings", params(ReadingsQuery), responses(
    (status = 200, body = Vec<ReadingRow>), (status = "default", body = ApiError)))]
async fn readings(State(node): App, Query(query): Query<ReadingsQuery>) -> Answer<Vec<ReadingRow>> {
    node.readings(query).await.map(Json)
}

/// One reading and where it is.
#[utoipa::path(get, path = "/api/readings/{id}", tag = "readings", params(("id" = String, Path)), responses(
    (status = 200, body = ReadingRow), (status = "default", body = ApiError)))]
async fn reading(State(node): App, Path(id): Path<String>) -> Answer<ReadingRow> {
    node.reading(id).await.map(Json)
}

/// The profiles the node can read.
#[utoipa::path(get, path = "/api/profiles", tag = "devices", responses(
    (status = 200, body = Vec<ProfileInfo>), (status = "default", body = ApiError)))]
async fn profiles(State(node): App) -> Json<Vec<ProfileInfo>> {
    Json(node.profiles())
}

/// The serial ports of this machine.
#[utoipa::path(get, path = "/api/ports", tag = "devices", responses(
    (status = 200, body = Vec<Port>), (status = "default", body = ApiError)))]
async fn ports(State(node): App) -> Json<Vec<Port>> {
    Json(node.ports().await)
}

/// Checks a one-time code before anything is done with it.
#[utoipa::path(post, path = "/api/codes/check", tag = "devices", request_body = CheckCode, responses(
    (status = 200, body = CheckCode), (status = "default", body = ApiError)))]
async fn check_code(State(node): App, Body(asked): Body<CheckCode>) -> Answer<CheckCode> {
    node.check_code(&asked).map(Json)
}

/// Looks at a port; nothing is recorded.
#[utoipa::path(post, path = "/api/previews", tag = "devices", request_body = StartPreview, responses(
    (status = 200, body = Preview), (status = "default", body = ApiError)))]
async fn start_preview(State(node): App, Body(asked): Body<StartPreview>) -> Answer<Preview> {
    node.start_preview(asked).await.map(Json)
}

/// What a preview shows.
#[utoipa::path(get, path = "/api/previews/{id}", tag = "devices", params(("id" = String, Path)), responses(
    (status = 200, body = Preview), (status = "default", body = ApiError)))]
async fn preview(State(node): App, Path(id): Path<String>) -> Answer<Preview> {
    node.preview(&id).map(Json)
}

/// Ends a preview.
#[utoipa::path(delete, path = "/api/previews/{id}", tag = "devices", params(("id" = String, Path)), responses(
    (status = 204), (status = "default", body = ApiError)))]
async fn end_preview(State(node): App, Path(id): Path<String>) -> Result<StatusCode, Failure> {
    node.end_preview(&id).await.map(|()| StatusCode::NO_CONTENT)
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

/// How far back the series goes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct PeriodQuery {
    /// Minutes, 1 to 1,440; 15 without it.
    minutes: Option<u32>,
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

/// Adds simulated devices.
#[utoipa::path(post, path = "/api/demo", tag = "devices", request_body = StartDemo, responses(
    (status = 200, body = Vec<Device>), (status = "default", body = ApiError)))]
async fn start_demo(State(node): App, Body(asked): Body<StartDemo>) -> Answer<Vec<Device>> {
    node.start_demo(asked).await.map(Json)
}

/// Removes the simulated devices.
#[utoipa::path(delete, path = "/api/demo", tag = "devices", responses(
    (status = 204), (status = "default", body = ApiError)))]
async fn end_demo(State(node): App) -> Result<StatusCode, Failure> {
    node.end_demo().await.map(|()| StatusCode::NO_CONTENT)
}

fn file(bytes: Vec<u8>) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/octet-stream")];
    (kind, bytes).into_response()
}

/// A backup of the whole node, sealed under the passphrase; answered once it is made.
#[utoipa::path(post, path = "/api/backup", tag = "node", request_body = MakeBackup, responses(
    (status = 200, body = [u8], content_type = "application/octet-stream"),
    (status = "default", body = ApiError)))]
async fn backup(State(node): App, Body(asked): Body<MakeBackup>) -> Result<Response, Failure> {
    let ready = node.make_backup(asked).await?;
    let name = format!(
        "attachment; filename=\"fogward-{}.fwbackup\"",
        ready.about.height
    );
    let kind = "application/octet-stream".to_owned();
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, ready.into_body()).into_response())
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
