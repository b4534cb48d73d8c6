//! `vmyna pki`: the hierarchy for relying parties, and the responder that answers for it.

use super::Failure;
use crate::exit::Exit;
use crate::responder::{self, AnswerOcsp};
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use vmyna_sim::holder::Holder;
use vmyna_sim::issue::{Addresses, IssueError, Issued, OcspUrl, issue, issue_with, superseded};
use vmyna_sim::pki::ocsp::{Answer, Responder, ResponseStatus};
use vmyna_sim::pki::{
    Authority, CertificateStatus, Folder, FolderError, FolderFile, PkiError, Reason, Record, Register,
    StatusError,
};
use vmyna_sim::vpcd::{self, Address, Shutdown};

/// The port that OCSP responders are tried out on, after RFC 2560.
const DEFAULT_BIND: &str = "127.0.0.1:2560";
const DEFAULT_FOLDER: &str = "vmyna-pki";

/// The TEST hierarchy for relying parties: certificates to trust, revocation lists, OCSP.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,

    /// Do as if it were this instant, such as 2026-04-01T00:00:00Z; `serve` stops its clock there
    #[arg(long, value_name = "INSTANT", global = true)]
    clock: Option<Timestamp>,
}

const EXAMPLES: &str = "\
Examples:
  vmyna pki write                                        everything into the folder vmyna-pki
  vmyna pki serve                                        answer OCSP on 127.0.0.1:2560
  vmyna serve --ocsp-url http://127.0.0.1:2560           a card whose certificate leads there
  vmyna pki revoke hanako --certificate digital_signature --reason affiliation_changed
  vmyna pki hold hanako                                  both certificates, for a lost card
  vmyna pki release hanako                               it was found again
  openssl verify -CAfile vmyna-pki/trust.pem vmyna-pki/certificates/hanako-user-authentication.pem";

#[derive(Debug, Subcommand)]
enum Command {
    /// Write CA certificates, revocation lists and holders' certificates
    ///
    /// What has been revoked stays so: writing again makes lists of today, and the certificates of
    /// further holders known.
    Write {
        /// Where to
        #[arg(default_value = DEFAULT_FOLDER)]
        dir: PathBuf,

        /// A holder file, besides the built-in holders (repeatable)
        #[arg(long = "holder", value_name = "FILE")]
        holders: Vec<String>,

        /// The responder's address in the certificates that are written
        #[arg(long, value_name = "URL", default_value_t = OcspUrl::default())]
        ocsp_url: OcspUrl,
    },
    /// Answer OCSP requests over HTTP, until SIGINT or SIGTERM
    ///
    /// A line `ready URL` on standard output says that it listens. What `vmyna pki revoke`, `hold`
    /// and `release` change is answered at once.
    Serve {
        /// The folder of `vmyna pki write`; it is written if it is not there
        #[arg(default_value = DEFAULT_FOLDER)]
        dir: PathBuf,

        /// Where to listen; a PORT alone means this machine only, port 0 one that is free
        #[arg(long, value_name = "HOST:PORT", default_value = DEFAULT_BIND)]
        bind: Address,
    },
    /// Revoke a holder's certificates, for good
    Revoke {
        #[command(flatten)]
        which: Which,

        /// Why
        #[arg(long, value_name = "REASON", default_value = "unspecified", value_parser = revocation_reason)]
        reason: Reason,
    },
    /// Put a holder's certificates on hold (一時保留)
    Hold {
        #[command(flatten)]
        which: Which,
    },
    /// End a hold
    Release {
        #[command(flatten)]
        which: Which,
    },
}

/// Certificates of a holder.
#[derive(Debug, Args)]
struct Which {
    /// Whose: a built-in holder or a holder file
    #[arg(value_name = "HOLDER")]
    holder: String,

    /// Which of the two [default: both]
    #[arg(long, value_name = "CERTIFICATE")]
    certificate: Option<Certificate>,

    /// The folder of `vmyna pki write`
    #[arg(long = "in", value_name = "DIR", default_value = DEFAULT_FOLDER)]
    folder: PathBuf,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Certificate {
    /// 利用者証明用
    #[value(alias = "user-authentication")]
    UserAuthentication,
    /// 署名用
    #[value(alias = "digital-signature")]
    DigitalSignature,
}

fn revocation_reason(text: &str) -> Result<Reason, String> {
    match text.parse() {
        Ok(Reason::CertificateHold) => Err("`vmyna pki hold` does that".to_owned()),
        Ok(reason) => Ok(reason),
        Err(_) => {
            let known = Reason::ALL.into_iter().filter(|reason| *reason != Reason::CertificateHold);
            Err(format!("expected one of {}", known.map(Reason::as_str).collect::<Vec<_>>().join(", ")))
        }
    }
}

impl From<FolderError> for Failure {
    fn from(error: FolderError) -> Self {
        Self::Usage(match error {
            FolderError::Missing(path) => {
                format!("there is no PKI in {0}; `vmyna pki write {0}` makes one", path.display())
            }
            other => other.to_string(),
        })
    }
}

impl From<IssueError> for Failure {
    fn from(error: IssueError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<PkiError> for Failure {
    fn from(error: PkiError) -> Self {
        Self::Usage(error.to_string())
    }
}

pub(super) fn pki(arguments: Arguments) -> Result<Exit, Failure> {
    let clock = Clock(arguments.clock);
    match arguments.command {
        Command::Write { dir, holders, ocsp_url } => write(dir, &holders, ocsp_url, clock.now())?,
        Command::Serve { dir, bind } => return serve(dir, &bind, clock),
        Command::Revoke { which, reason } => {
            change(which, clock.now(), |register, record, now| {
                register.revoke(record, reason, now).map(drop)
            })?;
        }
        Command::Hold { which } => change(which, clock.now(), |register, record, now| {
            register.revoke(record, Reason::CertificateHold, now).map(drop)
        })?,
        Command::Release { which } => {
            change(which, clock.now(), |register, record, _| register.release(record))?;
        }
    }
    Ok(Exit::Success)
}

/// The clock of the machine, or one that stands still.
#[derive(Debug, Clone, Copy)]
struct Clock(Option<Timestamp>);

impl Clock {
    fn now(self) -> Timestamp {
        let now = self.0.unwrap_or_else(Timestamp::now);
        // certificates and lists know whole seconds only, and so does what is compared with them
        Timestamp::from_second(now.as_second()).unwrap_or(now)
    }
}

/// Notes the certificates in the card of `holder`, and those that they have replaced.
fn enrol(register: &mut Register, holder: &Holder, now: Timestamp) -> Result<(), Failure> {
    let (issued, before) = (issue(holder, now)?, superseded(holder, now)?);
    for certified in before.iter().chain([&issued]).flat_map(Issued::certified) {
        register.enrol(certified.record.clone());
    }
    Ok(())
}

fn built_in() -> impl Iterator<Item = Holder> {
    Holder::built_in_names().into_iter().filter_map(Holder::built_in)
}

fn write(dir: PathBuf, holders: &[String], ocsp: OcspUrl, now: Timestamp) -> Result<(), Failure> {
    let mut all: Vec<Holder> = built_in().collect();
    for name_or_file in holders {
        all.push(super::holder(name_or_file)?);
    }
    let folder = Folder::at(dir);
    let addresses = Addresses { ocsp };
    let mut written = 0;
    folder.update(now, |register| {
        let mut files = Vec::new();
        for holder in &all {
            for certified in issue_with(holder, now, &addresses)?.certified() {
                let authority = certified.record.authority;
                files.push(FolderFile::certificate(holder.id(), authority, &certified.certificate)?);
            }
            enrol(register, holder, now)?;
        }
        written = files.len();
        Ok::<_, Failure>(files)
    })?;
    // Who stops reading has seen enough of it.
    let _ = summary(folder.path(), written);
    Ok(())
}

fn summary(folder: &Path, certificates: usize) -> std::io::Result<()> {
    let mut out = anstream::stdout().lock();
    let shown = folder.display();
    writeln!(out, "{shown}/trust.pem     certificates of the TEST authorities; trust them in tests only")?;
    writeln!(out, "{shown}/ca            the same, one by one")?;
    writeln!(out, "{shown}/crl           revocation lists, whole and for each municipality")?;
    writeln!(out, "{shown}/certificates  {certificates} certificates of holders")
}

/// Changes the status of certificates: of all that are asked for, or of none.
fn change(
    which: Which,
    now: Timestamp,
    change: impl Fn(&mut Register, &Record, Timestamp) -> Result<(), StatusError>,
) -> Result<(), Failure> {
    let holder = super::holder(&which.holder)?;
    let wanted = |record: &Record| match which.certificate {
        None => true,
        Some(Certificate::UserAuthentication) => record.authority == Authority::UserAuthentication,
        Some(Certificate::DigitalSignature) => record.authority == Authority::DigitalSignature,
    };
    let issued = issue(&holder, now)?;
    let records: Vec<Record> =
        issued.certified().map(|certified| certified.record.clone()).filter(wanted).collect();
    if records.is_empty() {
        return Err(Failure::Usage(format!("{} has no such certificate", holder.id())));
    }
    let folder = Folder::at(which.folder);
    folder.read()?; // a mistyped folder is not made
    let mut told = Vec::new();
    folder.update(now, |register| {
        for record in &records {
            register.enrol(record.clone());
            change(register, record, now).map_err(|error| {
                let other = records.iter().find(|other| other.authority != record.authority);
                let way_out = other.map_or_else(String::new, |other| {
                    let name = match other.authority {
                        Authority::UserAuthentication => "user_authentication",
                        Authority::DigitalSignature => "digital_signature",
                    };
                    format!(". Nothing was changed; `--certificate {name}` changes the other one alone")
                });
                Failure::Usage(format!("{record} stays as it is: {error}{way_out}"))
            })?;
        }
        let changed = |known: &&Record| records.iter().any(|record| record.is(known));
        told.extend(register.records().iter().filter(changed).map(|known| describe(known, now)));
        Ok::<_, Failure>(Vec::new())
    })?;
    let mut out = anstream::stdout().lock();
    for line in told {
        // Who stops reading has seen enough of it.
        let _ = writeln!(out, "{line}");
    }
    Ok(())
}

fn describe(record: &Record, now: Timestamp) -> String {
    let status: CertificateStatus = record.status(now);
    format!("{record}: {status}")
}

fn serve(dir: PathBuf, bind: &Address, clock: Clock) -> Result<Exit, Failure> {
    // The port first: it is the cheapest thing that can go wrong, and takes nothing with it.
    let listener = vpcd::bind(bind)
        .map_err(|error| Failure::Usage(format!("{error}; take another one: --bind HOST:PORT")))?;
    let address = listener.local_addr().map_err(|error| Failure::Usage(error.to_string()))?;
    let folder = Folder::at(dir);
    match folder.read() {
        Err(FolderError::Missing(_)) => {
            write(folder.path().to_owned(), &[], OcspUrl::default(), clock.now())?;
        }
        other => drop(other?),
    }
    let authorities = Authorities { folder, clock, responder: Responder::new(), built_in: Mutex::default() };
    authorities.register()?;

    let shutdown = Shutdown::new();
    let on_signal = shutdown.clone();
    ctrlc::set_handler(move || on_signal.now())
        .map_err(|error| Failure::Usage(format!("signals cannot be handled: {error}")))?;
    let mut stdout = std::io::stdout();
    // Whoever does not listen to this will find out by connecting.
    let _ = writeln!(stdout, "ready http://{address}").and_then(|()| stdout.flush());
    responder::serve(listener, &shutdown, &authorities);
    Ok(Exit::Success)
}

/// The authorities behind the responder.
struct Authorities {
    folder: Folder,
    clock: Clock,
    responder: Responder,
    /// the last hour (since 1970) in which the certificates of the built-in holders were looked at,
    /// and all that were seen: new ones begin with an hour
    built_in: Mutex<(Option<i64>, Register)>,
}

impl Authorities {
    /// The register as it is in the folder now, and what the built-in holders hold or held.
    fn register(&self) -> Result<Register, Failure> {
        let mut register = self.folder.read()?;
        let now = self.clock.now();
        let hour = now.as_second().div_euclid(3600);
        let mut built_in_known = self.built_in.lock().unwrap_or_else(PoisonError::into_inner);
        let (looked_at, known) = &mut *built_in_known;
        if *looked_at != Some(hour) {
            for holder in built_in() {
                enrol(known, &holder, now)?;
            }
            *looked_at = Some(hour);
        }
        for record in known.records() {
            register.enrol(record.clone());
        }
        Ok(register)
    }
}

impl AnswerOcsp for Authorities {
    fn answer(&self, request: &[u8], peer: SocketAddr) -> Vec<u8> {
        let (answer, told) = match self.register() {
            Ok(register) => {
                let answer = self.responder.answer(request, &register, self.clock.now());
                let told = answer.outcome.to_string();
                (answer, told)
            }
            Err(error) => (Answer::refusal(ResponseStatus::InternalError), error.to_string()),
        };
        let _ = writeln!(anstream::stderr(), "{peer} asks: {told}");
        answer.der
    }

    fn refused(&self, status: u16, peer: SocketAddr) {
        let _ = writeln!(anstream::stderr(), "{peer} sent no OCSP request: HTTP {status}");
    }
}
