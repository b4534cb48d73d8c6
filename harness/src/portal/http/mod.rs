//! The portal over HTTP: pages for a browser, an API for terminals that show their own screens, and
//! the operator's page. No PIN ever comes here: forms for one are on the terminal's own origin.

mod api;
mod callback;
mod cookie;
mod limits;
mod operator;
mod pages;
mod security;
mod view;

pub use operator::OperatorToken;
pub(super) use security::harden;
pub use view::Say;
pub(super) use view::html;

use super::outcome::Outcome;
use super::page::Page;
use super::service::Portal;
use super::store::StoreError;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use limits::RateLimit;
use std::num::NonZeroU32;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;

/// A certificate of 2 kB and a signature, in base64, fit twice.
const BODY_BYTES: usize = 16 * 1024;

/// Where the portal is and what stands beside it.
pub struct Site {
    /// the portal
    pub portal: Arc<Portal>,
    /// such as `http://127.0.0.1:8480`
    pub origin: String,
    /// the origin of the terminal beside the card, where there is one
    pub terminal: Option<String>,
    /// what the operator must know
    pub operator: OperatorToken,
    /// requests that one address may make at once, and in a second
    pub rate: NonZeroU32,
}

type Shared = Arc<Site>;

impl Site {
    fn is_secure(&self) -> bool {
        self.origin.starts_with("https://")
    }

    /// Runs something that checks signatures or writes to the disk, apart from those who wait for
    /// the network.
    async fn run<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Portal) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Trouble> {
        let site = self.clone();
        match tokio::task::spawn_blocking(move || work(&site.portal)).await {
            Ok(result) => result.map_err(Trouble::from),
            Err(_) => Err(Trouble("a task ended early".to_owned())),
        }
    }
}

/// The state could not be read or written: the visitor is asked to come again, the operator is told.
struct Trouble(String);

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        use std::io::Write;
        let _ = writeln!(anstream::stderr(), "{}", self.0);
        let message = Outcome::ServerBusy.message();
        let text = format!("{}\n{}\n", message.title.ja, message.title.en);
        (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
    }
}

/// The status that goes with a page.
fn status_of(page: &Page) -> StatusCode {
    match page.outcome {
        Some(Outcome::ServerBusy) => StatusCode::SERVICE_UNAVAILABLE,
        Some(Outcome::SessionLost) => StatusCode::FORBIDDEN,
        Some(Outcome::ChallengeUnknown) => StatusCode::NOT_FOUND,
        Some(Outcome::ChallengeUsed | Outcome::ChallengeExpired) => StatusCode::CONFLICT,
        _ => StatusCode::OK,
    }
}

/// Everything the portal answers.
pub fn router(site: Site) -> Router {
    let site = Arc::new(site);
    let limit = RateLimit::new(site.rate);
    Router::new()
        .route("/", get(pages::top))
        .route("/start", post(pages::start))
        .route("/flow/{flow}", get(pages::flow).post(pages::press))
        .route("/callback", post(callback::callback))
        .route("/terms", get(pages::terms))
        .route("/language/{language}", get(pages::language))
        .route("/operator", get(operator::page).post(operator::act))
        .route(
            "/static/portal.css",
            get(|| file("text/css; charset=utf-8", include_str!("../static/portal.css"))),
        )
        .route("/healthz", get(|| async { "ok\n" }))
        .nest("/api/v1", api::router())
        .fallback(pages::not_found)
        .with_state(site.clone())
        .layer(axum::middleware::from_fn_with_state(site, security::guard))
        .layer(axum::middleware::from_fn_with_state(limit, limits::limit))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES))
        .layer(CatchPanicLayer::new())
}

/// A file that is part of the program.
pub(super) async fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "max-age=300")], text).into_response()
}
