//! A person as data: who they are, where they are registered, the PINs of their card and the keys
//! in it. Holders are YAML documents; those that come with the program are part of it.

mod birthday;
mod built_in;
mod images;
mod my_number;
mod source;
mod state;

pub use birthday::{age, birthday_in, last_birthday};
pub use images::Images;
pub use my_number::{MyNumber, MyNumberError, check_digit};
pub use state::{
    CertificateState, Certificates, IssuingGeneration, Revocation, SignatureCertificate, State, TriesLeft,
};

use crate::bilingual::Bilingual;
use crate::document::{self, DocumentError};
use crate::key::{KeyError, KeyName};
use crate::pin::{PinName, PinSet, PinValue};
use crate::pki::JAPAN;
use jiff::Timestamp;
use jiff::civil::Date;
use std::path::Path;

/// A person with a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    id: String,
    /// one line about this holder
    pub title: Bilingual,
    /// who they are (基本4情報 and the individual number)
    pub person: Person,
    /// where they are registered
    pub municipality: Municipality,
    /// the PINs of their card
    pub pins: Pins,
    /// what is printed on their card and nowhere else
    pub card: Card,
    /// names of the keys in their card, out of the pool of TEST keys
    pub keys: Keys,
    /// what is special about their card
    pub state: State,
    /// pictures of their own; see [`crate::image`]
    pub images: Images,
    /// where the file gives an age and no birth
    age: Option<Age>,
    /// PINs whose value was written down, and not left to a default
    stated: PinSet,
}

/// An age that stays, whatever the clock shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Age {
    years: i16,
    birthday: Date,
}

impl Age {
    /// The birth of someone who has completed this many years on `today`.
    fn birth(self, today: Date) -> Option<Date> {
        let birthday = birthday_in(self.birthday, today.year())?;
        let last = if birthday <= today { today.year() } else { today.year() - 1 };
        birthday_in(self.birthday, last.checked_sub(self.years)?)
    }
}

/// The four basic data (基本4情報) and the individual number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// 氏名: full-width, a full-width space between family and given name; at most 200 characters
    pub name: String,
    /// 生年月日. Where the holder's file gives an age, the birth that fits it at the clock that
    /// [`Holder::as_of`] was told last.
    pub birth: Date,
    /// 性別
    pub sex: Sex,
    /// 住所: full-width, at most 200 characters
    pub address: String,
    /// 個人番号
    pub my_number: MyNumber,
    /// 代替文字情報
    pub substitutes: Substitutes,
}

/// 代替文字情報: for each character of the text a digit, `1` where it stands for another one that
/// certificates cannot hold, `0` otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Substitutes {
    /// of the name
    pub name: String,
    /// of the address
    pub address: String,
}

/// 性別, as certificates and the card's text code it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// 男, code 1
    Male,
    /// 女, code 2
    Female,
    /// 不明, code 3
    Unknown,
}

impl Sex {
    /// The code in a certificate: `1`, `2` or `3`.
    #[must_use]
    pub fn code(self) -> char {
        match self {
            Self::Male => '1',
            Self::Female => '2',
            Self::Unknown => '3',
        }
    }
}

/// The municipality that issued the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Municipality {
    /// 全国地方公共団体コード without its check digit: 5 digits
    pub code: String,
    /// prefecture in Latin letters as certificates name it, such as `Tokyo-to`
    pub prefecture: String,
    /// city, ward, town or village in Latin letters, such as `Chiyoda-ku`
    pub city: String,
}

/// The PINs that a holder chooses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pins {
    /// 利用者証明用電子証明書の暗証番号: 4 digits
    pub user_authentication: PinValue,
    /// 署名用電子証明書の暗証番号: 6 to 16 of A to Z and 0 to 9
    pub digital_signature: PinValue,
    /// 券面事項入力補助用の暗証番号: 4 digits
    pub text_input: PinValue,
    /// 住民基本台帳用の暗証番号: 4 digits
    pub resident_register: PinValue,
    /// the PIN of 共通カード: 4 digits
    pub common_card: PinValue,
}

/// What is printed on a card and not about the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// the four digits beside the date of expiry, the end of 照合番号B
    pub security_code: PinValue,
    /// the last day of validity; `None` for the birthday that follows from the day of issue
    pub expiry: Option<Date>,
}

/// Names of the keys in the card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// 利用者証明用
    pub user_authentication: KeyName,
    /// 署名用
    pub digital_signature: KeyName,
    /// 券面事項入力補助 0013, which proves that the card is there
    pub text: KeyName,
    /// 券面事項確認 001A, likewise
    pub visual: KeyName,
    /// to which a terminal encrypts the key of a session with 券面事項入力補助
    pub session: KeyName,
    /// 共通カード 0019
    pub common: KeyName,
}

impl Keys {
    /// The keys of the holder `id` before the certificates were renewed: the spare ones for the
    /// certificates, all others as they are.
    ///
    /// # Errors
    /// [`KeyError`] when the pool lacks them, which a test rules out.
    pub fn before_renewal(self, id: &str) -> Result<Self, KeyError> {
        let spare = |purpose| KeyName::parse(&KeyName::spare(id, purpose)).map_err(|_| KeyError::Pem);
        Ok(Self {
            user_authentication: spare("user-authentication")?,
            digital_signature: spare("digital-signature")?,
            ..self
        })
    }
}

impl Holder {
    /// The holder of this name that comes with the program.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        built_in::holder(name)
    }

    /// The names of all holders that come with the program, in alphabetical order.
    #[must_use]
    pub fn built_in_names() -> Vec<&'static str> {
        built_in::names()
    }

    /// Reads the holder's file at `path`.
    ///
    /// # Errors
    /// [`DocumentError`] when the file cannot be read, has a birth after today, or as for
    /// [`Holder::parse`].
    pub fn load(path: &Path) -> Result<Self, DocumentError> {
        let today = JAPAN.to_datetime(Timestamp::now()).date();
        source::parse(&path.display().to_string(), &document::read(path)?, Some(today))
    }

    /// Reads `text`, the contents of the holder's file `file_name`, whose stem becomes the
    /// [`id`](Self::id). Name and birth (or age) are enough; everything else has a default. Pictures
    /// that it names are read from the folder of `file_name`.
    ///
    /// # Errors
    /// [`DocumentError::Invalid`] at the first thing that does not fit. Values out of the file are
    /// masked in the line that it shows, so that no PIN is printed.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, DocumentError> {
        source::parse(file_name, text, None)
    }

    /// The holder when the clock shows `now`: someone whose file gives an age was born so long ago.
    /// Nothing else changes, and nothing at all for those whose file gives a birth.
    #[must_use]
    pub fn as_of(mut self, now: Timestamp) -> Self {
        let today = JAPAN.to_datetime(now).date();
        if let Some(birth) = self.age.and_then(|age| age.birth(today)) {
            self.person.birth = birth;
        }
        self
    }

    /// The age when the clock shows `now`, in completed years.
    #[must_use]
    pub fn age(&self, now: Timestamp) -> i16 {
        let birth = self.clone().as_of(now).person.birth;
        age(birth, JAPAN.to_datetime(now).date())
    }

    /// The state of the signature certificate in the card when the clock shows `now`; `None` when
    /// there is none: by default before the fifteenth birthday.
    #[must_use]
    pub fn signature_certificate(&self, now: Timestamp) -> Option<CertificateState> {
        self.state.certificates.digital_signature.at_age(self.age(now))
    }

    /// Whether the holder's file says what `pin` is. Of a card that is not ours a default says
    /// nothing: presenting it would be guessing.
    #[must_use]
    pub const fn states(&self, pin: PinName) -> bool {
        self.stated.contains(pin)
    }

    /// The holder with `value` for a PIN that holders choose; any other is as it was.
    #[must_use]
    pub fn with_pin(mut self, pin: PinName, value: PinValue) -> Self {
        let chosen = match pin {
            PinName::UserAuthentication => &mut self.pins.user_authentication,
            PinName::DigitalSignature => &mut self.pins.digital_signature,
            PinName::TextInput => &mut self.pins.text_input,
            PinName::ResidentRegister => &mut self.pins.resident_register,
            PinName::CommonCard => &mut self.pins.common_card,
            _ => return self,
        };
        *chosen = value;
        self.stated.insert(pin);
        self
    }

    /// The holder with this individual number, which is also 照合番号A.
    #[must_use]
    pub fn with_my_number(mut self, my_number: MyNumber) -> Self {
        self.person.my_number = my_number;
        self.stated.insert(PinName::TextCodeA);
        self.stated.insert(PinName::VisualCodeA);
        self
    }

    /// What tells this holder from others: the stem of the file. Serial numbers and the choice of
    /// spare keys derive from it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}
