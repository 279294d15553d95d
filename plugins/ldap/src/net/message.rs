//! One message of a server's (RFC 4511 section 4.1.1), read whole and within bounds. ldap3
//! reads by recursion and takes any length: one message of a broken or hostile server could
//! end the host's process.

use std::io::ErrorKind;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::ber::{Reader, number};

/// An entry with all its values is one message; those of the largest groups have a few MiB.
pub(super) const LONGEST: usize = 16 * 1024 * 1024;
/// Values of an attribute are the sixth level.
const DEEPEST: usize = 16;

/// Reads up to the message's last byte and no further.
pub(super) async fn read(
    from: &mut (impl AsyncRead + Unpin),
    longest: usize,
) -> Result<Vec<u8>, String> {
    let mut message = vec![0; 2];
    from.read_exact(&mut message).await.map_err(text)?;
    let length = match message[1] {
        short @ 0..=0x7f => usize::from(short),
        long @ 0x81..=0x84 => {
            let mut digits = vec![0; usize::from(long & 0x7f)];
            from.read_exact(&mut digits).await.map_err(text)?;
            message.extend_from_slice(&digits);
            number(&digits).ok_or_else(garbage)?
        }
        _ => return Err(garbage()),
    };
    if message[0] != 0x30 {
        return Err(garbage());
    }
    if length > longest {
        return Err(format!(
            "an answer of {length} bytes, of which {longest} are allowed"
        ));
    }
    // Memory is taken as the bytes come: the length is only a claim.
    let head = message.len();
    let mut body = from.take(u64::try_from(length).unwrap_or(0));
    body.read_to_end(&mut message).await.map_err(text)?;
    if message.len() < head + length {
        return Err(closed());
    }
    match is_sound(&message) {
        true => Ok(message),
        false => Err(garbage()),
    }
}

/// `SEQUENCE { messageID INTEGER, operation, … }`, and whole down to its leaves.
fn is_sound(message: &[u8]) -> bool {
    let Some(content) = Reader::new(message).expect(0x30) else {
        return false;
    };
    let mut parts = Reader::new(content);
    let has_id = parts.expect(0x02).and_then(number).is_some();
    has_id && parts.next().is_some() && are_sound(content, DEEPEST)
}

fn are_sound(content: &[u8], deepest: usize) -> bool {
    let mut parts = Reader::new(content);
    while !parts.is_at_end() {
        let is_sound = match parts.next() {
            Some((tag, inner)) if tag & 0x20 != 0 => deepest > 0 && are_sound(inner, deepest - 1),
            part => part.is_some(),
        };
        if !is_sound {
            return false;
        }
    }
    true
}

fn garbage() -> String {
    "the answer is not LDAP".to_owned()
}

fn closed() -> String {
    "the server closed the connection".to_owned()
}

fn text(error: std::io::Error) -> String {
    match error.kind() {
        ErrorKind::UnexpectedEof => closed(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn nested(depth: usize) -> Vec<u8> {
        let mut inner = Vec::new();
        for _ in 0..depth {
            let length = u32::try_from(inner.len()).unwrap().to_be_bytes();
            inner = [&[0x30, 0x84], &length[..], &inner].concat();
        }
        let content = [&[2, 1, 1], &inner[..]].concat();
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&[0x30, 0x84], &length[..], &content].concat()
    }

    #[tokio::test]
    async fn messages_are_read_to_their_last_byte() {
        let two = [0x30, 5, 2, 1, 1, 0x42, 0, 0x30, 0x81, 5, 2, 1, 2, 0x42, 0];
        let mut from = &two[..];
        assert_eq!(read(&mut from, LONGEST).await.unwrap(), two[..7]);
        assert_eq!(read(&mut from, LONGEST).await.unwrap(), two[7..]);
        assert_eq!(read(&mut from, LONGEST).await, Err(closed()));
    }

    #[tokio::test]
    async fn nonsense_ends_the_reading() {
        let broken: [&[u8]; 8] = [
            b"HTTP/1.1 400",
            &[0x30, 0x80, 0, 0],
            &[0x30, 0],
            &[0x30, 3, 2, 1, 1],
            &[0x30, 5, 4, 1, 1, 0x42, 0],
            // A part that claims more than there is.
            &[0x30, 7, 2, 1, 1, 0x64, 2, 0x30, 5],
            &[0x30, 6, 2, 1, 1, 0x42, 0, 4],
            &[0x30, 7, 2, 1, 1, 0x64, 2, 0x30, 0x80],
        ];
        for bytes in broken {
            assert_eq!(
                read(&mut &bytes[..], LONGEST).await,
                Err(garbage()),
                "{bytes:02x?}"
            );
        }
    }

    #[tokio::test]
    async fn size_and_depth_are_bounded() {
        let huge = [0x30, 0x84, 0x7f, 0xff, 0xff, 0xff];
        let refused = read(&mut &huge[..], LONGEST).await.unwrap_err();
        assert!(refused.contains("2147483647"), "{refused}");
        assert!(read(&mut &nested(DEEPEST)[..], LONGEST).await.is_ok());
        for depth in [DEEPEST + 2, 1_000] {
            assert_eq!(read(&mut &nested(depth)[..], LONGEST).await, Err(garbage()));
        }
    }
}
