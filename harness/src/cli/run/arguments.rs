//! What `vmyna run` can be told.

use crate::cli::seat::CardSeat;
use crate::language::Language;
use crate::report::Destination;
use crate::run::Shard;
use crate::scenario::TagExpression;
use clap::Args;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Replay scenarios against a card.
///
/// Without PATH the built-in scenarios run; without --card they run against the built-in card, each
/// on a fresh one. A failing step shows its file and line, what was expected, what came, both APDUs
/// and the requirement. The last line is `N passed, N failed, N skipped`.
///
/// A card that is not built in may be somebody's real one, unless its certificates name
/// JPKI-VMYNA-TEST or --mine says otherwise. Then no PIN is presented but the right ones of
/// --holder, none is changed, and a right PIN that is refused is the last one presented. What will
/// be done is printed before the first command is sent.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct Arguments {
    /// Scenario files, or folders of them (every *.yaml at any depth) [default: those built in]
    #[arg(value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,

    /// Who sits in the card seat: `sim` (built in), `vpcd[:PORT]` (play the reader on PORT, 35963
    /// unless told otherwise, and wait for a virtual card), `vicc:HOST:PORT` (connect to a virtual
    /// card that listens), `pcsc[:READER]` (the card in a reader of PC/SC: READER is its name or a part
    /// of it; without, the only one with a card)
    #[arg(long, value_name = "SEAT", default_value = "sim")]
    pub(super) card: CardSeat,

    /// Whose PINs: a built-in holder or a holder file [default: each scenario's own]
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) holder: Option<String>,

    /// What kind of card is built in: a built-in profile or a profile file [default: card]
    #[arg(long, value_name = "NAME|FILE")]
    pub(super) profile: Option<String>,

    /// CA certificates (PEM or DER) that the card's must lead to [default: the CA on the card]
    #[arg(long, value_name = "FILE")]
    pub(super) trust: Option<PathBuf>,

    /// The card is a simulator: nothing needs to be held back
    #[arg(long)]
    pub(super) mine: bool,

    /// Wrong PINs may be presented to a card that may be real, up to blocking it
    #[arg(long)]
    pub(super) spend_tries: bool,

    /// PINs of a card that may be real may be changed; they are changed back
    #[arg(long)]
    pub(super) change_pins: bool,

    /// Ask on the terminal for the PINs that will be presented; nothing shows while they are typed
    #[arg(long, conflicts_with = "holder")]
    pub(super) ask_pins: bool,

    /// Keep other programs away from a card in a reader of PC/SC
    #[arg(long)]
    pub(super) exclusive: bool,

    /// Start the card anew with this shell command before each scenario, and end it afterwards, so
    /// that no scenario finds what another has left. The command finds the port at which its card is
    /// expected in VMYNA_PORT, and the number of its job in VMYNA_JOB
    #[arg(long, value_name = "COMMAND")]
    pub(super) fresh: Option<String>,

    /// Only scenarios with these tags, for example "pin and not lockout"; --list shows them
    #[arg(long, value_name = "EXPR")]
    pub(super) tag: Option<TagExpression>,

    /// Only list what would run: id, title and tags; --list=steps shows every step in words
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "titles")]
    pub(super) list: Option<Listing>,

    /// How many scenarios to play at once, each on a built-in card of its own [default: one for each
    /// processor, but 1 with --fail-fast]. Another card plays one at a time, unless --fresh starts
    /// cards: then each job has one, at the port of --card and those that follow
    #[arg(long, value_name = "N", value_parser = jobs)]
    pub(super) jobs: Option<NonZeroUsize>,

    /// Only the I-th of N parts of what is selected, for machines that share a suite; a scenario's
    /// part follows from its id
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<Shard>,

    /// Also write a report: junit=PATH, json=PATH, html=PATH or tap=PATH; repeatable. The path - is
    /// standard output, and the text then goes to standard error
    #[arg(long, value_name = "FORMAT=PATH")]
    pub(super) report: Vec<Destination>,

    /// Show every step in words, every command with its answer, and every screen of a flow
    #[arg(short, long)]
    pub(super) verbose: bool,

    /// Stop at the first failure; what was not run is reported as such
    #[arg(long)]
    pub(super) fail_fast: bool,

    /// Failures that are known of this card, each with its reason; one that does not come is a
    /// failure itself
    #[arg(long, value_name = "FILE")]
    pub(super) expected: Option<PathBuf>,

    /// How long to wait for a card that is not there yet, or that has gone
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    pub(super) wait: u64,

    /// Language of the report [default: from the locale]
    #[arg(long)]
    pub(super) lang: Option<Language>,
}

const EXAMPLES: &str = "\
Examples:
  vmyna run                                    everything, against the built-in card
  vmyna run --tag 'pin and not lockout'        some of it
  vmyna run my-scenarios/                      your own
  vmyna run --card vicc:127.0.0.1:35963        a virtual card that listens
  vmyna run --card pcsc --ask-pins --tag 'not lockout'
                                               the card in the reader on the desk; no wrong PIN leaves
  vmyna run --card vpcd --mine --jobs 4 --fresh 'my-card --connect 127.0.0.1:$VMYNA_PORT'
                                               another simulator, started anew for each scenario

Exit codes:
  0  something ran and nothing failed
  1  something failed, or the card was lost
  2  wrong usage, a broken file, nothing selected, a report that could not be written
  3  no card within the wait, or nothing could run
  130  stopped by Ctrl-C before the end, and nothing had failed";

/// How much of each scenario is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Listing {
    /// one line
    Titles,
    /// and its steps in words
    Steps,
}

fn jobs(text: &str) -> Result<NonZeroUsize, String> {
    text.parse().map_err(|_| "a number of jobs, at least 1".to_owned())
}
