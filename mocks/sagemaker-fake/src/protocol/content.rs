//! The body of a request as it was meant: clients of CloudWatch compress long ones.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use http::{HeaderMap, header};

use crate::ApiError;

/// The longest that a body may become. CloudWatch takes a megabyte at most.
const LONGEST: u64 = 16 << 20;

/// The body, decompressed if its headers say that it is compressed.
///
/// # Errors
/// `SerializationException` for a body that is not compressed as its headers say, or becomes too long.
pub(super) fn of<'a>(headers: &HeaderMap, body: &'a [u8]) -> Result<Cow<'a, [u8]>, ApiError> {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !encoding.eq_ignore_ascii_case("gzip") {
        return Ok(Cow::Borrowed(body));
    }
    let mut plain = Vec::new();
    match MultiGzDecoder::new(body).take(LONGEST + 1).read_to_end(&mut plain) {
        Ok(_) if plain.len() as u64 <= LONGEST => Ok(Cow::Owned(plain)),
        Ok(_) => Err(malformed(&format!("it is longer than {LONGEST} bytes"))),
        Err(error) => Err(malformed(&error)),
    }
}

fn malformed(why: &dyn std::fmt::Display) -> ApiError {
    ApiError::new("SerializationException", format!("The body of the request cannot be decompressed: {why}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use http::HeaderValue;

    use super::*;

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn bodies_are_decompressed_if_their_headers_say_so() {
        let mut headers = HeaderMap::new();
        assert_eq!(&*of(&headers, b"plain").unwrap(), b"plain");
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        assert_eq!(&*of(&headers, &gzip(b"plain")).unwrap(), b"plain");
        assert_eq!(of(&headers, b"plain").unwrap_err().code, "SerializationException");
        let bomb = gzip(&vec![0; (LONGEST + 1) as usize]);
        assert!(bomb.len() < 1 << 20);
        assert!(of(&headers, &bomb).unwrap_err().message.contains("longer than"));
    }
}
