//! A whole run as data: what the JSON report is, and what the other files are written from. Its
//! form has a version and a schema (`vectors/report.schema.json`); fields are added within a
//! version, never changed.

use crate::language::{Bilingual, BilingualSchema};
use crate::requirement::{self, Level, Provenance};
use crate::run::{CardIdentity, Outcome, ShardOf, StepOutcome, StoppedBy, Summary};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version that this program writes and reads.
pub const VERSION: u32 = 1;

/// A run and what it found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// version of this form
    pub version: u32,
    /// the program that made it
    pub tool: Tool,
    /// when the run began, RFC 3339
    pub started: String,
    /// how long it took, in microseconds
    pub took_us: u64,
    /// who sat in the card seat, as the command line says it
    pub seat: String,
    /// the reader, where there was one
    pub reader: Option<ReaderRecord>,
    /// the cards, in the order in which they came; of the built-in card there is one for each holder
    pub cards: Vec<CardIdentity>,
    /// the part of a larger run that this is
    pub shard: Option<ShardOf>,
    /// what stopped it before its end
    pub stopped: Option<StoppedBy>,
    /// what was going to be done to a card that keeps its state
    #[schemars(with = "Option<BilingualSchema>")]
    pub plan: Option<Bilingual>,
    /// remarks on the card or the run
    #[schemars(with = "Vec<BilingualSchema>")]
    pub notes: Vec<Bilingual>,
    /// the count
    pub summary: Summary,
    /// every scenario selected, in the order of the run
    pub scenarios: Vec<Case>,
    /// expected failures of requirements or tables that did not come, each counted as failed
    pub better: Vec<Unexpected>,
    /// every requirement of cards, and those of relying parties that the run covers, in the order of
    /// their ids
    pub requirements: Vec<RequirementResult>,
    /// the groups of these requirements, in the order of their ids; missing in older reports
    #[serde(default)]
    pub groups: Vec<Group>,
    /// how long commands took, by instruction; empty where exchanges were not kept
    pub latency: Vec<Latency>,
}

/// The reader that the card was in, as its driver describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReaderRecord {
    /// the name by which PC/SC knows it
    pub name: String,
    /// who made it
    pub vendor: Option<String>,
    /// version of the driver or of the device's firmware, as the driver means it
    pub driver_version: Option<String>,
    /// serial number
    pub serial: Option<String>,
    /// the protocol spoken with the card
    pub protocol: String,
}

/// The program that made a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// `vmyna`
    pub name: String,
    /// its version
    pub version: String,
}

/// One scenario, or one row of a scenario with a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Case {
    /// its id
    pub id: String,
    /// what is true of a right card
    #[schemars(with = "BilingualSchema")]
    pub title: Bilingual,
    /// where it is written: `file:line:column`
    pub position: String,
    /// the requirements that it proves
    pub covers: Vec<String>,
    /// its tags
    pub tags: Vec<String>,
    /// how it ended
    pub verdict: Outcome,
    /// why, where no finding tells it
    #[schemars(with = "Option<BilingualSchema>")]
    pub reason: Option<Bilingual>,
    /// the step that failed
    pub failure: Option<FindingRecord>,
    /// differences that are no failures
    pub observations: Vec<FindingRecord>,
    /// what failed in the cleanup, whatever the verdict
    pub left_undone: Vec<FindingRecord>,
    /// how long it took, in microseconds
    pub took_us: u64,
    /// what happened; empty where this was not kept
    pub happenings: Vec<HappeningRecord>,
}

/// A step that was not as expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingRecord {
    /// where the expectation is written, or else the step: `file:line:column`
    pub position: String,
    /// that line with its number, and a caret below the column
    pub snippet: String,
    /// the step, in short
    pub step: String,
    /// the step, as a sentence without its expectation
    #[schemars(with = "BilingualSchema")]
    pub words: Bilingual,
    /// the requirements that it proves
    pub requirements: Vec<String>,
    /// why the step is there
    pub why: Option<String>,
    /// what was expected
    pub expected: String,
    /// what came
    pub came: String,
    /// the three of them in Japanese; missing in older reports
    pub ja: Option<FindingInJapanese>,
    /// the command and its answer
    pub exchange: Option<ExchangeRecord>,
}

/// What a finding says, in Japanese.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingInJapanese {
    /// why the step is there
    pub why: Option<String>,
    /// what was expected
    pub expected: String,
    /// what came
    pub came: String,
}

impl FindingRecord {
    /// Why the step is there.
    #[must_use]
    pub fn why(&self) -> Option<Bilingual> {
        let why = self.why.as_ref()?;
        let japanese = self.ja.as_ref().and_then(|ja| ja.why.as_ref());
        Some(Bilingual::new(japanese.unwrap_or(why), why))
    }

    /// What was expected.
    #[must_use]
    pub fn expected(&self) -> Bilingual {
        let japanese = self.ja.as_ref().map_or(&self.expected, |ja| &ja.expected);
        Bilingual::new(japanese, &self.expected)
    }

    /// What came.
    #[must_use]
    pub fn came(&self) -> Bilingual {
        let japanese = self.ja.as_ref().map_or(&self.came, |ja| &ja.came);
        Bilingual::new(japanese, &self.came)
    }
}

/// What happened within a scenario, in its order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HappeningRecord {
    /// a step began
    Step {
        /// the step, in short
        step: String,
        /// the step, as a sentence
        #[schemars(with = "BilingualSchema")]
        words: Bilingual,
        /// where it is written: `file:line:column`
        position: String,
        /// how it ended; missing where the run ended within it
        outcome: Option<StepOutcome>,
    },
    /// a command and its answer
    Exchange(ExchangeRecord),
    /// the power was switched: on, off, warm reset
    Power(String),
    /// a screen as the holder saw it
    Screen {
        /// which
        name: String,
        /// its text
        text: String,
    },
}

/// A command and its answer, PINs masked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExchangeRecord {
    /// what was sent, in hex; the bytes of a PIN are `**`
    pub command: String,
    /// what that means
    pub meaning: String,
    /// the same in Japanese; missing in older reports
    pub meaning_ja: Option<String>,
    /// the name of the instruction
    pub instruction: String,
    /// what came back, in hex; missing where nothing did
    pub response: Option<String>,
    /// how many bytes before the last two of them are not kept, of an answer longer than any file of a
    /// card; missing where all are
    #[serde(default, skip_serializing_if = "is_zero")]
    pub response_left_out: usize,
    /// its status, four hex digits
    pub status: Option<String>,
    /// from the command to its answer, in nanoseconds
    pub took_ns: u64,
}

impl ExchangeRecord {
    /// What the command means.
    #[must_use]
    pub fn meaning(&self) -> Bilingual {
        Bilingual::new(self.meaning_ja.as_ref().unwrap_or(&self.meaning), &self.meaning)
    }
}

/// A failure that was expected of more than one scenario and came in none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unexpected {
    /// the requirement or the table
    pub id: String,
    /// where the failure is expected: `file:line:column`
    pub position: String,
    /// why it was
    pub reason: String,
    /// the same in Japanese; missing in older reports
    pub reason_ja: Option<String>,
}

impl Unexpected {
    /// Why it was expected.
    #[must_use]
    pub fn reason(&self) -> Bilingual {
        Bilingual::new(self.reason_ja.as_ref().unwrap_or(&self.reason), &self.reason)
    }
}

/// A requirement and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RequirementResult {
    /// its id
    pub id: String,
    /// what is true of a right card
    #[schemars(with = "BilingualSchema")]
    pub text: Bilingual,
    /// how binding it is
    pub level: Level,
    /// how it came to be known
    pub provenance: Provenance,
    /// where it is written or was measured
    pub source: String,
    /// the same in Japanese; missing in older reports
    pub source_ja: Option<String>,
    /// where sources disagree: the sides, and the one that is taken
    pub contradiction: Option<Contradiction>,
    /// what became of it
    pub verdict: RequirementVerdict,
    /// the scenarios of the run that cover it
    pub scenarios: Vec<String>,
}

impl RequirementResult {
    /// Where it is written or was measured.
    #[must_use]
    pub fn source(&self) -> Bilingual {
        Bilingual::new(self.source_ja.as_ref().unwrap_or(&self.source), &self.source)
    }

    /// The id of its group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.id.split_once('-').map_or(&*self.id, |(group, _)| group)
    }
}

/// Requirements whose ids begin alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// how they begin
    pub id: String,
    /// what they are about
    #[schemars(with = "BilingualSchema")]
    pub title: Bilingual,
}

/// Sources that disagree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Contradiction {
    /// the requirements that state the side taken
    pub about: Vec<String>,
    /// who says what; at least two
    pub sides: Vec<Side>,
    /// the number of the side that the built-in card takes, from 1
    pub taken: usize,
    /// why that one
    #[schemars(with = "BilingualSchema")]
    pub because: Bilingual,
}

impl From<&requirement::Contradiction> for Contradiction {
    fn from(contradiction: &requirement::Contradiction) -> Self {
        let side = |side: &requirement::Side| Side {
            says: side.says.clone(),
            by: side.by.en.clone(),
            by_ja: Some(side.by.ja.clone()),
        };
        Self {
            about: contradiction.about.clone(),
            sides: contradiction.sides.iter().map(side).collect(),
            taken: contradiction.taken,
            because: contradiction.because.clone(),
        }
    }
}

/// One side of a contradiction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// what is said
    #[schemars(with = "BilingualSchema")]
    pub says: Bilingual,
    /// by whom
    pub by: String,
    /// the same in Japanese; missing in older reports
    pub by_ja: Option<String>,
}

impl Side {
    /// By whom it is said.
    #[must_use]
    pub fn by(&self) -> Bilingual {
        Bilingual::new(self.by_ja.as_ref().unwrap_or(&self.by), &self.by)
    }
}

/// What became of a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequirementVerdict {
    /// a step that proves it failed
    Failed,
    /// a step that proves it failed, as was expected of this card
    ExpectedFailure,
    /// a difference was recorded that is no failure
    Observed,
    /// a scenario that covers it passed, and none failed on it
    Passed,
    /// scenarios cover it, and none was judged: skipped, not run, or failed before
    NotJudged,
    /// no scenario of the run covers it
    NotCovered,
}

/// How long the commands of one instruction took, in nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Latency {
    /// the name of the instruction
    pub instruction: String,
    /// how many
    pub count: usize,
    /// the shortest
    pub min: u64,
    /// half took no longer
    pub p50: u64,
    /// 95 of 100 took no longer
    pub p95: u64,
    /// 99 of 100 took no longer
    pub p99: u64,
    /// the longest
    pub max: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Report {
    /// Every exchange.
    pub fn exchanges(&self) -> impl Iterator<Item = &ExchangeRecord> {
        self.scenarios.iter().flat_map(|case| &case.happenings).filter_map(|happening| match happening {
            HappeningRecord::Exchange(exchange) => Some(exchange),
            _ => None,
        })
    }

    /// The JSON schema of reports.
    #[must_use]
    pub fn schema() -> String {
        let schema = schemars::schema_for!(Self);
        serde_json::to_string_pretty(&schema).unwrap_or_default() + "\n"
    }
}
