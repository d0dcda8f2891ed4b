//! What can go wrong between the console and its node, in words a person can act on.

use fog_api::ApiError;

/// Why an answer did not come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The node said no, and why.
    Refused(ApiError),
    /// The address carries no valid token (any more).
    NotAllowed,
    /// The thing asked for does not exist.
    NotFound(ApiError),
    /// The node did not answer.
    Unreachable,
    /// The node answered something this console does not understand.
    Strange(String),
}

impl Failure {
    /// What happened, why, what to do, and the code.
    #[must_use]
    pub fn words(&self) -> ApiError {
        let say = |code: &str, what: &str, why: &str, next: &str| ApiError {
            code: code.to_owned(),
            what: what.to_owned(),
            why: why.to_owned(),
            next: next.to_owned(),
        };
        match self {
            Self::Refused(error) | Self::NotFound(error) => error.clone(),
            Self::NotAllowed => say(
                "UI-01",
                "The node does not know this window",
                "the address carries a token that opens the console, and this one is missing or from an earlier start",
                "open the address that the node printed when it started.",
            ),
            Self::Unreachable => say(
                "UI-02",
                "The node cannot be reached",
                "it is stopped, or the connection to it is cut",
                "see that the node runs; the console goes on by itself when it answers.",
            ),
            Self::Strange(detail) => ApiError {
                code: "UI-03".to_owned(),
                what: "The node’s answer could not be read".to_owned(),
                why: format!("console and node may be of different versions ({detail})"),
                next: "load the page again, so that both are the same.".to_owned(),
            },
        }
    }

    /// Reads an HTTP status and its body as a failure.
    #[must_use]
    pub fn from_status(status: u16, body: &[u8]) -> Self {
        match (status, serde_json::from_slice::<ApiError>(body)) {
            // A person who is not signed in is told so by the node; the token is another matter.
            (401, Ok(error)) if error.code.starts_with("AUTH") => Self::Refused(error),
            (401, _) => Self::NotAllowed,
            (404, Ok(error)) => Self::NotFound(error),
            (_, Ok(error)) => Self::Refused(error),
            (status, Err(_)) => Self::Strange(format!("status {status}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The node's own words are passed on unchanged; a bare status is named.
    #[test]
    fn statuses_become_words() {
        let body = br#"{"code":"SER-02","what":"a","why":"b","next":"c"}"#;
        assert_eq!(Failure::from_status(409, body).words().code, "SER-02");
        assert!(matches!(
            Failure::from_status(404, body),
            Failure::NotFound(_)
        ));
        assert_eq!(Failure::from_status(401, body), Failure::NotAllowed);
        let signed_out = br#"{"code":"AUTH-01","what":"a","why":"b","next":"c"}"#;
        assert_eq!(
            Failure::from_status(401, signed_out).words().code,
            "AUTH-01"
        );
        assert_eq!(
            Failure::from_status(502, b"<html>"),
            Failure::Strange("status 502".to_owned())
        );
    }
}
