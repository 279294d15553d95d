//! base64url (RFC 4648 section 5), in the two strictnesses that are needed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// As RFC 7515 section 2 writes it: no padding, no other character, unused bits zero.
/// There is one text for each value, so that no token has a second spelling.
pub(crate) fn strict(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// A big-endian number of a key; padding and leading zeros are forgiven, since
/// OpenMetadata publishes its keys with both.
pub(crate) fn number(text: &str) -> Option<Vec<u8>> {
    let bytes = strict(text.trim_end_matches('='))?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Some(bytes[zeros..].to_vec())
}
