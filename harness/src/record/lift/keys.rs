//! What keys of the card were asked to do, lifted.

use super::{Exchange, Lifter, Named, status_argument};
use crate::record::write::hex;
use crate::terminal;
use crate::terminal::KeyName;
use vmyna_sim::apdu::{CommandBuilder, Status};

/// The keys, with the application that each lies in.
const KEYS: [(&str, KeyName); 5] = [
    ("jpki", KeyName::UserAuthentication),
    ("jpki", KeyName::DigitalSignature),
    ("text", KeyName::Text),
    ("visual", KeyName::Visual),
    ("common", KeyName::Common),
];

/// The modes of signing by P1, as scenarios write them; the first is what goes without saying.
const MODES: [&str; 6] = [
    "",
    ", mode: sha256",
    ", mode: digest_info",
    ", mode: sha256_digest_info",
    ", mode: pss",
    ", mode: sha256_pss",
];

impl Lifter<'_> {
    /// The key that a command with this P2 means, and how it names it; a SELECT of its EF just before is
    /// taken into the step.
    fn key(&mut self, p2: u8, by_default: bool) -> Option<(KeyName, Named)> {
        let application = self.selection.application()?.name;
        let mut here = KEYS.into_iter().filter(|(there, _)| *there == application).map(|(_, key)| key);
        if by_default && p2 == 0 {
            return here.find(|key| key.certificate().is_none()).map(|key| (key, Named::ByDefault));
        }
        let file = match p2 {
            0x80 => self.selection.file()?,
            p2 => u16::from(p2 & 0x1F),
        };
        let key = here.find(|key| terminal::key_file(*key) == file)?;
        Some((key, self.named(p2, file)))
    }

    pub(super) fn sign(&mut self, exchange: &Exchange<'_>) {
        let Exchange { command, apdu, response } = exchange;
        let same = terminal::compute_digital_signature(apdu.p1(), apdu.p2(), apdu.data()) == **command;
        let mode = MODES.get(usize::from(apdu.p1())).filter(|_| same && !apdu.data().is_empty());
        let Some((mode, (key, named))) = mode.and_then(|mode| Some((mode, self.key(apdu.p2(), true)?)))
        else {
            return self.transmit_exchange(exchange);
        };
        let expect = match response.status {
            Status::Success if key.certificate().is_some_and(|name| self.read.contains(&name)) => {
                String::new()
            }
            Status::Success => format!(", expect: {{length: {}}}", response.data.len()),
            status => status_argument(status),
        };
        let (data, by) = (hex(apdu.data()), named.argument());
        self.push(format!("sign: {{key: {key}, data: {{hex: \"{data}\"}}{mode}{by}{expect}}}"), "SIG-01");
    }

    pub(super) fn authenticate(&mut self, exchange: &Exchange<'_>) {
        let Exchange { command, apdu, response } = exchange;
        let same = terminal::internal_authenticate(apdu.p2(), apdu.data()) == **command;
        let key = if same && !apdu.data().is_empty() { self.key(apdu.p2(), false) } else { None };
        let Some((key, named)) = key else { return self.transmit_exchange(exchange) };
        let expect = match response.status {
            Status::Success => format!(", expect: {{length: {}}}", response.data.len()),
            status => status_argument(status),
        };
        let (challenge, by) = (hex(apdu.data()), named.argument());
        self.push(
            format!("authenticate: {{key: {key}, challenge: {{hex: \"{challenge}\"}}{by}{expect}}}"),
            "",
        );
    }

    pub(super) fn challenge(&mut self, exchange: &Exchange<'_>) {
        let Exchange { command, apdu, response } = exchange;
        match apdu.le() {
            Some(length @ 1..=256)
                if response.status == Status::Success
                    && response.data.len() == length as usize
                    && **command == CommandBuilder::new(0x00, 0x84, 0x00, 0x00).le(length).to_bytes() =>
            {
                self.push(format!("challenge: {{length: {length}}}"), "RND-01");
            }
            _ => self.transmit_exchange(exchange),
        }
    }
}
