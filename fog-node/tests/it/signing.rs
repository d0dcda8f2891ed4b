//! People with passphrases and authenticator apps, for tests that sign in.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use axum::http::header;
use fog_api::{Enrolment, Person, Role, SignedIn};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use totp_rs::{Builder, Secret, Totp};

use crate::served::Served;

/// Somebody who can sign in.
pub(crate) struct Human {
    pub(crate) person: Person,
    pub(crate) passphrase: String,
    pub(crate) recovery_codes: Vec<String>,
    app: Totp,
    last_step: u64,
}

/// A status, the code of a refusal or nothing, and the body.
pub(crate) type Answered = (u16, String, Value);

impl Human {
    pub(crate) fn of(enrolment: Enrolment, passphrase: &str) -> Self {
        Self {
            app: app_of(&enrolment.otpauth),
            person: enrolment.person,
            passphrase: passphrase.to_owned(),
            recovery_codes: enrolment.recovery_codes,
            last_step: 0,
        }
    }

    /// A code that was not used yet, as soon as the app shows one.
    pub(crate) async fn code(&mut self) -> String {
        loop {
            if let Some(code) = self.code_now() {
                return code;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// A code that is accepted now and was not used yet, if there is one.
    pub(crate) fn code_now(&mut self) -> Option<String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now_step = now.as_secs() / 30;
        let step = now_step.max(self.last_step + 1);
        let is_accepted = step <= now_step + 1;
        is_accepted.then(|| {
            self.last_step = step;
            self.app.generate(step * 30).to_string()
        })
    }

    pub(crate) fn with(&self, code: &str) -> Value {
        json!({ "login": self.person.login, "passphrase": self.passphrase, "code": code, "program": true })
    }

    /// Signs in as a program; the session's token.
    pub(crate) async fn sign_in(&mut self, served: &Served) -> String {
        let code = self.code().await;
        let (status, _, body) = served
            .call("POST", "/api/session", None, Some(self.with(&code)))
            .await;
        assert_eq!(status, 200, "{body}");
        let signed: SignedIn = serde_json::from_value(body).unwrap();
        signed.token.unwrap()
    }
}

fn app_of(otpauth: &str) -> Totp {
    let secret = otpauth.split("secret=").nth(1).unwrap();
    let secret = secret.split('&').next().unwrap();
    let secret = Secret::try_from_base32(secret).unwrap();
    Builder::new()
        .with_secret(secret)
        .with_account_name("x")
        .build()
        .unwrap()
}

pub(crate) fn registration(login: &str, roles: &[Role], passphrase: &str) -> Value {
    json!({ "login": login, "name": format!("Name {login}"), "roles": roles, "passphrase": passphrase })
}

impl Served {
    /// Calls with or without a session and a body.
    pub(crate) async fn call(
        &self,
        method: &str,
        path: &str,
        session: Option<&str>,
        body: Option<Value>,
    ) -> Answered {
        let mut request = self.request(method, path);
        if let Some(session) = session {
            request = request.header("fogward-session", session);
        }
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(body.to_string())
            }
            None => Body::empty(),
        };
        let response = self.raw(request.body(body).unwrap()).await;
        let status = response.status().as_u16();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        let value: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        let code = value
            .get("code")
            .and_then(Value::as_str)
            .unwrap_or_default();
        (status, code.to_owned(), value.clone())
    }

    /// Registers somebody, with the session of an admin unless nobody is registered.
    pub(crate) async fn register(
        &self,
        login: &str,
        roles: &[Role],
        session: Option<&str>,
    ) -> Human {
        let passphrase = format!("{login} knows four words");
        let asked = registration(login, roles, &passphrase);
        let (status, _, body) = self.call("POST", "/api/people", session, Some(asked)).await;
        assert_eq!(status, 200, "{body}");
        Human::of(serde_json::from_value(body).unwrap(), &passphrase)
    }
}
