//! What the terminal sends the browser back with: the signature and the certificate, or why there
//! are none. The unguessable `state`, bound to the session, is its protection.

use super::pages::{place, show};
use super::{Shared, Trouble, cookie};
use crate::portal::Outcome;
use crate::portal::answer::Answer;
use crate::portal::failure::TerminalFailure;
use crate::portal::page::Page;
use crate::portal::token::ChallengeId;
use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use base64ct::{Base64, Encoding};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Callback {
    state: String,
    /// base64
    certificate: Option<String>,
    /// base64
    signature: Option<String>,
    /// a [`TerminalFailure`] as JSON
    failure: Option<String>,
}

impl Callback {
    fn answer(&self) -> Option<Answer> {
        match (&self.certificate, &self.signature, &self.failure) {
            (Some(certificate), Some(signature), None) => Some(Answer::Signed {
                certificate: Base64::decode_vec(certificate).ok()?,
                signature: Base64::decode_vec(signature).ok()?,
            }),
            (None, None, Some(failure)) => {
                Some(Answer::Failed(serde_json::from_str::<TerminalFailure>(failure).ok()?))
            }
            _ => None,
        }
    }
}

pub(super) async fn callback(
    State(site): State<Shared>,
    headers: HeaderMap,
    form: Result<Form<Callback>, FormRejection>,
) -> Result<Response, Trouble> {
    let Ok(Form(form)) = form else { return Ok(StatusCode::BAD_REQUEST.into_response()) };
    let Some(answer) = form.answer() else { return Ok(StatusCode::BAD_REQUEST.into_response()) };
    let session = cookie::session(&site, &headers);
    let holder = session.clone();
    let page = match ChallengeId::parse(&form.state) {
        Some(challenge) => {
            site.run(move |portal| portal.deliver(holder.as_ref(), &challenge, &answer)).await?
        }
        None => Page::failed(Outcome::ChallengeUnknown),
    };
    let renewed = page.renewed.as_ref().map(|renewed| cookie::set_session(&site, renewed));
    let shown = match page.flow {
        // a reload then shows the page again instead of delivering the answer again
        Some(_) => Redirect::to(&place(&page)).into_response(),
        None => show(&site, &headers, session.as_ref(), page),
    };
    let cookies = AppendHeaders(renewed.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok((cookies, shown).into_response())
}
