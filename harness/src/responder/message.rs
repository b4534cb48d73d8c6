//! HTTP messages, as many as OCSP needs: the request out of a POST body or a GET path, the answer as
//! a response, and a refusal for everything else.

use base64ct::{Base64, Encoding};
use std::io::{self, Read};

/// The request line and all headers.
const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;
/// Some hundred certificates in one request.
const MAX_BODY: usize = 16 * 1024;

const REQUEST_TYPE: &str = "application/ocsp-request";
const RESPONSE_TYPE: &str = "application/ocsp-response";

/// Why there is no OCSP request to answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// the connection ended or broke: there is nobody to tell
    Gone,
    /// it is no HTTP
    Malformed,
    /// a GET whose path is not one
    Path,
    /// neither GET nor POST
    Method,
    /// it does not come in time
    TooSlow,
    /// a POST that does not say how long it is
    NoLength,
    /// a body beyond what any request has
    TooLong,
    /// a POST of something else
    MediaType,
    /// more headers than anybody sends
    Headers,
    /// a body in chunks
    Chunks,
    /// too many connections at once
    TooManyConnections,
}

impl Refusal {
    /// The HTTP status; `None` when there is nobody to tell.
    pub(super) fn status(self) -> Option<u16> {
        self.line().map(|(status, ..)| status)
    }

    /// Status, its phrase, and what was expected.
    fn line(self) -> Option<(u16, &'static str, &'static str)> {
        Some(match self {
            Self::Gone => return None,
            Self::Malformed => (400, "Bad Request", "this is no HTTP/1 request"),
            Self::Path => (400, "Bad Request", "GET needs /BASE64 of a DER OCSPRequest, percent-encoded"),
            Self::Method => (405, "Method Not Allowed", "POST an application/ocsp-request, or GET /BASE64"),
            Self::TooSlow => (408, "Request Timeout", "the request did not come within 10 seconds"),
            Self::NoLength => (411, "Length Required", "POST needs one Content-Length"),
            Self::TooLong => (413, "Content Too Large", "an OCSP request has at most 16384 bytes here"),
            Self::MediaType => {
                (415, "Unsupported Media Type", "POST needs Content-Type: application/ocsp-request")
            }
            Self::Headers => {
                (431, "Request Header Fields Too Large", "at most 64 headers, and 16384 bytes of them")
            }
            Self::Chunks => (501, "Not Implemented", "a body comes with Content-Length, not in chunks"),
            Self::TooManyConnections => (503, "Service Unavailable", "too many connections at once"),
        })
    }

    /// The response that says so; empty when there is nobody to tell.
    pub(super) fn response(self) -> Vec<u8> {
        let Some((status, phrase, expected)) = self.line() else { return Vec::new() };
        let allow = if self == Self::Method { "Allow: GET, POST\r\n" } else { "" };
        format!(
            "HTTP/1.1 {status} {phrase}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n{allow}\
             Connection: close\r\n\r\n{expected}\n",
            expected.len() + 1
        )
        .into_bytes()
    }
}

/// The response that carries an OCSPResponse. It is not to be kept: the next one may differ.
pub(super) fn response(ocsp: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {RESPONSE_TYPE}\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n",
        ocsp.len()
    );
    [head.as_bytes(), ocsp].concat()
}

/// What the head of a request leads to.
#[derive(Debug, PartialEq, Eq)]
enum Head {
    /// the whole request was in the path
    Get(Vec<u8>),
    /// a body of this length follows
    Post(usize),
}

/// Reads one HTTP request, and gives the bytes that should be an OCSPRequest.
pub(super) fn read(stream: &mut impl Read) -> Result<Vec<u8>, Refusal> {
    let mut bytes = Vec::new();
    let (head, length) = loop {
        if let Some(found) = parse_head(&bytes)? {
            break found;
        }
        if bytes.len() >= MAX_HEAD {
            return Err(Refusal::Headers);
        }
        read_more(stream, &mut bytes, MAX_HEAD)?;
    };
    match head {
        Head::Get(request) => Ok(request),
        Head::Post(body) => {
            let end = length + body;
            while bytes.len() < end {
                read_more(stream, &mut bytes, end)?;
            }
            Ok(bytes[length..end].to_vec())
        }
    }
}

/// Appends what has come, up to `limit` bytes in all.
fn read_more(stream: &mut impl Read, bytes: &mut Vec<u8>, limit: usize) -> Result<(), Refusal> {
    let mut buffer = [0; 2048];
    let room = buffer.len().min(limit.saturating_sub(bytes.len()));
    loop {
        match stream.read(&mut buffer[..room]) {
            Ok(0) => return Err(Refusal::Gone),
            Ok(count) => {
                bytes.extend_from_slice(&buffer[..count]);
                return Ok(());
            }
            Err(error) => match error.kind() {
                io::ErrorKind::Interrupted => {}
                io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => return Err(Refusal::TooSlow),
                _ => return Err(Refusal::Gone),
            },
        }
    }
}

/// The head at the beginning of `bytes`, and its length; `None` when it is not complete.
fn parse_head(bytes: &[u8]) -> Result<Option<(Head, usize)>, Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let length = match request.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::Headers),
        Err(_) => return Err(Refusal::Malformed),
    };
    let head = match request.method {
        Some("GET") => Head::Get(in_path(request.path.unwrap_or_default()).ok_or(Refusal::Path)?),
        Some("POST") => Head::Post(body_length(request.headers)?),
        _ => return Err(Refusal::Method),
    };
    Ok(Some((head, length)))
}

/// The length of the body that the headers of a POST announce.
fn body_length(headers: &[httparse::Header<'_>]) -> Result<usize, Refusal> {
    let named = |name: &'static str| {
        headers.iter().filter(move |header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
    };
    if named("Transfer-Encoding").next().is_some() {
        return Err(Refusal::Chunks);
    }
    let media_type = named("Content-Type").next().unwrap_or_default();
    let media_type = media_type.split(|byte| *byte == b';').next().unwrap_or_default();
    if !media_type.trim_ascii().eq_ignore_ascii_case(REQUEST_TYPE.as_bytes()) {
        return Err(Refusal::MediaType);
    }
    let mut lengths = named("Content-Length");
    let (Some(length), None) = (lengths.next(), lengths.next()) else { return Err(Refusal::NoLength) };
    if length.is_empty() || !length.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::NoLength);
    }
    // digits that make no number make one that is too great
    let length = std::str::from_utf8(length).ok().and_then(|digits| digits.parse().ok());
    length.filter(|length| *length <= MAX_BODY).ok_or(Refusal::TooLong)
}

/// The request in the path of a GET: base64, percent-encoded, behind whatever path the responder's
/// own address has. Clients exist that leave `/` as it is, which is then part of the base64; so the
/// request is the longest end of the path that reads as base64 of a DER SEQUENCE.
fn in_path(path: &str) -> Option<Vec<u8>> {
    const SEQUENCE: u8 = 0x30;
    let ends = path.match_indices('/').map(|(slash, _)| &path[slash + 1..]);
    ends.filter_map(|end| Base64::decode_vec(&percent_decoded(end)?).ok())
        .find(|request| request.first() == Some(&SEQUENCE))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut parts = text.split('%');
    let mut decoded = parts.next()?.to_owned();
    for part in parts {
        let byte = u8::from_str_radix(part.get(..2)?, 16).ok().filter(u8::is_ascii)?;
        decoded.push(char::from(byte));
        decoded.push_str(&part[2..]);
    }
    Some(decoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: &str = "POST / HTTP/1.0\r\nContent-Type: application/ocsp-request\r\n";

    fn read_all(message: impl AsRef<[u8]>) -> Result<Vec<u8>, Refusal> {
        read(&mut message.as_ref())
    }

    #[test]
    fn a_post_is_its_body_however_it_is_cut() {
        let message = format!("{POST}content-length: 3\r\n\r\nabc and more");
        assert_eq!(read_all(&message), Ok(b"abc".to_vec()));
        let (one, other) = message.split_at(20);
        assert_eq!(read(&mut one.as_bytes().chain(other.as_bytes())), Ok(b"abc".to_vec()));
    }

    #[test]
    fn a_get_is_the_base64_in_its_path() {
        for path in ["/MAA=", "/MAA%3D", "/ocsp/MAA%3d", "//MAA=", "http://127.0.0.1:2560/MAA%3D"] {
            assert_eq!(read_all(format!("GET {path} HTTP/1.1\r\n\r\n")), Ok(vec![0x30, 0x00]), "{path}");
        }
        // base64 with a slash of its own, encoded and not
        for path in ["/MAP//w==", "/MAP%2F%2Fw==", "/ocsp/MAP//w%3D%3D"] {
            assert_eq!(read_all(format!("GET {path} HTTP/1.1\r\n\r\n")), Ok(vec![0x30, 0x03, 0xFF, 0xFF]));
        }
        for path in ["/", "/favicon.ico", "/MAA", "/MAA%", "/MAA%3", "/MAA%FF", "/%E8%A9%A6", "*"] {
            assert_eq!(read_all(format!("GET {path} HTTP/1.1\r\n\r\n")), Err(Refusal::Path), "{path}");
        }
    }

    #[test]
    fn everything_else_is_refused_for_its_reason() {
        let many = format!("{POST}{}\r\n", "a: b\r\n".repeat(MAX_HEADERS));
        let long = format!("{POST}a: {}", "b".repeat(MAX_HEAD));
        for (message, refusal) in [
            (String::new(), Refusal::Gone),
            ("GET /MAA= HT".to_owned(), Refusal::Gone),
            (format!("{POST}Content-Length: 3\r\n\r\nab"), Refusal::Gone),
            ("\u{16}\u{3}\u{1}".to_owned(), Refusal::Malformed),
            ("hello\r\n\r\n".to_owned(), Refusal::Malformed),
            ("PUT / HTTP/1.1\r\n\r\n".to_owned(), Refusal::Method),
            (format!("{POST}\r\n"), Refusal::NoLength),
            (format!("{POST}Content-Length: -1\r\n\r\n"), Refusal::NoLength),
            (format!("{POST}Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"), Refusal::NoLength),
            (format!("{POST}Content-Length: 16385\r\n\r\n"), Refusal::TooLong),
            (format!("{POST}Content-Length: 99999999999999999999999\r\n\r\n"), Refusal::TooLong),
            (format!("{POST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), Refusal::Chunks),
            ("POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n".to_owned(), Refusal::MediaType),
            (many, Refusal::Headers),
            (long, Refusal::Headers),
        ] {
            assert_eq!(read_all(&message), Err(refusal), "{message:.60}");
        }
    }

    #[test]
    fn refusals_say_what_was_expected() {
        let told = String::from_utf8(Refusal::Method.response()).unwrap();
        assert!(
            told.starts_with("HTTP/1.1 405 Method Not Allowed\r\n") && told.contains("Allow: GET, POST\r\n")
        );
        let (head, body) = told.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())), "{told}");
    }
}
