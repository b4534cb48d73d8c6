//! Commands and answers lifted to the verbs of scenarios. A verb is used only where it sends the very
//! same bytes; everything else stays `transmit`. No PIN is ever written: where it cannot be told which
//! PIN a value was for, the command is left out, and a comment says so.

mod keys;
mod reading;

use super::relay::Heard;
use super::write::{Given, Step, hex};
use crate::link::{Selection, place_of};
use crate::terminal;
use crate::terminal::{CertificateName, PinChoice};
use std::collections::BTreeMap;
use vmyna_sim::apdu::{CommandApdu, CommandBuilder, ResponseApdu, Status};
use vmyna_sim::application;
use vmyna_sim::holder::Holder;
use vmyna_sim::pin::{ChangeCommand, PinName, PinValue};
use vmyna_sim::profile::{Profile, Tries};
use vmyna_sim::smart_card::Power;

/// What a conversation comes to.
#[derive(Debug, Default)]
pub struct Lifted {
    /// counters that were not full when it began
    pub given: Given,
    /// its steps
    pub steps: Vec<Step>,
}

/// Lifts what was `heard`. `holder` tells PINs apart where it states them; with `mask` nothing that a
/// file of a person holds is written, but its length.
#[must_use]
pub fn lift(heard: &[Heard], holder: Option<&Holder>, mask: bool) -> Lifted {
    let mut lifter = Lifter {
        holder,
        mask,
        full: Profile::card().tries,
        selection: Selection::default(),
        lifted: Lifted::default(),
        read: Vec::new(),
        new: BTreeMap::new(),
        refilled: BTreeMap::new(),
    };
    let mut rest = heard;
    while !rest.is_empty() {
        let taken = lifter.next(rest);
        for heard in &rest[..taken] {
            match heard {
                Heard::Power(power) => lifter.selection.power(*power),
                Heard::Exchange(command, answer) => lifter.selection.exchange(command, answer),
            }
        }
        rest = &rest[taken..];
    }
    lifter.lifted
}

struct Lifter<'h> {
    holder: Option<&'h Holder>,
    mask: bool,
    full: Tries,
    selection: Selection,
    lifted: Lifted,
    /// certificates read so far
    read: Vec<CertificateName>,
    /// what PINs have been changed to
    new: BTreeMap<PinName, PinValue>,
    /// PINs whose counter is known to have been full at some time
    refilled: BTreeMap<PinName, ()>,
}

/// How a command names its EF.
#[derive(Clone, Copy)]
enum Named {
    /// it was selected by the step before, which this one stands for as well
    BySelect,
    Current,
    BySfi,
    /// P2 00: the key that the application has for it
    ByDefault,
}

impl Named {
    const fn argument(self) -> &'static str {
        match self {
            Self::BySelect => "",
            Self::Current => ", by: current",
            Self::BySfi => ", by: sfi",
            Self::ByDefault => ", by: default_key",
        }
    }
}

const SECURE_MESSAGING: u8 = 0x0C;

impl Lifter<'_> {
    /// Lifts the beginning of `rest`; returns how much of it.
    fn next(&mut self, rest: &[Heard]) -> usize {
        let (command, answer) = match &rest[0] {
            Heard::Power(_) => return self.power(rest),
            Heard::Exchange(command, answer) => (command, answer),
        };
        if let Some(taken) = self.certificate(rest) {
            return taken;
        }
        let (Ok(apdu), Ok(response)) = (CommandApdu::parse(command), ResponseApdu::try_from(&answer[..]))
        else {
            self.transmit(command, answer);
            return 1;
        };
        let exchange = Exchange { command, apdu, response };
        match (apdu.cla(), apdu.ins()) {
            (cla, _) if cla < 0x10 && cla & SECURE_MESSAGING != 0 => {
                self.note("an encrypted command was here; its key lasted for that session only");
            }
            (_, 0x20 | 0x21) if !apdu.data().is_empty() => self.verify(&exchange),
            (0x00, 0x20) => self.tries_left(&exchange),
            (_, 0x24 | 0x25 | 0x2C | 0x2D | 0x32) => self.change(&exchange),
            (0x00, 0xA4) => self.select(&exchange),
            (0x00, 0xB0) => self.read_binary(&exchange),
            (0x00, 0xB2) => self.read_record(&exchange),
            (0x00, 0xCA) => self.get_data(&exchange),
            (0x80, 0x2A) => self.sign(&exchange),
            (0x00, 0x84) => self.challenge(&exchange),
            (0x00, 0x88) => self.authenticate(&exchange),
            _ => self.transmit(command, answer),
        }
        1
    }

    fn push(&mut self, yaml: String, covers: &'static str) {
        self.lifted.steps.push(Step::Verb { yaml, covers });
    }

    fn note(&mut self, text: &str) {
        self.lifted.steps.push(Step::Note(text.to_owned()));
    }

    /// All power events up to the next command; the reader's switching on at the beginning and
    /// switching off at the end are not the client's.
    fn power(&mut self, rest: &[Heard]) -> usize {
        let taken = rest.iter().take_while(|heard| matches!(heard, Heard::Power(_))).count();
        let is_edge = self.lifted.steps.is_empty() || taken == rest.len();
        if !is_edge {
            let warm = rest[..taken].iter().all(|heard| *heard == Heard::Power(Power::WarmReset));
            self.push(if warm { "power: warm_reset" } else { "power: cycle" }.to_owned(), "");
        }
        taken
    }

    fn select(&mut self, exchange: &Exchange<'_>) {
        let Exchange { command, apdu, response } = exchange;
        let expect = status_argument(response.status);
        let known = application::ALL.iter().find(|application| application.aid == apdu.data());
        if **command == terminal::select_application(apdu.data()) && response.data.is_empty() {
            let covers = if response.status == Status::Success { "SEL-01" } else { "SEL-03" };
            match known {
                Some(known) if expect.is_empty() => self.push(format!("select: {}", known.name), covers),
                Some(known) => self.push(format!("select: {{application: {}{expect}}}", known.name), covers),
                None if (1..=16).contains(&apdu.data().len()) => {
                    self.push(format!("select: {{aid: \"{}\"{expect}}}", hex(apdu.data())), covers);
                }
                None => self.transmit_exchange(exchange),
            }
            return;
        }
        match *apdu.data() {
            [high, low]
                if **command == terminal::select_file(u16::from_be_bytes([high, low]))
                    && response.data.is_empty() =>
            {
                self.push(format!("select: {{file: \"{high:02X}{low:02X}\"{expect}}}"), "SEL-02");
            }
            _ => self.transmit_exchange(exchange),
        }
    }

    /// How the command names the EF of `file`; a SELECT of it just before is taken into the step.
    fn named(&mut self, p2: u8, file: u16) -> Named {
        if p2 != 0x80 {
            return Named::BySfi;
        }
        let select = format!("select: {{file: \"{file:04X}\"}}");
        match self.lifted.steps.last() {
            Some(Step::Verb { yaml, .. }) if *yaml == select => {
                self.lifted.steps.pop();
                Named::BySelect
            }
            _ => Named::Current,
        }
    }

    /// The PIN that the command reaches, and how it names it; `None` where that is not certain or the
    /// verb would send other bytes.
    fn pin(&mut self, exchange: &Exchange<'_>, header: [u8; 3]) -> Option<(PinName, Named)> {
        let apdu = exchange.apdu;
        let pin = self.selection.pin(apdu.p2())?;
        let [cla, ins, p1] = header;
        let same = CommandBuilder::new(cla, ins, p1, apdu.p2()).data(apdu.data()).to_bytes();
        let (_, file) = place_of(pin)?;
        (same == *exchange.command && exchange.response.data.is_empty())
            .then(|| (pin, self.named(apdu.p2(), file)))
    }

    fn tries_left(&mut self, exchange: &Exchange<'_>) {
        let Status::TriesLeft(tries) = exchange.response.status else {
            return self.transmit_exchange(exchange);
        };
        let Some((pin, named)) = self.pin(exchange, [0x00, 0x20, 0x00]) else {
            return self.transmit_exchange(exchange);
        };
        self.began_with(pin, tries);
        self.push(format!("tries_left: {{of: {pin}{}, expect: {tries}}}", named.argument()), "PIN-04");
    }

    fn verify(&mut self, exchange: &Exchange<'_>) {
        let status = exchange.response.status;
        let is_about_the_value = matches!(
            status,
            Status::Success
                | Status::TriesLeft(_)
                | Status::ReferencedIefBlocked
                | Status::AuthenticationMethodBlocked
        );
        // What was refused for its form would have to be written to be repeated.
        let Some((pin, named)) = self.pin(exchange, [0x00, 0x20, 0x00]).filter(|_| is_about_the_value) else {
            return self.note("a value was presented in a way that no verb repeats; it is left out");
        };
        let choice = self.choice(pin, exchange.apdu.data(), status == Status::Success);
        match status {
            Status::Success => {
                self.refilled.insert(pin, ());
            }
            Status::TriesLeft(tries) => self.began_with(pin, tries + 1),
            Status::ReferencedIefBlocked | Status::AuthenticationMethodBlocked => self.began_with(pin, 0),
            _ => {}
        }
        let expect = pin_status_argument(status);
        let covers = if status == Status::Success { "PIN-01" } else { "PIN-03" };
        self.push(format!("verify: {{pin: {pin}, value: {choice}{}{expect}}}", named.argument()), covers);
    }

    fn change(&mut self, exchange: &Exchange<'_>) {
        let header = match (exchange.apdu.cla(), exchange.apdu.ins()) {
            (0x80, 0x32) => [0x80, 0x32, 0x00],
            _ => [0x00, 0x24, 0x01],
        };
        let by_command = match header[1] {
            0x32 => ChangeCommand::ChangeKey,
            _ => ChangeCommand::ChangeReferenceData,
        };
        let Some((pin, named)) = self
            .pin(exchange, header)
            .filter(|(pin, _)| pin.changed_with() == Some(by_command))
            .filter(|(pin, _)| pin.allows(exchange.apdu.data()))
        else {
            return self.note("a PIN was changed or unblocked in a way that no verb repeats; it is left out");
        };
        let value = exchange.apdu.data();
        let to_right = self.own(pin).is_some_and(|own| own.matches(value));
        if exchange.response.status == Status::Success {
            if to_right {
                self.new.remove(&pin);
            } else {
                self.new.insert(pin, PinValue::new(value));
            }
        }
        let to = if to_right { "right" } else { "new" };
        let expect = pin_status_argument(exchange.response.status);
        self.push(format!("change_pin: {{pin: {pin}, to: {to}{}{expect}}}", named.argument()), "CHG-01");
    }

    fn own(&self, pin: PinName) -> Option<PinValue> {
        self.holder.filter(|holder| holder.states(pin)).map(|holder| terminal::own_pin(holder, pin))
    }

    /// The role of a value: by the holder's file where it knows it, or else by what the card said.
    fn choice(&self, pin: PinName, value: &[u8], accepted: bool) -> &'static str {
        if self.new.get(&pin).is_some_and(|new| new.matches(value)) {
            return "new";
        }
        let named = |choice| {
            let holder = self.holder.filter(|holder| holder.states(pin));
            holder.is_some_and(|holder| terminal::pin_value(holder, pin, choice).matches(value))
        };
        let is_lower =
            pin == PinName::DigitalSignature && !named(PinChoice::Right) && named(PinChoice::LowerCase);
        match (named(PinChoice::Right) || accepted, is_lower, named(PinChoice::New)) {
            (true, ..) => "right",
            (_, true, _) => "lower_case",
            (_, _, true) => "new",
            _ => "wrong",
        }
    }

    /// A counter stood at `tries` when the conversation first touched it.
    fn began_with(&mut self, pin: PinName, tries: u8) {
        if self.refilled.insert(pin, ()).is_none() && tries < self.full.of(pin) {
            self.lifted.given.insert(pin, tries);
        }
    }

    fn transmit(&mut self, command: &[u8], answer: &[u8]) {
        if command.len() < 4 {
            return self.note("fewer than four bytes were sent; they are left out");
        }
        let expect = match ResponseApdu::try_from(answer) {
            Ok(response) => {
                let random = matches!(command[1], 0x2A | 0x84 | 0x88) || command[..2] == [0xFF, 0xCA];
                let file = (command[1] == 0xB2).then_some(self.selection.file()).flatten();
                let personal = matches!(command[1], 0xB0 | 0xB2 | 0xCA | 0xCB) && self.is_kept_back(file);
                self.answer_argument(&response, random || personal)
            }
            Err(_) => String::new(),
        };
        self.push(format!("transmit: {{apdu: \"{}\"{expect}}}", hex(command)), "");
    }

    fn transmit_exchange(&mut self, exchange: &Exchange<'_>) {
        let answer = [exchange.response.data, &exchange.response.status.to_bytes()].concat();
        self.transmit(exchange.command, &answer);
    }
}

struct Exchange<'a> {
    command: &'a Vec<u8>,
    apdu: CommandApdu<'a>,
    response: ResponseApdu<'a>,
}

fn status_argument(status: Status) -> String {
    match status {
        Status::Success => String::new(),
        status => format!(", expect: {{sw: \"{:04X}\"}}", u16::from(status)),
    }
}

fn pin_status_argument(status: Status) -> String {
    match status {
        Status::TriesLeft(tries) => format!(", expect: {{tries_left: {tries}}}"),
        Status::ReferencedIefBlocked | Status::AuthenticationMethodBlocked => ", expect: blocked".to_owned(),
        other => status_argument(other),
    }
}

#[cfg(test)]
mod tests;
