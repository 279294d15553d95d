//! Sub-codes in the text of Active Directory's result 49, invalidCredentials: Windows system
//! errors, in hexadecimal, of which not all are the user's fault.

/// Why the user is refused.
pub(crate) fn reason(text: &str) -> Option<String> {
    let code = find(text)?;
    let reason = match code {
        "525" => "there is no such user",
        "52e" => return Some("wrong password".to_owned()),
        "52f" => "an account restriction forbids it",
        "530" => "not permitted at this time",
        "531" => "not permitted from this workstation",
        "532" => "the password has expired",
        "533" => "the account is disabled",
        "569" => "this kind of log-on is not granted",
        "701" => "the account has expired",
        "773" => "the password must be changed first",
        "775" => "the account is locked",
        _ => "the user is refused",
    };
    Some(format!("{reason} (Active Directory: data {code})"))
}

/// Is it that the domain controller could not ask another one? No log-on servers, RPC server
/// unavailable, no working trust.
pub(crate) fn is_outage(text: &str) -> bool {
    let code = find(text).unwrap_or_default();
    ["51f", "6ba", "6fa", "6fb", "6fc", "6fd"].contains(&code)
}

fn find(text: &str) -> Option<&str> {
    let (_, after) = text.split_once("AcceptSecurityContext error, data ")?;
    let code = after.split([',', ' ']).next()?;
    let is_code =
        (1..=8).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_code.then_some(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: &str) -> String {
        format!(
            "80090308: LdapErr: DSID-0C09042F, comment: AcceptSecurityContext error, data {code}, v4563\0"
        )
    }

    #[test]
    fn l14_sub_codes_are_told() {
        for (code, says) in [
            ("525", "there is no such user"),
            ("530", "not permitted at this time"),
            ("531", "not permitted from this workstation"),
            ("532", "the password has expired"),
            ("533", "the account is disabled"),
            ("701", "the account has expired"),
            ("773", "the password must be changed first"),
            ("775", "the account is locked"),
            // Not one of those that are known: no guess at the password.
            ("8ad", "the user is refused"),
        ] {
            let says = format!("{says} (Active Directory: data {code})");
            assert_eq!(reason(&said(code)), Some(says));
            assert!(!is_outage(&said(code)), "{code}");
        }
        assert_eq!(reason(&said("52e")).as_deref(), Some("wrong password"));
    }

    #[test]
    fn l11_trouble_between_domain_controllers_is_an_outage() {
        for code in ["51f", "6ba", "6fd"] {
            assert!(is_outage(&said(code)), "{code}");
        }
    }

    #[test]
    fn text_without_a_sub_code_has_none() {
        for text in [
            "",
            "Invalid credentials",
            &said("canary"),
            &said("123456789"),
        ] {
            assert_eq!((reason(text), is_outage(text)), (None, false), "{text}");
        }
    }
}
