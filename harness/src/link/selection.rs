//! What a card has selected, as far as the terminal's end can tell from commands and answers. It is
//! what the guard knows of where a PIN would go, so it never guesses: an application counts as
//! selected only by its whole name, an EF only by an answer that says so.

use vmyna_sim::apdu::{CommandApdu, ResponseApdu, Status};
use vmyna_sim::application;
use vmyna_sim::file::{Application, FileKind};
use vmyna_sim::pin::PinName;
use vmyna_sim::smart_card::Power;

/// The selected application and EF, where both are beyond doubt.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selection {
    application: Option<&'static Application>,
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
            // A SELECT that fails leaves the application (ISO/IEC 7816-4, 7.1.1).
            (0x00, 0xA4, 0x04) if succeeded => {
                let first = matches!(apdu.p2(), 0x00 | 0x0C);
                let named = application::ALL.into_iter().find(|application| application.aid == apdu.data());
                *self = Self { application: named.filter(|_| first), file: None };
            }
            (0x00, 0xA4, 0x04) => {}
            (0x00, 0xA4, 0x02) if succeeded => {
                self.file = <[u8; 2]>::try_from(apdu.data()).ok().map(u16::from_be_bytes);
            }
            (0x00, 0xA4, 0x02) => self.file = None,
            // Whatever else SELECT does, with whatever class: on another channel, encrypted.
            (_, 0xA4, _) => *self = Self::default(),
            (0x00, 0xB0 | 0xB2 | 0x20 | 0x24 | 0x2A | 0x88, _) | (0x80, 0x2A | 0x32, _) => {
                if let Some(file) = short_reference(&apdu) {
                    self.file = succeeded.then_some(file);
                }
            }
            // An encrypted command may have named a file.
            (cla, _, _) if cla & 0x0C != 0 => self.file = None,
            _ => {}
        }
    }

    /// Whether an application with PINs may be selected.
    #[must_use]
    pub fn reaches_pins(&self) -> bool {
        self.application.is_none_or(|application| pins_of(application).next().is_some())
    }

    /// The application, where that is beyond doubt.
    #[must_use]
    pub const fn application(&self) -> Option<&'static Application> {
        self.application
    }

    /// The current EF, where that is beyond doubt.
    #[must_use]
    pub const fn file(&self) -> Option<u16> {
        self.file
    }

    /// The PIN that a VERIFY, CHANGE REFERENCE DATA or CHANGE KEY with this P2 reaches; `None` when
    /// that is not beyond doubt.
    #[must_use]
    pub fn pin(&self, p2: u8) -> Option<PinName> {
        let file = self.referred_to(p2)?;
        pins_of(self.application?).find(|(_, there)| *there == file).map(|(pin, _)| pin)
    }

    /// The PINs that such a command may reach: what lies in the EF that it means, or else every one
    /// that cannot be ruled out.
    #[must_use]
    pub fn pins_in_reach(&self, p2: u8) -> Vec<PinName> {
        match (self.application, self.referred_to(p2)) {
            (Some(_), Some(_)) => self.pin(p2).into_iter().collect(),
            (Some(application), None) => pins_of(application).map(|(pin, _)| pin).collect(),
            (None, _) => PinName::ALL.to_vec(),
        }
    }

    /// The EF that a command with this P2 means, where that is beyond doubt.
    fn referred_to(&self, p2: u8) -> Option<u16> {
        if p2 == 0x80 { self.file } else { sfi(p2).map(u16::from) }
    }
}

/// The application that a PIN lies in, and its EF.
#[must_use]
pub fn place_of(pin: PinName) -> Option<(&'static Application, u16)> {
    application::ALL.into_iter().find_map(|application| {
        pins_of(application).find(|(there, _)| *there == pin).map(|(_, file)| (application, file))
    })
}

fn pins_of(application: &'static Application) -> impl Iterator<Item = (PinName, u16)> {
    application.files.iter().filter_map(|file| match file.kind {
        FileKind::Pin(pin) => Some((pin, file.id.0)),
        _ => None,
    })
}

/// The EF that a command names by short identifier, as the command itself codes it.
fn short_reference(apdu: &CommandApdu<'_>) -> Option<u16> {
    match apdu.ins() {
        0xB0 if apdu.p1() & 0x80 != 0 => Some(u16::from(apdu.p1() & 0x1F)),
        0xB0 => None,
        0xB2 => Some(u16::from(apdu.p2() >> 3)).filter(|sfi| *sfi != 0),
        _ => sfi(apdu.p2()).map(u16::from),
    }
}

fn sfi(p2: u8) -> Option<u8> {
    matches!(p2, 0x81..=0x9E).then_some(p2 & 0x1F)
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    const SELECT_JPKI: [u8; 15] = hex!("00A4040C0AD392F000260100000001");
    const SELECT_TEXT: [u8; 15] = hex!("00A4040C0AD3921000310001010408");
    const SELECT_VISUAL: [u8; 15] = hex!("00A4040C0AD3921000310001010402");
    const OK: [u8; 2] = hex!("9000");

    #[test]
    fn a_pin_is_known_only_when_application_and_file_are() {
        let mut selection = Selection::default();
        assert_eq!(selection.pin(0x98), None, "no application");
        selection.exchange(&SELECT_JPKI, &OK);
        assert_eq!(selection.pin(0x80), None, "no file");
        assert_eq!(selection.pin(0x98), Some(PinName::UserAuthentication));
        selection.exchange(&hex!("00A4020C02001B"), &OK);
        assert_eq!(selection.pin(0x80), Some(PinName::DigitalSignature));
        selection.exchange(&hex!("00A4020C020018"), &hex!("6A82"));
        assert_eq!(selection.pin(0x80), None, "a failed SELECT leaves doubt");
        selection.power(Power::WarmReset);
        assert_eq!(selection.pin(0x98), None);
    }

    #[test]
    fn the_same_number_is_another_pin_in_another_application() {
        let mut selection = Selection::default();
        selection.exchange(&SELECT_TEXT, &OK);
        assert_eq!(selection.pin(0x91), Some(PinName::TextInput));
        assert_eq!(selection.pin(0x94), Some(PinName::TextCodeA));
        assert_eq!(selection.pin(0x92), None, "blocked for ever, and without a value");
        assert_eq!(selection.pins_in_reach(0x92), [], "and no other PIN lies there");
        selection.exchange(&SELECT_VISUAL, &OK);
        assert_eq!(selection.pin(0x91), Some(PinName::BirthDate));
        assert_eq!(selection.pin(0x92), Some(PinName::VisualCodeB));
        selection.exchange(&SELECT_JPKI, &hex!("6A82"));
        assert_eq!(selection.pin(0x93), Some(PinName::VisualCodeA), "a failed SELECT leaves the application");
        assert_eq!(selection.pins_in_reach(0x80).len(), 3);
    }

    #[test]
    fn half_a_name_may_be_anybodys() {
        let mut selection = Selection::default();
        selection.exchange(&hex!("00A4040C05D392100031"), &OK);
        assert_eq!(selection.pin(0x91), None);
        assert_eq!(selection.pins_in_reach(0x91), PinName::ALL);
        selection.exchange(&SELECT_TEXT, &OK);
        selection.exchange(&hex!("08A4020C 05 8603010203 00"), &OK);
        assert_eq!(selection.pin(0x91), None, "an encrypted SELECT may have gone anywhere");
    }

    #[test]
    fn a_short_identifier_makes_its_file_current_when_the_command_succeeds() {
        let mut selection = Selection::default();
        selection.exchange(&SELECT_JPKI, &OK);
        for (command, answer, file) in [
            (&hex!("00B08A0004")[..], &hex!("3082062E9000")[..], Some(0x000A)),
            (&hex!("00B0000004"), &hex!("3082062E9000"), Some(0x000A)),
            (&hex!("00B2010C00"), &hex!("9000"), Some(0x0001)),
            (&hex!("802A009700"), &hex!("9000"), Some(0x0017)),
            (&hex!("00200098"), &hex!("63C3"), None),
        ] {
            selection.exchange(command, answer);
            assert_eq!(selection.file(), file, "{command:02X?}");
        }
    }

    #[test]
    fn every_pin_has_a_place() {
        for pin in PinName::ALL {
            let (application, file) = place_of(pin).unwrap();
            assert_eq!(file, crate::terminal::pin_file(pin), "{pin} in {}", application.name);
        }
    }
}
