//! The shape of a JPKI certificate: names, extensions, which of them are critical, and their order.
//! A promise of this project's issuer, by the published measurements of a test card.

use super::Certificate;
use crate::language::Bilingual;
use crate::terminal::CertificateName;
use der::asn1::ObjectIdentifier;
use x509_cert::certificate::Version;

const KEY_USAGE: (&str, bool) = ("2.5.29.15", true);
const EXTENDED_KEY_USAGE: (&str, bool) = ("2.5.29.37", false);
const CERTIFICATE_POLICIES: (&str, bool) = ("2.5.29.32", true);
const SUBJECT_ALT_NAME: (&str, bool) = ("2.5.29.17", false);
const ISSUER_ALT_NAME: (&str, bool) = ("2.5.29.18", false);
const BASIC_CONSTRAINTS: (&str, bool) = ("2.5.29.19", true);
const CRL_DISTRIBUTION_POINTS: (&str, bool) = ("2.5.29.31", false);
const AUTHORITY_INFORMATION_ACCESS: (&str, bool) = ("1.3.6.1.5.5.7.1.1", false);
const AUTHORITY_KEY_IDENTIFIER: (&str, bool) = ("2.5.29.35", false);
const SUBJECT_KEY_IDENTIFIER: (&str, bool) = ("2.5.29.14", false);

const fn extensions(name: CertificateName) -> &'static [(&'static str, bool)] {
    match name {
        CertificateName::UserAuthentication => &[
            KEY_USAGE,
            EXTENDED_KEY_USAGE,
            CERTIFICATE_POLICIES,
            ISSUER_ALT_NAME,
            CRL_DISTRIBUTION_POINTS,
            AUTHORITY_INFORMATION_ACCESS,
            AUTHORITY_KEY_IDENTIFIER,
            SUBJECT_KEY_IDENTIFIER,
        ],
        CertificateName::DigitalSignature => &[
            KEY_USAGE,
            SUBJECT_ALT_NAME,
            CERTIFICATE_POLICIES,
            ISSUER_ALT_NAME,
            CRL_DISTRIBUTION_POINTS,
            AUTHORITY_KEY_IDENTIFIER,
            SUBJECT_KEY_IDENTIFIER,
        ],
        CertificateName::UserAuthenticationCa | CertificateName::DigitalSignatureCa => {
            &[KEY_USAGE, SUBJECT_ALT_NAME, BASIC_CONSTRAINTS, CRL_DISTRIBUTION_POINTS, SUBJECT_KEY_IDENTIFIER]
        }
    }
}

const fn issuer_unit(name: CertificateName) -> &'static str {
    match name {
        CertificateName::UserAuthentication | CertificateName::UserAuthenticationCa => {
            "JPKI for user authentication"
        }
        CertificateName::DigitalSignature | CertificateName::DigitalSignatureCa => {
            "JPKI for digital signature"
        }
    }
}

/// What of the documented shape `certificate` lacks; `None` when nothing.
#[must_use]
pub fn shape_problem(name: CertificateName, certificate: &Certificate) -> Option<Bilingual> {
    let tbs = certificate.parsed().tbs_certificate();
    if tbs.version() != Version::V3 {
        return Some(Bilingual::new("バージョン 3 ではない", "it is not of version 3"));
    }
    let unit = issuer_unit(name);
    let units = || tbs.issuer().iter().filter(|attribute| attribute.oid == der::oid::db::rfc4519::OU);
    if !units().any(|attribute| attribute.value.value() == unit.as_bytes()) {
        return Some(Bilingual::new(
            format!("発行者 {} に組織単位「{unit}」がない", tbs.issuer()),
            format!("its issuer {} has no organisational unit {unit:?}", tbs.issuer()),
        ));
    }
    let wanted: Vec<(ObjectIdentifier, bool)> = extensions(name)
        .iter()
        .map(|(oid, critical)| (ObjectIdentifier::new_unwrap(oid), *critical))
        .collect();
    let came: Vec<(ObjectIdentifier, bool)> = tbs
        .extensions()
        .into_iter()
        .flatten()
        .map(|extension| (extension.extn_id, extension.critical))
        .collect();
    (wanted != came).then(|| {
        let (wanted, came) = (list(&wanted), list(&came));
        Bilingual::new(
            format!("拡張領域は {came}。{wanted} のはず"),
            format!("its extensions are {came}; {wanted} were expected"),
        )
    })
}

fn list(extensions: &[(ObjectIdentifier, bool)]) -> String {
    let name = |(oid, critical): &(ObjectIdentifier, bool)| {
        format!("{oid}{}", if *critical { " critical" } else { "" })
    };
    extensions.iter().map(name).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use vmyna_sim::card::Personalised;

    #[test]
    fn our_certificates_have_the_documented_shape() {
        let card = Personalised::built_in("hanako").unwrap();
        let issued = card.issued();
        for (name, der) in [
            (CertificateName::UserAuthentication, &issued.user_authentication.certificate),
            (CertificateName::UserAuthenticationCa, &issued.user_authentication_ca),
            (CertificateName::DigitalSignature, &issued.digital_signature.as_ref().unwrap().certificate),
            (CertificateName::DigitalSignatureCa, &issued.digital_signature_ca),
        ] {
            assert_eq!(shape_problem(name, &Certificate::parse(der).unwrap()), None, "{name}");
        }
    }
}
