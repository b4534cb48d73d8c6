//! Which reader: by its name, by a part of it that only one reader has, or the only one with a card.

use super::connection::{PcscLink, Sharing};
use super::{explain, in_use};
use crate::language::{Bilingual, Language, in_both};
use crate::link::CardLink;
use pcsc::{Context, Error, PNP_NOTIFICATION, ReaderState, Scope, State};
use std::ffi::{CStr, CString};
use std::time::{Duration, Instant};

/// The reader that the user means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReaderChoice {
    /// the only one there is, or the only one with a card
    Any,
    /// the one of this name, or whose name has this part
    Named(String),
}

/// PC/SC's readers as a source of cards.
pub struct PcscReader {
    choice: ReaderChoice,
    sharing: Sharing,
    wait: Duration,
}

/// The names of all readers that the service knows.
///
/// # Errors
/// A sentence that says why they cannot be listed, and what helps.
pub fn reader_names() -> Result<Vec<String>, Bilingual> {
    let context = Context::establish(Scope::User).map_err(explain)?;
    match context.list_readers_owned() {
        Ok(names) => Ok(names.into_iter().map(|name| name.to_string_lossy().into_owned()).collect()),
        Err(Error::NoReadersAvailable) => Ok(Vec::new()),
        Err(error) => Err(explain(error)),
    }
}

/// A reader as the service shows it now.
struct Seen {
    name: CString,
    state: State,
}

impl Seen {
    fn shown(&self) -> String {
        self.name.to_string_lossy().into_owned()
    }

    fn has_card(&self) -> bool {
        self.state.contains(State::PRESENT) && !self.state.contains(State::MUTE)
    }
}

/// What the readers that are there come to.
enum Found {
    Card(CString),
    /// wait: so far there is none, for this reason
    NotYet(Bilingual),
    /// waiting does not help
    Unclear(Bilingual),
}

impl PcscReader {
    /// The card in `choice`, used as `sharing` says. `wait` is how long the user waits, for the message
    /// that none came.
    #[must_use]
    pub const fn new(choice: ReaderChoice, sharing: Sharing, wait: Duration) -> Self {
        Self { choice, sharing, wait }
    }

    /// Waits until PC/SC shows the card, and leaves it alone.
    ///
    /// # Errors
    /// A sentence that says why there is none, and what helps.
    pub fn wait(&self, deadline: Instant) -> Result<(), Bilingual> {
        let context = Context::establish(Scope::User).map_err(explain)?;
        self.wait_for_card(&context, deadline).map(drop)
    }

    /// Waits for the card and connects to it.
    ///
    /// # Errors
    /// A sentence that says why there is none, and what helps.
    pub fn connect(&self, deadline: Instant) -> Result<Box<dyn CardLink>, Bilingual> {
        let context = Context::establish(Scope::User).map_err(explain)?;
        loop {
            let name = self.wait_for_card(&context, deadline)?;
            match PcscLink::connect(&context, &name, self.sharing) {
                Ok(link) => return Ok(link),
                // It left between being seen and being asked.
                Err(Error::NoSmartcard | Error::RemovedCard | Error::UnknownReader)
                    if Instant::now() < deadline => {}
                Err(Error::SharingViolation) => {
                    return Err(about(&name.to_string_lossy(), in_use(self.sharing)));
                }
                Err(error) => return Err(about(&name.to_string_lossy(), explain(error))),
            }
        }
    }

    fn choose(&self, seen: &[Seen]) -> Found {
        let names = |language: Language| {
            let with_card = language.say("（カードあり）", "  (with a card)");
            let lines = seen
                .iter()
                .map(|seen| format!("\n  {}{}", seen.shown(), if seen.has_card() { with_card } else { "" }));
            lines.collect::<String>()
        };
        let candidates: Vec<&Seen> = match &self.choice {
            ReaderChoice::Any => seen.iter().collect(),
            ReaderChoice::Named(part) => {
                let exact = seen.iter().filter(|seen| seen.shown() == *part).collect::<Vec<_>>();
                let within =
                    || seen.iter().filter(|seen| seen.shown().to_lowercase().contains(&part.to_lowercase()));
                if exact.is_empty() { within().collect() } else { exact }
            }
        };
        let with_card: Vec<_> = candidates.iter().filter(|seen| seen.has_card()).collect();
        match (&self.choice, &candidates[..], &with_card[..]) {
            (_, _, [only]) if self.choice == ReaderChoice::Any => Found::Card(only.name.clone()),
            (_, [only], _) if only.has_card() => Found::Card(only.name.clone()),
            (_, [only], _) if only.state.contains(State::MUTE) => {
                Found::NotYet(about(&only.shown(), explain(Error::UnresponsiveCard)))
            }
            (_, [only], _) => Found::NotYet(Bilingual::new(
                format!("リーダー「{}」にカードがない。カードを入れる", only.shown()),
                format!("no card in the reader {:?}; put one in", only.shown()),
            )),
            (ReaderChoice::Any, [], _) => Found::NotYet(Bilingual::new(
                "PC/SC にリーダーがない。リーダーを差すか、仮想リーダーのドライバーを入れる\
                 （`apt-get install vsmartcard-vpcd` の後に `systemctl restart pcscd`）",
                "PC/SC knows no reader; plug one in, or install the driver of a virtual one \
                 (`apt-get install vsmartcard-vpcd`, then `systemctl restart pcscd`)",
            )),
            (ReaderChoice::Named(part), [], _) if seen.is_empty() => Found::NotYet(Bilingual::new(
                format!("リーダー「{part}」がない。PC/SC にはリーダーが一つもない。差す"),
                format!("no reader {part:?}: PC/SC knows none at all; plug it in"),
            )),
            (ReaderChoice::Named(part), [], _) => Found::NotYet(Bilingual::new(
                format!("名前に「{part}」を含むリーダーがない。今あるのは:{}", names(Language::Ja)),
                format!("no reader's name has {part:?} in it; there are:{}", names(Language::En)),
            )),
            (ReaderChoice::Named(part), _, _) => Found::Unclear(in_both(|language| {
                let (count, names) = (candidates.len(), names(language));
                match language {
                    Language::Ja => {
                        format!(
                            "名前に「{part}」を含むリーダーが {count} 台ある。名前をもっと長く書く:{names}"
                        )
                    }
                    Language::En => {
                        format!("{count} readers have {part:?} in their names; give more of one:{names}")
                    }
                }
            })),
            (ReaderChoice::Any, _, []) => Found::NotYet(in_both(|language| {
                let (count, names) = (seen.len(), names(language));
                match language {
                    Language::Ja => {
                        format!("{count} 台のリーダーのどれにもカードがない。カードを入れる:{names}")
                    }
                    Language::En => format!("no card in any of the {count} readers; put one in:{names}"),
                }
            })),
            (ReaderChoice::Any, _, _) => Found::Unclear(in_both(|language| {
                let (count, names) = (with_card.len(), names(language));
                match language {
                    Language::Ja => format!(
                        "{count} 台のリーダーにカードがある。--card pcsc:リーダー名（一部でよい）で選ぶ:{names}"
                    ),
                    Language::En => format!(
                        "{count} readers hold a card; say which with --card pcsc:READER, its name or a part of \
                         it:{names}"
                    ),
                }
            })),
        }
    }

    fn wait_for_card(&self, context: &Context, deadline: Instant) -> Result<CString, Bilingual> {
        let mut states = vec![ReaderState::new(PNP_NOTIFICATION(), State::UNAWARE)];
        loop {
            follow_readers(context, &mut states).map_err(explain)?;
            // Those not looked at yet answer at once.
            let left = deadline.saturating_duration_since(Instant::now());
            let news = states.iter().any(|state| state.name() != PNP_NOTIFICATION() && is_new(state));
            let timeout = if news { Duration::ZERO } else { left };
            match context.get_status_change(timeout, &mut states) {
                Ok(()) | Err(Error::Timeout) => {}
                Err(error) => return Err(explain(error)),
            }
            let seen: Vec<Seen> = states
                .iter()
                .filter(|state| state.name() != PNP_NOTIFICATION())
                .map(|state| Seen { name: state.name().to_owned(), state: state.event_state() })
                .collect();
            for state in &mut states {
                state.sync_current_state();
            }
            match self.choose(&seen) {
                Found::Card(name) => return Ok(name),
                Found::Unclear(problem) => return Err(problem),
                Found::NotYet(reason) if left.is_zero() => {
                    let waited = self.wait.as_secs();
                    return Err(Bilingual::new(
                        format!("{}\n（{waited} 秒待った。--wait 秒 で長く待てる）", reason.ja),
                        format!("{}\n(waited {waited} s; --wait SECONDS waits longer)", reason.en),
                    ));
                }
                Found::NotYet(_) => {}
            }
        }
    }
}

/// What is wrong with the card in the reader `name`.
fn about(name: &str, Bilingual { ja, en }: Bilingual) -> Bilingual {
    Bilingual::new(format!("リーダー「{name}」: {ja}"), format!("{name:?}: {en}"))
}

fn is_new(state: &ReaderState) -> bool {
    state.current_state() == State::UNAWARE
}

/// Adds the readers that have come and drops those that have gone.
fn follow_readers(context: &Context, states: &mut Vec<ReaderState>) -> Result<(), Error> {
    let names = match context.list_readers_owned() {
        Ok(names) => names,
        Err(Error::NoReadersAvailable) => Vec::new(),
        Err(error) => return Err(error),
    };
    let plug_and_play = |name: &CStr| name == PNP_NOTIFICATION();
    states.retain(|state| {
        plug_and_play(state.name())
            || (names.iter().any(|name| name.as_c_str() == state.name())
                && !state.event_state().intersects(State::UNKNOWN | State::IGNORE))
    });
    for name in names {
        if !states.iter().any(|state| state.name() == name.as_c_str()) {
            states.push(ReaderState::new(name, State::UNAWARE));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(readers: &[(&str, State)]) -> Vec<Seen> {
        let seen = |(name, state): &(&str, State)| Seen { name: CString::new(*name).unwrap(), state: *state };
        readers.iter().map(seen).collect()
    }

    fn choice(choice: ReaderChoice, readers: &[(&str, State)]) -> Result<String, String> {
        match PcscReader::new(choice, Sharing::Shared, Duration::ZERO).choose(&seen(readers)) {
            Found::Card(name) => Ok(name.into_string().unwrap()),
            Found::NotYet(reason) | Found::Unclear(reason) => {
                assert!(!reason.ja.is_ascii(), "{}", reason.ja);
                Err(reason.en)
            }
        }
    }

    const TWO: [(&str, State); 2] =
        [("Virtual PCD 00 00", State::EMPTY), ("Virtual PCD 00 01", State::PRESENT)];

    #[test]
    fn the_only_card_is_found() {
        assert_eq!(choice(ReaderChoice::Any, &TWO), Ok("Virtual PCD 00 01".to_owned()));
    }

    #[test]
    fn a_part_of_the_name_will_do_when_only_one_has_it() {
        let named = |part: &str| choice(ReaderChoice::Named(part.to_owned()), &TWO);
        assert_eq!(named("00 01"), Ok("Virtual PCD 00 01".to_owned()));
        assert_eq!(named("PCD 00 01"), Ok("Virtual PCD 00 01".to_owned()));
        assert!(named("00 00").unwrap_err().contains("no card in the reader"));
        let unclear = named("virtual").unwrap_err();
        assert!(unclear.starts_with("2 readers have \"virtual\""), "{unclear}");
        assert!(unclear.ends_with("Virtual PCD 00 01  (with a card)"), "{unclear}");
        assert!(named("ACS").unwrap_err().contains("no reader's name has \"ACS\""));
    }

    #[test]
    fn a_name_that_is_part_of_another_means_the_reader_of_that_name() {
        let readers = [("Reader", State::PRESENT), ("Reader 2", State::PRESENT)];
        assert_eq!(choice(ReaderChoice::Named("Reader".to_owned()), &readers), Ok("Reader".to_owned()));
        assert!(choice(ReaderChoice::Any, &readers).unwrap_err().starts_with("2 readers hold a card"));
    }

    #[test]
    fn a_mute_card_is_told_as_such() {
        let mute = choice(ReaderChoice::Any, &[("Reader", State::PRESENT | State::MUTE)]);
        assert!(mute.unwrap_err().contains("does not answer to power"));
        assert!(choice(ReaderChoice::Any, &[]).unwrap_err().contains("knows no reader"));
    }
}
