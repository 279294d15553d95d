//! Where each request ends, seen from the bytes: what hyper's parser is too kind to
//! refuse is noticed here (a line feed alone as the end of a line; a length and a
//! chunked body at once), since a proxy before us may read it differently, and a
//! request hidden in another is then ours alone (RFC 9112 sections 2.2, 6.1, 11.2).
//!
//! It follows the stream: a head, a body as long as hyper says it is, the next head.
//! After a chunked body no head follows: such a connection is closed.

/// The names that are looked for, and so the longest part of a line that is kept.
const LENGTH: &[u8] = b"content-length";
const ENCODING: &[u8] = b"transfer-encoding";

/// Why a head is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    /// A line ends without a carriage return.
    BareLineFeed,
    /// Content-Length beside Transfer-Encoding.
    TwoLengths,
}

/// The stream of one connection.
#[derive(Debug, Default)]
pub(super) struct Framing {
    head: Head,
    place: Place,
}

#[derive(Debug, Default)]
enum Place {
    #[default]
    Head,
    /// This many bytes are left.
    Body(u64),
    /// No further head is expected.
    Rest,
}

#[derive(Debug, Default)]
struct Head {
    /// Some line with content was there: empty lines before it do not end the head.
    begun: bool,
    previous: u8,
    /// The current line's length without its end, as far as a name that is looked for could
    /// reach, and its first characters in lower case.
    length: usize,
    start: [u8; ENCODING.len()],
    bare_line_feed: bool,
    content_length: bool,
    transfer_encoding: bool,
}

impl Framing {
    /// Follows the next bytes and says how many of them may be passed on: never more
    /// than the rest of a head, or of a body; at least one, unless there are none.
    pub(super) fn follow(&mut self, bytes: &[u8]) -> usize {
        match &mut self.place {
            Place::Head => self.head.follow(bytes),
            Place::Body(left) => {
                let taken = bytes
                    .len()
                    .min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= taken as u64;
                if *left == 0 {
                    self.place = Place::Head;
                }
                taken
            }
            Place::Rest => bytes.len(),
        }
    }

    /// The head that was passed on is a request with a body of this length; none = chunked.
    pub(super) fn begin(&mut self, body: Option<u64>) -> Result<(), Malformed> {
        let head = std::mem::take(&mut self.head);
        self.place = match body {
            Some(0) => Place::Head,
            Some(length) => Place::Body(length),
            None => Place::Rest,
        };
        if head.bare_line_feed {
            return Err(Malformed::BareLineFeed);
        }
        if head.content_length && head.transfer_encoding {
            return Err(Malformed::TwoLengths);
        }
        Ok(())
    }

    /// Is the client still to send a part of a body?
    pub(super) fn owes(&self) -> bool {
        !matches!(self.place, Place::Head)
    }
}

impl Head {
    fn follow(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\n' => {
                    self.bare_line_feed |= self.previous != b'\r';
                    let empty = std::mem::take(&mut self.length) == 0;
                    if empty && self.begun {
                        self.previous = b'\n';
                        return at + 1;
                    }
                    self.begun |= !empty;
                }
                // Behind its name nothing of a line counts but its end: a token is long.
                _ if self.length > ENCODING.len() => {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
                    at += end;
                    self.previous = bytes.get(at - 1).copied().unwrap_or_default();
                    continue;
                }
                b'\r' => {}
                b':' => {
                    let name = self.start.get(..self.length);
                    self.content_length |= name == Some(LENGTH);
                    self.transfer_encoding |= name == Some(ENCODING);
                    self.length = ENCODING.len() + 1;
                }
                other => {
                    if let Some(place) = self.start.get_mut(self.length) {
                        *place = other.to_ascii_lowercase();
                    }
                    self.length += 1;
                }
            }
            self.previous = *byte;
            at += 1;
        }
        bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(head: &str) -> Result<(), Malformed> {
        let mut framing = Framing::default();
        assert_eq!(framing.follow(head.as_bytes()), head.len());
        framing.begin(Some(0))
    }

    #[test]
    fn follow_stops_at_the_end_of_a_head_wherever_it_is_torn() {
        let stream = b"\r\nPOST / HTTP/1.1\r\nHost: a\r\n\r\nabcGET / HTTP/1.1\r\n\r\n";
        let mut framing = Framing::default();
        assert_eq!(framing.follow(stream), stream.len() - 3 - 18);
        assert_eq!(framing.begin(Some(3)), Ok(()));
        assert!(framing.owes());
        let rest = &stream[stream.len() - 21..];
        assert_eq!(framing.follow(rest), 3);
        assert!(!framing.owes());
        assert_eq!(framing.follow(&rest[3..]), 18);
        assert_eq!(framing.begin(Some(0)), Ok(()));
    }

    #[test]
    fn begin_refuses_two_lengths_in_either_order_and_case() {
        for head in [
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST /a/path/that/is/long HTTP/1.1\r\nAuthorization: Bearer a.long.token\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\ntransfer-ENCODING:chunked\r\nX: content-length:\r\nCONTENT-length:1\r\n\r\n",
        ] {
            assert_eq!(one(head), Err(Malformed::TwoLengths), "{head}");
        }
        for head in [
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nX-Transfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nX: Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert_eq!(one(head), Ok(()), "{head}");
        }
    }

    #[test]
    fn begin_refuses_a_line_feed_alone() {
        for head in [
            "GET / HTTP/1.1\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n\n",
            "GET / HTTP/1.1\n\n",
            "GET / HTTP/1.1\r\nAuthorization: Bearer a.long.token\nHost: a\r\n\r\n",
        ] {
            assert_eq!(one(head), Err(Malformed::BareLineFeed), "{head:?}");
        }
    }

    #[test]
    fn follow_in_single_bytes_sees_the_same_as_at_once() {
        let stream = b"GET /auth/verify?role=Op HTTP/1.1\r\nA: 1\r\nAuthorization: Bearer a:long.token\r\n\r\n";
        for size in 1..stream.len() {
            let mut framing = Framing::default();
            let passed: usize = stream.chunks(size).map(|piece| framing.follow(piece)).sum();
            assert_eq!(passed, stream.len());
            assert_eq!(framing.begin(None), Ok(()));
            assert!(framing.owes());
            assert_eq!(framing.follow(b"any\nthing"), 9);
        }
    }
}
