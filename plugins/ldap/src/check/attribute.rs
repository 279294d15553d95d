//! Names of attributes, as an operator may write them.

/// A description of an attribute: a name or an object identifier, and options (RFC 4512 section 2.5).
pub(super) fn check(text: &str, may_be_empty: bool) -> Result<(), String> {
    if text.is_empty() && may_be_empty {
        return Ok(());
    }
    let mut parts = text.split(';');
    let name = parts.next().unwrap_or_default();
    let is_key = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let is_name = name.starts_with(|first: char| first.is_ascii_alphabetic()) && is_key(name);
    let is_number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits && (text == "0" || !text.starts_with('0'))
    };
    let is_identifier = name.contains('.') && name.split('.').all(is_number);
    if (is_name || is_identifier) && parts.all(|option| !option.is_empty() && is_key(option)) {
        return Ok(());
    }
    Err(format!(
        "expected the name of an attribute, as in uid or 2.5.4.3, found {text:?}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_attributes_are_those_of_rfc_4512() {
        for name in [
            "uid",
            "sAMAccountName",
            "x-y1",
            "2.5.4.3",
            "0.9.2342",
            "cn;lang-en",
            "userCertificate;binary",
        ] {
            assert_eq!(check(name, false), Ok(()), "{name}");
        }
        for name in [
            "", "1uid", "2", "2..5", "2.05", "cn;", "cn;a b", "a_b", "é", "*", "+", "cn=x",
        ] {
            assert!(check(name, false).is_err(), "{name}");
        }
    }
}
