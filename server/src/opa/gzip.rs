//! Bodies that are packed by gzip: those of requests, up to a bound once they are unpacked, and those of answers.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

use crate::limits;

/// Why a body cannot be unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unpackable {
    /// It is larger than that once it is unpacked; no more than that was.
    TooLarge(usize),
    /// It is not packed by gzip, or is cut or damaged.
    Malformed(String),
}

/// Whether a request's `Content-Encoding` says gzip. As in OPA it is so if the word is in it.
pub(crate) fn is_packed(encoding: &[u8]) -> bool {
    encoding.windows(4).any(|word| word == b"gzip")
}

/// A body that was packed.
pub(crate) fn unpacked(body: &[u8], bytes_max: usize) -> Result<Vec<u8>, Unpackable> {
    let mut out = Vec::with_capacity(body.len().min(bytes_max));
    let most = u64::try_from(bytes_max).unwrap_or(u64::MAX).saturating_add(1);
    let read = MultiGzDecoder::new(body).take(most).read_to_end(&mut out);
    match read {
        Ok(read) if read > bytes_max => Err(Unpackable::TooLarge(bytes_max)),
        Ok(_) => Ok(out),
        Err(error) => Err(Unpackable::Malformed(error.to_string())),
    }
}

/// Whether a client that sends this `Accept-Encoding` takes gzip: named, and not with a weight of nothing.
pub(crate) fn is_accepted(accepted: &[u8]) -> bool {
    let accepted = std::str::from_utf8(accepted).unwrap_or_default();
    let mut codings = accepted
        .split(',')
        .map(|one| one.split_once(';').unwrap_or((one, "")));
    let gzip = codings.find(|(coding, _)| coding.trim().eq_ignore_ascii_case("gzip"));
    gzip.is_some_and(|(_, parameters)| {
        let mut weights = parameters
            .split(';')
            .filter_map(|one| one.trim().strip_prefix("q="));
        weights
            .next()
            .is_none_or(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight > 0.0))
    })
}

/// The body packed, where it is long enough for that to be worth it.
pub(crate) fn packed(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < limits::OPA_PACKED_BYTES_MIN {
        return None;
    }
    let room = Vec::with_capacity(body.len() / 4);
    // Whoever waits for this core waits less for the fastest level; the best one saves a few bytes in a hundred.
    let mut encoder = GzEncoder::new(room, Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_come_back_up_to_their_bound() {
        let text = "document ".repeat(1000);
        let small = packed(text.as_bytes()).unwrap();
        assert!(small.len() < text.len() / 10);
        assert_eq!(unpacked(&small, text.len()), Ok(text.clone().into_bytes()));
        assert_eq!(
            unpacked(&small, text.len() - 1),
            Err(Unpackable::TooLarge(text.len() - 1))
        );
        // Several packed bodies behind each other are one.
        let twice = [small.clone(), small.clone()].concat();
        assert_eq!(unpacked(&twice, 1 << 20).unwrap().len(), 2 * text.len());
        let cut = small.get(..small.len() - 9).unwrap();
        for wrong in [b"".as_slice(), b"{}", cut] {
            assert!(matches!(unpacked(wrong, 1 << 20), Err(Unpackable::Malformed(_))));
        }
        assert_eq!(packed(b"{}"), None);
    }

    #[test]
    fn who_takes_gzip() {
        for (accepted, want) in [
            ("gzip", true),
            ("deflate, GZIP ;q=0.5", true),
            ("gzip;q=1.0, identity", true),
            ("", false),
            ("br", false),
            ("*", false),
            ("gzip;q=0", false),
            ("gzip;q=x", false),
            ("xgzip", false),
        ] {
            assert_eq!(is_accepted(accepted.as_bytes()), want, "{accepted}");
        }
    }
}
