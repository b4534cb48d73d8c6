//! What is said to the card, in the order of open clients: application, PIN with its counter,
//! signature, certificate. Before a PIN is presented the phone looks whose card it is, so that a
//! card that was swapped in between never gets the other holder's PIN.

use crate::link::{CardLink, LinkError};
use crate::portal::{Answer, TerminalFailure};
use crate::terminal::{CertificateName, Credential, Digest, ReadStyle};
use crate::terminal::{
    JPKI_AID, Read, certificate_file, der_length, key_file, pin_file, read_binary, select_application,
    select_file,
};
use sha2::Digest as _;
use vmyna_sim::apdu::{CommandBuilder, ResponseApdu, Status};
use vmyna_sim::pin::PinValue;

/// Which certificates are in the card: `8F 8F 00` when both are, the one for signatures first.
const CERTIFICATES_PRESENT: u16 = 0x0008;
const PRESENT: u8 = 0x8F;
/// What the beginning of a certificate tells: its length and its serial number.
const IDENTITY_BYTES: u32 = 32;
const READING: ReadStyle = ReadStyle::Header4;

/// The terminal's half of the conversation. One is used for one request of the portal; the card may
/// leave and come back meanwhile.
#[derive(Debug, Default)]
pub struct Phone {
    /// with what the card is to sign
    credential: Credential,
    /// the beginning of the certificate of the card that was there first
    first_card: Option<Vec<u8>>,
    /// no PIN is presented when fewer tries are left
    spares: u8,
}

impl Phone {
    /// A phone that presents whatever PIN the holder enters.
    #[must_use]
    pub const fn new(credential: Credential) -> Self {
        Self { credential, first_card: None, spares: 0 }
    }

    /// A phone for a card that may be a real one: with one try left it presents no PIN at all.
    #[must_use]
    pub const fn careful(credential: Credential) -> Self {
        Self { credential, first_card: None, spares: 2 }
    }

    /// With what the card is to sign.
    #[must_use]
    pub const fn credential(&self) -> Credential {
        self.credential
    }

    /// The card has come into the field: finds the application, sees that it is the same card as
    /// before, and asks for the tries that are left (`None` where the card does not tell).
    ///
    /// # Errors
    /// [`TerminalFailure`].
    pub fn touch(&mut self, link: &mut dyn CardLink) -> Result<Option<u8>, TerminalFailure> {
        link.atr().map_err(lost)?;
        match transmit(link, &select_application(&JPKI_AID))?.1 {
            Status::Success => {}
            Status::FileNotFound => return Err(TerminalFailure::NotMyNumberCard),
            other => return Err(refused(other)),
        }
        self.recognise(link)?;
        if self.credential == Credential::DigitalSignature {
            // without the certificate its PIN is blocked from the beginning, which says nothing
            succeed(transmit(link, &select_file(CERTIFICATES_PRESENT))?)?;
            let present = succeed(transmit(link, &read_binary(None, 0, 3, false))?)?;
            if present.first() != Some(&PRESENT) {
                return Err(TerminalFailure::NoSignatureCertificate);
            }
        }
        succeed(transmit(link, &select_file(pin_file(self.credential.pin())))?)?;
        match transmit(link, &CommandBuilder::new(0x00, 0x20, 0x00, 0x80).to_bytes())?.1 {
            Status::TriesLeft(0) | Status::ReferencedIefBlocked | Status::AuthenticationMethodBlocked => {
                Err(self.blocked())
            }
            Status::TriesLeft(tries_left) if tries_left < self.spares => {
                Err(TerminalFailure::TooFewTries { tries_left })
            }
            Status::TriesLeft(tries_left) => Ok(Some(tries_left)),
            _ if self.spares > 0 => Err(TerminalFailure::TooFewTries { tries_left: 0 }),
            _ => Ok(None),
        }
    }

    fn recognise(&mut self, link: &mut dyn CardLink) -> Result<(), TerminalFailure> {
        match transmit(link, &select_file(certificate_file(CertificateName::UserAuthentication)))?.1 {
            Status::Success => {}
            Status::FileNotFound => return Err(TerminalFailure::NoCertificate),
            other => return Err(refused(other)),
        }
        let beginning = succeed(transmit(link, &read_binary(None, 0, IDENTITY_BYTES, false))?)?;
        if der_length(&beginning).is_none() {
            return Err(TerminalFailure::NoCertificate);
        }
        match &self.first_card {
            Some(first) if *first != beginning => Err(TerminalFailure::OtherCard),
            Some(_) => Ok(()),
            None => {
                self.first_card = Some(beginning);
                Ok(())
            }
        }
    }

    /// After [`touch`](Self::touch), while the card has stayed: presents the PIN, has the nonce
    /// signed, and reads the certificate.
    ///
    /// # Errors
    /// [`TerminalFailure`].
    pub fn authenticate(
        &mut self,
        link: &mut dyn CardLink,
        pin: &PinValue,
        nonce: &[u8],
    ) -> Result<Answer, TerminalFailure> {
        let verify = CommandBuilder::new(0x00, 0x20, 0x00, 0x80).data(pin.as_bytes()).to_bytes();
        let verified = transmit(link, &verify).map_err(|failure| match failure {
            TerminalFailure::LostContact => TerminalFailure::LostDuringVerify,
            other => other,
        })?;
        match verified.1 {
            Status::Success => {}
            Status::TriesLeft(0) | Status::ReferencedIefBlocked | Status::AuthenticationMethodBlocked => {
                return Err(self.blocked());
            }
            Status::TriesLeft(tries_left) => return Err(self.wrong(tries_left)),
            other => return Err(refused(other)),
        }
        succeed(transmit(link, &select_file(key_file(self.credential.key())))?)?;
        let digest_info = Digest::Sha256.digest_info(&sha2::Sha256::digest(nonce));
        let sign = CommandBuilder::new(0x80, 0x2A, 0x00, 0x80).data(&digest_info).le(256);
        let signature = succeed(transmit(link, &sign.to_bytes())?)?;
        let certificate = self.read_certificate(link)?;
        Ok(Answer::Signed { certificate, signature })
    }

    const fn blocked(&self) -> TerminalFailure {
        match self.credential {
            Credential::UserAuthentication => TerminalFailure::PinBlocked,
            Credential::DigitalSignature => TerminalFailure::PasswordBlocked,
        }
    }

    const fn wrong(&self, tries_left: u8) -> TerminalFailure {
        match self.credential {
            Credential::UserAuthentication => TerminalFailure::WrongPin { tries_left },
            Credential::DigitalSignature => TerminalFailure::WrongPassword { tries_left },
        }
    }

    fn read_certificate(&self, link: &mut dyn CardLink) -> Result<Vec<u8>, TerminalFailure> {
        let file = certificate_file(self.credential.certificate());
        succeed(transmit(link, &select_file(file))?)?;
        let Read { offset, le, extended } = READING.header();
        let header = succeed(transmit(link, &read_binary(None, offset, le, extended))?)?;
        let length = der_length(&header).ok_or(TerminalFailure::MalformedAnswer)?;
        let mut certificate = Vec::with_capacity(usize::from(length));
        for Read { offset, le, extended } in READING.body(length) {
            let block = succeed(transmit(link, &read_binary(None, offset, le, extended))?)?;
            certificate.extend(block);
        }
        if certificate.len() != usize::from(length) {
            return Err(TerminalFailure::MalformedAnswer);
        }
        match &self.first_card {
            Some(first)
                if self.credential == Credential::UserAuthentication && !certificate.starts_with(first) =>
            {
                Err(TerminalFailure::OtherCard)
            }
            _ => Ok(certificate),
        }
    }
}

fn transmit(link: &mut dyn CardLink, command: &[u8]) -> Result<(Vec<u8>, Status), TerminalFailure> {
    let answer = link.transmit(command).map_err(lost)?;
    let response = ResponseApdu::try_from(&answer[..]).map_err(|_| TerminalFailure::MalformedAnswer)?;
    Ok((response.data.to_vec(), response.status))
}

fn lost(error: LinkError) -> TerminalFailure {
    match error {
        LinkError::Lost(_) => TerminalFailure::LostContact,
        LinkError::Refused(_) => TerminalFailure::TooFewTries { tries_left: 0 },
    }
}

fn succeed((data, status): (Vec<u8>, Status)) -> Result<Vec<u8>, TerminalFailure> {
    if status == Status::Success { Ok(data) } else { Err(refused(status)) }
}

fn refused(status: Status) -> TerminalFailure {
    TerminalFailure::CommandRefused { status: u16::from_be_bytes(status.to_bytes()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::InProcess;
    use vmyna_sim::card::VirtualCard;

    fn card(holder: &str) -> InProcess<VirtualCard> {
        InProcess(VirtualCard::built_in(holder).unwrap())
    }

    fn pin(text: &str) -> PinValue {
        PinValue::four_digits(text).unwrap()
    }

    #[test]
    fn wrong_pins_count_down_to_the_block() {
        let (mut card, mut phone) = (card("hanako"), Phone::new(Credential::UserAuthentication));
        assert_eq!(phone.touch(&mut card), Ok(Some(3)));
        for tries_left in [2, 1] {
            let failure = phone.authenticate(&mut card, &pin("0000"), b"n").unwrap_err();
            assert_eq!(failure, TerminalFailure::WrongPin { tries_left });
            assert_eq!(phone.touch(&mut card), Ok(Some(tries_left)));
        }
        let last = phone.authenticate(&mut card, &pin("0000"), b"n");
        assert_eq!(last, Err(TerminalFailure::PinBlocked));
        assert_eq!(phone.touch(&mut card), Err(TerminalFailure::PinBlocked));
    }

    #[test]
    fn a_card_that_is_swapped_in_never_gets_the_pin() {
        let (mut first, mut second, mut phone) =
            (card("hanako"), card("taro"), Phone::new(Credential::UserAuthentication));
        phone.touch(&mut first).unwrap();
        assert_eq!(phone.touch(&mut second), Err(TerminalFailure::OtherCard));
        assert_eq!(Phone::new(Credential::UserAuthentication).touch(&mut second), Ok(Some(3)));
    }

    #[test]
    fn a_careful_phone_does_not_spend_the_last_try() {
        let mut card = card("last-try");
        let failure = Phone::careful(Credential::UserAuthentication).touch(&mut card);
        assert_eq!(failure, Err(TerminalFailure::TooFewTries { tries_left: 1 }));
        assert_eq!(Phone::new(Credential::UserAuthentication).touch(&mut card), Ok(Some(1)));
    }
}
