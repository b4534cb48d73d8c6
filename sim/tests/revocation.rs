//! What relying parties make of the revocation lists and OCSP answers: `openssl` verifies with them,
//! `x509-parser` reads them. A missing `openssl` fails.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use jiff::Timestamp;
use std::path::Path;
use std::process::Command;
use vmyna_sim::holder::Holder;
use vmyna_sim::issue::{Issued, issue};
use vmyna_sim::pki::crl::{self, Scope};
use vmyna_sim::pki::ocsp::{Outcome, Responder, ResponseStatus};
use vmyna_sim::pki::{
    Authority, CertificateStatus, CertificationAuthority, Folder, FolderError, Generation, Reason, Record,
    Register,
};
use x509_parser::prelude::*;

const NOW: &str = "2026-01-01T00:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn holder(id: &str, municipality: &str) -> Holder {
    let text = format!("person: {{name: 試験　太郎, birth: 1990-02-03}}\nmunicipality: {municipality}\n");
    Holder::parse(&format!("{id}.yaml"), &text).unwrap()
}

/// Two holders of one municipality and one of another, all issued by the same generation.
struct Town {
    folder: tempfile::TempDir,
    register: Register,
    hanako: Issued,
    neighbour: Issued,
    stranger: Issued,
}

impl Town {
    fn new() -> Self {
        Self::at(now())
    }

    fn at(now: Timestamp) -> Self {
        let hanako = issue(&Holder::built_in("hanako").unwrap(), now).unwrap();
        let neighbour = issue(&holder("neighbour", "{city: Chiyoda-ku, prefecture: Tokyo-to}"), now).unwrap();
        let stranger =
            issue(&holder("stranger", "{code: 27100, city: Osaka-shi, prefecture: Osaka-fu}"), now).unwrap();
        let mut register = Register::new();
        let folder = tempfile::tempdir().unwrap();
        for (name, issued) in [("hanako", &hanako), ("neighbour", &neighbour), ("stranger", &stranger)] {
            for (purpose, certified) in ["auth", "sign"].into_iter().zip(issued.certified()) {
                register.enrol(certified.record.clone());
                std::fs::write(folder.path().join(format!("{name}-{purpose}")), &certified.certificate)
                    .unwrap();
            }
        }
        std::fs::write(folder.path().join("auth-ca"), &hanako.user_authentication_ca).unwrap();
        std::fs::write(folder.path().join("sign-ca"), &hanako.digital_signature_ca).unwrap();
        let town = Self { folder, register, hanako, neighbour, stranger };
        for name in ["hanako-auth", "hanako-sign", "neighbour-auth", "stranger-auth", "auth-ca", "sign-ca"] {
            town.openssl(&["x509", "-inform", "DER", "-in", name, "-out", &format!("{name}.pem")], true);
        }
        town
    }

    fn revoke(&mut self, record: &Record, reason: Reason) {
        self.register.revoke(record, reason, "2025-12-24T12:34:56Z".parse().unwrap()).unwrap();
    }

    fn list(&self, of: &Record, scope: Scope<'_>, now: Timestamp) -> Vec<u8> {
        let ca = CertificationAuthority::of(of.authority, of.generation).unwrap();
        crl::sign(&ca, &self.register, scope, now).unwrap()
    }

    /// Writes a list for `openssl`; gives what it reads in it.
    fn write_list(&self, name: &str, der: &[u8], ca: &str) -> String {
        std::fs::write(self.path().join(format!("{name}.crl")), der).unwrap();
        let pem = format!("{name}.pem");
        let crl = ["crl", "-inform", "DER", "-in", &format!("{name}.crl"), "-out", &pem];
        self.openssl(&crl, true);
        self.openssl(&["crl", "-in", &pem, "-noout", "-text", "-verify", "-CAfile", ca], true)
    }

    /// Verifies a certificate with a list; gives what `openssl` says.
    fn verify(&self, certificate: &str, list: &str, good: bool) -> String {
        let at = now().as_second().to_string();
        let ca = if certificate.ends_with("auth") { "auth-ca.pem" } else { "sign-ca.pem" };
        let certificate = format!("{certificate}.pem");
        let list = format!("{list}.pem");
        self.openssl(
            &[
                "verify",
                "-attime",
                &at,
                "-x509_strict",
                "-CAfile",
                ca,
                "-CRLfile",
                &list,
                "-crl_check",
                &certificate,
            ],
            good,
        )
    }

    fn openssl(&self, arguments: &[&str], good: bool) -> String {
        let output = Command::new("openssl").args(arguments).current_dir(self.path()).output();
        let output = output.expect("the openssl command line is needed to check revocation lists");
        let told =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert_eq!(output.status.success(), good, "{arguments:?}\n{told}");
        told
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

#[test]
fn a_whole_list_names_what_is_revoked_and_why() {
    let mut town = Town::new();
    let (hanako, stranger) =
        (town.hanako.user_authentication.record.clone(), town.stranger.user_authentication.record.clone());
    town.revoke(&hanako, Reason::KeyCompromise);
    town.revoke(&stranger, Reason::CertificateHold);
    let told = town.write_list("whole", &town.list(&hanako, Scope::Whole, now()), "auth-ca.pem");
    for expected in [
        "verify OK",
        "Version 2 (0x1)",
        "Signature Algorithm: sha256WithRSAEncryption",
        "JPKI-VMYNA-TEST",
        "Last Update: Jan  1 00:00:00 2026 GMT",
        "Next Update: Jan  8 00:00:00 2026 GMT",
        "X509v3 CRL Number",
        "Revocation Date: Dec 24 12:34:56 2025 GMT",
        "Key Compromise",
        "Certificate Hold",
    ] {
        assert!(told.contains(expected), "{expected} is missing:\n{told}");
    }
    assert!(!told.contains("Issuing Distribution Point"), "{told}");
    assert!(town.verify("hanako-auth", "whole", false).contains("certificate revoked"));
    assert!(town.verify("stranger-auth", "whole", false).contains("certificate revoked"));
    assert_eq!(town.verify("neighbour-auth", "whole", true), "neighbour-auth.pem: OK\n");
}

#[test]
fn the_list_of_a_municipality_counts_for_its_holders_only() {
    let mut town = Town::new();
    let record = town.hanako.user_authentication.record.clone();
    town.revoke(&record, Reason::Superseded);
    let scope = Scope::Municipality(&record.municipality);
    let told = town.write_list("chiyoda", &town.list(&record, scope, now()), "auth-ca.pem");
    for expected in [
        "X509v3 Issuing Distribution Point: critical",
        "OU = CRL Distribution Points, OU = Tokyo-to, CN = Chiyoda-ku CRLDP",
        "Only User Certificates",
        "Superseded",
    ] {
        assert!(told.contains(expected), "{expected} is missing:\n{told}");
    }
    assert!(town.verify("hanako-auth", "chiyoda", false).contains("certificate revoked"));
    assert_eq!(town.verify("neighbour-auth", "chiyoda", true), "neighbour-auth.pem: OK\n");
    // of another municipality, and of the other authority
    assert!(town.verify("stranger-auth", "chiyoda", false).contains("different CRL scope"));
    assert!(town.verify("hanako-sign", "chiyoda", false).contains("unable to get certificate CRL"));

    let osaka = &town.stranger.user_authentication.record.municipality;
    let told =
        town.write_list("osaka", &town.list(&record, Scope::Municipality(osaka), now()), "auth-ca.pem");
    assert!(told.contains("No Revoked Certificates."), "{told}");
    assert_eq!(town.verify("stranger-auth", "osaka", true), "stranger-auth.pem: OK\n");
}

#[test]
fn the_whole_list_covers_the_authority_as_well() {
    let town = Town::new();
    let record = &town.hanako.digital_signature.as_ref().unwrap().record;
    town.write_list("whole", &town.list(record, Scope::Whole, now()), "sign-ca.pem");
    let at = now().as_second().to_string();
    let check_all = ["verify", "-attime", &at, "-crl_check_all", "-CRLfile", "whole.pem"];
    let told = town.openssl(&[&check_all[..], &["-CAfile", "sign-ca.pem", "hanako-sign.pem"]].concat(), true);
    assert_eq!(told, "hanako-sign.pem: OK\n");
}

#[test]
fn another_library_reads_every_field_of_a_list() {
    let mut town = Town::new();
    let neighbour = town.neighbour.digital_signature.as_ref().unwrap().record.clone();
    for (record, reason) in [
        (neighbour.clone(), Reason::Unspecified),
        (town.hanako.digital_signature.as_ref().unwrap().record.clone(), Reason::AffiliationChanged),
    ] {
        town.revoke(&record, reason);
    }
    let der = town.list(&neighbour, Scope::Municipality(&neighbour.municipality), now());
    let (rest, list) = CertificateRevocationList::from_der(&der).unwrap();
    assert!(rest.is_empty());
    let (_, ca) = X509Certificate::from_der(&town.hanako.digital_signature_ca).unwrap();
    assert_eq!(list.issuer(), ca.subject());
    list.verify_signature(ca.public_key()).unwrap();
    assert_eq!(list.last_update().timestamp(), now().as_second());
    assert_eq!(list.next_update().unwrap().timestamp(), now().as_second() + 7 * 24 * 3600);

    let mut serials = Vec::new();
    for revoked in list.iter_revoked_certificates() {
        assert_eq!(revoked.revocation_date.timestamp(), 1_766_579_696);
        let is_neighbour = revoked.raw_serial() == neighbour.serial_number.as_bytes();
        match revoked.reason_code() {
            // unspecified is not written (RFC 5280, 5.3.1)
            None => assert!(is_neighbour),
            Some((critical, reason)) => {
                assert!(!is_neighbour && !critical && reason == ReasonCode::AffiliationChanged);
            }
        }
        serials.push(revoked.raw_serial().to_vec());
    }
    assert!(serials.len() == 2 && serials.is_sorted());

    let [aki, number, point] = list.extensions() else { panic!("{:?}", list.extensions()) };
    let ParsedExtension::AuthorityKeyIdentifier(aki) = aki.parsed_extension() else { panic!() };
    assert_eq!(aki.authority_cert_serial.unwrap(), ca.raw_serial());
    assert!(matches!(number.parsed_extension(), ParsedExtension::CRLNumber(_)) && !number.critical);
    let ParsedExtension::IssuingDistributionPoint(parsed) = point.parsed_extension() else { panic!() };
    assert!(point.critical && parsed.only_contains_user_certs && !parsed.indirect_crl);
    // the same bytes as in the certificate, or the list is for somebody else
    let (_, leaf) =
        X509Certificate::from_der(&town.neighbour.digital_signature.as_ref().unwrap().certificate).unwrap();
    let of_leaf = leaf
        .extensions()
        .iter()
        .find_map(|extension| match extension.parsed_extension() {
            ParsedExtension::CRLDistributionPoints(points) => points.points[0].distribution_point.clone(),
            _ => None,
        })
        .unwrap();
    assert_eq!(parsed.distribution_point, Some(of_leaf));
}

#[test]
fn a_later_list_or_a_changed_one_has_a_greater_number() {
    let mut town = Town::new();
    let record = town.hanako.user_authentication.record.clone();
    let number = |town: &Town, now: Timestamp| {
        let der = town.list(&record, Scope::Whole, now);
        let (_, list) = CertificateRevocationList::from_der(&der).unwrap();
        list.crl_number().unwrap().clone()
    };
    let first = number(&town, now());
    assert_eq!(number(&town, now()), first);
    town.register.revoke(&record, Reason::CertificateHold, now()).unwrap();
    let held = number(&town, now());
    town.register.release(&record).unwrap();
    let released = number(&town, now());
    let later = number(&town, "2026-01-01T00:00:01Z".parse().unwrap());
    assert!(first < held && held < released && released < later);
}

#[test]
fn lists_at_clocks_far_away_are_accepted() {
    for clock in ["1960-01-01T00:00:00Z", "2049-12-30T00:00:00Z", "2345-06-14T15:00:00Z"] {
        let now: Timestamp = clock.parse().unwrap();
        let generation = Generation::at(now).unwrap();
        let ca = CertificationAuthority::of(Authority::DigitalSignature, generation).unwrap();
        let der = crl::sign(&ca, &Register::new(), Scope::Whole, now).unwrap();
        let (_, list) = CertificateRevocationList::from_der(&der).unwrap();
        // x509-parser places two-digit years from 50 on in the last century, as RFC 5280 does
        assert_eq!(list.last_update().timestamp(), now.as_second(), "{clock}");
        let (_, read) = X509Certificate::from_der(ca.certificate()).unwrap();
        list.verify_signature(read.public_key()).unwrap();
    }
}

/// Lets `openssl` ask about certificates, and read the answer without any HTTP.
struct Asking<'t> {
    town: &'t Town,
    responder: Responder,
}

impl Asking<'_> {
    fn new(town: &Town) -> Asking<'_> {
        Asking { town, responder: Responder::new() }
    }

    fn ask(&self, options: &[&str], good: bool) -> (String, Outcome) {
        let write = [&["ocsp", "-reqout", "request"], options].concat();
        self.town.openssl(&write, true);
        let request = std::fs::read(self.town.path().join("request")).unwrap();
        // openssl compares times with the clock of the machine
        let answer = self.responder.answer(&request, &self.town.register, Timestamp::now());
        std::fs::write(self.town.path().join("response"), &answer.der).unwrap();
        // the nonce is that of the request; openssl would add another
        let read =
            ["ocsp", "-respin", "response", "-reqin", "request", "-CAfile", "auth-ca.pem", "-no_nonce"];
        (self.town.openssl(&[&read[..], options].concat(), good), answer.outcome)
    }
}

const AUTH_CA: [&str; 2] = ["-issuer", "auth-ca.pem"];

#[test]
fn openssl_accepts_what_is_answered_about_each_status() {
    let mut town = Town::at(Timestamp::now());
    let (hanako, stranger) =
        (town.hanako.user_authentication.record.clone(), town.stranger.user_authentication.record.clone());
    town.revoke(&hanako, Reason::CessationOfOperation);
    town.revoke(&stranger, Reason::CertificateHold);
    let asking = Asking::new(&town);
    let (told, outcome) = asking.ask(
        &[
            "-issuer",
            "auth-ca.pem",
            "-cert",
            "hanako-auth.pem",
            "-cert",
            "stranger-auth.pem",
            "-cert",
            "neighbour-auth.pem",
            "-serial",
            "0x0102030405",
        ],
        true,
    );
    for expected in [
        "Response verify OK",
        "hanako-auth.pem: revoked",
        "Reason: cessationOfOperation",
        "Revocation Time: Dec 24 12:34:56 2025 GMT",
        "stranger-auth.pem: revoked",
        "Reason: certificateHold",
        "neighbour-auth.pem: good",
        "0x0102030405: unknown",
    ] {
        assert!(told.contains(expected), "{expected} is missing:\n{told}");
    }
    assert!(!told.contains("WARNING"), "{told}");
    let told = outcome.to_string();
    assert!(told.contains("revoked (cessation_of_operation) since 2025-12-24T12:34:56Z"), "{told}");
    assert!(told.ends_with("0102030405: unknown"), "{told}");
}

#[test]
fn issuers_are_known_by_their_sha_256_as_well() {
    let town = Town::at(Timestamp::now());
    let asking = Asking::new(&town);
    for digest in ["-sha1", "-sha256", "-sha384", "-sha512"] {
        let (told, _) = asking.ask(&[digest, "-issuer", "auth-ca.pem", "-cert", "hanako-auth.pem"], true);
        assert!(told.contains("hanako-auth.pem: good"), "{told}");
    }
    let request = [&AUTH_CA[..], &["-md5", "-cert", "hanako-auth.pem"]].concat();
    let (_, outcome) = asking.ask(&request, false);
    assert_eq!(outcome, Outcome::Refused(ResponseStatus::Unauthorized));
}

#[test]
fn other_authorities_are_not_answered_for() {
    let town = Town::at(Timestamp::now());
    let asking = Asking::new(&town);
    // the certificate of a holder is nobody's authority
    let (told, outcome) = asking.ask(&["-issuer", "neighbour-auth.pem", "-cert", "hanako-auth.pem"], false);
    assert_eq!(outcome, Outcome::Refused(ResponseStatus::Unauthorized));
    assert!(told.contains("unauthorized (6)"), "{told}");
    // an answer has one signature, which cannot be for both authorities
    let (_, outcome) = asking.ask(
        &[
            "-issuer",
            "auth-ca.pem",
            "-cert",
            "hanako-auth.pem",
            "-issuer",
            "sign-ca.pem",
            "-cert",
            "hanako-sign.pem",
        ],
        false,
    );
    assert_eq!(outcome, Outcome::Refused(ResponseStatus::Unauthorized));
}

#[test]
fn a_nonce_comes_back_and_none_is_made_up() {
    let town = Town::at(Timestamp::now());
    let asking = Asking::new(&town);
    let about = ["-issuer", "auth-ca.pem", "-cert", "hanako-auth.pem", "-resp_text"];
    let (told, _) = asking.ask(&about, true);
    assert!(told.contains("OCSP Nonce") && !told.contains("WARNING"), "{told}");
    for expected in ["Version: 1 (0x0)", "OCSP Responder", "OCSP Signing", "OCSP No Check", "Next Update"] {
        assert!(told.contains(expected), "{expected} is missing:\n{told}");
    }
    let (told, _) = asking.ask(&[&about[..], &["-no_nonce"]].concat(), true);
    assert!(!told.contains("OCSP Nonce"), "{told}");
}

#[test]
fn generations_of_an_authority_are_told_apart_by_their_keys() {
    let now = Timestamp::now();
    let town = Town::at(now);
    let record = &town.hanako.user_authentication.record;
    let other = Generation::recent(now).into_iter().find(|one| *one != record.generation).unwrap();
    let other = CertificationAuthority::of(record.authority, other).unwrap();
    std::fs::write(town.path().join("other-ca"), other.certificate()).unwrap();
    town.openssl(&["x509", "-inform", "DER", "-in", "other-ca", "-out", "other-ca.pem"], true);
    let (_, outcome) =
        Asking::new(&town).ask(&["-issuer", "other-ca.pem", "-cert", "hanako-auth.pem", "-noverify"], true);
    assert!(outcome.to_string().ends_with(": unknown"), "{outcome}");
}

#[test]
fn a_folder_is_the_same_for_the_same_clock_and_follows_changes() {
    let [one, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let record =
        issue(&Holder::built_in("hanako").unwrap(), now()).unwrap().digital_signature.unwrap().record;
    let enrol = |folder: &Folder| {
        folder.update(now(), |register| {
            register.enrol(record.clone());
            Ok::<_, FolderError>(Vec::new())
        })
    };
    for path in [one.path(), other.path()] {
        let folder = Folder::at(path);
        assert!(matches!(folder.read(), Err(FolderError::Missing(_))));
        enrol(&folder).unwrap();
    }
    assert_eq!(contents(one.path()), contents(other.path()));
    enrol(&Folder::at(one.path())).unwrap();
    assert_eq!(contents(one.path()), contents(other.path()));

    let revoke = |register: &mut Register| {
        register.revoke(&record, Reason::Superseded, now()).unwrap();
        Ok::<_, FolderError>(Vec::new())
    };
    Folder::at(one.path()).update(now(), revoke).unwrap();
    let status = Folder::at(one.path()).read().unwrap().records()[0].status(now());
    assert!(matches!(status, CertificateStatus::Revoked(_)));
    let changed: Vec<String> = contents(one.path())
        .into_iter()
        .zip(contents(other.path()))
        .filter(|(one, other)| one != other)
        .map(|((name, _), _)| name)
        .collect();
    // besides the two lists that have an entry more, every list has a greater number
    assert!(changed.iter().all(|name| name == "pki.json" || name.ends_with(".crl")), "{changed:?}");
    assert!(
        changed.contains(&"crl/digital-signature-2023/Tokyo-to.Chiyoda-ku.crl".to_owned()),
        "{changed:?}"
    );
    for name in ["trust.pem", "ca/user-authentication-2015.pem", "crl/user-authentication-2019.crl"] {
        assert!(contents(one.path()).iter().any(|(known, _)| known == name), "{name}");
    }
}

#[test]
fn a_broken_register_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pki.json");
    std::fs::write(&path, "{\"vmyna_pki\": 1").unwrap();
    let error = Folder::at(folder.path())
        .update(now(), |_| Ok::<_, FolderError>(Vec::new()))
        .unwrap_err()
        .to_string();
    assert!(error.contains("pki.json: this is no complete register"), "{error}");
    assert_eq!(std::fs::read_to_string(path).unwrap(), "{\"vmyna_pki\": 1");
}

/// All files with their names, in order; not the lock.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().unwrap() != ".lock" {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                all.push((name, std::fs::read(path).unwrap()));
            }
        }
    }
    all.sort();
    all
}
