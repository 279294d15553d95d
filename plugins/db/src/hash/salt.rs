//! Salts as werkzeug makes them: 16 letters and digits.

use std::fs::File;
use std::io::{self, Read};

use sha2::{Digest, Sha256};

const LENGTH: usize = 16;
const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// A new salt from the kernel's random numbers.
pub(super) fn generate() -> io::Result<String> {
    let mut source = File::open("/dev/urandom")?;
    let mut salt = String::with_capacity(LENGTH);
    let mut batch = [0; 2 * LENGTH];
    while salt.len() < LENGTH {
        source.read_exact(&mut batch)?;
        let letters = batch.iter().filter_map(|byte| letter(*byte));
        salt.extend(letters.take(LENGTH - salt.len()));
    }
    Ok(salt)
}

/// The salt that marks a random digest as nobody's: its own fingerprint. A password's
/// digest depends on its salt, so that to find one whose digest leads back to the salt
/// takes some 2^95 attempts: rows that we made can be told by the stored text alone.
pub(super) fn mark(digest: &[u8]) -> String {
    let fingerprint = Sha256::digest(digest);
    let letter = |byte: &u8| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]);
    fingerprint.iter().take(LENGTH).map(letter).collect()
}

/// New bytes from the kernel's random numbers, as many as the longest digest has.
pub(super) fn bytes() -> io::Result<[u8; 64]> {
    let mut bytes = [0; 64];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Four bytes for each letter; the rest is thrown away, so that all are equally likely.
fn letter(byte: u8) -> Option<char> {
    let byte = usize::from(byte);
    (byte < 4 * ALPHABET.len()).then(|| char::from(ALPHABET[byte % ALPHABET.len()]))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn generate_gives_sixteen_letters_or_digits_and_never_the_same() {
        let (first, second) = (generate().unwrap(), generate().unwrap());
        assert_eq!(first.len(), LENGTH);
        assert!(first.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_ne!(first, second);
    }

    #[test]
    fn letter_of_every_byte_is_equally_likely() {
        let counts = ALPHABET.map(|wanted| {
            (0..=255)
                .filter(|byte| letter(*byte) == Some(char::from(wanted)))
                .count()
        });
        assert_eq!(counts, [4; 62]);
    }
}
