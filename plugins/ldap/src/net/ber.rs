//! As much BER (X.690) as the answers need that ldap3 leaves to us or would panic on.

/// Elements one after another: single-byte tags, definite lengths.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader(bytes)
    }

    /// The next element's tag and content; `None` at the end and for nonsense.
    pub(super) fn next(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (length, rest) = match first {
            short @ 0..=0x7f => (usize::from(short), rest),
            long @ 0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(long & 0x7f))?;
                (number(digits)?, rest)
            }
            _ => return None,
        };
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some((tag, content))
    }

    /// Has everything been read?
    pub(super) fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element's content, if it has this tag.
    pub(super) fn expect(&mut self, tag: u8) -> Option<&'a [u8]> {
        self.next()
            .filter(|(found, _)| *found == tag)
            .map(|(_, content)| content)
    }
}

/// A number that is not negative, of at most four bytes (and a leading zero).
pub(super) fn number(content: &[u8]) -> Option<usize> {
    let digits = match content {
        [0, rest @ ..] if rest.len() == 4 => rest,
        all if (1..=4).contains(&all.len()) => all,
        _ => return None,
    };
    Some(
        digits
            .iter()
            .fold(0, |sum, digit| sum << 8 | usize::from(*digit)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_one_by_one() {
        let mut reader = Reader::new(&[0x02, 1, 5, 0x04, 0x81, 2, b'a', b'b']);
        assert_eq!(reader.expect(0x02), Some(&[5][..]));
        assert_eq!(reader.next(), Some((0x04, &b"ab"[..])));
        assert_eq!(reader.next(), None);
    }

    #[test]
    fn nonsense_ends_the_reading() {
        let broken: [&[u8]; 6] = [
            &[0x30],
            &[0x30, 5, 1],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x85, 0, 0, 0, 0, 0],
            &[0x30, 0x82, 1],
        ];
        for bytes in broken {
            assert_eq!(Reader::new(bytes).next(), None, "{bytes:02x?}");
        }
        assert_eq!(number(&[]), None);
        assert_eq!(number(&[1, 2, 3, 4, 5]), None);
        assert_eq!(number(&[0, 0xff, 0, 0, 0]), Some(0xff00_0000));
    }
}
