//! What reports say in both languages: verdicts, levels, times. References, because that
//! is what templates hand over.

use super::model::RequirementVerdict;
use crate::language::Language;
use crate::requirement::{Level, Provenance};
use crate::run::{Outcome, StepOutcome};
use std::borrow::Borrow;
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
            "推奨・観察の要件、または外部の誰も知らない事柄で違いがあった。記録するだけで不合格にはしない（合格に数える）",
            "something differs that is a should or an observe requirement, or that nobody outside knows: recorded, never a failure (counts as passed)",
        ),
        Outcome::ExpectedFailure => (
            "このカードについて理由とともに知られている不合格（合格に数える）",
            "it failed, as is known of this card with a reason (counts as passed)",
        ),
        Outcome::Failed => ("必須の要件に反した（不合格に数える）", "a must is broken (counts as failed)"),
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

/// Bytes in hex, of many only the first and the last: the JSON report holds more of them. `left_out` are
/// not among them.
pub(super) fn shortened(hex: &str, left_out: usize, language: Language) -> String {
    const FIRST: usize = 32;
    const LAST: usize = 2;
    let bytes: Vec<&str> = hex.split(' ').collect();
    match bytes.len() {
        0..=48 => hex.to_owned(),
        count => format!(
            "{} … ({} {}) … {}",
            bytes[..FIRST].join(" "),
            count + left_out,
            language.say("バイト", "bytes"),
            bytes[count - LAST..].join(" ")
        ),
    }
}

/// An answer in hex; before its status, how many bytes are not kept.
pub(super) fn answer(hex: &str, left_out: usize, language: Language) -> String {
    let (data, status) = around_left_out(hex);
    match left_out {
        0 => hex.to_owned(),
        _ => format!("{data}{} {status}", left_out_in_words(left_out, language)),
    }
}

/// What stands before and after the bytes that are not kept.
pub(super) fn around_left_out(hex: &str) -> (&str, &str) {
    const STATUS: usize = "90 00".len();
    hex.split_at_checked(hex.len().saturating_sub(STATUS)).unwrap_or((hex, ""))
}

/// How many bytes are not kept.
pub(super) fn left_out_in_words(bytes: usize, language: Language) -> String {
    match language {
        Language::Ja => format!("… (ほか {bytes} バイト) …"),
        Language::En => format!("… ({bytes} bytes more) …"),
    }
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
    fn times_have_their_unit() {
        assert_eq!(
            [time(7), time(1_250), time(999_949), time(44_000_000), time(61_000_000_000)],
            ["7 ns", "1.3 µs", "999 µs", "44.0 ms", "61.0 s"]
        );
    }

    #[test]
    fn what_is_not_kept_of_an_answer_is_counted() {
        assert_eq!(answer("30 30 90 00", 0, Language::En), "30 30 90 00");
        assert_eq!(answer("30 30 90 00", 7, Language::En), "30 30 … (7 bytes more) … 90 00");
        let long = ["30"; 60].join(" ");
        assert!(shortened(&long, 7, Language::Ja).contains("… (67 バイト) …"));
    }
}
