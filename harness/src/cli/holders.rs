//! `vmyna holders`: who is built in, and what there is to know about a holder and the card.

mod description;

use super::Failure;
use crate::exit::Exit;
use crate::language::Language;
use clap::{Args, Subcommand};
use description::Description;
use jiff::Timestamp;
use std::io::Write;
use vmyna_sim::card::Personalised;
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::Profile;

/// List the built-in holders, or show one.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,

    /// Language of the list [default: from the locale]
    #[arg(long)]
    lang: Option<Language>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Print a person, and in what state the card is
    ///
    /// PINs are printed of built-in holders only: theirs are published, those of a file may be real.
    Show {
        /// A built-in holder or a holder file
        #[arg(value_name = "NAME|FILE")]
        holder: String,

        /// Language [default: from the locale]
        #[arg(long)]
        lang: Option<Language>,
    },
}

const EXAMPLES: &str = "\
Examples:
  vmyna holders                   one line for each
  vmyna holders show child        a child and the card, in words
  vmyna holders show mine.yaml    what a file of your own comes to";

pub(super) fn holders(arguments: Arguments) -> Result<Exit, Failure> {
    let text = match arguments.command {
        None => list(arguments.lang.unwrap_or_else(Language::of_environment)),
        Some(Command::Show { holder, lang }) => show(&holder, lang.unwrap_or_else(Language::of_environment))?,
    };
    // Who stops reading has seen enough of it.
    let _ = anstream::stdout().lock().write_all(text.as_bytes());
    Ok(Exit::Success)
}

/// Name and title of every built-in holder, in columns.
fn list(language: Language) -> String {
    let names = Holder::built_in_names();
    let width = names.iter().map(|name| name.len()).max().unwrap_or_default();
    let line = |name: &str| {
        let title = Holder::built_in(name)?.title;
        let title = match language {
            Language::Ja => title.ja,
            Language::En => title.en,
        };
        Some(format!("{name:width$}  {title}\n"))
    };
    names.into_iter().filter_map(line).collect()
}

fn show(name_or_file: &str, language: Language) -> Result<String, Failure> {
    let published = Holder::built_in(name_or_file).is_some();
    let holder = super::holder(name_or_file)?;
    let now = Timestamp::now();
    let card =
        Personalised::new(holder, Profile::card(), now).map_err(|error| Failure::Usage(error.to_string()))?;
    Ok(Description { card: &card, published, now, language }.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_has_a_line_for_each() {
        insta::assert_snapshot!("list_en", list(Language::En));
        insta::assert_snapshot!("list_ja", list(Language::Ja));
    }

    fn description(holder: Holder, published: bool, language: Language) -> String {
        let now: Timestamp = "2026-04-01T00:00:00Z".parse().unwrap();
        let card = Personalised::new(holder, Profile::card(), now).unwrap();
        Description { card: &card, published, now, language }.to_string()
    }

    #[test]
    fn every_built_in_holder_is_described_in_both_languages() {
        for name in Holder::built_in_names() {
            let told = [Language::En, Language::Ja]
                .map(|language| description(Holder::built_in(name).unwrap(), true, language));
            insta::assert_snapshot!(format!("show_{name}"), told.join("\n"));
        }
    }

    #[test]
    fn of_a_card_that_has_expired_it_says_so() {
        let text = "person: {name: 試験　太郎, birth: 1980-06-15}\ncard: {expiry: 2026-03-02}\n";
        for (language, expected) in [
            (
                Language::En,
                [
                    "2026-03-02 (expired 30 days ago, and the certificates by then)",
                    "2025-06-15 to 2026-03-02",
                ],
            ),
            (
                Language::Ja,
                [
                    "2026-03-02 (期限切れ、30日前まで有効。電子証明書もその日まで)",
                    "2025-06-15 から 2026-03-02 まで",
                ],
            ),
        ] {
            let told = description(Holder::parse("mine.yaml", text).unwrap(), false, language);
            for line in expected {
                assert!(told.contains(line), "{told}");
            }
        }
    }

    #[test]
    fn no_secret_out_of_a_file_is_printed() {
        let text = "person: {name: 試験　太郎, birth: 1980-06-15}\npins: {user_authentication: \"9876\"}\n";
        for language in [Language::En, Language::Ja] {
            let told = description(Holder::parse("mine.yaml", text).unwrap(), false, language);
            for secret in ["9876", "ABC123", "123456789018"] {
                assert!(!told.contains(secret), "{told}");
            }
        }
    }
}
