//! A walk through a scenario as a right card would answer it: what is presented, counted and selected on
//! the way, and what it takes for granted.

use super::Plan;
use super::reliance::STORED_ANSWER_TO_RESET;
use crate::link::Selection;
use crate::scenario::{
    By, CertificateCheck, Pressable, Scenario, SecureCommand, SelectTarget, StatusExpectation, Template,
    TriesExpectation, Verb,
};
use crate::terminal;
use crate::terminal::{CertificateName, PinChoice};
use std::collections::BTreeMap;
use vmyna_sim::apdu::{CommandApdu, Status};
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::Tries;

pub(super) struct Walk {
    pub plan: Plan,
    /// the counters that the scenario states in numbers, in its order, and whether they are right
    pub counts: Vec<(PinName, bool)>,
    selection: Selection,
    /// the PIN for user authentication is verified
    verified: bool,
    value: BTreeMap<PinName, PinChoice>,
    pub tries: BTreeMap<PinName, u8>,
    full: Tries,
}

/// EF 0006 of JPKI, which begins with the token's label.
const TOKEN_INFORMATION: u16 = 0x0006;

/// EF 0008 of JPKI, which tells which certificates there are.
const CERTIFICATES_PRESENT: u16 = 0x0008;

const SUCCESS: [u8; 2] = [0x90, 0x00];
const REFUSED: [u8; 2] = [0x6A, 0x82];

impl Walk {
    /// Through all of `scenario` on a card with these full counters, where each PIN `begins` with so many
    /// tries unless the scenario says otherwise.
    pub fn of(scenario: &Scenario, full: Tries, begins: impl Fn(PinName) -> u8) -> Self {
        let mut walk = Self {
            plan: Plan::default(),
            counts: Vec::new(),
            selection: Selection::default(),
            verified: false,
            value: BTreeMap::new(),
            tries: PinName::ALL
                .map(|pin| (pin, scenario.given.get(&pin).copied().unwrap_or_else(|| begins(pin))))
                .into(),
            full,
        };
        for pin in scenario.given.keys() {
            walk.plan.pins.entry(*pin).or_default().asked = true;
        }
        for placed in scenario.all_steps() {
            walk.step(&placed.step.verb);
        }
        let is_flow = scenario.flow.is_some();
        walk.plan.reliance.free_certificate |= is_flow;
        walk.plan.reliance.rsa |= is_flow;
        walk.plan.reliance.in_force |= is_flow;
        walk.plan.reliance.pins = walk.plan.pins.keys().copied().collect();
        walk
    }

    /// The scenario states the counter of `pin`, in numbers where `in_numbers`.
    fn count(&mut self, pin: PinName, in_numbers: bool, right: bool) {
        self.counts.push((pin, right));
        self.plan.pins.entry(pin).or_default().counted |= in_numbers;
    }

    /// The scenario states the answer to VERIFY of `pin`, which had `before` tries left.
    fn answered(&mut self, pin: PinName, before: u8, right: bool, expected: &StatusExpectation) {
        let left = self.tries.get(&pin).copied().unwrap_or_default();
        let blocked = [Status::AuthenticationMethodBlocked, Status::ReferencedIefBlocked];
        if before == 0 {
            let told: Vec<_> = blocked.into_iter().filter(|status| expected.is_met(*status)).collect();
            if let [status] = told[..] {
                self.plan.reliance.blocked_status = Some(status);
            }
        }
        let met = match (before, right) {
            (0, _) => blocked.into_iter().any(|status| expected.is_met(status)),
            (_, true) => expected.is_met(Status::Success),
            (_, false) => expected.is_met(Status::TriesLeft(left)),
        };
        let in_numbers = !right && before > 0 && !expected.is_met(Status::TriesLeft(left ^ 1));
        self.count(pin, in_numbers, met);
    }

    fn step(&mut self, verb: &Verb) {
        match verb {
            Verb::Power(_) => {
                self.selection = Selection::default();
                self.verified = false;
            }
            Verb::Atr(step) => self.plan.reliance.answer_to_reset |= step.expect.value.is_exact(),
            Verb::GetData(step) => {
                self.plan.reliance.stored_answer_to_reset |= step.tag == STORED_ANSWER_TO_RESET;
            }
            Verb::Select(step) => {
                let command = match &step.target {
                    SelectTarget::Application { name, aid } => {
                        if step.expects_success() {
                            self.plan.reliance.applications.insert(name);
                        }
                        terminal::select_application(aid)
                    }
                    SelectTarget::Aid(aid) => terminal::select_application(aid),
                    SelectTarget::File(id) => terminal::select_file(*id),
                };
                self.selection.exchange(&command, expected_status(&step.expect.status));
            }
            Verb::TriesLeft(step) => {
                self.select(step.by, terminal::pin_file(step.of));
                self.plan.pins.entry(step.of).or_default().asked |=
                    matches!(step.expect, TriesExpectation::Count(_) | TriesExpectation::Full);
                if let TriesExpectation::Count(count) = step.expect {
                    self.count(step.of, true, count == self.tries.get(&step.of).copied().unwrap_or_default());
                }
            }
            Verb::Verify(step) => {
                self.select(step.by, terminal::pin_file(step.pin));
                let current = self.value.get(&step.pin).copied().unwrap_or(PinChoice::Right);
                self.verify(step.pin, step.value == current, &step.expect.status);
            }
            Verb::ChangePin(step) => {
                self.select(step.by, terminal::pin_file(step.pin));
                self.plan.pins.entry(step.pin).or_default().changed = true;
                if expected_status(&step.expect.status) == SUCCESS {
                    self.value.insert(step.pin, step.to);
                }
            }
            Verb::Sign(step) => {
                let of_jpki = step.key.certificate().is_some();
                let succeeds = step.expect.answer().is_none_or(|expect| expect.status.allows_success());
                self.plan.reliance.rsa |= of_jpki && succeeds;
                if let Some(by) = step.by.file() {
                    self.select(by, terminal::key_file(step.key));
                }
            }
            Verb::Authenticate(step) => self.select(step.by, terminal::key_file(step.key)),
            Verb::ReadFile(step) => {
                self.select(step.by, step.file);
                self.reads(Some(step.file), &step.expect.status);
            }
            Verb::ReadBinary(step) => {
                let file = step.sfi.map(u16::from).or(self.selection.file());
                self.reads(file, &step.expect.status);
                let content = &step.expect.content;
                let tells_the_label = step.offset == 0 && (content.data.is_some() || content.text.is_some());
                self.plan.reliance.signature_certificate |=
                    !content.is_empty() && self.is_in_jpki(file, CERTIFICATES_PRESENT);
                self.plan.reliance.token_label |= tells_the_label && self.is_in_jpki(file, TOKEN_INFORMATION);
                let command = terminal::read_binary(step.sfi, step.offset, step.le, step.extended);
                self.selection.exchange(&command, expected_status(&step.expect.status));
            }
            Verb::Certificate(step) => {
                self.plan.reliance.rsa |= step.check.contains(&CertificateCheck::Key);
                self.plan.reliance.in_force |= step.check.contains(&CertificateCheck::Validity);
                let file = terminal::certificate_file(step.of);
                self.select(By::Select, file);
                self.reads(Some(file), &step.expect.status);
            }
            Verb::Transmit(step) => self.transmit(&step.apdu, &step.expect.status),
            Verb::Press(step) => {
                self.plan.reliance.signature_certificate |= step.0 == Pressable::RegisterSignature;
            }
            Verb::Secure(step) => match step.command {
                SecureCommand::Verify(pin, choice) => {
                    let current = self.value.get(&pin).copied().unwrap_or(PinChoice::Right);
                    self.verify(pin, choice == current, &step.expect.status);
                }
                SecureCommand::Select(id) => {
                    self.selection.exchange(&terminal::select_file(id), expected_status(&step.expect.status));
                }
                SecureCommand::ReadBinary(_) => {}
            },
            _ => {}
        }
    }

    fn select(&mut self, by: By, file: u16) {
        if by == By::Select {
            self.selection.exchange(&terminal::select_file(file), &SUCCESS);
        }
    }

    /// The scenario reads `file`.
    fn reads(&mut self, file: Option<u16>, expected: &StatusExpectation) {
        let of_signatures = [CertificateName::DigitalSignature, CertificateName::DigitalSignatureCa];
        let succeeds = expected.allows_success();
        self.plan.reliance.signature_certificate |= succeeds
            && of_signatures.map(terminal::certificate_file).iter().any(|id| self.is_in_jpki(file, *id));
        let certificate = terminal::certificate_file(CertificateName::UserAuthentication);
        if self.is_in_jpki(file, certificate) && expected.allows_success() && !self.verified {
            self.plan.reliance.free_certificate = true;
        }
    }

    fn is_in_jpki(&self, file: Option<u16>, meant: u16) -> bool {
        let jpki = self.selection.application().is_some_and(|there| there.aid == terminal::JPKI_AID);
        jpki && file == Some(meant)
    }

    fn verify(&mut self, pin: PinName, right: bool, expected: &StatusExpectation) {
        let before = self.tries.get(&pin).copied().unwrap_or_default();
        self.present(pin, right);
        self.answered(pin, before, right, expected);
        if pin == PinName::UserAuthentication {
            self.verified = right && before > 0;
        }
    }

    fn present(&mut self, pin: PinName, right: bool) {
        let usage = self.plan.pins.entry(pin).or_default();
        let tries = self.tries.entry(pin).or_default();
        if right {
            usage.right += 1;
        } else {
            usage.wrong += 1;
        }
        match (*tries, right) {
            (0, _) => {}
            (_, true) => *tries = self.full.of(pin),
            (_, false) => *tries -= 1,
        }
        usage.blocked |= *tries == 0;
    }

    /// Raw bytes that present or change a PIN count as a wrong value, of every PIN they may reach.
    fn transmit(&mut self, command: &Template, expected: &StatusExpectation) {
        let status = expected_status(expected);
        if let &[0x00, 0xB0, p1, ..] = command.beginning() {
            let short = (p1 & 0x80 != 0).then_some(u16::from(p1 & 0x1F));
            self.reads(short.or(self.selection.file()), expected);
        }
        if let &[_, ins, _, p2, ..] = command.beginning() {
            let presents = match command.as_written() {
                Some(bytes) => CommandApdu::parse(bytes).is_ok_and(|apdu| !apdu.data().is_empty()),
                None => true,
            };
            for pin in self.selection.pins_in_reach(p2) {
                match ins {
                    0x20 if presents && self.selection.reaches_pins() => self.verify(pin, false, expected),
                    0x20 if self.selection.reaches_pins() => {
                        let left = self.tries.get(&pin).copied().unwrap_or_default();
                        self.plan.pins.entry(pin).or_default().asked |=
                            left > 0 && !expected.is_met(Status::TriesLeft(1));
                        self.count(pin, false, expected.is_met(Status::TriesLeft(left)));
                    }
                    0x24 | 0x2C | 0x32 => self.plan.pins.entry(pin).or_default().changed = true,
                    _ => {}
                }
            }
        }
        match command.as_written() {
            Some(bytes) => self.selection.exchange(bytes, status),
            // Which file a captured value selects is not known before it is captured.
            None if command.beginning().get(1) == Some(&0xA4) => {
                self.selection.exchange(&[0x00, 0xA4, 0x02, 0x0C], &REFUSED);
            }
            None => {}
        }
    }
}

fn expected_status(expectation: &StatusExpectation) -> &'static [u8] {
    if expectation.allows_success() { &SUCCESS } else { &REFUSED }
}
