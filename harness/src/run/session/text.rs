//! Holding a text against what it must be.

use crate::language::{Language, quoted, readable};
use crate::scenario::{BirthdayMatch, CaptureName, Captures, NumberMatch, TextMatch};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz;
use std::cmp::min;
use vmyna_sim::holder::MyNumber;

/// More birthdays than anyone has had.
const MOST_BIRTHDAYS: usize = 150;

/// Whether the text that `came` is what was `wanted`.
pub(super) fn text_fits(wanted: &TextMatch, came: &str, captures: &Captures) -> bool {
    let captured = |name: &CaptureName| std::str::from_utf8(captures.get(name)).unwrap_or_default();
    match wanted {
        TextMatch::Exactly(text) => text == came,
        TextMatch::Contains(text) => came.contains(text),
        TextMatch::Like { pattern, as_long_as } => {
            let is_long_enough = |name| captured(name).chars().count() == came.chars().count();
            pattern.matches(came) && as_long_as.as_ref().is_none_or(is_long_enough)
        }
        TextMatch::Captured { name, after: None } => captures.get(name) == came.as_bytes(),
        TextMatch::Captured { name, after: Some(pattern) } => pattern.rest(came) == Some(captured(name)),
        TextMatch::Birthday(birthday) => birthday_fits(birthday, came, captured).unwrap_or_default(),
        TextMatch::Number(NumberMatch::Individual) => MyNumber::parse(came).is_ok(),
    }
}

/// What was `wanted`, with the captured values that it is about.
pub(super) fn shown(wanted: &TextMatch, captures: &Captures, language: Language) -> String {
    let captured = |name: &CaptureName| String::from_utf8_lossy(captures.get(name));
    let words = wanted.in_words(language);
    match wanted {
        TextMatch::Captured { name, .. } => format!("{words} ({})", quoted(&captured(name), language)),
        TextMatch::Birthday(BirthdayMatch { of, after, at_latest, .. }) => {
            let names = [Some(of), Some(after), at_latest.as_ref()].into_iter().flatten();
            let values: Vec<_> = names.map(|name| format!("{name} {}", readable(&captured(name)))).collect();
            format!("{words} ({})", values.join(language.say("、", ", ")))
        }
        TextMatch::Exactly(_) | TextMatch::Contains(_) | TextMatch::Like { .. } | TextMatch::Number(_) => {
            words
        }
    }
}

/// `None` where one of the texts is no day.
fn birthday_fits<'a>(
    wanted: &BirthdayMatch,
    came: &str,
    captured: impl Fn(&CaptureName) -> &'a str,
) -> Option<bool> {
    let (came, birth, after) = (day(came)?, day(captured(&wanted.of))?, day(captured(&wanted.after))?);
    let latest = match &wanted.at_latest {
        Some(name) => Some(day(captured(name))?),
        None => None,
    };
    let first_year = if birthday(birth, after.year())? > after { after.year() } else { after.year() + 1 };
    let numbers = wanted.number.at_least.max(1)..=wanted.number.at_most.min(MOST_BIRTHDAYS);
    let years = numbers.filter_map(|number| first_year.checked_add(i16::try_from(number - 1).ok()?));
    let mut days = years.filter_map(|year| birthday(birth, year));
    Some(days.any(|birthday| came == latest.map_or(birthday, |latest| min(latest, birthday))))
}

/// The birthday in `year` of who was born on `birth`: 28 February in place of a 29th that is missing.
fn birthday(birth: Date, year: i16) -> Option<Date> {
    Date::new(year, birth.month(), birth.day()).or_else(|_| Date::new(year, birth.month(), 28)).ok()
}

/// `YYYYMMDD`, or the day in Japan of an instant.
fn day(text: &str) -> Option<Date> {
    let instant = || text.parse::<Timestamp>().map(|instant| tz::offset(9).to_datetime(instant).date());
    Date::strptime("%Y%m%d", text).or_else(|_| instant()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(yaml: &str, came: &str) -> bool {
        let mut captures = Captures::default();
        for (name, value) in [
            ("name", "渡辺　高子"),
            ("birth", "19880229"),
            ("issued", "2025-02-27T15:00:00Z"),
            ("expiry", "20291231"),
        ] {
            captures.keep(CaptureName::parse(name).unwrap(), value.into());
        }
        text_fits(&vmyna_sim::document::parse("test.yaml", yaml).unwrap(), came, &captures)
    }

    #[test]
    fn as_long_as_counts_characters_and_not_bytes() {
        assert!(fits("{matches: \"[01]+\", as_long_as: name}", "01010"));
        assert!(!fits("{matches: \"[01]+\", as_long_as: name}", "0101"));
        assert!(!fits("{matches: \"[01]+\", as_long_as: name}", "01012"));
    }

    #[test]
    fn an_individual_number_has_its_check_digit() {
        assert!(fits("{number: individual}", "123456789018"));
        for other in ["123456789012", "12345678901", "1234567890180", "12345678901X", ""] {
            assert!(!fits("{number: individual}", other), "{other}");
        }
    }

    #[test]
    fn a_captured_value_may_follow_something_else() {
        assert!(fits("{captured: birth, after: \"[1-5]\"}", "319880229"));
        assert!(!fits("{captured: birth, after: \"[1-5]\"}", "919880229"));
        assert!(!fits("{captured: birth, after: \"[1-5]\"}", "319880228"));
    }

    #[test]
    fn what_was_wanted_is_shown_with_what_was_captured() {
        let mut captures = Captures::default();
        for (name, value) in [("birth", "19880229"), ("issued", "2025-02-27T15:00:00Z")] {
            captures.keep(CaptureName::parse(name).unwrap(), value.into());
        }
        let shown = |yaml: &str| {
            shown(&vmyna_sim::document::parse("test.yaml", yaml).unwrap(), &captures, Language::En)
        };
        assert_eq!(
            shown("{captured: birth, after: \"[1-5]\"}"),
            "the captured birth after /[1-5]/ (\"19880229\")"
        );
        assert_eq!(
            shown("{birthday: {number: 5, of: birth, after: issued}}"),
            "birthday 5 of the captured birth after the captured issued (birth 19880229, issued 2025-02-27T15:00:00Z)"
        );
    }

    #[test]
    fn birthdays_are_counted_after_a_day_that_does_not_count_itself() {
        // issued on 28 February in Japan, which stands for the 29th in that year
        let fifth = "{birthday: {number: 5, of: birth, after: issued}}";
        assert!(fits(fifth, "2030-02-28T14:59:59Z") && fits(fifth, "20300228"));
        assert!(!fits(fifth, "2030-02-28T15:00:00Z") && !fits(fifth, "20290228"));
        assert!(!fits(fifth, "28 February 2030"));
        let capped = "{birthday: {number: 5, of: birth, after: issued, at_latest: expiry}}";
        assert!(fits(capped, "20291231") && !fits(capped, "20300228"));
        let some = "{birthday: {number: {at_least: 1, at_most: 3}, of: birth, after: issued}}";
        assert!(fits(some, "20280229") && fits(some, "20260228") && !fits(some, "20290228"));
    }
}
