//! Generations of the authorities. The real ones began in 2015, 2019 and 2023; ours go on every
//! four years in both directions without end, so that there is one for any clock.

use super::Validity;
use jiff::civil::{Date, date};
use jiff::tz::Offset;
use jiff::{Timestamp, civil::DateTime};

const FIRST_YEAR: i16 = 2015;
const YEARS_BETWEEN: i16 = 4;
const YEARS_VALID: i16 = 10;
/// Keys of each authority in the pool.
const SLOTS: i16 = 3;

/// The generation that began on 16 July of 2015 + 4k, valid for ten years: from 00:00:00Z of that
/// day to 14:59:59Z of the day before its tenth anniversary (measured on the generation of 2023:
/// 2023-07-16 to 2033-07-15 14:59:59Z). All generations of an authority have the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation {
    number: i16,
    validity: Validity,
}

impl Generation {
    /// The latest generation that began at or before `instant`; `None` when it would begin or end
    /// outside the years 0 to 9999, for which certificates have no encoding.
    #[must_use]
    pub fn at(instant: Timestamp) -> Option<Self> {
        let day = Offset::UTC.to_datetime(instant).date();
        let year = if day < beginning(day.year())? { day.year().checked_sub(1)? } else { day.year() };
        Self::numbered((year - FIRST_YEAR).div_euclid(YEARS_BETWEEN))
    }

    /// The generation that began in `year`; `None` when none did.
    #[must_use]
    pub fn of_year(year: i16) -> Option<Self> {
        let years = year.checked_sub(FIRST_YEAR)?;
        if years % YEARS_BETWEEN == 0 { Self::numbered(years / YEARS_BETWEEN) } else { None }
    }

    /// The latest generation that began at or before `instant` and the two before it, latest first:
    /// one for each key, and all that any certificate valid at `instant` was issued by. Empty where
    /// [`at`](Self::at) gives none.
    #[must_use]
    pub fn recent(instant: Timestamp) -> Vec<Self> {
        let latest = Self::at(instant).map(Self::number);
        let numbers = latest.into_iter().flat_map(|latest| (0..SLOTS).map(move |back| latest - back));
        numbers.filter_map(Self::numbered).collect()
    }

    fn numbered(number: i16) -> Option<Self> {
        let year = number.checked_mul(YEARS_BETWEEN)?.checked_add(FIRST_YEAR)?;
        let end = beginning(year.checked_add(YEARS_VALID)?)?.yesterday().ok()?;
        let utc = |at: DateTime| Offset::UTC.to_timestamp(at).ok();
        let not_before = utc(beginning(year)?.at(0, 0, 0, 0))?;
        let not_after = utc(end.at(14, 59, 59, 0))?;
        Some(Self { number, validity: Validity { not_before, not_after } })
    }

    /// From when until when those of the next generation of the card are valid: for ten years more, as
    /// far as certificates can tell.
    pub(crate) fn doubled_validity(self) -> Validity {
        let end = self.year().checked_add(2 * YEARS_VALID).and_then(beginning);
        let end = end.and_then(|day| day.yesterday().ok()).map(|day| day.at(14, 59, 59, 0));
        let not_after = end.and_then(|end| Offset::UTC.to_timestamp(end).ok());
        Validity { not_after: not_after.unwrap_or(self.validity.not_after), ..self.validity }
    }

    /// The generation before; `None` before the year 0.
    #[must_use]
    pub fn previous(self) -> Option<Self> {
        Self::numbered(self.number.checked_sub(1)?)
    }

    /// k: 0 for the generation that began in 2015, negative before.
    #[must_use]
    pub fn number(self) -> i16 {
        self.number
    }

    /// The year in which it began: what files are named by.
    #[must_use]
    pub fn year(self) -> i16 {
        FIRST_YEAR + YEARS_BETWEEN * self.number
    }

    /// From when until when its certificates are valid.
    #[must_use]
    pub fn validity(self) -> Validity {
        self.validity
    }

    /// Which of its authority's three keys it uses: k mod 3.
    #[must_use]
    pub fn slot(self) -> usize {
        usize::from(self.number.rem_euclid(SLOTS).unsigned_abs())
    }
}

/// 16 July of `year`.
fn beginning(year: i16) -> Option<Date> {
    (0..=9999).contains(&year).then(|| date(year, 7, 16))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Generation {
        Generation::at(text.parse().unwrap()).unwrap()
    }

    #[test]
    fn the_measured_generations_are_among_them() {
        for (instant, number, begins, ends) in [
            ("2015-07-16T00:00:00Z", 0, "2015-07-16T00:00:00Z", "2025-07-15T14:59:59Z"),
            ("2019-07-15T23:59:59Z", 0, "2015-07-16T00:00:00Z", "2025-07-15T14:59:59Z"),
            ("2019-07-16T00:00:00Z", 1, "2019-07-16T00:00:00Z", "2029-07-15T14:59:59Z"),
            ("2025-06-15T00:00:00Z", 2, "2023-07-16T00:00:00Z", "2033-07-15T14:59:59Z"),
            ("2060-01-01T00:00:00Z", 11, "2059-07-16T00:00:00Z", "2069-07-15T14:59:59Z"),
            ("2015-07-15T23:59:59Z", -1, "2011-07-16T00:00:00Z", "2021-07-15T14:59:59Z"),
        ] {
            let generation = at(instant);
            assert_eq!(generation.number(), number, "{instant}");
            assert_eq!(generation.validity().not_before.to_string(), begins);
            assert_eq!(generation.validity().not_after.to_string(), ends);
        }
    }

    #[test]
    fn neighbouring_generations_use_different_keys() {
        let slots: Vec<_> = (-3..4).map(|number| Generation::numbered(number).unwrap().slot()).collect();
        assert_eq!(slots, [0, 1, 2, 0, 1, 2, 0]);
    }

    #[test]
    fn a_generation_is_known_by_the_year_in_which_it_began() {
        for year in [-1, 2014, 2016, 2017, 2018] {
            assert_eq!(Generation::of_year(year), None, "{year}");
        }
        for year in [3, 2011, 2015, 2019, 2023, 2059] {
            assert_eq!(Generation::of_year(year).unwrap().year(), year);
        }
    }

    #[test]
    fn the_recent_generations_are_the_latest_three_and_use_every_key() {
        let recent = Generation::recent("2026-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(recent.iter().map(|one| one.year()).collect::<Vec<_>>(), [2023, 2019, 2015]);
        assert_eq!(recent.iter().map(|one| one.slot()).collect::<Vec<_>>(), [2, 1, 0]);
        assert_eq!(Generation::recent("9999-01-01T00:00:00Z".parse().unwrap()), []);
    }

    #[test]
    fn beyond_four_digit_years_there_is_none() {
        assert!(Generation::at("9989-07-16T00:00:00Z".parse().unwrap()).is_some());
        assert!(Generation::at("9995-07-16T00:00:00Z".parse().unwrap()).is_none());
        assert!(Generation::at("-000001-07-16T00:00:00Z".parse().unwrap()).is_none());
    }
}
