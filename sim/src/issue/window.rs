//! When certificates are issued and when they end: both are birthdays. Pure date arithmetic.

use crate::holder::{birthday_in, last_birthday};
use crate::pki::{JAPAN, Validity, end_of_day, start_of_day};
use jiff::Timestamp;
use jiff::civil::Date;

/// When a holder's certificates were issued and until when they are valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssueWindow {
    /// the day of issue, in Japan
    pub issued_on: Date,
    /// from 00:00:00 of that day to 23:59:59 (14:59:59Z) of the fifth birthday after it, for an
    /// ordinary certificate
    pub validity: Validity,
}

impl IssueWindow {
    /// A certificate ends on the fifth birthday after its issue.
    pub const YEARS: i16 = 5;

    /// The window from the beginning of `issued_on` to the end of `expires_on`, both in Japan. `None`
    /// beyond the calendar.
    #[must_use]
    pub fn new(issued_on: Date, expires_on: Date) -> Option<Self> {
        let validity = Validity { not_before: start_of_day(issued_on)?, not_after: end_of_day(expires_on)? };
        Some(Self { issued_on, validity })
    }

    /// The window for someone born on `birth` when the clock shows `now`: issued on the last
    /// birthday, or on the day of birth itself for a clock before it (whose certificates are then
    /// not yet valid). `None` when it would end after the year 9999.
    #[must_use]
    pub fn at(birth: Date, now: Timestamp) -> Option<Self> {
        let issued_on = last_birthday(birth, JAPAN.to_datetime(now).date())?;
        Self::new(issued_on, birthday_in(birth, issued_on.year().checked_add(Self::YEARS)?)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::Generation;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn window(birth: Date, now: &str) -> (String, String) {
        let window = IssueWindow::at(birth, now.parse().unwrap()).unwrap();
        (window.validity.not_before.to_string(), window.validity.not_after.to_string())
    }

    fn expect(from: &str, to: &str) -> (String, String) {
        (from.to_owned(), to.to_owned())
    }

    #[test]
    fn certificates_run_from_the_last_birthday_to_the_fifth_after_it() {
        let hanako = date(1980, 6, 15);
        assert_eq!(
            window(hanako, "2026-01-01T00:00:00Z"),
            expect("2025-06-14T15:00:00Z", "2030-06-15T14:59:59Z")
        );
        // the birthday begins at midnight in Japan
        assert_eq!(window(hanako, "2026-06-14T14:59:59Z").0, "2025-06-14T15:00:00Z");
        assert_eq!(window(hanako, "2026-06-14T15:00:00Z").0, "2026-06-14T15:00:00Z");
    }

    #[test]
    fn a_clock_before_the_first_birthday_takes_the_day_of_birth() {
        let child = date(2024, 6, 15);
        for now in ["1999-01-01T00:00:00Z", "2024-06-15T00:00:00Z", "2025-06-14T14:59:59Z"] {
            assert_eq!(window(child, now), expect("2024-06-14T15:00:00Z", "2029-06-15T14:59:59Z"));
        }
    }

    #[test]
    fn born_on_29_february_the_birthday_of_common_years_is_the_28th() {
        let leap = date(2000, 2, 29);
        assert_eq!(
            window(leap, "2025-12-31T00:00:00Z"),
            expect("2025-02-27T15:00:00Z", "2030-02-28T14:59:59Z")
        );
        assert_eq!(
            window(leap, "2024-02-28T15:00:00Z"),
            expect("2024-02-28T15:00:00Z", "2029-02-28T14:59:59Z")
        );
        assert_eq!(
            window(leap, "2024-02-28T14:59:59Z"),
            expect("2023-02-27T15:00:00Z", "2028-02-29T14:59:59Z")
        );
    }

    #[test]
    fn a_birthday_of_16_july_meets_the_generation_that_begins_that_day() {
        // midnight in Japan is nine hours before the generation begins: the one before issues
        let window = IssueWindow::at(date(1980, 7, 16), "2023-12-01T00:00:00Z".parse().unwrap()).unwrap();
        let generation = Generation::at(window.validity.not_before).unwrap();
        assert_eq!(generation.number(), 1);
        assert!(generation.validity().covers(window.validity));
    }

    proptest! {
        #[test]
        fn every_birth_and_every_clock_give_a_window_within_its_authority(
            (year, month, day) in (1873i16..9900, 1i8..=12, 1i8..=31),
            seconds in date(1, 1, 1).duration_since(date(1970, 1, 1)).as_secs()
                ..date(9980, 1, 1).duration_since(date(1970, 1, 1)).as_secs(),
        ) {
            let birth = Date::new(year, month, day).unwrap_or(date(2000, 2, 29));
            let now = Timestamp::from_second(seconds).unwrap();
            let window = IssueWindow::at(birth, now).unwrap();
            let generation = Generation::at(window.validity.not_before).unwrap();
            prop_assert!(generation.validity().covers(window.validity));
            prop_assert!(window.issued_on >= birth);
            prop_assert!(window.validity.contains(now) || now < start_of_day(birth).unwrap());
            // the same for every clock until the next birthday
            let until = birthday_in(birth, window.issued_on.year() + 1).unwrap();
            let last = end_of_day(until.yesterday().unwrap()).unwrap();
            prop_assert_eq!(IssueWindow::at(birth, last), Some(window));
            prop_assert_ne!(IssueWindow::at(birth, start_of_day(until).unwrap()), Some(window));
        }
    }
}
