//! Routes of erasure: a patient's, a device's, and the certificates of both.

use axum::Json;
use axum::extract::State;
use fog_api::{ApiError, Capability, Erase, ErasureView};
use utoipa_axum::routes;

use super::super::body::{Body, Path};
use super::super::gate::{Gate, Routes};
use super::{Answer, App};

const ERASE: Gate = Gate::AnyFresh(&[Capability::Maintain]);
const SEE: Gate = Gate::Any(&[Capability::Maintain, Capability::Audit]);

pub(super) fn routes() -> Routes {
    Routes::new()
        .at(ERASE, routes!(erase_patient))
        .at(ERASE, routes!(erase_device))
        .at(SEE, routes!(erasures))
}

/// Erases all that the node holds of a patient, for good; answered with the certificate once that is durable.
#[utoipa::path(post, path = "/api/patients/{id}/erase", tag = "patients", params(("id" = String, Path)),
    request_body = Erase, responses(
    (status = 200, body = ErasureView), (status = "default", body = ApiError)))]
async fn erase_patient(
    State(node): App,
    Path(id): Path<String>,
    Body(asked): Body<Erase>,
) -> Answer<ErasureView> {
    node.erase_patient(&id, &asked).await.map(Json)
}

/// Erases all readings that the node holds of a device, for good; answered with the certificate once that is durable.
#[utoipa::path(post, path = "/api/devices/{id}/erase", tag = "devices", params(("id" = String, Path)),
    request_body = Erase, responses(
    (status = 200, body = ErasureView), (status = "default", body = ApiError)))]
async fn erase_device(
    State(node): App,
    Path(id): Path<String>,
    Body(asked): Body<Erase>,
) -> Answer<ErasureView> {
    node.erase_device(&id, &asked).await.map(Json)
}

/// The certificates of what was erased at this node, the newest first.
#[utoipa::path(get, path = "/api/erasures", tag = "patients", responses(
    (status = 200, body = Vec<ErasureView>), (status = "default", body = ApiError)))]
async fn erasures(State(node): App) -> Answer<Vec<ErasureView>> {
    node.erasures().await.map(Json)
}
