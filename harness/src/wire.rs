//! What passes between terminal and card, in Japanese and English: commands, answers, statuses. Names of
//! instructions stay as ISO/IEC 7816-4 has them.

use crate::language::{Bilingual, Language};
use vmyna_sim::apdu::Status;
use vmyna_sim::exchange::{
    Act, Exchange, KeyToSignWith, Meaning, Reference, Shortened, ShownCommand, ShownResponse, Wanted,
};
use vmyna_sim::key::SignatureScheme;

/// What a status means; nothing for one that has no name.
pub(crate) fn status(status: Status) -> Bilingual {
    let english = status.to_string();
    let english = english.split_once(" (").map_or("", |(_, meaning)| meaning.trim_end_matches(')'));
    let japanese = match status {
        Status::TriesLeft(tries) => return Bilingual::new(format!("残り {tries} 回"), english),
        Status::Success => "正常終了",
        Status::DataMayBeCorrupted => "データの一部が壊れている可能性",
        Status::DfLocked => "DF 閉塞",
        Status::VerificationFailed => "照合不一致",
        Status::ExecutionError => "実行誤り、変更なし",
        Status::MemoryFailure => "メモリへの書き込み失敗",
        Status::NoKeyDelivery => "セッション鍵の配送先なし",
        Status::WrongLength => "Lc・Le 誤り",
        Status::LogicalChannelNotSupported => "論理チャネル未対応",
        Status::SecureMessagingNotSupported => "セキュアメッセージング未対応",
        Status::CommandChainingNotSupported => "コマンド連鎖未対応",
        Status::IncompatibleFileStructure => "ファイル構造と矛盾するコマンド",
        Status::SecurityStatusNotSatisfied => "セキュリティステータス不満足",
        Status::AuthenticationMethodBlocked => "認証方法の閉塞",
        Status::ReferencedIefBlocked => "参照 IEF 閉塞",
        Status::ConditionsOfUseNotSatisfied => "使用条件不満足",
        Status::NoCurrentEf => "カレント EF なし",
        Status::SecureMessagingObjectsMissing => "セキュアメッセージングのデータオブジェクトなし",
        Status::SecureMessagingObjectsIncorrect => "セキュアメッセージングのデータオブジェクト誤り",
        Status::NoSecureMessagingSession => "セキュアメッセージングのセッションなし",
        Status::IncorrectData => "データフィールド誤り",
        Status::FunctionNotSupported => "機能なし",
        Status::FileNotFound => "ファイル・アプリケーションなし",
        Status::RecordNotFound => "レコードなし",
        Status::NotEnoughMemory => "ファイルの空き不足",
        Status::LcInconsistentWithTlv => "Lc が TLV 構造と矛盾",
        Status::IncorrectP1P2 => "P1・P2 誤り",
        Status::LcInconsistentWithP1P2 => "Lc が P1・P2 と矛盾",
        Status::ReferencedDataNotFound => "参照データなし",
        Status::OffsetOutsideEf => "オフセットが EF の外",
        Status::InstructionNotSupported => "INS 未対応",
        Status::ClassNotSupported => "CLA 未対応",
        Status::NoPreciseDiagnosis => "自己診断異常",
        Status::Other(_) => "",
    };
    Bilingual::new(japanese, english)
}

/// What a status word of four hex digits means; nothing where it is none.
pub(crate) fn status_word(digits: &str) -> Bilingual {
    u16::from_str_radix(digits, 16).map_or_else(|_| Bilingual::alike(""), |code| status(code.into()))
}

/// An answer: its bytes, and what its status means.
pub(crate) fn response(answer: &ShownResponse) -> Bilingual {
    let english = answer.to_string();
    let Some(status) = answer.status() else {
        return Bilingual::new(format!("{}  (ステータスのない応答)", answer.hex()), english);
    };
    let mut japanese = shortened(&answer.data());
    if !japanese.is_empty() {
        japanese.push(' ');
    }
    let [sw1, sw2] = status.to_bytes();
    japanese += &format!("{sw1:02X} {sw2:02X}");
    let meaning = self::status(status).ja;
    if !meaning.is_empty() {
        japanese += &format!("  ({meaning})");
    }
    Bilingual::new(japanese, english)
}

/// A command and its answer, in two lines.
pub(crate) fn exchange(exchange: &Exchange, language: Language) -> String {
    if language == Language::En {
        return exchange.to_string();
    }
    let command = command(&exchange.command, language);
    let answer = exchange.response.as_ref().map_or_else(|| "(応答なし)".to_owned(), |it| response(it).ja);
    format!("> {command}\n< {answer}")
}

/// A command: its bytes, and what it means.
pub(crate) fn command(command: &ShownCommand, language: Language) -> String {
    match language {
        Language::En => command.to_string(),
        Language::Ja => format!("{}  {}", shortened(&command.shortened()), meaning(command.meaning()).ja),
    }
}

/// Bytes, in Japanese.
fn shortened(bytes: &Shortened) -> String {
    match bytes.of {
        Some(count) => format!("{} … ({count} バイト)", bytes.hex),
        None => bytes.hex.clone(),
    }
}

/// What a command means.
pub(crate) fn meaning(meaning: Meaning) -> Bilingual {
    let secured = if meaning.secured { "セキュアメッセージング " } else { "" };
    Bilingual::new(format!("{secured}{}", act(meaning.act)), meaning.to_string())
}

fn act(act: Act) -> String {
    match act {
        Act::Malformed => "形式の誤ったコマンド".to_owned(),
        Act::SelectApplication(Some(name)) => format!("SELECT アプリケーション {name}"),
        Act::SelectApplication(None) => "SELECT アプリケーション".to_owned(),
        Act::SelectFile(Some(id)) => format!("SELECT EF {id:04X}"),
        Act::SelectFile(None) => "SELECT EF".to_owned(),
        Act::Select => "SELECT".to_owned(),
        Act::ReadBinary { sfi, offset, wanted } => {
            let file = sfi.map_or_else(String::new, |sfi| format!("SFI {sfi:02X}、"));
            let wanted = match wanted {
                Wanted::Untold => String::new(),
                Wanted::All => "、すべてのバイト".to_owned(),
                Wanted::UpTo(count) => format!("、最大 {count} バイト"),
            };
            format!("READ BINARY {file}オフセット {offset}{wanted}")
        }
        Act::ReadSomeBinary => "READ BINARY".to_owned(),
        Act::ReadRecord => "READ RECORD".to_owned(),
        Act::AskTriesLeft(pin) => format!("VERIFY {}（残り回数の照会）", reference(pin)),
        Act::Verify(pin) => format!("VERIFY {}", reference(pin)),
        Act::ChangeReferenceData(pin) => format!("CHANGE REFERENCE DATA {}", reference(pin)),
        Act::ChangeKey(pin) => format!("CHANGE KEY {}", reference(pin)),
        Act::Sign { key, scheme: how, length } => {
            let key = match key {
                KeyToSignWith::OfApplication => "アプリケーションの鍵".to_owned(),
                KeyToSignWith::In(file) => reference(file),
            };
            let how = how.map_or_else(|p1| format!("方式 {p1:02X}"), |how| scheme(how).to_owned());
            format!("COMPUTE DIGITAL SIGNATURE {key}、{how}、{length} バイト")
        }
        Act::GetChallenge => "GET CHALLENGE".to_owned(),
        Act::InternalAuthenticate(key) => format!("INTERNAL AUTHENTICATE {}", reference(key)),
        Act::GetData(tag) => match object(tag) {
            Some(name) => format!("GET DATA {tag:04X}：{name}"),
            None => format!("GET DATA {tag:04X}"),
        },
        Act::SetSessionKey => "SET SESSION KEY".to_owned(),
        Act::AuthenticateTerminal => "端末認証 (80 A2)".to_owned(),
        Act::LastCommand => "最終コマンド表示 (80 FC)".to_owned(),
        Act::Other(ins) => format!("INS {ins:02X}"),
    }
}

fn reference(reference: Reference) -> String {
    match reference {
        Reference::Current => "カレント EF".to_owned(),
        Reference::Short(sfi) => format!("SFI {sfi:02X}"),
        Reference::Other(p2) => format!("参照 {p2:02X}"),
    }
}

const fn scheme(scheme: SignatureScheme) -> &'static str {
    match scheme {
        SignatureScheme::Verbatim => "データそのまま",
        SignatureScheme::Sha256Bare => "データの SHA-256 のみ",
        SignatureScheme::PrehashedDigestInfo => "渡された SHA-256 を DigestInfo に収める",
        SignatureScheme::Sha256DigestInfo => "データの SHA-256 を DigestInfo に収める",
        SignatureScheme::PrehashedPss => "渡された SHA-256、PSS",
        SignatureScheme::Sha256Pss => "データの SHA-256、PSS",
    }
}

/// What the data object `tag` of GET DATA is.
const fn object(tag: u16) -> Option<&'static str> {
    Some(match tag {
        0x0042 => "発行者識別",
        0x0045 => "カード識別",
        0x0066 => "カード認識データ",
        0x00F0 => "市区町村",
        0x00F2 => "有効期限",
        0x00F7 => "中間鍵の識別子",
        0x00F8 => "上位の証明書",
        0x7F21 => "下位の証明書",
        0x5F51 => "リセット応答 (ATR)",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    #[test]
    fn a_status_is_told_in_both_languages() {
        assert_eq!(status_word("63C2"), Bilingual::new("残り 2 回", "2 tries left"));
        assert_eq!(status_word("9000").en, "success");
        assert_eq!(status_word("1234"), Bilingual::alike(""));
        assert_eq!(status_word("none"), Bilingual::alike(""));
        for (name, named) in Status::named() {
            let told = status(named);
            assert!(!told.ja.is_ascii() && !told.en.is_empty(), "{name}");
        }
    }

    #[test]
    fn a_command_is_told_in_japanese() {
        let told = |raw: &[u8]| meaning(Meaning::of(raw));
        assert_eq!(
            told(&hex!("00B0000100")),
            Bilingual::new(
                "READ BINARY オフセット 1、最大 256 バイト",
                "READ BINARY offset 1, up to 256 bytes"
            )
        );
        assert_eq!(told(&hex!("00200080")).ja, "VERIFY カレント EF（残り回数の照会）");
        assert_eq!(
            told(&hex!("08B08103 05 9603000000 00")).ja,
            "セキュアメッセージング READ BINARY SFI 01、オフセット 3、すべてのバイト"
        );
        for raw in [
            &hex!("802A0580 01 55 00")[..],
            &hex!("802A0080 01 55 00"),
            &hex!("802A0000 01 55 00"),
            &hex!("00CA00F200"),
            &hex!("08B08103 05 9603000000 00"),
            &hex!("80A200C1 01 55"),
            &hex!("80AE000000010055"),
        ] {
            let shown = exchange(&Exchange::new(raw, None), Language::Ja);
            let words = shown
                .split([' ', '、', '：'])
                .filter(|word| word.len() > 2 && word.chars().all(|letter| letter.is_ascii_lowercase()));
            assert_eq!(words.collect::<Vec<_>>(), Vec::<&str>::new(), "{shown}");
        }
    }

    #[test]
    fn every_data_object_has_a_name_in_both_languages() {
        for tag in 0..=u16::MAX {
            let english = vmyna_sim::application::object_name(tag);
            assert_eq!(english.is_some(), object(tag).is_some(), "{tag:04X}");
        }
    }

    #[test]
    fn an_exchange_is_told_in_both_languages() {
        let counter = Exchange::new(&hex!("00200080"), Some(&hex!("63C2")));
        assert_eq!(
            exchange(&counter, Language::Ja),
            "> 00 20 00 80  VERIFY カレント EF（残り回数の照会）\n< 63 C2  (残り 2 回)"
        );
        assert_eq!(exchange(&counter, Language::En), counter.to_string());
        let long = Exchange::new(&hex!("00B0000000"), Some(&[&[0xAB; 256][..], &hex!("9000")].concat()));
        assert!(exchange(&long, Language::Ja).ends_with("… (256 バイト) 90 00  (正常終了)"));
        let long = ShownCommand::new(&[&hex!("00D60000 FF")[..], &[0xAB; 255]].concat());
        assert!(command(&long, Language::Ja).ends_with("… (260 バイト)  INS D6"));
        let cut = ShownResponse::new(&hex!("90"));
        assert_eq!(response(&cut).ja, "90  (ステータスのない応答)");
        let nameless = ShownResponse::new(&hex!("1234"));
        assert_eq!(response(&nameless), Bilingual::alike("12 34"));
    }
}
