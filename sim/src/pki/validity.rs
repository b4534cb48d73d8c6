//! The validity of a certificate, in Japanese days, and its two encodings of time.

use der::asn1::Any;
use der::{Sequence, Tag};
use jiff::Timestamp;
use jiff::civil::{Date, date};
use jiff::tz::Offset;
use serde::{Deserialize, Serialize};

/// Japan Standard Time, UTC+9 all year.
pub const JAPAN: Offset = jiff::tz::offset(9);

/// From when until when a certificate is valid, both inclusive, in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// notBefore
    pub not_before: Timestamp,
    /// notAfter
    pub not_after: Timestamp,
}

impl Validity {
    /// Whether all of `other` lies within.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.not_before <= other.not_before && other.not_after <= self.not_after
    }

    /// Whether `instant` lies within.
    #[must_use]
    pub fn contains(self, instant: Timestamp) -> bool {
        (self.not_before..=self.not_after).contains(&instant)
    }

    pub(crate) fn to_asn1(self) -> der::Result<EncodedValidity> {
        Ok(EncodedValidity { not_before: time(self.not_before)?, not_after: time(self.not_after)? })
    }
}

/// 00:00:00 of `day` in Japan; `None` beyond the calendar's end (years before −9999, after 9999).
pub(crate) fn start_of_day(day: Date) -> Option<Timestamp> {
    JAPAN.to_timestamp(day.at(0, 0, 0, 0)).ok()
}

/// 23:59:59 of `day` in Japan, which is 14:59:59Z, where every measured certificate ends.
pub(crate) fn end_of_day(day: Date) -> Option<Timestamp> {
    JAPAN.to_timestamp(day.at(23, 59, 59, 0)).ok()
}

/// Validity (RFC 5280, 4.1.2.5):
///
/// ```text
/// Validity ::= SEQUENCE {
///     notBefore      Time,
///     notAfter       Time  }
///
/// Time ::= CHOICE {
///     utcTime        UTCTime,
///     generalTime    GeneralizedTime }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(crate) struct EncodedValidity {
    not_before: Any,
    not_after: Any,
}

/// GeneralizedTime in whole seconds, which is what OCSP has at every date (RFC 6960, 4.2.2.1).
pub(crate) fn generalized_time(instant: Timestamp) -> der::Result<Any> {
    let at = Offset::UTC.to_datetime(instant);
    Any::new(Tag::GeneralizedTime, format!("{:04}{}", at.year(), at.strftime("%m%d%H%M%SZ")).into_bytes())
}

/// UTCTime from 1950 to 2049, GeneralizedTime otherwise. By hand, because the library's times begin
/// in 1970 and a clock may be set before.
pub(crate) fn time(instant: Timestamp) -> der::Result<Any> {
    let at = Offset::UTC.to_datetime(instant);
    if (date(1950, 1, 1)..date(2050, 1, 1)).contains(&at.date()) {
        let text = format!("{:02}{}", at.year() % 100, at.strftime("%m%d%H%M%SZ"));
        Any::new(Tag::UtcTime, text.into_bytes())
    } else {
        generalized_time(instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use der::Encode;

    fn encoded(text: &str) -> Vec<u8> {
        time(text.parse().unwrap()).unwrap().to_der().unwrap()
    }

    #[test]
    fn times_change_their_type_where_rfc_5280_says() {
        assert_eq!(encoded("1949-12-31T23:59:59Z"), b"\x18\x0F19491231235959Z");
        assert_eq!(encoded("1950-01-01T00:00:00Z"), b"\x17\x0D500101000000Z");
        assert_eq!(encoded("2005-06-07T08:09:10Z"), b"\x17\x0D050607080910Z");
        assert_eq!(encoded("2049-12-31T23:59:59Z"), b"\x17\x0D491231235959Z");
        assert_eq!(encoded("2050-01-01T00:00:00Z"), b"\x18\x0F20500101000000Z");
        let always = generalized_time("2005-06-07T08:09:10.9Z".parse().unwrap()).unwrap();
        assert_eq!(always.to_der().unwrap(), b"\x18\x0F20050607080910Z");
    }

    #[test]
    fn the_last_second_of_a_day_in_japan_is_14_59_59_utc() {
        let end = end_of_day(date(2030, 2, 17)).unwrap();
        assert_eq!(end.to_string(), "2030-02-17T14:59:59Z");
        assert_eq!(start_of_day(date(2030, 2, 17)).unwrap().to_string(), "2030-02-16T15:00:00Z");
    }
}
