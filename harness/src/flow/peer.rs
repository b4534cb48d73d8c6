//! A card that is not built in, in the holder's hand: it is held and lifted by its power alone, is
//! nobody else's, suffers nothing, and what its counter holds is asked for.

use super::card::FlowCard;
use super::in_process::Hand;
use super::stage::Trouble;
use crate::link::{CardLink, LinkError};

use crate::scenario::{DEFAULT_HOLDER, Delivery, EnterStep, HoldStep, Pressable, Scenario, Verb};
use crate::terminal::{Credential, JPKI_AID, pin_file, select_application, select_file};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use vmyna_sim::apdu::{CommandBuilder, ResponseApdu, Status};
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::Tries;
use vmyna_sim::smart_card::Power;

/// How often a flow has the holder enter a PIN.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entered {
    /// the right value
    pub right: u32,
    /// another one
    pub wrong: u32,
    /// the flow says what its counter is, and begins with a full one
    pub counted: bool,
    /// other values since the last right one
    spent: u8,
}

type Sentences = (&'static str, &'static str);

const OTHER_STATE: Sentences = (
    "別の状態のカード、または別の時点から始まるフローである",
    "the flow begins with a card in another state, or at another time",
);

/// How often `scenario` enters each PIN of the card of `holder`, whose full counters are `full`; or why it
/// cannot be played with a card that is not built in.
///
/// # Errors
/// A sentence that says what the flow needs, in Japanese and English.
pub fn on_a_peer(
    scenario: &Scenario,
    holder: &Holder,
    full: Tries,
) -> Result<BTreeMap<PinName, Entered>, Sentences> {
    if scenario.holder != DEFAULT_HOLDER {
        let is_theirs = |named: Holder| named.id() == holder.id() && named.title == holder.title;
        if !Holder::built_in(&scenario.holder).is_some_and(is_theirs) {
            return Err(("他人のカードについてのフローである", "the flow is about another person's card"));
        }
        if PinName::JPKI.iter().any(|pin| holder.state.tries_left.of(*pin).is_some()) {
            return Err(OTHER_STATE);
        }
    }
    if !scenario.given.is_empty() || scenario.flow.is_some_and(|setting| setting.after_expiry.is_some()) {
        return Err(OTHER_STATE);
    }
    let mut entered = BTreeMap::<PinName, Entered>::new();
    let mut asked_for = PinName::UserAuthentication;
    for placed in scenario.all_steps() {
        let verb = &placed.step.verb;
        if let Some(why_not) = needs_a_built_in_card(verb) {
            return Err(why_not);
        }
        let enters = match verb {
            Verb::Press(step) => {
                asked_for = credential_behind(step.0).map_or(asked_for, Credential::pin);
                continue;
            }
            Verb::Card(step) => {
                entered.entry(step.of.pin()).or_default().counted = true;
                continue;
            }
            Verb::Present(present) => present.pin,
            Verb::Enter(step) => *step,
            _ => continue,
        };
        let of_this = entered.entry(asked_for).or_default();
        match enters {
            // the terminal sends letters in upper case
            EnterStep::Right | EnterStep::LowerCase => {
                (of_this.right, of_this.spent) = (of_this.right + 1, 0);
            }
            EnterStep::Wrong => (of_this.wrong, of_this.spent) = (of_this.wrong + 1, of_this.spent + 1),
            EnterStep::TooShort | EnterStep::TooLong | EnterStep::Letters | EnterStep::Nothing => {}
        }
        if of_this.spent >= full.of(asked_for) {
            return Err(("暗証番号を閉塞させるフローである", "the flow blocks the PIN"));
        }
    }
    if entered.values().any(|entered| entered.spent > 0) {
        Err(("回数が減ったまま終わるフローである", "the flow leaves tries spent"))
    } else {
        Ok(entered)
    }
}

/// With what the card proves what is asked for after this button.
const fn credential_behind(button: Pressable) -> Option<Credential> {
    match button {
        Pressable::Apply | Pressable::Authenticate => Some(Credential::UserAuthentication),
        Pressable::Sign => Some(Credential::DigitalSignature),
        _ => None,
    }
}

/// Why a step can be done with a built-in card only.
fn needs_a_built_in_card(verb: &Verb) -> Option<Sentences> {
    let swaps_or_disturbs = |hold: &HoldStep| {
        if hold.card.is_some() {
            Some(("カードを取り替えるフローである", "the flow swaps the card"))
        } else if hold.suffering.is_empty() {
            None
        } else {
            Some(("カードを妨げるフローである", "the flow disturbs the card"))
        }
    };
    match verb {
        Verb::Lift(_) => Some((
            "内蔵カードだけが知る瞬間にカードを離すフローである",
            "the flow lifts the card at a moment that only a built-in one knows",
        )),
        Verb::Hold(hold) => swaps_or_disturbs(hold),
        Verb::Present(present) => swaps_or_disturbs(&present.hold()),
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
            Some((
                "カードの鍵が他人の手にあることを要するフローである",
                "the flow needs the card's keys in the hands of another",
            ))
        }
        _ => None,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirement::Requirements;
    use crate::scenario;
    use vmyna_sim::profile::Profile;

    fn entered(id: &str, holder: &str) -> Result<BTreeMap<PinName, Entered>, &'static str> {
        let requirements = Requirements::built_in();
        let scenarios = scenario::built_in(&requirements);
        let scenario = scenarios.iter().find(|scenario| scenario.id == id).unwrap();
        let holder = Holder::built_in(holder).unwrap();
        on_a_peer(scenario, &holder, Profile::card().tries).map_err(|(_, why_not)| why_not)
    }

    fn times(right: u32, wrong: u32, counted: bool) -> Entered {
        Entered { right, wrong, counted, spent: 0 }
    }

    #[test]
    fn each_pin_is_counted_where_it_is_asked_for() {
        let [pin, password] = PinName::JPKI;
        let both = |of_pin, of_password| Ok([(pin, of_pin), (password, of_password)].into());
        let registered = entered("flow.signature.registered[ios-lower-case]", "taro");
        assert_eq!(registered, both(times(3, 0, false), times(1, 0, true)));
        let wrong = entered("flow.signature.wrong-then-right[pc]", "taro");
        assert_eq!(wrong, both(times(2, 0, true), times(1, 1, true)));
        let form = entered("flow.signature.form[nothing]", "taro");
        assert_eq!(form, both(times(2, 0, false), times(0, 0, true)));
        assert_eq!(entered("flow.pin.lockout[ios]", "hanako"), Err("the flow blocks the PIN"));
    }

    #[test]
    fn a_flow_about_one_person_is_for_that_persons_card_with_full_counters() {
        let flow = "flow.certificate.holders[child]";
        assert_eq!(entered(flow, "child"), Ok([(PinName::UserAuthentication, times(1, 0, false))].into()));
        assert_eq!(entered(flow, "hanako"), Err("the flow is about another person's card"));
        assert_eq!(entered("flow.pin.last-try[right]", "last-try"), Err(OTHER_STATE.1));
    }
}
