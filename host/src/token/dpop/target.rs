//! The address that a proof is about (`htu`), held against the one that was asked, without query
//! and fragment, in the normal form of RFC 3986 sections 6.2.2 and 6.2.3.

use url::Url;

/// A longer address is none of ours.
const LONGEST: usize = 4 * 1024;

/// Do both name the same place?
pub(super) fn is_same(said: &str, asked: &str) -> bool {
    match (normal(said), normal(asked)) {
        (Some(said), Some(asked)) => said == asked,
        _ => false,
    }
}

/// Scheme and host in lower case, the port spelled out, dot segments gone, escapes only where they
/// must be. None = it is no http(s) URL.
fn normal(text: &str) -> Option<String> {
    // The parser forgives what is no URI: line ends, backslashes, slashes that are missing.
    let fits =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    if text.len() > LONGEST || !text.bytes().all(fits) {
        return None;
    }
    let (scheme, rest) = text.split_once("://")?;
    let known = ["http", "https"];
    let known = known.iter().any(|known| scheme.eq_ignore_ascii_case(known));
    if !known || rest.starts_with('/') {
        return None;
    }
    let url = Url::parse(text).ok()?;
    if !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let (host, port) = (url.host_str()?, url.port_or_known_default()?);
    let path = unescaped(url.path())?;
    Some(format!("{}://{host}:{port}{path}", url.scheme()))
}

/// Escapes of characters that need none become those, the others are in upper case (RFC 3986
/// sections 6.2.2.1 and 6.2.2.2).
fn unescaped(path: &str) -> Option<String> {
    let mut parts = path.split('%');
    let mut normal = parts.next()?.to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let byte = u8::from_str_radix(digits, 16).ok()?;
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                normal.push(char::from(byte));
            }
            _ => normal.push_str(&format!("%{byte:02X}")),
        }
        normal.push_str(rest);
    }
    Some(normal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASKED: &str = "https://id.example/cs/oauth2/token";

    #[test]
    fn s12_other_spellings_of_one_address_are_the_same() {
        for said in [
            ASKED,
            "HTTPS://ID.Example/cs/oauth2/token",
            "https://id.example:443/cs/oauth2/token",
            "https://id.example/cs/oauth2/token?a=b&c",
            "https://id.example/cs/oauth2/token#x",
            "https://id.example/cs/./x/../oauth2/token",
            "https://id.example/cs/%6fauth2/t%6Fken",
        ] {
            assert!(is_same(said, ASKED), "{said}");
        }
        assert!(is_same("http://h", "http://h:80/"));
        assert!(is_same("http://h/a%2fb", "http://h/a%2Fb"));
        assert!(is_same("http://[::1]:8090/a", "http://[0:0::1]:8090/a"));
    }

    #[test]
    fn s12_other_addresses_and_what_is_no_address_are_not() {
        for said in [
            "",
            "/cs/oauth2/token",
            "//id.example/cs/oauth2/token",
            "http://id.example/cs/oauth2/token",
            "https://id.example:8443/cs/oauth2/token",
            "https://id.example.evil.example/cs/oauth2/token",
            "https://id.example./cs/oauth2/token",
            "https://evil@id.example/cs/oauth2/token",
            "https://id.example/cs/oauth2/token/",
            "https://id.example/cs/OAUTH2/token",
            "https://id.example/oauth2/token",
            "https://id.example/cs%2Foauth2/token",
            "https://id.example//cs/oauth2/token",
            "https:id.example/cs/oauth2/token",
            "https:///id.example/cs/oauth2/token",
            "https:\\\\id.example\\cs\\oauth2\\token",
            "https://id.example/cs/oauth2/tok\nen",
            " https://id.example/cs/oauth2/token",
            "https://id.example/cs/oauth2/token%",
            "https://id.example/cs/oauth2/token%+f",
            "urn:id.example",
        ] {
            assert!(!is_same(said, ASKED), "{said}");
        }
        let long = format!("{ASKED}?{}", "a".repeat(LONGEST));
        assert!(!is_same(&long, ASKED));
        assert!(
            !is_same("", ""),
            "what is no address is not the same as itself"
        );
    }
}
