//! A connected card that is not built in, and what is known of it: its counters are read, brought
//! to where a scenario begins, accounted for afterwards, and put right again.

use super::event::CardIdentity;
use super::judge::Judge;
use super::kind::Kind;
use super::peer_source::PeerOptions;
use super::plan::{PinUse, Plan, STANDARD};
use super::verdict::{Difference, Expectation, Finding, Stage, tries_left};
use crate::language::{Bilingual, Language};
use crate::link::{CardLink, LinkError, place_of};
use crate::scenario::{Scenario, pin_in_words};
use crate::terminal;
use crate::terminal::PinChoice;
use std::collections::{BTreeMap, BTreeSet};
use vmyna_sim::apdu::{CommandBuilder, ResponseApdu, Status};
use vmyna_sim::holder::Holder;
use vmyna_sim::key::Algorithm;
use vmyna_sim::pin::{ChangeCommand, PinName};
use vmyna_sim::profile::Tries;
use vmyna_sim::smart_card::Power;

/// The requirement that asking for the tries left spends none.
const ASKING_SPENDS_NOTHING: &str = "PIN-04";

/// A connected card and what is known of it.
pub(super) struct Seat {
    pub link: Box<dyn CardLink>,
    pub identity: CardIdentity,
    pub judge: Judge,
    /// of the key in its certificate, where that could be read
    pub algorithm: Option<Algorithm>,
    /// the label of its token, once it has been asked for
    pub label: Option<String>,
    pub guarded: bool,
    /// whose counters are watched: those of JPKI, and every other that the run touches
    pub pins: BTreeSet<PinName>,
    /// `None` where the counter could not be read
    pub tries_left: BTreeMap<PinName, Option<u8>>,
    /// PINs that could not be changed back
    pub unusable: BTreeSet<PinName>,
}

impl Seat {
    pub(super) fn introduction(&self, options: &PeerOptions) -> Bilingual {
        let (ja, en) = match (self.judge, options.mine) {
            (Judge::OurIssuer, _) => (
                "証明書の発行者が JPKI-VMYNA-TEST なので、シミュレータである",
                "the card's certificates were issued by JPKI-VMYNA-TEST: a simulator",
            ),
            (_, true) => ("--mine によりシミュレータとして扱う", "the card is a simulator, says --mine"),
            (_, false) => ("実カードかもしれないので保護する", "the card may be real: it is guarded"),
        };
        let counters = |language: Language| {
            let counter = |(pin, tries): (&PinName, &Option<u8>)| match (language, tries) {
                (Language::Ja, Some(tries)) => format!("{}は残り {tries} 回", pin_in_words(*pin, language)),
                (Language::Ja, None) => format!("{}の残り回数は読めない", pin_in_words(*pin, language)),
                (Language::En, Some(tries)) => format!("{pin} has {tries} tries left"),
                (Language::En, None) => format!("the counter of {pin} could not be read"),
            };
            let counters: Vec<_> = self.tries_left.iter().map(counter).collect();
            counters.join(language.say("、", ", "))
        };
        Bilingual::new(
            format!("{ja}。{}", counters(Language::Ja)),
            format!("{en}; {}", counters(Language::En)),
        )
    }

    /// The full counters of this card: those of the card as it is issued, but where it has more tries
    /// left.
    pub(super) fn full(&self, standard: Tries) -> Tries {
        let more = |full: Tries, (pin, left): (&PinName, &Option<u8>)| full.at_least(*pin, left.unwrap_or(0));
        self.tries_left.iter().fold(standard, more)
    }

    fn transmit(&mut self, command: &[u8]) -> Result<(Vec<u8>, Status), LinkError> {
        let answer = self.link.transmit(command)?;
        let (data, status) = match ResponseApdu::try_from(&answer[..]) {
            Ok(response) => (response.data.to_vec(), response.status),
            Err(error) => return Err(LinkError::lost("ステータスのない応答が返った", error.to_string())),
        };
        Ok((data, status))
    }

    fn power_cycle(&mut self) -> Result<(), LinkError> {
        self.link.power(Power::Off)?;
        self.link.power(Power::On)?;
        self.link.atr().map(|_| ())
    }

    /// Selects the EF of `pin`; VERIFY and CHANGE with P2 80 reach it then. `false` where the card
    /// does not have it.
    fn select_pin(&mut self, pin: PinName) -> Result<bool, LinkError> {
        let Some((application, file)) = place_of(pin) else { return Ok(false) };
        for command in [terminal::select_application(application.aid), terminal::select_file(file)] {
            if self.transmit(&command)?.1 != Status::Success {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether it may be of a profile in which other things hold than of the physical card: what that has, a
    /// certificate that anybody may read and keys of RSA, it has not.
    pub(super) fn may_differ_from_the_card(&self) -> bool {
        self.algorithm != Some(Algorithm::Rsa2048)
    }

    /// What kind of card it is. Its token information is read once, when the first scenario is about one
    /// kind alone. What was selected is another application afterwards.
    pub(super) fn kind(&mut self) -> Result<Kind, LinkError> {
        let label = match &self.label {
            Some(label) => label.clone(),
            None => {
                let label = self.read_label()?;
                self.label.insert(label).clone()
            }
        };
        Ok(Kind { label, algorithm: self.algorithm })
    }

    /// The first field of EF 0006 of JPKI, without its padding; nothing where it cannot be read.
    fn read_label(&mut self) -> Result<String, LinkError> {
        const TOKEN_INFORMATION: u8 = 0x06;
        const LABEL: u32 = 32;
        self.transmit(&terminal::select_application(&terminal::JPKI_AID))?;
        let (label, status) =
            self.transmit(&terminal::read_binary(Some(TOKEN_INFORMATION), 0, LABEL, false))?;
        Ok(match status {
            Status::Success => String::from_utf8_lossy(&label).trim_end().to_owned(),
            _ => String::new(),
        })
    }

    pub(super) fn read_counters(&mut self) -> Result<(), LinkError> {
        for pin in self.pins.clone() {
            self.read_counter(pin)?;
        }
        self.power_cycle()
    }

    fn read_counter(&mut self, pin: PinName) -> Result<Option<u8>, LinkError> {
        if !self.select_pin(pin)? {
            self.tries_left.insert(pin, None);
            return Ok(None);
        }
        let (_, status) = self.transmit(&CommandBuilder::new(0x00, 0x20, 0x00, 0x80).to_bytes())?;
        let tries = match status {
            Status::TriesLeft(tries) => Some(tries),
            Status::ReferencedIefBlocked | Status::AuthenticationMethodBlocked => Some(0),
            _ => None,
        };
        self.tries_left.insert(pin, tries);
        Ok(tries)
    }

    fn present(&mut self, pin: PinName, choice: PinChoice, holder: &Holder) -> Result<Status, LinkError> {
        if !self.select_pin(pin)? {
            return Ok(Status::FileNotFound);
        }
        let value = terminal::pin_value(holder, pin, choice);
        let command = CommandBuilder::new(0x00, 0x20, 0x00, 0x80).data(value.as_bytes()).to_bytes();
        Ok(self.transmit(&command)?.1)
    }

    /// Brings the counters to where the scenario begins, or says what is missing. The card is
    /// freshly powered afterwards.
    pub(super) fn prepare(
        &mut self,
        scenario: &Scenario,
        plan: &Plan,
        holder: &Holder,
        full: Tries,
        may_spend: bool,
    ) -> Result<Option<Bilingual>, LinkError> {
        for (pin, usage) in &plan.pins {
            // A scenario that counts in numbers counts from those of the card as it is issued.
            let given = scenario.given.get(pin).copied();
            let given = given.or_else(|| usage.counted.then(|| STANDARD.of(*pin)));
            if let Some(missing) = self.prepare_pin(*pin, usage, given, holder, full.of(*pin), may_spend)? {
                return Ok(Some(missing));
            }
        }
        self.power_cycle()?;
        Ok(None)
    }

    fn prepare_pin(
        &mut self,
        pin: PinName,
        usage: &PinUse,
        given: Option<u8>,
        holder: &Holder,
        full: u8,
        may_spend: bool,
    ) -> Result<Option<Bilingual>, LinkError> {
        let name = pin_in_words(pin, Language::Ja);
        if self.unusable.contains(&pin) {
            return Ok(Some(Bilingual::new(
                format!("{name}はシナリオが変更し、元に戻せなかった"),
                format!("{pin} was changed by a scenario and could not be changed back"),
            )));
        }
        let wanted = given.unwrap_or(full);
        let Some(mut left) = self.tries_left.get(&pin).copied().flatten() else {
            let missing = || {
                Bilingual::new(
                    format!("{name}の残り回数が読めない"),
                    format!("the counter of {pin} could not be read"),
                )
            };
            return Ok(self.guarded.then(missing));
        };
        let only_right = given.is_none() && usage.wrong == 0 && !usage.asked;
        if only_right && left > u8::from(self.guarded) {
            return Ok(None);
        }
        if left > 0 && left < wanted && left > u8::from(self.guarded) {
            self.present(pin, PinChoice::Right, holder)?;
            left = self.read_counter(pin)?.unwrap_or(left);
        }
        while may_spend && left > wanted {
            self.present(pin, PinChoice::Wrong, holder)?;
            match self.read_counter(pin)? {
                Some(now) if now < left => left = now,
                _ => {
                    return Ok(Some(Bilingual::new(
                        format!("{name}を残り {wanted} 回にできない"),
                        format!("{pin} cannot be brought to {wanted} tries left"),
                    )));
                }
            }
        }
        let tries = |count: u8| format!("{count} {}", if count == 1 { "try" } else { "tries" });
        Ok((left != wanted).then(|| {
            Bilingual::new(
                format!("{name}は残り {left} 回で、{wanted} 回が必要"),
                format!("{pin} has {} left, and {} would be needed", tries(left), tries(wanted)),
            )
        }))
    }

    /// After a scenario that presented PINs and went as planned, the counters must be as planned
    /// too; where one is not, this is the finding.
    pub(super) fn account(
        &mut self,
        scenario: &Scenario,
        plan: &Plan,
        full: Tries,
    ) -> Result<Option<Finding>, LinkError> {
        if !plan.presents_pins() {
            return Ok(None);
        }
        let before = self.tries_left.clone();
        self.read_counters()?;
        for pin in self.pins.clone() {
            let (Some(Some(before)), Some(Some(left))) =
                (before.get(&pin).copied(), self.tries_left.get(&pin).copied())
            else {
                continue;
            };
            let (planned, rules) = plan.counter_afterwards(pin, before, full);
            if left != planned {
                // Where asking itself spends tries, no other rule about counters can be judged. A card
                // that may be real is not asked for it once more.
                let asking_spends =
                    !self.guarded && self.read_counter(pin)?.is_some_and(|again| again < left);
                let rules: &[&str] = if asking_spends { &[ASKING_SPENDS_NOTHING] } else { rules };
                return Ok(Some(Finding {
                    position: scenario.position.clone(),
                    snippet: scenario.source.snippet(&scenario.position),
                    stage: Stage::Cleanup,
                    step: format!("the counter of {pin} after the scenario"),
                    words: Bilingual::new(
                        format!("シナリオの後の{}の残り回数", pin_in_words(pin, Language::Ja)),
                        format!("the counter of {pin} after the scenario"),
                    ),
                    requirements: rules.iter().map(|rule| (*rule).to_owned()).collect(),
                    why: None,
                    difference: Difference {
                        expected: tries_left(planned),
                        came: tries_left(left),
                        exchange: None,
                        kind: Expectation::Requirement,
                    },
                }));
            }
        }
        Ok(None)
    }

    /// Changes PINs back and refills counters, as far as that goes.
    pub(super) fn restore(
        &mut self,
        changed: &[PinName],
        holder: &Holder,
        full: Tries,
    ) -> Result<(), LinkError> {
        self.power_cycle()?;
        for pin in changed {
            let value = terminal::pin_value(holder, *pin, PinChoice::Right);
            let [cla, ins, p1] = match pin.changed_with() {
                Some(ChangeCommand::ChangeKey) => [0x80, 0x32, 0x00],
                Some(ChangeCommand::ChangeReferenceData) | None => [0x00, 0x24, 0x01],
            };
            let change = CommandBuilder::new(cla, ins, p1, 0x80).data(value.as_bytes()).to_bytes();
            let restored = self.present(*pin, PinChoice::New, holder).and_then(|_| self.transmit(&change));
            match restored {
                Ok((_, Status::Success)) => {}
                Ok(_) | Err(LinkError::Refused(_)) => {
                    self.unusable.insert(*pin);
                }
                Err(error) => return Err(error),
            }
        }
        for pin in self.pins.clone() {
            let left = self.read_counter(pin)?;
            if left.is_some_and(|left| left > u8::from(self.guarded) && left < full.of(pin))
                && !self.unusable.contains(&pin)
            {
                match self.present(pin, PinChoice::Right, holder) {
                    Ok(_) | Err(LinkError::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
                self.read_counter(pin)?;
            }
        }
        self.power_cycle()
    }
}
