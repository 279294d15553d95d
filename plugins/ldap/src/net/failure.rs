//! How something asked of a connection failed, as fail-over sees it: would another
//! connection, or another server, have done better?

use std::time::Duration;

use ldap3::{LdapError, LdapResult};

use crate::trouble::{Answer, Trouble};

/// Results that say "not now, not here": busy and unavailable (RFC 4511 appendix A).
const ELSEWHERE: [u32; 2] = [51, 52];
/// Results that are an outage of this one operation: timeLimitExceeded, other, and those
/// from 81 on, which are a client's own (serverDown, timeout, …).
const OUTAGES: [u32; 8] = [3, 80, 81, 82, 85, 88, 90, 91];
/// sizeLimitExceeded.
const SIZE: u32 = 4;

/// Why there is no answer, or which one.
#[derive(Debug, Clone)]
pub(super) enum Failure {
    /// The connection could not be made, or is of no more use.
    Lost(String),
    /// No answer in time. `silent`: nothing at all came on the connection meanwhile.
    Late { limit: Duration, silent: bool },
    /// Others are already waiting for this server to accept a connection.
    Crowded,
    /// The server says that another should be asked.
    Busy(String),
    /// Another server would say the same.
    Final(Trouble),
}

impl Failure {
    /// Is it the server's fault, so that another one should be tried?
    pub(super) fn is_outage(&self) -> bool {
        match self {
            Failure::Lost(_) | Failure::Crowded | Failure::Busy(_) => true,
            Failure::Late { silent, .. } => *silent,
            Failure::Final(_) => false,
        }
    }

    /// In words, without the server's name.
    pub(super) fn reason(&self) -> String {
        match self {
            Failure::Lost(why) | Failure::Busy(why) => why.clone(),
            Failure::Late { limit, .. } => format!("no answer within {limit:?}"),
            Failure::Crowded => "it is slow to accept connections".to_owned(),
            Failure::Final(trouble) => trouble.to_string(),
        }
    }

    /// For whoever asked.
    pub(super) fn trouble(self, server: &str) -> Trouble {
        match self {
            Failure::Final(trouble) => trouble,
            other => Trouble::Unavailable(format!("{server}: {}", other.reason())),
        }
    }
}

/// What ldap3 says. No variant of it holds a credential.
pub(super) fn of_error(error: LdapError, server: &str) -> Failure {
    match error {
        LdapError::LdapResult { result } => of_result(result, None, server),
        LdapError::FilterParsing => Failure::Final(Trouble::Answer(Answer {
            code: 87,
            text: "the filter cannot be read".to_owned(),
            server: server.to_owned(),
            ..Answer::default()
        })),
        LdapError::OpSend { .. } | LdapError::ResultRecv { .. } | LdapError::EndOfStream => {
            Failure::Lost("the server closed the connection".to_owned())
        }
        LdapError::Io { source } => Failure::Lost(source.to_string()),
        other => Failure::Lost(other.to_string()),
    }
}

/// A result that is not a success.
pub(super) fn of_result(result: LdapResult, policy: Option<u32>, server: &str) -> Failure {
    let (code, text) = (result.rc, &result.text);
    let said = || format!("{server} answered {code} ({text})");
    match code {
        code if ELSEWHERE.contains(&code) => Failure::Busy(format!("it answered {code} ({text})")),
        code if OUTAGES.contains(&code) => Failure::Final(Trouble::Unavailable(said())),
        SIZE => Failure::Final(Trouble::TooMuch(format!(
            "{}: more than the server gives out",
            said()
        ))),
        _ => Failure::Final(Trouble::Answer(Answer {
            code,
            text: result.text,
            referrals: result.refs,
            policy,
            server: server.to_owned(),
        })),
    }
}
