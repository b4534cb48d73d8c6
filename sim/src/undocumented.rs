//! What nobody outside knows. The situations are named here; what this card answers in each, and
//! which answers of another card would not surprise, stand in one table,
//! `vectors/requirements/undocumented.yaml`.

use crate::apdu::Status;
use crate::document;
use serde::Deserialize;
use std::sync::LazyLock;

macro_rules! situations {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)*) => {
        /// A situation whose answer no public source tells.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Situation {
            $($(#[$doc])* $variant,)*
        }

        impl Situation {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The name that the table and the scenarios use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

situations! {
    /// VERIFY with 1 to 16 bytes that do not have the PIN's form
    VerifyWrongLength = "verify-wrong-length";
    /// VERIFY with more than 16 bytes
    VerifyTooLong = "verify-too-long";
    /// VERIFY of the current EF when there is none
    VerifyNoCurrentEf = "verify-no-current-ef";
    /// VERIFY when the EF holds no PIN
    VerifyNotAPin = "verify-not-a-pin";
    /// VERIFY before any application is selected
    VerifyNoApplication = "verify-no-application";
    /// VERIFY with P2 below 80
    VerifyReferenceWithoutBit8 = "verify-reference-without-bit8";
    /// VERIFY with P1 other than 00
    VerifyP1NotZero = "verify-p1-not-zero";
    /// empty VERIFY written with Lc = 00
    VerifyEmptyWithLc0 = "verify-empty-with-lc0";
    /// signing after a wrong VERIFY followed the right one
    SignAfterLaterWrongPin = "sign-after-later-wrong-pin";
    /// READ BINARY at the very end
    ReadOffsetEqualsSize = "read-offset-equals-size";
    /// READ BINARY without Le
    ReadWithoutLe = "read-without-le";
    /// READ BINARY by short identifier 0 or 31
    ReadSfiZero = "read-sfi-zero";
    /// READ BINARY of 0005 and 0009
    ReadUndocumentedTransparent = "read-undocumented-transparent";
    /// READ BINARY of 0010, 0019, 001C and 001E
    ReadUndocumentedInternal = "read-undocumented-internal";
    /// SELECT of an own application with P2 = 00
    SelectWithFci = "select-with-fci";
    /// SELECT with P1 = 08
    SelectByPathFromMf = "select-by-path-from-mf";
    /// SELECT with P1 = 00 and an identifier
    SelectP1ZeroWithId = "select-p1-00-with-id";
    /// SELECT by name without a name
    SelectEmptyName = "select-empty-name";
    /// CHANGE REFERENCE DATA before VERIFY
    ChangeWithoutVerify = "change-without-verify";
    /// CHANGE REFERENCE DATA to a value that breaks the PIN's form
    ChangePolicy = "change-policy";
    /// COMPUTE DIGITAL SIGNATURE with the current EF when there is none
    SignNoCurrentEf = "sign-no-current-ef";
    /// COMPUTE DIGITAL SIGNATURE when the EF holds no key
    SignNotAKey = "sign-not-a-key";
    /// COMPUTE DIGITAL SIGNATURE without data
    SignEmptyData = "sign-empty-data";
    /// COMPUTE DIGITAL SIGNATURE without Le
    SignWithoutLe = "sign-without-le";
    /// signing after the same application was selected again
    ReselectIsNoLogout = "reselect-is-no-logout";
    /// a chained command (CLA bit 5)
    ClassChaining = "class-chaining";
    /// GET RESPONSE
    GetResponse = "get-response";
    /// an instruction that the card does not have
    UnknownInstruction = "unknown-instruction";
    /// a class that the card does not have
    UnknownClass = "unknown-class";
    /// PERFORM SECURITY OPERATION as ISO/IEC 7816-8 writes it
    IsoPso = "iso-pso";
    /// GET CHALLENGE without Le
    ChallengeWithoutLe = "challenge-without-le";
    /// empty VERIFY of the date of birth that nobody has presented yet
    BirthDateTries = "birth-date-tries";
    /// changing what no command is known to change, or with the command of other PINs
    ChangeOtherCommand = "change-other-command";
    /// READ RECORD of record 0
    ReadRecordZero = "read-record-zero";
    /// READ RECORD with an Le shorter than the record
    ReadRecordShortLe = "read-record-short-le";
    /// READ BINARY of 券面事項入力補助 0008
    ReadTextUnknown = "read-text-unknown";
    /// INTERNAL AUTHENTICATE with the current EF when there is none
    AuthenticateNoCurrentEf = "authenticate-no-current-ef";
    /// INTERNAL AUTHENTICATE when the EF holds no key
    AuthenticateNotAKey = "authenticate-not-a-key";
    /// INTERNAL AUTHENTICATE with a key that signs, its PIN verified
    AuthenticateWithSigningKey = "authenticate-with-signing-key";
    /// COMPUTE DIGITAL SIGNATURE with the key of INTERNAL AUTHENTICATE
    SignWithAuthenticatingKey = "sign-with-authenticating-key";
    /// COMPUTE DIGITAL SIGNATURE with P1 01 to 05 outside the JPKI application
    SignSchemeElsewhere = "sign-scheme-elsewhere";
    /// `80 A2`, beyond the refusals that are known
    TerminalAuthentication = "terminal-authentication";
    /// MANAGE ATTRIBUTES with P1 other than `22` and `24`
    ManageAttributesParameters = "manage-attributes-parameters";
    /// SET SESSION KEY with other P1-P2
    SessionKeyParameters = "session-key-parameters";
    /// SET SESSION KEY of other than 256 bytes
    SessionKeyLength = "session-key-length";
    /// SET SESSION KEY before any application is selected
    SessionKeyNoApplication = "session-key-no-application";
    /// a secured command without a data object
    SecuredWithoutObject = "secured-without-object";
    /// a secured command other than SELECT, VERIFY and READ BINARY
    SecuredOtherCommand = "secured-other-command";
    /// secured READ BINARY with another form of the wanted length
    SecuredOtherLengthForm = "secured-other-length-form";
    /// secured READ BINARY with an outer Le shorter than the answer
    SecuredShortOuterLe = "secured-short-outer-le";
    /// a secured command after one of class `0C`
    SecuredAfterIntegrity = "secured-after-integrity";
}

/// The table itself, as YAML.
pub const TABLE: &str = include_str!("../vectors/requirements/undocumented.yaml");

#[derive(Deserialize)]
struct Row {
    situation: String,
    answer: String,
}

static ANSWERS: LazyLock<Vec<Option<Status>>> = LazyLock::new(|| {
    let rows: Vec<Row> = document::parse("undocumented.yaml", TABLE).unwrap_or_default();
    let answer = |situation: &Situation| {
        let row = rows.iter().find(|row| row.situation == situation.name())?;
        u16::from_str_radix(&row.answer, 16).ok().map(Status::from)
    };
    Situation::ALL.iter().map(answer).collect()
});

impl Situation {
    /// This card's answer; `None` where the table says `63C?`, the answer to a wrong PIN.
    #[must_use]
    pub fn answer(self) -> Option<Status> {
        ANSWERS[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_situation_has_a_row_and_every_row_a_situation() {
        let rows: Vec<Row> = document::parse("undocumented.yaml", TABLE).unwrap();
        for situation in Situation::ALL {
            let row = rows.iter().find(|row| row.situation == situation.name());
            let row = row.unwrap_or_else(|| panic!("no row for {}", situation.name()));
            assert_eq!(row.answer == "63C?", situation.answer().is_none(), "{}", row.answer);
        }
        for row in &rows {
            assert!(
                Situation::ALL.iter().any(|situation| situation.name() == row.situation),
                "{}",
                row.situation
            );
        }
    }
}
