//! StartTLS (RFC 4511 section 4.14), asked before ldap3 has the connection: the answer is
//! read to its last byte and no further, and anything but a clear yes ends the connection.
//! Nothing else is ever said in clear text.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::ber::{Reader, number};
use super::message;

/// Message 1: an extended request for 1.3.6.1.4.1.1466.20037.
const REQUEST: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// No answer is longer.
const LONGEST: usize = 8_192;

/// Asks, and returns once the server has said yes.
pub(super) async fn ask(stream: &mut TcpStream) -> Result<(), String> {
    let said = |why| format!("StartTLS: {why}");
    let asked = stream.write_all(REQUEST).await;
    asked.map_err(|error| said(error.to_string()))?;
    let message = message::read(stream, LONGEST).await.map_err(said)?;
    let other = || said("the server answers another question".to_owned());
    match verdict(&message).ok_or_else(other)? {
        (0, _) => Ok(()),
        (code, text) => Err(format!("StartTLS refused with {code} {text:?}")),
    }
}

/// The result's code and text: `SEQUENCE { 1, [APPLICATION 24] { code, matched, text, … } }`.
fn verdict(message: &[u8]) -> Option<(usize, String)> {
    let mut parts = Reader::new(Reader::new(message).expect(0x30)?);
    if number(parts.expect(0x02)?)? != 1 {
        return None;
    }
    let mut result = Reader::new(parts.expect(0x78)?);
    let code = number(result.expect(0x0a)?)?;
    result.expect(0x04)?;
    let text = String::from_utf8_lossy(result.expect(0x04)?).into_owned();
    Some((code, text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_to_this_request_counts() {
        let yes = [0x30, 12, 2, 1, 1, 0x78, 7, 0x0a, 1, 0, 4, 0, 4, 0];
        assert_eq!(verdict(&yes), Some((0, String::new())));
        let mut refused = yes;
        refused[9] = 2;
        assert_eq!(verdict(&refused).unwrap().0, 2);
        for (place, value) in [(0, 0x31), (4, 2), (5, 0x61), (7, 2), (8, 9), (10, 5)] {
            let mut other = yes;
            other[place] = value;
            assert_eq!(verdict(&other), None, "{place}");
        }
    }
}
