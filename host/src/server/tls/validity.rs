//! From when until when a certificate holds (RFC 5280 section 4.1.2.5): the one thing
//! about it that the TLS library does not tell, read from its DER.

use time::format_description::well_known::Rfc3339;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// Seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    from: i64,
    until: i64,
}

impl Validity {
    /// What is wrong with it at this time.
    pub(super) fn problem(self, now: i64) -> Option<String> {
        if now > self.until {
            return Some(format!(
                "expired at {}: clients will refuse it",
                self.until()
            ));
        }
        (now < self.from).then(|| {
            format!(
                "is not valid before {}: clients will refuse it until then",
                text(self.from)
            )
        })
    }

    /// The end, as text.
    pub(super) fn until(self) -> String {
        text(self.until)
    }
}

/// Reads it; none if the DER is not what it should be.
pub(super) fn validity(certificate: &[u8]) -> Option<Validity> {
    let mut outer = Reader(certificate);
    let mut certificate = Reader(outer.take(0x30)?);
    let mut signed = Reader(certificate.take(0x30)?);
    if signed.0.first() == Some(&0xa0) {
        signed.take(0xa0)?; // version
    }
    signed.take(0x02)?; // serial number
    signed.take(0x30)?; // signature algorithm
    signed.take(0x30)?; // issuer
    let mut validity = Reader(signed.take(0x30)?);
    Some(Validity {
        from: validity.time()?,
        until: validity.time()?,
    })
}

/// DER from its front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The content of the next element, which must have this tag.
    fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        let (&[found, length], rest) = self.0.split_first_chunk()?;
        let (length, rest) = match length {
            0..=0x7f => (usize::from(length), rest),
            0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
            0x82 => {
                let (high, rest) = rest.split_first_chunk::<2>()?;
                (usize::from(u16::from_be_bytes(*high)), rest)
            }
            _ => return None, // no certificate is that long
        };
        self.0 = rest.get(length..)?;
        (found == tag).then(|| rest.get(..length))?
    }

    /// UTCTime `YYMMDDHHMMSSZ` (years from 1950) or GeneralizedTime `YYYYMMDDHHMMSSZ`.
    fn time(&mut self) -> Option<i64> {
        let text = match self.0.first()? {
            0x17 => {
                let short = std::str::from_utf8(self.take(0x17)?).ok()?;
                let century = if short.get(..2)? < "50" { "20" } else { "19" };
                format!("{century}{short}")
            }
            _ => std::str::from_utf8(self.take(0x18)?).ok()?.to_owned(),
        };
        let digits = text.strip_suffix('Z').filter(|digits| digits.len() == 14)?;
        let number = |from: usize, to: usize| digits.get(from..to)?.parse::<u8>().ok();
        let year = digits.get(..4)?.parse().ok()?;
        let month = Month::try_from(number(4, 6)?).ok()?;
        let date = Date::from_calendar_date(year, month, number(6, 8)?).ok()?;
        let time = Time::from_hms(number(8, 10)?, number(10, 12)?, number(12, 14)?).ok()?;
        Some(
            PrimitiveDateTime::new(date, time)
                .assume_utc()
                .unix_timestamp(),
        )
    }
}

fn text(time: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(time).ok();
    let text = time.and_then(|time| time.format(&Rfc3339).ok());
    text.unwrap_or_else(|| "an unknown time".into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// The frame of a certificate around its dates.
    fn certificate(from: &[u8], until: &[u8]) -> Vec<u8> {
        let element = |tag: u8, content: &[u8]| {
            let mut element = vec![tag, 0x82];
            element.extend(u16::try_from(content.len()).unwrap().to_be_bytes());
            element.extend(content);
            element
        };
        let dates = element(0x30, &[from, until].concat());
        let signed = [
            element(0xa0, &[2, 1, 2]),
            vec![2, 1, 5],
            element(0x30, &[]),
            element(0x30, &[0; 200]),
            dates,
        ];
        element(0x30, &element(0x30, &signed.concat()))
    }

    #[test]
    fn validity_reads_both_forms_of_time() {
        let der = certificate(b"\x17\x0d700101000000Z", b"\x18\x0f20500102030405Z");
        let validity = validity(&der).unwrap();
        assert_eq!(validity.from, 0);
        assert_eq!(validity.until(), "2050-01-02T03:04:05Z");
        assert_eq!(validity.problem(1), None);
        assert!(
            validity
                .problem(-1)
                .unwrap()
                .starts_with("is not valid before 1970")
        );
        assert!(
            validity
                .problem(i64::MAX)
                .unwrap()
                .starts_with("expired at 2050")
        );
    }

    #[test]
    fn validity_of_torn_or_strange_bytes_is_none_and_never_a_panic() {
        let der = certificate(b"\x17\x0d700101000000Z", b"\x17\x0d491231235959Z");
        assert!(validity(&der).is_some());
        for end in 0..der.len() {
            assert_eq!(validity(&der[..end]), None);
        }
        for strange in [
            "7001010000000",
            "700101 00000Z",
            "701301000000Z",
            "70é101000000",
        ] {
            let time = [b"\x17\x0d", strange.as_bytes()].concat();
            assert_eq!(validity(&certificate(&time, &time)), None, "{strange}");
        }
    }
}
