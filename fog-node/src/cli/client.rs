//! Asks a running node over its API. Knows the address as the node printed it, with its token, and the
//! session of whoever has signed in there (`session.rs`).

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use fog_api::ApiError;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_rustls::rustls::crypto::ring;
use ureq::http::{HeaderMap, HeaderValue, Response, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Body, RequestBuilder};

use super::session;
use crate::http::SESSION_HEADER;

/// Longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: u64 = 64 << 20;
/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How to reach the node.
#[derive(Debug, clap::Args)]
pub(crate) struct Api {
    /// The node's address as `fogward run` printed it, with its token; or https:// and the name of another machine.
    #[arg(
        long = "api",
        value_name = "URL",
        env = "FOGWARD_API",
        hide_env_values = true
    )]
    url: Address,
    /// File of the certificate that an https:// node shows, or of the authority that signed it, in PEM.
    #[arg(long, value_name = "FILE", env = "FOGWARD_CA")]
    ca: Option<PathBuf>,
    /// Print one JSON value instead of a table.
    #[arg(long)]
    pub json: bool,
    /// As whom, where more than one person has signed in here (fogward login).
    #[arg(long = "as", value_name = "USER", env = "FOGWARD_AS")]
    user: Option<String>,
    /// The code that your authenticator app shows now, for what asks for a fresh one.
    #[arg(long, value_name = "CODE")]
    totp: Option<String>,
    #[arg(skip)]
    session: OnceLock<Session>,
}

/// The token of a session, if there is one.
#[derive(Clone)]
struct Session(Option<String>);

/// Says nothing of itself.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(…)")
    }
}

/// An address, with its token if the node is on this machine.
#[derive(Clone)]
pub(crate) struct Address {
    base: String,
    token: Option<String>,
}

/// Holds a token, so says nothing of itself.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.base)
    }
}

impl std::str::FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let hint = "expected an address such as http://127.0.0.1:7400/?token=…";
        let uri: Uri = text.parse().map_err(|_| hint.to_owned())?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) =
            (uri.scheme_str(), uri.authority())
        else {
            return Err(hint.to_owned());
        };
        let pairs = uri.query().unwrap_or("").split('&');
        let mut tokens = pairs.filter_map(|pair| pair.strip_prefix("token="));
        let token = tokens.next().map(str::to_owned);
        // Other machines have none, and need none.
        if scheme == "http" && token.is_none() {
            let why = "the address has no token; give it as the node printed it, in quotes";
            return Err(why.to_owned());
        }
        Ok(Self {
            base: format!("{scheme}://{authority}"),
            token,
        })
    }
}

/// The node said no.
#[derive(Debug, thiserror::Error)]
#[error("{} {} {} ({})", .error.what, .error.why, .error.next, .error.code)]
pub(super) struct Refused {
    status: u16,
    error: ApiError,
}

/// What the node says in words, as its refusal.
pub(super) fn refuse(error: ApiError) -> anyhow::Error {
    let status = 409;
    Refused { status, error }.into()
}

impl Refused {
    /// Whether the refusal answers the question: no such thing, not in this state, not for this person.
    pub(super) fn is_answer(&self) -> bool {
        let is_of_person = matches!(
            self.error.code.as_str(),
            "AUTH-02" | "AUTH-04" | "AUTH-05" | "AUTH-06"
        );
        is_of_person || matches!(self.status, 400 | 404 | 409)
    }
}

/// A question, as a path below the node's address.
pub(crate) struct Question(String);

impl Question {
    /// What is at `path`, a fixed one.
    pub(crate) fn path(path: &'static str) -> Self {
        Self(path.to_owned())
    }

    /// What is at `path` under this name.
    pub(crate) fn named(path: &'static str, name: &str) -> Self {
        Self(format!("{path}/{}", escape(name)))
    }

    /// What is below it under this name.
    pub(crate) fn then(mut self, name: impl ToString) -> Self {
        self.0.push('/');
        self.0.push_str(&escape(&name.to_string()));
        self
    }

    /// Only so much of it.
    pub(crate) fn with<T: ToString>(mut self, name: &'static str, value: Option<T>) -> Self {
        if let Some(value) = value {
            let joint = if self.0.contains('?') { '&' } else { '?' };
            self.0.push(joint);
            self.0.push_str(name);
            self.0.push('=');
            self.0.push_str(&escape(&value.to_string()));
        }
        self
    }
}

/// What a request does.
enum Asked {
    Get,
    Post(Vec<u8>),
    Delete,
}

/// Asks a node, and waits so long for the whole of its answer. Of nodes on other machines it trusts those whose
/// certificate, or that of whose authority, is in the file `ca`, and no other.
fn agent(patience: Option<Duration>, ca: Option<&Path>) -> anyhow::Result<Agent> {
    let trusted = match ca {
        None => Vec::new(),
        Some(path) => {
            let pem =
                std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
            let found = Certificate::from_pem(&pem);
            vec![found.with_context(|| format!("{} holds no certificate", path.display()))?]
        }
    };
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::Specific(Arc::new(trusted)))
        .unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()))
        .build();
    // The token must reach the node and nobody else, so proxies of the environment are not used.
    let config = Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(patience)
        .tls_config(tls)
        .build();
    Ok(config.into())
}

/// A request with these headers.
fn with<B>(mut request: RequestBuilder<B>, headers: HeaderMap) -> RequestBuilder<B> {
    if let Some(own) = request.headers_mut() {
        own.extend(headers);
    }
    request
}

fn escape(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

impl Api {
    /// The node at another address.
    pub(crate) fn at(url: &Address) -> Self {
        Self {
            url: url.clone(),
            ca: None,
            json: false,
            user: None,
            totp: None,
            session: OnceLock::new(),
        }
    }

    /// The same node with this session, or with none.
    pub(super) fn with_session(&self, token: Option<String>) -> Self {
        Self {
            session: OnceLock::from(Session(token)),
            ca: self.ca.clone(),
            ..Self::at(&self.url)
        }
    }

    /// The app's code that was given.
    pub(super) fn totp(&self) -> Option<&str> {
        self.totp.as_deref()
    }

    /// The session to ask with. The first time, the node is told that somebody is there, and the app's code.
    fn session(&self) -> anyhow::Result<Option<&str>> {
        if self.session.get().is_none() {
            let found = session::find(&self.url.base, self.user.as_deref())?;
            let is_found = found.is_some();
            self.session.get_or_init(|| Session(found));
            if is_found {
                let question = Question::path("/api/session/active");
                self.call(&question, Asked::Post(Vec::new()))?;
            }
            if let (true, Some(code)) = (is_found, self.totp.clone()) {
                let body = serde_json::to_vec(&fog_api::StepUp { code })?;
                let question = Question::path("/api/session/step-up");
                self.call(&question, Asked::Post(body))?;
            }
        }
        let session = self.session.get();
        Ok(session.and_then(|session| session.0.as_deref()))
    }

    /// The node's address, without its token.
    pub(super) fn base(&self) -> &str {
        &self.url.base
    }

    /// Asks for a typed answer.
    pub(crate) fn ask<T: DeserializeOwned>(&self, question: &Question) -> anyhow::Result<T> {
        let bytes = self.fetch(question)?;
        serde_json::from_slice(&bytes)
            .context("the node's answer has an unknown form; is it of another version?")
    }

    /// Asks for something to be done.
    pub(crate) fn tell<T: DeserializeOwned>(
        &self,
        question: &Question,
        body: &impl Serialize,
    ) -> anyhow::Result<T> {
        let body = serde_json::to_vec(body)?;
        let bytes = self.call(question, Asked::Post(body))?;
        serde_json::from_slice(&bytes)
            .context("the node's answer has an unknown form; is it of another version?")
    }

    /// Asks for something to be taken away.
    pub(super) fn delete(&self, question: &Question) -> anyhow::Result<()> {
        self.call(question, Asked::Delete).map(drop)
    }

    /// Asks for bytes.
    ///
    /// # Errors
    /// [`Refused`] if the node said no; another error if it could not be asked.
    pub(super) fn fetch(&self, question: &Question) -> anyhow::Result<Vec<u8>> {
        self.call(question, Asked::Get)
    }

    /// Opens an answer that goes on until the node ends it, such as its events.
    ///
    /// # Errors
    /// As [`Api::fetch`].
    pub(crate) fn stream(&self, question: &Question) -> anyhow::Result<impl Read + Send + 'static> {
        let base = self.base();
        let asked = agent(None, self.ca.as_deref())?.get(format!("{base}{}", question.0));
        let answer = with(asked, self.headers()?)
            .call()
            .with_context(|| format!("the node at {base} cannot be reached"))?;
        match answer.status().as_u16() {
            200 => Ok(answer.into_body().into_reader()),
            _ => Err(self.refusal(answer)),
        }
    }

    /// What opens the node: its token, and the session.
    fn headers(&self) -> anyhow::Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        let mut put = |name: &'static str, value: &str| -> anyhow::Result<()> {
            headers.insert(name, HeaderValue::try_from(value)?);
            Ok(())
        };
        if let Some(token) = &self.url.token {
            put("authorization", &format!("Bearer {token}"))?;
        }
        if let Some(session) = self.session()? {
            put(SESSION_HEADER, session)?;
        }
        Ok(headers)
    }

    fn call(&self, question: &Question, asked: Asked) -> anyhow::Result<Vec<u8>> {
        let agent = agent(Some(PATIENCE), self.ca.as_deref())?;
        let (base, headers) = (self.base(), self.headers()?);
        let address = format!("{base}{}", question.0);
        let called = match asked {
            Asked::Get => with(agent.get(address), headers).call(),
            Asked::Delete => with(agent.delete(address), headers).call(),
            Asked::Post(body) => with(agent.post(address), headers)
                .header("Content-Type", "application/json")
                .send(body),
        };
        let answer = called.with_context(|| format!("the node at {base} cannot be reached"))?;
        match answer.status().as_u16() {
            200 | 204 => whole(answer),
            _ => Err(self.refusal(answer)),
        }
    }

    /// Why an answer is none.
    fn refusal(&self, answer: Response<Body>) -> anyhow::Error {
        let status = answer.status().as_u16();
        match whole(answer).map(|bytes| serde_json::from_slice(&bytes)) {
            Ok(Ok(error)) => Refused { status, error }.into(),
            Ok(Err(_)) => anyhow!(
                "what is at {} is no fog node: it answered with status {status}",
                self.base()
            ),
            Err(error) => error,
        }
    }
}

/// All of an answer.
fn whole(mut answer: Response<Body>) -> anyhow::Result<Vec<u8>> {
    let body = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES);
    body.read_to_vec().context("the node broke off its answer")
}

#[cfg(test)]
mod tests {
    //! Goal: addresses as printed are understood. Method: examples.

    use super::*;

    #[test]
    fn the_printed_address_is_taken_apart() {
        let address: Address = "http://127.0.0.1:7400/?token=ab12".parse().unwrap();
        assert_eq!(
            (address.base.as_str(), address.token.as_deref()),
            ("http://127.0.0.1:7400", Some("ab12"))
        );
        let afar: Address = "https://ward.example:7443/".parse().unwrap();
        assert_eq!(
            (afar.base.as_str(), afar.token.as_deref()),
            ("https://ward.example:7443", None)
        );
        assert!(!format!("{address:?}").contains("ab12"));
        for wrong in [
            "",
            "127.0.0.1:7400",
            "http://127.0.0.1:7400/",
            "ftp://127.0.0.1:7400/?token=a",
        ] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn questions_are_escaped() {
        let question = Question::named("/api/proofs", "a/b?c")
            .with("x", Some("d&e"))
            .with("y", Some(3))
            .with("z", None::<u8>);
        assert_eq!(question.0, "/api/proofs/a%2Fb%3Fc?x=d%26e&y=3");
    }
}
