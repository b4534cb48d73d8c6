//! Portals that are right inside and wrong in what comes of it: on the screen, or in what they keep.

use super::WrongPortal;
use std::time::Duration;
use vmyna::flow::{Held, InProcess, Parts, Seen, Stage, Trouble};
use vmyna::language::Bilingual;
use vmyna::scenario::{
    Delivery, EnterStep, HoldStep, OperatorStep, Pressable, RowName, ScreenName, TerminalStep,
};
use vmyna_sim::fault::Fault;
use vmyna_sim::pin::PinName;

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrongness {
    /// nothing
    None,
    /// the third row is always there
    ThirdRowAlways,
    /// the third row is never there
    ThirdRowNever,
    /// the registration is complete as soon as it is accepted
    RegisteredAtOnce,
    /// an attempt that failed leaves an application
    KeepsHalfApplications,
    /// an answer that comes twice makes two applications
    AppliesTwice,
    /// another answer to a challenge that was answered is accepted
    AcceptsASecondAnswer,
    /// an answer from another session is accepted
    AcceptsOtherSessions,
    /// a blocked PIN is shown as four tries left
    FourTriesLeft,
    /// lost contact is told as a wrong PIN
    LostContactIsAWrongPin,
    /// 「終了」 does not lead to the top page
    DoesNotFinish,
    /// the inquiry does without the card
    AsksForNoCard,
    /// being busy is told as a fault of the certificate
    BusyIsExpired,
    /// letters of the signature password are sent as they were typed
    SendsLowerCase,
}

/// All of them.
pub const ALL: &[WrongPortal] = &[
    seen(
        "shows_the_third_row_always",
        "FLOW-04",
        "shows 「マイナポータルの利用者登録」 without a registration",
        Wrongness::ThirdRowAlways,
    ),
    seen(
        "shows_the_third_row_never",
        "FLOW-05",
        "never shows 「マイナポータルの利用者登録」",
        Wrongness::ThirdRowNever,
    ),
    seen(
        "registers_at_once",
        "FLOW-06",
        "tells the registration as complete as soon as it is accepted",
        Wrongness::RegisteredAtOnce,
    ),
    seen(
        "keeps_half_applications",
        "FLOW-08",
        "keeps an application that was not finished",
        Wrongness::KeepsHalfApplications,
    ),
    seen(
        "applies_twice",
        "FLOW-13",
        "makes two applications of an answer that comes twice",
        Wrongness::AppliesTwice,
    ),
    seen(
        "accepts_a_replayed_challenge",
        "RP-03",
        "accepts another answer to a challenge that was answered",
        Wrongness::AcceptsASecondAnswer,
    ),
    seen(
        "accepts_other_sessions",
        "RP-02",
        "accepts an answer from another browser's session",
        Wrongness::AcceptsOtherSessions,
    ),
    seen(
        "tells_four_tries_of_a_blocked_pin",
        "FLOW-16",
        "tells a blocked PIN (6984) as four tries left",
        Wrongness::FourTriesLeft,
    ),
    seen(
        "tells_lost_contact_as_a_wrong_pin",
        "FLOW-21",
        "tells lost contact as a wrong PIN",
        Wrongness::LostContactIsAWrongPin,
    ),
    seen(
        "does_not_finish",
        "FLOW-11",
        "「終了」 does not lead back to the top page",
        Wrongness::DoesNotFinish,
    ),
    seen(
        "asks_for_no_card_at_the_inquiry",
        "FLOW-07",
        "answers the inquiry without the card",
        Wrongness::AsksForNoCard,
    ),
    seen(
        "tells_being_busy_as_an_expired_certificate",
        "RP-21",
        "tells being busy as a fault of the certificate",
        Wrongness::BusyIsExpired,
    ),
    seen(
        "sends_the_password_as_it_was_typed",
        "FLOW-18",
        "sends letters of the signature password in lower case",
        Wrongness::SendsLowerCase,
    ),
];

const fn seen(
    name: &'static str,
    breaks: &'static str,
    says: &'static str,
    wrongness: Wrongness,
) -> WrongPortal {
    WrongPortal { name, breaks, says, make: Parts::portal, wrongness }
}

/// The right stage, seen through somebody who is wrong.
pub struct SeenThrough<'w> {
    stage: InProcess<'w>,
    wrongness: Wrongness,
    failed: bool,
    delivered: Option<Delivery>,
    inquires: bool,
}

impl<'w> SeenThrough<'w> {
    /// Wrong in one thing.
    pub fn new(stage: InProcess<'w>, wrongness: Wrongness) -> Self {
        Self { stage, wrongness, failed: false, delivered: None, inquires: false }
    }
}

fn accepted(seen: Seen) -> Seen {
    Seen {
        screen: ScreenName::Done,
        outcome: Some("accepted".to_owned()),
        rows: vec![RowName::Accepted, RowName::Preparing],
        ..seen
    }
}

impl Stage for SeenThrough<'_> {
    fn open(&mut self, tab: &str) -> Result<(), Trouble> {
        self.stage.open(tab)
    }

    fn show(&mut self, tab: &str) -> Result<(), Trouble> {
        self.stage.show(tab)
    }

    fn forget_session(&mut self) -> Result<(), Trouble> {
        self.stage.forget_session()
    }

    fn press(&mut self, button: Pressable) -> Result<(), Trouble> {
        if self.wrongness == Wrongness::DoesNotFinish && button == Pressable::Finish {
            return Ok(());
        }
        self.inquires = match button {
            Pressable::Authenticate => true,
            Pressable::Confirm => self.inquires,
            _ => false,
        };
        self.stage.press(button)
    }

    fn tick(&mut self, ticked: bool) -> Result<(), Trouble> {
        self.stage.tick(ticked)
    }

    fn enter(&mut self, pin: EnterStep, whose: Option<&str>) -> Result<(), Trouble> {
        let pin = match pin {
            // the card refuses either
            EnterStep::LowerCase if self.wrongness == Wrongness::SendsLowerCase => EnterStep::Wrong,
            other => other,
        };
        self.stage.enter(pin, whose)
    }

    fn hold(&mut self, hold: &HoldStep) -> Result<(), Trouble> {
        self.stage.hold(hold)?;
        self.failed |= self.stage.seen()?.screen == ScreenName::Failed;
        Ok(())
    }

    fn lift(&mut self) -> Result<(), Trouble> {
        self.stage.lift()
    }

    fn wait(&mut self, time: Duration) -> Result<(), Trouble> {
        self.stage.wait(time)
    }

    fn terminal(&mut self, step: TerminalStep) -> Result<(), Trouble> {
        self.stage.terminal(step)
    }

    fn deliver(&mut self, delivery: Delivery) -> Result<(), Trouble> {
        self.delivered = Some(delivery);
        self.stage.deliver(delivery)
    }

    fn operate(&mut self, step: OperatorStep) -> Result<(), Trouble> {
        self.stage.operate(step)
    }

    fn seen(&mut self) -> Result<Seen, Trouble> {
        let mut seen = self.stage.seen()?;
        let has_rows = !seen.rows.is_empty();
        let outcome = seen.outcome.clone().unwrap_or_default();
        match self.wrongness {
            Wrongness::ThirdRowAlways if has_rows && !seen.rows.contains(&RowName::UserRegistration) => {
                seen.rows.push(RowName::UserRegistration);
            }
            Wrongness::ThirdRowNever => seen.rows.retain(|row| *row != RowName::UserRegistration),
            Wrongness::RegisteredAtOnce => {
                for row in &mut seen.rows {
                    if *row == RowName::Preparing {
                        *row = RowName::Registered;
                    }
                }
            }
            Wrongness::AcceptsASecondAnswer
                if matches!(self.delivered, Some(Delivery::Replayed | Delivery::Altered)) =>
            {
                seen = accepted(seen);
            }
            Wrongness::AcceptsOtherSessions if outcome == "session_lost" => seen = accepted(seen),
            Wrongness::FourTriesLeft if outcome == "pin_blocked" => seen.text.push_str("あと4回"),
            Wrongness::LostContactIsAWrongPin if outcome == "lost_contact" => {
                seen.outcome = Some("wrong_pin".to_owned());
            }
            Wrongness::AsksForNoCard
                if self.inquires && matches!(seen.screen, ScreenName::Pin | ScreenName::Touch) =>
            {
                seen.screen = ScreenName::Status;
            }
            Wrongness::BusyIsExpired if outcome == "server_busy" => {
                seen.outcome = Some("expired".to_owned());
            }
            _ => {}
        }
        Ok(seen)
    }

    fn applications(&mut self) -> Result<Vec<Held>, Trouble> {
        let mut held = self.stage.applications()?;
        let half = self.wrongness == Wrongness::KeepsHalfApplications && self.failed;
        let twice = self.wrongness == Wrongness::AppliesTwice && self.delivered == Some(Delivery::Again);
        if half || twice {
            held.push(Held {
                applicant: "nobody".to_owned(),
                user_registration: false,
                registered: false,
                signature_on_file: false,
            });
        }
        Ok(held)
    }

    fn tries_left(&mut self, of: PinName) -> Result<u8, Trouble> {
        self.stage.tries_left(of)
    }

    fn miscounted(&mut self) -> Option<Bilingual> {
        self.stage.miscounted()
    }

    fn never_struck(&mut self) -> Vec<Fault> {
        self.stage.never_struck()
    }
}
