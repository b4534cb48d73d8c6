//! A card that may be somebody's real one, as far as a terminal can tell: the built-in card, with
//! certificates that name another issuer.

use std::collections::HashMap;
use std::sync::Arc;
use vmyna_sim::apdu::CommandApdu;
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::smart_card::{Power, Reaction, SmartCard};

const OUR_ISSUER: &[u8] = b"JPKI-VMYNA-TEST";
const ANOTHER: &[u8] = b"SOMEBODY-ELSE-A";

pub struct ForeignCard {
    card: VirtualCard,
    current: Option<u16>,
    certificates: HashMap<u16, Vec<u8>>,
}

impl ForeignCard {
    /// A built-in holder's card, under another issuer.
    pub fn of(holder: &str) -> Self {
        let personalised = Arc::new(Personalised::built_in(holder).expect("a built-in holder"));
        let issued = personalised.issued();
        let certificates = [
            (0x000A, &issued.user_authentication.certificate),
            (0x000B, &issued.user_authentication_ca),
            (0x0001, &issued.digital_signature.as_ref().expect("an adult").certificate),
            (0x0002, &issued.digital_signature_ca),
        ];
        let certificates = certificates.map(|(file, der)| (file, of_another_issuer(der))).into();
        Self { card: VirtualCard::new(personalised), current: None, certificates }
    }
}

/// The same bytes with another name of the same length.
fn of_another_issuer(der: &[u8]) -> Vec<u8> {
    let mut other = der.to_vec();
    let mut found = 0;
    for start in 0..other.len().saturating_sub(OUR_ISSUER.len()) {
        if other[start..].starts_with(OUR_ISSUER) {
            other[start..start + ANOTHER.len()].copy_from_slice(ANOTHER);
            found += 1;
        }
    }
    assert!(found > 0, "our certificates name their issuer");
    other
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
