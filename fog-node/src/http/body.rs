//! What requests carry: typed bodies, questions and parts of the address, refused in words.
//!
//! A body that is not as expected is refused with the place where reading stopped and never with its
//! content, which may be a device's key.

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use crate::Failure;

/// The part of a query that a handler asks for; others, such as the token, are ignored.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Query), rejection(Failure))]
pub(super) struct Query<T>(pub T);

/// A part of the path.
#[derive(FromRequestParts)]
#[from_request(via(axum::extract::Path), rejection(Failure))]
pub(super) struct Path<T>(pub T);

/// A body of bytes that are no text.
pub(super) struct Raw(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Raw {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        if media_type(request.headers()) != "application/octet-stream" {
            return Err(malformed(
                "Its `Content-Type` is not `application/octet-stream`.",
            ));
        }
        Ok(Self(Bytes::from_request(request, state).await?))
    }
}

/// A JSON body.
pub(super) struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        if media_type(request.headers()) != "application/json" {
            return Err(malformed("Its `Content-Type` is not `application/json`."));
        }
        let bytes = Bytes::from_request(request, state).await?;
        parse(&bytes).map(Self)
    }
}

/// What the body says it is, in lowercase, without parameters.
fn media_type(headers: &HeaderMap) -> String {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or("");
    let kind = kind.split(';').next().unwrap_or("").trim();
    kind.to_ascii_lowercase()
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failure> {
    serde_json::from_slice(bytes).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Data => "A field is missing, unknown or of another type",
            _ => "It is no JSON",
        };
        malformed(&format!(
            "{what} (line {}, column {}).",
            error.line(),
            error.column()
        ))
    })
}

/// The answer to a body that cannot be read.
pub(super) fn malformed(why: &str) -> Failure {
    Failure::new(
        400,
        "API-06",
        "The request's body cannot be read.",
        why,
        "See /api/openapi.json for the form of the body.",
    )
}

#[cfg(test)]
mod tests {
    //! Goal: no bytes make the parser panic or say what they hold. Method: properties.

    use super::*;
    use fog_api::{AddDevice, CheckCode, StartDemo, StartPreview};
    use proptest::prelude::*;

    fn refused_quietly<T: DeserializeOwned>(bytes: &[u8], secret: &str) {
        if let Err(failure) = parse::<T>(bytes) {
            assert_eq!(failure.status, 400);
            assert!(!failure.error.why.contains(secret));
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            refused_quietly::<AddDevice>(&bytes, "\u{0}");
            refused_quietly::<CheckCode>(&bytes, "\u{0}");
            refused_quietly::<StartPreview>(&bytes, "\u{0}");
            refused_quietly::<StartDemo>(&bytes, "\u{0}");
        }

        #[test]
        fn near_misses_do_not_repeat_the_key(key in "[0-9a-f]{64}", field in "(key|code|path|devices|kez)", cut in 0usize..200) {
            let body = format!(r#"{{"name":7,"profile":"x","{field}":["{key}"]}}"#);
            let body = &body.as_bytes()[..cut.min(body.len())];
            refused_quietly::<AddDevice>(body, &key);
            refused_quietly::<CheckCode>(body, &key);
            refused_quietly::<StartPreview>(body, &key);
            refused_quietly::<StartDemo>(body, &key);
        }
    }
}
