//! What the fuzzer calls: whatever is typed stays one value, and whatever is read is read again alike.

use crate::dn::{self, Dn};
use crate::filter::Filter;
use crate::name::{self, BindName};

/// A text that somebody typed, or an operator wrote.
///
/// # Panics
///
/// If what was escaped is no single value any more.
pub fn read(text: &str) {
    let filter = Filter::equals("uid", text);
    assert!(Filter::parse(filter.as_str()).is_ok() || text.len() > 1_000);
    let name = format!("uid={},dc=x", dn::escape(text));
    let dn = Dn::parse(&name);
    assert!(dn.is_some_and(|dn| dn.domain() == "x" && Dn::parse(&dn.to_string()) == Some(dn)));
    if let Some(typed) = name::typed(text) {
        name::bound_filter("uid", typed, typed);
    }
    if let Ok(rule) = BindName::parse(Some(text), None) {
        rule.of(text);
    }
    drop(Filter::parse(text));
}

#[cfg(test)]
mod tests {
    #[test]
    fn any_text_is_read_without_a_panic() {
        crate::random::texts(20_000).for_each(|text| super::read(&text));
    }
}
