//! `vmyna pki` as a relying party meets it: `openssl ocsp` asks the running responder, while other
//! processes revoke, hold and release. A missing `openssl` fails.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use vmyna_sim::smart_card::Power;
use vmyna_sim::vpcd::{Address, Connection, ReaderOptions};

/// Longer than anything takes that works.
const PATIENCE: Duration = Duration::from_secs(60);

/// A folder with a PKI in it, gone afterwards.
struct Pki(tempfile::TempDir);

impl Pki {
    /// Nothing yet.
    fn none() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn written() -> Self {
        let pki = Self::none();
        pki.vmyna(&["pki", "write", "pki"], 0);
        pki
    }

    /// Runs `vmyna` in this folder; gives what it said, standard output first.
    fn vmyna(&self, arguments: &[&str], code: i32) -> String {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vmyna"));
        command.args(arguments).env("NO_COLOR", "1");
        self.run(command, |found| found == Some(code))
    }

    /// Runs `openssl` in the PKI, where it must end well.
    fn openssl(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("openssl");
        command.args(arguments);
        self.run(command, |code| code == Some(0))
    }

    fn run(&self, mut command: Command, well: impl Fn(Option<i32>) -> bool) -> String {
        let output = command.current_dir(self.path()).output();
        let output = output.unwrap_or_else(|error| panic!("{command:?} is needed: {error}"));
        let told =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
        assert!(well(output.status.code()), "{command:?}: {}\n{told}", output.status);
        told
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// `user-authentication-2023` or so: what the files of the generation are called that issued a
    /// certificate of `holder`, out of the register, for it depends on the clock.
    fn issuer(&self, holder: &str, purpose: &str) -> String {
        let register = std::fs::read_to_string(self.path().join("pki/pki.json")).unwrap();
        let of_holder = format!("\"holder\": \"{holder}\"");
        let authority = format!("\"authority\": \"{}\"", purpose.replace('-', "_"));
        let record =
            register.split("    {\n").find(|one| one.contains(&of_holder) && one.contains(&authority));
        let record = record.unwrap_or_else(|| panic!("{holder} is not in {register}"));
        let (_, year) = record.split_once("\"generation\": ").unwrap();
        format!("{purpose}-{}", year.split_once(',').unwrap().0)
    }

    /// Every file of the PKI but the lock.
    fn contents(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let root = self.path().join(folder);
        let (mut all, mut folders) = (BTreeMap::new(), vec![root.clone()]);
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| name != ".lock") {
                    all.insert(path.strip_prefix(&root).unwrap().to_owned(), std::fs::read(path).unwrap());
                }
            }
        }
        all
    }
}

/// A running `vmyna`, killed when dropped.
struct Running {
    child: Child,
    said: BufReader<std::process::ChildStdout>,
}

impl Running {
    fn start(pki: &Pki, arguments: &[&str], stderr: Stdio) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vmyna"));
        command.args(arguments).current_dir(pki.path()).stdout(Stdio::piped()).stderr(stderr);
        let mut child = command.spawn().unwrap();
        let said = BufReader::new(child.stdout.take().unwrap());
        Self { child, said }
    }

    /// The exit code after `signal`.
    fn after(mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        let process = pidfd_open(Pid::from_child(&self.child), PidfdFlags::empty()).unwrap();
        let patience = Timespec::try_from(PATIENCE).unwrap();
        let ended = poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&patience)).unwrap();
        assert_eq!(ended, 1, "it does not end");
        self.child.wait().unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A responder for the PKI in a folder.
struct Responder<'p> {
    pki: &'p Pki,
    url: String,
    process: Running,
}

impl<'p> Responder<'p> {
    fn of(pki: &'p Pki) -> Self {
        let serve = ["pki", "serve", "pki", "--bind", "127.0.0.1:0"];
        let mut process = Running::start(pki, &serve, Stdio::null());
        let url = loop {
            let mut line = String::new();
            assert_ne!(process.said.read_line(&mut line).unwrap(), 0, "it ended before it was ready");
            if let Some(url) = line.strip_prefix("ready ") {
                break url.trim_end().to_owned();
            }
        };
        Self { pki, url, process }
    }

    fn address(&self) -> SocketAddr {
        self.url.strip_prefix("http://").unwrap().parse().unwrap()
    }

    /// What `openssl` makes of the answer about a certificate of hanako.
    fn says(&self, purpose: &str, options: &[&str]) -> String {
        self.says_of("hanako", purpose, options)
    }

    fn says_of(&self, holder: &str, purpose: &str, options: &[&str]) -> String {
        let ca = format!("pki/ca/{}.pem", self.pki.issuer(holder, purpose));
        let certificate = format!("pki/certificates/{holder}-{purpose}.pem");
        let ask =
            ["ocsp", "-url", &self.url, "-CAfile", "pki/trust.pem", "-issuer", &ca, "-cert", &certificate];
        let told = self.pki.openssl(&[&ask[..], options].concat());
        assert!(told.contains("Response verify OK"), "{told}");
        told
    }

    /// A request for hanako's certificate of user authentication, by openssl, DER.
    fn request(&self) -> Vec<u8> {
        let ca = format!("pki/ca/{}.pem", self.pki.issuer("hanako", "user-authentication"));
        let certificate = "pki/certificates/hanako-user-authentication.pem";
        self.pki.openssl(&["ocsp", "-issuer", &ca, "-cert", certificate, "-reqout", "request"]);
        std::fs::read(self.pki.path().join("request")).unwrap()
    }

    /// Sends bytes as they are; gives status, headers and body of what comes back.
    fn sends(&self, bytes: &[u8]) -> (u16, String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(bytes).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let end = answer.windows(4).position(|end| end == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8(answer[..end].to_vec()).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head, answer[end + 4..].to_vec())
    }

    fn posts(&self, body: &[u8]) -> (u16, String, Vec<u8>) {
        let head = format!(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/ocsp-request\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.sends(&[head.as_bytes(), body].concat())
    }
}

/// OCSPResponse with nothing but a status.
fn only_status(status: u8) -> Vec<u8> {
    vec![0x30, 0x03, 0x0A, 0x01, status]
}

const MALFORMED_REQUEST: u8 = 1;
const INTERNAL_ERROR: u8 = 2;

#[test]
fn openssl_is_told_at_once_what_has_become_of_a_certificate() {
    let pki = Pki::written();
    let responder = Responder::of(&pki);
    let auth = |options: &[&str]| responder.says("user-authentication", options);
    let change = |what: &[&str]| pki.vmyna(&[&["pki"], what, &["hanako", "--in", "pki"]].concat(), 0);
    assert!(auth(&[]).contains("hanako-user-authentication.pem: good"));

    let told = change(&["hold", "--certificate", "user_authentication"]);
    assert!(told.starts_with("hanako user-authentication ") && told.contains(": on hold since "), "{told}");
    let told = auth(&[]);
    assert!(told.contains("pem: revoked") && told.contains("Reason: certificateHold"), "{told}");
    assert!(responder.says("digital-signature", &[]).contains("pem: good"));

    assert!(change(&["release", "--certificate", "user_authentication"]).ends_with(": good\n"));
    assert!(auth(&["-no_nonce"]).contains("pem: good"));

    for (reason, told_by_openssl) in
        [("affiliation_changed", "affiliationChanged"), ("key_compromise", "keyCompromise")]
    {
        let (flag, purpose) = match reason {
            "affiliation_changed" => ("digital_signature", "digital-signature"),
            _ => ("user_authentication", "user-authentication"),
        };
        let told = change(&["revoke", "--certificate", flag, "--reason", reason]);
        assert!(told.contains(&format!("{purpose} ")) && told.contains(reason), "{told}");
        let told = responder.says(purpose, &[]);
        assert!(told.contains("pem: revoked"), "{told}");
        assert!(told.contains(&format!("Reason: {told_by_openssl}")), "{told}");
    }
    let unknown = auth(&["-serial", "0x7FFFFFFF"]);
    assert!(unknown.contains("0x7FFFFFFF: unknown"), "{unknown}");
    assert_eq!(responder.process.after(Signal::TERM), Some(0));
}

#[test]
fn lists_follow_as_well_and_openssl_verifies_with_them() {
    let pki = Pki::written();
    pki.vmyna(&["pki", "revoke", "hanako", "--certificate", "digital_signature", "--in", "pki"], 0);
    for (purpose, good) in [("user-authentication", true), ("digital-signature", false)] {
        let issuer = pki.issuer("hanako", purpose);
        let ca = format!("pki/ca/{issuer}.pem");
        let whole = format!("pki/crl/{issuer}.crl");
        let municipality = format!("pki/crl/{issuer}/Tokyo-to.Chiyoda-ku.crl");
        let certificate = format!("pki/certificates/hanako-{purpose}.pem");
        for list in [&whole, &municipality] {
            let told =
                pki.openssl(&["crl", "-inform", "DER", "-in", list, "-text", "-verify", "-CAfile", &ca]);
            assert!(told.contains("verify OK"), "{told}");
            let mut verify = Command::new("openssl");
            verify.args([
                "verify",
                "-x509_strict",
                "-crl_check",
                "-CAfile",
                "pki/trust.pem",
                "-CRLfile",
                list,
            ]);
            let told = pki.run(
                {
                    verify.arg(&certificate);
                    verify
                },
                |code| (code == Some(0)) == good,
            );
            assert_eq!(told.contains("certificate revoked"), !good, "{told}");
        }
    }
}

#[test]
fn a_get_is_answered_like_a_post() {
    let pki = Pki::written();
    let responder = Responder::of(&pki);
    let request = responder.request();
    let base64 = pki.openssl(&["base64", "-A", "-in", "request"]);
    let encoded = base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    for path in [encoded, base64] {
        let (status, head, body) =
            responder.sends(format!("GET /{path} HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes());
        assert_eq!(status, 200);
        assert!(head.contains("Content-Type: application/ocsp-response"), "{head}");
        assert!(head.contains("Cache-Control: no-store"), "{head}");
        std::fs::write(pki.path().join("response"), &body).unwrap();
        let read =
            ["ocsp", "-respin", "response", "-reqin", "request", "-no_nonce", "-CAfile", "pki/trust.pem"];
        let ca = format!("pki/ca/{}.pem", pki.issuer("hanako", "user-authentication"));
        let certificate = "pki/certificates/hanako-user-authentication.pem";
        let told = pki.openssl(&[&read[..], &["-issuer", &ca, "-cert", certificate]].concat());
        assert!(told.contains("pem: good") && !told.contains("WARNING"), "{told}");
    }
    assert_eq!(responder.posts(&request).0, 200);
}

#[test]
fn rubbish_is_refused_for_what_it_is_and_harms_nobody() {
    let pki = Pki::written();
    let responder = Responder::of(&pki);
    let request = responder.request();
    for body in [&b""[..], b"rubbish", &[0x30, 0x80], &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], &request[1..]] {
        let (status, _, answer) = responder.posts(body);
        assert_eq!((status, answer), (200, only_status(MALFORMED_REQUEST)), "{body:02X?}");
    }
    for (message, expected) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03\r\n\r\n"[..], 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /%FF%00 HTTP/1.1\r\n\r\n", 400),
        (b"DELETE / HTTP/1.1\r\n\r\n", 405),
        (b"POST / HTTP/1.1\r\nContent-Type: application/ocsp-request\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nContent-Type: application/ocsp-request\r\nContent-Length: 999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n\r\na", 415),
        (&[b"GET / HTTP/1.1\r\nA: ".as_slice(), &[b'a'; 40_000]].concat(), 431),
    ] {
        assert_eq!(responder.sends(message).0, expected, "{:?}", String::from_utf8_lossy(message));
    }
    // those who go away, and those who stay and say nothing
    drop(TcpStream::connect(responder.address()).unwrap());
    let mut silent = Vec::new();
    for _ in 0..8 {
        let mut stream = TcpStream::connect(responder.address()).unwrap();
        stream.write_all(b"POST / HTTP/1.1\r\n").unwrap();
        silent.push(stream);
    }
    assert!(responder.says("user-authentication", &[]).contains("pem: good"));
    assert_eq!(responder.process.after(Signal::TERM), Some(0), "silent connections do not keep it");
}

#[test]
fn a_register_that_cannot_be_read_is_an_error_of_the_responder_until_it_can() {
    let pki = Pki::written();
    let responder = Responder::of(&pki);
    let request = responder.request();
    let register = pki.path().join("pki/pki.json");
    let good = std::fs::read(&register).unwrap();
    std::fs::write(&register, "{").unwrap();
    assert_eq!(responder.posts(&request).2, only_status(INTERNAL_ERROR));
    std::fs::write(&register, good).unwrap();
    assert!(responder.posts(&request).2.len() > 1000);
    assert_eq!(responder.process.after(Signal::INT), Some(0));
}

#[test]
fn serve_begins_a_pki_where_there_is_none_and_refuses_a_port_in_use() {
    let pki = Pki::none();
    let responder = Responder::of(&pki);
    assert!(responder.says("user-authentication", &[]).contains("pem: good"));
    let address = responder.address().to_string();
    let told = pki.vmyna(&["pki", "serve", "other", "--bind", &address], 2);
    assert!(told.contains(&format!("{address} is in use by another program")), "{told}");
    assert!(!pki.path().join("other").exists());
}

#[test]
fn the_same_clock_gives_the_same_bytes_and_writing_again_forgets_nothing() {
    let pki = Pki::none();
    let clock = ["--clock", "2026-01-01T00:00:00Z"];
    let vmyna = |arguments: &[&str]| pki.vmyna(&[arguments, &clock].concat(), 0);
    vmyna(&["pki", "write", "one"]);
    vmyna(&["pki", "write", "other"]);
    vmyna(&["pki", "write", "other"]);
    let [one, other] = ["one", "other"].map(|folder| pki.contents(folder));
    assert!(one.len() > 15 && one == other);

    for folder in ["one", "other"] {
        vmyna(&["pki", "hold", "hanako", "--in", folder]);
        vmyna(&["pki", "write", folder]);
    }
    let [held, other] = ["one", "other"].map(|folder| pki.contents(folder));
    assert!(held == other && held != one);
    let holds = |contents: &BTreeMap<PathBuf, Vec<u8>>| {
        String::from_utf8_lossy(&contents[Path::new("pki.json")]).matches("certificate_hold").count()
    };
    assert_eq!(holds(&held), holds(&one) + 2);
}

#[test]
fn what_cannot_be_done_changes_nothing() {
    let pki = Pki::written();
    let told = pki.vmyna(&["pki", "release", "hanako", "--in", "pki"], 2);
    assert!(told.contains("it is good; only what is on hold can be released"), "{told}");
    pki.vmyna(&["pki", "revoke", "hanako", "--certificate", "digital_signature", "--in", "pki"], 0);
    let before = pki.contents("pki");
    for (what, expected) in [
        (
            vec!["hold", "hanako"],
            "Nothing was changed; `--certificate user_authentication` changes the other one",
        ),
        (vec!["revoke", "hanako"], "and that is for good"),
        (vec!["revoke", "hanako", "--reason", "certificate_hold"], "`vmyna pki hold` does that"),
        (vec!["revoke", "hanako", "--reason", "stolen"], "expected one of unspecified, key_compromise"),
        (vec!["revoke", "nobody"], "there is no built-in holder \"nobody\""),
    ] {
        let told = pki.vmyna(&[&["pki"], &what[..], &["--in", "pki"]].concat(), 2);
        assert!(told.contains(expected), "{what:?}: {told}");
    }
    assert!(pki.contents("pki") == before, "nothing has changed");
    let told = pki.vmyna(&["pki", "hold", "hanako", "--in", "elsewhere"], 2);
    assert!(told.contains("there is no PKI in elsewhere; `vmyna pki write elsewhere` makes one"), "{told}");
    assert!(!pki.path().join("elsewhere").exists());
}

#[test]
fn holders_from_files_are_known_once_they_are_written() {
    let pki = Pki::none();
    let text = "person: {name: 試験　太郎, birth: 1990-02-03}\nmunicipality: {code: 27100, prefecture: Osaka-fu, city: Osaka-shi}\n";
    std::fs::write(pki.path().join("jiro.yaml"), text).unwrap();
    pki.vmyna(&["pki", "write", "pki", "--holder", "jiro.yaml"], 0);
    let responder = Responder::of(&pki);
    let told = responder.says_of("jiro", "user-authentication", &[]);
    assert!(told.contains("jiro-user-authentication.pem: good"), "{told}");
    let told = pki.vmyna(&["pki", "hold", "jiro.yaml", "--in", "pki"], 0);
    assert_eq!(told.matches("on hold").count(), 2, "{told}");
    let osaka = format!("pki/crl/{}/Osaka-fu.Osaka-shi.crl", pki.issuer("jiro", "digital-signature"));
    let told = pki.openssl(&["crl", "-inform", "DER", "-in", &osaka, "-noout", "-text"]);
    assert!(told.contains("CN = Osaka-shi CRLDP") && told.contains("Certificate Hold"), "{told}");
}

#[test]
fn what_a_holders_file_says_is_what_is_answered() {
    let pki = Pki::written();
    let responder = Responder::of(&pki);
    for (holder, purpose, expected) in [
        ("revoked", "user-authentication", "Reason: cessationOfOperation"),
        ("revoked", "digital-signature", "Reason: affiliationChanged"),
        ("on-hold", "user-authentication", "Reason: certificateHold"),
        ("moved", "digital-signature", "Reason: affiliationChanged"),
        ("moved", "user-authentication", "pem: good"),
        ("taro", "user-authentication", "pem: good"),
    ] {
        let told = responder.says_of(holder, purpose, &[]);
        assert!(told.contains(expected), "{holder} {purpose}: {told}");
    }
    let register = std::fs::read_to_string(pki.path().join("pki/pki.json")).unwrap();
    assert_eq!(register.matches("\"superseded\"").count(), 2, "what was replaced in the renewed card");
    assert!(pki.vmyna(&["pki", "release", "on-hold", "--in", "pki"], 0).contains(": good"));
    assert!(responder.says_of("on-hold", "digital-signature", &[]).contains("pem: good"));
    // a child has no signature certificate to revoke
    let told = pki.vmyna(&["pki", "revoke", "child", "--certificate", "digital_signature", "--in", "pki"], 2);
    assert!(told.contains("child has no such certificate"), "{told}");
}

#[test]
fn certificates_carry_the_address_of_the_responder() {
    let pki = Pki::none();
    let url = "http://127.0.0.1:2560/ocsp";
    pki.vmyna(&["pki", "write", "pki"], 0);
    let names = |purpose: &str| {
        let certificate = format!("pki/certificates/hanako-{purpose}.pem");
        pki.openssl(&["x509", "-in", &certificate, "-noout", "-ocsp_uri"])
    };
    assert_eq!(names("user-authentication"), "http://ocsp.vmyna.test\n");
    pki.vmyna(&["pki", "write", "pki", "--ocsp-url", url], 0);
    assert_eq!(names("user-authentication"), format!("{url}\n"));
    assert_eq!(names("digital-signature"), "", "as measured on a real card");
    for command in ["write", "serve"] {
        let arguments = if command == "write" { vec!["pki", "write"] } else { vec!["serve"] };
        let told = pki.vmyna(&[&arguments[..], &["--ocsp-url", "ldap://a"]].concat(), 2);
        assert!(told.contains("expected http://HOST[:PORT][/PATH]"), "{told}");
    }
}

#[test]
fn the_card_that_is_served_carries_the_address_too() {
    let pki = Pki::none();
    let url = "http://127.0.0.1:2560/ocsp";
    let serve = ["serve", "--listen", "127.0.0.1:0", "--ocsp-url", url];
    let mut process = Running::start(&pki, &serve, Stdio::piped());
    let mut told = BufReader::new(process.child.stderr.take().unwrap());
    let address: Address = loop {
        let mut line = String::new();
        assert_ne!(told.read_line(&mut line).unwrap(), 0, "it ended before it listened");
        if let Some(address) = line.strip_prefix("listening for a reader on ") {
            break address.trim_end().parse().unwrap();
        }
    };
    let mut card =
        Connection::connect(&address, Instant::now() + PATIENCE, ReaderOptions::default()).unwrap();
    card.power(Power::On).unwrap();
    let mut transmit = |hex: &str| {
        let answer = card.transmit(&vmyna_sim::hex::decode(hex).unwrap()).unwrap();
        assert!(answer.ends_with(&[0x90, 0x00]), "{hex}: {answer:02X?}");
        answer
    };
    transmit("00 A4 04 0C 0A D3 92 F0 00 26 01 00 00 00 01");
    transmit("00 A4 02 0C 02 00 0A");
    let certificate = transmit("00 B0 00 00 00 08 00");
    assert!(certificate.windows(url.len()).any(|seen| seen == url.as_bytes()));
    drop(card);
    assert_eq!(process.after(Signal::TERM), Some(0));
}
