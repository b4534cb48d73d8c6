//! A card that is not built in, in the holder's hand: it is held and lifted by its power alone, is
//! nobody else's, suffers nothing, and what its counter holds is asked for.

use super::card::FlowCard;
use super::in_process::Hand;
use super::stage::Trouble;
use crate::link::{CardLink, LinkError};
use crate::scenario::{DEFAULT_HOLDER, Delivery, EnterStep, Pressable, Scenario, Verb};
use crate::terminal::{JPKI_AID, pin_file, select_application, select_file};
use std::cell::RefCell;
use std::rc::Rc;
use vmyna_sim::apdu::{CommandBuilder, ResponseApdu, Status};
use vmyna_sim::pin::PinName;
use vmyna_sim::smart_card::Power;

/// How often a flow has the holder enter the PIN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entered {
    /// the right one
    pub right: u32,
    /// a wrong one
    pub wrong: u32,
}

/// How often `scenario` enters the PIN; or why it cannot be played with a card that is not built in.
///
/// # Errors
/// A sentence that says what the flow needs, in Japanese and English.
pub fn on_a_peer(scenario: &Scenario) -> Result<Entered, (&'static str, &'static str)> {
    if scenario.holder != DEFAULT_HOLDER {
        return Err(("他人のカードについてのフローである", "the flow is about another person's card"));
    }
    if !scenario.given.is_empty() || scenario.flow.is_some_and(|setting| setting.after_expiry.is_some()) {
        return Err((
            "別の状態のカード、または別の時点から始まるフローである",
            "the flow begins with a card in another state, or at another time",
        ));
    }
    let (mut entered, mut spent) = (Entered::default(), 0);
    for placed in scenario.all_steps() {
        let enters = match &placed.step.verb {
            Verb::Press(step) if step.0 == Pressable::Sign => {
                return Err((
                    "署名用電子証明書のパスワードを使うフローである",
                    "the flow enters the signature password, which is not counted on another's card",
                ));
            }
            Verb::Lift(_) => {
                return Err((
                    "内蔵カードだけが知る瞬間にカードを離すフローである",
                    "the flow lifts the card at a moment that only a built-in one knows",
                ));
            }
            Verb::Hold(hold) if hold.card.is_some() => {
                return Err(("カードを取り替えるフローである", "the flow swaps the card"));
            }
            Verb::Hold(hold) if !hold.suffering.is_empty() => {
                return Err(("カードを妨げるフローである", "the flow disturbs the card"));
            }
            Verb::Present(present) if present.hold().card.is_some() => {
                return Err(("カードを取り替えるフローである", "the flow swaps the card"));
            }
            Verb::Present(present) if !present.hold().suffering.is_empty() => {
                return Err(("カードを妨げるフローである", "the flow disturbs the card"));
            }
            Verb::Callback(step)
                if matches!(
                    step.0,
                    Delivery::ReplacedCertificate
                        | Delivery::OthersCertificate
                        | Delivery::SignatureCertificate
                        | Delivery::FormerSignatureCertificate
                        | Delivery::BrokenCertificate
                ) =>
            {
                return Err((
                    "カードの鍵が他人の手にあることを要するフローである",
                    "the flow needs the card's keys in the hands of another",
                ));
            }
            Verb::Present(present) => present.pin,
            Verb::Enter(step) => *step,
            _ => continue,
        };
        match enters {
            EnterStep::Right => (entered.right, spent) = (entered.right + 1, 0),
            EnterStep::Wrong => (entered.wrong, spent) = (entered.wrong + 1, spent + 1),
            _ => {}
        }
        if spent > 2 {
            return Err(("暗証番号を閉塞させるフローである", "the flow blocks the PIN"));
        }
    }
    if spent > 0 {
        Err(("回数が減ったまま終わるフローである", "the flow leaves tries spent"))
    } else {
        Ok(entered)
    }
}

type Link = Rc<RefCell<Box<dyn CardLink>>>;

/// Holds the card at the end of a link to the phone, whoever's it is.
pub struct PeerHand(Link);

impl PeerHand {
    /// The card at the end of `link`, which whoever has it too must leave alone meanwhile.
    #[must_use]
    pub const fn of(link: Link) -> Self {
        Self(link)
    }

    fn ask_for_tries(&self, of: PinName) -> Result<u8, LinkError> {
        let mut link = Held(self.0.clone());
        link.power(Power::On)?;
        link.transmit(&select_application(&JPKI_AID))?;
        link.transmit(&select_file(pin_file(of)))?;
        let answer = link.transmit(&CommandBuilder::new(0x00, 0x20, 0x00, 0x80).to_bytes())?;
        match ResponseApdu::try_from(&answer[..]).map(|response| response.status) {
            Ok(Status::TriesLeft(tries)) => Ok(tries),
            Ok(Status::ReferencedIefBlocked | Status::AuthenticationMethodBlocked) => Ok(0),
            other => Err(LinkError::lost(
                format!("カードが残り回数を答えない: {other:?}"),
                format!("the card does not tell the tries left: {other:?}"),
            )),
        }
    }
}

impl Hand for PeerHand {
    fn hold(&mut self, _: &FlowCard) -> Result<Box<dyn CardLink>, Trouble> {
        Ok(Box::new(Held(self.0.clone())))
    }

    fn tries_left(&mut self, of: PinName) -> Option<Result<u8, Trouble>> {
        Some(self.ask_for_tries(of).map_err(|error| Trouble::Broken(error.in_words())))
    }
}

/// The card on the phone.
struct Held(Link);

impl CardLink for Held {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        self.0.borrow_mut().atr()
    }

    /// A card that comes into the field has been without power.
    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        let mut link = self.0.borrow_mut();
        if power == Power::On {
            link.power(Power::Off)?;
        }
        link.power(power)
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        self.0.borrow_mut().transmit(command)
    }
}
