//! The page that a vendor hands to a customer: one file that needs nothing else, in Japanese and
//! English, with everything that the run saw.

use super::model::{Case, ExchangeRecord, HappeningRecord, Report, RequirementResult, RequirementVerdict};
use super::plot::Plot;
use super::words::{self, Words};
use crate::language::{Bilingual, Language};
use crate::requirement::{Level, Provenance};
use crate::run::{CardIdentity, Outcome, StepOutcome};
use crate::scenario::ScreenName;
use crate::wire;
use askama::Template;
use serde::Deserialize;
use serde::de::value::StrDeserializer;
use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::io;
use vmyna_sim::smart_card::Power;

/// Writes `report` to `out`; `language` is shown first, the other one is a click away.
///
/// # Errors
/// Whatever `out` has.
pub fn write(report: &Report, language: Language, out: &mut dyn io::Write) -> io::Result<()> {
    let page = Page {
        report,
        japanese: language == Language::Ja,
        groups: groups(report),
        coverage: coverage(&report.requirements),
        plot: Plot::of(&report.latency),
    };
    page.write_into(&mut Writer(out))
}

/// Askama wants a sized writer.
struct Writer<'a>(&'a mut dyn io::Write);

impl io::Write for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[derive(Template)]
#[template(path = "report.html")]
struct Page<'a> {
    report: &'a Report,
    japanese: bool,
    groups: Vec<Grouped<'a>>,
    coverage: Vec<Coverage>,
    plot: Plot,
}

/// The requirements of one kind, and what became of them.
struct Coverage {
    kind: Kind,
    total: usize,
    parts: Vec<(RequirementVerdict, usize)>,
}

/// What stands behind a requirement: rules, what sources do not agree on, what nobody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Must,
    Should,
    Differs,
    Contradicted,
    Unknown,
}

impl Kind {
    fn of(requirement: &RequirementResult) -> Self {
        match (requirement.provenance, requirement.level) {
            _ if requirement.contradiction.is_some() => Self::Contradicted,
            (Provenance::Unknown, _) => Self::Unknown,
            (_, Level::Must) => Self::Must,
            (_, Level::Should) => Self::Should,
            (_, Level::Observe) => Self::Differs,
        }
    }

    const fn words(self) -> Words {
        match self {
            Self::Must => ("必須", "must"),
            Self::Should => ("推奨", "should"),
            Self::Differs => ("カードにより異なる", "cards differ"),
            Self::Contradicted => ("資料が矛盾", "sources contradict"),
            Self::Unknown => ("外部では不明", "unknown outside"),
        }
    }

    const fn meaning(self) -> Words {
        match self {
            Self::Must => ("反するカードは誤り", "a card that does otherwise is wrong"),
            Self::Should => (
                "実測者が一人、または読み方の一つ。違いは記録する",
                "measured by one author, or one reading among several: differences are recorded",
            ),
            Self::Differs => (
                "正しいカードどうしでも異なる。違いは記録する",
                "right cards differ among themselves: differences are recorded",
            ),
            Self::Contradicted => (
                "資料どうしが食い違う。どちらの側を採るかと理由を示し、違いは記録する",
                "sources contradict each other: the side taken is shown with its reason, differences are recorded",
            ),
            Self::Unknown => (
                "公開された資料も実測もない。答えを記録するだけで判定しない",
                "neither written nor measured in public: the answer is recorded and never judged",
            ),
        }
    }

    /// Whether its name is that of the level.
    const fn tells_the_level(self) -> bool {
        matches!(self, Self::Must | Self::Should)
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Should => "should",
            Self::Differs => "differs",
            Self::Contradicted => "contradicted",
            Self::Unknown => "unknown",
        }
    }
}

/// Requirements under the title of their group.
struct Grouped<'a> {
    id: &'a str,
    /// missing in older reports
    title: Option<&'a Bilingual>,
    requirements: Vec<&'a RequirementResult>,
}

fn groups(report: &Report) -> Vec<Grouped<'_>> {
    let mut groups: BTreeMap<&str, Vec<&RequirementResult>> = BTreeMap::new();
    for requirement in &report.requirements {
        groups.entry(requirement.group()).or_default().push(requirement);
    }
    let title = |id: &str| report.groups.iter().find(|group| group.id == id).map(|group| &group.title);
    groups.into_iter().map(|(id, requirements)| Grouped { id, title: title(id), requirements }).collect()
}

const VERDICTS: [RequirementVerdict; 6] = [
    RequirementVerdict::Passed,
    RequirementVerdict::Observed,
    RequirementVerdict::ExpectedFailure,
    RequirementVerdict::Failed,
    RequirementVerdict::NotJudged,
    RequirementVerdict::NotCovered,
];

fn coverage(requirements: &[RequirementResult]) -> Vec<Coverage> {
    [Kind::Must, Kind::Should, Kind::Differs, Kind::Contradicted, Kind::Unknown]
        .into_iter()
        .map(|kind| {
            let here: Vec<_> = requirements.iter().filter(|it| Kind::of(it) == kind).collect();
            let count = |verdict| here.iter().filter(|it| it.verdict == verdict).count();
            Coverage {
                kind,
                total: here.len(),
                parts: VERDICTS.map(|verdict| (verdict, count(verdict))).into(),
            }
        })
        .filter(|coverage| coverage.total > 0)
        .collect()
}

const OUTCOMES: [Outcome; 10] = [
    Outcome::Passed,
    Outcome::Observed,
    Outcome::ExpectedFailure,
    Outcome::Failed,
    Outcome::UnexpectedlyBetter,
    Outcome::CouldNotRun,
    Outcome::NotApplicable,
    Outcome::RequirementMissing,
    Outcome::Refused,
    Outcome::NotRun,
];

/// The template's words.
impl Page<'_> {
    /// Both languages; the page hides one.
    #[expect(clippy::unused_self, reason = "a template calls methods")]
    fn t(&self, ja: &str, en: &str) -> String {
        both(ja, en)
    }

    #[expect(clippy::unused_self, reason = "a template calls methods")]
    fn w(&self, (ja, en): Words) -> String {
        both(ja, en)
    }

    #[expect(clippy::unused_self, reason = "a template calls methods")]
    fn b(&self, text: &Bilingual) -> String {
        both(&text.ja, &text.en)
    }

    const CSS: &'static str = include_str!("../../templates/report.css");

    fn ends_well(&self) -> bool {
        self.report.summary.failed == 0 && self.report.stopped.is_none() && self.report.summary.passed > 0
    }

    fn headline(&self) -> String {
        let summary = &self.report.summary;
        match summary {
            _ if summary.failed > 0 => both("不合格あり", "Failed"),
            _ if self.report.stopped.is_some() => both("途中で停止", "Stopped early"),
            _ if summary.passed == 0 => both("実行されたものなし", "Nothing ran"),
            _ => both("合格", "Passed"),
        }
    }

    fn tally(&self, outcome: Outcome) -> usize {
        self.report.scenarios.iter().filter(|case| case.verdict == outcome).count()
    }

    fn problems(&self) -> Vec<&Case> {
        let is_one = |case: &&Case| {
            matches!(case.verdict, Outcome::Failed | Outcome::UnexpectedlyBetter | Outcome::CouldNotRun)
        };
        self.report.scenarios.iter().filter(is_one).collect()
    }

    fn left_undone(&self) -> Vec<&Case> {
        self.report.scenarios.iter().filter(|case| !case.left_undone.is_empty()).collect()
    }

    fn observed(&self) -> Vec<&Case> {
        self.report.scenarios.iter().filter(|case| !case.observations.is_empty()).collect()
    }
}

fn both(ja: &str, en: &str) -> String {
    format!("<span lang=ja>{}</span><span lang=en>{}</span>", escape(ja), escape(en))
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

/// The class of a verdict in the style sheet.
const fn class(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Observed => "observed",
        Outcome::ExpectedFailure => "expected",
        Outcome::Failed | Outcome::UnexpectedlyBetter | Outcome::CouldNotRun => "failed",
        Outcome::NotApplicable | Outcome::RequirementMissing | Outcome::Refused => "skipped",
        Outcome::NotRun => "none",
    }
}

const fn requirement_class(verdict: &RequirementVerdict) -> &'static str {
    match verdict {
        RequirementVerdict::Passed => "passed",
        RequirementVerdict::Observed => "observed",
        RequirementVerdict::ExpectedFailure => "expected",
        RequirementVerdict::Failed => "failed",
        RequirementVerdict::NotJudged => "skipped",
        RequirementVerdict::NotCovered => "none",
    }
}

/// Bytes in hex, the first and the last of many.
fn few(hex: &str, left_out: impl Borrow<usize>) -> String {
    let [ja, en] =
        [Language::Ja, Language::En].map(|language| words::shortened(hex, *left_out.borrow(), language));
    if ja == en { escape(hex) } else { both(&ja, &en) }
}

/// An answer in hex.
fn answer(hex: &str, left_out: impl Borrow<usize>) -> String {
    let left_out = *left_out.borrow();
    if left_out == 0 {
        return escape(hex);
    }
    let (data, status) = words::around_left_out(hex);
    let [ja, en] = [Language::Ja, Language::En].map(|language| words::left_out_in_words(left_out, language));
    format!("{}{} {}", escape(data), both(&ja, &en), escape(status))
}

fn meaning(exchange: &ExchangeRecord) -> String {
    let Bilingual { ja, en } = exchange.meaning();
    if ja == en { escape(&en) } else { both(&ja, &en) }
}

/// A switch of the power, as records name it.
fn power(switched: &str) -> String {
    let (ja, en) = words::power(match switched {
        "on" => Power::On,
        "off" => Power::Off,
        _ => Power::WarmReset,
    });
    both(ja, en)
}

/// A screen, as records name it.
fn screen(name: &str) -> String {
    let known = ScreenName::deserialize(StrDeserializer::<serde::de::value::Error>::new(name));
    known.map_or_else(|_| escape(name), |screen| both(screen.title(), name))
}

fn status(exchange: &ExchangeRecord) -> String {
    let Bilingual { ja, en } = wire::status_word(exchange.status.as_deref().unwrap_or_default());
    if ja == en { escape(&en) } else { both(&ja, &en) }
}

/// The lines of a card's identity that are known.
fn identity(card: &CardIdentity) -> Vec<(Words, String)> {
    let holder = card.holder.as_ref().map(|en| both(card.holder_ja.as_ref().unwrap_or(en), en));
    let alike = |text: &Option<String>| text.as_deref().map(escape);
    [
        (("プロファイル", "Profile"), alike(&card.profile)),
        (("名義人", "Holder"), holder),
        (("ATR", "ATR"), alike(&card.atr)),
        (
            ("利用者証明用電子証明書の主体者", "Subject of the authentication certificate"),
            alike(&card.subject),
        ),
        (("発行者", "Issuer"), alike(&card.issuer)),
        (("シリアル番号", "Serial number"), alike(&card.serial)),
        (("有効期間の満了", "Valid until"), alike(&card.not_after)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

fn percent(part: &usize, whole: &usize) -> String {
    let tenths = (part * 1000).checked_div(*whole).unwrap_or_default();
    format!("{}.{}", tenths / 10, tenths % 10)
}
