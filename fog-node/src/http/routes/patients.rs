//! Routes of patients: who they are, what they wear, their record.

use axum::Json;
use axum::extract::State;
use fog_api::{
    ApiError, Capability, ConsentRow, DescribePatient, EndRelation, GiveConsent, History,
    HistoryQuery, LinkPerson, Patient, PatientReadingsQuery, PatientView, PatientsQuery,
    PatientsView, ReadingRow, RelatePerson,
};
use utoipa_axum::routes;

use super::super::body::{Body, Path, Query};
use super::super::gate::{Gate, Routes};
use super::super::session::Asker;
use super::{Answer, App};

/// Who they are is told to those who look after them.
const KNOW: Gate = Gate::Any(&[Capability::Assign, Capability::ReadRecords]);
const DESCRIBE: Gate = Gate::Any(&[Capability::Assign]);
const READ: Gate = Gate::Any(&[Capability::ReadRecords]);

pub(super) fn routes() -> Routes {
    Routes::new()
        .at(KNOW, routes!(patients))
        .at(DESCRIBE, routes!(add_patient))
        .at(KNOW, routes!(patient))
        .at(DESCRIBE, routes!(describe_patient))
        .at(DESCRIBE, routes!(link_person))
        .at(DESCRIBE, routes!(relate_person))
        .at(DESCRIBE, routes!(end_relation))
        .at(READ, routes!(patient_readings))
        .at(READ, routes!(patient_history))
        .at(KNOW, routes!(consents))
        .at(DESCRIBE, routes!(give_consent))
        .at(DESCRIBE, routes!(withdraw_consent))
}

/// Patients by name or number, in the order of their names.
#[utoipa::path(get, path = "/api/patients", tag = "patients", params(PatientsQuery), responses(
    (status = 200, body = PatientsView), (status = "default", body = ApiError)))]
async fn patients(State(node): App, Query(query): Query<PatientsQuery>) -> Answer<PatientsView> {
    node.patients(query).await.map(Json)
}

/// Writes down a new patient; answered once that is durable.
#[utoipa::path(post, path = "/api/patients", tag = "patients", request_body = DescribePatient, responses(
    (status = 200, body = Patient), (status = "default", body = ApiError)))]
async fn add_patient(State(node): App, Body(asked): Body<DescribePatient>) -> Answer<Patient> {
    node.add_patient(&asked).await.map(Json)
}

/// A patient, what she wears and wore, and her handles on the ledger now.
#[utoipa::path(get, path = "/api/patients/{id}", tag = "patients", params(("id" = String, Path)), responses(
    (status = 200, body = PatientView), (status = "default", body = ApiError)))]
async fn patient(State(node): App, Path(id): Path<String>) -> Answer<PatientView> {
    node.patient(id).await.map(Json)
}

/// Changes what a patient is called; answered once that is durable.
#[utoipa::path(post, path = "/api/patients/{id}", tag = "patients", params(("id" = String, Path)),
    request_body = DescribePatient, responses(
    (status = 200, body = Patient), (status = "default", body = ApiError)))]
async fn describe_patient(
    State(node): App,
    Path(id): Path<String>,
    Body(asked): Body<DescribePatient>,
) -> Answer<Patient> {
    node.describe_patient(&id, &asked).await.map(Json)
}

/// Says with which account she signs in and sees her own record, or with none; answered once that is durable.
#[utoipa::path(post, path = "/api/patients/{id}/person", tag = "patients", params(("id" = String, Path)),
    request_body = LinkPerson, responses(
    (status = 200, body = PatientView), (status = "default", body = ApiError)))]
async fn link_person(
    State(node): App,
    asker: Asker,
    Path(id): Path<String>,
    Body(asked): Body<LinkPerson>,
) -> Answer<PatientView> {
    let view = node.link_person(&id, &asked, asker.signed()?);
    view.await.map(Json)
}

/// Says that somebody treats her, or acts for her by law; answered once that is durable.
#[utoipa::path(post, path = "/api/patients/{id}/team", tag = "patients", params(("id" = String, Path)),
    request_body = RelatePerson, responses(
    (status = 200, body = PatientView), (status = "default", body = ApiError)))]
async fn relate_person(
    State(node): App,
    asker: Asker,
    Path(id): Path<String>,
    Body(asked): Body<RelatePerson>,
) -> Answer<PatientView> {
    let view = node.relate_person(&id, &asked, asker.signed()?);
    view.await.map(Json)
}

/// Says that somebody is that to her no more; answered once that is durable, and what rests on it is ended.
#[utoipa::path(post, path = "/api/patients/{id}/team/end", tag = "patients", params(("id" = String, Path)),
    request_body = EndRelation, responses(
    (status = 200, body = PatientView), (status = "default", body = ApiError)))]
async fn end_relation(
    State(node): App,
    Path(id): Path<String>,
    Body(asked): Body<EndRelation>,
) -> Answer<PatientView> {
    node.end_relation(&id, &asked).await.map(Json)
}

/// Readings that were taken while she wore the devices, taken last first.
#[utoipa::path(get, path = "/api/patients/{id}/readings", tag = "patients",
    params(("id" = String, Path), PatientReadingsQuery), responses(
    (status = 200, body = Vec<ReadingRow>), (status = "default", body = ApiError)))]
async fn patient_readings(
    State(node): App,
    Path(id): Path<String>,
    Query(query): Query<PatientReadingsQuery>,
) -> Answer<Vec<ReadingRow>> {
    node.patient_readings(id, query).await.map(Json)
}

/// A metric's past of a patient, over all devices that she wore.
#[utoipa::path(get, path = "/api/patients/{id}/history", tag = "patients",
    params(("id" = String, Path), HistoryQuery), responses(
    (status = 200, body = History), (status = "default", body = ApiError)))]
async fn patient_history(
    State(node): App,
    Path(id): Path<String>,
    Query(query): Query<HistoryQuery>,
) -> Answer<History> {
    node.patient_history(id, query).await.map(Json)
}

/// What a patient agreed to, the last one first.
#[utoipa::path(get, path = "/api/patients/{id}/consents", tag = "patients", params(("id" = String, Path)), responses(
    (status = 200, body = Vec<ConsentRow>), (status = "default", body = ApiError)))]
async fn consents(State(node): App, Path(id): Path<String>) -> Answer<Vec<ConsentRow>> {
    node.consents_of(&id).map(Json)
}

/// Writes down what a patient agreed to before a witness; answered once that is durable and told.
#[utoipa::path(post, path = "/api/patients/{id}/consents", tag = "patients", params(("id" = String, Path)),
    request_body = GiveConsent, responses((status = 200, body = ConsentRow), (status = "default", body = ApiError)))]
async fn give_consent(
    State(node): App,
    asker: Asker,
    Path(id): Path<String>,
    Body(asked): Body<GiveConsent>,
) -> Answer<ConsentRow> {
    let row = node.give_consent(&id, asked, asker.signed()?);
    row.await.map(Json)
}

/// Withdraws a consent; answered once that is durable and told.
#[utoipa::path(post, path = "/api/patients/{id}/consents/{consent}/withdraw", tag = "patients",
    params(("id" = String, Path), ("consent" = String, Path)),
    responses((status = 200, body = ConsentRow), (status = "default", body = ApiError)))]
async fn withdraw_consent(
    State(node): App,
    asker: Asker,
    Path((id, consent)): Path<(String, String)>,
) -> Answer<ConsentRow> {
    let row = node.withdraw_consent(&id, &consent, asker.signed()?);
    row.await.map(Json)
}
