//! Birthdays and ages. Pure date arithmetic.

use jiff::civil::Date;

/// The latest birthday of someone born on `birth` that is not after `today`; the day of birth counts
/// as the first, and stands for every day before it.
#[must_use]
pub fn last_birthday(birth: Date, today: Date) -> Option<Date> {
    if today <= birth {
        return Some(birth);
    }
    let this_year = birthday_in(birth, today.year())?;
    if this_year <= today { Some(this_year) } else { birthday_in(birth, today.year() - 1) }
}

/// Completed years of someone born on `birth`, counted from birthday to birthday.
#[must_use]
pub fn age(birth: Date, today: Date) -> i16 {
    last_birthday(birth, today).map_or(0, |birthday| birthday.year() - birth.year())
}

/// The birthday in `year` of someone born on `birth`. Born on 29 February, it is taken to be
/// 28 February in common years, as Japanese law does for driving licences; for this card no rule
/// is public. `None` beyond the year 9999.
#[must_use]
pub fn birthday_in(birth: Date, year: i16) -> Option<Date> {
    let day = Date::new(year, birth.month(), birth.day());
    day.or_else(|_| Date::new(year, birth.month(), 28)).ok()
}
