//! Revocation lists are cut by municipality: a holder's certificate names the point in the
//! authority's directory where the list of its municipality would lie.

use super::Authority;
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use x509_cert::name::Name;

/// One municipality's share of an authority's revocation list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// prefecture in Latin letters, such as `Tokyo-to`
    pub prefecture: String,
    /// city, ward, town or village in Latin letters, such as `Chiyoda-ku`
    pub city: String,
}

impl Partition {
    /// The directory name of its distribution point, as measured: the beginning of the authority's
    /// own name, OU=CRL Distribution Points, OU=prefecture, CN=city CRLDP.
    pub(crate) fn name(&self, authority: Authority) -> der::Result<Name> {
        authority
            .beginning_of_name()
            .unit("CRL Distribution Points")
            .unit(&self.prefecture)
            .common_name(&format!("{} CRLDP", self.city))
            .name()
    }

    /// What a file is called that holds it: `Tokyo-to.Chiyoda-ku`. Everything but letters, digits
    /// and hyphens is written as `%` and two hexadecimal digits, so that no two have the same.
    #[must_use]
    pub fn file_stem(&self) -> String {
        let mut stem = String::new();
        for (index, part) in [&self.prefecture, &self.city].into_iter().enumerate() {
            if index > 0 {
                stem.push('.');
            }
            for byte in part.bytes() {
                if byte.is_ascii_alphanumeric() || byte == b'-' {
                    stem.push(char::from(byte));
                } else {
                    // writing to a String does not fail
                    let _ = write!(stem, "%{byte:02X}");
                }
            }
        }
        stem
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stem(prefecture: &str, city: &str) -> String {
        Partition { prefecture: prefecture.to_owned(), city: city.to_owned() }.file_stem()
    }

    #[test]
    fn file_names_are_plain_and_lead_nowhere_else() {
        assert_eq!(stem("Tokyo-to", "Chiyoda-ku"), "Tokyo-to.Chiyoda-ku");
        assert_eq!(stem("..", "/etc"), "%2E%2E.%2Fetc");
        assert_ne!(stem("a.b", "c"), stem("a", "b.c"));
        assert_ne!(stem("a%2Eb", "c"), stem("a.b", "c"));
    }
}
