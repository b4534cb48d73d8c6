//! What others see in the certificates: `x509-parser` reads every field of them, and the `openssl`
//! command line accepts every chain, today and with clocks far away. A missing `openssl` fails.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use jiff::Timestamp;
use std::path::Path;
use std::process::{Command, Output};
use vmyna_sim::holder::Holder;
use vmyna_sim::issue::{CertifiedKey, Issued, issue, superseded};
use x509_parser::asn1_rs::Any;
use x509_parser::prelude::*;

const NOW: &str = "2026-01-01T00:00:00Z";

fn issued_to(holder: &Holder, now: &str) -> Issued {
    issue(holder, now.parse().unwrap()).unwrap()
}

fn hanako() -> Holder {
    Holder::built_in("hanako").unwrap()
}

fn born_on(birth: &str) -> Holder {
    Holder::parse("taro.yaml", &format!("person: {{name: 試験　太郎, birth: {birth}}}\n")).unwrap()
}

fn signature(issued: &Issued) -> &CertifiedKey {
    issued.digital_signature.as_ref().unwrap()
}

/// Leaf and authority, twice or, without a signature certificate, once.
fn chains(issued: &Issued) -> Vec<(&[u8], &[u8])> {
    certified(issued).into_iter().map(|(leaf, ca)| (&leaf.certificate[..], ca)).collect()
}

fn certified(issued: &Issued) -> Vec<(&CertifiedKey, &[u8])> {
    let authentication = (&issued.user_authentication, &issued.user_authentication_ca[..]);
    let signature = issued.digital_signature.as_ref().map(|leaf| (leaf, &issued.digital_signature_ca[..]));
    std::iter::once(authentication).chain(signature).collect()
}

fn read(der: &[u8]) -> X509Certificate<'_> {
    let (rest, certificate) = X509Certificate::from_der(der).unwrap();
    assert!(rest.is_empty());
    certificate
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// Each attribute with the letter of its string type: `p` PrintableString, `u` UTF8String.
fn name(name: &X509Name<'_>) -> String {
    let attributes = name.iter_attributes().map(|attribute| {
        let key = match attribute.attr_type().to_id_string().as_str() {
            "2.5.4.6" => "C",
            "2.5.4.7" => "L",
            "2.5.4.10" => "O",
            "2.5.4.11" => "OU",
            "2.5.4.3" => "CN",
            other => panic!("{other}"),
        };
        let kind = match attribute.attr_value().tag().0 {
            12 => 'u',
            19 => 'p',
            other => panic!("string type {other}"),
        };
        format!("{key}({kind})={}", std::str::from_utf8(attribute.attr_value().data).unwrap())
    });
    attributes.collect::<Vec<_>>().join(" ")
}

fn general_name(general: &GeneralName<'_>) -> String {
    match general {
        GeneralName::DirectoryName(directory) => name(directory),
        GeneralName::URI(uri) => (*uri).to_owned(),
        // [0] EXPLICIT UTF8String: two headers, the second of tag 0C
        GeneralName::OtherName(oid, value) => {
            let (_, explicit) = Any::from_der(value).unwrap();
            assert_eq!(explicit.tag().0, 0);
            let (_, text) = Any::from_der(explicit.data).unwrap();
            assert_eq!(text.tag().0, 12);
            format!("{oid}={}", std::str::from_utf8(text.data).unwrap())
        }
        other => panic!("{other:?}"),
    }
}

fn general_names(names: &[GeneralName<'_>]) -> String {
    names.iter().map(general_name).collect::<Vec<_>>().join(" | ")
}

fn extension(extension: &X509Extension<'_>) -> String {
    let critical = if extension.critical { " critical" } else { "" };
    let (key, value) = match extension.parsed_extension() {
        ParsedExtension::KeyUsage(_) => ("KU", hex(extension.value)),
        ParsedExtension::ExtendedKeyUsage(usage) => {
            assert!(usage.client_auth && usage.other.is_empty() && !usage.server_auth && !usage.any);
            ("EKU", "clientAuth".to_owned())
        }
        ParsedExtension::BasicConstraints(constraints) => {
            ("BC", format!("CA {} {:?}", constraints.ca, constraints.path_len_constraint))
        }
        ParsedExtension::CertificatePolicies(policies) => {
            let [policy] = &policies[..] else { panic!("{policies:?}") };
            let [qualifier] = &policy.policy_qualifiers.as_ref().unwrap()[..] else { panic!("{policy:?}") };
            assert_eq!(qualifier.policy_qualifier_id.to_id_string(), "1.3.6.1.5.5.7.2.1");
            let (_, cps) = Any::from_der(qualifier.qualifier).unwrap();
            assert_eq!(cps.tag().0, 22, "IA5String");
            ("CP", format!("{} {}", policy.policy_id, std::str::from_utf8(cps.data).unwrap()))
        }
        ParsedExtension::SubjectAlternativeName(names) => ("SAN", general_names(&names.general_names)),
        ParsedExtension::IssuerAlternativeName(names) => ("IAN", general_names(&names.general_names)),
        ParsedExtension::CRLDistributionPoints(points) => {
            let [point] = &points.points[..] else { panic!("{points:?}") };
            let Some(DistributionPointName::FullName(names)) = &point.distribution_point else { panic!() };
            ("CRLDP", general_names(names))
        }
        ParsedExtension::AuthorityInfoAccess(access) => {
            let [description] = &access.accessdescs[..] else { panic!("{access:?}") };
            assert_eq!(description.access_method.to_id_string(), "1.3.6.1.5.5.7.48.1");
            ("AIA", general_name(&description.access_location))
        }
        ParsedExtension::AuthorityKeyIdentifier(identifier) => {
            let key = hex(identifier.key_identifier.as_ref().unwrap().0);
            let issuer = general_names(identifier.authority_cert_issuer.as_ref().unwrap());
            ("AKI", format!("{key} {issuer} {}", hex(identifier.authority_cert_serial.unwrap())))
        }
        ParsedExtension::SubjectKeyIdentifier(identifier) => ("SKI", hex(identifier.0)),
        other => panic!("{other:?}"),
    };
    format!("{key}{critical} {value}\n")
}

fn described(certificate: &X509Certificate<'_>) -> String {
    let validity = certificate.validity();
    let instant = |time: ASN1Time| Timestamp::from_second(time.timestamp()).unwrap();
    let mut text = format!(
        "{} {}\nissuer {}\nsubject {}\nvalidity {} to {}\n",
        certificate.version(),
        certificate.signature_algorithm.algorithm,
        name(certificate.issuer()),
        name(certificate.subject()),
        instant(validity.not_before),
        instant(validity.not_after),
    );
    certificate.extensions().iter().for_each(|one| text.push_str(&extension(one)));
    text
}

/// SHA-1 over the bits of the public key, computed by another library than the issuer's.
fn key_identifier(certificate: &X509Certificate<'_>) -> String {
    use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
    hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, &certificate.public_key().subject_public_key.data).as_ref())
}

/// The names of the authority and of its organisation in Japanese.
fn authority_names(purpose: &str, japanese: &str) -> (String, String) {
    let agency = "Japan Agency for Local Authority Information Systems";
    (
        format!("C(p)=JP O(u)=JPKI-VMYNA-TEST OU(u)=JPKI for {purpose} OU(u)={agency}"),
        format!(
            "C(p)=JP O(u)=公的個人認証サービス（試験用） OU(u)=公的個人認証サービス{japanese}（試験用） \
             OU(u)=地方公共団体情報システム機構（試験用）"
        ),
    )
}

#[test]
fn the_authorities_have_the_shape_of_the_real_ones() {
    let issued = issued_to(&hanako(), NOW);
    for (der, purpose, japanese) in [
        (&issued.user_authentication_ca, "user authentication", "利用者証明用"),
        (&issued.digital_signature_ca, "digital signature", "署名用"),
    ] {
        let ca = read(der);
        let (dn, japanese) = authority_names(purpose, japanese);
        let expected = format!(
            "V3 1.2.840.113549.1.1.11\n\
             issuer {dn}\n\
             subject {dn}\n\
             validity 2023-07-16T00:00:00Z to 2033-07-15T14:59:59Z\n\
             KU critical 03020106\n\
             SAN {japanese}\n\
             BC critical CA true None\n\
             CRLDP {dn}\n\
             SKI {}\n",
            key_identifier(&ca)
        );
        assert_eq!(described(&ca), expected);
        ca.verify_signature(None).unwrap();
        assert!(ca.validity().not_before.is_utctime() && ca.validity().not_after.is_utctime());
    }
}

#[test]
fn the_user_authentication_certificate_has_the_shape_of_a_real_one() {
    let issued = issued_to(&hanako(), NOW);
    let (leaf, ca) = (read(&issued.user_authentication.certificate), read(&issued.user_authentication_ca));
    let (dn, japanese) = authority_names("user authentication", "利用者証明用");
    let expected = format!(
        "V3 1.2.840.113549.1.1.11\n\
         issuer {dn}\n\
         subject C(p)=JP CN(u)=FFD451EFAGJAEB13101003A\n\
         validity 2025-06-14T15:00:00Z to 2030-06-15T14:59:59Z\n\
         KU critical 03020780\n\
         EKU clientAuth\n\
         CP critical 1.2.392.200149.8.5.1.0.30 http://www.vmyna.test/cps.html\n\
         IAN {japanese}\n\
         CRLDP C(p)=JP O(u)=JPKI-VMYNA-TEST OU(u)=JPKI for user authentication \
         OU(u)=CRL Distribution Points OU(u)=Tokyo-to CN(u)=Chiyoda-ku CRLDP\n\
         AIA http://ocsp.vmyna.test\n\
         AKI {} {dn} {}\n\
         SKI {}\n",
        key_identifier(&ca),
        hex(ca.raw_serial()),
        key_identifier(&leaf)
    );
    assert_eq!(described(&leaf), expected);
    leaf.verify_signature(Some(ca.public_key())).unwrap();
}

#[test]
fn the_digital_signature_certificate_has_the_shape_of_a_real_one() {
    let issued = issued_to(&hanako(), NOW);
    let (leaf, ca) = (read(&signature(&issued).certificate), read(&issued.digital_signature_ca));
    let (dn, japanese) = authority_names("digital signature", "署名用");
    let arc = "1.2.392.200149.8.5.5";
    let expected = format!(
        "V3 1.2.840.113549.1.1.11\n\
         issuer {dn}\n\
         subject C(p)=JP L(u)=Tokyo-to L(u)=Chiyoda-ku CN(u)=202506150000030052713101003A\n\
         validity 2025-06-14T15:00:00Z to 2030-06-15T14:59:59Z\n\
         KU critical 030206C0\n\
         SAN {arc}.1=番号　花子 | {arc}.4=319800615 | {arc}.3=2 | \
         {arc}.5=東京都千代田区試験町１丁目２番３号 | {arc}.2=00000 | {arc}.6=00000000000000000\n\
         CP critical 1.2.392.200149.8.5.1.0.20 http://www.vmyna.test/cps.html\n\
         IAN {japanese}\n\
         CRLDP C(p)=JP O(u)=JPKI-VMYNA-TEST OU(u)=JPKI for digital signature \
         OU(u)=CRL Distribution Points OU(u)=Tokyo-to CN(u)=Chiyoda-ku CRLDP\n\
         AKI {} {dn} {}\n\
         SKI {}\n",
        key_identifier(&ca),
        hex(ca.raw_serial()),
        key_identifier(&leaf)
    );
    assert_eq!(described(&leaf), expected);
    leaf.verify_signature(Some(ca.public_key())).unwrap();
}

#[test]
fn the_key_of_each_certificate_is_the_one_that_signs() {
    use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
    let issued = issued_to(&hanako(), NOW);
    for certified in [&issued.user_authentication, signature(&issued)] {
        let certificate = read(&certified.certificate);
        assert_eq!(certificate.public_key().raw, certified.key.public_key());
        let signature = certified.key.sign_message(b"challenge").unwrap();
        let key = &certificate.public_key().subject_public_key.data;
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key).verify(b"challenge", &signature).unwrap();
    }
}

#[test]
fn nothing_in_them_points_outside_or_claims_to_be_the_real_organisation() {
    let issued = issued_to(&hanako(), NOW);
    for der in chains(&issued).into_iter().flat_map(|(leaf, ca)| [leaf, ca]) {
        let text = String::from_utf8_lossy(der);
        for host in text.split("://").skip(1) {
            let host = host.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').next().unwrap();
            assert!(host.starts_with("www.vmyna.test") || host.starts_with("ocsp.vmyna.test"), "{host}");
        }
        assert!(!text.contains("jpki.go.jp") && !text.contains("ldap"));
        for organisation in ["JPKI", "JPKI-TEST", "公的個人認証サービス"] {
            for tag in [0x0C, 0x13] {
                let length = u8::try_from(organisation.len()).unwrap();
                let whole = [&[tag, length], organisation.as_bytes()].concat();
                assert!(!der.windows(whole.len()).any(|seen| seen == whole), "{organisation}");
            }
        }
    }
}

/// Runs `openssl` in `folder`, where it must be possible.
fn openssl(arguments: &[&str], folder: &Path) -> Output {
    Command::new("openssl")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the openssl command line is needed to check certificates")
}

/// What a successful `openssl` wrote.
fn told_by_openssl(arguments: &[&str], folder: &Path) -> String {
    let output = openssl(arguments, folder);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{arguments:?}\n{told}\n{}", String::from_utf8_lossy(&output.stderr));
    told
}

/// Lets openssl read `der` and write it to `folder` as NAME.pem; gives its text.
fn read_by_openssl(name: &str, der: &[u8], folder: &Path) -> String {
    std::fs::write(folder.join(name), der).unwrap();
    let pem = format!("{name}.pem");
    told_by_openssl(&["x509", "-inform", "DER", "-in", name, "-out", &pem], folder);
    told_by_openssl(&["x509", "-in", &pem, "-noout", "-text"], folder)
}

/// Lets openssl read all certificates and verify each chain: at `now` where the certificate is valid
/// then, otherwise at its beginning, and not at `now`.
fn accepted_by_openssl(holder: &Holder, now: &str) {
    let issued = issued_to(holder, now);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let now: Timestamp = now.parse().unwrap();
    for ((certified, ca), purpose) in certified(&issued).into_iter().zip(["sslclient", "smimesign"]) {
        for (name, der) in [("leaf", &certified.certificate[..]), ("ca", ca)] {
            let text = read_by_openssl(name, der, folder);
            assert!(text.contains("Version: 3 (0x2)") && text.contains("JPKI-VMYNA-TEST"), "{text}");
        }
        let verify = |at: Timestamp| {
            let at = at.as_second().to_string();
            let verify = ["verify", "-attime", &at, "-x509_strict", "-check_ss_sig", "-CAfile", "ca.pem"];
            openssl(&[&verify[..], &["-purpose", purpose, "leaf.pem"]].concat(), folder)
        };
        let in_time = certified.record.validity.contains(now);
        assert_eq!(verify(now).status.success(), in_time, "{}", holder.id());
        let output = verify(if in_time { now } else { certified.record.validity.not_before });
        assert_eq!(String::from_utf8_lossy(&output.stdout), "leaf.pem: OK\n", "{}", holder.id());
    }
}

#[test]
fn openssl_accepts_every_built_in_holder() {
    for name in Holder::built_in_names() {
        accepted_by_openssl(&Holder::built_in(name).unwrap(), NOW);
    }
}

#[test]
fn every_built_in_holder_can_be_read_by_x509_parser() {
    for name in Holder::built_in_names() {
        let issued = issued_to(&Holder::built_in(name).unwrap(), NOW);
        for (certified, ca) in certified(&issued) {
            let (leaf, ca) = (read(&certified.certificate), read(ca));
            let told = described(&leaf);
            assert!(told.contains(&format!("AKI {}", key_identifier(&ca))), "{name}: {told}");
            assert_eq!(leaf.raw_serial(), certified.record.serial_number.as_bytes(), "{name}");
            let validity = leaf.validity();
            assert_eq!(
                validity.not_before.timestamp(),
                certified.record.validity.not_before.as_second(),
                "{name}"
            );
            assert_eq!(
                validity.not_after.timestamp(),
                certified.record.validity.not_after.as_second(),
                "{name}"
            );
            assert_eq!(ca.subject(), leaf.issuer(), "{name}");
            leaf.verify_signature(Some(ca.public_key())).unwrap();
            ca.verify_signature(None).unwrap();
        }
    }
}

#[test]
fn three_generations_share_a_name_and_no_key() {
    let mut names = std::collections::BTreeSet::new();
    let mut keys = std::collections::BTreeSet::new();
    for name in ["generation-current", "generation-previous", "generation-oldest"] {
        let issued = issued_to(&Holder::built_in(name).unwrap(), NOW);
        let ca = read(&issued.user_authentication_ca);
        names.insert(ca.subject().to_string());
        keys.insert(ca.public_key().raw.to_vec());
    }
    assert_eq!((names.len(), keys.len()), (1, 3));
}

#[test]
fn substituted_characters_are_ones_in_the_maps() {
    let issued = issued_to(&Holder::built_in("substituted").unwrap(), NOW);
    let told = described(&read(&signature(&issued).certificate));
    assert!(told.contains("8.5.5.2=01010 |") && told.contains("8.5.5.6=0001000000000000\n"), "{told}");
}

#[test]
fn a_renewal_changes_numbers_and_keys_and_only_then_was_there_anything_before() {
    let now = NOW.parse().unwrap();
    let holder = Holder::built_in("renewed").unwrap();
    let (after, before) = (issued_to(&holder, NOW), superseded(&holder, now).unwrap().unwrap());
    for ((new, _), (old, _)) in certified(&after).into_iter().zip(certified(&before)) {
        assert_ne!(new.record.serial_number, old.record.serial_number);
        assert_ne!(new.key.public_key(), old.key.public_key());
        assert!(
            old.record.validity.not_before < new.record.validity.not_before
                && new.record.validity.contains(now)
        );
    }
    assert!(superseded(&hanako(), now).unwrap().is_none());
}

#[test]
fn openssl_accepts_clocks_from_the_first_generation_to_far_in_the_future() {
    // across the change from UTCTime to GeneralizedTime, and far beyond
    for now in [
        "2016-01-01T00:00:00Z",
        "2045-07-01T00:00:00Z",
        "2049-12-31T23:59:59Z",
        "2060-02-29T12:00:00Z",
        "2345-06-14T15:00:00Z",
    ] {
        accepted_by_openssl(&hanako(), now);
    }
}

#[test]
fn openssl_accepts_birthdays_on_29_february() {
    for now in ["2024-02-28T15:00:00Z", "2025-02-27T15:00:00Z", NOW] {
        accepted_by_openssl(&born_on("2000-02-29"), now);
    }
}

#[test]
fn openssl_refuses_the_other_authority() {
    let issued = issued_to(&hanako(), NOW);
    let folder = tempfile::tempdir().unwrap();
    read_by_openssl("leaf", &issued.user_authentication.certificate, folder.path());
    read_by_openssl("ca", &issued.digital_signature_ca, folder.path());
    assert!(!openssl(&["verify", "-CAfile", "ca.pem", "leaf.pem"], folder.path()).status.success());
}

#[test]
fn two_starts_between_the_same_birthdays_give_the_same_bytes() {
    let holder = born_on("2000-02-29");
    let first = issued_to(&holder, "2025-02-27T15:00:00Z");
    let last = issued_to(&holder, "2026-02-27T14:59:59Z");
    assert_eq!(chains(&first), chains(&last));
    assert_ne!(chains(&first), chains(&issued_to(&holder, "2026-02-27T15:00:00Z")));
}
