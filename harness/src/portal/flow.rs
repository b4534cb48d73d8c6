//! The two state machines of the guide: the application, A0 to A5, and the inquiry, B0 to B3; and
//! what an inquiry can go on to, the signature certificate, S1 to S3. A tab is in one flow; two tabs
//! of one browser are in two.

use super::applicant::Applicant;
use super::outcome::Outcome;
use super::screen::{Button, Purpose, Screen};
use super::token::ChallengeId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where in its flow a tab is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Top,
    Confirm,
    Apply,
    Authenticate,
    Sign,
    /// the terminal has the challenge
    Card(ChallengeId),
    Ended(Ended),
}

/// How it ended, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    outcome: Outcome,
    applicant: Option<Applicant>,
}

/// One tab's way through the screens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Flow {
    /// whose: the store's key of the session
    pub(crate) session: String,
    pub(crate) purpose: Purpose,
    /// 「マイナポータルの利用者登録を行う」
    pub(crate) register_user: bool,
    step: Step,
    /// the end of the inquiry that this goes on from
    #[serde(default)]
    inquiry: Option<Ended>,
    pub(crate) touched: Timestamp,
}

/// What pressing a button comes to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pressed {
    /// the flow is in another state, or there is no such button in this one
    Moved,
    /// a challenge is wanted for the terminal
    NeedsChallenge,
    /// back on the top page
    Left,
}

impl Flow {
    /// What the two buttons of the top page lead to.
    pub(crate) fn start(session: String, purpose: Purpose, now: Timestamp) -> Self {
        let step = match purpose {
            Purpose::Application => Step::Confirm,
            Purpose::Inquiry => Step::Authenticate,
            Purpose::Signature => Step::Sign,
        };
        Self { session, purpose, register_user: false, step, inquiry: None, touched: now }
    }

    pub(crate) fn screen(&self) -> Screen {
        match (&self.step, self.purpose) {
            (Step::Top, _) => Screen::Top,
            (Step::Confirm, _) => Screen::Confirm,
            (Step::Apply, _) => Screen::Apply,
            (Step::Authenticate, _) => Screen::Authenticate,
            (Step::Sign, _) => Screen::Sign,
            (Step::Card(_), Purpose::Application) => Screen::Card,
            (Step::Card(_), Purpose::Inquiry) => Screen::CardForInquiry,
            (Step::Card(_), Purpose::Signature) => Screen::CardForSignature,
            (Step::Ended(ended), _) => match ended.outcome {
                Outcome::Accepted => Screen::Done,
                Outcome::Shown => Screen::Status,
                Outcome::SignatureRegistered => Screen::Registered,
                _ => Screen::Failed,
            },
        }
    }

    pub(crate) fn outcome(&self) -> Option<Outcome> {
        match &self.step {
            Step::Ended(ended) => Some(ended.outcome),
            _ => None,
        }
    }

    pub(crate) fn applicant(&self) -> Option<&Applicant> {
        match &self.step {
            Step::Ended(ended) => ended.applicant.as_ref(),
            _ => None,
        }
    }

    /// The challenge that the terminal has.
    pub(crate) fn challenge(&self) -> Option<&ChallengeId> {
        match &self.step {
            Step::Card(challenge) => Some(challenge),
            _ => None,
        }
    }

    /// The box of step 1; elsewhere there is none.
    pub(crate) fn tick(&mut self, register_user: bool) {
        if self.step == Step::Confirm {
            self.register_user = register_user;
        }
    }

    pub(crate) fn press(&mut self, button: Button) -> Pressed {
        let before_card = match self.purpose {
            Purpose::Application => Step::Apply,
            Purpose::Inquiry => Step::Authenticate,
            Purpose::Signature => Step::Sign,
        };
        self.step = match (&self.step, button) {
            (Step::Confirm, Button::Agree) => Step::Apply,
            (Step::Apply, Button::Back) => Step::Confirm,
            (Step::Apply, Button::Apply)
            | (Step::Authenticate, Button::Authenticate)
            | (Step::Sign, Button::Sign) => return Pressed::NeedsChallenge,
            (Step::Card(_), Button::Back) => before_card,
            (Step::Ended(ended), button) if !buttons_at_the_end(ended.outcome).contains(&button) => {
                return Pressed::Moved;
            }
            (Step::Ended(_), Button::Retry) => before_card,
            (Step::Ended(ended), Button::RegisterSignature) => {
                self.inquiry = Some(ended.clone());
                self.purpose = Purpose::Signature;
                Step::Sign
            }
            (Step::Sign, Button::Back) => match self.inquiry.take() {
                Some(inquiry) => {
                    self.purpose = Purpose::Inquiry;
                    Step::Ended(inquiry)
                }
                None => {
                    self.step = Step::Top;
                    return Pressed::Left;
                }
            },
            (Step::Confirm | Step::Authenticate, Button::Back) | (Step::Ended(_), Button::Finish) => {
                self.step = Step::Top;
                return Pressed::Left;
            }
            (step, _) => step.clone(),
        };
        Pressed::Moved
    }

    /// The terminal now has this challenge.
    pub(crate) fn ask_for_card(&mut self, challenge: ChallengeId) {
        self.step = Step::Card(challenge);
    }

    /// The challenge was answered.
    pub(crate) fn end(&mut self, outcome: Outcome, applicant: Option<Applicant>) {
        self.step = Step::Ended(Ended { outcome, applicant });
    }
}

impl Screen {
    /// What can be pressed on it, in the order in which it stands there.
    #[must_use]
    pub const fn buttons(self) -> &'static [Button] {
        match self {
            Self::Top => &[Button::StartApplication, Button::StartInquiry],
            Self::Confirm => &[Button::Agree, Button::Back],
            Self::Apply => &[Button::Apply, Button::Back],
            Self::Authenticate => &[Button::Authenticate, Button::Back],
            Self::Sign => &[Button::Sign, Button::Back],
            Self::Card | Self::CardForInquiry | Self::CardForSignature => &[Button::Back],
            Self::Status => &[Button::Finish, Button::RegisterSignature],
            Self::Done | Self::Registered => &[Button::Finish],
            Self::Failed => &[Button::Retry, Button::Finish],
        }
    }
}

/// What can be pressed when a flow has ended like this.
pub(crate) fn buttons_at_the_end(outcome: Outcome) -> &'static [Button] {
    match outcome {
        Outcome::Accepted => Screen::Done.buttons(),
        Outcome::Shown => Screen::Status.buttons(),
        Outcome::SignatureRegistered => Screen::Registered.buttons(),
        Outcome::SignatureRevoked => &[Button::RegisterSignature, Button::Finish],
        _ => Screen::Failed.buttons(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::failure::TerminalFailure;
    use crate::portal::token::seeded_randomness;
    use proptest::prelude::*;

    fn application() -> Flow {
        Flow::start("s".to_owned(), Purpose::Application, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn an_application_goes_through_the_screens_in_the_guides_order() {
        let mut flow = application();
        assert_eq!(flow.screen(), Screen::Confirm);
        flow.tick(true);
        flow.press(Button::Agree);
        assert_eq!(flow.screen(), Screen::Apply);
        assert_eq!(flow.press(Button::Apply), Pressed::NeedsChallenge);
        flow.ask_for_card(ChallengeId::draw(&mut seeded_randomness(0)));
        assert_eq!(flow.screen(), Screen::Card);
        flow.end(TerminalFailure::LostContact.into(), None);
        assert_eq!(flow.screen(), Screen::Failed);
        flow.press(Button::Retry);
        assert_eq!((flow.screen(), flow.register_user), (Screen::Apply, true));
        flow.end(Outcome::Accepted, None);
        assert_eq!(flow.screen(), Screen::Done);
        assert_eq!(flow.press(Button::Finish), Pressed::Left);
    }

    #[test]
    fn the_box_cannot_be_changed_after_step_1() {
        let mut flow = application();
        flow.press(Button::Agree);
        flow.tick(true);
        assert!(!flow.register_user);
    }

    proptest! {
        #[test]
        fn a_button_that_is_not_on_the_screen_does_nothing(presses in prop::collection::vec(0..Button::ALL.len(), 0..12)) {
            let mut flow = application();
            for index in presses {
                let (button, before) = (Button::ALL[index], flow.clone());
                flow.press(button);
                if !before.screen().buttons().contains(&button) {
                    prop_assert_eq!(&flow, &before);
                }
                prop_assert!(flow.outcome().is_none(), "no button ends a flow");
            }
        }
    }
}
