//! The routes: each handler hands its request to the node and its answer back, in one line.
//!
//! The attributes above the handlers are the OpenAPI description; `fog-api`'s first page is the table.

mod access;
mod audit;
mod chain;
mod consortium;
mod devices;
mod erasures;
mod me;
mod patients;
mod people;
mod policies;

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use fog_api::{ApiError, Capability, MakeBackup, Status};
use serde::Deserialize;
use utoipa::OpenApi;
use utoipa_axum::routes;

use super::Shared;
use super::body::Body;
use super::events;
use super::gate::{Gate, Routes};
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
                       token of the address that the node printed; once people are registered, also a \
                       session: the cookie of a browser that has signed in, or `Fogward-Session: TOKEN`."
    ),
    components(schemas(ApiError, fog_api::Event)),
    modifiers(&Security),
    security(("token" = [], "session" = []), ("query" = [], "cookie" = []))
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
        let session = ApiKey::Header(ApiKeyValue::new("Fogward-Session"));
        components.add_security_scheme("session", SecurityScheme::ApiKey(session));
        let cookie = ApiKey::Cookie(ApiKeyValue::new("fogward-KEY"));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(cookie));
    }
}

/// How far back the series goes.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct PeriodQuery {
    /// Minutes, 1 to 1,440; 15 without it.
    minutes: Option<u32>,
}

/// The node as a whole: how it is, beside its devices or its chain.
const SEE: Gate = Gate::Any(&[Capability::SeeDevices, Capability::ReadConsortium]);
const SEE_LIVE: Gate = Gate::Any(&[Capability::SeeDevices]);
const BACK_UP: Gate = Gate::AnyFresh(&[Capability::Maintain]);

/// All routes below `/api/`.
pub(super) fn router() -> axum::Router<Shared> {
    let routes = Routes::described(Description::openapi())
        .at(SEE, routes!(status))
        .at(BACK_UP, routes!(backup))
        .at(SEE_LIVE, routes!(events::events))
        .merge(devices::routes())
        .merge(chain::routes())
        .merge(consortium::routes())
        .merge(people::routes())
        .merge(patients::routes())
        .merge(me::routes())
        .merge(erasures::routes())
        .merge(policies::routes())
        .merge(access::routes())
        .merge(audit::routes());
    let (router, description) = routes.into_parts();
    let describe = axum::routing::get(async move || Json(description));
    router.route("/api/openapi.json", Gate::SignedIn.before(describe))
}

/// The node as a whole.
#[utoipa::path(get, path = "/api/status", tag = "node", responses(
    (status = 200, body = Status), (status = "default", body = ApiError)))]
async fn status(State(node): App) -> Answer<Status> {
    node.status().map(Json)
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
