//! A person as data: who they are, where they are registered, the PINs of their card and the keys
//! in it. Holders are YAML documents; those that come with the program are part of it.

mod built_in;
mod my_number;
mod pin_value;
mod source;

pub use my_number::{MyNumber, MyNumberError, check_digit};
pub use pin_value::{PinFormError, PinValue};

use crate::document::{self, DocumentError};
use crate::key::KeyName;
use jiff::civil::Date;
use std::path::Path;

/// A person with a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    id: String,
    /// one line about this holder
    pub title: Title,
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
}

/// A line in two languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Title {
    /// Japanese
    pub ja: String,
    /// English
    pub en: String,
}

/// The four basic data (基本4情報) and the individual number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// 氏名: full-width, a full-width space between family and given name; at most 200 characters
    pub name: String,
    /// 生年月日
    pub birth: Date,
    /// 性別
    pub sex: Sex,
    /// 住所: full-width, at most 200 characters
    pub address: String,
    /// 個人番号
    pub my_number: MyNumber,
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
    /// [`DocumentError`] when the file cannot be read, or as for [`Holder::parse`].
    pub fn load(path: &Path) -> Result<Self, DocumentError> {
        Self::parse(&path.display().to_string(), &document::read(path)?)
    }

    /// Reads `text`, the contents of the holder's file `file_name`, whose stem becomes the
    /// [`id`](Self::id). Name and birth are enough; everything else has a default.
    ///
    /// # Errors
    /// [`DocumentError::Invalid`] at the first thing that does not fit. Values out of the file are
    /// masked in the line that it shows, so that no PIN is printed.
    pub fn parse(file_name: &str, text: &str) -> Result<Self, DocumentError> {
        source::parse(file_name, text)
    }

    /// What tells this holder from others: the stem of the file. Serial numbers and the choice of
    /// spare keys derive from it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}
