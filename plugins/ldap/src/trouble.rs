//! Why a directory did not do what it was asked. Not yet an outcome: whether a refused bind is
//! a wrong password or our own account's misfortune knows only who asked.

use std::fmt;

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nobody answers in time, or says that he cannot now: down, busy, TLS. Never the user's fault.
    Unavailable(String),
    /// The server answered with a result that is not success.
    Answer(Answer),
    /// More than a bound of ours allows, or than the server gives out.
    TooMuch(String),
}

/// A result of the server's (RFC 4511 section 4.1.9).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Its code, such as 49, invalidCredentials.
    pub(crate) code: u32,
    /// The server's own words: never for a client.
    pub(crate) text: String,
    /// URLs of a referral.
    pub(crate) referrals: Vec<String>,
    /// What the password policy says (draft-behera-ldap-password-policy): the error of its control.
    pub(crate) policy: Option<u32>,
    /// Which server.
    pub(crate) server: String,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Unavailable(why) | Trouble::TooMuch(why) => f.write_str(why),
            Trouble::Answer(answer) => {
                write!(f, "{} answered {}", answer.server, answer.code)?;
                if !answer.text.is_empty() {
                    write!(f, " ({})", answer.text)?;
                }
                Ok(())
            }
        }
    }
}
