//! Routes of people and their sessions.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use fog_api::{
    AddPerson, ApiError, Capability, ChangePassphrase, Enrol, Enrolment, GiveRoles, Person,
    SessionView, SignIn, SignedIn, StepUp, SwitchSession, Unlock,
};
use utoipa_axum::routes;

use super::super::body::{Body, Path};
use super::super::gate::{Gate, Routes};
use super::super::session::Asker;
use super::{Answer, App};
use crate::Failure;
use crate::people::Brought;

const SEE: Gate = Gate::Any(&[Capability::SeePeople]);
const MANAGE: Gate = Gate::AnyFresh(&[Capability::ManagePeople]);

pub(super) fn routes() -> Routes {
    Routes::new()
        .at(Gate::Anybody, routes!(session, sign_in, sign_out))
        .at(Gate::Anybody, routes!(lock))
        .at(Gate::Anybody, routes!(unlock))
        .at(Gate::Anybody, routes!(switch))
        .at(Gate::SignedIn, routes!(active))
        .at(Gate::SignedIn, routes!(step_up))
        .at(Gate::SignedInFresh, routes!(enrol_oneself))
        .at(Gate::SignedInFresh, routes!(change_passphrase))
        .at(SEE, routes!(people))
        .at(MANAGE, routes!(add_person))
        .at(MANAGE, routes!(give_roles))
        .at(MANAGE, routes!(revoke_person))
        .at(MANAGE, routes!(enrol))
}

/// Who calls, and what they may do.
#[utoipa::path(get, path = "/api/session", tag = "people", responses(
    (status = 200, body = SessionView), (status = "default", body = ApiError)))]
async fn session(State(node): App, asker: Asker) -> Json<SessionView> {
    Json(asker.told(node.session(&asker.brought)))
}

/// Signs in. A browser gets a cookie, a program that says it is one gets the session's token.
#[utoipa::path(post, path = "/api/session", tag = "people", request_body = SignIn, responses(
    (status = 200, body = SignedIn), (status = "default", body = ApiError)))]
async fn sign_in(
    State(node): App,
    asker: Asker,
    Body(asked): Body<SignIn>,
) -> Result<Response, Failure> {
    if asked.program {
        let own = node.sign_in(asked, Brought::default()).await?;
        let token = own.0.first().map(|token| token.digits());
        let session = node.session(&own);
        return Ok(Json(SignedIn { session, token }).into_response());
    }
    let brought = node.sign_in(asked, asker.brought.clone()).await?;
    let session = node.session(&brought);
    let answer = Json(SignedIn {
        session,
        token: None,
    });
    Ok(asker.keeps(&brought, answer))
}

/// Ends the session.
#[utoipa::path(delete, path = "/api/session", tag = "people", responses(
    (status = 204), (status = "default", body = ApiError)))]
async fn sign_out(State(node): App, asker: Asker) -> Response {
    let left = node.sign_out(asker.brought.clone());
    asker.keeps(&left, StatusCode::NO_CONTENT)
}

/// Locks the session.
#[utoipa::path(post, path = "/api/session/lock", tag = "people", responses(
    (status = 200, body = SessionView), (status = "default", body = ApiError)))]
async fn lock(State(node): App, asker: Asker) -> Answer<SessionView> {
    node.lock_session(&asker.brought).map(Json)
}

/// Opens a locked session.
#[utoipa::path(post, path = "/api/session/unlock", tag = "people", request_body = Unlock, responses(
    (status = 200, body = SessionView), (status = "default", body = ApiError)))]
async fn unlock(State(node): App, asker: Asker, Body(asked): Body<Unlock>) -> Answer<SessionView> {
    node.unlock_session(asked, &asker.brought).await.map(Json)
}

/// Goes over to another person's session in the same browser; it is locked until its passphrase is there.
#[utoipa::path(post, path = "/api/session/switch", tag = "people", request_body = SwitchSession, responses(
    (status = 200, body = SessionView), (status = "default", body = ApiError)))]
async fn switch(
    State(node): App,
    asker: Asker,
    Body(asked): Body<SwitchSession>,
) -> Result<Response, Failure> {
    let brought = node.switch_session(&asked, asker.brought.clone())?;
    Ok(asker.keeps(&brought, Json(node.session(&brought))))
}

/// Says that somebody is there, so that the session is not locked yet.
#[utoipa::path(post, path = "/api/session/active", tag = "people", responses(
    (status = 204), (status = "default", body = ApiError)))]
async fn active(State(node): App, asker: Asker) -> Result<StatusCode, Failure> {
    node.act(asker.signed()?);
    Ok(StatusCode::NO_CONTENT)
}

/// Shows a code of the app anew.
#[utoipa::path(post, path = "/api/session/step-up", tag = "people", request_body = StepUp, responses(
    (status = 200, body = SessionView), (status = "default", body = ApiError)))]
async fn step_up(State(node): App, asker: Asker, Body(asked): Body<StepUp>) -> Answer<SessionView> {
    let signed = asker.signed()?;
    node.step_up(asked, signed, &asker.brought).await.map(Json)
}

/// A new secret for one's own app, and new recovery codes.
#[utoipa::path(post, path = "/api/session/enrolment", tag = "people", responses(
    (status = 200, body = Enrolment), (status = "default", body = ApiError)))]
async fn enrol_oneself(State(node): App, asker: Asker) -> Answer<Enrolment> {
    node.enrol_oneself(asker.signed()?).await.map(Json)
}

/// Changes one's own passphrase.
#[utoipa::path(post, path = "/api/session/passphrase", tag = "people", request_body = ChangePassphrase,
    responses((status = 200, body = Person), (status = "default", body = ApiError)))]
async fn change_passphrase(
    State(node): App,
    asker: Asker,
    Body(asked): Body<ChangePassphrase>,
) -> Answer<Person> {
    let signed = asker.signed()?;
    node.change_passphrase(asked, signed).await.map(Json)
}

/// Everybody who is or was registered.
#[utoipa::path(get, path = "/api/people", tag = "people", responses(
    (status = 200, body = Vec<Person>), (status = "default", body = ApiError)))]
async fn people(State(node): App) -> Json<Vec<Person>> {
    Json(node.people())
}

/// Registers a person; the first one needs nobody's session.
#[utoipa::path(post, path = "/api/people", tag = "people", request_body = AddPerson, responses(
    (status = 200, body = Enrolment), (status = "default", body = ApiError)))]
async fn add_person(
    State(node): App,
    asker: Asker,
    Body(asked): Body<AddPerson>,
) -> Answer<Enrolment> {
    node.add_person(asked, asker.signed().ok()).await.map(Json)
}

/// Gives a person these roles and no others.
#[utoipa::path(post, path = "/api/people/{id}/roles", tag = "people", params(("id" = String, Path)),
    request_body = GiveRoles, responses((status = 200, body = Person), (status = "default", body = ApiError)))]
async fn give_roles(
    State(node): App,
    Path(id): Path<String>,
    Body(asked): Body<GiveRoles>,
) -> Answer<Person> {
    node.give_roles(&id, asked).await.map(Json)
}

/// Revokes a person, for good.
#[utoipa::path(post, path = "/api/people/{id}/revoke", tag = "people", params(("id" = String, Path)),
    responses((status = 200, body = Person), (status = "default", body = ApiError)))]
async fn revoke_person(State(node): App, Path(id): Path<String>) -> Answer<Person> {
    node.revoke_person(&id).await.map(Json)
}

/// Enrols a person anew.
#[utoipa::path(post, path = "/api/people/{id}/enrolment", tag = "people", params(("id" = String, Path)),
    request_body = Enrol, responses((status = 200, body = Enrolment), (status = "default", body = ApiError)))]
async fn enrol(
    State(node): App,
    Path(id): Path<String>,
    Body(asked): Body<Enrol>,
) -> Answer<Enrolment> {
    node.enrol(&id, asked).await.map(Json)
}
