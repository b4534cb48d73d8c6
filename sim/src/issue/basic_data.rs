//! The four basic data (基本4情報) in a signature certificate: other names in its subjectAltName.

use super::era::EraYear;
use crate::holder::Person;
use crate::pki::extension;
use const_oid::ObjectIdentifier;
use jiff::civil::Date;
use x509_cert::ext::Extension;

const NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.392.200149.8.5.5.1");
const NAME_SUBSTITUTES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.392.200149.8.5.5.2");
const SEX: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.392.200149.8.5.5.3");
const BIRTH: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.392.200149.8.5.5.4");
const ADDRESS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.392.200149.8.5.5.5");
const ADDRESS_SUBSTITUTES: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.392.200149.8.5.5.6");

/// subjectAltName with `person` in the measured order: .1 .4 .3 .5 .2 .6.
pub(super) fn subject_alt_name(person: &Person) -> der::Result<Extension> {
    extension::subject_other_names(&[
        (NAME, &person.name),
        (BIRTH, &birth(person.birth)),
        (SEX, &person.sex.code().to_string()),
        (ADDRESS, &person.address),
        (NAME_SUBSTITUTES, &person.substitutes.name),
        (ADDRESS_SUBSTITUTES, &person.substitutes.address),
    ])
}

/// 生年月日: the digit of the era, then the date with the Western year, such as `319800217`.
fn birth(day: Date) -> String {
    format!("{}{}", EraYear::of(day).era, day.strftime("%Y%m%d"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn births_carry_the_digit_of_their_era() {
        for (day, expected) in [
            (date(1980, 2, 17), "319800217"),
            (date(1912, 7, 29), "119120729"),
            (date(1912, 7, 30), "219120730"),
            (date(1926, 12, 24), "219261224"),
            (date(1926, 12, 25), "319261225"),
            (date(1989, 1, 7), "319890107"),
            (date(1989, 1, 8), "419890108"),
            (date(2019, 4, 30), "420190430"),
            (date(2019, 5, 1), "520190501"),
        ] {
            assert_eq!(birth(day), expected);
        }
    }
}
