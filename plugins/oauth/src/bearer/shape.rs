//! What a bearer token looks like, before anybody judges it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// An opaque token may be this long; the host's own limits are below it.
const LONGEST: usize = 8 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A signed JWT, or something that would pass for one.
    Jwt,
    /// Nobody but the provider can read it. Encrypted JWTs are such: Auth0 has them.
    Opaque,
    /// No bearer token (RFC 6750 section 2.1).
    Neither,
}

impl Shape {
    pub(super) fn of(token: &str) -> Shape {
        let mut segments = token.split('.');
        let header = segments.next().unwrap_or_default();
        let more = segments.count();
        // Whatever begins like a JWT's header and has not the form of an encrypted one is judged
        // by the strict parser, and nobody else is asked about it.
        if is_object(header) && more != 4 {
            return Shape::Jwt;
        }
        if token.len() <= LONGEST && is_b64token(token) {
            Shape::Opaque
        } else {
            Shape::Neither
        }
    }
}

/// Is it base64url of something that begins as a JSON object does?
fn is_object(segment: &str) -> bool {
    let whole = segment.trim_end_matches('=');
    // Four characters are three bytes: enough for `{"a`.
    let start = whole.get(..whole.len().min(4) / 4 * 4).unwrap_or_default();
    let start = URL_SAFE_NO_PAD.decode(start).unwrap_or_default();
    let mut bytes = start.iter().skip_while(|byte| byte.is_ascii_whitespace());
    bytes.next() == Some(&b'{')
}

fn is_b64token(token: &str) -> bool {
    let core = token.trim_end_matches('=');
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !core.is_empty() && core.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shape_is_told_by_the_first_segment_and_their_number() {
        for (token, shape) in [
            ("eyJhbGciOiJub25lIn0.e30.", Shape::Jwt),
            ("eyJhbGciOiJub25lIn0.e30", Shape::Jwt),
            ("eyJhbGciOiJub25lIn0.e30.AA.AA", Shape::Jwt),
            ("eyJhbGciOiJkaXIifQ..AA.AA.AA", Shape::Opaque),
            ("gho_16C7e42F292c6912E7710c838347Ae178B4a", Shape::Opaque),
            ("ya29.a0Af_x-y~z+/==", Shape::Opaque),
            ("a.b.c", Shape::Opaque),
            ("", Shape::Neither),
            ("==", Shape::Neither),
            ("a b", Shape::Neither),
            ("ä", Shape::Neither),
            ("a\u{0}b", Shape::Neither),
        ] {
            assert_eq!(Shape::of(token), shape, "{token}");
        }
        assert_eq!(Shape::of(&"a".repeat(LONGEST + 1)), Shape::Neither);
    }
}
