//! A card that is wrong in one thing: the built-in card with somebody between it and the reader who
//! sees each command, knows where the card stands, and may answer in its place.

use std::collections::BTreeMap;
use vmyna_sim::apdu::{CommandApdu, CommandBuilder};
use vmyna_sim::application;
use vmyna_sim::card::VirtualCard;
use vmyna_sim::file::FileKind;
use vmyna_sim::pin::PinName;
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};

/// Meets a command: the right card's answer, or another.
pub type OnCommand = Box<dyn FnMut(&mut Right, &CommandApdu<'_>, &[u8]) -> Vec<u8> + Send>;
/// Meets a change of power, in place of the right card.
pub type OnPower = Box<dyn FnMut(&mut Right, Power) + Send>;

/// The wrong card.
pub struct WrongCard {
    right: Right,
    on_command: OnCommand,
    on_power: OnPower,
    atr: Option<Vec<u8>>,
}

impl WrongCard {
    /// Everything is right that `on_command` and `on_power` leave alone.
    pub fn new(card: VirtualCard, wrongness: Wrongness) -> Self {
        let right = Right { card, application: "card_manager", file: None };
        Self {
            right,
            on_command: wrongness.on_command.unwrap_or_else(|| Box::new(|right, _, raw| right.answer(raw))),
            on_power: wrongness.on_power.unwrap_or_else(|| Box::new(Right::power)),
            atr: wrongness.atr,
        }
    }
}

/// What is wrong with a card.
#[derive(Default)]
pub struct Wrongness {
    pub on_command: Option<OnCommand>,
    pub on_power: Option<OnPower>,
    pub atr: Option<Vec<u8>>,
}

/// Commands are met by `meet`.
pub fn commands(
    meet: impl FnMut(&mut Right, &CommandApdu<'_>, &[u8]) -> Vec<u8> + Send + 'static,
) -> Wrongness {
    Wrongness { on_command: Some(Box::new(meet)), ..Wrongness::default() }
}

/// Answers that `change` changes, given the command.
pub fn answers(mut change: impl FnMut(&CommandApdu<'_>, &mut Vec<u8>) + Send + 'static) -> Wrongness {
    commands(move |right, command, raw| {
        let mut answer = right.answer(raw);
        change(command, &mut answer);
        answer
    })
}

/// Changes of power are met by `meet`.
pub fn power(meet: impl FnMut(&mut Right, Power) + Send + 'static) -> Wrongness {
    Wrongness { on_power: Some(Box::new(meet)), ..Wrongness::default() }
}

impl SmartCard for WrongCard {
    fn atr(&mut self) -> Reaction {
        match &self.atr {
            Some(atr) => Reaction::Answer(atr.clone()),
            None => self.right.card.atr(),
        }
    }

    fn power(&mut self, power: Power) {
        (self.on_power)(&mut self.right, power);
    }

    fn transmit(&mut self, raw: &[u8]) -> Reaction {
        Reaction::Answer(match CommandApdu::parse(raw) {
            Ok(command) => (self.on_command)(&mut self.right, &command, raw),
            Err(_) => self.right.answer(raw),
        })
    }
}

/// The right card inside, and where it stands.
pub struct Right {
    pub card: VirtualCard,
    pub application: &'static str,
    pub file: Option<u16>,
}

impl Right {
    /// What the right card answers.
    pub fn answer(&mut self, raw: &[u8]) -> Vec<u8> {
        let Reaction::Answer(answer) = self.card.transmit(raw) else { panic!("the right card answers") };
        if let Ok(command) = CommandApdu::parse(raw) {
            self.follow(&command, answer.ends_with(&[0x90, 0x00]));
        }
        answer
    }

    /// What the right card does.
    pub fn power(&mut self, power: Power) {
        self.card.power(power);
        self.file = None;
        if power != Power::WarmReset {
            self.application = "card_manager";
        }
    }

    fn follow(&mut self, command: &CommandApdu<'_>, succeeded: bool) {
        match (command.ins(), command.p1()) {
            (0xA4, 0x04) if succeeded => {
                self.application = application::name(command.data()).expect("the card found it");
                self.file = None;
            }
            (0xA4, 0x02) if succeeded => {
                self.file = <[u8; 2]>::try_from(command.data()).ok().map(u16::from_be_bytes);
            }
            (0xB0, p1) if p1 & 0x80 != 0 && succeeded => self.file = Some(u16::from(p1 & 0x1F)),
            (0x20 | 0x24 | 0x2A | 0x32 | 0x88, _) if matches!(command.p2(), 0x81..=0x9E) => {
                self.file = Some(u16::from(command.p2() & 0x1F));
            }
            _ => {}
        }
    }

    /// The EF that a command means: the current one, or one by its short identifier.
    pub fn file_of(&self, command: &CommandApdu<'_>) -> Option<u16> {
        let short = match command.ins() {
            0xB0 => command.p1(),
            _ => command.p2(),
        };
        match (command.ins(), short) {
            (0xB0, p1) if p1 & 0x80 == 0 => self.file,
            (_, 0x80) => self.file,
            (_, short) => Some(u16::from(short & 0x1F)),
        }
    }

    /// The PIN that a command means.
    pub fn pin_of(&self, command: &CommandApdu<'_>) -> Option<PinName> {
        let file = self.file_of(command)?;
        let here = application::ALL.iter().find(|application| application.name == self.application)?;
        here.files.iter().find_map(|entry| match entry.kind {
            FileKind::Pin(pin) if entry.id.0 == file => Some(pin),
            _ => None,
        })
    }

    /// Whether a command means this EF of this application.
    pub fn means(&self, command: &CommandApdu<'_>, application: &str, file: u16) -> bool {
        self.application == application && self.file_of(command) == Some(file)
    }

    /// Presents the right value of a PIN of the selected application, behind the reader's back.
    pub fn present(&mut self, pin: PinName) {
        let value = vmyna::terminal::own_pin(self.card.personalised().holder(), pin);
        let reference = 0x80 | (vmyna::terminal::pin_file(pin) & 0x1F) as u8;
        let file = self.file;
        self.answer(&CommandBuilder::new(0x00, 0x20, 0x00, reference).data(value.as_bytes()).to_bytes());
        self.select_again(file);
    }

    /// Selects `file` again after something went on behind the reader's back.
    pub fn select_again(&mut self, file: Option<u16>) {
        if let Some(file) = file {
            self.answer(&vmyna::terminal::select_file(file));
        }
    }
}

/// Counters and values of PINs, kept by the wrong card itself: the right card inside is only asked
/// when a right value is presented and shall be accepted.
pub struct Desk {
    pub left: BTreeMap<PinName, u8>,
    value: BTreeMap<PinName, Vec<u8>>,
    rules: Rules,
}

/// How the desk counts. The default is how a right card does.
#[derive(Clone, Copy)]
pub struct Rules {
    /// the full counter
    pub full: fn(PinName) -> u8,
    /// what is left after a wrong value
    pub spend: fn(u8) -> u8,
    /// what is left after a right one, from what was left and the full counter
    pub refill: fn(u8, u8) -> u8,
    /// the answer to a wrong value, with what is left
    pub wrong: fn(u8) -> [u8; 2],
    /// the answer when blocked
    pub blocked: [u8; 2],
    /// the answer to VERIFY without data, with what is left
    pub empty: fn(u8) -> [u8; 2],
    /// whether asking spends a try
    pub asking_spends: bool,
    /// whether a blocked PIN still opens to the right value
    pub blocked_opens: bool,
    /// the PIN that loses a try as well
    pub spends_also: fn(PinName) -> Option<PinName>,
    /// whether a presented value is taken for the right one
    pub is_right: fn(right: &[u8], presented: &[u8]) -> bool,
}

pub fn full_tries(pin: PinName) -> u8 {
    vmyna_sim::profile::Profile::card().tries.of(pin)
}

pub fn tries(left: u8) -> [u8; 2] {
    [0x63, 0xC0 | left]
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            full: full_tries,
            spend: |left| left - 1,
            refill: |_, full| full,
            wrong: tries,
            blocked: [0x69, 0x84],
            empty: tries,
            asking_spends: false,
            blocked_opens: false,
            spends_also: |_| None,
            is_right: |right, presented| right == presented,
        }
    }
}

/// A card whose PINs go by `rules`.
pub fn counting(rules: Rules) -> Wrongness {
    let mut desk: Option<Desk> = None;
    commands(move |right, command, raw| {
        let desk = desk.get_or_insert_with(|| Desk::of(right, rules));
        desk.meet(right, command, raw)
    })
}

impl Desk {
    fn of(right: &Right, rules: Rules) -> Self {
        let holder = right.card.personalised().holder();
        let left = |pin| {
            let begins = right.card.pins().get(pin).tries_left;
            let is_full = begins == full_tries(pin);
            (pin, if is_full { (rules.full)(pin) } else { begins })
        };
        let value = |pin| (pin, vmyna::terminal::own_pin(holder, pin).as_bytes().to_vec());
        Self { left: PinName::ALL.map(left).into(), value: PinName::ALL.map(value).into(), rules }
    }

    fn meet(&mut self, right: &mut Right, command: &CommandApdu<'_>, raw: &[u8]) -> Vec<u8> {
        let Some(pin) = matches!(command.ins(), 0x20 | 0x24 | 0x32).then(|| right.pin_of(command)).flatten()
        else {
            return right.answer(raw);
        };
        if command.ins() != 0x20 {
            let answer = right.answer(raw);
            if answer == [0x90, 0x00] {
                self.value.insert(pin, command.data().to_vec());
            }
            return answer;
        }
        let rules = self.rules;
        let left = self.left[&pin];
        if command.data().is_empty() {
            right.answer(raw);
            let shown = if rules.asking_spends { left.saturating_sub(1) } else { left };
            self.left.insert(pin, shown);
            return (rules.empty)(shown).to_vec();
        }
        let is_right = (rules.is_right)(&self.value[&pin], command.data());
        if left == 0 && !(rules.blocked_opens && is_right) {
            right.answer(&raw[..4]); // the file becomes current
            return rules.blocked.to_vec();
        }
        if is_right {
            self.left.insert(pin, (rules.refill)(left, (rules.full)(pin)));
            let value = self.value[&pin].clone();
            right.answer(&CommandBuilder::new(0x00, 0x20, 0x00, command.p2()).data(&value).to_bytes());
            return vec![0x90, 0x00];
        }
        let left = (rules.spend)(left);
        self.left.insert(pin, left);
        if let Some(other) = (rules.spends_also)(pin) {
            self.left.entry(other).and_modify(|left| *left = left.saturating_sub(1));
        }
        // The right card forgets a verification at a wrong try, and so must this one.
        let mut wrong = self.value[&pin].clone();
        wrong[0] ^= 0x01;
        right.answer(&CommandBuilder::new(0x00, 0x20, 0x00, command.p2()).data(&wrong).to_bytes());
        (rules.wrong)(left).to_vec()
    }
}
