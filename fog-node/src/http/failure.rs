//! Refusals as HTTP answers, and the refusals that come before a handler is reached.

use axum::Json;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::Failure;

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self.error)).into_response()
    }
}

impl From<QueryRejection> for Failure {
    fn from(rejection: QueryRejection) -> Self {
        Failure::new(
            400,
            "API-06",
            "The question after `?` cannot be read.",
            rejection.body_text(),
            "See /api/openapi.json for what may be asked.",
        )
    }
}

impl From<PathRejection> for Failure {
    fn from(rejection: PathRejection) -> Self {
        Failure::new(
            400,
            "API-06",
            "A part of the address cannot be read.",
            rejection.body_text(),
            "See /api/openapi.json for what may be asked.",
        )
    }
}

impl From<BytesRejection> for Failure {
    fn from(rejection: BytesRejection) -> Self {
        if rejection.status() != StatusCode::PAYLOAD_TOO_LARGE {
            return super::body::malformed("It broke off.");
        }
        Failure::new(
            413,
            "API-07",
            "The request is too large.",
            format!("The node takes at most {} bytes.", super::MAX_BODY_BYTES),
            "Send less at once.",
        )
    }
}

/// The answer for an address that leads nowhere.
pub(super) fn not_found() -> Failure {
    Failure::new(
        404,
        "API-04",
        "There is nothing at this address.",
        "The node has no such page or method.",
        "See /api/openapi.json for what there is.",
    )
}

/// The answer for an address that takes other methods.
pub(super) async fn method_not_allowed() -> Failure {
    Failure::new(
        405,
        "API-05",
        "This address takes other methods.",
        "There is something at this address, but not for this method.",
        "See /api/openapi.json for what there is.",
    )
}
