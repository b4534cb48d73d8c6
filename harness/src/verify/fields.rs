//! The fields of a certificate as people compare them: names as in RFC 4514, instants as in
//! RFC 3339, everything else by OID (RFC 5280).

use super::{Certificate, CertificateProblem};
use der::asn1::ObjectIdentifier;
use x509_cert::ext::pkix::{CertificatePolicies, ExtendedKeyUsage, KeyUsage, KeyUsages};
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
}
