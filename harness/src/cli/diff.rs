//! `vmyna diff`: the same scenarios against two cards, and where their bytes differ.

use super::Failure;
use super::seat::CardSeat;
use crate::diff::{Closeness, Difference, compare};
use crate::exit::Exit;
use crate::language::{Bilingual, Language};
use crate::link::{Consent, Said};
use crate::requirement::Requirements;
use crate::run::{
    Beginning, Cards, Conduct, Event, Judge, NothingCouldRun, Passed, PeerOptions, Sink, Verdict, converse,
    run_on_peer_heard,
};
use crate::scenario::{self, Scenario, TagExpression};
use crate::verify::Trust;
use clap::Args;
use owo_colors::OwoColorize;
use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::Profile;

/// Play the same scenarios against two cards, and show where their bytes differ.
///
/// A and B are card seats: `sim[:PROFILE][@HOLDER]` (built in; each scenario gets a fresh card),
/// `vpcd[:PORT]`, `vicc:HOST:PORT`, `pcsc[:READER]`. Nobody judges: a scenario goes on whatever is
/// answered. What is random (challenges, PSS signatures, encrypted answers) is compared by its length;
/// PINs are each holder's own and are not compared. A card that may be real is guarded as `vmyna run`
/// guards it, and what is held back there is not compared.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// the one card: a seat such as `sim`, `sim:android@taro`, `vicc:127.0.0.1:35963` or `pcsc`
    #[arg(value_name = "A")]
    a: CardSeat,

    /// the other card, likewise
    #[arg(value_name = "B")]
    b: CardSeat,

    /// Scenario files, or folders of them [default: those built in]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Only scenarios with these tags, for example "pin and not lockout"
    #[arg(long, value_name = "EXPR")]
    tag: Option<TagExpression>,

    /// Compare statuses and lengths only: for the cards of two people
    #[arg(long)]
    shape: bool,

    /// Whose PINs: a built-in holder or a holder file [default: each scenario's own]
    #[arg(long, value_name = "NAME|FILE")]
    holder: Option<String>,

    /// Whose PINs on B, when they are not A's
    #[arg(long, value_name = "NAME|FILE")]
    holder_b: Option<String>,

    /// Both cards are simulators: nothing needs to be held back
    #[arg(long)]
    mine: bool,

    /// Wrong PINs may be presented to a card that may be real, up to blocking it
    #[arg(long)]
    spend_tries: bool,

    /// PINs of a card that may be real may be changed; they are changed back
    #[arg(long)]
    change_pins: bool,

    /// Keep other programs away from cards in readers of PC/SC
    #[arg(long)]
    exclusive: bool,

    /// How long to wait for a card
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    wait: u64,

    /// Language of the titles [default: from the locale]
    #[arg(long)]
    lang: Option<Language>,
}

const EXAMPLES: &str = "\
Examples:
  vmyna diff sim sim:android                       how a phone differs from a card
  vmyna diff sim vicc:127.0.0.1:35963 --mine       how another simulator differs from this one
  vmyna diff sim pcsc --holder me.yaml --shape     how the card on the desk does, person aside

Exit codes: 0 they are the same, 1 they differ, 2 wrong usage, 3 a card was not there or nothing was compared";

pub(super) fn diff(arguments: &Arguments) -> Result<Exit, Failure> {
    let requirements = Requirements::built_in();
    let scenarios = if arguments.paths.is_empty() {
        scenario::built_in(&requirements)
    } else {
        scenario::load_paths(&arguments.paths, &requirements)
            .map_err(|error| Failure::Usage(error.to_string()))?
    };
    let is_selected =
        |scenario: &&Scenario| arguments.tag.as_ref().is_none_or(|expression| expression.selects(scenario));
    // What is about one kind of card says nothing of two.
    let is_on_any_card = |scenario: &&Scenario| scenario.flow.is_none() && scenario.profile.is_none();
    let selected: Vec<&Scenario> = scenarios.iter().filter(is_on_any_card).filter(is_selected).collect();
    if selected.is_empty() {
        return Err(Failure::Usage(
            "no scenario is selected by --tag; `vmyna run --list` shows the tags".to_owned(),
        ));
    }
    let holder_b = arguments.holder_b.as_deref().or(arguments.holder.as_deref());
    let a = play(arguments, &arguments.a, arguments.holder.as_deref(), &selected, &requirements)?;
    let b = play(arguments, &arguments.b, holder_b, &selected, &requirements)?;
    let closeness = if arguments.shape { Closeness::Shape } else { Closeness::Bytes };
    let language = arguments.lang.unwrap_or_else(Language::of_environment);
    let mut out = anstream::stdout().lock();
    let (mut same, mut different, mut left_out) = (0_usize, 0_usize, 0_usize);
    for scenario in selected {
        let (Some(Ok(a)), Some(Ok(b))) = (a.get(&scenario.id), b.get(&scenario.id)) else {
            left_out += 1;
            let reason = |played: Option<&Played>| played.and_then(|played| played.as_ref().err().cloned());
            for (card, reason) in [("A", reason(a.get(&scenario.id))), ("B", reason(b.get(&scenario.id)))] {
                if let Some(reason) = reason {
                    let reason = language.of(&reason);
                    let _ =
                        writeln!(out, "{} {}  not compared; {card}: {reason}", "skip".yellow(), scenario.id);
                }
            }
            continue;
        };
        let found = compare(a, b, closeness);
        if found.is_empty() {
            same += 1;
            continue;
        }
        different += 1;
        let title = language.of(&scenario.title);
        let _ = writeln!(out, "{} {}  {}", "DIFF".red().bold(), scenario.id, title.dimmed());
        for difference in &found {
            // Who stops reading has seen enough.
            let _ = show(&mut out, difference);
        }
    }
    let _ = writeln!(out, "\n{same} same, {different} different, {left_out} not compared");
    Ok(match (same, different) {
        (_, 1..) => Exit::Failed,
        (0, 0) => Exit::NoCard,
        _ => Exit::Success,
    })
}

/// Bytes of a long answer that are shown, so that a difference among them can be seen.
const SHOWN: usize = 32;

fn show(out: &mut impl Write, difference: &Difference) -> std::io::Result<()> {
    let commands = [&difference.a, &difference.b].map(|one| one.as_ref().map(|one| one.command.to_string()));
    let answer = |one: &Option<vmyna_sim::exchange::Exchange>| match one {
        Some(one) => one.response.as_ref().map_or_else(|| "(no answer)".to_owned(), ToString::to_string),
        None => "(nothing more was said)".to_owned(),
    };
    let number = format!("{:>4}", difference.number);
    match &commands {
        [Some(a), Some(b)] if a != b => {
            writeln!(out, "{number} A > {a}\n     B > {b}")?;
        }
        [Some(one), _] | [None, Some(one)] => writeln!(out, "{number}   > {one}")?,
        [None, None] => {}
    }
    writeln!(out, "     A < {}\n     B < {}", answer(&difference.a), answer(&difference.b))?;
    match difference.from {
        0..SHOWN => Ok(()),
        from => writeln!(out, "     the answers are the same up to byte {from}"),
    }
}

/// What was said, or why nothing was.
type Played = Result<Vec<Passed>, Bilingual>;

fn play(
    arguments: &Arguments,
    seat: &CardSeat,
    holder: Option<&str>,
    scenarios: &[&Scenario],
    requirements: &Requirements,
) -> Result<HashMap<String, Played>, Failure> {
    if let CardSeat::Sim(sim) = seat {
        let profile = sim.profile.as_deref().map_or_else(|| Ok(Profile::card()), super::profile)?;
        let holder = sim.holder.as_deref().or(holder).map(super::holder).transpose()?;
        return play_built_in(scenarios, profile, holder, requirements);
    }
    let holder = holder.map(super::holder).transpose()?;
    let wait = Duration::from_secs(arguments.wait);
    let mut source = seat.open(wait, arguments.exclusive)?;
    let options = PeerOptions {
        holder,
        mine: arguments.mine,
        consent: Consent { spend_tries: arguments.spend_tries, change_pins: arguments.change_pins },
        wait,
        fresh: None,
        judge: Some(Judge::Nobody),
    };
    let said = RefCell::new(Vec::new());
    let language = arguments.lang.unwrap_or_else(Language::of_environment);
    let mut listener = Listener { language, said: &said, played: HashMap::new() };
    run_on_peer_heard(
        scenarios,
        &mut *source,
        &options,
        &Conduct::new(requirements, &Trust::CardItself),
        &Beginning::now(scenarios.len(), "diff"),
        &mut listener,
        &mut |passed: Said<'_>| said.borrow_mut().push(Passed::from(passed)),
    )
    .map_err(|error| match error {
        NothingCouldRun::NoCard(_) | NothingCouldRun::Interrupted => {
            Failure::NoCard(language.of(&error.in_words()).to_owned())
        }
        NothingCouldRun::Fresh { .. } | NothingCouldRun::UnknownHolder { .. } => {
            Failure::Usage(language.of(&error.in_words()).to_owned())
        }
    })?;
    Ok(listener.played)
}

fn play_built_in(
    scenarios: &[&Scenario],
    profile: Profile,
    holder: Option<Holder>,
    requirements: &Requirements,
) -> Result<HashMap<String, Played>, Failure> {
    let usage = |error: vmyna_sim::card::PersonalisationError| Failure::Usage(error.to_string());
    let cards = Cards::of_all(holder, Some(profile));
    let mut played = HashMap::new();
    for scenario in scenarios {
        let personalised = cards.of(scenario).map_err(usage)?;
        let conversation = converse(scenario, personalised, requirements, Judge::Nobody, SystemTime::now());
        played.insert(scenario.id.clone(), compared(conversation.passed, &conversation.verdict));
    }
    Ok(played)
}

/// What was said is compared even where the link was lost in the middle: that is a difference too.
fn compared(passed: Vec<Passed>, verdict: &Verdict) -> Played {
    match verdict {
        Verdict::RequirementMissing(reason) | Verdict::NotApplicable(reason) => Err(reason.clone()),
        Verdict::RefusedByGuard(refused) => Err(refused.in_words()),
        _ => Ok(passed),
    }
}

/// Cuts what is heard into scenarios, and says on standard error what the run says of the card.
struct Listener<'a> {
    language: Language,
    said: &'a RefCell<Vec<Passed>>,
    played: HashMap<String, Played>,
}

impl Sink for Listener<'_> {
    fn event(&mut self, event: &Event<'_>) {
        match event {
            Event::Planned(text) | Event::Note(text) => {
                let _ = writeln!(anstream::stderr(), "{}", self.language.of(text));
            }
            Event::CaseEnded { scenario, verdict, .. } => {
                let passed = self.said.take();
                self.played.insert(scenario.id.clone(), compared(passed, verdict));
            }
            _ => {}
        }
    }
}
