//! What a password policy says beside the result of a bind: the control of
//! draft-behera-ldap-password-policy-10, and Netscape's older one, which 389 Directory
//! Server sends.

use ldap3::controls::{Control, RawControl};

use super::ber::{Reader, number};

const BEHERA: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
const NETSCAPE_EXPIRED: &str = "2.16.840.1.113730.3.4.4";

/// passwordExpired and changeAfterReset, as the draft numbers them (section 6.2).
const EXPIRED: u32 = 0;
const MUST_CHANGE: u32 = 2;

/// Asks a server to say; one that does not know the control ignores it.
pub(super) fn request() -> RawControl {
    RawControl {
        ctype: BEHERA.to_owned(),
        crit: false,
        val: None,
    }
}

/// The policy's error, if it has one. `code` is the result that it came with.
pub(super) fn error(code: u32, controls: &[Control]) -> Option<u32> {
    let of = |oid| controls.iter().find(|control| control.1.ctype == oid);
    let behera = of(BEHERA).and_then(|control| decode(control.1.val.as_deref()?));
    behera.or_else(|| of(NETSCAPE_EXPIRED).map(|_| if code == 0 { MUST_CHANGE } else { EXPIRED }))
}

/// `SEQUENCE { warning [0] … OPTIONAL, error [1] ENUMERATED OPTIONAL }`
fn decode(value: &[u8]) -> Option<u32> {
    let mut parts = Reader::new(Reader::new(value).expect(0x30)?);
    while let Some((tag, content)) = parts.next() {
        if tag == 0x81 {
            return number(content).and_then(|error| u32::try_from(error).ok());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn control(oid: &str, value: &[u8]) -> [Control; 1] {
        let raw = RawControl {
            ctype: oid.to_owned(),
            crit: false,
            val: Some(value.to_vec()),
        };
        [Control(None, raw)]
    }

    #[test]
    fn error_stands_alone_or_behind_a_warning() {
        assert_eq!(error(49, &control(BEHERA, &[0x30, 3, 0x81, 1, 1])), Some(1));
        let both = [0x30, 8, 0xa0, 3, 0x80, 1, 60, 0x81, 1, 2];
        assert_eq!(error(0, &control(BEHERA, &both)), Some(2));
        let warning = [0x30, 5, 0xa0, 3, 0x81, 1, 4];
        assert_eq!(error(0, &control(BEHERA, &warning)), None);
        assert_eq!(error(0, &control(BEHERA, &[0x30, 0])), None);
        assert_eq!(error(0, &control(BEHERA, &[0x30, 9, 1])), None);
        assert_eq!(error(0, &[]), None);
    }

    #[test]
    fn older_control_tells_by_the_result() {
        assert_eq!(
            error(0, &control(NETSCAPE_EXPIRED, b"0")),
            Some(MUST_CHANGE)
        );
        assert_eq!(error(49, &control(NETSCAPE_EXPIRED, b"0")), Some(EXPIRED));
    }
}
