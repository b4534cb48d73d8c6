//! When a certificate in a given state was issued and by which generation: arithmetic over the
//! clock, so that what is expired stays expired and what is valid stays valid.

use super::IssueWindow;
use crate::holder::{CertificateState, IssuingGeneration, State, birthday_in, last_birthday};
use crate::pki::{Generation, JAPAN, Validity, end_of_day, start_of_day};
use jiff::civil::Date;
use jiff::{RoundMode, Timestamp, TimestampRound, ToSpan, Unit};

/// A certificate's window and the generation that issued it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    pub window: IssueWindow,
    pub generation: Generation,
}

impl Period {
    /// The period of a certificate of someone born on `birth`, whose card is in `state` and the
    /// certificate in the state `certificate` when the clock shows `now`. `None` beyond the calendar.
    pub fn at(birth: Date, state: &State, certificate: CertificateState, now: Timestamp) -> Option<Self> {
        let today = JAPAN.to_datetime(now).date();
        let window = match certificate {
            CertificateState::Expired => expired(birth, last_birthday(birth, today.yesterday().ok()?)?)?,
            CertificateState::ExpiredDaysAgo(days) => {
                expired(birth, today.checked_sub(i64::from(days).days()).ok()?)?
            }
            CertificateState::NotYetValid => return not_yet_valid(birth, now),
            CertificateState::Valid | CertificateState::Revoked | CertificateState::OnHold => {
                match state.generation {
                    IssuingGeneration::Current if state.renewed => within_the_hour(birth, now)?,
                    IssuingGeneration::Current => IssueWindow::at(birth, now)?,
                    IssuingGeneration::Previous => before_generation(birth, now, 0)?,
                    IssuingGeneration::Oldest => before_generation(birth, now, 1)?,
                }
            }
        };
        Some(Self { window, generation: Generation::at(window.validity.not_before)? })
    }
}

impl Period {
    /// The same period, of a certificate in a card whose last day is `expiry`, which it does not outlive.
    /// Of a card that ended before the period begins, or on that very day, the certificate ended with the
    /// card, whatever its state is said to be. `None` beyond the calendar.
    pub fn within_card(mut self, expiry: Date, birth: Date) -> Option<Self> {
        let end = end_of_day(expiry)?;
        if self.window.validity.not_before >= start_of_day(expiry)? {
            let window = expired(birth, expiry)?;
            return Some(Self { window, generation: Generation::at(window.validity.not_before)? });
        }
        let not_after = &mut self.window.validity.not_after;
        *not_after = (*not_after).min(end);
        Some(self)
    }

    /// The same period, of a certificate that ends `years` birthdays after its issue and not
    /// [`IssueWindow::YEARS`]. What has ended when the clock shows `now` ended then all the same. `None`
    /// beyond the calendar.
    pub fn lasting(mut self, years: i16, birth: Date, now: Timestamp) -> Option<Self> {
        let more = years - IssueWindow::YEARS;
        let validity = &mut self.window.validity;
        if more > 0 && validity.not_after >= now {
            let last_day = JAPAN.to_datetime(validity.not_after).date();
            validity.not_after = end_of_day(birthday_in(birth, last_day.year().checked_add(more)?)?)?;
        }
        Some(self)
    }
}

/// Ended on `last_day`. Where that is no birthday the certificate had less than five years, because
/// it does not outlive its card. Never issued before the holder was born.
fn expired(birth: Date, last_day: Date) -> Option<IssueWindow> {
    let birthday = last_birthday(birth, last_day)?;
    let years = if birthday == last_day { IssueWindow::YEARS } else { IssueWindow::YEARS - 1 };
    let issued_on = birthday_in(birth, birthday.year() - years)?;
    IssueWindow::new(issued_on.max(birth).min(last_day), last_day)
}

/// Begins on the next birthday. The generation is the one that is there now, which the certificate
/// does not outlive: for who was born on 16 July it would by a day.
fn not_yet_valid(birth: Date, now: Timestamp) -> Option<Period> {
    let current = IssueWindow::at(birth, now)?;
    let generation = Generation::at(current.validity.not_before)?;
    let issued_on = birthday_in(birth, current.issued_on.year() + 1)?;
    let mut window = IssueWindow::new(issued_on, birthday_in(birth, issued_on.year() + IssueWindow::YEARS)?)?;
    window.validity.not_after = window.validity.not_after.min(generation.validity().not_after);
    Some(Period { window, generation })
}

/// Begun at the last full hour, until the fifth birthday after.
fn within_the_hour(birth: Date, now: Timestamp) -> Option<IssueWindow> {
    let hour = TimestampRound::new().smallest(Unit::Hour).mode(RoundMode::Floor);
    let not_before = now.round(hour).ok()?;
    let current = IssueWindow::at(birth, now)?;
    let expires_on = birthday_in(birth, current.issued_on.year() + IssueWindow::YEARS)?;
    let validity = Validity { not_before, not_after: end_of_day(expires_on)? };
    Some(IssueWindow { issued_on: JAPAN.to_datetime(not_before).date(), validity })
}

/// Issued on the last birthday before a generation began: `earlier` generations before the one that
/// would issue now.
fn before_generation(birth: Date, now: Timestamp, earlier: u8) -> Option<IssueWindow> {
    let mut generation = Generation::at(IssueWindow::at(birth, now)?.validity.not_before)?;
    for _ in 0..earlier {
        generation = generation.previous()?;
    }
    // the day in Japan on which it began also began before it
    let began = JAPAN.to_datetime(generation.validity().not_before).date();
    let issued_on = last_birthday(birth, began)?;
    IssueWindow::new(issued_on, birthday_in(birth, issued_on.year() + IssueWindow::YEARS)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn period(state: &State, certificate: CertificateState, now: Timestamp, birth: Date) -> Period {
        Period::at(birth, state, certificate, now).unwrap()
    }

    fn told(certificate: CertificateState, now: &str) -> String {
        let period = period(&State::default(), certificate, now.parse().unwrap(), date(1980, 6, 15));
        let Validity { not_before, not_after } = period.window.validity;
        format!("{not_before} {not_after} {}", period.generation.number())
    }

    #[test]
    fn dates_follow_the_birthday() {
        for (certificate, now, expected) in [
            (
                CertificateState::Expired,
                "2026-06-01T00:00:00Z",
                "2020-06-14T15:00:00Z 2025-06-15T14:59:59Z 1",
            ),
            // the last day is over at midnight in Japan
            (
                CertificateState::Expired,
                "2026-06-15T14:59:59Z",
                "2020-06-14T15:00:00Z 2025-06-15T14:59:59Z 1",
            ),
            (
                CertificateState::Expired,
                "2026-06-15T15:00:00Z",
                "2021-06-14T15:00:00Z 2026-06-15T14:59:59Z 1",
            ),
            (
                CertificateState::ExpiredDaysAgo(30),
                "2026-06-01T00:00:00Z",
                "2021-06-14T15:00:00Z 2026-05-02T14:59:59Z 1",
            ),
            (
                CertificateState::NotYetValid,
                "2026-06-01T00:00:00Z",
                "2026-06-14T15:00:00Z 2031-06-15T14:59:59Z 2",
            ),
        ] {
            assert_eq!(told(certificate, now), expected);
        }
    }

    #[test]
    fn who_was_born_on_16_july_gets_no_certificate_that_outlives_its_authority() {
        let now = "2027-07-15T16:00:00Z".parse().unwrap(); // 16 July in Japan, generation 2023
        let period = period(&State::default(), CertificateState::NotYetValid, now, date(1990, 7, 16));
        assert_eq!(period.generation.number(), 2);
        assert_eq!(period.window.validity.not_after.to_string(), "2033-07-15T14:59:59Z");
    }

    #[test]
    fn a_renewed_certificate_begins_at_the_full_hour() {
        let state = State { renewed: true, ..State::default() };
        let now = "2026-06-01T12:34:56Z".parse().unwrap();
        let window = period(&state, CertificateState::Valid, now, date(1980, 6, 15)).window;
        assert_eq!(window.validity.not_before.to_string(), "2026-06-01T12:00:00Z");
        assert_eq!(window.validity.not_after.to_string(), "2030-06-15T14:59:59Z");
        assert_eq!(window.issued_on, date(2026, 6, 1));
    }

    #[test]
    fn no_certificate_outlives_its_card() {
        let birth = date(1980, 6, 15);
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        for (certificate, expiry, expected) in [
            (CertificateState::Valid, date(2027, 1, 1), "2025-06-14T15:00:00Z 2027-01-01T14:59:59Z 2"),
            (CertificateState::Valid, date(2035, 6, 15), "2025-06-14T15:00:00Z 2030-06-15T14:59:59Z 2"),
            (CertificateState::OnHold, date(2025, 6, 15), "2020-06-14T15:00:00Z 2025-06-15T14:59:59Z 1"),
            // the card had ended before its holder's last birthday
            (CertificateState::Valid, date(2024, 2, 1), "2019-06-14T15:00:00Z 2024-02-01T14:59:59Z 0"),
            (CertificateState::NotYetValid, date(2026, 6, 14), "2021-06-14T15:00:00Z 2026-06-14T14:59:59Z 1"),
            (CertificateState::NotYetValid, date(2030, 6, 15), "2026-06-14T15:00:00Z 2030-06-15T14:59:59Z 2"),
            (CertificateState::Expired, date(2020, 6, 15), "2015-06-14T15:00:00Z 2020-06-15T14:59:59Z -1"),
        ] {
            let period = period(&State::default(), certificate, now, birth);
            let Period { window, generation } = period.within_card(expiry, birth).unwrap();
            let Validity { not_before, not_after } = window.validity;
            assert_eq!(format!("{not_before} {not_after} {}", generation.number()), expected, "{expiry}");
            assert!(generation.validity().covers(window.validity), "{expiry}");
        }
    }

    proptest! {
        #[test]
        fn every_state_is_what_it_says_for_every_adult_and_every_clock(
            (month, day) in (1i8..=12, 1i8..=31),
            age in 20i16..100,
            seconds in date(1990, 1, 1).duration_since(date(1970, 1, 1)).as_secs()
                ..date(9960, 1, 1).duration_since(date(1970, 1, 1)).as_secs(),
            days_ago in 1u16..=3650,
        ) {
            let now = Timestamp::from_second(seconds).unwrap();
            let year = JAPAN.to_datetime(now).date().year() - age;
            let birth = Date::new(year, month, day).unwrap_or(date(year / 4 * 4, 2, 28));
            let natural = Generation::at(IssueWindow::at(birth, now).unwrap().validity.not_before).unwrap();
            for (certificate, begun, ended) in [
                (CertificateState::Valid, true, false),
                (CertificateState::Revoked, true, false),
                (CertificateState::Expired, true, true),
                (CertificateState::ExpiredDaysAgo(days_ago), true, true),
                (CertificateState::NotYetValid, false, false),
            ] {
                let period = period(&State::default(), certificate, now, birth);
                let validity = period.window.validity;
                prop_assert_eq!((validity.not_before <= now, validity.not_after < now), (begun, ended));
                prop_assert!(validity.not_before < validity.not_after);
                prop_assert!(period.generation.validity().covers(validity), "{:?}", certificate);
                if !begun {
                    prop_assert!(period.generation.validity().contains(now));
                }
            }
            for (generation, back, valid) in [
                (IssuingGeneration::Current, 0, true),
                (IssuingGeneration::Previous, 1, true),
                (IssuingGeneration::Oldest, 2, false),
            ] {
                let state = State { generation, ..State::default() };
                let period = period(&state, CertificateState::Valid, now, birth);
                prop_assert_eq!(period.generation.number(), natural.number() - back);
                prop_assert!(period.generation.validity().covers(period.window.validity));
                let on_its_last_day = period.window.issued_on.year() + 5 == JAPAN.to_datetime(now).date().year();
                prop_assert!(period.window.validity.contains(now) == valid || on_its_last_day);
            }
            let renewed = State { renewed: true, ..State::default() };
            let renewed = period(&renewed, CertificateState::Valid, now, birth);
            prop_assert!(renewed.window.validity.contains(now));
            prop_assert!(renewed.generation.validity().covers(renewed.window.validity));
        }
    }
}
