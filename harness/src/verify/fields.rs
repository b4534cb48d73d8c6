//! The fields of a certificate as people compare them: names as in RFC 4514, instants as in
//! RFC 3339, everything else by OID (RFC 5280).

use super::{Certificate, CertificateProblem};
use der::asn1::{ObjectIdentifier, Utf8StringRef};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, CertificatePolicies, CrlDistributionPoints, ExtendedKeyUsage, KeyUsage,
    KeyUsages, SubjectAltName, SubjectKeyIdentifier,
};
use x509_cert::time::Time;

const KEY_USAGES: [(KeyUsages, &str); 9] = [
    (KeyUsages::DigitalSignature, "digital_signature"),
    (KeyUsages::NonRepudiation, "non_repudiation"),
    (KeyUsages::KeyEncipherment, "key_encipherment"),
    (KeyUsages::DataEncipherment, "data_encipherment"),
    (KeyUsages::KeyAgreement, "key_agreement"),
    (KeyUsages::KeyCertSign, "key_cert_sign"),
    (KeyUsages::CRLSign, "crl_sign"),
    (KeyUsages::EncipherOnly, "encipher_only"),
    (KeyUsages::DecipherOnly, "decipher_only"),
];

impl Certificate {
    /// The holder's name.
    #[must_use]
    pub fn subject(&self) -> String {
        self.parsed().tbs_certificate().subject().to_string()
    }

    /// The parts of the holder's name, in the order in which they are encoded.
    #[must_use]
    pub fn subject_parts(&self) -> Vec<String> {
        self.parsed().tbs_certificate().subject().iter_rdn().map(ToString::to_string).collect()
    }

    /// The issuer's name.
    #[must_use]
    pub fn issuer(&self) -> String {
        self.parsed().tbs_certificate().issuer().to_string()
    }

    /// The bytes of the serial number.
    #[must_use]
    pub fn serial(&self) -> &[u8] {
        self.parsed().tbs_certificate().serial_number().as_bytes()
    }

    /// Whether the serial number is greater than nought (RFC 5280, 4.1.2.2).
    #[must_use]
    pub fn has_positive_serial(&self) -> bool {
        let serial = self.serial();
        serial.first().is_some_and(|byte| byte & 0x80 == 0) && serial.iter().any(|byte| *byte != 0)
    }

    /// First and last instant.
    #[must_use]
    pub fn validity(&self) -> (String, String) {
        let validity = self.parsed().tbs_certificate().validity();
        let shown = |time: Time| time.to_date_time().to_string();
        (shown(validity.not_before), shown(validity.not_after))
    }

    /// Key usages by name, in the order of their bits; none where the certificate does not say.
    ///
    /// # Errors
    /// When the extension does not parse.
    pub fn key_usages(&self) -> Result<Vec<&'static str>, CertificateProblem> {
        let Some(KeyUsage(usages)) = self.extension::<KeyUsage>()? else { return Ok(Vec::new()) };
        Ok(KEY_USAGES.iter().filter(|(usage, _)| usages.contains(*usage)).map(|(_, name)| *name).collect())
    }

    /// Extended key usages.
    ///
    /// # Errors
    /// When the extension does not parse.
    pub fn extended_key_usages(&self) -> Result<Vec<ObjectIdentifier>, CertificateProblem> {
        Ok(self.extension::<ExtendedKeyUsage>()?.map_or_else(Vec::new, |usage| usage.0))
    }

    /// Certificate policies.
    ///
    /// # Errors
    /// When the extension does not parse.
    pub fn policies(&self) -> Result<Vec<ObjectIdentifier>, CertificateProblem> {
        let policies = self.extension::<CertificatePolicies>()?;
        Ok(policies.map_or_else(Vec::new, |policies| {
            policies.0.into_iter().map(|policy| policy.policy_identifier).collect()
        }))
    }

    /// All extensions in their order, and whether each is critical.
    #[must_use]
    pub fn extensions(&self) -> Vec<(ObjectIdentifier, bool)> {
        let extensions = self.parsed().tbs_certificate().extensions();
        extensions.into_iter().flatten().map(|extension| (extension.extn_id, extension.critical)).collect()
    }

    /// The other names of the holder, with the text of those that are a UTF8String.
    ///
    /// # Errors
    /// When the extension does not parse.
    pub fn other_names(&self) -> Result<Vec<(ObjectIdentifier, Option<String>)>, CertificateProblem> {
        let names = self.extension::<SubjectAltName>()?.map_or_else(Vec::new, |names| names.0);
        let other = |name| match name {
            GeneralName::OtherName(other) => {
                let text = Utf8StringRef::try_from(&other.value).ok();
                Some((other.type_id, text.map(|text| text.to_string())))
            }
            _ => None,
        };
        Ok(names.into_iter().filter_map(other).collect())
    }

    /// Where revocation lists are found: names in a directory, or the kind of place and a colon
    /// before another.
    ///
    /// # Errors
    /// When the extension does not parse.
    pub fn crl_points(&self) -> Result<Vec<String>, CertificateProblem> {
        let points = self.extension::<CrlDistributionPoints>()?.map_or_else(Vec::new, |points| points.0);
        let shown = |name: GeneralName| match name {
            GeneralName::DirectoryName(name) => name.to_string(),
            GeneralName::UniformResourceIdentifier(uri) => format!("URI:{uri}"),
            other => format!("other:{other:?}"),
        };
        let names = points.into_iter().flat_map(|point| match point.distribution_point {
            Some(DistributionPointName::FullName(names)) => names.into_iter().map(shown).collect(),
            Some(DistributionPointName::NameRelativeToCRLIssuer(part)) => vec![format!("relative:{part}")],
            None => vec!["none".to_owned()],
        });
        Ok(names.collect())
    }

    /// The identifier of its own key, if it has one.
    ///
    /// # Errors
    /// When the extension does not parse.
    pub fn subject_key_identifier(&self) -> Result<Option<Vec<u8>>, CertificateProblem> {
        let identifier = self.extension::<SubjectKeyIdentifier>()?;
        Ok(identifier.map(|SubjectKeyIdentifier(identifier)| identifier.into_bytes().into_vec()))
    }

    /// The identifier of the issuer's key, if it names one.
    ///
    /// # Errors
    /// When the extension does not parse.
    pub fn authority_key_identifier(&self) -> Result<Option<Vec<u8>>, CertificateProblem> {
        let identifier = self.extension::<AuthorityKeyIdentifier>()?;
        Ok(identifier
            .and_then(|identifier| identifier.key_identifier)
            .map(|identifier| identifier.into_bytes().into_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vmyna_sim::card::Personalised;

    #[test]
    fn the_names_and_identifiers_of_our_certificates_are_read() {
        let card = Personalised::built_in("substituted").unwrap();
        let issued = card.issued();
        let parse = |der: &[u8]| Certificate::parse(der).unwrap();
        let signature = parse(&issued.digital_signature.as_ref().unwrap().certificate);
        let authority = parse(&issued.digital_signature_ca);
        assert_eq!(signature.subject_parts()[..3], ["C=JP", "L=Tokyo-to", "L=Katsushika-ku"]);
        let names: Vec<_> = signature
            .other_names()
            .unwrap()
            .into_iter()
            .map(|(oid, text)| format!("{oid} {}", text.unwrap()))
            .collect();
        let arc = "1.2.392.200149.8.5.5";
        assert_eq!(
            names,
            [
                format!("{arc}.1 渡辺　高子"),
                format!("{arc}.4 319880229"),
                format!("{arc}.3 2"),
                format!("{arc}.5 東京都葛飾区試験町７丁目８番９号"),
                format!("{arc}.2 01010"),
                format!("{arc}.6 0001000000000000"),
            ]
        );
        assert_eq!(
            signature.crl_points().unwrap(),
            ["CN=Katsushika-ku CRLDP,OU=Tokyo-to,OU=CRL Distribution Points,OU=JPKI for digital signature,\
              O=JPKI-VMYNA-TEST,C=JP"]
        );
        assert_eq!(
            signature.authority_key_identifier().unwrap(),
            authority.subject_key_identifier().unwrap()
        );
        assert_eq!(authority.authority_key_identifier().unwrap(), None);
        assert_ne!(signature.subject_key_identifier().unwrap(), authority.subject_key_identifier().unwrap());
        assert!(signature.has_positive_serial());
        assert_eq!(parse(&issued.user_authentication.certificate).other_names().unwrap(), []);
    }
}
