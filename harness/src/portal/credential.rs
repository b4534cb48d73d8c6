//! The two keys of the JPKI application, each with its certificate and its PIN.

use super::screen::Purpose;
use crate::language::Bilingual;
use crate::terminal::Credential;
use vmyna_sim::pin::PinValue;

impl Credential {
    /// The form of its PIN, as a browser's `pattern`.
    #[must_use]
    pub const fn pattern(self) -> &'static str {
        match self {
            Self::UserAuthentication => "[0-9]{4}",
            Self::DigitalSignature => "[0-9A-Za-z]{6,16}",
        }
    }

    /// What the forms say that ask for its PIN.
    #[must_use]
    pub fn words(self) -> PinWords {
        let say = |ja: &str, en: &str| Bilingual { ja: ja.to_owned(), en: en.to_owned() };
        match self {
            Self::UserAuthentication => PinWords {
                title: say("スマホでログイン", "Log in with the phone"),
                page: say(
                    "マイナンバーカードの利用者証明用電子証明書のパスワードを入力してください",
                    "Enter the PIN of your card’s user authentication certificate",
                ),
                dialog: say(
                    "マイナンバーカードの利用者証明用電子証明書のパスワード(4桁の数字)を入力してください。",
                    "Enter the PIN (4 digits) of your card’s user authentication certificate.",
                ),
                place: say("数字4桁", "4 digits"),
                what: say("利用者証明用電子証明書のパスワードとは", "What is this PIN?"),
                explained: say(
                    "カードを市区町村の窓口で受け取ったときに、ご自身で設定した数字4桁です。この試験のカードは holders のとおりです（番号花子は 1234）。",
                    "The four digits that the holder chose when the card was handed over. Hanako’s is 1234 (`vmyna holders show NAME`).",
                ),
            },
            Self::DigitalSignature => PinWords {
                title: say("スマホで署名", "Sign with the phone"),
                page: say(
                    "マイナンバーカードの署名用電子証明書のパスワードを入力してください",
                    "Enter the password of your card’s signature certificate",
                ),
                dialog: say(
                    "マイナンバーカードの署名用電子証明書のパスワード(6文字から16文字の英数字)を入力してください。",
                    "Enter the password (6 to 16 letters and digits) of your card’s signature certificate.",
                ),
                place: say("英数字6文字から16文字", "6 to 16 letters and digits"),
                what: say("署名用電子証明書のパスワードとは", "What is this password?"),
                explained: say(
                    "カードを市区町村の窓口で受け取ったときに、ご自身で設定した英数字6文字から16文字です。英字は大文字でも小文字でも入力できます（番号花子は ABC123）。",
                    "The 6 to 16 letters and digits that the holder chose when the card was handed over; capitals or not. Hanako’s is ABC123 (`vmyna holders show NAME`).",
                ),
            },
        }
    }

    /// What was typed, as the card wants it: letters of the signature password in upper case. `None` for
    /// what has not the form of the PIN.
    #[must_use]
    pub fn pin_as_sent(self, typed: &str) -> Option<PinValue> {
        let pin = PinValue::new(match self {
            Self::UserAuthentication => typed.as_bytes().to_vec(),
            Self::DigitalSignature => typed.as_bytes().to_ascii_uppercase(),
        });
        self.pin().allows(pin.as_bytes()).then_some(pin)
    }
}

/// The words of the two forms that ask for a PIN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinWords {
    /// above the form that fills the screen
    pub title: Bilingual,
    /// what that form asks for
    pub page: Bilingual,
    /// what the dialog asks for
    pub dialog: Bilingual,
    /// in the empty field
    pub place: Bilingual,
    /// the question below
    pub what: Bilingual,
    /// and its answer
    pub explained: Bilingual,
}

impl Purpose {
    /// What the card must prove it with.
    #[must_use]
    pub const fn credential(self) -> Credential {
        match self {
            Self::Application | Self::Inquiry => Credential::UserAuthentication,
            Self::Signature => Credential::DigitalSignature,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_of_the_signature_password_are_sent_in_upper_case() {
        let sent = |typed| {
            let pin = Credential::DigitalSignature.pin_as_sent(typed);
            pin.map(|pin| String::from_utf8(pin.as_bytes().to_vec()).unwrap())
        };
        assert_eq!(sent("abc123"), Some("ABC123".to_owned()));
        assert_eq!(sent("ABCdefGHI1234567").map(|pin| pin.len()), Some(16));
        for wrong in ["", "abc12", "ABCDEFGHIJ1234567", "abc-123", "ＡＢＣ１２３"] {
            assert_eq!(sent(wrong), None, "{wrong}");
        }
        assert!(Credential::UserAuthentication.pin_as_sent("1234").is_some());
        assert!(Credential::UserAuthentication.pin_as_sent("abcd").is_none());
    }
}
