//! The pages: top, the flow's screens, terms, and the choice of language.

use super::view::{FlowView, NotFoundView, Say, TermsView, TopView, html};
use super::{Shared, Trouble, cookie, status_of};
use crate::language::Language;
use crate::portal::page::Page;
use crate::portal::screen::{Button, Purpose};
use crate::portal::token::{FlowId, SessionToken};
use crate::portal::{CardRequest, Outcome};
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;

pub(super) async fn top(State(site): State<Shared>, headers: HeaderMap) -> Result<Response, Trouble> {
    let known = cookie::session(&site, &headers);
    let session = site.run(move |portal| match known {
        Some(session) if portal.is_current(&session)? => Ok(session),
        _ => Ok(portal.new_session()),
    });
    let session = session.await?;
    let view = TopView { say: Say(cookie::language(&headers)), form_token: session.form_token() };
    let cookie = AppendHeaders([(header::SET_COOKIE, cookie::set_session(&site, &session))]);
    Ok((cookie, html(StatusCode::OK, &view)).into_response())
}

#[derive(Deserialize)]
pub(super) struct Start {
    purpose: Purpose,
    form_token: String,
}

pub(super) async fn start(
    State(site): State<Shared>,
    headers: HeaderMap,
    form: Result<Form<Start>, FormRejection>,
) -> Result<Response, Trouble> {
    let Ok(Form(form)) = form else { return Ok(StatusCode::BAD_REQUEST.into_response()) };
    let Some(session) = admitted(&site, &headers, &form.form_token) else {
        return Ok(lost(&headers));
    };
    let page = site.run(move |portal| portal.start(&session, form.purpose)).await?;
    if page.outcome == Some(Outcome::SessionLost) {
        return Ok(lost(&headers));
    }
    Ok(Redirect::to(&place(&page)).into_response())
}

pub(super) async fn flow(
    State(site): State<Shared>,
    Path(flow): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let (Some(session), Some(flow)) = (cookie::session(&site, &headers), FlowId::parse(&flow)) else {
        return Ok(lost(&headers));
    };
    let holder = session.clone();
    let page = site.run(move |portal| portal.page(&holder, &flow)).await?;
    Ok(show(&site, &headers, Some(&session), page))
}

#[derive(Deserialize)]
pub(super) struct Press {
    button: Button,
    form_token: String,
    /// there when the screen has the box
    has_box: Option<String>,
    /// there when it is ticked
    register_user: Option<String>,
}

pub(super) async fn press(
    State(site): State<Shared>,
    Path(flow): Path<String>,
    headers: HeaderMap,
    form: Result<Form<Press>, FormRejection>,
) -> Result<Response, Trouble> {
    let Ok(Form(form)) = form else { return Ok(StatusCode::BAD_REQUEST.into_response()) };
    let Some((session, flow)) = admitted(&site, &headers, &form.form_token).zip(FlowId::parse(&flow)) else {
        return Ok(lost(&headers));
    };
    let tick = form.has_box.map(|_| form.register_user.is_some());
    let page = site.run(move |portal| portal.press(&session, &flow, form.button, tick)).await?;
    if page.outcome == Some(Outcome::SessionLost) {
        return Ok(lost(&headers));
    }
    // What the guide has happen next is the terminal's form, so the browser is sent there at once.
    let next = terminal(&site, &headers, page.request.as_ref()).unwrap_or_else(|| place(&page));
    Ok(Redirect::to(&next).into_response())
}

pub(super) async fn terms(headers: HeaderMap) -> Response {
    html(StatusCode::OK, &TermsView { say: Say(cookie::language(&headers)) })
}

pub(super) async fn not_found(headers: HeaderMap) -> Response {
    html(StatusCode::NOT_FOUND, &NotFoundView { say: Say(cookie::language(&headers)) })
}

#[derive(Deserialize)]
pub(super) struct Back {
    to: Option<String>,
}

pub(super) async fn language(
    State(site): State<Shared>,
    Path(language): Path<String>,
    axum::extract::Query(back): axum::extract::Query<Back>,
) -> Response {
    let language = if language == "en" { Language::En } else { Language::Ja };
    // only to a flow of ours, never to an address that somebody put into a link
    let to = back.to.as_deref().and_then(FlowId::parse);
    let to = to.map_or_else(|| "/".to_owned(), |flow| format!("/flow/{}", flow.as_str()));
    let cookie = AppendHeaders([(header::SET_COOKIE, cookie::set_language(&site, language))]);
    (cookie, Redirect::to(&to)).into_response()
}

/// The session of a form that was made for it.
fn admitted(site: &Shared, headers: &HeaderMap, form_token: &str) -> Option<SessionToken> {
    cookie::session(site, headers).filter(|session| session.has_form_token(form_token))
}

/// Where a page is to be seen.
pub(super) fn place(page: &Page) -> String {
    page.flow.as_ref().map_or_else(|| "/".to_owned(), |flow| format!("/flow/{}", flow.as_str()))
}

/// The terminal's address with the request in it.
fn terminal(site: &Shared, headers: &HeaderMap, request: Option<&CardRequest>) -> Option<String> {
    let (terminal, request) = (site.terminal.as_deref()?, request?);
    let nonce = crate::portal::token::hexadecimal(&request.nonce);
    let language = Say(cookie::language(headers)).code();
    let (state, key) = (request.challenge.as_str(), request.purpose.credential().name());
    Some(format!("{terminal}/?state={state}&nonce={nonce}&key={key}&lang={language}"))
}

pub(super) fn lost(headers: &HeaderMap) -> Response {
    let say = Say(cookie::language(headers));
    let page = Page::failed(Outcome::SessionLost);
    let status = status_of(&page);
    html(status, &FlowView { say, form_token: String::new(), page, terminal: None })
}

pub(super) fn show(
    site: &Shared,
    headers: &HeaderMap,
    session: Option<&SessionToken>,
    page: Page,
) -> Response {
    let view = FlowView {
        say: Say(cookie::language(headers)),
        form_token: session.map(SessionToken::form_token).unwrap_or_default(),
        terminal: terminal(site, headers, page.request.as_ref()),
        page,
    };
    html(status_of(&view.page), &view)
}
