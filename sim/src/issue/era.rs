//! The Japanese calendar: eras, their digits in official data, and the years counted in them.

use jiff::civil::{Date, date};

/// A day's era and its year in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct EraYear {
    /// 1 明治, 2 大正, 3 昭和, 4 平成, 5 令和
    pub era: u8,
    /// 1 for the year in which the era began
    pub year: i16,
}

impl EraYear {
    /// Of `day`, which is taken to lie in 明治 or later.
    pub(super) fn of(day: Date) -> Self {
        let beginnings =
            [(date(2019, 5, 1), 5), (date(1989, 1, 8), 4), (date(1926, 12, 25), 3), (date(1912, 7, 30), 2)];
        let (begins, era) =
            beginnings.into_iter().find(|(begins, _)| *begins <= day).unwrap_or((date(1868, 1, 25), 1));
        Self { era, year: day.year() - begins.year() + 1 }
    }
}

/// `day` as six digits, YYMMDD with the year of the era: 生年月日 as 照合番号B begins with it. The
/// last two digits are taken of a year with more.
pub(super) fn six_digits(day: Date) -> String {
    format!("{:02}{}", EraYear::of(day).year.rem_euclid(100), day.strftime("%m%d"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn years_count_from_the_beginning_of_the_era() {
        for (day, digits) in [
            (date(1980, 2, 17), "550217"),
            (date(1989, 1, 7), "640107"),
            (date(1989, 1, 8), "010108"),
            (date(2019, 4, 30), "310430"),
            (date(2019, 5, 1), "010501"),
            (date(1926, 12, 24), "151224"),
            (date(1926, 12, 25), "011225"),
            (date(1912, 7, 29), "450729"),
            (date(1912, 7, 30), "010730"),
            (date(1873, 1, 1), "060101"),
        ] {
            assert_eq!(six_digits(day), digits, "{day}");
        }
    }
}
