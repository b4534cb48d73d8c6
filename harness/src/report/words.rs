//! What reports say in both languages: verdicts, statuses, commands, times. References, because that
//! is what templates hand over.

use super::model::RequirementVerdict;
use crate::language::Language;
use crate::requirement::{Level, Provenance};
use crate::run::{Outcome, StepOutcome};
use std::borrow::Borrow;
use vmyna_sim::apdu::Status;
use vmyna_sim::exchange::{Exchange, ShownResponse};
use vmyna_sim::smart_card::Power;

/// A word or a sentence: Japanese, English.
pub(super) type Words = (&'static str, &'static str);

/// The name of a verdict.
pub(super) const fn outcome(outcome: &Outcome) -> Words {
    match outcome {
        Outcome::Passed => ("合格", "passed"),
        Outcome::Observed => ("観察", "observed"),
        Outcome::ExpectedFailure => ("期待された不合格", "expected failure"),
        Outcome::Failed => ("不合格", "failed"),
        Outcome::UnexpectedlyBetter => ("予期せぬ合格", "unexpectedly better"),
        Outcome::CouldNotRun => ("通信途絶", "could not run"),
        Outcome::NotApplicable => ("対象外", "not applicable"),
        Outcome::RequirementMissing => ("前提不足", "requirement missing"),
        Outcome::Refused => ("保護により拒否", "refused by the guard"),
        Outcome::NotRun => ("未実行", "not run"),
    }
}

/// A difference that is no failure.
pub(super) const OBSERVED: Words = ("観察", "observed");

/// A step of the cleanup that was not as expected.
pub(super) const LEFT_UNDONE: Words = ("後始末の失敗", "cleanup failed");

/// What a verdict means, and how it is counted.
pub(super) const fn outcome_meaning(outcome: &Outcome) -> Words {
    match outcome {
        Outcome::Passed => ("すべて期待どおり（合格に数える）", "all was as expected (counts as passed)"),
        Outcome::Observed => (
            "should・observe の要件、または外部の誰も知らない事柄で違いがあった。記録するだけで不合格にはしない（合格に数える）",
            "something differs that is a should or an observe requirement, or that nobody outside knows: recorded, never a failure (counts as passed)",
        ),
        Outcome::ExpectedFailure => (
            "このカードについて理由とともに知られている不合格（合格に数える）",
            "it failed, as is known of this card with a reason (counts as passed)",
        ),
        Outcome::Failed => ("must の要件に反した（不合格に数える）", "a must is broken (counts as failed)"),
        Outcome::UnexpectedlyBetter => (
            "不合格が期待されていたのに合格した。期待のファイルが古い（不合格に数える）",
            "it passed where a failure was expected: the file of expectations is out of date (counts as failed)",
        ),
        Outcome::CouldNotRun => (
            "カードとの通信が途絶えた。カードの答えについては何も言えない（不合格に数える）",
            "the link to the card was lost; nothing is said about the card's answers (counts as failed)",
        ),
        Outcome::NotApplicable => (
            "カードにそのアプリケーションがない、またはプロファイルが違う（スキップに数える）",
            "the card lacks the application, or is of a profile that does (counts as skipped)",
        ),
        Outcome::RequirementMissing => (
            "シナリオの前提をカードが満たせなかった（スキップに数える）",
            "the card could not meet what the scenario begins with (counts as skipped)",
        ),
        Outcome::Refused => (
            "実カードかもしれないため、保護がコマンドを送らなかった（スキップに数える）",
            "the card may be real, and the guard did not send the command (counts as skipped)",
        ),
        Outcome::NotRun => {
            ("その前に実行が止められた（どれにも数えない）", "the run was stopped before (counts as nothing)")
        }
    }
}

/// The name of what became of a requirement.
pub(super) const fn requirement_verdict(verdict: &RequirementVerdict) -> Words {
    match verdict {
        RequirementVerdict::Failed => ("不合格", "failed"),
        RequirementVerdict::ExpectedFailure => ("期待された不合格", "expected failure"),
        RequirementVerdict::Observed => ("違いを観察", "difference observed"),
        RequirementVerdict::Passed => ("合格", "passed"),
        RequirementVerdict::NotJudged => ("判定なし", "not judged"),
        RequirementVerdict::NotCovered => ("対象シナリオなし", "not covered"),
    }
}

/// How binding a requirement is.
pub(super) const fn level(level: &Level) -> Words {
    match level {
        Level::Must => ("必須", "must"),
        Level::Should => ("推奨", "should"),
        Level::Observe => ("観察", "observe"),
    }
}

/// How a requirement came to be known.
pub(super) const fn provenance(provenance: &Provenance) -> Words {
    match provenance {
        Provenance::Measured => ("実測", "measured"),
        Provenance::Documented => ("文書", "documented"),
        Provenance::Inferred => ("推定", "inferred"),
        Provenance::Unknown => ("不明", "unknown"),
    }
}

/// The mark of a step.
pub(super) const fn step_outcome(outcome: &StepOutcome) -> Words {
    match outcome {
        StepOutcome::Passed => ("期待どおり", "as expected"),
        StepOutcome::Observed => ("違いを記録", "difference recorded"),
        StepOutcome::Failed => ("不合格", "failed"),
        StepOutcome::Stopped => ("ここで終了", "ended here"),
    }
}

/// A switch of the power.
pub(super) const fn power(power: Power) -> Words {
    match power {
        Power::On => ("電源オン", "power on"),
        Power::Off => ("電源オフ", "power off"),
        Power::WarmReset => ("ウォームリセット", "warm reset"),
    }
}

/// What a status word of four hex digits means, in Japanese and English.
pub(super) fn status(digits: &str) -> (String, String) {
    let Ok(code) = u16::from_str_radix(digits, 16) else { return Default::default() };
    let status = Status::from(code);
    let english = status.to_string();
    let english = english.split_once(" (").map_or("", |(_, meaning)| meaning.trim_end_matches(')'));
    let japanese = match status {
        Status::Success => "正常終了".to_owned(),
        Status::TriesLeft(tries) => format!("残り {tries} 回"),
        Status::AuthenticationMethodBlocked => "認証方法の閉塞".to_owned(),
        Status::ReferencedIefBlocked => "参照 IEF 閉塞".to_owned(),
        Status::SecurityStatusNotSatisfied => "セキュリティステータス不満足".to_owned(),
        Status::ConditionsOfUseNotSatisfied => "使用条件不満足".to_owned(),
        Status::NoCurrentEf => "カレント EF なし".to_owned(),
        Status::FileNotFound => "ファイル・アプリケーションなし".to_owned(),
        Status::RecordNotFound => "レコードなし".to_owned(),
        Status::WrongLength => "Lc・Le 誤り".to_owned(),
        Status::IncorrectData => "データフィールド誤り".to_owned(),
        Status::IncorrectP1P2 => "P1・P2 誤り".to_owned(),
        Status::ReferencedDataNotFound => "参照データなし".to_owned(),
        Status::FunctionNotSupported => "機能なし".to_owned(),
        Status::OffsetOutsideEf => "オフセットが EF の外".to_owned(),
        Status::InstructionNotSupported => "INS 未対応".to_owned(),
        Status::ClassNotSupported => "CLA 未対応".to_owned(),
        Status::NoPreciseDiagnosis => "自己診断異常".to_owned(),
        Status::IncompatibleFileStructure => "ファイル構造と矛盾するコマンド".to_owned(),
        Status::VerificationFailed => "照合不一致".to_owned(),
        Status::SecureMessagingNotSupported => "セキュアメッセージング未対応".to_owned(),
        Status::LogicalChannelNotSupported => "論理チャネル未対応".to_owned(),
        _ => english.to_owned(),
    };
    (japanese, english.to_owned())
}

/// What a command means.
pub(super) fn meaning(english: &str, language: Language) -> String {
    match language {
        Language::Ja => meaning_ja(english),
        Language::En => english.to_owned(),
    }
}

/// A text on `exchange`, in which command and status are told in English.
pub(super) fn of_an_exchange(text: &str, exchange: &Exchange, language: Language) -> String {
    if language == Language::En {
        return text.to_owned();
    }
    let command = exchange.command.meaning();
    let status = exchange.response.as_ref().and_then(ShownResponse::status);
    let (ja, en) =
        status.map(|status| self::status(&format!("{:04X}", u16::from(status)))).unwrap_or_default();
    let text = text.replace(command, &meaning_ja(command));
    if en.is_empty() { text } else { text.replace(&format!("({en})"), &format!("({ja})")) }
}

/// What a command means, in Japanese: names of instructions stay as ISO/IEC 7816-4 has them.
pub(super) fn meaning_ja(english: &str) -> String {
    const PHRASES: [(&str, &str); 13] = [
        ("SELECT application", "SELECT アプリケーション"),
        ("the application's key", "アプリケーションの鍵"),
        (": tries left?", "（残り回数の照会）"),
        ("current EF", "カレント EF"),
        ("reference ", "参照 "),
        ("offset ", "オフセット "),
        ("up to ", "最大 "),
        (" bytes", " バイト"),
        ("scheme ", "方式 "),
        ("terminal authentication", "端末認証"),
        ("last command indicator", "最終コマンド表示"),
        ("malformed command", "形式の誤ったコマンド"),
        (", ", "、"),
    ];
    PHRASES.iter().fold(english.to_owned(), |text, (en, ja)| text.replace(en, ja))
}

/// A time in the unit that suits it.
pub(super) fn time(nanoseconds: impl Borrow<u64>) -> String {
    let nanoseconds = *nanoseconds.borrow();
    const UNITS: [(&str, u64); 3] = [("s", 1_000_000_000), ("ms", 1_000_000), ("µs", 1_000)];
    let unit = UNITS.into_iter().find(|(_, unit)| nanoseconds >= *unit);
    match unit {
        Some((name, unit)) => {
            let tenths = (nanoseconds + unit / 20) / (unit / 10);
            match tenths {
                1000.. => format!("{} {name}", tenths / 10),
                _ => format!("{}.{} {name}", tenths / 10, tenths % 10),
            }
        }
        None => format!("{nanoseconds} ns"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_told_in_both_languages() {
        assert_eq!(status("63C2"), ("残り 2 回".to_owned(), "2 tries left".to_owned()));
        assert_eq!(status("9000").1, "success");
        assert_eq!(status("1234"), (String::new(), String::new()));
    }

    #[test]
    fn a_command_is_told_in_japanese() {
        assert_eq!(
            meaning_ja("READ BINARY offset 1, up to 256 bytes"),
            "READ BINARY オフセット 1、最大 256 バイト"
        );
        assert_eq!(meaning_ja("VERIFY current EF: tries left?"), "VERIFY カレント EF（残り回数の照会）");
    }

    #[test]
    fn times_have_their_unit() {
        assert_eq!(
            [time(7), time(1_250), time(999_949), time(44_000_000), time(61_000_000_000)],
            ["7 ns", "1.3 µs", "999 µs", "44.0 ms", "61.0 s"]
        );
    }
}
