//! `vmyna explain`: a scenario in words, or a requirement with where it comes from and what proves it.

use super::Failure;
use crate::exit::Exit;
use crate::language::{Bilingual, Language};
use crate::requirement::{Contradiction, Level, Provenance, Requirement, Requirements};
use crate::scenario::{PlacedStep, Scenario};
use clap::Args;
use owo_colors::OwoColorize;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use vmyna_sim::profile::Profile;

/// Say in words what a scenario does, or what a requirement says
///
/// Of a scenario: its steps, the requirements that they prove, and where those come from. Of a
/// requirement: how binding it is, who measured or wrote it, and the scenarios that prove it.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The id of a scenario, of all rows of one, or of a requirement
    id: String,

    /// Scenario files or folders to look in [default: those built in]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Language [default: from the locale]
    #[arg(long)]
    lang: Option<Language>,
}

const EXAMPLES: &str = "\
Examples:
  vmyna explain PIN-05                        a requirement
  vmyna explain jpki.pin.lockout-authentication
                                              a scenario; `vmyna run --list` shows their ids
  vmyna explain mine.trial my-scenarios/      one of your own";

pub(super) fn explain(arguments: Arguments) -> Result<Exit, Failure> {
    let requirements = Requirements::built_in();
    let scenarios = super::scenarios(&arguments.paths, &requirements)?;
    let language = arguments.lang.unwrap_or_else(Language::of_environment);
    let explanation = Explanation { language, requirements: &requirements };
    let text = match requirements.get(&arguments.id) {
        Some(requirement) => explanation.requirement(requirement, &scenarios),
        None => {
            let rows = |scenario: &&Scenario| {
                scenario.id == arguments.id
                    || scenario.row.is_some() && scenario.id.split('[').next() == Some(arguments.id.as_str())
            };
            let found: Vec<_> = scenarios.iter().filter(rows).collect();
            if found.is_empty() {
                return Err(unknown(&arguments.id, &scenarios, &requirements));
            }
            found.into_iter().map(|scenario| explanation.scenario(scenario)).collect::<Vec<_>>().join("\n")
        }
    };
    // Who stops reading has seen enough of it.
    let _ = anstream::stdout().lock().write_all(text.as_bytes());
    Ok(Exit::Success)
}

/// Ids that are more alike than this may have been meant.
const ALIKE: f64 = 0.8;

fn unknown(id: &str, scenarios: &[Scenario], requirements: &Requirements) -> Failure {
    let scenarios = scenarios.iter().map(|scenario| scenario.id.as_str());
    let ids = scenarios.chain(requirements.iter().map(|requirement| requirement.id.as_str()));
    let ids: Vec<&str> = ids.collect();
    let folded = id.to_lowercase();
    let likeness = |known: &str| strsim::jaro_winkler(&folded, &known.to_lowercase());
    let mut near: Vec<_> = ids.into_iter().map(|known| (likeness(known), known)).collect();
    near.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let near: Vec<_> =
        near.into_iter().take_while(|(likeness, _)| *likeness > ALIKE).take(5).map(|near| near.1).collect();
    let hint = match near.is_empty() {
        true => "`vmyna run --list` shows the scenarios; requirements are in vectors/requirements".to_owned(),
        false => format!("similar are: {}", near.join(", ")),
    };
    Failure::Usage(format!("neither a scenario nor a requirement has the id {id:?}; {hint}"))
}

/// Writes explanations in one language.
pub(super) struct Explanation<'a> {
    pub language: Language,
    pub requirements: &'a Requirements,
}

impl Explanation<'_> {
    fn say<'a>(&self, ja: &'a str, en: &'a str) -> &'a str {
        match self.language {
            Language::Ja => ja,
            Language::En => en,
        }
    }

    fn text<'a>(&self, text: &'a Bilingual) -> &'a str {
        self.language.of(text)
    }

    fn about(&self, profile: &str) -> String {
        let title = Profile::built_in(profile).map(|profile| profile.title);
        match (self.language, title) {
            (Language::Ja, Some(title)) => format!("プロファイル {profile}({})のカードについて", title.ja),
            (Language::En, Some(title)) => format!("about cards of the profile {profile}: {}", title.en),
            (_, None) => profile.to_owned(),
        }
    }

    /// A scenario with everything about it.
    pub(super) fn scenario(&self, scenario: &Scenario) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "{}  {}", scenario.id.bold(), self.text(&scenario.title));
        let _ = writeln!(
            out,
            "  {}  {} {}  {}",
            scenario.position.dimmed(),
            self.say("名義人", "holder"),
            scenario.holder,
            scenario.tags.join(" ").dimmed()
        );
        if let Some(profile) = &scenario.profile {
            let _ = writeln!(out, "  {}", self.about(profile));
        }
        for (pin, tries) in &scenario.given {
            let _ = match self.language {
                Language::Ja => writeln!(out, "  開始時: {pin} の残り試行回数は {tries} 回"),
                Language::En => writeln!(out, "  begins with {tries} tries left of {pin}"),
            };
        }
        let mut number = 0;
        for (title, steps) in [
            (self.say("準備", "Setup"), &scenario.setup),
            (self.say("手順", "Steps"), &scenario.steps),
            (self.say("後始末(必ず行う)", "Cleanup, in any case"), &scenario.cleanup),
        ] {
            if !steps.is_empty() {
                let _ = writeln!(out, "{title}");
            }
            for placed in steps {
                number += 1;
                self.step(&mut out, number, placed);
            }
        }
        let _ = writeln!(out, "{}", self.say("要件", "Requirements"));
        for requirement in scenario.covers.iter().filter_map(|id| self.requirements.get(id)) {
            self.requirement_lines(&mut out, requirement);
        }
        out
    }

    /// The steps of a scenario, as lines.
    pub(super) fn steps(&self, scenario: &Scenario) -> String {
        let mut out = String::new();
        for (index, placed) in scenario.all_steps().enumerate() {
            self.step(&mut out, index + 1, placed);
        }
        out
    }

    fn step(&self, out: &mut String, number: usize, placed: &PlacedStep) {
        let step = &placed.step;
        let expect = step.verb.action().expects();
        let _ = write!(out, "  {number:>2}. {}", step.sentence(self.language));
        if !step.covers.is_empty() {
            let _ = write!(out, "  {}", step.covers.join(" ").dimmed());
        }
        out.push('\n');
        for capture in &step.capture.0 {
            let _ = match self.language {
                Language::Ja => writeln!(out, "      {} を控えておく", capture.name.value),
                Language::En => writeln!(out, "      kept as {}", capture.name.value),
            };
        }
        if let Some(retry) = &step.retry {
            let _ = match self.language {
                Language::Ja => writeln!(out, "      最大 {} 回繰り返す", retry.times),
                Language::En => writeln!(out, "      repeated up to {} times", retry.times),
            };
        }
        let why = expect.and_then(|expect| expect.content.why.as_ref()).or(step.why.as_ref());
        if let Some(why) = why {
            let _ = writeln!(out, "      {}: {}", self.say("理由", "why"), self.text(why));
        }
    }

    fn requirement_lines(&self, out: &mut String, requirement: &Requirement) {
        let Requirement { id, text, level, provenance, source, .. } = requirement;
        let _ = writeln!(
            out,
            "  {} {} ({}, {})",
            id.bold(),
            self.text(text),
            self.level(*level),
            self.provenance(*provenance)
        );
        let _ = writeln!(out, "      {}: {}", self.say("出典", "source"), self.text(source));
    }

    /// A requirement with the scenarios that prove it.
    pub(super) fn requirement(&self, requirement: &Requirement, scenarios: &[Scenario]) -> String {
        let mut out = String::new();
        if let Some(group) = self.requirements.group(requirement.group()) {
            let _ = writeln!(out, "{}", self.text(&group.title));
        }
        self.requirement_lines(&mut out, requirement);
        if let (Some(situation), Some(answer)) = (&requirement.situation, &requirement.answer) {
            let accepted = requirement.accepted.join(", ");
            let _ = match self.language {
                Language::Ja => writeln!(
                    out,
                    "      状況 {situation}: 組み込みのカードは {answer} と答える。驚くに当たらない応答: {accepted}"
                ),
                Language::En => writeln!(
                    out,
                    "      situation {situation}: the built-in card answers {answer}; {accepted} would not surprise"
                ),
            };
        }
        if let Some(contradiction) = &requirement.contradiction {
            self.sides(&mut out, contradiction);
        }
        let proving: Vec<_> =
            scenarios.iter().filter(|scenario| scenario.covers.contains(&requirement.id)).collect();
        let title = match proving.is_empty() {
            true => self.say("この要件を確かめるシナリオはない", "No scenario proves it"),
            false => self.say("この要件を確かめるシナリオ", "Scenarios that prove it"),
        };
        let _ = writeln!(out, "{title}");
        for scenario in proving {
            let _ = writeln!(out, "  {}  {}", scenario.id, self.text(&scenario.title).dimmed());
        }
        out
    }

    /// Who says what, and which side the built-in card takes.
    fn sides(&self, out: &mut String, contradiction: &Contradiction) {
        let _ = writeln!(out, "{}", self.say("出典の食い違い", "Sources contradict each other"));
        for (index, side) in contradiction.sides.iter().enumerate() {
            let taken = match index + 1 == contradiction.taken {
                true => self.say(" ← 組み込みのカード", " ← the built-in card"),
                false => "",
            };
            let (says, by) = (self.text(&side.says), self.text(&side.by));
            let _ = writeln!(out, "  {}. {says} ({by}){taken}", index + 1);
        }
        let (because, about) = (self.text(&contradiction.because), contradiction.about.join(", "));
        let _ = writeln!(out, "      {}: {because} ({about})", self.say("理由", "because"));
    }

    fn level(&self, level: Level) -> &'static str {
        let (ja, en) = match level {
            Level::Must => ("必須", "must"),
            Level::Should => ("推奨", "should"),
            Level::Observe => ("観察", "observe"),
        };
        if self.language == Language::Ja { ja } else { en }
    }

    fn provenance(&self, provenance: Provenance) -> &'static str {
        let (ja, en) = match provenance {
            Provenance::Measured => ("実測", "measured"),
            Provenance::Documented => ("文書", "documented"),
            Provenance::Inferred => ("推定", "inferred"),
            Provenance::Unknown => ("不明", "unknown"),
        };
        if self.language == Language::Ja { ja } else { en }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(id: &str, language: Language) -> String {
        let requirements = Requirements::built_in();
        let scenarios = crate::scenario::built_in(&requirements);
        let explanation = Explanation { language, requirements: &requirements };
        let text = match requirements.get(id) {
            Some(requirement) => explanation.requirement(requirement, &scenarios),
            None => explanation.scenario(scenarios.iter().find(|scenario| scenario.id == id).unwrap()),
        };
        anstream::adapter::strip_str(&text).to_string()
    }

    #[test]
    fn a_scenario_is_told_in_either_language() {
        insta::assert_snapshot!(explained("jpki.pin.lower-case", Language::En), @r#"
        jpki.pin.lower-case  A signature PIN in lower case counts as a wrong one
          vectors/scenarios/jpki/pin/lower-case.yaml:2:5  holder hanako  jpki pin
        Steps
           1. select the application jpki  SEL-01
           2. present the right value in lower case of the PIN for digital signature (VERIFY); expected: 63C4  PIN-23
              why: clients turn what the holder types into upper case; the card does not
           3. ask for the DigestInfo of the SHA-256 digest of "lower case" to be signed with the key for digital signature (COMPUTE DIGITAL SIGNATURE); expected: 6982  SIG-02
           4. ask how many tries the PIN for digital signature has left; expected: 4  PIN-04
           5. present the right value of the PIN for digital signature (VERIFY)  PIN-02
        Requirements
          SEL-01 The JPKI application is selected by its AID (P1=04, P2=0C), with 9000 and no data (must, measured)
              source: every known client, e.g. OpenSC card-jpki.c, jpki/myna, myna-card 3.3.4
          PIN-02 VERIFY with the right signature PIN answers 9000 (must, measured)
              source: every known client, e.g. OpenSC, jpki/myna, myna-card 3.3.4
          PIN-04 VERIFY without data answers 63Cx with the tries left and spends none of them (must, measured)
              source: OpenSC card-jpki.c; jpki/myna; myna-card 3.3.4; JICSAP 1.1 6.4.9(5)
          PIN-23 A signature PIN in lower case is a wrong one; the card does not fold case (must, documented)
              source: PocketSign Verify SDK documentation; every open client turns the password into upper case itself
          SIG-02 Signing with a key whose PIN is not verified answers 6982 (must, measured)
              source: myna-card 3.3.4 (crate); pyjpki; JICSAP 1.1 table 25
        "#);
        insta::assert_snapshot!(explained("jpki.pin.lower-case", Language::Ja), @"
        jpki.pin.lower-case  署名用暗証番号を英小文字で照合すると誤りとして数えられる
          vectors/scenarios/jpki/pin/lower-case.yaml:2:5  名義人 hanako  jpki pin
        手順
           1. アプリケーション jpki を選択する(SELECT)  SEL-01
           2. 署名用電子証明書の暗証番号として英字を小文字にした値を照合する(VERIFY)。期待: 63C4  PIN-23
              理由: 名義人の入力を大文字にするのはクライアントで、カードではない
           3. 署名用秘密鍵で「lower case」の SHA-256 の DigestInfo に署名を求める(COMPUTE DIGITAL SIGNATURE)。期待: 6982  SIG-02
           4. 署名用電子証明書の暗証番号の残り試行回数を尋ねる。期待: 4 回  PIN-04
           5. 署名用電子証明書の暗証番号として正しい値を照合する(VERIFY)  PIN-02
        要件
          SEL-01 公的個人認証アプリケーションは AID による SELECT FILE(P1=04、P2=0C)で選択でき、9000 だけを返す (必須, 実測)
              出典: 知られるすべてのクライアント(OpenSC card-jpki.c、jpki/myna、myna-card 3.3.4 など)
          PIN-02 正しい署名用暗証番号の照合には 9000 を返す (必須, 実測)
              出典: 知られるすべてのクライアント(OpenSC、jpki/myna、myna-card 3.3.4 など)
          PIN-04 照合データのない VERIFY は 63Cx で残りの試行回数を返し、試行回数を減らさない (必須, 実測)
              出典: OpenSC card-jpki.c; jpki/myna; myna-card 3.3.4; JICSAP 1.1 6.4.9(5)
          PIN-23 署名用暗証番号の英小文字は大文字とみなされず、誤りとして数えられる (必須, 文書)
              出典: PocketSign Verify SDK の文書; 公開されたクライアントはすべて自らパスワードを大文字にする
          SIG-02 暗証番号を照合していない鍵による署名には 6982 を返す (必須, 実測)
              出典: myna-card 3.3.4 (crate); pyjpki; JICSAP 1.1 表 25
        ");
    }

    #[test]
    fn a_requirement_is_told_with_where_it_comes_from_and_what_proves_it() {
        insta::assert_snapshot!(explained("UNK-31", Language::En), @"
        What nobody outside knows
          UNK-31 Whether a wrong try of a PIN that stands verified ends its verification (observe, unknown)
              source: ISO/IEC 7816-4 leaves it open; no public transcript of this card
              situation sign-after-later-wrong-pin: the built-in card answers 6982; 6982, 9000 would not surprise
        Scenarios that prove it
          jpki.undocumented.sign-after-later-wrong-pin  The answer to signing after a wrong try of the verified PIN is recorded
        ");
    }

    #[test]
    fn every_step_of_every_scenario_has_words_in_both_languages() {
        let requirements = Requirements::built_in();
        for scenario in crate::scenario::built_in(&requirements) {
            for placed in scenario.all_steps() {
                let action = placed.step.verb.action();
                let (ja, en) = (action.in_words(Language::Ja), action.in_words(Language::En));
                assert!(!ja.is_ascii(), "{}: {ja}", placed.position);
                assert!(!en.is_empty(), "{}: {en}", placed.position);
                let unquoted: String =
                    ja.split('「').map(|part| part.rsplit('」').next().unwrap_or_default()).collect();
                let words = unquoted.split(' ').collect::<Vec<_>>();
                let is_english =
                    |word: &&str| word.len() > 2 && word.chars().all(|letter| letter.is_ascii_lowercase());
                let is_sentence = |pair: &[&str]| pair.iter().all(is_english);
                assert!(!words.windows(2).any(is_sentence), "{}: {ja}", placed.position);
            }
        }
    }
}
