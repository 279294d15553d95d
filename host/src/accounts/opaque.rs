//! Opaque tokens: `cst_<kind>_<30 characters of base62><6 of checksum>`, as GitHub's, so that
//! secret scanners find them and need not ask us whether they are whole. We keep a hash.

use sha2::{Digest, Sha256};

use crate::config::values::Secret;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Characters of base62 that are random: 178 bits.
const RANDOM: usize = 30;

/// Characters of base62 that a CRC-32 takes.
const CHECKSUM: usize = 6;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A bot's.
    Bot,
    /// A user's own (personal access token).
    User,
    /// A refresh token.
    Refresh,
    /// A device code (RFC 8628).
    Device,
}

impl Kind {
    const ALL: [Kind; 4] = [Kind::Bot, Kind::User, Kind::Refresh, Kind::Device];

    fn prefix(self) -> &'static str {
        match self {
            Kind::Bot => "cst_bot_",
            Kind::User => "cst_user_",
            Kind::Refresh => "cst_refresh_",
            Kind::Device => "cst_device_",
        }
    }
}

/// A new token. None = the system has no random numbers.
pub fn generate(kind: Kind) -> Option<Secret> {
    let mut text = kind.prefix().to_owned();
    while text.len() < kind.prefix().len() + RANDOM {
        let mut bytes = [0; 64];
        aws_lc_rs::rand::fill(&mut bytes).ok()?;
        let missing = kind.prefix().len() + RANDOM - text.len();
        // 248 = 4 × 62: every character is as likely as any other.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        text.extend(
            fair.take(missing)
                .map(|byte| char::from(DIGITS[usize::from(byte % 62)])),
        );
    }
    let checksum = checksum(&text);
    Some(Secret::from(text + &checksum))
}

/// What a text is, if it is one of our tokens, whole.
pub fn kind(text: &str) -> Option<Kind> {
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| text.starts_with(kind.prefix()))?;
    let (head, tail) = text.split_at_checked(text.len().checked_sub(CHECKSUM)?)?;
    let random = head.strip_prefix(kind.prefix())?;
    let fits = random.len() == RANDOM && random.bytes().all(|byte| DIGITS.contains(&byte));
    (fits && checksum(head) == tail).then_some(kind)
}

/// Does a text mean to be one of our tokens, whole or damaged? Then nobody else is shown it.
pub fn is_ours(text: &str) -> bool {
    Kind::ALL.iter().any(|kind| text.starts_with(kind.prefix()))
}

/// What is kept of a token, opaque or signed: SHA-256 in hexadecimal. Nothing slower is
/// needed: nobody guesses 178 bits.
pub fn hash(token: &str) -> String {
    Sha256::digest(token)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn checksum(text: &str) -> String {
    let mut rest = crc32(text.as_bytes());
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    digits.map(char::from).iter().collect()
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(bytes);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn b02_token_says_what_it_is_and_any_damage_shows() {
        for made in Kind::ALL {
            let token = generate(made).unwrap();
            let text = token.expose();
            assert_eq!(kind(text), Some(made), "{text}");
            for at in 0..text.len() {
                let mut damaged = text.as_bytes().to_vec();
                damaged[at] = if damaged[at] == b'x' { b'y' } else { b'x' };
                assert_eq!(kind(&String::from_utf8(damaged).unwrap()), None);
            }
            assert_eq!(kind(&text[1..]), None);
            assert_eq!(kind(&format!("{text}0")), None);
        }
        assert_eq!(kind("cst_bot_é"), None);
    }

    #[test]
    fn checksum_is_that_of_zlib_in_base62() {
        // crc32("123456789") = 0xcbf43926 = 3421780262
        assert_eq!(checksum("123456789"), "3jZRME");
    }
}
