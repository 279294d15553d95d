//! werkzeug's `method$salt$hex`, split at the first two `$`. The salt is its own text,
//! the digest lower-case hex.

use crate::hash::{Method, StoredHash};

pub(in crate::hash) fn parse(text: &str) -> Option<StoredHash> {
    let mut fields = text.splitn(3, '$');
    let (method, salt, digest) = (fields.next()?, fields.next()?, fields.next()?);
    let method = Method::parse(method).ok()?;
    method
        .is_werkzeugs()
        .then(|| StoredHash::derived(method, salt.as_bytes().to_vec(), unhex(digest)))
}

/// Text that is no hex is no digest: it matches nothing.
fn unhex(text: &str) -> Vec<u8> {
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pair = |pair: &[u8]| Some(nibble(*pair.first()?)? << 4 | nibble(*pair.get(1)?)?);
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(pair).collect();
    bytes.unwrap_or_default()
}
