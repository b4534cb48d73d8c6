//! Nobody may ask too often: a bucket of requests for each address.

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::sync::Arc;

/// Buckets are looked through for idle ones when there are more of them.
const MANY: usize = 10_000;

/// How often each address may ask.
#[derive(Clone)]
pub(super) struct RateLimit(Arc<DefaultKeyedRateLimiter<IpAddr>>);

impl RateLimit {
    /// `rate` requests at once, and as many in each second.
    pub(super) fn new(rate: NonZeroU32) -> Self {
        Self(Arc::new(RateLimiter::keyed(Quota::per_second(rate))))
    }
}

pub(super) async fn limit(State(limit): State<RateLimit>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let address = peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |peer| peer.0.ip());
    if limit.0.len() > MANY {
        limit.0.retain_recent();
    }
    match limit.0.check_key(&address) {
        Ok(()) => next.run(request).await,
        Err(_) => {
            let text = "too many requests; ask again in a second\n";
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "1")], text).into_response()
        }
    }
}
