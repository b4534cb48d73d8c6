//! What a card has selected, as far as the terminal's end can tell from commands and answers. It is
//! what the guard knows of where a PIN would go, so it never guesses.

use crate::terminal::{JPKI_AID, pin_file};
use vmyna_sim::apdu::{CommandApdu, ResponseApdu, Status};
use vmyna_sim::pin::PinName;
use vmyna_sim::smart_card::Power;

/// The selected application and EF, where both are beyond doubt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Selection {
    jpki: bool,
    file: Option<u16>,
}

impl Selection {
    /// Follows what `power` does to the selection; a warm reset may or may not keep it.
    pub fn power(&mut self, _: Power) {
        *self = Self::default();
    }

    /// Follows a command and its answer.
    pub fn exchange(&mut self, command: &[u8], answer: &[u8]) {
        let (Ok(apdu), Ok(response)) = (CommandApdu::parse(command), ResponseApdu::try_from(answer)) else {
            self.file = None;
            return;
        };
        let succeeded = response.status == Status::Success;
        match (apdu.cla(), apdu.ins(), apdu.p1()) {
            (0x00, 0xA4, 0x04) if succeeded => *self = Self { jpki: apdu.data() == JPKI_AID, file: None },
            (0x00, 0xA4, 0x04) => {}
            (0x00, 0xA4, 0x02) if succeeded => {
                self.file = <[u8; 2]>::try_from(apdu.data()).ok().map(u16::from_be_bytes);
            }
            (0x00, 0xA4, 0x02) => self.file = None,
            (0x00, 0xA4, _) => *self = Self::default(),
            (0x00, 0xB0, p1) if p1 & 0x80 != 0 => self.file = None,
            (_, 0x20 | 0x24 | 0x2A | 0x88, _) => {
                if let Some(file) = short_reference(apdu.p2()) {
                    self.file = succeeded.then_some(file);
                }
            }
            _ => {}
        }
    }

    /// Whether the JPKI application is selected, so that some PIN may be reached.
    #[must_use]
    pub const fn reaches_pins(&self) -> bool {
        self.jpki
    }

    /// The PIN that a VERIFY or CHANGE REFERENCE DATA with this P2 reaches; `None` when that is not
    /// beyond doubt.
    #[must_use]
    pub fn pin(&self, p2: u8) -> Option<PinName> {
        if !self.jpki {
            return None;
        }
        let file = if p2 == 0x80 { self.file } else { short_reference(p2) }?;
        PinName::JPKI.into_iter().find(|pin| pin_file(*pin) == file)
    }
}

fn short_reference(p2: u8) -> Option<u16> {
    matches!(p2, 0x81..=0x9E).then(|| u16::from(p2 & 0x1F))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    const SELECT_JPKI: [u8; 15] = hex!("00A4040C0AD392F000260100000001");

    #[test]
    fn a_pin_is_known_only_when_application_and_file_are() {
        let mut selection = Selection::default();
        assert_eq!(selection.pin(0x98), None, "no application");
        selection.exchange(&SELECT_JPKI, &hex!("9000"));
        assert_eq!(selection.pin(0x80), None, "no file");
        assert_eq!(selection.pin(0x98), Some(PinName::UserAuthentication));
        selection.exchange(&hex!("00A4020C02001B"), &hex!("9000"));
        assert_eq!(selection.pin(0x80), Some(PinName::DigitalSignature));
        selection.exchange(&hex!("00A4020C020018"), &hex!("6A82"));
        assert_eq!(selection.pin(0x80), None, "a failed SELECT leaves doubt");
        selection.power(Power::WarmReset);
        assert_eq!(selection.pin(0x98), None);
    }
}
