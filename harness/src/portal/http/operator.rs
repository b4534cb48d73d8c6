//! The operator's page: registrations move from 「システム準備中…」 to 「登録完了」, and the portal
//! plays at being busy. Who knows the token, which is told on the terminal at the start, may act.

use super::view::{OperatorRow, OperatorView, Say, html};
use super::{Shared, Trouble, cookie};
use crate::portal::applicant::Applicant;
use crate::portal::screen::Registration;
use crate::portal::token::{Randomness, derived, drawn, hexadecimal, is_hexadecimal};
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;
use std::fmt;
use subtle::ConstantTimeEq;

/// What the operator must know: 256 bits.
#[derive(Clone)]
pub struct OperatorToken(String);

impl OperatorToken {
    /// A new one.
    #[must_use]
    pub fn draw(randomness: &mut Randomness) -> Self {
        Self(hexadecimal(&drawn::<32>(randomness)))
    }

    /// To be told to the operator, and nobody else.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn is(&self, text: &str) -> bool {
        is_hexadecimal(text, self.0.len()) && self.0.as_bytes().ct_eq(text.as_bytes()).into()
    }

    /// What the operator's forms carry.
    fn form_token(&self) -> String {
        derived("operator form", &self.0)
    }

    fn has_form_token(&self, text: &str) -> bool {
        self.form_token().as_bytes().ct_eq(text.as_bytes()).into()
    }
}

impl fmt::Debug for OperatorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorToken(…)")
    }
}

#[derive(Deserialize)]
pub(super) struct Entry {
    token: Option<String>,
}

/// The token, in the cookie or, for a program, as a bearer.
fn is_admitted(site: &Shared, headers: &HeaderMap) -> bool {
    let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
    bearer.or_else(|| cookie::get(headers, cookie::OPERATOR)).is_some_and(|token| site.operator.is(token))
}

pub(super) async fn page(
    State(site): State<Shared>,
    headers: HeaderMap,
    Query(entry): Query<Entry>,
) -> Result<Response, Trouble> {
    let say = Say(cookie::language(&headers));
    if let Some(token) = entry.token {
        if site.operator.is(&token) {
            let cookie = cookie::set(&site, cookie::OPERATOR, &token, "/operator", "Strict");
            // a token in an address would stay in the history
            return Ok(
                (AppendHeaders([(header::SET_COOKIE, cookie)]), Redirect::to("/operator")).into_response()
            );
        }
        let view = OperatorView {
            say,
            admitted: false,
            wrong: true,
            applications: Vec::new(),
            busy: false,
            form_token: String::new(),
        };
        return Ok(html(StatusCode::FORBIDDEN, &view));
    }
    let admitted = is_admitted(&site, &headers);
    let mut applications = Vec::new();
    if admitted {
        for (applicant, application) in site.run(super::Portal::applications).await? {
            applications.push(OperatorRow {
                key: applicant.key(),
                serial: applicant.serial().to_owned(),
                accepted: application.accepted.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
                register_user: application.register_user,
                complete: application.registration == Registration::Complete,
            });
        }
    }
    let status = if admitted { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
    let form_token = if admitted { site.operator.form_token() } else { String::new() };
    let busy = site.portal.is_busy();
    Ok(html(status, &OperatorView { say, admitted, wrong: false, applications, busy, form_token }))
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Action {
    Complete,
    CompleteAll,
    Busy,
    Open,
}

#[derive(Deserialize)]
pub(super) struct Act {
    action: Action,
    applicant: Option<String>,
    /// not needed with a bearer token, which no other site can send
    form_token: Option<String>,
}

pub(super) async fn act(
    State(site): State<Shared>,
    headers: HeaderMap,
    form: Result<Form<Act>, FormRejection>,
) -> Result<Response, Trouble> {
    let Ok(Form(form)) = form else { return Ok(StatusCode::BAD_REQUEST.into_response()) };
    let is_program = headers.contains_key(header::AUTHORIZATION);
    let token = form.form_token.unwrap_or_default();
    if !is_admitted(&site, &headers) || !(is_program || site.operator.has_form_token(&token)) {
        return Ok(StatusCode::FORBIDDEN.into_response());
    }
    match form.action {
        Action::Busy => site.portal.set_busy(true),
        Action::Open => site.portal.set_busy(false),
        Action::Complete => {
            let Some(applicant) = form.applicant.as_deref().and_then(Applicant::parse) else {
                return Ok(StatusCode::BAD_REQUEST.into_response());
            };
            if !site.run(move |portal| portal.complete_registration(&applicant)).await? {
                return Ok(StatusCode::NOT_FOUND.into_response());
            }
        }
        Action::CompleteAll => {
            site.run(|portal| {
                for (applicant, _) in portal.applications()? {
                    portal.complete_registration(&applicant)?;
                }
                Ok(())
            })
            .await?;
        }
    }
    Ok(Redirect::to("/operator").into_response())
}
