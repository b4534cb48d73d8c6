//! Addresses that certificates carry, where the real ones carry those of the real service.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// Where relying parties are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addresses {
    /// the OCSP responder, in authorityInfoAccess of 利用者証明用
    pub ocsp: OcspUrl,
}

/// The address of an OCSP responder: `http://` and a host, ASCII without spaces, at most 200
/// characters. Not `https://`: answers are signed, and who checks the responder's certificate would
/// have to ask a responder for its status first (RFC 5280, 8). The default leads nowhere: `test` is a
/// name that is never given to anyone (RFC 6761).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspUrl(String);

const DEFAULT_OCSP: &str = "http://ocsp.vmyna.test";
/// Certificates must fit into their files on the card.
const MAX_LENGTH: usize = 200;

/// Not an address that a certificate could carry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected http://HOST[:PORT][/PATH], at most {MAX_LENGTH} ASCII characters, found {0:?}")]
pub struct MalformedUrl(pub String);

impl OcspUrl {
    /// As it stands in certificates.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for OcspUrl {
    fn default() -> Self {
        Self(DEFAULT_OCSP.to_owned())
    }
}

impl fmt::Display for OcspUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for OcspUrl {
    type Err = MalformedUrl;

    fn from_str(text: &str) -> Result<Self, MalformedUrl> {
        let rest = text.strip_prefix("http://");
        let has_host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':']));
        if has_host && text.len() <= MAX_LENGTH && text.bytes().all(|byte| byte.is_ascii_graphic()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedUrl(text.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_web_addresses_in_ascii() {
        for right in ["http://127.0.0.1:2560", "http://ocsp.example.test/a", DEFAULT_OCSP] {
            assert_eq!(right.parse::<OcspUrl>().unwrap().as_str(), right);
        }
        let long = format!("http://{}", "a".repeat(200));
        for wrong in [
            "",
            "127.0.0.1:2560",
            "ldap://a",
            "https://ocsp.example.test",
            "http://",
            "http:///a",
            "http://a b",
            "http://試",
            &long,
        ] {
            assert_eq!(wrong.parse::<OcspUrl>(), Err(MalformedUrl(wrong.to_owned())));
        }
    }
}
