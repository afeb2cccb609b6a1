//! How long a certificate holds, which rustls asks of others' certificates and never of its own.

use std::path::{Path, PathBuf};

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::limits;

/// From when to when a certificate of a file holds.
#[derive(Debug)]
pub(super) struct Validity {
    file: PathBuf,
    /// Of the certificate that is shown, or of an authority.
    is_shown: bool,
    begins: Timestamp,
    pub(super) ends: Timestamp,
}

impl Validity {
    /// Of the certificate that is shown; nothing where it does not say so in the forms that RFC 5280 allows.
    pub(super) fn of_shown(file: &Path, certificate: &[u8]) -> Option<Validity> {
        let (begins, ends) = times(certificate)?;
        Some(Validity {
            file: file.to_owned(),
            is_shown: true,
            begins,
            ends,
        })
    }

    /// The same of an authority whose clients are taken.
    pub(super) fn of_authority(file: &Path, certificate: &[u8]) -> Option<Validity> {
        let validity = Validity::of_shown(file, certificate)?;
        Some(Validity {
            is_shown: false,
            ..validity
        })
    }

    /// What is to be told of it at that time. The text is the same for as long as the trouble is.
    pub(super) fn trouble(&self, now: Timestamp) -> Option<String> {
        let file = self.file.display();
        let (what, refused) = if self.is_shown {
            ("the certificate", ", and clients refuse it")
        } else {
            ("an authority", "")
        };
        let (begins, ends) = (self.begins, self.ends);
        let soon = SignedDuration::from_hours(24 * limits::CERTIFICATE_DAYS_WARNED);
        if now > ends {
            Some(format!("{file}: {what} ran out at {ends}{refused}"))
        } else if now < begins {
            Some(format!("{file}: {what} holds only from {begins} on{refused}"))
        } else if ends.duration_since(now) <= soon {
            Some(format!("{file}: {what} runs out at {ends}"))
        } else {
            None
        }
    }
}

const UTC_TIME: u8 = 23;
const GENERALIZED_TIME: u8 = 24;
/// The tag of the version, which the oldest certificates have not.
const VERSION: u8 = 0xa0;

/// `notBefore` and `notAfter` of a certificate in DER.
fn times(certificate: &[u8]) -> Option<(Timestamp, Timestamp)> {
    let (_, whole, _) = element(certificate)?;
    let (_, signed, _) = element(whole)?;
    let mut rest = match element(signed)? {
        (VERSION, _, rest) => rest,
        _ => signed,
    };
    // Number, algorithm and issuer.
    for _ in 0..3 {
        (_, _, rest) = element(rest)?;
    }
    let (_, validity, _) = element(rest)?;
    let (tag, begins, rest) = element(validity)?;
    let begins = moment(tag, begins)?;
    let (tag, ends, _) = element(rest)?;
    Some((begins, moment(tag, ends)?))
}

/// Tag and content of the first element, and what is behind it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, short], rest) = bytes.split_first_chunk()?;
    let (length, rest) = match short {
        0..=0x7f => (usize::from(short), rest),
        // A file has fewer bytes than four digits can say.
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(short & 0x7f))?;
            let digit = |length: usize, digit: &u8| length << 8 | usize::from(*digit);
            (digits.iter().fold(0, digit), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// A time as certificates have it: in UTC, to the second.
fn moment(tag: u8, text: &[u8]) -> Option<Timestamp> {
    let digits = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = digits.split_at_checked(digits.len().checked_sub(10)?)?;
    let year: i16 = match (tag, year.len(), year.parse().ok()?) {
        // Two digits mean 1950 to 2049.
        (UTC_TIME, 2, year @ 0..50) => 2000 + year,
        (UTC_TIME, 2, year) => 1900 + year,
        (GENERALIZED_TIME, 4, year) => year,
        _ => return None,
    };
    let two = |at: usize| rest.get(at..at + 2)?.parse().ok();
    let time = DateTime::new(year, two(0)?, two(2)?, two(4)?, two(6)?, two(8)?, 0).ok()?;
    // The last second of 9999 means that there is no end, and is beyond the clock.
    Some(TimeZone::UTC.to_timestamp(time).unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_both_forms() {
        for (tag, text, want) in [
            (UTC_TIME, "491231235959Z", Some("2049-12-31T23:59:59Z")),
            (UTC_TIME, "500101000000Z", Some("1950-01-01T00:00:00Z")),
            (GENERALIZED_TIME, "20500228120000Z", Some("2050-02-28T12:00:00Z")),
            (UTC_TIME, "20500228120000Z", None),
            (UTC_TIME, "4912312359Z", None),
            (GENERALIZED_TIME, "20500229120000Z", None),
            (GENERALIZED_TIME, "20500228120000+0100", None),
            (GENERALIZED_TIME, "", None),
            (2, "20500228120000Z", None),
        ] {
            let want = want.map(|want| want.parse::<Timestamp>().unwrap());
            assert_eq!(moment(tag, text.as_bytes()), want, "{text}");
        }
        let endless = moment(GENERALIZED_TIME, b"99991231235959Z");
        assert_eq!(endless, Some(Timestamp::MAX));
    }

    #[test]
    fn a_certificate_that_is_cut_has_no_times() {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
        let der = certificate.der().as_ref();
        assert!(times(der).is_some());
        for end in 0..der.len() {
            assert!(times(&der[..end]).is_none(), "{end}");
        }
    }
}
