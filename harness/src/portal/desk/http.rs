//! The page of the desk, and what its script asks for. Every request that does something must come
//! from the page itself: it has a header that no other site can send without being allowed to.

use super::table::{NoContact, Table};
use crate::language::Language;
use crate::portal::answer::Answer;
use crate::portal::failure::TerminalFailure;
use crate::portal::http::{Say, file};
use crate::portal::phone::Phone;
use crate::portal::token::ChallengeId;
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
use std::time::Duration;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};
use tower_http::limit::RequestBodyLimitLayer;
use vmyna_sim::holder::{Holder, PinValue};

/// How long a phone waits for a card: iOS gives up after some 60 seconds.
const PATIENCE: Duration = Duration::from_secs(60);
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
    /// whether a PIN with one try left is never presented
    pub careful: bool,
    /// the conversation of the last request
    pub phone: Mutex<Option<(ChallengeId, Phone)>>,
}

type Shared = Arc<Terminal>;

/// Everything the terminal answers.
pub fn router(terminal: Terminal) -> Router {
    let terminal = Arc::new(terminal);
    let actions = Router::new()
        .route("/card/hold", post(|State(desk): State<Shared>| async move { desk.table.hold() }))
        .route("/card/lift", post(|State(desk): State<Shared>| async move { desk.table.lift() }))
        .route("/card/swap", post(swap))
        .route("/phone/touch", post(touch))
        .route("/phone/read", post(read))
        .route("/phone/cancel", post(|State(desk): State<Shared>| async move { desk.table.cancel() }))
        .route("/phone/lost", post(|| async { Json(Reply::failed(TerminalFailure::LostContact)) }))
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
        .with_state(terminal.clone())
        .layer(axum::middleware::from_fn_with_state(terminal, guard))
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
    let authority = desk.origin.split_once("://").map_or("", |(_, authority)| authority);
    let is_ours = request.headers().get(header::HOST).is_some_and(|host| host == authority);
    let mut response = if is_ours {
        next.run(request).await
    } else {
        (StatusCode::MISDIRECTED_REQUEST, format!("this is {}\n", desk.origin)).into_response()
    };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         form-action {}; base-uri 'none'; frame-ancestors 'none'",
        desk.portal
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
    can_swap: bool,
    holders: Vec<(String, String, String)>,
}

#[derive(Deserialize)]
struct Entry {
    state: Option<String>,
    nonce: Option<String>,
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
    let holders = if desk.can_swap { holders.collect() } else { Vec::new() };
    let portal = desk.portal.clone();
    let view = PhoneView { say, portal, state, nonce, can_swap: desk.can_swap, holders };
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
    let (now, more) = desk.table.watch();
    let event = |told| Event::default().json_data(&told).ok().map(Ok);
    // who is too slow misses lines, and goes on with the next
    let more = BroadcastStream::new(more).filter_map(Result::ok);
    let all = tokio_stream::once(now).chain(more).filter_map(event);
    Sse::new(all).keep_alive(KeepAlive::default())
}

#[derive(Deserialize)]
struct Swap {
    holder: String,
}

async fn swap(State(desk): State<Shared>, Json(swap): Json<Swap>) -> StatusCode {
    if !desk.can_swap || Holder::built_in(&swap.holder).is_none() {
        return StatusCode::NOT_FOUND;
    }
    desk.table.swap(&swap.holder);
    StatusCode::OK
}

#[derive(Deserialize)]
struct Touch {
    state: String,
}

/// What the page is told of the card.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Reply {
    Touched { contact: u64, tries_left: Option<u8> },
    Signed { certificate: String, signature: String },
    Failed { failure: TerminalFailure, title: [String; 2], advice: [String; 2] },
}

impl Reply {
    fn failed(failure: TerminalFailure) -> Self {
        let message = failure.message();
        let (title, advice) = (message.title, message.advice);
        Self::Failed { failure, title: [title.ja, title.en], advice: [advice.ja, advice.en] }
    }

    fn of(result: Result<Answer, TerminalFailure>) -> Self {
        match result {
            Ok(Answer::Signed { certificate, signature }) => Self::Signed {
                certificate: Base64::encode_string(&certificate),
                signature: Base64::encode_string(&signature),
            },
            Ok(Answer::Failed(failure)) | Err(failure) => Self::failed(failure),
        }
    }
}

impl Terminal {
    /// The phone of this request: another one begins anew, with any card.
    fn with_phone<T>(&self, state: &ChallengeId, talk: impl FnOnce(&mut Phone) -> T) -> T {
        let mut phone = self.phone.lock().unwrap_or_else(PoisonError::into_inner);
        if phone.as_ref().is_none_or(|(last, _)| last != state) {
            let new = if self.careful { Phone::careful() } else { Phone::new() };
            *phone = Some((state.clone(), new));
        }
        let (_, phone) = phone.as_mut().expect("it was put there just now");
        talk(phone)
    }

    fn wait(&self) -> Result<u64, TerminalFailure> {
        self.table.wait_for_contact(PATIENCE).map_err(|none| match none {
            NoContact::TimedOut => TerminalFailure::TimedOut,
            NoContact::Cancelled => TerminalFailure::Cancelled,
        })
    }

    fn touch(&self, state: &ChallengeId) -> Result<(u64, Option<u8>), TerminalFailure> {
        let contact = self.wait()?;
        let touched =
            self.with_phone(state, |phone| self.table.converse(contact, true, |link| phone.touch(link)));
        Ok((contact, touched.unwrap_or(Err(TerminalFailure::LostContact))?))
    }

    fn read(
        &self,
        state: &ChallengeId,
        contact: Option<u64>,
        pin: &PinValue,
        nonce: &[u8],
    ) -> Result<Answer, TerminalFailure> {
        let (contact, _) = match contact {
            Some(contact) => (contact, None),
            None => self.touch(state)?,
        };
        let answer = self.with_phone(state, |phone| {
            self.table.converse(contact, false, |link| phone.authenticate(link, pin, nonce))
        });
        answer.unwrap_or(Err(TerminalFailure::LostContact))
    }
}

async fn touch(State(desk): State<Shared>, Json(touch): Json<Touch>) -> Response {
    let Some(state) = ChallengeId::parse(&touch.state) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let touched = tokio::task::spawn_blocking(move || desk.touch(&state)).await;
    match touched {
        Ok(Ok((contact, tries_left))) => Json(Reply::Touched { contact, tries_left }).into_response(),
        Ok(Err(failure)) => Json(Reply::failed(failure)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

#[derive(Deserialize)]
struct Read {
    state: String,
    nonce: String,
    pin: String,
    /// the contact during which the PIN was asked for, where it was
    contact: Option<u64>,
}

async fn read(State(desk): State<Shared>, Json(read): Json<Read>) -> Response {
    let wanted = ChallengeId::parse(&read.state).zip(nonce_of(&read.nonce));
    let Some(((state, nonce), pin)) = wanted.zip(PinValue::four_digits(&read.pin).ok()) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let answered = tokio::task::spawn_blocking(move || desk.read(&state, read.contact, &pin, &nonce)).await;
    match answered {
        Ok(result) => Json(Reply::of(result)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
