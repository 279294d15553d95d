//! What the fuzz targets reach of parsers that are private; built by them alone.

use crate::hash::StoredHash;

/// Reads a stored password hash, by each of the two ways.
pub fn parse(text: &str) {
    let any = StoredHash::parse(text);
    if StoredHash::parse_werkzeug(text).is_some() {
        assert!(any.is_some(), "werkzeug's own form is one of the known");
    }
}
