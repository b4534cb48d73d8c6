//! A card that keeps the sessions of secure messaging itself, by rules that may be wrong: the right card
//! inside is asked in the clear. It shares no code with either end.

use super::wrong_card::{Right, Wrongness};
use aes::Aes128;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt, BlockModeEncrypt, KeyIvInit};
use std::sync::{Arc, Mutex};
use vmyna_sim::apdu::{CommandApdu, CommandBuilder};
use vmyna_sim::smart_card::Power;
use vmyna_sim::undocumented::Situation;

const BLOCK: usize = 16;

/// How the card keeps its sessions. The default is how a right card does.
#[derive(Clone, Copy)]
pub struct SecureRules {
    /// the key in the seed of 32 bytes
    pub key: fn(&[u8]) -> &[u8],
    /// how often commands were counted, as the initial value of a command knows it
    pub command_count: fn(u64) -> u64,
    /// the same of an answer
    pub answer_count: fn(u64) -> u64,
    /// the initial value of that number
    pub initial_value: fn(&Session, u64) -> [u8; BLOCK],
    /// fills an answer up to whole blocks
    pub pad: fn(&[u8]) -> Vec<u8>,
    /// tag and padding indicator of an answer
    pub object: [u8; 2],
    /// whether answers are encrypted at all
    pub encrypts: bool,
    /// whether the padding indicator of a command matters
    pub minds_the_indicator: bool,
    /// the answer to objects that are not those expected
    pub malformed: [u8; 2],
    /// the answer to what does not decrypt
    pub undecipherable: [u8; 2],
    /// whether that ends the session
    pub undecipherable_ends: bool,
    /// the answer without a session
    pub no_session: [u8; 2],
    /// whether a refused command counts
    pub refused_counts: bool,
    /// whether a plain command counts
    pub plain_counts: bool,
    /// whether a refused command ends the session
    pub refused_ends: bool,
    /// whether a refusal travels encrypted
    pub refusals_encrypted: bool,
    /// whether leaving for that application ends the session
    pub ends_with: fn(application: &str) -> bool,
    /// whether that change of power ends it
    pub ends_at: fn(Power) -> bool,
    /// whether the key of the session before is still taken
    pub old_key_works: bool,
    /// where a second session begins to count, from where the first one stood
    pub begins_at: fn(u64) -> u64,
    /// carries out a command in the clear
    pub execute: fn(&mut Right, &CommandApdu<'_>, &[u8]) -> Vec<u8>,
}

impl Default for SecureRules {
    fn default() -> Self {
        Self {
            key: |seed| &seed[..BLOCK],
            command_count: |count| count,
            answer_count: |count| count,
            initial_value: Session::encrypted_number,
            pad: |plain| iso_padded(plain, BLOCK),
            object: [0x86, 0x01],
            encrypts: true,
            minds_the_indicator: true,
            malformed: [0x69, 0x88],
            undecipherable: [0x69, 0x88],
            undecipherable_ends: true,
            no_session: [0x69, 0xFC],
            refused_counts: true,
            plain_counts: false,
            refused_ends: false,
            refusals_encrypted: false,
            ends_with: |_| true,
            ends_at: |power| power != Power::WarmReset,
            old_key_works: false,
            begins_at: |_| 0,
            execute: |right, _, raw| right.answer(raw),
        }
    }
}

/// `plain`, the byte 80, and zeros up to a multiple of `size`.
pub fn iso_padded(plain: &[u8], size: usize) -> Vec<u8> {
    let mut padded = [plain, &[0x80]].concat();
    padded.resize(padded.len().next_multiple_of(size), 0);
    padded
}

/// A session, as the card keeps it.
#[derive(Clone)]
pub struct Session {
    key: [u8; BLOCK],
    count: u64,
}

impl Session {
    /// The number encrypted, which is the initial value of a right card.
    pub fn encrypted_number(&self, number: u64) -> [u8; BLOCK] {
        let block = self.encrypted(&u128::from(number).to_be_bytes(), [0; BLOCK]);
        *block.first_chunk().expect("one block")
    }

    fn encrypted(&self, blocks: &[u8], iv: [u8; BLOCK]) -> Vec<u8> {
        let cipher = cbc::Encryptor::<Aes128>::new(&self.key.into(), &iv.into());
        cipher.encrypt_padded_vec::<NoPadding>(blocks)
    }

    fn decrypted(&self, blocks: &[u8], iv: [u8; BLOCK]) -> Option<Vec<u8>> {
        let cipher = cbc::Decryptor::<Aes128>::new(&self.key.into(), &iv.into());
        let mut plain = cipher.decrypt_padded_vec::<NoPadding>(blocks).ok()?;
        let end = plain.iter().rposition(|byte| *byte != 0).filter(|end| plain[*end] == 0x80)?;
        (plain.len() - end <= BLOCK).then(|| plain.truncate(end))?;
        Some(plain)
    }
}

/// What a secured command carries.
enum Carried {
    Data(Vec<u8>),
    Length(u32),
    Malformed,
    Undecipherable,
    /// what nobody has tried
    Undocumented,
}

/// A card whose sessions go by `rules`.
pub fn keeping(rules: SecureRules) -> Wrongness {
    let desk = Arc::new(Mutex::new(SecureDesk { rules, session: None, former: None }));
    let at_power = desk.clone();
    Wrongness {
        on_command: Some(Box::new(move |right, command, raw| {
            desk.lock().expect("nothing panics with it").meet(right, command, raw)
        })),
        on_power: Some(Box::new(move |right, power| {
            right.power(power);
            if (rules.ends_at)(power) {
                at_power.lock().expect("nothing panics with it").session = None;
            }
        })),
        atr: None,
    }
}

struct SecureDesk {
    rules: SecureRules,
    session: Option<Session>,
    former: Option<Session>,
}

impl SecureDesk {
    fn meet(&mut self, right: &mut Right, command: &CommandApdu<'_>, raw: &[u8]) -> Vec<u8> {
        if command.cla() == 0x08 {
            return self.meet_secured(right, command, raw);
        }
        let before = right.application;
        let answer = right.answer(raw);
        match (command.cla(), command.ins(), &answer[..]) {
            (0x80, 0xAE, [0x90, 0x00]) => self.open(right, command.data()),
            (0x0C, ..) => self.session = None,
            _ => {}
        }
        self.leave(right, before);
        if let Some(session) = self.session.as_mut().filter(|_| self.rules.plain_counts && command.cla() == 0)
        {
            session.count += 1;
        }
        answer
    }

    fn open(&mut self, right: &Right, ciphertext: &[u8]) {
        let key = &right.card.personalised().issued().body.session_key;
        let message = key.decrypt_oaep_sha256(ciphertext).expect("the right card has taken it");
        let key = (self.rules.key)(&message[4..]);
        let count = self.session.as_ref().map_or(0, |session| (self.rules.begins_at)(session.count));
        self.former = self.session.take();
        self.session = Some(Session { key: *key.first_chunk().expect("sixteen bytes"), count });
    }

    fn leave(&mut self, right: &Right, before: &str) {
        if before == "text" && right.application != "text" && (self.rules.ends_with)(right.application) {
            self.session = None;
        }
    }

    fn meet_secured(&mut self, right: &mut Right, command: &CommandApdu<'_>, raw: &[u8]) -> Vec<u8> {
        let rules = self.rules;
        let Some(mut session) = self.session.clone() else { return rules.no_session.to_vec() };
        if let Some(answer) = self.by_the_old_key(right, command) {
            return answer;
        }
        session.count += 1;
        let (data, le) = match carried(&rules, &session, command) {
            Carried::Data(data) => (data, None),
            Carried::Length(le) => (Vec::new(), Some(le)),
            Carried::Undocumented => {
                self.session = None;
                return right.answer(raw);
            }
            Carried::Malformed => {
                self.session = None;
                return rules.malformed.to_vec();
            }
            Carried::Undecipherable => {
                self.session = (!rules.undecipherable_ends).then_some(session);
                return rules.undecipherable.to_vec();
            }
        };
        self.session = Some(session.clone());
        let before = right.application;
        let plain = in_the_clear(command, &data, le);
        let mut answer = (rules.execute)(right, &CommandApdu::parse(&plain).expect("built right"), &plain);
        self.leave(right, before);
        let status = answer.split_off(answer.len() - 2);
        if status != [0x90, 0x00] {
            match &mut self.session {
                Some(session) if !rules.refused_counts => session.count -= 1,
                session if rules.refused_ends => *session = None,
                _ => {}
            }
            let encrypted = || [object(&rules, &session, &status), vec![0x90, 0x00]].concat();
            return if rules.refusals_encrypted { encrypted() } else { status };
        }
        if answer.is_empty() {
            return status;
        }
        let wrapped = if rules.encrypts { object(&rules, &session, &answer) } else { answer };
        match command.le() {
            Some(le) if wrapped.len() <= le as usize => [wrapped, status].concat(),
            _ => {
                let short = Situation::SecuredShortOuterLe.answer().expect("a status");
                u16::from(short).to_be_bytes().to_vec()
            }
        }
    }

    fn by_the_old_key(&self, right: &mut Right, command: &CommandApdu<'_>) -> Option<Vec<u8>> {
        let mut former = self.former.clone().filter(|_| self.rules.old_key_works)?;
        former.count += 1;
        let Carried::Data(data) = carried(&self.rules, &former, command) else { return None };
        Some(right.answer(&in_the_clear(command, &data, None)))
    }
}

fn in_the_clear(command: &CommandApdu<'_>, data: &[u8], le: Option<u32>) -> Vec<u8> {
    let builder = CommandBuilder::new(0x00, command.ins(), command.p1(), command.p2()).data(data);
    match le {
        Some(le) => builder.le(le).extended().to_bytes(),
        None => builder.to_bytes(),
    }
}

fn carried(rules: &SecureRules, session: &Session, command: &CommandApdu<'_>) -> Carried {
    if !matches!(command.ins(), 0x20 | 0xA4 | 0xB0) || command.data().is_empty() {
        return Carried::Undocumented;
    }
    match (command.ins(), command.data()) {
        (0xB0, [0x96, 0x03, 0x00, 0x00, 0x00]) => Carried::Length(65_536),
        (0xB0, [0x96, 0x03, 0x00, high, low]) => Carried::Length(u16::from_be_bytes([*high, *low]).into()),
        (0xB0, [0x96, length, rest @ ..]) if rest.len() == usize::from(*length) => Carried::Undocumented,
        (0x20 | 0xA4, [0x86, length, indicator, cryptogram @ ..])
            if cryptogram.len() + 1 == usize::from(*length)
                && (*indicator == 0x01 || !rules.minds_the_indicator) =>
        {
            let iv = (rules.initial_value)(session, (rules.command_count)(session.count));
            session.decrypted(cryptogram, iv).map_or(Carried::Undecipherable, Carried::Data)
        }
        _ => Carried::Malformed,
    }
}

fn object(rules: &SecureRules, session: &Session, plain: &[u8]) -> Vec<u8> {
    let iv = (rules.initial_value)(session, (rules.answer_count)(session.count));
    let [tag, indicator] = rules.object;
    let value = [vec![indicator], session.encrypted(&(rules.pad)(plain), iv)].concat();
    let header = match value.len() {
        length @ 0..=0x7F => vec![tag, length as u8],
        length @ 0x80..=0xFF => vec![tag, 0x81, length as u8],
        length => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [header, value].concat()
}
