//! Which sessions a request brings: as a cookie from a browser, as a header from a program.
//!
//! ```text
//! Cookie:          fogward-1a2b3c4d=TOKEN.TOKEN…   HttpOnly; SameSite=Strict; Path=/api
//! Fogward-Session: TOKEN
//! ```
//!
//! The cookie's name ends in the node's key, since cookies know no ports and two nodes may run on one machine.
//! It holds the sessions of all who are signed in at this browser, the current one first. A request with the
//! header is a program's, and its cookies are not looked at. A session is beside the node's token, never
//! instead of it ([`super::access`]).

use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use fog_api::{Capability, SessionView};

use super::Shared;
use super::tls::is_afar;
use crate::people::{Brought, Caller, MAX_BROUGHT, Signed, signed_out};
use crate::{Failure, Node};

/// The header of programs.
pub const SESSION_HEADER: &str = "fogward-session";

/// Who asks, as every handler may know.
#[derive(Clone)]
pub(super) struct Asker {
    pub(super) caller: Caller,
    pub(super) brought: Brought,
    /// Name of the cookie that a browser is answered with.
    cookie: Option<String>,
    /// Whether the request came from another machine.
    is_afar: bool,
}

impl Asker {
    fn of(node: &Node, headers: &HeaderMap, is_afar: bool) -> Self {
        let cookie = format!("fogward-{}", node.node_key.short());
        let header = headers.get(SESSION_HEADER);
        let brought = match header {
            Some(token) => read(token.to_str().unwrap_or("")),
            None => read(cookie_of(headers, &cookie).unwrap_or("")),
        };
        let cookie = header.is_none().then_some(cookie);
        Self {
            caller: match node.people.caller(&brought) {
                // Who is first is registered at the machine itself.
                Caller::SetUp if is_afar => Caller::Nobody,
                caller => caller,
            },
            brought,
            cookie,
            is_afar,
        }
    }

    /// The person who asks.
    ///
    /// # Errors
    /// [`Failure`] `AUTH-01` if nobody is registered or signed in.
    pub(super) fn signed(&self) -> Result<&Signed, Failure> {
        match &self.caller {
            Caller::Person(signed) => Ok(signed),
            Caller::SetUp | Caller::Nobody | Caller::Locked(..) => Err(signed_out()),
        }
    }

    /// Says no unless the caller may do this; for what only the body tells.
    ///
    /// # Errors
    /// [`Failure`] as a gate has them.
    pub(super) fn must(&self, capability: Capability) -> Result<(), Failure> {
        match &self.caller {
            Caller::SetUp => Ok(()),
            _ => self.signed()?.must(&[capability]),
        }
    }

    /// Where she stands, as she is told: from another machine nobody may do anything before somebody is registered.
    pub(super) fn told(&self, mut view: SessionView) -> SessionView {
        if matches!(self.caller, Caller::Nobody) {
            view.may.clear();
        }
        view
    }

    /// The answer that also tells a browser which sessions to bring from now on.
    pub(super) fn keeps(&self, brought: &Brought, answer: impl IntoResponse) -> Response {
        let mut answer = answer.into_response();
        let Some(cookie) = &self.cookie else {
            return answer;
        };
        let tokens: Vec<_> = brought.0.iter().map(|token| token.digits()).collect();
        let age = if tokens.is_empty() { "; Max-Age=0" } else { "" };
        let value = tokens.join(".");
        let secure = if self.is_afar { "; Secure" } else { "" };
        let cookie = format!("{cookie}={value}; Path=/api; HttpOnly; SameSite=Strict{secure}{age}");
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            answer.headers_mut().insert(header::SET_COOKIE, cookie);
        }
        answer
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asker {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let known = parts.extensions.get::<Self>().cloned();
        known.ok_or_else(|| Failure::internal("a route was reached without a look at who asks"))
    }
}

/// Finds out who asks, before any route is reached.
pub(super) async fn identify(
    State(shared): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let asker = Asker::of(&shared.node, request.headers(), is_afar(&request));
    request.extensions_mut().insert(asker);
    next.run(request).await
}

/// The tokens in a text; what is none is left out.
fn read(text: &str) -> Brought {
    let tokens = text.trim().split('.').take(MAX_BROUGHT);
    Brought(tokens.filter_map(|token| token.parse().ok()).collect())
}

fn cookie_of<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let all = headers.get_all(header::COOKIE).into_iter();
    let mut pairs = all
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(';'));
    pairs.find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    //! Goal: cookies and headers of any form are read or left out. Method: examples and any text.

    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(
            header::COOKIE,
            "a=1; fogward-ab=x; fogward-abc=y".parse().unwrap(),
        );
        headers.append(header::COOKIE, "fogward-d=z.w".parse().unwrap());
        assert_eq!(cookie_of(&headers, "fogward-ab"), Some("x"));
        assert_eq!(cookie_of(&headers, "fogward-abc"), Some("y"));
        assert_eq!(cookie_of(&headers, "fogward-d"), Some("z.w"));
        assert_eq!(cookie_of(&headers, "fogward-"), None);
    }

    proptest! {
        #[test]
        fn any_text_brings_few_sessions(text in "\\PC{0,200}", good in proptest::collection::vec("[0-9a-f]{64}", 0..12)) {
            prop_assert!(read(&text).0.is_empty());
            let brought = read(&good.join("."));
            let digits: Vec<_> = brought.0.iter().map(|token| token.digits()).collect();
            prop_assert_eq!(&digits[..], &good[..good.len().min(MAX_BROUGHT)]);
        }
    }
}
