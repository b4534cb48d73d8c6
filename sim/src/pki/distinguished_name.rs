//! Distinguished names with the string types of the real hierarchy: the country a PrintableString,
//! everything else UTF8String, one attribute in each relative name, general before particular.

use const_oid::ObjectIdentifier;
use const_oid::db::rfc4519::{
    COMMON_NAME, COUNTRY_NAME, LOCALITY_NAME, ORGANIZATION_NAME, ORGANIZATIONAL_UNIT_NAME,
};
use der::asn1::{Any, SetOfVec};
use der::{Decode, Encode, Tag};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::name::Name;

/// A name being put together, from C=JP downwards.
#[derive(Debug, Clone)]
pub(crate) struct DistinguishedName(Vec<(ObjectIdentifier, Tag, String)>);

impl DistinguishedName {
    /// C=JP
    pub(crate) fn japan() -> Self {
        Self(vec![(COUNTRY_NAME, Tag::PrintableString, "JP".to_owned())])
    }

    /// … O=`value`
    pub(crate) fn organization(self, value: &str) -> Self {
        self.then(ORGANIZATION_NAME, value)
    }

    /// … OU=`value`
    pub(crate) fn unit(self, value: &str) -> Self {
        self.then(ORGANIZATIONAL_UNIT_NAME, value)
    }

    /// … L=`value`
    pub(crate) fn locality(self, value: &str) -> Self {
        self.then(LOCALITY_NAME, value)
    }

    /// … CN=`value`
    pub(crate) fn common_name(self, value: &str) -> Self {
        self.then(COMMON_NAME, value)
    }

    fn then(mut self, attribute: ObjectIdentifier, value: &str) -> Self {
        self.0.push((attribute, Tag::Utf8String, value.to_owned()));
        self
    }

    /// The name itself. It goes through its encoding, for the library builds names from strings
    /// only, and would choose the string types itself.
    pub(crate) fn name(self) -> der::Result<Name> {
        let relative_names = self
            .0
            .into_iter()
            .map(|(oid, tag, value)| {
                let value = Any::new(tag, value.into_bytes())?;
                SetOfVec::from_iter([AttributeTypeAndValue { oid, value }])
            })
            .collect::<der::Result<Vec<_>>>()?;
        Name::from_der(&relative_names.to_der()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;

    #[test]
    fn the_country_is_printable_and_the_rest_is_utf8() {
        let name = DistinguishedName::japan().organization("試").common_name("a").name().unwrap();
        let expected = hex!(
            "3029
             310B 3009 0603550406 1302 4A50
             310C 300A 060355040A 0C03 E8A9A6
             310A 3008 0603550403 0C01 61"
        );
        assert_eq!(name.to_der().unwrap()[2..], expected[2..]);
    }
}
