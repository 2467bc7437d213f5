//! Signature Version 4: whether a request was signed with the secret that belongs to its key.

use std::fmt::Write as _;

use hmac::{Hmac, Mac};
use http::{HeaderMap, Method};
use sha2::{Digest, Sha256};
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::query::{decode, encode, pairs};
use crate::s3::hex;

/// The payload of a presigned request, and of any that says so.
const UNSIGNED: &str = "UNSIGNED-PAYLOAD";

/// What a signature is over.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `GET`, `POST`, ...
    pub method: &'a Method,
    /// As it was sent, percent-encoded.
    pub path: &'a str,
    /// As it was sent, without the question mark.
    pub query: &'a str,
    /// All headers; only the signed ones are looked at.
    pub headers: &'a HeaderMap,
    /// The body, where it is at hand; else `x-amz-content-sha256` says what was signed, as S3 has it.
    pub body: Option<&'a [u8]>,
}

/// What can be wrong with a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureFault {
    /// A part of it is missing or cannot be read.
    Incomplete,
    /// It was made with another secret, or something was changed on the way.
    Mismatch,
    /// It was made too long ago, or will only be made: the client's clock is off.
    Skewed(Skew),
}

/// How a client's clock is off, in seconds since 1970 and seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Skew {
    /// When the signature was made, by the client's clock.
    pub signed: i64,
    /// The time here.
    pub now: i64,
    /// How far a clock may be off.
    pub tolerance: i64,
}

impl Skew {
    /// The sentence of every service but S3.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { signed, now, tolerance } = *self;
        let (signed, here, minutes) = (written(signed), written(now), tolerance / 60);
        if self.signed < now {
            let earliest = written(now - tolerance);
            format!("Signature expired: {signed} is now earlier than {earliest} ({here} - {minutes} min.)")
        } else {
            let latest = written(now + tolerance);
            format!("Signature not yet current: {signed} is still later than {latest} ({here} + {minutes} min.)")
        }
    }
}

/// Verifies a signature in the headers or the query of a request. `now` is in seconds since 1970, by real time; the clock
/// of a client may be off by `tolerance` seconds.
///
/// # Errors
/// What is wrong with it.
pub fn verify(request: &Request<'_>, secret: &str, now: i64, tolerance: i64) -> Result<(), SignatureFault> {
    let signature = Signature::of(request).ok_or(SignatureFault::Incomplete)?;
    let signed = timestamp(&signature.date).ok_or(SignatureFault::Incomplete)?;
    // A presigned request is good until its end, which whoever serves it looks at.
    let late = now - signed > tolerance && !signature.presigned;
    if late || signed - now > tolerance {
        return Err(SignatureFault::Skewed(Skew { signed, now, tolerance }));
    }
    let canonical = signature.canonical(request).ok_or(SignatureFault::Incomplete)?;
    let text = format!("AWS4-HMAC-SHA256\n{}\n{}\n{}", signature.date, signature.scope.join("/"), hash(&canonical));
    let key = signature.scope.iter().fold(format!("AWS4{secret}").into_bytes(), |key, part| keyed(&key, part));
    // Whoever can measure how long a comparison takes may as well read the secret in the scenario.
    if hex(&keyed(&key, &text)) == signature.signature { Ok(()) } else { Err(SignatureFault::Mismatch) }
}

/// A signature as a request carries it.
struct Signature {
    /// Date, region, service, `aws4_request`.
    scope: [String; 4],
    /// The names of the headers, in lower case and in order.
    headers: Vec<String>,
    signature: String,
    date: String,
    presigned: bool,
}

impl Signature {
    fn of(request: &Request<'_>) -> Option<Self> {
        let header = |name: &str| request.headers.get(name)?.to_str().ok();
        let (credential, headers, signature, date, presigned) = match header("authorization") {
            Some(value) => {
                let parts = value.strip_prefix("AWS4-HMAC-SHA256")?;
                let part = |name: &str| {
                    parts
                        .split(',')
                        .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
                        .map(str::to_owned)
                };
                let date = header("x-amz-date").map(str::to_owned)?;
                (part("Credential")?, part("SignedHeaders")?, part("Signature")?, date, false)
            }
            None => {
                let part =
                    |name: &str| pairs(request.query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value);
                let (headers, signature) = (part("X-Amz-SignedHeaders")?, part("X-Amz-Signature")?);
                (part("X-Amz-Credential")?, headers, signature, part("X-Amz-Date")?, true)
            }
        };
        // Keys have no slashes, but the scope is what matters: its four parts are the last ones.
        let mut parts = credential.rsplitn(5, '/').take(4).map(str::to_owned).collect::<Vec<_>>();
        parts.reverse();
        let headers = headers.split(';').map(str::to_owned).collect();
        Some(Self { scope: parts.try_into().ok()?, headers, signature, date, presigned })
    }

    /// The canonical request; nothing if a signed header is missing.
    fn canonical(&self, request: &Request<'_>) -> Option<String> {
        let is_s3 = self.scope[2] == "s3";
        // S3 signs paths as they are, all others encode them once more. In a path, a plus is no space.
        let path = decode(request.path.replace('+', "%2B").as_bytes());
        let path = if is_s3 { encode_path(&path) } else { encode_path(&encode_path(&path)) };
        let mut query: Vec<_> = pairs(request.query.as_bytes())
            .filter(|(name, _)| !(self.presigned && name == "X-Amz-Signature"))
            .map(|(name, value)| (encode(&name), encode(&value)))
            .collect();
        query.sort();
        let query: Vec<_> = query.into_iter().map(|(name, value)| format!("{name}={value}")).collect();

        let mut headers = String::new();
        for name in &self.headers {
            let values = request.headers.get_all(name).iter().map(|value| value.to_str().map(squeezed));
            let values = values.collect::<Result<Vec<_>, _>>().ok().filter(|values| !values.is_empty())?;
            // Writing to a string cannot fail.
            let _ = writeln!(headers, "{name}:{}", values.join(","));
        }
        let stated = request.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
        let payload = match (stated, request.body) {
            (Some(stated), None) => stated.to_owned(),
            (Some(UNSIGNED), _) => UNSIGNED.to_owned(),
            (_, Some(body)) => hex(&Sha256::digest(body)),
            (None, None) => UNSIGNED.to_owned(),
        };
        let path = if path.is_empty() { "/" } else { &path };
        let (method, query, names) = (request.method, query.join("&"), self.headers.join(";"));
        Some(format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{payload}"))
    }
}

/// One space where there are several, and none at the ends.
fn squeezed(value: &str) -> String {
    value.split_ascii_whitespace().collect::<Vec<_>>().join(" ")
}

/// A path with all but its slashes percent-encoded.
fn encode_path(path: &str) -> String {
    path.split('/').map(encode).collect::<Vec<_>>().join("/")
}

fn keyed(key: &[u8], text: &str) -> Vec<u8> {
    // A key of this kind may have any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// Seconds since 1970 of a date like `20261124T010203Z`.
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    PrimitiveDateTime::parse(text, format).ok().map(|date| date.assume_utc().unix_timestamp())
}

/// A date like `20261124T010203Z`, of seconds since 1970.
fn written(seconds: i64) -> String {
    let format = format_description!("[year][month][day]T[hour][minute][second]Z");
    let date = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    date.format(format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    /// The secret of AWS's examples. Those of S3 write it with a slash where the others have a plus.
    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    const SECRET_OF_S3: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn headers(list: &[(&'static str, &str)]) -> HeaderMap {
        list.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_str(value).unwrap())).collect()
    }

    /// "Create a signed AWS API request", IAM User Guide.
    fn list_users() -> (HeaderMap, &'static str, i64) {
        let headers = headers(&[
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            ),
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
        ]);
        (headers, "Action=ListUsers&Version=2010-05-08", timestamp("20150830T123600Z").unwrap())
    }

    #[track_caller]
    fn check(request: &Request<'_>, secret: &str, now: &str, expected: Result<(), SignatureFault>) {
        assert_eq!(verify(request, secret, timestamp(now).unwrap(), 900), expected);
    }

    #[test]
    fn the_example_of_the_user_guide_is_good() {
        let (headers, query, _) = list_users();
        let request = Request { method: &Method::GET, path: "/", query, headers: &headers, body: Some(b"") };
        check(&request, SECRET, "20150830T123600Z", Ok(()));
        check(&request, SECRET_OF_S3, "20150830T123600Z", Err(SignatureFault::Mismatch));
        check(&Request { path: "/x", ..request }, SECRET, "20150830T123600Z", Err(SignatureFault::Mismatch));
        check(&Request { body: Some(b"x"), ..request }, SECRET, "20150830T123600Z", Err(SignatureFault::Mismatch));
        check(&Request { query: "Version=2010-05-08&Action=ListUsers", ..request }, SECRET, "20150830T123600Z", Ok(()));
    }

    #[test]
    fn a_clock_may_be_a_quarter_of_an_hour_off() {
        let (headers, query, _) = list_users();
        let request = Request { method: &Method::GET, path: "/", query, headers: &headers, body: Some(b"") };
        check(&request, SECRET, "20150830T125100Z", Ok(()));
        check(&request, SECRET, "20150830T122100Z", Ok(()));
        for now in ["20150830T125101Z", "20150830T122059Z"] {
            let at = |text| timestamp(text).unwrap();
            let skew = Skew { signed: at("20150830T123600Z"), now: at(now), tolerance: 900 };
            check(&request, SECRET, now, Err(SignatureFault::Skewed(skew)));
        }
    }

    /// "Examples: signature calculations", Amazon S3 API Reference.
    #[test]
    fn the_examples_of_s3_are_good() {
        let signed = |names: &str, signature: &str| {
            format!(
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders={names},Signature={signature}"
            )
        };
        let host = ("host", "examplebucket.s3.amazonaws.com");
        let date = ("x-amz-date", "20130524T000000Z");

        let names = "host;range;x-amz-content-sha256;x-amz-date";
        let authorization = signed(names, "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
        let get = headers(&[
            ("authorization", &authorization),
            host,
            ("range", "bytes=0-9"),
            ("x-amz-content-sha256", EMPTY),
            date,
        ]);
        let request = Request { method: &Method::GET, path: "/test.txt", query: "", headers: &get, body: None };
        check(&request, SECRET_OF_S3, "20130524T000000Z", Ok(()));

        let names = "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class";
        let authorization = signed(names, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
        let put = headers(&[
            ("authorization", &authorization),
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            host,
            ("x-amz-content-sha256", "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"),
            date,
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ]);
        // The example writes the path of `test$file.text` encoded; it is the same path when it is not.
        for path in ["/test%24file.text", "/test$file.text"] {
            let request = Request { method: &Method::PUT, path, query: "", headers: &put, body: None };
            check(&request, SECRET_OF_S3, "20130524T000000Z", Ok(()));
        }

        let names = "host;x-amz-content-sha256;x-amz-date";
        let authorization = signed(names, "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
        let lifecycle = headers(&[("authorization", &authorization), host, ("x-amz-content-sha256", EMPTY), date]);
        let request = Request { method: &Method::GET, path: "/", query: "lifecycle", headers: &lifecycle, body: None };
        check(&request, SECRET_OF_S3, "20130524T000000Z", Ok(()));
    }

    /// "Authenticating requests: using query parameters", Amazon S3 API Reference.
    #[test]
    fn a_presigned_url_is_good_long_after() {
        let host = headers(&[("host", "examplebucket.s3.amazonaws.com")]);
        let query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";
        let request = Request { method: &Method::GET, path: "/test.txt", query, headers: &host, body: None };
        check(&request, SECRET_OF_S3, "20130524T230000Z", Ok(()));
        let longer = query.replace("86400", "604800");
        check(&Request { query: &longer, ..request }, SECRET_OF_S3, "20130524T230000Z", Err(SignatureFault::Mismatch));
    }

    #[test]
    fn what_is_missing_is_said() {
        let (complete, query, now) = list_users();
        let authorization = complete["authorization"].to_str().unwrap();
        for (from, to) in [
            ("Signature=", "Sign="),
            ("SignedHeaders=", "Headers="),
            ("Credential=", "Key="),
            ("AWS4-HMAC", "AWS5-HMAC"),
            (";host", ";hosts"),
        ] {
            let mut headers = complete.clone();
            headers.insert("authorization", authorization.replacen(from, to, 1).parse().unwrap());
            let request = Request { method: &Method::GET, path: "/", query, headers: &headers, body: Some(b"") };
            assert_eq!(verify(&request, SECRET, now, 900), Err(SignatureFault::Incomplete), "{from}");
        }
        for name in ["x-amz-date", "authorization"] {
            let mut headers = complete.clone();
            headers.remove(name);
            let request = Request { method: &Method::GET, path: "/", query, headers: &headers, body: Some(b"") };
            assert_eq!(verify(&request, SECRET, now, 900), Err(SignatureFault::Incomplete), "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_request_is_good_or_not(path in ".{0,40}", query in ".{0,60}", authorization in "(AWS4-HMAC-SHA256 )?[ -~]{0,120}", date in "[0-9TZ]{0,17}") {
            let headers = headers(&[("authorization", &authorization), ("x-amz-date", &date)]);
            let request = Request { method: &Method::GET, path: &path, query: &query, headers: &headers, body: None };
            prop_assert!(verify(&request, SECRET, 0, 900).is_err());
        }
    }
}
