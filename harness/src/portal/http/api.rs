//! The API for terminals that show their own screens; `openapi.yaml` describes it. Without cookies,
//! so that no other site can use a visitor's.

use super::{Shared, Trouble};
use crate::language::Bilingual;
use crate::portal::answer::Answer;
use crate::portal::outcome::Outcome;
use crate::portal::page::Page;
use crate::portal::rejection::Rejection;
use crate::portal::screen::{Purpose, Registration, Row};
use crate::portal::token::{ChallengeId, SessionToken};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64ct::{Base64, Encoding};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

/// The description of what is here.
pub(super) const OPENAPI: &str = include_str!("../openapi.yaml");

pub(super) fn router() -> Router<Shared> {
    Router::new()
        .route("/challenges", post(challenge))
        .route("/applications", post(apply))
        .route("/inquiries", post(inquire))
        .route("/signatures", post(register_signature))
        .route("/openapi.yaml", get(|| super::file("application/yaml", OPENAPI)))
        .fallback(|| async { problem(StatusCode::NOT_FOUND, "no_such_resource") })
        .method_not_allowed_fallback(|| async {
            problem(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed")
        })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ChallengeRequest {
    purpose: Purpose,
    /// to go on in
    #[serde(default, deserialize_with = "of_a_session")]
    session: Option<String>,
}

/// One that is over is replaced; what is longer than any that was ever given is no session.
fn of_a_session<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    const LONGEST: usize = 128;
    let session = String::deserialize(deserializer)?;
    if session.chars().count() > LONGEST {
        return Err(D::Error::custom("a session has at most 128 characters"));
    }
    Ok(Some(session))
}

#[derive(Serialize)]
struct ChallengeAnswer {
    challenge_id: String,
    session: String,
    nonce: String,
    purpose: Purpose,
    expires_at: String,
}

async fn challenge(
    State(site): State<Shared>,
    body: Result<Json<ChallengeRequest>, JsonRejection>,
) -> Result<Response, Trouble> {
    let Json(wanted) = match body {
        Ok(body) => body,
        Err(rejection) => return Ok(unreadable(&rejection)),
    };
    let session = wanted.session.as_deref().and_then(|name| site.portal.session(name));
    let challenged = site.run(move |portal| portal.challenge_for_terminal(wanted.purpose, session));
    let (session, request) = challenged.await?;
    let answer = ChallengeAnswer {
        challenge_id: request.challenge.as_str().to_owned(),
        session: session.as_str().to_owned(),
        nonce: Base64::encode_string(&request.nonce),
        purpose: request.purpose,
        expires_at: request.expires.to_string(),
    };
    Ok((StatusCode::CREATED, Json(answer)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    challenge_id: String,
    session: String,
    /// base64
    certificate: String,
    /// base64
    signature: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Apply {
    challenge_id: String,
    session: String,
    certificate: String,
    signature: String,
    #[serde(default)]
    register_user: bool,
}

async fn apply(
    State(site): State<Shared>,
    body: Result<Json<Apply>, JsonRejection>,
) -> Result<Response, Trouble> {
    match body {
        Err(rejection) => Ok(unreadable(&rejection)),
        Ok(Json(Apply { challenge_id, session, certificate, signature, register_user })) => {
            let signed = Signed { challenge_id, session, certificate, signature };
            deliver(&site, signed, Purpose::Application, register_user).await
        }
    }
}

async fn inquire(
    State(site): State<Shared>,
    body: Result<Json<Signed>, JsonRejection>,
) -> Result<Response, Trouble> {
    match body {
        Err(rejection) => Ok(unreadable(&rejection)),
        Ok(Json(signed)) => deliver(&site, signed, Purpose::Inquiry, false).await,
    }
}

async fn register_signature(
    State(site): State<Shared>,
    body: Result<Json<Signed>, JsonRejection>,
) -> Result<Response, Trouble> {
    match body {
        Err(rejection) => Ok(unreadable(&rejection)),
        Ok(Json(signed)) => deliver(&site, signed, Purpose::Signature, false).await,
    }
}

async fn deliver(
    site: &Shared,
    signed: Signed,
    purpose: Purpose,
    register_user: bool,
) -> Result<Response, Trouble> {
    let decoded =
        Base64::decode_vec(&signed.certificate).ok().zip(Base64::decode_vec(&signed.signature).ok());
    let Some((certificate, signature)) = decoded else {
        return Ok(problem(StatusCode::UNPROCESSABLE_ENTITY, "not_base64"));
    };
    let page = match ChallengeId::parse(&signed.challenge_id) {
        None => Page::failed(Outcome::ChallengeUnknown),
        Some(challenge) => {
            let session = site.portal.session(&signed.session);
            let answer = Answer::Signed { certificate, signature };
            site.run(move |portal| {
                portal.deliver_from_terminal(session.as_ref(), &challenge, &answer, purpose, register_user)
            })
            .await?
        }
    };
    Ok(result(&page))
}

#[derive(Serialize)]
struct ResultAnswer<'a> {
    outcome: &'static str,
    rows: Vec<RowAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
}

#[derive(Serialize)]
struct RowAnswer {
    row: &'static str,
    value: &'static str,
    label: Bilingual,
    text: Bilingual,
}

impl RowAnswer {
    fn of(row: &Row) -> Self {
        let (name, value) = match row {
            Row::Application => ("application", "accepted"),
            Row::Registration(Registration::Preparing) => ("registration", "preparing"),
            Row::Registration(Registration::Complete) => ("registration", "complete"),
            Row::UserRegistration => ("user_registration", "accepted"),
        };
        Self { row: name, value, label: row.label(), text: row.value() }
    }
}

fn result(page: &Page) -> Response {
    let outcome = page.outcome.unwrap_or(Outcome::ChallengeUnknown);
    let status = match outcome {
        Outcome::Accepted | Outcome::SignatureRegistered => StatusCode::CREATED,
        Outcome::Shown => StatusCode::OK,
        Outcome::SessionLost => StatusCode::UNAUTHORIZED,
        Outcome::Rejected(Rejection::StatusUnavailable) | Outcome::ServerBusy => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        Outcome::Rejected(_) | Outcome::OtherCard | Outcome::Terminal(_) => StatusCode::FORBIDDEN,
        Outcome::NotRegistered | Outcome::ChallengeUnknown => StatusCode::NOT_FOUND,
        Outcome::AlreadyRegistered | Outcome::ChallengeUsed => StatusCode::CONFLICT,
        Outcome::ChallengeExpired | Outcome::SignatureRevoked => StatusCode::GONE,
    };
    let session = page.renewed.as_ref().map(SessionToken::as_str);
    if outcome.is_success() {
        let rows = page.rows.iter().map(RowAnswer::of).collect();
        (status, Json(ResultAnswer { outcome: outcome.code(), rows, session })).into_response()
    } else {
        let message = outcome.message();
        let message = MessageAnswer { title: message.title, advice: message.advice };
        problem_of(
            status,
            &Problem { message: Some(message), session, ..Problem::of(status, outcome.code()) },
        )
    }
}

/// RFC 9457, with the name of the outcome and what the holder is to be told.
#[derive(Serialize)]
struct Problem<'a> {
    title: &'static str,
    status: u16,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
}

impl Problem<'_> {
    fn of(status: StatusCode, code: &'static str) -> Self {
        let title = status.canonical_reason().unwrap_or("Problem");
        Self { title, status: status.as_u16(), code, message: None, session: None }
    }
}

#[derive(Serialize)]
struct MessageAnswer {
    title: Bilingual,
    advice: Bilingual,
}

fn problem(status: StatusCode, code: &'static str) -> Response {
    problem_of(status, &Problem::of(status, code))
}

fn problem_of(status: StatusCode, problem: &Problem<'_>) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/problem+json")];
    (status, kind, serde_json::to_string(problem).unwrap_or_default()).into_response()
}

fn unreadable(rejection: &JsonRejection) -> Response {
    let code = match rejection {
        JsonRejection::MissingJsonContentType(_) => "not_json",
        JsonRejection::JsonSyntaxError(_) => "malformed_json",
        JsonRejection::JsonDataError(_) => "unexpected_content",
        _ => "unreadable_body",
    };
    problem(rejection.status(), code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_description_names_every_path_of_the_router_and_no_other() {
        let described: Vec<_> = OPENAPI
            .lines()
            .filter_map(|line| line.strip_prefix("  /").and_then(|line| line.strip_suffix(':')))
            .collect();
        assert_eq!(described, ["challenges", "applications", "inquiries", "signatures", "openapi.yaml"]);
    }
}
