//! `vmyna run`: scenarios against a card.

use super::Failure;
use super::explain::Explanation;
use super::seat::CardSeat;
use crate::exit::Exit;
use crate::language::Language;
use crate::link::Consent;
use crate::report::{Collector, Destination, Output, Progress, Text};
use crate::requirement::Requirements;
use crate::run::{
    Beginning, Cards, Conduct, Detail, Event, ExpectedFailures, Interrupt, NothingCouldRun, PeerOptions,
    PeerSource, Shard, Sink, Summary, run_on_fresh_peers, run_on_peer, run_on_simulator,
};
use crate::scenario::{self, Scenario, TagExpression};
use crate::verify::Trust;
use clap::Args;
use owo_colors::OwoColorize;
use std::collections::BTreeSet;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use vmyna_sim::document;
use vmyna_sim::holder::Holder;

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
pub(super) struct Arguments {
    /// Scenario files, or folders of them (every *.yaml at any depth) [default: those built in]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Who sits in the card seat: `sim` (built in), `vpcd[:PORT]` (play the reader on PORT, 35963
    /// unless told otherwise, and wait for a virtual card), `vicc:HOST:PORT` (connect to a virtual
    /// card that listens), `pcsc[:READER]` (the card in a reader of PC/SC: READER is its name or a part
    /// of it; without, the only one with a card)
    #[arg(long, value_name = "SEAT", default_value = "sim")]
    card: CardSeat,

    /// Whose PINs: a built-in holder or a holder file [default: each scenario's own]
    #[arg(long, value_name = "NAME|FILE")]
    holder: Option<String>,

    /// What kind of card is built in: a built-in profile or a profile file [default: card]
    #[arg(long, value_name = "NAME|FILE")]
    profile: Option<String>,

    /// CA certificates (PEM or DER) that the card's must lead to [default: the CA on the card]
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,

    /// The card is a simulator: nothing needs to be held back
    #[arg(long)]
    mine: bool,

    /// Wrong PINs may be presented to a card that may be real, up to blocking it
    #[arg(long)]
    spend_tries: bool,

    /// PINs of a card that may be real may be changed; they are changed back
    #[arg(long)]
    change_pins: bool,

    /// Ask on the terminal for the PINs that will be presented; nothing shows while they are typed
    #[arg(long, conflicts_with = "holder")]
    ask_pins: bool,

    /// Keep other programs away from a card in a reader of PC/SC
    #[arg(long)]
    exclusive: bool,

    /// Start the card anew with this shell command before each scenario, and end it afterwards, so
    /// that no scenario finds what another has left. The command finds the port at which its card is
    /// expected in VMYNA_PORT, and the number of its job in VMYNA_JOB
    #[arg(long, value_name = "COMMAND")]
    fresh: Option<String>,

    /// Only scenarios with these tags, for example "pin and not lockout"; --list shows them
    #[arg(long, value_name = "EXPR")]
    tag: Option<TagExpression>,

    /// Only list what would run: id, title and tags; --list=steps shows every step in words
    #[arg(long, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "titles")]
    list: Option<Listing>,

    /// How many scenarios to play at once, each on a built-in card of its own [default: one for each
    /// processor, but 1 with --fail-fast]. Another card plays one at a time, unless --fresh starts
    /// cards: then each job has one, at the port of --card and those that follow
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,

    /// Only the I-th of N parts of what is selected, for machines that share a suite; a scenario's
    /// part follows from its id
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,

    /// Also write a report: junit=PATH, json=PATH, html=PATH or tap=PATH; repeatable. The path - is
    /// standard output, and the text then goes to standard error
    #[arg(long, value_name = "FORMAT=PATH")]
    report: Vec<Destination>,

    /// Show every step in words, every command with its answer, and every screen of a flow
    #[arg(short, long)]
    verbose: bool,

    /// Stop at the first failure; what was not run is reported as such
    #[arg(long)]
    fail_fast: bool,

    /// Failures that are known of this card, each with its reason; one that does not come is a
    /// failure itself
    #[arg(long, value_name = "FILE")]
    expected: Option<PathBuf>,

    /// How long to wait for a card that is not there yet, or that has gone
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    wait: u64,

    /// Language of the report [default: from the locale]
    #[arg(long)]
    lang: Option<Language>,
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
enum Listing {
    /// one line
    Titles,
    /// and its steps in words
    Steps,
}

pub(super) fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let requirements = Requirements::built_in();
    let scenarios = super::scenarios(&arguments.paths, &requirements)?;
    let is_selected =
        |scenario: &&Scenario| arguments.tag.as_ref().is_none_or(|expression| expression.selects(scenario));
    let mut selected: Vec<&Scenario> = scenarios.iter().filter(is_selected).collect();
    if selected.is_empty() {
        return Err(nothing_selected(&scenarios));
    }
    let shard = arguments.shard.map(|shard| shard.of(&selected));
    if let Some(shard) = arguments.shard {
        selected.retain(|scenario| shard.has(&scenario.id));
    }
    let language = arguments.lang.unwrap_or_else(Language::of_environment);
    if let Some(listing) = arguments.list {
        list(&selected, listing, &Explanation { language, requirements: &requirements });
        return Ok(Exit::Success);
    }
    let holder = match &arguments.holder {
        Some(holder) => Some(super::holder(holder)?),
        None if arguments.ask_pins => Some(super::pins::ask(&selected)?),
        None => None,
    };
    if holder.is_none() {
        holders_are_known(&selected)?;
    }
    if arguments.fresh.is_some() && matches!(arguments.card, CardSeat::Sim(_)) {
        return Err(Failure::Usage(
            "--fresh starts another card; the built-in one is a fresh one for each scenario already"
                .to_owned(),
        ));
    }
    if arguments.profile.is_some() && !matches!(arguments.card, CardSeat::Sim(_)) {
        return Err(Failure::Usage("--profile makes the built-in card; --card brings another".to_owned()));
    }
    let expected = match &arguments.expected {
        None => ExpectedFailures::default(),
        Some(path) => {
            ExpectedFailures::load(path, &scenarios, &scenario::built_in(&requirements), &requirements)?
        }
    };
    let trust = arguments.trust.as_deref().map_or(Ok(Trust::CardItself), load_trust)?;
    let interrupt = Interrupt::default();
    let conduct = Conduct {
        requirements: &requirements,
        trust: &trust,
        expected,
        fail_fast: arguments.fail_fast,
        jobs: jobs(&arguments)?,
        interrupt: interrupt.clone(),
    };
    let is_empty_shard = selected.is_empty();
    let beginning = Beginning { shard, ..Beginning::now(selected.len(), arguments.card.to_string()) };
    let outputs = Output::open_all(&arguments.report)?;
    end_on_signals(&interrupt)?;
    let on_stdout = arguments.report.iter().any(|destination| destination.path.is_none());
    let out: Box<dyn Write> =
        if on_stdout { Box::new(anstream::stderr()) } else { Box::new(anstream::stdout()) };
    let detail = outputs.iter().map(|output| output.format().detail()).max().unwrap_or_default();
    let mut sinks = Sinks {
        text: Progress::around(Text::new(out, language, &requirements).verbose(arguments.verbose)),
        collector: (!outputs.is_empty()).then(|| Collector::new(&requirements, detail)),
    };
    let summary = play(&arguments, &selected, holder, &conduct, &beginning, &mut sinks)?;
    if let Some(collector) = sinks.collector {
        let report = collector.into_report();
        for output in outputs {
            output.write(&report, language)?;
        }
    }
    Ok(match summary {
        Summary { failed: 1.., .. } => Exit::Failed,
        Summary { not_run: 1.., .. } => Exit::Interrupted,
        Summary { passed: 0, .. } if !is_empty_shard => Exit::NoCard,
        _ => Exit::Success,
    })
}

/// The text for whoever is there, and what the other reports are written from.
struct Sinks<'a> {
    text: Progress<Text<'a, Box<dyn Write>>>,
    collector: Option<Collector<'a>>,
}

impl Sink for Sinks<'_> {
    fn event(&mut self, event: &Event<'_>) {
        self.text.event(event);
        if let Some(collector) = &mut self.collector {
            collector.event(event);
        }
    }

    fn wants(&self) -> Detail {
        let files = self.collector.as_ref().map(Sink::wants).unwrap_or_default();
        self.text.wants().max(files)
    }
}

/// The first signal ends the run in good order, the second at once.
fn end_on_signals(interrupt: &Interrupt) -> Result<(), Failure> {
    let interrupt = interrupt.clone();
    ctrlc::set_handler(move || {
        if interrupt.has_come() {
            std::process::exit(Exit::Interrupted as i32);
        }
        interrupt.now();
        let _ = writeln!(
            anstream::stderr(),
            "stopping when the scenario in progress has ended and the card is put right; once more stops at once"
        );
    })
    .map_err(|error| Failure::Usage(format!("signals cannot be handled: {error}")))
}

fn jobs(arguments: &Arguments) -> Result<NonZeroUsize, Failure> {
    let one = NonZeroUsize::MIN;
    if matches!(arguments.card, CardSeat::Sim(_)) {
        let by_default = || match arguments.fail_fast {
            true => one,
            false => std::thread::available_parallelism().unwrap_or(one),
        };
        return Ok(arguments.jobs.unwrap_or_else(by_default));
    }
    match arguments.jobs {
        Some(jobs) if arguments.fresh.is_some() => Ok(jobs),
        Some(jobs) if jobs > one => {
            let _ = writeln!(
                anstream::stderr(),
                "--jobs: this card keeps its state from one scenario to the next, so they are played one by one"
            );
            Ok(one)
        }
        _ => Ok(one),
    }
}

fn play(
    arguments: &Arguments,
    scenarios: &[&Scenario],
    holder: Option<Holder>,
    conduct: &Conduct<'_>,
    beginning: &Beginning,
    sink: &mut dyn Sink,
) -> Result<Summary, Failure> {
    let options = PeerOptions {
        holder: holder.clone(),
        mine: arguments.mine,
        consent: Consent { spend_tries: arguments.spend_tries, change_pins: arguments.change_pins },
        wait: Duration::from_secs(arguments.wait),
        fresh: arguments.fresh.clone(),
        judge: None,
    };
    if let (Some(fresh), 2..) = (&arguments.fresh, conduct.jobs.get())
        && !matches!(arguments.card, CardSeat::Sim(_))
    {
        let jobs = u16::try_from(conduct.jobs.get().min(scenarios.len())).unwrap_or(u16::MAX);
        let sources = arguments.card.open_several(jobs, options.wait, fresh)?;
        return run_on_fresh_peers(scenarios, sources, &options, conduct, beginning, sink)
            .map_err(nothing_could_run);
    }
    let mut source: Box<dyn PeerSource> = match &arguments.card {
        CardSeat::Sim(sim) => {
            let named = arguments.profile.as_deref().or(sim.profile.as_deref());
            let profile = named.map(super::profile).transpose()?;
            let holder = holder.map_or_else(
                || sim.holder.as_deref().map(super::holder).transpose(),
                |holder| Ok(Some(holder)),
            )?;
            let cards = Cards::of_all(holder, profile);
            let name = named.unwrap_or("card");
            return run_on_simulator(scenarios, &cards, name, conduct, beginning, sink)
                .map_err(|error| Failure::Usage(error.to_string()));
        }
        other => other.open(Duration::from_secs(arguments.wait), arguments.exclusive)?,
    };
    run_on_peer(scenarios, &mut *source, &options, conduct, beginning, sink).map_err(nothing_could_run)
}

fn nothing_could_run(error: NothingCouldRun) -> Failure {
    match error {
        NothingCouldRun::NoCard(_) | NothingCouldRun::Interrupted => Failure::NoCard(error.to_string()),
        NothingCouldRun::Fresh { .. } | NothingCouldRun::UnknownHolder { .. } => {
            Failure::Usage(error.to_string())
        }
    }
}

fn nothing_selected(scenarios: &[Scenario]) -> Failure {
    let known: BTreeSet<&str> =
        scenarios.iter().flat_map(|scenario| &scenario.tags).map(String::as_str).collect();
    let known: Vec<_> = known.into_iter().collect();
    Failure::Usage(format!(
        "none of the {} scenarios is selected by --tag; their tags are: {}",
        scenarios.len(),
        known.join(", ")
    ))
}

/// Before anything is sent: a run that stops in the middle leaves a card in the middle.
fn holders_are_known(scenarios: &[&Scenario]) -> Result<(), Failure> {
    let known = Holder::built_in_names();
    match scenarios.iter().find(|scenario| !known.contains(&scenario.holder.as_str())) {
        None => Ok(()),
        Some(Scenario { holder, holder_position, .. }) => Err(Failure::Usage(format!(
            "{holder_position}: there is no built-in holder {holder:?}; built in are: {}. --holder FILE takes \
             another for all scenarios",
            known.join(", ")
        ))),
    }
}

fn load_trust(path: &Path) -> Result<Trust, Failure> {
    let shown = path.display();
    let bytes = document::read_bytes(path, document::MAX_BYTES)
        .map_err(|error| Failure::Usage(format!("--trust {error}")))?;
    Trust::from_bytes(&bytes).map_err(|error| {
        Failure::Usage(format!("--trust {shown}: CA certificates in PEM or DER are expected; {error}"))
    })
}

fn list(scenarios: &[&Scenario], listing: Listing, explanation: &Explanation<'_>) {
    let mut out = anstream::stdout().lock();
    for scenario in scenarios {
        let title = explanation.language.of(&scenario.title);
        // Who stops reading a list has seen enough of it.
        let _ = writeln!(out, "{}  {}  {}", scenario.id, title, scenario.tags.join(" ").dimmed());
        if listing == Listing::Steps {
            let _ = out.write_all(explanation.steps(scenario).as_bytes());
        }
    }
}
