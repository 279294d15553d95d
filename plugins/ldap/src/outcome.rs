//! What a directory's result means for a login: who has to do something about it, he who
//! types or he who operates. Everything that is not plainly the user's is an outage.

use countersign_sdk::AuthError;

use crate::sub_code;
use crate::trouble::{Answer, Trouble};

const NO_NAME: u32 = 34;

/// What was asked of the directory on our own behalf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A connection with the service account bound on it.
    Service,
    /// The search for the user's entry.
    User,
    /// The search for his groups.
    Groups,
}

/// Trouble with something that is not the user's password: `Unavailable`, and where an
/// operator must mend a setting, told loudly with its key.
pub(crate) fn outage(step: Step, trouble: &Trouble) -> AuthError {
    let detail = match trouble {
        Trouble::Answer(answer) => match remedy(step, answer) {
            Some(remedy) => {
                let answered = answered(answer);
                tracing::error!(server = answer.server, "{answered}: {remedy}");
                format!("{trouble}: {remedy}")
            }
            None => trouble.to_string(),
        },
        Trouble::TooMuch(why) => {
            tracing::error!("{why}");
            why.clone()
        }
        Trouble::Unavailable(why) => why.clone(),
    };
    AuthError::unavailable(detail)
}

/// Trouble with a bind by the user's name and password. `None`: there is no such entry.
pub(crate) fn refusal(trouble: &Trouble, subject: &str) -> Option<AuthError> {
    let answer = match trouble {
        Trouble::Answer(answer) => answer,
        Trouble::Unavailable(_) | Trouble::TooMuch(_) => {
            return Some(AuthError::unavailable(trouble.to_string()));
        }
    };
    if sub_code::is_outage(&answer.text) {
        return Some(AuthError::unavailable(trouble.to_string()));
    }
    let denied = |reason: &str| Some(AuthError::denied(reason).subject(subject));
    if let Some(reason) = of_policy(answer).or_else(|| sub_code::reason(&answer.text)) {
        return denied(&reason);
    }
    let told = of_text(&answer.text);
    match (answer.code, told) {
        (32, _) => None,
        // A server that tells "locked" by 53 or 19 (389 Directory Server, eDirectory).
        (19 | 49 | 50 | 53, Some(reason)) => denied(reason),
        (49, None) => denied("wrong password"),
        (48, _) => denied("the user has no password in the directory"),
        (19, None) => denied("the directory refuses the user: constraint violation"),
        (50, None) => denied("the directory does not let the user bind"),
        _ => Some(outage_of_bind(trouble, answer)),
    }
}

/// Does the server read what was bound as no name at all? (invalidDNSyntax)
pub(crate) fn is_no_name(trouble: &Trouble) -> bool {
    matches!(trouble, Trouble::Answer(answer) if answer.code == NO_NAME)
}

/// Results of a user's bind that are no verdict on his password.
fn outage_of_bind(trouble: &Trouble, answer: &Answer) -> AuthError {
    let remedy = match answer.code {
        NO_NAME => Some("it reads the bound name as no name: see to `username_format`"),
        code => of_any(code),
    };
    if let Some(remedy) = remedy {
        let answered = answered(answer);
        tracing::error!(
            server = answer.server,
            "{answered} to a user's bind: {remedy}"
        );
        return AuthError::unavailable(format!("{trouble}: {remedy}"));
    }
    AuthError::unavailable(trouble.to_string())
}

/// What an operator must do.
fn remedy(step: Step, answer: &Answer) -> Option<String> {
    let own = match (step, answer.code) {
        (_, 10) => {
            let where_to = answer.referrals.join(" ");
            return Some(format!(
                "the base is held by another server ({where_to}), and referrals are not followed: give `url` a server \
                 that holds it, or Active Directory's global catalogue (port 3268 or 3269), or see to `search.base`"
            ));
        }
        (Step::Service, _) if sub_code::is_outage(&answer.text) => None,
        (Step::Service, _) => {
            let reason = of_policy(answer).or_else(|| sub_code::reason(&answer.text));
            let reason = reason.or_else(|| of_text(&answer.text).map(str::to_owned));
            match (reason, answer.code) {
                (Some(reason), _) => {
                    return Some(format!(
                        "the service account cannot bind, {reason}: see to `bind_dn` and `bind_password`"
                    ));
                }
                (None, 49 | 48 | 19 | 32 | 34 | 50 | 53) => {
                    Some("the service account is refused: see to `bind_dn` and `bind_password`")
                }
                (None, _) => None,
            }
        }
        (Step::User, 32 | 34) => Some("there is no entry of this name: see to `search.base`"),
        (Step::Groups, 32 | 34) => Some("there is no entry of this name: see to `groups.base`"),
        (_, 50) => Some("who searches may not: give the account of `bind_dn` the right to read"),
        (_, 11) => Some(
            "the search costs more than it allows: index the attributes of the filter there, or raise the limit for the \
             account of `bind_dn`",
        ),
        // Active Directory, to a search before a bind.
        (_, 1) => Some("it may want a bind before a search: set `bind_dn` and `bind_password`"),
        _ => None,
    };
    own.or_else(|| of_any(answer.code)).map(str::to_owned)
}

/// Results that mean the same whoever asked.
fn of_any(code: u32) -> Option<&'static str> {
    match code {
        7 => Some("it does not allow this kind of bind"),
        8 | 13 => Some("it wants TLS: use ldaps:// in `url`, or `start_tls: true`"),
        10 => {
            Some("the name is held by another server, and referrals are not followed: see to `url`")
        }
        53 => Some("it is unwilling: its own log says why"),
        _ => None,
    }
}

/// draft-behera-ldap-password-policy section 6.2; a bind may succeed and say "change first".
fn of_policy(answer: &Answer) -> Option<String> {
    let reason = match answer.policy? {
        0 => "the password has expired",
        1 => "the account is locked",
        2 => "the password must be changed first",
        _ => return None,
    };
    Some(format!("{reason} (password policy)"))
}

/// What servers say in words only. Their text itself stays out: it may say anything.
fn of_text(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if says(&["locked", "retry limit"]) {
        Some("the account is locked")
    } else if says(&["inactivated", "disabled", "inactive"]) {
        Some("the account is disabled")
    } else if says(&["account expired", "account is expired", "principal expired"]) {
        Some("the account has expired")
    } else if says(&[
        "password expired",
        "password has expired",
        "password is expired",
    ]) {
        Some("the password has expired")
    } else {
        None
    }
}

fn answered(answer: &Answer) -> String {
    format!("the directory answered {}", answer.code)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use countersign_sdk::Kind;

    use super::*;

    fn answer(code: u32, text: &str) -> Trouble {
        Trouble::Answer(Answer {
            code,
            text: text.to_owned(),
            server: "ldaps://a".to_owned(),
            ..Answer::default()
        })
    }

    fn reason(trouble: &Trouble) -> (Kind, String) {
        let error = refusal(trouble, "ada").unwrap();
        (error.kind(), error.detail().to_owned())
    }

    #[test]
    fn l14_sub_code_is_the_reason_and_l11_an_outage_is_an_outage() {
        let said = |code| {
            let comment = format!("AcceptSecurityContext error, data {code}, v4563");
            answer(
                49,
                &format!("80090308: LdapErr: DSID-0C09042F, comment: {comment}"),
            )
        };
        let locked = "the account is locked (Active Directory: data 775)";
        assert_eq!(reason(&said("775")), (Kind::Denied, locked.to_owned()));
        let (kind, detail) = reason(&said("51f"));
        assert_eq!(kind, Kind::Unavailable);
        assert!(detail.contains("51f"), "{detail}");
        // Nor is it the service account's password.
        let error = outage(Step::Service, &said("51f"));
        assert!(!error.detail().contains("bind_password"), "{error}");
    }

    #[test]
    fn password_policy_is_told_even_where_the_bind_succeeds() {
        for (code, policy, says) in [
            (49, 0, "the password has expired (password policy)"),
            (49, 1, "the account is locked (password policy)"),
            (0, 2, "the password must be changed first (password policy)"),
        ] {
            let trouble = Trouble::Answer(Answer {
                code,
                policy: Some(policy),
                ..Answer::default()
            });
            assert_eq!(reason(&trouble), (Kind::Denied, says.to_owned()));
        }
    }

    #[test]
    fn result_of_a_users_bind_is_his_fault_only_where_it_plainly_is() {
        for (code, text, kind, says) in [
            (49, "", Kind::Denied, "wrong password"),
            (48, "", Kind::Denied, "no password in the directory"),
            (50, "", Kind::Denied, "does not let the user bind"),
            (
                19,
                "Exceed password retry limit. Please try later.",
                Kind::Denied,
                "locked",
            ),
            (19, "", Kind::Denied, "constraint violation"),
            (
                53,
                "Account inactivated. Contact system administrator.",
                Kind::Denied,
                "disabled",
            ),
            (
                53,
                "NDS error: account expired (-220)",
                Kind::Denied,
                "account has expired",
            ),
            (
                49,
                "password expired!",
                Kind::Denied,
                "password has expired",
            ),
            (53, "", Kind::Unavailable, "unwilling"),
            (53, "operation restricted", Kind::Unavailable, "unwilling"),
            (34, "invalid DN", Kind::Unavailable, "username_format"),
            (
                13,
                "TLS confidentiality required",
                Kind::Unavailable,
                "start_tls",
            ),
            (8, "", Kind::Unavailable, "start_tls"),
            (10, "", Kind::Unavailable, "referrals are not followed"),
            (51, "", Kind::Unavailable, "answered 51"),
            (52, "", Kind::Unavailable, "answered 52"),
            (80, "internal error", Kind::Unavailable, "internal error"),
            (3, "", Kind::Unavailable, "answered 3"),
            (4711, "", Kind::Unavailable, "answered 4711"),
        ] {
            let (found, detail) = reason(&answer(code, text));
            assert_eq!(found, kind, "{code} {text}");
            assert!(detail.contains(says), "{code} {text}: {detail}");
        }
        assert_eq!(refusal(&answer(32, ""), "ada"), None);
        let silent = Trouble::Unavailable("ldaps://a: timeout".to_owned());
        assert_eq!(
            reason(&silent),
            (Kind::Unavailable, "ldaps://a: timeout".to_owned())
        );
    }

    #[test]
    fn trouble_of_our_own_names_the_key_to_mend() {
        for (step, code, key) in [
            (Step::Service, 49, "`bind_dn` and `bind_password`"),
            (Step::Service, 53, "`bind_dn` and `bind_password`"),
            (Step::Service, 8, "`start_tls: true`"),
            (Step::User, 32, "`search.base`"),
            (Step::User, 10, "global catalogue"),
            (Step::User, 50, "`bind_dn`"),
            (Step::User, 1, "`bind_dn`"),
            (Step::Groups, 32, "`groups.base`"),
            (Step::Groups, 11, "index the attributes"),
        ] {
            let error = outage(step, &answer(code, ""));
            assert_eq!(error.kind(), Kind::Unavailable);
            assert!(error.detail().contains(key), "{step:?} {code}: {error}");
        }
        let expired =
            "80090308: LdapErr: DSID-0, comment: AcceptSecurityContext error, data 532, v1";
        let error = outage(Step::Service, &answer(49, expired));
        assert!(
            error.detail().contains("the password has expired"),
            "{error}"
        );
        let busy = outage(Step::User, &answer(51, ""));
        assert_eq!(busy.detail(), "ldaps://a answered 51");
    }
}
