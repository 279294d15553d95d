//! What the fuzzer calls: expressions that operators write, and what strangers put into claims.

use serde_json::Value;

use crate::people::{Domains, Path, Principal};

/// The first line is an expression or a domain; the rest are claims, or an address.
///
/// # Panics
///
/// If an address is admitted that does not end in the domain.
pub fn read(text: &str) {
    let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
    if let (Ok(path), Ok(Value::Object(claims))) = (Path::parse(first), serde_json::from_str(rest))
    {
        drop(path.of(&claims));
        crate::people::left_out(&path, &claims);
    }
    drop(Principal::mapped(&[first.to_owned(), rest.to_owned()]));
    if let Ok(domains) = Domains::parse(&[first.to_owned()]) {
        domains.admit(rest);
    }
    let example = Domains::parse(&["example.com".to_owned()]);
    if example.is_ok_and(|domains| domains.admit(text)) {
        let end = text.split('@').next_back().unwrap_or_default();
        assert_eq!(
            url::Host::parse(end)
                .map(|host| host.to_string())
                .as_deref(),
            Ok("example.com")
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::people::random;

    #[test]
    fn any_text_is_read_without_a_panic() {
        for text in random::texts(20_000) {
            super::read(&text);
            super::read(&format!(
                "{text}\n{{\"groups\": [\"a\", {{\"b\": 1}}], \"a\": {{\"Z\": 0}}}}"
            ));
        }
    }
}
