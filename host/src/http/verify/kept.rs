//! Why a request does not pass, and how that is answered (RFC 6750 section 3).

use axum::body::Body;
use axum::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};

use crate::http::error;
use crate::token::accepted::{Accepted, NotAccepted};

/// Who showed no token is told how, and not that one is wrong.
const CHALLENGE: HeaderValue = HeaderValue::from_static(r#"Bearer realm="countersign""#);
const INVALID: HeaderValue =
    HeaderValue::from_static(r#"Bearer realm="countersign", error="invalid_token""#);
const INSUFFICIENT: HeaderValue =
    HeaderValue::from_static(r#"Bearer realm="countersign", error="insufficient_scope""#);

/// Why a request does not pass.
pub(super) enum Kept {
    /// It has not exactly one `Authorization: Bearer`.
    NoToken,
    /// It has a token with a proof, `Authorization: DPoP` (RFC 9449 section 7.1). A proof is about
    /// the original request, of which nothing counts here.
    Proof,
    /// Its token is not accepted, or nobody can say.
    Refused(NotAccepted),
    /// Its user has none of the roles.
    Forbidden(Box<Accepted>),
}

impl Kept {
    /// For a metric: from a fixed list.
    pub(super) fn label(&self) -> &'static str {
        match self {
            Kept::NoToken => "no-token",
            Kept::Proof => "dpop",
            Kept::Refused(why) => why.rule(),
            Kept::Forbidden(_) => "role",
        }
    }

    /// For the audit log.
    pub(super) fn outcome(&self) -> &'static str {
        match self {
            Kept::Refused(why) if why.outage().is_some() => "unavailable",
            Kept::NoToken | Kept::Proof | Kept::Refused(_) => "denied",
            Kept::Forbidden(_) => "forbidden",
        }
    }

    /// For the audit log.
    pub(super) fn reason(&self) -> String {
        match self {
            Kept::NoToken => "there is not exactly one Authorization: Bearer".into(),
            Kept::Proof => "Authorization: DPoP: what a proxy says of the original request decides nothing here, so nobody can tell whether the proof is about it; the service must check it itself, or its clients ask for tokens without a proof".into(),
            Kept::Refused(why) => format!("rule {}: {why}", why.rule()),
            Kept::Forbidden(who) if who.roles().next().is_none() => match who.trusted() {
                "" => "a role is asked for, and the token says none: tokens.claims: { roles: \"{roles}\" } writes them into it".into(),
                _ => "a role is asked for, and the user has none: trust[].roles gives them".into(),
            },
            Kept::Forbidden(_) => "the user has none of the roles that are asked for".into(),
        }
    }

    /// Who it is, if that is known.
    pub(super) fn who(&self) -> Option<&Accepted> {
        match self {
            Kept::Forbidden(who) => Some(who),
            Kept::NoToken | Kept::Proof | Kept::Refused(_) => None,
        }
    }

    /// The answer: 401, 403, or 503 where nobody can say.
    pub(super) fn answer(&self) -> Response<Body> {
        let (status, text, challenge) = match self {
            Kept::NoToken => (StatusCode::UNAUTHORIZED, "Not authenticated", CHALLENGE),
            Kept::Forbidden(_) => (StatusCode::FORBIDDEN, "Forbidden", INSUFFICIENT),
            Kept::Refused(why) => {
                if let Some(pause) = why.outage() {
                    let status = StatusCode::SERVICE_UNAVAILABLE;
                    let mut answer = error::detail(status, "Service Unavailable");
                    let pause = error::seconds(pause);
                    answer.headers_mut().insert(RETRY_AFTER, pause);
                    return answer;
                }
                (StatusCode::UNAUTHORIZED, "Invalid credentials", INVALID)
            }
            Kept::Proof => (StatusCode::UNAUTHORIZED, "Invalid credentials", INVALID),
        };
        let mut answer = error::detail(status, text);
        answer.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        answer
    }
}
