//! Routes of the access log: read by those who audit, exported for strangers, and what it says of one patient.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use fog_api::{ApiError, AuditPage, AuditQuery, Capability, PromisedReceipt, SettlePromise};
use utoipa_axum::routes;

use super::super::body::{Body, Path, Query};
use super::super::gate::{Gate, Routes};
use super::super::session::Asker;
use super::{Answer, App};
use crate::Failure;

const READ: Gate = Gate::Any(&[Capability::Audit]);
const EXPORT: Gate = Gate::AnyFresh(&[Capability::Audit]);
/// Who looked at a patient is told to those who look after her.
const KNOW: Gate = Gate::Any(&[Capability::Assign, Capability::ReadRecords]);

pub(super) fn routes() -> Routes {
    Routes::new()
        .at(READ, routes!(audit))
        .at(READ, routes!(settle))
        .at(EXPORT, routes!(audit_bundle))
        .at(KNOW, routes!(patient_audit))
}

/// Entries of the access log that concern the caller's organisation, newest first; answered once it is final that she
/// reads them.
#[utoipa::path(get, path = "/api/audit", tag = "audit", params(AuditQuery), responses(
    (status = 200, body = AuditPage), (status = "default", body = ApiError)))]
async fn audit(
    State(node): App,
    asker: Asker,
    Query(query): Query<AuditQuery>,
) -> Answer<AuditPage> {
    node.audit(query, asker.signed()?).await.map(Json)
}

/// Writes down why a receipt that another node has promised did not come; nobody is named for it any more.
#[utoipa::path(post, path = "/api/audit/promises/{transaction}/settle", tag = "audit",
    params(("transaction" = String, Path)), request_body = SettlePromise,
    responses((status = 200, body = PromisedReceipt), (status = "default", body = ApiError)))]
async fn settle(
    State(node): App,
    asker: Asker,
    Path(transaction): Path<String>,
    Body(said): Body<SettlePromise>,
) -> Answer<PromisedReceipt> {
    let settled = node.settle_promise(&transaction, &said.reason, asker.signed()?);
    settled.await.map(Json)
}

/// The same entries as a file that is verified offline; `before` and `limit` do not count.
#[utoipa::path(get, path = "/api/audit/bundle", tag = "audit", params(AuditQuery), responses(
    (status = 200, body = [u8], content_type = "application/x-ndjson"),
    (status = "default", body = ApiError)))]
async fn audit_bundle(
    State(node): App,
    asker: Asker,
    Query(query): Query<AuditQuery>,
) -> Result<Response, Failure> {
    let bytes = node.audit_bundle(query, asker.signed()?).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson"),
        (
            header::CONTENT_DISPOSITION,
            "attachment; filename=\"audit.fwaudit\"",
        ),
    ];
    Ok((headers, bytes).into_response())
}

/// Entries of the access log about a patient, newest first: who asked, what was decided, what was served.
#[utoipa::path(get, path = "/api/patients/{id}/audit", tag = "audit",
    params(("id" = String, Path), AuditQuery), responses(
    (status = 200, body = AuditPage), (status = "default", body = ApiError)))]
async fn patient_audit(
    State(node): App,
    asker: Asker,
    Path(id): Path<String>,
    Query(query): Query<AuditQuery>,
) -> Answer<AuditPage> {
    let page = node.audit_of_patient(&id, query, asker.signed()?);
    page.await.map(Json)
}
