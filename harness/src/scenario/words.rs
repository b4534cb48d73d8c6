//! The nouns of scenarios in Japanese and English, for those who read steps in words.

use super::pin_step::By;
use super::sign_step::{KeyBy, SignMode};
use super::{CertificateCheck, Expect, Step, Verb};
use crate::language::{Bilingual, Language};
use crate::terminal::{CertificateName, KeyName, PinChoice, ReadStyle};
use vmyna_sim::pin::PinName;

/// One of two texts.
pub(super) fn say<'a>(language: Language, ja: &'a str, en: &'a str) -> &'a str {
    match language {
        Language::Ja => ja,
        Language::En => en,
    }
}

impl Verb {
    /// What happens, in both languages.
    #[must_use]
    pub fn in_words(&self) -> Bilingual {
        let action = self.action();
        Bilingual::new(action.in_words(Language::Ja), action.in_words(Language::En))
    }
}

impl Step {
    /// What happens and what is expected of it, as a sentence.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        let action = self.verb.action();
        let expected = action.expects().and_then(|expect| expectation_in_words(expect, language));
        let mut sentence = action.in_words(language);
        if let Some(expected) = expected {
            sentence.push_str(say(language, "。", "; "));
            sentence.push_str(&expected);
        }
        sentence
    }

    /// The sentence in both languages.
    #[must_use]
    pub fn in_words(&self) -> Bilingual {
        Bilingual::new(self.sentence(Language::Ja), self.sentence(Language::En))
    }
}

/// What a step expects, in words; `None` for mere success.
#[must_use]
pub fn expectation_in_words(expect: &Expect, language: Language) -> Option<String> {
    (!expect.is_mere_success())
        .then(|| format!("{}: {}", say(language, "期待", "expected"), expect.in_words(language)))
}

/// A PIN by its official name.
#[must_use]
pub fn pin(pin: PinName, language: Language) -> &'static str {
    let (ja, en) = match pin {
        PinName::UserAuthentication => {
            ("利用者証明用電子証明書の暗証番号", "the PIN for user authentication")
        }
        PinName::DigitalSignature => ("署名用電子証明書の暗証番号", "the PIN for digital signature"),
        PinName::TextInput => ("券面事項入力補助用の暗証番号", "the PIN for text input assistance"),
        PinName::TextCodeA => ("券面事項入力補助の照合番号A", "code A of text input assistance"),
        PinName::TextCodeB => ("券面事項入力補助の照合番号B", "code B of text input assistance"),
        PinName::VisualCodeA => ("券面事項確認の照合番号A", "code A of the card face application"),
        PinName::VisualCodeB => ("券面事項確認の照合番号B", "code B of the card face application"),
        PinName::BirthDate => ("券面事項確認の生年月日", "the date of birth of the card face application"),
        PinName::ResidentRegister => ("住民基本台帳用の暗証番号", "the PIN for the resident register"),
        PinName::CommonCard => ("共通カードの暗証番号", "the PIN of the common card application"),
    };
    say(language, ja, en)
}

/// Which value of a PIN.
pub(super) fn choice(choice: PinChoice, language: Language) -> &'static str {
    let (ja, en) = match choice {
        PinChoice::Right => ("正しい値", "the right value"),
        PinChoice::Wrong => ("誤った値", "a wrong value"),
        PinChoice::New => ("新しい値", "the new value"),
        PinChoice::LowerCase => ("英字を小文字にした値", "the right value in lower case"),
    };
    say(language, ja, en)
}

/// How something is addressed, as an addition to a sentence.
pub(super) fn by(by: By, language: Language) -> &'static str {
    let (ja, en) = match by {
        By::Select => ("", ""),
        By::Sfi => ("(短縮 EF 識別子で指定)", " (by short EF identifier)"),
        By::Current => ("(カレント EF)", " (the current EF)"),
    };
    say(language, ja, en)
}

/// How a key is addressed, as an addition to a sentence.
pub(super) fn key_by(key: KeyBy, language: Language) -> &'static str {
    match key.file() {
        Some(file) => by(file, language),
        None => say(language, "(アプリケーションの既定の鍵)", " (the default key of the application)"),
    }
}

/// What the card makes of data that it signs, as an addition to a sentence.
pub(super) fn mode(mode: SignMode, language: Language) -> &'static str {
    let (ja, en) = match mode {
        SignMode::Verbatim => ("", ""),
        SignMode::Sha256 => ("(カードが SHA-256 を計算)", " (the card hashes them with SHA-256)"),
        SignMode::DigestInfo => ("(カードが DigestInfo を付加)", " (the card adds the DigestInfo)"),
        SignMode::Sha256DigestInfo => (
            "(カードが SHA-256 を計算して DigestInfo を付加)",
            " (the card hashes them with SHA-256 and adds the DigestInfo)",
        ),
        SignMode::Pss => ("(RSASSA-PSS)", " (RSASSA-PSS)"),
        SignMode::Sha256Pss => {
            ("(カードが SHA-256 を計算、RSASSA-PSS)", " (the card hashes them with SHA-256; RSASSA-PSS)")
        }
    };
    say(language, ja, en)
}

/// A certificate by its official name.
pub(crate) fn certificate(name: CertificateName, language: Language) -> &'static str {
    let (ja, en) = match name {
        CertificateName::UserAuthentication => {
            ("利用者証明用電子証明書", "the certificate for user authentication")
        }
        CertificateName::UserAuthenticationCa => {
            ("利用者証明用認証局の証明書", "the CA certificate for user authentication")
        }
        CertificateName::DigitalSignature => ("署名用電子証明書", "the certificate for digital signature"),
        CertificateName::DigitalSignatureCa => {
            ("署名用認証局の証明書", "the CA certificate for digital signature")
        }
    };
    say(language, ja, en)
}

/// A way of reading a certificate.
pub(super) fn style(style: ReadStyle, language: Language) -> &'static str {
    let (ja, en) = match style {
        ReadStyle::Header4 => {
            ("先頭 4 バイトの後、先頭から 256 バイトずつ", "4 bytes, then blocks of 256 from the start")
        }
        ReadStyle::Header4Continue => {
            ("先頭 4 バイトの後、続きを 256 バイトずつ", "4 bytes, then blocks of 256 after them")
        }
        ReadStyle::Header7 => {
            ("先頭 7 バイトの後、先頭から 256 バイトずつ", "7 bytes, then blocks of 256 from the start")
        }
        ReadStyle::Header7Continue => {
            ("先頭 7 バイトの後、続きを 256 バイトずつ", "7 bytes, then blocks of 256 after them")
        }
        ReadStyle::Blocks => ("EF の終わりまで 256 バイトずつ", "whole blocks of 256 until the EF ends"),
        ReadStyle::Header8Ff => {
            ("先頭 8 バイトの後、先頭から 255 バイトずつ", "8 bytes, then blocks of 255 from the start")
        }
        ReadStyle::Extended => {
            ("先頭 4 バイトの後、残りを拡張 Le で一度に", "4 bytes, then the rest at once with extended Le")
        }
        ReadStyle::ExtendedFromStart => {
            ("先頭 4 バイトの後、全体を拡張 Le で一度に", "4 bytes, then all at once with extended Le")
        }
        ReadStyle::Sfi => (
            "短縮 EF 識別子で、残りを拡張 Le で一度に",
            "by short EF identifier, the rest at once with extended Le",
        ),
    };
    say(language, ja, en)
}

/// What a certificate is checked for.
pub(super) fn check(check: CertificateCheck, language: Language) -> &'static str {
    let (ja, en) = match check {
        CertificateCheck::Path => ("発行者の署名", "the signature of its issuer"),
        CertificateCheck::Usage => ("用途", "its usage"),
        CertificateCheck::Validity => ("有効期間", "its validity"),
        CertificateCheck::Key => ("鍵", "its key"),
        CertificateCheck::Shape => ("名前と拡張領域の形", "its names and extensions"),
    };
    say(language, ja, en)
}

/// A private key by its official name.
pub(super) fn key(key: KeyName, language: Language) -> &'static str {
    match key {
        KeyName::UserAuthentication => say(language, "利用者証明用秘密鍵", "the key for user authentication"),
        KeyName::DigitalSignature => say(language, "署名用秘密鍵", "the key for digital signature"),
        KeyName::Text => say(
            language,
            "券面事項入力補助の内部認証鍵",
            "the internal authentication key of text input assistance",
        ),
        KeyName::Visual => say(
            language,
            "券面事項確認の内部認証鍵",
            "the internal authentication key of the card face application",
        ),
        KeyName::Common => say(
            language,
            "共通カードの内部認証鍵",
            "the internal authentication key of the common card application",
        ),
    }
}
