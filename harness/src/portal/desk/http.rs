//! The page of the desk, and what its script asks for. Every request that does something must come
//! from the page itself: it has a header that no other site can send without being allowed to.

use super::call::{Call, Calls, Circumstances, Shown};
use super::table::Table;
use crate::language::Language;
use crate::portal::answer::Answer;
use crate::portal::credential::PinWords;
use crate::portal::failure::TerminalFailure;
use crate::portal::http::{Say, file};
use crate::portal::phone::TerminalClock;
use crate::portal::token::ChallengeId;
use crate::terminal::{Credential, Platform};
use askama::Template;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};
use tower_http::limit::RequestBodyLimitLayer;
use vmyna_sim::holder::Holder;

const BODY_BYTES: usize = 4096;
/// What the page's script sends; a foreign page would need permission to.
const OWN_HEADER: &str = "x-vmyna-terminal";

/// The terminal beside the card.
pub struct Terminal {
    /// phone and card
    pub table: Arc<Table>,
    /// such as `http://127.0.0.1:8481`
    pub origin: String,
    /// where answers are brought
    pub portal: String,
    /// whether the cards are built in, and any holder's can be laid there
    pub can_swap: bool,
    /// what it looks at while it waits for a card
    pub clock: TerminalClock,
    /// what becomes of its reader
    pub circumstances: Arc<Mutex<Circumstances>>,
}

struct Desk {
    terminal: Terminal,
    calls: Calls,
}

type Shared = Arc<Desk>;

/// Everything the terminal answers.
pub fn router(terminal: Terminal) -> Router {
    let desk = Arc::new(Desk { terminal, calls: Calls::default() });
    let actions = Router::new()
        .route("/card/hold", post(hold))
        .route("/card/lift", post(lift))
        .route("/card/swap", post(swap))
        .route("/phone/call", post(call))
        .route("/phone/confirm", post(confirm))
        .route("/phone/cancel", post(cancel))
        .route("/phone/look", post(look))
        .layer(axum::middleware::from_fn(own_page_only));
    Router::new()
        .route("/", get(page))
        .route("/events", get(events))
        .route(
            "/static/portal.css",
            get(|| file("text/css; charset=utf-8", include_str!("../static/portal.css"))),
        )
        .route(
            "/static/terminal.js",
            get(|| file("text/javascript; charset=utf-8", include_str!("../static/terminal.js"))),
        )
        .merge(actions)
        .with_state(desk.clone())
        .layer(axum::middleware::from_fn_with_state(desk, guard))
        .layer(RequestBodyLimitLayer::new(BODY_BYTES))
}

async fn own_page_only(headers: HeaderMap, request: Request, next: Next) -> Response {
    if headers.contains_key(OWN_HEADER) {
        next.run(request).await
    } else {
        StatusCode::FORBIDDEN.into_response()
    }
}

async fn guard(State(desk): State<Shared>, request: Request, next: Next) -> Response {
    let authority = desk.terminal.origin.split_once("://").map_or("", |(_, authority)| authority);
    let is_ours = request.headers().get(header::HOST).is_some_and(|host| host == authority);
    let mut response = if is_ours {
        next.run(request).await
    } else {
        (StatusCode::MISDIRECTED_REQUEST, format!("this is {}\n", desk.terminal.origin)).into_response()
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         form-action {}; base-uri 'none'; frame-ancestors 'none'",
        desk.terminal.portal
    );
    crate::portal::http::harden(response.headers_mut(), &policy);
    response
}

#[derive(Template)]
#[template(path = "portal/phone.html")]
struct PhoneView {
    say: Say,
    portal: String,
    /// the request, where the portal sent the browser here
    state: String,
    nonce: String,
    /// with what the card is to sign
    key: Credential,
    words: PinWords,
    can_swap: bool,
    holders: Vec<(String, String, String)>,
    /// where to hold the card, for each kind of terminal
    instructions: Vec<(&'static str, String)>,
}

impl PhoneView {
    const fn keyboard(&self) -> &'static str {
        match self.key {
            Credential::UserAuthentication => "numeric",
            Credential::DigitalSignature => "text",
        }
    }
}

#[derive(Deserialize)]
struct Entry {
    state: Option<String>,
    nonce: Option<String>,
    #[serde(default)]
    key: Credential,
    lang: Option<String>,
}

async fn page(State(desk): State<Shared>, Query(entry): Query<Entry>) -> Response {
    let say = Say(if entry.lang.as_deref() == Some("en") { Language::En } else { Language::Ja });
    let state = entry.state.filter(|state| ChallengeId::parse(state).is_some());
    let nonce = entry.nonce.filter(|nonce| nonce_of(nonce).is_some());
    let (state, nonce) = state.zip(nonce).unwrap_or_default();
    let holders = Holder::built_in_names().into_iter().filter_map(Holder::built_in);
    let holders = holders.map(|holder| {
        let title = say.t(&holder.title.ja, &holder.title.en).to_owned();
        (holder.id().to_owned(), title, holder.person.name.clone())
    });
    let can_swap = desk.terminal.can_swap;
    let holders = if can_swap { holders.collect() } else { Vec::new() };
    let instruction = |platform: Platform| (platform.name(), say.of(platform.touch_instruction()));
    let instructions = Platform::ALL.map(instruction).to_vec();
    let portal = desk.terminal.portal.clone();
    let view = PhoneView {
        say,
        portal,
        state,
        nonce,
        key: entry.key,
        words: entry.key.words(),
        can_swap,
        holders,
        instructions,
    };
    crate::portal::http::html(StatusCode::OK, &view)
}

/// 64 hexadecimal digits.
fn nonce_of(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut nonce = [0; 32];
    for (byte, digits) in nonce.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(nonce)
}

async fn events(State(desk): State<Shared>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let (now, more) = desk.terminal.table.watch();
    let event = |told| Event::default().json_data(&told).ok().map(Ok);
    // who is too slow misses lines, and goes on with the next
    let more = BroadcastStream::new(more).filter_map(Result::ok);
    let all = tokio_stream::once(now).chain(more).filter_map(event);
    Sse::new(all).keep_alive(KeepAlive::default())
}

/// What the page is told of its request.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    /// this is to be shown, and looked at again after so long
    Shows { screen: &'static str, tries_left: Option<u8>, patience_ms: Option<u64> },
    /// the card has signed
    Signed { certificate: String, signature: String },
    /// it has not
    Failed { failure: TerminalFailure, title: [String; 2], advice: [String; 2] },
}

impl From<Shown> for Reply {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::Screen { name, tries_left, patience } => {
                // the moment after the last one, so that looking then finds it too late
                let patience_ms = patience.map(|left| u64::try_from(left.as_millis()).unwrap_or(0) + 1);
                Self::Shows { screen: name, tries_left, patience_ms }
            }
            Shown::Answer(Answer::Signed { certificate, signature }) => Self::Signed {
                certificate: Base64::encode_string(&certificate),
                signature: Base64::encode_string(&signature),
            },
            Shown::Answer(Answer::Failed(failure)) => {
                let message = failure.message();
                let (title, advice) = (message.title, message.advice);
                Self::Failed { failure, title: [title.ja, title.en], advice: [advice.ja, advice.en] }
            }
        }
    }
}

/// Runs something that talks to the card, apart from those who wait for the network.
async fn converse(
    desk: Shared,
    talk: impl FnOnce(&Desk) -> Option<Shown> + Send + 'static,
) -> Result<Response, StatusCode> {
    match tokio::task::spawn_blocking(move || talk(&desk)).await {
        Ok(Some(shown)) => Ok(Json(Reply::from(shown)).into_response()),
        // the terminal was not called, or too long ago
        Ok(None) => Err(StatusCode::NOT_FOUND),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// A request of the portal's, as the page knows it.
#[derive(Deserialize)]
struct Called {
    state: String,
}

impl Called {
    fn challenge(&self) -> Result<ChallengeId, StatusCode> {
        ChallengeId::parse(&self.state).ok_or(StatusCode::BAD_REQUEST)
    }
}

#[derive(Deserialize)]
struct Asked {
    #[serde(flatten)]
    called: Called,
    nonce: String,
    #[serde(default)]
    key: Credential,
    platform: Platform,
}

impl Desk {
    fn circumstances(&self) -> Circumstances {
        *self.terminal.circumstances.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a call comes to that is already there.
async fn go_on(
    desk: Shared,
    called: Called,
    act: impl FnOnce(&Desk, &mut Call) -> Shown + Send + 'static,
) -> Result<Response, StatusCode> {
    let challenge = called.challenge()?;
    converse(desk, move |desk| {
        let call = desk.calls.of(&challenge)?;
        let mut call = call.lock().unwrap_or_else(PoisonError::into_inner);
        Some(act(desk, &mut call))
    })
    .await
}

async fn call(State(desk): State<Shared>, Json(asked): Json<Asked>) -> Result<Response, StatusCode> {
    let challenge = asked.called.challenge()?;
    let nonce = nonce_of(&asked.nonce).ok_or(StatusCode::BAD_REQUEST)?;
    converse(desk, move |desk| {
        let (circumstances, clock) = (desk.circumstances(), desk.terminal.clock.clone());
        let call = desk.calls.call(challenge, nonce, asked.key, circumstances, clock);
        let mut call = call.lock().unwrap_or_else(PoisonError::into_inner);
        Some(call.begin(asked.platform, &desk.terminal.table, circumstances.reader))
    })
    .await
}

#[derive(Deserialize)]
struct Entered {
    #[serde(flatten)]
    called: Called,
    pin: String,
}

async fn confirm(State(desk): State<Shared>, Json(entered): Json<Entered>) -> Result<Response, StatusCode> {
    let Entered { called, pin } = entered;
    go_on(desk, called, move |_, call| call.confirm(&pin)).await
}

/// The card is held to the phone; the tab in which that was done has its terminal find it.
async fn hold(State(desk): State<Shared>, Json(called): Json<Called>) -> Result<Response, StatusCode> {
    desk.terminal.table.hold();
    if called.state.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    go_on(desk, called, |desk, call| call.hold(&desk.terminal.table, desk.circumstances().reader)).await
}

/// A conversation that is under way ends by itself; a terminal that waits for the PIN is told.
async fn lift(State(desk): State<Shared>, Json(called): Json<Called>) -> Result<Response, StatusCode> {
    desk.terminal.table.lift();
    if called.state.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    go_on(desk, called, |_, call| call.lift()).await
}

#[derive(Deserialize)]
struct Swap {
    #[serde(flatten)]
    called: Called,
    holder: String,
}

async fn swap(State(desk): State<Shared>, Json(swap): Json<Swap>) -> Result<Response, StatusCode> {
    let Swap { called, holder } = swap;
    if !desk.terminal.can_swap || Holder::built_in(&holder).is_none() {
        return Err(StatusCode::NOT_FOUND);
    }
    desk.terminal.table.swap(&holder);
    if called.state.is_empty() {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    go_on(desk, called, |_, call| call.lift()).await
}

async fn cancel(State(desk): State<Shared>, Json(called): Json<Called>) -> Result<Response, StatusCode> {
    go_on(desk, called, |_, call| call.cancel()).await
}

async fn look(State(desk): State<Shared>, Json(called): Json<Called>) -> Result<Response, StatusCode> {
    go_on(desk, called, |_, call| call.look()).await
}
