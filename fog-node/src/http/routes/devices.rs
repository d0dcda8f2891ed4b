//! Routes of devices and readings.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use fog_api::{
    AddDevice, AnswerPairing, ApiError, AskInteraction, BluetoothPairing, BluetoothView,
    Capability, ChangeDevice, CheckCode, CommissioningQuery, CommissioningRecord,
    DecideInteraction, Device, HandOver, History, HistoryQuery, Identified, Identify, Interaction,
    LedgerDevice, PlaceDevice, Port, Preview, ProfileInfo, ReadingRow, ReadingsQuery,
    RegisterSigner, RoamingView, SelfTest, StartBluetoothPairing, StartDemo, StartPreview,
    StartSelfTest, TakeDevice,
};
use utoipa_axum::routes;

use super::super::body::{Body, Path, Query};
use super::super::gate::{Gate, Routes};
use super::super::session::Asker;
use super::{Answer, App};
use crate::Failure;

const SEE: Gate = Gate::Any(&[Capability::SeeDevices]);
const CHANGE: Gate = Gate::Any(&[Capability::ChangeDevices]);
const READ: Gate = Gate::Any(&[Capability::ReadRecords]);
/// Which of them it is stands in the body.
const CHANGE_OR_ASSIGN: Gate = Gate::Any(&[Capability::ChangeDevices, Capability::Assign]);

pub(super) fn routes() -> Routes {
    Routes::new()
        .at(SEE, routes!(devices))
        .at(CHANGE, routes!(add_device))
        .at(SEE, routes!(device))
        .at(CHANGE, routes!(remove_device))
        .at(CHANGE_OR_ASSIGN, routes!(change_device))
        .at(CHANGE, routes!(place_device))
        .at(CHANGE, routes!(hand_over))
        .at(SEE, routes!(incoming))
        .at(CHANGE, routes!(take_device))
        .at(SEE, routes!(roaming))
        .at(SEE, routes!(ledger_devices))
        .at(CHANGE, routes!(register_signer))
        .at(SEE, routes!(interactions))
        .at(CHANGE, routes!(ask_interaction))
        .at(CHANGE, routes!(decide_interaction))
        .at(READ, routes!(history))
        .at(READ, routes!(readings))
        .at(READ, routes!(reading))
        .at(SEE, routes!(profiles))
        .at(SEE, routes!(ports))
        .at(SEE, routes!(bluetooth))
        .at(CHANGE, routes!(start_bluetooth_pairing))
        .at(CHANGE, routes!(bluetooth_pairing, cancel_bluetooth_pairing))
        .at(CHANGE, routes!(answer_bluetooth_pairing))
        .at(CHANGE, routes!(start_self_test))
        .at(SEE, routes!(self_test))
        .at(CHANGE, routes!(cancel_self_test))
        .at(SEE, routes!(commissionings))
        .at(CHANGE, routes!(identify))
        .at(CHANGE, routes!(check_code))
        .at(CHANGE, routes!(start_preview))
        .at(CHANGE, routes!(preview, end_preview))
        .at(CHANGE, routes!(start_demo, end_demo))
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
    asker: Asker,
    Path(id): Path<String>,
    Body(asked): Body<ChangeDevice>,
) -> Answer<Device> {
    asker.must(match asked {
        ChangeDevice::Assign { .. } | ChangeDevice::Unassign => Capability::Assign,
        _ => Capability::ChangeDevices,
    })?;
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
