//! The terminal in the holder's hand: which of its screens is shown, what it waits for, and when it
//! gives up. What it says to the card is the [`Phone`]'s; how its screens look is up to whoever shows
//! them. Flows and the desk of `vmyna portal` both play this one.

use super::Phone;
use crate::link::{CardLink, LinkError};
use crate::portal::{Answer, TerminalFailure};
use crate::terminal::Credential;
use crate::terminal::Platform;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use vmyna_sim::pin::PinValue;
use vmyna_sim::smart_card::Power;
use zeroize::Zeroizing;

/// After so long a terminal gives up, be it without a card or in the middle of reading: the limit of
/// an NFC session on iOS, taken for the others too.
pub const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// The clock that a terminal looks at.
pub type TerminalClock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

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

/// A terminal with one request of the portal before it. Cards come to it as links of kind `L`.
pub struct Handset<L: CardLink + ?Sized> {
    platform: Platform,
    phone: Phone,
    screen: TerminalScreen,
    nonce: [u8; 32],
    /// since when it waits for a card or reads one
    since: Option<Timestamp>,
    entered: String,
    pin: Option<PinValue>,
    tries_left: Option<u8>,
    clock: TerminalClock,
    card: Option<Timed<L>>,
    /// a card that was there before it was asked for
    early: Option<(Box<L>, Reader)>,
}

impl<L: CardLink + ?Sized> Handset<L> {
    /// A terminal that is asked to have `nonce` signed.
    #[must_use]
    pub fn new(platform: Platform, phone: Phone, nonce: [u8; 32], clock: TerminalClock) -> Self {
        let mut handset = Self {
            platform,
            phone,
            screen: TerminalScreen::Pin,
            nonce,
            since: None,
            entered: String::new(),
            pin: None,
            tries_left: None,
            clock,
            card: None,
            early: None,
        };
        handset.begin(platform);
        handset
    }

    /// From the beginning, perhaps as another kind of terminal. It still knows which card was there
    /// first.
    pub fn begin(&mut self, platform: Platform) {
        let card_first = platform.wants_card_first();
        self.platform = platform;
        self.screen = if card_first { TerminalScreen::Touch } else { TerminalScreen::Pin };
        self.since = card_first.then(|| (self.clock)());
        self.entered.clear();
        (self.pin, self.tries_left) = (None, None);
        self.lift();
    }

    /// What kind of terminal it is.
    #[must_use]
    pub const fn platform(&self) -> Platform {
        self.platform
    }

    /// With what the card is to sign.
    #[must_use]
    pub const fn credential(&self) -> Credential {
        self.phone.credential()
    }

    /// What it shows.
    #[must_use]
    pub const fn screen(&self) -> TerminalScreen {
        self.screen
    }

    /// The tries that the card has told to be left.
    #[must_use]
    pub const fn tries_left(&self) -> Option<u8> {
        self.tries_left
    }

    /// How long it will still wait for a card; `None` while it waits for none.
    #[must_use]
    pub fn patience(&self) -> Option<SignedDuration> {
        let since = self.since.filter(|_| self.screen == TerminalScreen::Touch)?;
        Some(PATIENCE.saturating_sub((self.clock)().duration_since(since)))
    }

    /// Types into the PIN field, in place of what was there.
    pub fn enter(&mut self, text: &str) {
        text.clone_into(&mut self.entered);
    }

    /// 「次へ」 or 「OK」. What has not the form of the PIN is not taken, and nothing happens.
    pub fn confirm(&mut self) -> Option<Answer> {
        let entered = Zeroizing::new(std::mem::take(&mut self.entered));
        if self.screen != TerminalScreen::Pin {
            return None;
        }
        self.pin = Some(self.credential().pin_as_sent(&entered)?);
        if self.platform.wants_card_first() {
            return Some(self.authenticate());
        }
        self.screen = TerminalScreen::Touch;
        self.since = Some((self.clock)());
        match self.early.take() {
            Some((card, reader)) => self.hold(card, reader),
            None => None,
        }
    }

    /// 「キャンセル」
    #[must_use]
    pub const fn cancel() -> Answer {
        Answer::Failed(TerminalFailure::Cancelled)
    }

    /// A card comes into the field of `reader`. A terminal that asks for the PIN first has no field
    /// until it was entered; the card is found then.
    pub fn hold(&mut self, card: Box<L>, reader: Reader) -> Option<Answer> {
        if self.screen == TerminalScreen::Pin && !self.platform.wants_card_first() {
            self.early = Some((card, reader));
            return None;
        }
        match reader {
            Reader::Ready => {}
            Reader::Missing => return Some(Answer::Failed(TerminalFailure::NoReader)),
            Reader::Busy => return Some(Answer::Failed(TerminalFailure::ReaderBusy)),
        }
        let since = *self.since.get_or_insert_with(|| (self.clock)());
        let mut card = Timed { card, clock: self.clock.clone(), since, is_late: false };
        // A card that does not answer to the reset, or with what cannot be an answer to it, is not
        // noticed; the terminal goes on waiting.
        let answer_to_reset = card.power(Power::On).and_then(|()| card.atr());
        if !answer_to_reset.is_ok_and(|answer| matches!(answer.first(), Some(0x3B | 0x3F))) {
            return self.look_at_the_clock();
        }
        let touched = self.phone.touch(&mut card);
        let is_late = card.is_late;
        self.card = Some(card);
        match touched {
            Err(_) if is_late => Some(Answer::Failed(TerminalFailure::TimedOut)),
            Err(failure) => Some(Answer::Failed(failure)),
            Ok(tries_left) if self.platform.wants_card_first() => {
                (self.screen, self.tries_left) = (TerminalScreen::Pin, tries_left);
                None
            }
            Ok(_) => Some(self.authenticate()),
        }
    }

    /// The card leaves the field.
    pub fn lift(&mut self) {
        (self.card, self.early) = (None, None);
    }

    /// Some time has passed.
    pub fn look_at_the_clock(&mut self) -> Option<Answer> {
        let late = self.patience().is_some_and(|left| left.is_negative());
        late.then_some(Answer::Failed(TerminalFailure::TimedOut))
    }

    fn authenticate(&mut self) -> Answer {
        let (Some(card), Some(pin)) = (&mut self.card, &self.pin) else {
            return Answer::Failed(TerminalFailure::LostContact);
        };
        if self.platform.wants_card_first() {
            // the holder took the time that it took to enter the PIN
            card.since = (self.clock)();
        }
        match self.phone.authenticate(card, pin, &self.nonce) {
            Ok(answer) => answer,
            Err(_) if card.is_late => Answer::Failed(TerminalFailure::TimedOut),
            Err(failure) => Answer::Failed(failure),
        }
    }
}

/// A link that is given up when the terminal's time is over.
struct Timed<L: CardLink + ?Sized> {
    card: Box<L>,
    clock: TerminalClock,
    since: Timestamp,
    is_late: bool,
}

impl<L: CardLink + ?Sized> CardLink for Timed<L> {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        self.card.atr()
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        self.card.power(power)
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        let answer = self.card.transmit(command)?;
        if (self.clock)().duration_since(self.since) > PATIENCE {
            self.is_late = true;
            return Err(LinkError::lost("端末があきらめた", "the terminal gave up"));
        }
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::InProcess;
    use vmyna_sim::card::VirtualCard;

    type Here = Handset<InProcess<VirtualCard>>;

    fn card(holder: &str) -> Box<InProcess<VirtualCard>> {
        Box::new(InProcess(VirtualCard::built_in(holder).unwrap()))
    }

    fn handset(platform: Platform) -> Here {
        Handset::new(
            platform,
            Phone::new(Credential::UserAuthentication),
            [7; 32],
            Arc::new(|| Timestamp::UNIX_EPOCH),
        )
    }

    fn enter(handset: &mut Here) -> Option<Answer> {
        handset.enter("1234");
        handset.confirm()
    }

    #[test]
    fn a_card_that_lies_there_before_the_pin_was_entered_is_found_afterwards() {
        let mut handset = handset(Platform::Ios);
        assert_eq!(handset.hold(card("hanako"), Reader::Ready), None);
        assert_eq!(handset.screen(), TerminalScreen::Pin);
        assert!(matches!(enter(&mut handset), Some(Answer::Signed { .. })));
    }

    #[test]
    fn a_card_that_was_lifted_again_is_not_found() {
        let mut handset = handset(Platform::Ios);
        handset.hold(card("hanako"), Reader::Ready);
        handset.lift();
        assert_eq!(enter(&mut handset), None);
        assert_eq!((handset.screen(), handset.patience()), (TerminalScreen::Touch, Some(PATIENCE)));
    }

    #[test]
    fn begun_again_it_still_knows_the_first_card() {
        let mut handset = handset(Platform::Android);
        assert_eq!(handset.hold(card("hanako"), Reader::Ready), None);
        assert_eq!((handset.screen(), handset.tries_left()), (TerminalScreen::Pin, Some(3)));
        handset.begin(Platform::Android);
        let other = handset.hold(card("taro"), Reader::Ready);
        assert_eq!(other, Some(Answer::Failed(TerminalFailure::OtherCard)));
    }
}
