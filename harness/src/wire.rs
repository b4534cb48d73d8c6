//! What passes between terminal and card, in Japanese and English: commands, answers, statuses. Names of
//! instructions stay as ISO/IEC 7816-4 has them.

use crate::language::{Bilingual, Language};
use vmyna_sim::apdu::Status;
use vmyna_sim::exchange::{Exchange, ShownCommand, ShownResponse};

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
    let meaning = self::status(status);
    let bytes = english.strip_suffix(&format!("  ({})", meaning.en));
    let japanese = bytes.map_or_else(|| english.clone(), |bytes| format!("{bytes}  ({})", meaning.ja));
    Bilingual::new(bytes_in_japanese(&japanese), english)
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
    let english = command.to_string();
    match (english.strip_suffix(command.meaning()), language) {
        (Some(bytes), Language::Ja) => {
            format!("{}{}", bytes_in_japanese(bytes), meaning_ja(command.meaning()))
        }
        _ => english,
    }
}

/// How long shortened data are.
fn bytes_in_japanese(shown: &str) -> String {
    shown.replace(" bytes)", " バイト)")
}

/// What a command means, given in English.
pub(crate) fn meaning(english: &str, language: Language) -> String {
    match language {
        Language::Ja => meaning_ja(english),
        Language::En => english.to_owned(),
    }
}

/// What a command means, in Japanese.
pub(crate) fn meaning_ja(english: &str) -> String {
    // Longer phrases come before those that they hold.
    const PHRASES: [(&str, &str); 32] = [
        ("SELECT application", "SELECT アプリケーション"),
        ("the application's key", "アプリケーションの鍵"),
        (": tries left?", "（残り回数の照会）"),
        ("current EF", "カレント EF"),
        ("reference ", "参照 "),
        ("offset ", "オフセット "),
        ("up to ", "最大 "),
        ("all bytes", "すべて"),
        (" bytes", " バイト"),
        ("secured ", "セキュアメッセージング "),
        ("scheme ", "方式 "),
        ("data as they stand", "データそのまま"),
        ("bare SHA-256 of the data", "データの SHA-256 のみ"),
        ("SHA-256 given, in a DigestInfo", "渡された SHA-256 を DigestInfo に収める"),
        ("SHA-256 of the data, in a DigestInfo", "データの SHA-256 を DigestInfo に収める"),
        ("SHA-256 given, PSS", "渡された SHA-256、PSS"),
        ("SHA-256 of the data, PSS", "データの SHA-256、PSS"),
        ("terminal authentication", "端末認証"),
        ("last command indicator", "最終コマンド表示"),
        ("malformed command", "形式の誤ったコマンド"),
        ("issuer identification", "発行者識別"),
        ("card identification", "カード識別"),
        ("card recognition data", "カード認識データ"),
        ("municipality", "市区町村"),
        ("date of expiry", "有効期限"),
        ("identifier of the intermediate key", "中間鍵の識別子"),
        ("upper certificate of the chain", "上位の証明書"),
        ("lower certificate of the chain", "下位の証明書"),
        ("answer to reset", "リセット応答 (ATR)"),
        (", ", "、"),
        (": ", "："),
        ("other", "その他"),
    ];
    PHRASES.iter().fold(english.to_owned(), |text, (en, ja)| text.replace(en, ja))
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
        assert_eq!(
            meaning_ja("READ BINARY offset 1, up to 256 bytes"),
            "READ BINARY オフセット 1、最大 256 バイト"
        );
        assert_eq!(meaning_ja("VERIFY current EF: tries left?"), "VERIFY カレント EF（残り回数の照会）");
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
    fn an_exchange_is_told_in_both_languages() {
        let counter = Exchange::new(&hex!("00200080"), Some(&hex!("63C2")));
        assert_eq!(
            exchange(&counter, Language::Ja),
            "> 00 20 00 80  VERIFY カレント EF（残り回数の照会）\n< 63 C2  (残り 2 回)"
        );
        assert_eq!(exchange(&counter, Language::En), counter.to_string());
        let long = Exchange::new(&hex!("00B0000000"), Some(&[&[0xAB; 256][..], &hex!("9000")].concat()));
        assert!(exchange(&long, Language::Ja).ends_with("… (256 バイト) 90 00  (正常終了)"));
        let cut = ShownResponse::new(&hex!("90"));
        assert_eq!(response(&cut).ja, "90  (ステータスのない応答)");
        let nameless = ShownResponse::new(&hex!("1234"));
        assert_eq!(response(&nameless), Bilingual::alike("12 34"));
    }
}
