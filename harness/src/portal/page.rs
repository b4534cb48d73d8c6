//! What a tab shows: which screen, with which rows, buttons and outcome.

use super::challenge::CardRequest;
use super::flow::buttons_at_the_end;
use super::outcome::Outcome;
use super::screen::{Button, Purpose, Row, Screen};
use super::token::{FlowId, SessionToken};

/// What a tab shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// the flow that the tab is in; none on the top page
    pub flow: Option<FlowId>,
    /// what the holder came for
    pub purpose: Option<Purpose>,
    /// which screen
    pub screen: Screen,
    /// whether the box of step 1 is ticked
    pub register_user: bool,
    /// the rows of a result
    pub rows: Vec<Row>,
    /// how the flow ended, once it has
    pub outcome: Option<Outcome>,
    /// what the terminal is asked for
    pub request: Option<CardRequest>,
    /// what the session is known by from now on, where the holder has just been authenticated
    pub renewed: Option<SessionToken>,
}

impl Page {
    /// The top page.
    #[must_use]
    pub const fn top() -> Self {
        Self {
            flow: None,
            purpose: None,
            screen: Screen::Top,
            register_user: false,
            rows: Vec::new(),
            outcome: None,
            request: None,
            renewed: None,
        }
    }

    /// A failure outside any flow.
    #[must_use]
    pub fn failed(outcome: Outcome) -> Self {
        Self { screen: Screen::Failed, outcome: Some(outcome), ..Self::top() }
    }

    /// What can be pressed: without a flow there is nothing to retry.
    #[must_use]
    pub fn buttons(&self) -> &'static [Button] {
        match (self.outcome, &self.flow) {
            (Some(_), None) => &[Button::Finish],
            (Some(outcome), Some(_)) => buttons_at_the_end(outcome),
            (None, _) => self.screen.buttons(),
        }
    }
}
