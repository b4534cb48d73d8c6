//! What protects visitors: only requests that were meant for this origin, and headers that let a
//! page load nothing from elsewhere and be framed by nobody.

use super::Shared;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

/// Refuses requests for other hosts (so that no foreign name can be pointed here), and adds the
/// headers to every answer.
pub(super) async fn guard(State(site): State<Shared>, request: Request, next: Next) -> Response {
    let authority = site.origin.split_once("://").map_or("", |(_, authority)| authority);
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let mut response = match host {
        Some(host) if host == authority => next.run(request).await,
        // `localhost` is the same place under another name, and cookies would not know it
        Some(_) if request.method() == Method::GET && is_local(host) => {
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
            Redirect::temporary(&format!("{}{path}", site.origin)).into_response()
        }
        _ => (StatusCode::MISDIRECTED_REQUEST, format!("this is {}\n", site.origin)).into_response(),
    };
    let terminal = site.terminal.as_deref().unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self' {terminal}; \
         base-uri 'none'; frame-ancestors 'none'"
    );
    harden(response.headers_mut(), &policy);
    if site.is_secure() {
        let year = HeaderValue::from_static("max-age=31536000");
        response.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, year);
    }
    response
}

fn is_local(host: Option<&str>) -> bool {
    host.and_then(|host| host.split(':').next()).is_some_and(|name| name == "localhost")
}

/// The headers that every answer of portal and terminal has.
pub(in crate::portal) fn harden(headers: &mut axum::http::HeaderMap, policy: &str) {
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
