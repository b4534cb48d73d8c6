//! The two cookies: the session, which scripts cannot read, and the language.

use super::Site;
use crate::language::Language;
use crate::portal::token::SessionToken;
use axum::http::{HeaderMap, HeaderValue, header};

const LANGUAGE: &str = "vmyna_language";
pub(super) const OPERATOR: &str = "vmyna_operator";

fn session_name(site: &Site) -> &'static str {
    // the prefix binds the cookie to this host, and browsers insist on Secure with it
    if site.is_secure() { "__Host-vmyna_session" } else { "vmyna_session" }
}

/// The value of a cookie.
pub(super) fn get<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

/// The session that the browser has, if it was given to it here.
pub(super) fn session(site: &Site, headers: &HeaderMap) -> Option<SessionToken> {
    get(headers, session_name(site)).and_then(|name| site.portal.session(name))
}

/// Gives the browser this session.
pub(super) fn set_session(site: &Site, token: &SessionToken) -> HeaderValue {
    set(site, session_name(site), token.as_str(), "/", "Lax")
}

/// The language that the visitor chose, otherwise Japanese.
pub(super) fn language(headers: &HeaderMap) -> Language {
    match get(headers, LANGUAGE) {
        Some("en") => Language::En,
        _ => Language::Ja,
    }
}

/// Remembers the language.
pub(super) fn set_language(site: &Site, language: Language) -> HeaderValue {
    let value = match language {
        Language::Ja => "ja",
        Language::En => "en",
    };
    set(site, LANGUAGE, value, "/", "Lax")
}

/// A cookie; values are our own words and digits.
pub(super) fn set(site: &Site, name: &str, value: &str, path: &str, same_site: &str) -> HeaderValue {
    let secure = if site.is_secure() { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path={path}; HttpOnly; SameSite={same_site}{secure}");
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}
