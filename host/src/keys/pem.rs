//! PEM (RFC 7468, and the older form with header lines): just enough to find one block in a key
//! file, and to write one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

/// One block of a PEM file.
pub(super) struct Block {
    /// The words after `BEGIN`, such as `RSA PRIVATE KEY`.
    pub(super) label: String,
    /// Encrypted, by its label or by the `Proc-Type` header of older openssl.
    pub(super) encrypted: bool,
    /// The decoded content; empty if it is not base64.
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// All complete blocks of a text; `None` if it is not PEM at all.
pub(super) fn blocks(bytes: &[u8]) -> Option<Vec<Block>> {
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.contains("-----BEGIN "))?;
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        rest = after;
        let Some((label, body)) = after.split_once("-----") else {
            continue;
        };
        let Some((body, after)) = body.split_once(&format!("-----END {label}-----")) else {
            continue;
        };
        blocks.push(block(label, body));
        rest = after;
    }
    Some(blocks)
}

/// Writes one block, 64 characters a line.
pub(super) fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let mut text = Zeroizing::new(String::with_capacity(
        body.len() + body.len() / 64 + 2 * label.len() + 36,
    ));
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(64));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

fn block(label: &str, body: &str) -> Block {
    let (headers, content): (Vec<&str>, Vec<&str>) =
        body.lines().partition(|line| line.contains(':'));
    let mut base64 = Zeroizing::new(String::with_capacity(body.len()));
    base64.extend(content.iter().map(|line| line.trim()));
    Block {
        label: label.to_owned(),
        encrypted: label.starts_with("ENCRYPTED")
            || headers.iter().any(|line| line.contains("ENCRYPTED")),
        der: Zeroizing::new(STANDARD.decode(base64.as_bytes()).unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]

    use super::*;

    #[test]
    fn encode_then_blocks_gives_the_same_bytes() {
        let der: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for length in [0, 1, 47, 48, 49, 96, 1000] {
            let text = encode("PRIVATE KEY", &der[..length]);
            let found = blocks(text.as_bytes()).unwrap();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].label, "PRIVATE KEY");
            assert_eq!(found[0].der.as_slice(), &der[..length]);
            assert!(text.lines().all(|line| line.len() <= 64));
        }
    }

    #[test]
    fn blocks_torn_anywhere_never_panics() {
        let text = format!("junk: é\r\n{}", encode("EC PARAMETERS", b"abc").as_str())
            + &encode("EC PRIVATE KEY", b"defghi");
        let text = text.replace('\n', "\r\n");
        assert_eq!(blocks(text.as_bytes()).unwrap().len(), 2);
        for end in 0..text.len() {
            let _ = blocks(&text.as_bytes()[..end]);
        }
    }

    #[test]
    fn blocks_of_other_bytes_is_none() {
        assert!(blocks(b"\x30\x82\x01\x00").is_none());
        assert!(blocks(b"hello").is_none());
    }
}
