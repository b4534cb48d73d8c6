//! A card that may be somebody's real one, as far as a terminal can tell: the built-in card, with
//! certificates that name another issuer.

use std::collections::HashMap;
use std::sync::Arc;
use vmyna_sim::apdu::CommandApdu;
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};

const OUR_ISSUER: &[u8] = b"JPKI-VMYNA-TEST";
const ANOTHER: &str = "SOMEBODY-ELSE-A";

/// The organisation that issues the official test cards, which are lent out.
pub const OFFICIAL_TEST: &str = "JPKI-TEST";

pub struct ForeignCard {
    card: VirtualCard,
    current: Option<u16>,
    certificates: HashMap<u16, Vec<u8>>,
}

impl ForeignCard {
    /// A built-in holder's card, under another issuer.
    pub fn of(holder: &str) -> Self {
        Self::issued_by(ANOTHER, holder)
    }

    /// Likewise, under an issuer whose name is no longer than ours.
    pub fn issued_by(organisation: &str, holder: &str) -> Self {
        let personalised = Arc::new(Personalised::built_in(holder).expect("a built-in holder"));
        let issued = personalised.issued();
        let certificates = [
            (0x000A, &issued.user_authentication.certificate),
            (0x000B, &issued.user_authentication_ca),
            (0x0001, &issued.digital_signature.as_ref().expect("an adult").certificate),
            (0x0002, &issued.digital_signature_ca),
        ];
        let certificates =
            certificates.map(|(file, der)| (file, of_another_issuer(der, organisation))).into();
        Self { card: VirtualCard::new(personalised), current: None, certificates }
    }
}

/// The same certificate with another organisation in its names, and filler where it has become
/// shorter. What signs it does not fit any more, which a terminal learns only when it checks.
fn of_another_issuer(der: &[u8], organisation: &str) -> Vec<u8> {
    let mut other = renamed(der, organisation.as_bytes());
    assert_ne!(other, der, "our certificates name their issuer");
    other.resize(der.len(), 0xFF);
    other
}

/// `der`, a sequence of objects, with every text that is our organisation replaced.
fn renamed(mut der: &[u8], organisation: &[u8]) -> Vec<u8> {
    const CONSTRUCTED: u8 = 0x20;
    let mut all = Vec::new();
    while let [tag, first, rest @ ..] = der {
        let more = if *first < 0x80 { 0 } else { usize::from(*first & 0x7F) };
        let length = match more {
            0 => usize::from(*first),
            _ => rest[..more].iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
        };
        let (content, following) = rest[more..].split_at(length);
        let content = match content {
            content if content == OUR_ISSUER => organisation.to_vec(),
            content if tag & CONSTRUCTED != 0 => renamed(content, organisation),
            content => content.to_vec(),
        };
        all.push(*tag);
        match u16::try_from(content.len()).expect("a certificate is short").to_be_bytes() {
            [0, length @ ..0x80] => all.push(length),
            [0, length] => all.extend([0x81, length]),
            [high, low] => all.extend([0x82, high, low]),
        }
        all.extend(content);
        der = following;
    }
    all
}

impl SmartCard for ForeignCard {
    fn atr(&mut self) -> Reaction {
        self.card.atr()
    }

    fn power(&mut self, power: Power) {
        self.current = None;
        self.card.power(power);
    }

    fn transmit(&mut self, command: &[u8]) -> Reaction {
        let reaction = self.card.transmit(command);
        let (Ok(apdu), Reaction::Answer(mut answer)) = (CommandApdu::parse(command), reaction.clone()) else {
            return reaction;
        };
        let succeeded = answer.ends_with(&[0x90, 0x00]);
        match (apdu.ins(), apdu.p1()) {
            (0xA4, 0x02) if succeeded => self.current = apdu.data().try_into().ok().map(u16::from_be_bytes),
            (0xA4, 0x04) if succeeded => self.current = None,
            (0xB0, p1) => {
                if p1 & 0x80 != 0 {
                    self.current = Some((p1 & 0x1F).into());
                }
                let offset = if p1 & 0x80 == 0 { usize::from(p1) << 8 } else { 0 } + usize::from(apdu.p2());
                let certificate = self.current.and_then(|file| self.certificates.get(&file));
                let data = answer.len().saturating_sub(2);
                for (byte, other) in
                    answer[..data].iter_mut().zip(certificate.into_iter().flatten().skip(offset))
                {
                    *byte = *other;
                }
                return Reaction::Answer(answer);
            }
            _ => {}
        }
        reaction
    }
}
