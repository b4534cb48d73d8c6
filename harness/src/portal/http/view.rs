//! Pages as templates see them.

use crate::language::{Bilingual, Language};
use crate::portal::page::Page;
use crate::portal::screen::{Button, Purpose, Row, Screen};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use std::borrow::Borrow;

/// Says things in one of the two languages.
#[derive(Debug, Clone, Copy)]
pub struct Say(pub Language);

impl Say {
    /// One of two sentences.
    #[must_use]
    pub const fn t<'s>(&self, ja: &'s str, en: &'s str) -> &'s str {
        match self.0 {
            Language::Ja => ja,
            Language::En => en,
        }
    }

    /// A sentence that is there in both languages.
    #[must_use]
    pub fn of(&self, sentence: impl Borrow<Bilingual>) -> String {
        self.0.of(sentence.borrow()).to_owned()
    }

    /// The value of the attribute `lang`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.t("ja", "en")
    }

    /// The other language.
    #[must_use]
    pub const fn other(&self) -> &'static str {
        self.t("en", "ja")
    }
}

#[derive(Template)]
#[template(path = "portal/top.html")]
pub(super) struct TopView {
    pub say: Say,
    pub form_token: String,
}

#[derive(Template)]
#[template(path = "portal/flow.html")]
pub(super) struct FlowView {
    pub say: Say,
    pub form_token: String,
    pub page: Page,
    /// the terminal with the request, where the screen asks for the card
    pub terminal: Option<String>,
}

impl FlowView {
    fn flow(&self) -> &str {
        self.page.flow.as_ref().map_or("", |flow| flow.as_str())
    }

    fn is_inquiry(&self) -> bool {
        self.page.purpose == Some(Purpose::Inquiry)
    }

    fn state(&self) -> &'static str {
        self.page.screen.state()
    }

    fn name_of(&self, button: &Button) -> String {
        serde_json::to_value(button)
            .ok()
            .and_then(|name| name.as_str().map(str::to_owned))
            .unwrap_or_default()
    }

    /// What stands above the page, and names it.
    fn heading(&self) -> String {
        let (ja, en) = match self.page.screen {
            Screen::Top => ("トップページ", "Top page"),
            Screen::Confirm => {
                ("ステップ1. 登録の内容について確認ください", "Step 1. Please confirm what is registered")
            }
            Screen::Apply => ("ステップ2. 申し込み", "Step 2. Apply"),
            Screen::Authenticate => ("申込状況の確認", "Check the application"),
            Screen::Sign => ("署名用電子証明書の登録", "Registration of the signature certificate"),
            Screen::Card | Screen::CardForInquiry | Screen::CardForSignature => {
                ("端末でカードを読み取っています", "The terminal is reading the card")
            }
            Screen::Done | Screen::Status | Screen::Registered | Screen::Failed => {
                let title = self.page.outcome.map(|outcome| outcome.message().title);
                return title.map(|title| self.say.of(title)).unwrap_or_default();
            }
        };
        self.say.t(ja, en).to_owned()
    }

    /// The value of a row, a line for each sentence as in the guide.
    fn lines(&self, row: &Row) -> Vec<String> {
        let value = self.say.of(row.value());
        value.replace("。 ", "。\n").lines().map(str::to_owned).collect()
    }

    fn advice(&self) -> String {
        self.page.outcome.map(|outcome| self.say.of(outcome.message().advice)).unwrap_or_default()
    }

    fn code(&self) -> &'static str {
        self.page.outcome.map_or("", super::Outcome::code)
    }

    fn requirement(&self) -> Option<&'static str> {
        self.page.outcome.and_then(super::Outcome::requirement)
    }
}

#[derive(Template)]
#[template(path = "portal/terms.html")]
pub(super) struct TermsView {
    pub say: Say,
}

#[derive(Template)]
#[template(path = "portal/not_found.html")]
pub(super) struct NotFoundView {
    pub say: Say,
}

#[derive(Template)]
#[template(path = "portal/operator.html")]
pub(super) struct OperatorView {
    pub say: Say,
    /// whether the visitor knows the token
    pub admitted: bool,
    /// whether a wrong one was given
    pub wrong: bool,
    pub applications: Vec<OperatorRow>,
    pub busy: bool,
    pub form_token: String,
}

/// An application as the operator sees it.
pub(super) struct OperatorRow {
    pub key: String,
    pub serial: String,
    pub accepted: String,
    pub register_user: bool,
    pub complete: bool,
}

/// A template as an answer.
pub(in crate::portal) fn html(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => super::Trouble(format!("a page could not be made: {error}")).into_response(),
    }
}
