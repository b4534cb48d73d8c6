//! The portal as flows need it: what browsers and terminals can do to it, and what its operator can
//! see. The right one is [`Portal`]; tests put wrong ones in its place.

use crate::portal::{
    Answer, Applicant, Application, Button, ChallengeId, FlowId, Page, Portal, Purpose, SessionToken,
    StoreError,
};

/// A portal in the same process.
pub trait RelyingParty {
    /// A session for a browser that has none.
    fn new_session(&self) -> SessionToken;

    /// A button of the top page.
    ///
    /// # Errors
    /// [`StoreError`].
    fn start(&self, session: &SessionToken, purpose: Purpose) -> Result<Page, StoreError>;

    /// What the tab in `flow` shows.
    ///
    /// # Errors
    /// [`StoreError`].
    fn page(&self, session: &SessionToken, flow: &FlowId) -> Result<Page, StoreError>;

    /// A button, after setting the box to `tick`.
    ///
    /// # Errors
    /// [`StoreError`].
    fn press(
        &self,
        session: &SessionToken,
        flow: &FlowId,
        button: Button,
        tick: Option<bool>,
    ) -> Result<Page, StoreError>;

    /// The terminal's answer to a challenge.
    ///
    /// # Errors
    /// [`StoreError`].
    fn deliver(
        &self,
        session: Option<&SessionToken>,
        challenge: &ChallengeId,
        answer: &Answer,
    ) -> Result<Page, StoreError>;

    /// All applications.
    ///
    /// # Errors
    /// [`StoreError`].
    fn applications(&self) -> Result<Vec<(Applicant, Application)>, StoreError>;

    /// The operator's action: 「登録完了」.
    ///
    /// # Errors
    /// [`StoreError`].
    fn complete_registration(&self, applicant: &Applicant) -> Result<bool, StoreError>;

    /// Whether answers meet a portal that is too busy.
    fn set_busy(&self, busy: bool);
}

impl RelyingParty for Portal {
    fn new_session(&self) -> SessionToken {
        self.new_session()
    }

    fn start(&self, session: &SessionToken, purpose: Purpose) -> Result<Page, StoreError> {
        self.start(session, purpose)
    }

    fn page(&self, session: &SessionToken, flow: &FlowId) -> Result<Page, StoreError> {
        self.page(session, flow)
    }

    fn press(
        &self,
        session: &SessionToken,
        flow: &FlowId,
        button: Button,
        tick: Option<bool>,
    ) -> Result<Page, StoreError> {
        self.press(session, flow, button, tick)
    }

    fn deliver(
        &self,
        session: Option<&SessionToken>,
        challenge: &ChallengeId,
        answer: &Answer,
    ) -> Result<Page, StoreError> {
        self.deliver(session, challenge, answer)
    }

    fn applications(&self) -> Result<Vec<(Applicant, Application)>, StoreError> {
        self.applications()
    }

    fn complete_registration(&self, applicant: &Applicant) -> Result<bool, StoreError> {
        self.complete_registration(applicant)
    }

    fn set_busy(&self, busy: bool) {
        self.set_busy(busy);
    }
}
