//! The headers of a request in one buffer, the same on both sides: they cross as
//! one block of bytes, where a list of texts would be allocated piece by piece.
//!
//! For each header: two little-endian `u32` lengths, then the name, then the value.

use zeroize::Zeroize;

/// The headers that carry credentials.
const CREDENTIALS: [&str; 3] = ["authorization", "proxy-authorization", "cookie"];

/// A name and its value.
pub type Header<'a> = (&'a str, &'a [u8]);

/// Names in lower case, values as received (RFC 9110 section 5.5 allows bytes).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<u8>);

impl Headers {
    /// Adds a header. One that no `u32` can measure is left out.
    pub fn push(&mut self, name: &str, value: &[u8]) {
        let (Ok(name_length), Ok(value_length)) =
            (u32::try_from(name.len()), u32::try_from(value.len()))
        else {
            return;
        };
        self.0.reserve(8 + name.len() + value.len());
        self.0.extend_from_slice(&name_length.to_le_bytes());
        self.0.extend_from_slice(&value_length.to_le_bytes());
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(value);
    }

    /// All headers in the order in which they came.
    pub fn iter(&self) -> impl Iterator<Item = Header<'_>> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (header, after) = split(rest)?;
            rest = after;
            Some(header)
        })
    }

    /// The first value of a header, by its lower-case name.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        self.iter()
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn wipe(&mut self) {
        wipe(&mut self.0);
    }

    pub(crate) fn from_bytes(bytes: Vec<u8>) -> Self {
        Headers(bytes)
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

impl<N: AsRef<str>, V: AsRef<[u8]>> FromIterator<(N, V)> for Headers {
    fn from_iter<T: IntoIterator<Item = (N, V)>>(headers: T) -> Self {
        let mut all = Headers::default();
        for (name, value) in headers {
            all.push(name.as_ref(), value.as_ref());
        }
        all
    }
}

/// Overwrites, in a buffer of this form, the values that hold credentials.
pub(crate) fn wipe(buffer: &mut [u8]) {
    let mut at = 0;
    while let Some((name, value, _)) = split_bytes(&buffer[at..]) {
        let start = at + 8 + name.len();
        let end = start + value.len();
        if CREDENTIALS.iter().any(|secret| secret.as_bytes() == name) {
            buffer[start..end].zeroize();
        }
        at = end;
    }
}

/// The first header and the bytes after it; none at the end, or where the bytes do
/// not fit their lengths: the other side is believed as far as it can be checked.
fn split(bytes: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let (name, value, rest) = split_bytes(bytes)?;
    Some(((std::str::from_utf8(name).ok()?, value), rest))
}

fn split_bytes(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (name_length, rest) = bytes.split_first_chunk::<4>()?;
    let (value_length, rest) = rest.split_first_chunk::<4>()?;
    let (name, rest) = rest.split_at_checked(length(*name_length)?)?;
    let (value, rest) = rest.split_at_checked(length(*value_length)?)?;
    Some((name, value, rest))
}

fn length(bytes: [u8; 4]) -> Option<usize> {
    usize::try_from(u32::from_le_bytes(bytes)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_read_back_in_their_order() {
        let pairs = [
            ("a", &b"1"[..]),
            ("", b""),
            ("x-long", b"\xff\x00"),
            ("a", b"2"),
        ];
        let headers: Headers = pairs.into_iter().collect();
        assert_eq!(headers.iter().collect::<Vec<_>>(), pairs);
        assert_eq!(headers.get("a"), Some(&b"1"[..]));
        assert_eq!(headers.get("b"), None);
        assert_eq!(
            Headers::from_bytes(headers.clone().into_bytes())
                .iter()
                .count(),
            4
        );
    }

    #[test]
    fn wiped_headers_keep_all_but_the_credentials() {
        let mut headers: Headers = [("a", "1"), ("authorization", "Basic x"), ("b", "2")]
            .into_iter()
            .collect();
        headers.wipe();
        assert_eq!(headers.get("authorization"), Some(&[0; 7][..]));
        assert_eq!(
            (headers.get("a"), headers.get("b")),
            (Some(&b"1"[..]), Some(&b"2"[..]))
        );
    }

    #[test]
    fn p11_bytes_that_are_no_headers_end_the_list() {
        let good: Headers = [("name", "value")].into_iter().collect();
        let good = good.into_bytes();
        for end in 0..good.len() {
            assert_eq!(
                Headers::from_bytes(good[..end].to_vec()).iter().count(),
                0,
                "{end}"
            );
        }
        for byte in 0..good.len() {
            let mut bytes = good.clone();
            bytes[byte] = 0xff;
            assert!(Headers::from_bytes(bytes).iter().count() <= 1, "{byte}");
        }
    }
}
