//! Who may call: the token, and what a browser on this machine must not be tricked into.
//!
//! Upon a request over loopback:
//! - its `Host` is this node's own address, else a page of a foreign site reaches the node under its
//!   own name (DNS rebinding): 403;
//! - its `Origin`, where a browser sends one, is that very address, else a foreign page asks: 403;
//! - below `/api/` it carries the token, as `Authorization: Bearer TOKEN` or, for event sources that
//!   cannot set a header, as `?token=TOKEN`: else 401.
//!
//! Upon a request from another machine, over TLS: its `Host` is a name of the certificate, and its `Origin`, where there
//! is one, that very address. It carries no token, and needs a session whoever is registered.
//!
//! The console's files need no token: they are the same for everybody and hold no data. The token is
//! in a file of the data folder, so that an address printed once stays valid over restarts.

use std::fmt;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use subtle::ConstantTimeEq as _;

use super::tls::Afar;
use crate::Failure;
use crate::keystore::{random, write_private};

/// Name of the token's file in the data folder.
pub const TOKEN_FILE: &str = "api.token";
/// Digits of a token: 256 random bits as lowercase hex.
const TOKEN_DIGITS: usize = 64;

/// Which callers a router serves.
pub enum Access {
    /// The desktop window of this very process: no token is asked for.
    InProcess,
    /// Programs on this machine, at `127.0.0.1:port`.
    Loopback {
        /// What they must know.
        token: Token,
        /// The port that was bound.
        port: u16,
    },
    /// Other machines, over TLS.
    Afar {
        /// Hosts and addresses that the certificate is for.
        names: Vec<String>,
        /// The port that was bound.
        port: u16,
    },
}

/// The secret that opens the API.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// The data folder's token, made at first use and readable by its owner only.
    ///
    /// # Errors
    /// If the file cannot be read or written, or does not hold a token.
    pub fn load_or_make(data_dir: &Path) -> anyhow::Result<Self> {
        let path = data_dir.join(TOKEN_FILE);
        if !path.exists() {
            write_private(&path, &hex::encode(random::<32>()?))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read {}", path.display()))?;
        let token = text.trim();
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if token.len() != TOKEN_DIGITS || !token.bytes().all(is_digit) {
            bail!(
                "{} does not hold a token of {TOKEN_DIGITS} hexadecimal digits; delete it and a new one is made",
                path.display()
            );
        }
        Ok(Self(token.to_owned()))
    }

    /// The token's digits, for the address that is printed.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0
    }

    /// Whether `given` is the token; takes as long for a near miss as for a far one.
    fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// What the guard compares a request with.
pub(super) struct Door {
    token: Token,
    hosts: [String; 3],
}

impl Door {
    pub(super) fn new(token: Token, port: u16) -> Self {
        let hosts = ["127.0.0.1", "localhost", "[::1]"].map(|name| format!("{name}:{port}"));
        Self { token, hosts }
    }

    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or(""));
        let host =
            text(header::HOST).or_else(|| uri.authority().map(|authority| authority.as_str()));
        if !host.is_some_and(|host| self.is_own(host)) {
            return Err(Refused::Host);
        }
        if let Some(origin) = text(header::ORIGIN)
            && !origin
                .strip_prefix("http://")
                .is_some_and(|host| self.is_own(host))
        {
            return Err(Refused::Origin);
        }
        let is_public = !(uri.path() == "/api" || uri.path().starts_with("/api/"));
        if is_public || given_token(uri, headers).is_some_and(|given| self.token.is(given)) {
            Ok(())
        } else {
            Err(Refused::Token)
        }
    }

    fn is_own(&self, host: &str) -> bool {
        self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host))
    }
}

fn given_token<'a>(uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    if let Some(value) = headers.get(header::AUTHORIZATION) {
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        return scheme
            .eq_ignore_ascii_case("bearer")
            .then_some(token.trim());
    }
    let pairs = uri.query()?.split('&');
    pairs.filter_map(|pair| pair.strip_prefix("token=")).next()
}

/// What the guard compares a request from another machine with.
pub(super) struct FarDoor {
    hosts: Vec<String>,
}

impl FarDoor {
    pub(super) fn new(names: &[String], port: u16) -> Self {
        let host = |name: &String| match name.parse() {
            Ok(IpAddr::V6(address)) => format!("[{address}]"),
            _ => name.clone(),
        };
        let with_port = names.iter().map(|name| format!("{}:{port}", host(name)));
        let mut hosts: Vec<_> = with_port.collect();
        // Browsers leave out the port that is https's own.
        if port == 443 {
            hosts.extend(names.iter().map(host));
        }
        Self { hosts }
    }

    fn check(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Refused> {
        let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or(""));
        let is_own = |host: &str| self.hosts.iter().any(|own| own.eq_ignore_ascii_case(host));
        let host =
            text(header::HOST).or_else(|| uri.authority().map(|authority| authority.as_str()));
        if !host.is_some_and(is_own) {
            return Err(Refused::Host);
        }
        let origin = text(header::ORIGIN);
        match origin.is_none_or(|origin| origin.strip_prefix("https://").is_some_and(is_own)) {
            true => Ok(()),
            false => Err(Refused::Origin),
        }
    }
}

/// Lets a request from another machine in, marked as such.
pub(super) async fn guard_afar(
    State(door): State<Arc<FarDoor>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Err(refused) = door.check(request.uri(), request.headers()) {
        return refused.answer();
    }
    request.extensions_mut().insert(Afar);
    next.run(request).await
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Refused {
    Host,
    Origin,
    Token,
}

pub(super) async fn guard(State(door): State<Arc<Door>>, request: Request, next: Next) -> Response {
    match door.check(request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(refused) => refused.answer(),
    }
}

impl Refused {
    fn answer(self) -> Response {
        let answer = match self {
            Self::Host => Failure::new(
                403,
                "API-02",
                "The node does not answer under this name.",
                "On its own machine it answers as 127.0.0.1, localhost or [::1] with its port, to others by the names of its certificate.",
                "Open the address that the node printed when it started.",
            ),
            Self::Origin => Failure::new(
                403,
                "API-03",
                "The node does not answer pages of other sites.",
                "The request comes from a page that this node did not serve.",
                "Open the address that the node printed when it started.",
            ),
            Self::Token => Failure::new(
                401,
                "API-01",
                "The request carries no valid token.",
                "The address that the node prints carries a token, and this request has none or another.",
                "Open the address that the node printed, or send its token as `Authorization: Bearer …`.",
            ),
        };
        answer.into_response()
    }
}

#[cfg(test)]
mod tests {
    //! Goal: only this machine's own callers with the token pass. Method: a table of requests.

    use super::*;

    type Headers<'a> = &'a [(&'static str, &'a str)];

    fn check(uri: &str, headers: Headers<'_>) -> Result<(), Refused> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, value.parse().unwrap());
        }
        let door = Door::new(Token("secret".to_owned()), 7400);
        door.check(&uri.parse().unwrap(), &map)
    }

    #[test]
    fn the_guard_decides_by_host_origin_and_token() {
        let own = ("host", "127.0.0.1:7400");
        let bearer = ("authorization", "Bearer secret");
        let cases: [(&str, Headers<'_>, Result<(), Refused>); 19] = [
            ("/", &[own], Ok(())),
            ("/console.css", &[("host", "LOCALHOST:7400")], Ok(())),
            ("/", &[("host", "[::1]:7400")], Ok(())),
            ("/", &[], Err(Refused::Host)),
            ("/", &[("host", "127.0.0.1")], Err(Refused::Host)),
            ("/", &[("host", "127.0.0.1:7401")], Err(Refused::Host)),
            ("/", &[("host", "evil.example:7400")], Err(Refused::Host)),
            (
                "/api/status",
                &[("host", "evil.example:7400"), bearer],
                Err(Refused::Host),
            ),
            ("/api/status", &[own], Err(Refused::Token)),
            ("/api", &[own], Err(Refused::Token)),
            ("/api/status", &[own, bearer], Ok(())),
            (
                "/api/status",
                &[own, ("authorization", "bearer secret")],
                Ok(()),
            ),
            (
                "/api/status",
                &[own, ("authorization", "Bearer secret2")],
                Err(Refused::Token),
            ),
            (
                "/api/status",
                &[own, ("authorization", "Basic secret")],
                Err(Refused::Token),
            ),
            ("/api/status?token=secret", &[own], Ok(())),
            ("/api/events?waves=a&token=secret", &[own], Ok(())),
            ("/api/status?token=", &[own], Err(Refused::Token)),
            (
                "/api/status",
                &[own, bearer, ("origin", "http://localhost:7400")],
                Ok(()),
            ),
            (
                "/api/status",
                &[own, bearer, ("origin", "http://evil.example")],
                Err(Refused::Origin),
            ),
        ];
        for (uri, headers, expected) in cases {
            assert_eq!(check(uri, headers), expected, "{uri} {headers:?}");
        }
    }

    #[test]
    fn the_guard_of_other_machines_decides_by_the_certificates_names() {
        let names = ["ward.example", "192.0.2.9", "2001:db8::9"].map(str::to_owned);
        let check = |port, headers: Headers<'_>| {
            let mut map = HeaderMap::new();
            for (name, value) in headers {
                map.insert(*name, value.parse().unwrap());
            }
            FarDoor::new(&names, port).check(&"/api/status".parse().unwrap(), &map)
        };
        let own = ("host", "ward.example:7443");
        for (port, headers, expected) in [
            (7443, &[own][..], Ok(())),
            (7443, &[("host", "WARD.example:7443")], Ok(())),
            (7443, &[("host", "192.0.2.9:7443")], Ok(())),
            (7443, &[("host", "[2001:db8::9]:7443")], Ok(())),
            (443, &[("host", "ward.example")], Ok(())),
            (443, &[("host", "[2001:db8::9]")], Ok(())),
            (7443, &[("host", "ward.example")], Err(Refused::Host)),
            (7443, &[("host", "127.0.0.1:7443")], Err(Refused::Host)),
            (7443, &[], Err(Refused::Host)),
            (
                7443,
                &[own, ("origin", "https://ward.example:7443")],
                Ok(()),
            ),
            (
                7443,
                &[own, ("origin", "http://ward.example:7443")],
                Err(Refused::Origin),
            ),
            (
                7443,
                &[own, ("origin", "https://evil.example")],
                Err(Refused::Origin),
            ),
            (7443, &[own, ("origin", "null")], Err(Refused::Origin)),
        ] {
            assert_eq!(check(port, headers), expected, "{port} {headers:?}");
        }
    }

    #[test]
    fn a_token_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let made = Token::load_or_make(folder.path()).unwrap();
        assert_eq!(made.digits().len(), 64);
        let kept = Token::load_or_make(folder.path()).unwrap();
        assert_eq!(kept.digits(), made.digits());
        assert_eq!(format!("{made:?}"), "Token(…)");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = folder
                .path()
                .join(TOKEN_FILE)
                .metadata()
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        std::fs::write(folder.path().join(TOKEN_FILE), "short").unwrap();
        assert!(Token::load_or_make(folder.path()).is_err());
    }
}
