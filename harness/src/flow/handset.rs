//! The terminal in the holder's hand: which of its screens is shown, what it waits for, and when it
//! gives up. What it says to the card is the [`Phone`]'s.

use super::clock::FlowClock;
use crate::link::{CardLink, LinkError};
use crate::portal::phone::{Phone, Platform};
use crate::portal::{Answer, TerminalFailure};
use jiff::{SignedDuration, Timestamp};
use vmyna_sim::holder::PinValue;
use vmyna_sim::pin::PinName;
use vmyna_sim::smart_card::Power;

/// After so long a terminal gives up, be it without a card or in the middle of reading: the limit of
/// an NFC session on iOS, taken for the others too.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// What becomes of the reader.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reader {
    /// it works
    #[default]
    Ready,
    /// there is none, or NFC is off
    Missing,
    /// other software holds it
    Busy,
}

/// A screen of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TerminalScreen {
    /// A3: it asks for the PIN
    Pin,
    /// A4: it asks for the card
    Touch,
}

/// A terminal with one request of the portal before it.
pub struct Handset<'a> {
    platform: Platform,
    phone: Phone,
    screen: TerminalScreen,
    nonce: [u8; 32],
    /// since when it waits for a card or reads one
    since: Option<Timestamp>,
    entered: String,
    pin: Option<PinValue>,
    clock: FlowClock,
    card: Option<Timed<'a>>,
}

impl<'a> Handset<'a> {
    /// A terminal that is asked to have `nonce` signed.
    #[must_use]
    pub fn new(platform: Platform, phone: Phone, nonce: [u8; 32], clock: &FlowClock) -> Self {
        let card_first = platform.wants_card_first();
        Self {
            platform,
            phone,
            screen: if card_first { TerminalScreen::Touch } else { TerminalScreen::Pin },
            nonce,
            since: card_first.then(|| clock.now()),
            entered: String::new(),
            pin: None,
            clock: clock.clone(),
            card: None,
        }
    }

    /// What it shows.
    #[must_use]
    pub const fn screen(&self) -> TerminalScreen {
        self.screen
    }

    /// Types into the PIN field, in place of what was there.
    pub fn enter(&mut self, text: &str) {
        text.clone_into(&mut self.entered);
    }

    /// 「次へ」 or 「OK」. What is not four digits is not taken, and nothing happens.
    pub fn confirm(&mut self) -> Option<Answer> {
        let entered = std::mem::take(&mut self.entered);
        let pin = PinValue::new(entered.into_bytes());
        if !PinName::UserAuthentication.allows(pin.as_bytes()) {
            return None;
        }
        self.pin = Some(pin);
        if self.platform.wants_card_first() {
            return Some(self.authenticate());
        }
        self.screen = TerminalScreen::Touch;
        self.since = Some(self.clock.now());
        None
    }

    /// 「キャンセル」
    #[must_use]
    pub const fn cancel() -> Answer {
        Answer::Failed(TerminalFailure::Cancelled)
    }

    /// A card comes into the field of `reader`.
    pub fn hold(&mut self, card: Box<dyn CardLink + 'a>, reader: Reader) -> Option<Answer> {
        match reader {
            Reader::Ready => {}
            Reader::Missing => return Some(Answer::Failed(TerminalFailure::NoReader)),
            Reader::Busy => return Some(Answer::Failed(TerminalFailure::ReaderBusy)),
        }
        let since = *self.since.get_or_insert(self.clock.now());
        let mut card = Timed { card, clock: self.clock.clone(), since, is_late: false };
        // A card that does not answer to the reset is not noticed; the terminal goes on waiting.
        if card.power(Power::On).and_then(|()| card.atr()).is_err() {
            return self.look_at_the_clock();
        }
        let touched = self.phone.touch(&mut card);
        let is_late = card.is_late;
        self.card = Some(card);
        match touched {
            Err(_) if is_late => Some(Answer::Failed(TerminalFailure::TimedOut)),
            Err(failure) => Some(Answer::Failed(failure)),
            Ok(_) if self.platform.wants_card_first() => {
                self.screen = TerminalScreen::Pin;
                None
            }
            Ok(_) => Some(self.authenticate()),
        }
    }

    /// The card leaves the field.
    pub fn lift(&mut self) {
        self.card = None;
    }

    /// Some time has passed.
    pub fn look_at_the_clock(&mut self) -> Option<Answer> {
        let waits = self.screen == TerminalScreen::Touch;
        let late = self.since.is_some_and(|since| self.clock.now().duration_since(since) > PATIENCE);
        (waits && late).then_some(Answer::Failed(TerminalFailure::TimedOut))
    }

    fn authenticate(&mut self) -> Answer {
        let (Some(card), Some(pin)) = (&mut self.card, &self.pin) else {
            return Answer::Failed(TerminalFailure::LostContact);
        };
        if self.platform.wants_card_first() {
            // the holder took the time that it took to enter the PIN
            card.since = self.clock.now();
        }
        match self.phone.authenticate(card, pin, &self.nonce) {
            Ok(answer) => answer,
            Err(_) if card.is_late => Answer::Failed(TerminalFailure::TimedOut),
            Err(failure) => Answer::Failed(failure),
        }
    }
}

/// A link that is given up when the terminal's time is over.
struct Timed<'a> {
    card: Box<dyn CardLink + 'a>,
    clock: FlowClock,
    since: Timestamp,
    is_late: bool,
}

impl CardLink for Timed<'_> {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        self.card.atr()
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        self.card.power(power)
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        let answer = self.card.transmit(command)?;
        if self.clock.now().duration_since(self.since) > PATIENCE {
            self.is_late = true;
            return Err(LinkError::Lost("the terminal gave up".to_owned()));
        }
        Ok(answer)
    }
}
