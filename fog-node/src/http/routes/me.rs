//! Routes of a patient who signs in: her own record, which she names by nothing but being signed in.

use axum::Json;
use axum::extract::State;
use fog_api::{
    ApiError, AuditPage, AuditQuery, Capability, ConsentRow, GiveOwnConsent, History, HistoryQuery,
    PatientReadingsQuery, PatientView, ReadingRow,
};
use utoipa_axum::routes;

use super::super::body::{Body, Path, Query};
use super::super::gate::{Gate, Routes};
use super::super::session::Asker;
use super::{Answer, App};
use crate::{Failure, Node};

const OWN: Gate = Gate::Any(&[Capability::OwnRecord]);

pub(super) fn routes() -> Routes {
    Routes::new()
        .at(OWN, routes!(me))
        .at(OWN, routes!(my_readings))
        .at(OWN, routes!(my_history))
        .at(OWN, routes!(my_consents, give_own_consent))
        .at(OWN, routes!(withdraw_own_consent))
        .at(OWN, routes!(my_audit))
}

/// The id of the record that the caller's account is linked with.
fn own(node: &Node, asker: &Asker) -> Result<String, Failure> {
    let patient = node.oneself(asker.signed()?)?;
    Ok(patient.id.to_string())
}

/// The caller as a patient: what she wears and wore, and her handles on the ledger now.
#[utoipa::path(get, path = "/api/me", tag = "me", responses(
    (status = 200, body = PatientView), (status = "default", body = ApiError)))]
async fn me(State(node): App, asker: Asker) -> Answer<PatientView> {
    let own = own(&node, &asker)?;
    node.patient(own).await.map(Json)
}

/// The caller's readings over all devices that she wore, taken last first.
#[utoipa::path(get, path = "/api/me/readings", tag = "me", params(PatientReadingsQuery), responses(
    (status = 200, body = Vec<ReadingRow>), (status = "default", body = ApiError)))]
async fn my_readings(
    State(node): App,
    asker: Asker,
    Query(query): Query<PatientReadingsQuery>,
) -> Answer<Vec<ReadingRow>> {
    let own = own(&node, &asker)?;
    node.patient_readings(own, query).await.map(Json)
}

/// A metric's past of the caller, over all devices that she wore.
#[utoipa::path(get, path = "/api/me/history", tag = "me", params(HistoryQuery), responses(
    (status = 200, body = History), (status = "default", body = ApiError)))]
async fn my_history(
    State(node): App,
    asker: Asker,
    Query(query): Query<HistoryQuery>,
) -> Answer<History> {
    let own = own(&node, &asker)?;
    node.patient_history(own, query).await.map(Json)
}

/// What the caller agreed to, the last one first.
#[utoipa::path(get, path = "/api/me/consents", tag = "me", responses(
    (status = 200, body = Vec<ConsentRow>), (status = "default", body = ApiError)))]
async fn my_consents(State(node): App, asker: Asker) -> Answer<Vec<ConsentRow>> {
    node.consents_of(&own(&node, &asker)?).map(Json)
}

/// Gives a consent of the caller's own, signed with her key; answered once it is durable and told.
#[utoipa::path(post, path = "/api/me/consents", tag = "me", request_body = GiveOwnConsent, responses(
    (status = 200, body = ConsentRow), (status = "default", body = ApiError)))]
async fn give_own_consent(
    State(node): App,
    asker: Asker,
    Body(asked): Body<GiveOwnConsent>,
) -> Answer<ConsentRow> {
    let row = node.give_own_consent(asked, asker.signed()?);
    row.await.map(Json)
}

/// Withdraws a consent about the caller, signed with her key; answered once it is durable and told.
#[utoipa::path(post, path = "/api/me/consents/{consent}/withdraw", tag = "me", params(("consent" = String, Path)),
    responses((status = 200, body = ConsentRow), (status = "default", body = ApiError)))]
async fn withdraw_own_consent(
    State(node): App,
    asker: Asker,
    Path(consent): Path<String>,
) -> Answer<ConsentRow> {
    let row = node.withdraw_own_consent(&consent, asker.signed()?);
    row.await.map(Json)
}

/// Entries of the access log about the caller, newest first; answered once it is final that she reads them.
#[utoipa::path(get, path = "/api/me/audit", tag = "me", params(AuditQuery), responses(
    (status = 200, body = AuditPage), (status = "default", body = ApiError)))]
async fn my_audit(
    State(node): App,
    asker: Asker,
    Query(query): Query<AuditQuery>,
) -> Answer<AuditPage> {
    let own = own(&node, &asker)?;
    let page = node.audit_of_patient(&own, query, asker.signed()?);
    page.await.map(Json)
}
