//! Any bytes as requests to the portal, one HTTP/1.1 request after the other: nothing panics, and no answer is the
//! portal's own failure. Clock and randomness are fixed, so that the tokens and challenges of a conversation that
//! worked once (the seeds) are right again each time.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use jiff::Timestamp;
use std::num::NonZeroU32;
use std::sync::LazyLock;
use tokio::runtime::{Builder, Runtime};
use tower::ServiceExt;
use vmyna::portal::http::{OperatorToken, Site, router};
use vmyna::portal::status::BuiltInRegister;
use vmyna::portal::{Checker, Lives, Portal, Store, built_in_anchors, seeded_randomness};
use vmyna::verify::Certificate;

/// When every conversation takes place.
pub const NOW: &str = "2026-10-01T03:00:00Z";
/// Where the portal says it is: `Host` of every request that is heard.
pub const HOST: &str = "portal.test";

/// More than any page has.
const MOST: usize = 1 << 20;

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().enable_all().build().expect("a runtime"));
static ANCHORS: LazyLock<Vec<Certificate>> =
    LazyLock::new(|| built_in_anchors(now()).expect("they are built in"));

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

/// A portal that nobody has visited.
pub struct Visited {
    router: Router,
    /// what the operator knows
    pub operator: String,
    /// the operator has acted, and may have closed the portal
    operated: bool,
}

impl Default for Visited {
    fn default() -> Self {
        let mut randomness = seeded_randomness(6);
        let operator = OperatorToken::draw(&mut randomness);
        let checker = Checker::new(ANCHORS.clone(), Box::new(BuiltInRegister::default()));
        let store = Store::in_memory().expect("memory");
        let portal = Portal::new(store, checker, Box::new(now), randomness, Lives::default());
        let token = operator.as_str().to_owned();
        let router = router(Site {
            portal,
            origin: format!("http://{HOST}"),
            terminal: Some("http://terminal.test".to_owned()),
            operator,
            rate: NonZeroU32::MAX,
        });
        Self { router, operator: token, operated: false }
    }
}

/// What the portal answered.
pub struct Reply {
    /// its status
    pub status: StatusCode,
    /// its headers
    pub headers: HeaderMap,
    /// its body
    pub body: Vec<u8>,
}

impl Visited {
    /// Hands a request to the portal, and holds the answer against what must be true of each.
    pub fn ask(&mut self, request: Request<Body>) -> Reply {
        let operates = request.method() == Method::POST && request.uri().path() == "/operator";
        let said = format!("{} {}", request.method(), request.uri());
        let reply = RUNTIME.block_on(async {
            let Ok(response) = self.router.clone().oneshot(request).await;
            let (head, body) = response.into_parts();
            let body = to_bytes(body, MOST).await.expect("a page is not endless").to_vec();
            Reply { status: head.status, headers: head.headers, body }
        });
        let is_closed = reply.status == StatusCode::SERVICE_UNAVAILABLE && self.operated;
        assert!(!reply.status.is_server_error() || is_closed, "{said}: {}", reply.status);
        for header in ["content-security-policy", "x-content-type-options"] {
            // What is too large or too much is refused before the portal sees it.
            let refused = matches!(reply.status.as_u16(), 413 | 429);
            assert!(
                refused || reply.headers.contains_key(header),
                "{said}: {} without {header}",
                reply.status
            );
        }
        self.operated |= operates && reply.status.is_redirection();
        reply
    }
}

/// The first request in `bytes`, and what comes after it; `None` when there is none that a server would hand on.
pub fn first(bytes: &[u8]) -> Option<(Request<Body>, &[u8])> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut parsed = httparse::Request::new(&mut headers);
    let httparse::Status::Complete(head) = parsed.parse(bytes).ok()? else { return None };
    let uri: Uri = parsed.path?.parse().ok()?;
    let mut request = Request::builder().method(parsed.method?).uri(uri);
    let mut length = 0;
    for header in parsed.headers.iter() {
        let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
        let value = HeaderValue::from_bytes(header.value).ok()?;
        if name == "content-length" {
            length = value.to_str().ok()?.parse().ok()?;
        }
        request = request.header(name, value);
    }
    let (body, rest) = bytes[head..].split_at(bytes.len().saturating_sub(head).min(length));
    Some((request.body(Body::from(body.to_vec())).ok()?, rest))
}

/// One input.
pub fn check(input: &[u8]) {
    let mut portal = Visited::default();
    let mut left = input;
    while let Some((request, rest)) = first(left) {
        portal.ask(request);
        left = rest;
    }
}
