//! The nouns of scenarios in Japanese and English, for those who read steps in words.

use super::pin_step::{By, PinChoice};
use super::sign_step::{KeyBy, KeyName, SignMode};
use super::{
    BirthdayMatch, CertificateCheck, CertificateName, Content, DataExpectation, DataObject, Expect,
    ReadStyle, StatusExpectation, Step, TextMatch, Verb,
};
use crate::language::{Bilingual, Language};
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
    if *expect == (Expect { content: expect.content.clone(), ..Expect::default() })
        && expect.content.is_empty()
    {
        return None;
    }
    let status = match (&expect.status, language) {
        (StatusExpectation::Blocked, Language::Ja) => "6984 または 6983(閉塞)".to_owned(),
        (StatusExpectation::Undocumented(situation), Language::Ja) => {
            let answer =
                situation.answer().map_or("63C?".to_owned(), |status| format!("{:04X}", u16::from(status)));
            format!("{answer}({}: 公開資料がない)", situation.name())
        }
        (status, Language::Ja) => {
            status.to_string().replace(" or ", " または ").replace("anything but ", "以外: ")
        }
        (status, Language::En) => status.to_string(),
    };
    let contents = expect.contents().filter(|content| !content.is_empty());
    let contents = contents.map(|content| content_in_words(content, language));
    let within = expect.within.map(|within| match language {
        Language::Ja => format!("{} ミリ秒以内", within.as_millis()),
        Language::En => format!("within {} ms", within.as_millis()),
    });
    let all: Vec<String> = std::iter::once(status).chain(contents).chain(within).collect();
    Some(format!("{}: {}", say(language, "期待", "expected"), all.join(say(language, "、", ", "))))
}

fn content_in_words(content: &Content, language: Language) -> String {
    if language == Language::En {
        return content.to_string();
    }
    let mut parts = Vec::new();
    parts.extend(content.data.as_ref().map(|data| match data {
        DataExpectation::Pattern(pattern) => format!("データ {pattern}"),
        DataExpectation::Octets(octets) => format!("{}と同じデータ", octets.in_words(language)),
    }));
    parts.extend(
        content.differs_from.as_ref().map(|octets| format!("{}と異なるデータ", octets.in_words(language))),
    );
    parts.extend(content.text.as_ref().map(text_in_japanese));
    parts.extend(content.length.map(|length| match (length.at_least, length.at_most) {
        (least, most) if least == most => format!("{least} バイト"),
        (least, usize::MAX) => format!("{least} バイト以上"),
        (0, most) => format!("{most} バイト以下"),
        (least, most) => format!("{least} から {most} バイト"),
    }));
    parts.extend(content.certificate.as_ref().map(|wanted| format!("証明書({wanted})")));
    parts.extend(content.signature.as_ref().map(|signature| {
        let (by, over) = (signature.by.in_words(language), signature.over.in_words(language));
        format!("{by}で検証できる、{over}への署名")
    }));
    match &content.object {
        None => parts.join("、"),
        Some(DataObject::Ber(path)) => format!("データオブジェクト {path}: {}", parts.join("、")),
        Some(DataObject::Simple(tag)) => format!("単純 TLV {tag}: {}", parts.join("、")),
    }
}

fn text_in_japanese(text: &TextMatch) -> String {
    match text {
        TextMatch::Exactly(text) => format!("テキスト「{text}」"),
        TextMatch::Contains(text) => format!("「{text}」を含むテキスト"),
        TextMatch::Like { pattern, as_long_as: None } => format!("{pattern} に一致するテキスト"),
        TextMatch::Like { pattern, as_long_as: Some(name) } => {
            format!("{pattern} に一致し、控えておいた {name} と同じ文字数のテキスト")
        }
        TextMatch::Captured { name, after: None } => format!("控えておいた {name} と同じテキスト"),
        TextMatch::Captured { name, after: Some(pattern) } => {
            format!("{pattern} に続けて、控えておいた {name} と同じテキスト")
        }
        TextMatch::Birthday(BirthdayMatch { number, of, after, at_latest }) => {
            let count = match (number.at_least, number.at_most) {
                (least, most) if least == most => format!("{least} 回目"),
                (least, usize::MAX) => format!("{least} 回目以降"),
                (least, most) => format!("{least} から {most} 回目"),
            };
            let day = format!("控えておいた {after} より後、{count}の誕生日({of})");
            at_latest.as_ref().map_or(day.clone(), |name| format!("{day}、ただし {name} を超えない日"))
        }
    }
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
pub(super) fn certificate(name: CertificateName, language: Language) -> &'static str {
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
