//! The typed command: what an APDU asks of the card. Every form that the card does not understand
//! is turned away here with its status, so that the handlers meet nothing malformed.

use crate::apdu::{CommandApdu, MalformedApdu, Status};
use crate::file::{FileId, MASTER_FILE, ShortFileId};
use crate::key::SignatureScheme;
use crate::pin::{ChangeCommand, Presented};
use crate::undocumented::Situation;

/// CLA of a secured command whose header is not authenticated.
pub const SECURED: u8 = 0x08;
/// CLA of a secured command with an authenticated header, for which a session has no key.
pub const SECURED_WITH_INTEGRITY: u8 = 0x0C;

/// A well-formed command. Where bytes are borrowed they are the data field of the APDU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command<'a> {
    /// `00 A4`
    Select(Select<'a>),
    /// `00 B0`: up to `length` bytes from `offset`
    ReadBinary {
        /// which EF
        file: FileReference,
        /// first byte, 0 to 32,767
        offset: u16,
        /// Ne, 1 to 65,536
        length: u32,
    },
    /// `00 B2` of one record by its number, P2 = `04` or `SFI << 3 | 04`
    ReadRecord {
        /// which EF
        file: FileReference,
        /// from 1; 0 means the current one
        number: u8,
        /// Ne, 1 to 65,536
        length: u32,
    },
    /// `00 20` without data: how many tries are left
    AskTriesLeft(FileReference),
    /// `00 20`
    Verify {
        /// which PIN
        pin: FileReference,
        /// 1 to 16 bytes
        value: Presented<'a>,
    },
    /// `00 24 01` or `80 32 00`: the new value only
    ChangePin {
        /// which of the two
        command: ChangeCommand,
        /// which PIN
        pin: FileReference,
        /// the new value
        value: Presented<'a>,
    },
    /// `80 2A`
    ComputeDigitalSignature {
        /// how
        scheme: SignatureScheme,
        /// which key
        key: KeyReference,
        /// as many bytes as the scheme takes
        data: &'a [u8],
    },
    /// `00 88 00`: the signature of a challenge, 1 to 255 bytes
    InternalAuthenticate {
        /// which key
        key: FileReference,
        /// what is hashed and signed
        challenge: &'a [u8],
    },
    /// `00 84 00 00`: that many random bytes, 1 to 256
    GetChallenge(u16),
    /// `00 CA`: a data object
    GetData {
        /// its tag, from P1-P2
        tag: u16,
        /// Ne, 1 to 65,536
        length: u32,
    },
    /// `80 AE 00 00`: the key of a session, encrypted
    SetSessionKey(&'a [u8]),
    /// `80 FC`: the "last command indicator" of phones
    LastCommand,
}

/// How SELECT names what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Select<'a> {
    /// `00 A4 00 00` without data
    MasterFile,
    /// by AID or the beginning of one
    Application(&'a [u8]),
    /// an EF of the current application
    File(FileId),
}

/// How a command names an EF.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileReference {
    /// the current EF
    Current,
    /// by short EF identifier; the EF becomes current
    Short(ShortFileId),
}

/// How COMPUTE DIGITAL SIGNATURE names its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyReference {
    /// P2 = `00`: the application's own
    Default,
    /// the key in an EF
    File(FileReference),
}

/// Why a command is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// with a status that is known
    Status(Status),
    /// with a status that nobody outside knows; see [`crate::undocumented`]
    Undocumented(Situation),
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl From<Situation> for Refusal {
    fn from(situation: Situation) -> Self {
        Self::Undocumented(situation)
    }
}

impl From<MalformedApdu> for Refusal {
    fn from(_: MalformedApdu) -> Self {
        Self::Status(Status::WrongLength)
    }
}

/// Most bytes of a PIN (JICSAP 1.1).
const LONGEST_PIN: usize = 16;

/// Most bytes that INTERNAL AUTHENTICATE signs.
const LONGEST_CHALLENGE: usize = 255;

impl<'a> TryFrom<CommandApdu<'a>> for Command<'a> {
    type Error = Refusal;

    fn try_from(apdu: CommandApdu<'a>) -> Result<Self, Refusal> {
        match (known_class(apdu.cla())?, apdu.ins()) {
            (Class::Interindustry, 0xA4) => select(&apdu).map(Self::Select),
            (Class::Interindustry, 0xB0) => read_binary(&apdu),
            (Class::Interindustry, 0xB2) => read_record(&apdu),
            (Class::Interindustry, 0x20) => verify(&apdu),
            (Class::Interindustry, 0x24) => change_reference_data(&apdu),
            (Class::Interindustry, 0x88) => internal_authenticate(&apdu),
            (Class::Interindustry, 0x84) => get_challenge(&apdu),
            (Class::Interindustry, 0xCA) => get_data(&apdu),
            (Class::Interindustry, 0xC0) => Err(Situation::GetResponse.into()),
            (Class::Interindustry, 0x2A) => Err(Situation::IsoPso.into()),
            (Class::Proprietary, 0x2A) => compute_digital_signature(&apdu),
            (Class::Proprietary, 0x32) => change_key(&apdu),
            (Class::Proprietary, 0x8A) => Err(manage_attributes(&apdu)),
            (Class::Proprietary, 0xA2) => Err(authenticate_terminal(&apdu)),
            (Class::Proprietary, 0xAE) => set_session_key(&apdu),
            (Class::Proprietary, 0xFC) => Ok(Self::LastCommand),
            _ => Err(Situation::UnknownInstruction.into()),
        }
    }
}

#[derive(Clone, Copy)]
enum Class {
    Interindustry,
    Proprietary,
}

fn known_class(cla: u8) -> Result<Class, Refusal> {
    match cla {
        0x00 => Ok(Class::Interindustry),
        0x80 => Ok(Class::Proprietary),
        0x01..=0x03 | 0x81..=0x83 => Err(Status::LogicalChannelNotSupported.into()),
        SECURED => Err(Status::NoSecureMessagingSession.into()),
        SECURED_WITH_INTEGRITY => Err(Status::SecureMessagingObjectsMissing.into()),
        0x10..=0x1F | 0x90..=0x9F => Err(Situation::ClassChaining.into()),
        _ => Err(Situation::UnknownClass.into()),
    }
}

fn select<'a>(apdu: &CommandApdu<'a>) -> Result<Select<'a>, Refusal> {
    let id = <[u8; 2]>::try_from(apdu.data()).ok().map(|bytes| FileId(u16::from_be_bytes(bytes)));
    match (apdu.p1(), apdu.p2(), apdu.data()) {
        (0x00, 0x00 | 0x0C, []) => Ok(Select::MasterFile),
        (0x04, 0x00 | 0x0C, []) => Err(Situation::SelectEmptyName.into()),
        (0x04, 0x00 | 0x0C, name) => Ok(Select::Application(name)),
        _ if id == Some(MASTER_FILE) => Err(Status::FileNotFound.into()),
        (0x02, 0x00 | 0x0C, _) => id.map(Select::File).ok_or(Status::WrongLength.into()),
        (0x00, _, _) => Err(Situation::SelectP1ZeroWithId.into()),
        (0x08, _, _) => Err(Situation::SelectByPathFromMf.into()),
        _ => Err(Status::IncorrectP1P2.into()),
    }
}

fn read_binary<'a>(apdu: &CommandApdu<'a>) -> Result<Command<'a>, Refusal> {
    let (file, offset) = if apdu.p1() & 0x80 == 0 {
        (FileReference::Current, u16::from_be_bytes([apdu.p1(), apdu.p2()]))
    } else {
        let sfi = match apdu.p1() & 0x60 {
            0 => ShortFileId::new(apdu.p1() & 0x1F).ok_or(Situation::ReadSfiZero)?,
            _ => return Err(Status::IncorrectP1P2.into()),
        };
        (FileReference::Short(sfi), u16::from(apdu.p2()))
    };
    if !apdu.data().is_empty() {
        return Err(Status::WrongLength.into());
    }
    let length = apdu.le().ok_or(Situation::ReadWithoutLe)?;
    Ok(Command::ReadBinary { file, offset, length })
}

fn read_record<'a>(apdu: &CommandApdu<'a>) -> Result<Command<'a>, Refusal> {
    let file = match apdu.p2() >> 3 {
        0 => FileReference::Current,
        sfi => FileReference::Short(ShortFileId::new(sfi).ok_or(Status::IncorrectP1P2)?),
    };
    match apdu.p2() & 0b111 {
        0b100 => {}
        // all records from this one on, or up to it
        0b101 | 0b110 => return Err(Status::FunctionNotSupported.into()),
        _ => return Err(Status::IncorrectP1P2.into()),
    }
    if !apdu.data().is_empty() {
        return Err(Status::WrongLength.into());
    }
    let length = apdu.le().ok_or(Situation::ReadWithoutLe)?;
    Ok(Command::ReadRecord { file, number: apdu.p1(), length })
}

/// P2 of VERIFY, CHANGE REFERENCE DATA and the key commands: `80` or `80 | SFI`.
fn file_reference(p2: u8) -> Option<FileReference> {
    match p2 {
        0x80 => Some(FileReference::Current),
        0x81..=0x9E => ShortFileId::new(p2 & 0x1F).map(FileReference::Short),
        _ => None,
    }
}

fn verify<'a>(apdu: &CommandApdu<'a>) -> Result<Command<'a>, Refusal> {
    if apdu.p1() != 0 {
        return Err(Situation::VerifyP1NotZero.into());
    }
    let pin = file_reference(apdu.p2()).ok_or(Situation::VerifyReferenceWithoutBit8)?;
    match apdu.data() {
        // `00 20 00 80 00` reaches here as Le 256 without data: one client writes Lc = 00 so.
        [] => Ok(Command::AskTriesLeft(pin)),
        value if value.len() > LONGEST_PIN => Err(Situation::VerifyTooLong.into()),
        value => Ok(Command::Verify { pin, value: Presented(value) }),
    }
}

fn change_reference_data<'a>(apdu: &CommandApdu<'a>) -> Result<Command<'a>, Refusal> {
    match (apdu.p1(), file_reference(apdu.p2())) {
        (0x01, Some(pin)) => Ok(Command::ChangePin {
            command: ChangeCommand::ChangeReferenceData,
            pin,
            value: Presented(apdu.data()),
        }),
        _ => Err(Status::IncorrectP1P2.into()),
    }
}

fn change_key<'a>(apdu: &CommandApdu<'a>) -> Result<Command<'a>, Refusal> {
    match (apdu.p1(), file_reference(apdu.p2())) {
        (0x00, Some(pin)) => {
            Ok(Command::ChangePin { command: ChangeCommand::ChangeKey, pin, value: Presented(apdu.data()) })
        }
        _ => Err(Status::IncorrectP1P2.into()),
    }
}

fn internal_authenticate<'a>(apdu: &CommandApdu<'a>) -> Result<Command<'a>, Refusal> {
    let (0x00, Some(key)) = (apdu.p1(), file_reference(apdu.p2())) else {
        return Err(Status::IncorrectP1P2.into());
    };
    match (apdu.data(), apdu.le()) {
        (challenge, Some(_)) if (1..=LONGEST_CHALLENGE).contains(&challenge.len()) => {
            Ok(Command::InternalAuthenticate { key, challenge })
        }
        _ => Err(Status::WrongLength.into()),
    }
}

fn compute_digital_signature<'a>(apdu: &CommandApdu<'a>) -> Result<Command<'a>, Refusal> {
    let scheme = SignatureScheme::from_p1(apdu.p1()).ok_or(Status::IncorrectP1P2)?;
    let key = match apdu.p2() {
        0x00 => KeyReference::Default,
        p2 => KeyReference::File(file_reference(p2).ok_or(Status::IncorrectP1P2)?),
    };
    match (apdu.data(), apdu.le()) {
        ([], _) => Err(Situation::SignEmptyData.into()),
        (data, _) if !scheme.takes(data.len()) => Err(Status::WrongLength.into()),
        (_, None) => Err(Situation::SignWithoutLe.into()),
        (data, Some(_)) => Ok(Command::ComputeDigitalSignature { scheme, key, data }),
    }
}

/// `80 A2`, by which a terminal shows who it is in place of the holder's PIN. Nobody outside has seen it
/// succeed; two refusals are known.
fn authenticate_terminal(apdu: &CommandApdu<'_>) -> Refusal {
    match (apdu.p1(), apdu.p2(), apdu.data().len()) {
        (0x00, 0xC1, 256) => Status::WrongLength.into(),
        (0x00 | 0x06, 0xC1, _) => Situation::TerminalAuthentication.into(),
        _ => Status::IncorrectP1P2.into(),
    }
}

/// `80 8A`, by which the issuer changes the attributes of the current EF (P1 `22`) or DF (`24`): nobody else
/// gets past the check of the issuer's security, and other P1 do not get that far.
fn manage_attributes(apdu: &CommandApdu<'_>) -> Refusal {
    match apdu.p1() {
        0x22 | 0x24 => Status::SecurityStatusNotSatisfied.into(),
        _ => Situation::ManageAttributesParameters.into(),
    }
}

fn set_session_key<'a>(apdu: &CommandApdu<'a>) -> Result<Command<'a>, Refusal> {
    match (apdu.p1(), apdu.p2()) {
        (0x00, 0x00) => Ok(Command::SetSessionKey(apdu.data())),
        _ => Err(Situation::SessionKeyParameters.into()),
    }
}

fn get_data<'a>(apdu: &CommandApdu<'a>) -> Result<Command<'a>, Refusal> {
    let length = apdu.le().ok_or(Status::WrongLength)?;
    Ok(Command::GetData { tag: u16::from_be_bytes([apdu.p1(), apdu.p2()]), length })
}

fn get_challenge<'a>(apdu: &CommandApdu<'a>) -> Result<Command<'a>, Refusal> {
    match (apdu.p1(), apdu.p2(), apdu.le()) {
        (0, 0, Some(_)) if apdu.is_extended() => Err(Status::ConditionsOfUseNotSatisfied.into()),
        (0, 0, Some(length)) => Ok(Command::GetChallenge(length as u16)),
        (0, 0, None) => Err(Situation::ChallengeWithoutLe.into()),
        _ => Err(Status::IncorrectP1P2.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    fn command(raw: &[u8]) -> Result<Command<'_>, Refusal> {
        Command::try_from(CommandApdu::parse(raw)?)
    }

    fn status(raw: &[u8]) -> Status {
        match command(raw) {
            Err(Refusal::Status(status)) => status,
            other => panic!("a documented refusal was expected, {other:?} came"),
        }
    }

    #[test]
    fn offsets_have_fifteen_bits_and_short_identifiers_five() {
        assert_eq!(
            command(&hex!("00B07F0004")),
            Ok(Command::ReadBinary { file: FileReference::Current, offset: 0x7F00, length: 4 })
        );
        let sfi = ShortFileId::new(0x0A).unwrap();
        assert_eq!(
            command(&hex!("00B08A04000100")),
            Ok(Command::ReadBinary { file: FileReference::Short(sfi), offset: 4, length: 256 })
        );
        assert_eq!(status(&hex!("00B0EA0004")), Status::IncorrectP1P2);
    }

    #[test]
    fn records_are_read_one_by_one_by_their_number() {
        let read = |file| Ok(Command::ReadRecord { file, number: 1, length: 256 });
        assert_eq!(command(&hex!("00B2010400")), read(FileReference::Current));
        let sfi = ShortFileId::new(1).unwrap();
        assert_eq!(command(&hex!("00B2010C00")), read(FileReference::Short(sfi)));
        assert_eq!(status(&hex!("00B2010500")), Status::FunctionNotSupported);
        assert_eq!(status(&hex!("00B2010000")), Status::IncorrectP1P2);
        assert_eq!(status(&hex!("00B201FC00")), Status::IncorrectP1P2);
    }

    #[test]
    fn a_key_to_sign_with_is_an_ef_or_the_applications_own() {
        let key = |raw: &[u8]| match command(raw) {
            Ok(Command::ComputeDigitalSignature { key, .. }) => key,
            other => panic!("a signature was asked for, {other:?} came"),
        };
        assert_eq!(key(&hex!("802A0000015500")), KeyReference::Default);
        assert_eq!(key(&hex!("802A0080015500")), KeyReference::File(FileReference::Current));
        assert_eq!(status(&hex!("802A0017015500")), Status::IncorrectP1P2);
    }

    #[test]
    fn a_terminal_shows_who_it_is_in_two_known_ways() {
        for p1p2 in [[0x00, 0x00], [0x00, 0xAE], [0x80, 0x00], [0x00, 0xB6]] {
            assert_eq!(status(&[0x80, 0xA2, p1p2[0], p1p2[1], 1, 0]), Status::IncorrectP1P2);
        }
        let dummy = [&hex!("80A200C1 00 0100")[..], &[0x5A; 256]].concat();
        assert_eq!(status(&dummy), Status::WrongLength);
        let unknown = Refusal::Undocumented(Situation::TerminalAuthentication);
        assert_eq!(command(&hex!("80A206C1 01 7F")), Err(unknown));
    }

    #[test]
    fn attributes_are_the_issuers_to_manage_with_two_values_of_p1() {
        for p1 in [0x22, 0x24] {
            assert_eq!(status(&[0x80, 0x8A, p1, 0x00]), Status::SecurityStatusNotSatisfied);
        }
        let unknown = Refusal::Undocumented(Situation::ManageAttributesParameters);
        for p1 in [0x00, 0x21, 0x23, 0x25, 0xFF] {
            assert_eq!(command(&[0x80, 0x8A, p1, 0x00]), Err(unknown));
        }
    }

    #[test]
    fn other_logical_channels_are_refused() {
        for cla in [0x01, 0x02, 0x03, 0x81] {
            assert_eq!(status(&[cla, 0xA4, 0, 0]), Status::LogicalChannelNotSupported);
        }
    }

    #[test]
    fn the_master_file_is_not_found_by_its_identifier() {
        for p1 in [0x00, 0x01, 0x02, 0x08, 0x09] {
            assert_eq!(status(&[0x00, 0xA4, p1, 0x0C, 2, 0x3F, 0x00]), Status::FileNotFound);
        }
    }

    #[test]
    fn a_length_that_does_not_add_up_is_6700() {
        assert_eq!(status(&hex!("00200080043132")), Status::WrongLength);
    }

    #[test]
    fn a_challenge_has_one_to_256_bytes_and_short_le() {
        assert_eq!(command(&hex!("0084000000")), Ok(Command::GetChallenge(256)));
        assert_eq!(status(&hex!("00840000000101")), Status::ConditionsOfUseNotSatisfied);
        assert_eq!(status(&hex!("0084010008")), Status::IncorrectP1P2);
    }

    #[test]
    fn the_input_of_a_signature_has_1_to_245_bytes() {
        let apdu = |length: u8| {
            let mut raw = vec![0x80, 0x2A, 0x00, 0x80, length];
            raw.extend(vec![0x55; usize::from(length)]);
            raw.push(0);
            raw
        };
        assert!(command(&apdu(1)).is_ok());
        assert!(command(&apdu(245)).is_ok());
        assert_eq!(status(&apdu(246)), Status::WrongLength);
    }
}
