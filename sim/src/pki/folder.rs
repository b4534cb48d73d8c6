//! A PKI as a folder: the register as one JSON file, replaced atomically, and everything that
//! relying parties read, made from it anew at each change.
//!
//! ```text
//! pki.json                                  the register: the only file that is ever read
//! trust.pem                                 all certificates of the authorities
//! ca/PURPOSE-YEAR.pem                       each of them
//! crl/PURPOSE-YEAR.crl                      whole revocation lists, DER
//! crl/PURPOSE-YEAR/PREFECTURE.CITY.crl      those of municipalities, DER
//! certificates/HOLDER-PURPOSE.pem           certificates of holders
//! ```
//!
//! PURPOSE is `user-authentication` or `digital-signature`, YEAR the one in which a generation began.

use super::crl::{self, Scope};
use super::{Authority, CertificationAuthority, Generation, PkiError, Register, RegisterError};
use crate::document;
use der::pem::{self, LineEnding};
use jiff::Timestamp;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;
use thiserror::Error;

const REGISTER: &str = "pki.json";
/// Locked by whoever changes something; it stays empty.
const LOCK: &str = ".lock";
/// Some 250,000 certificates.
const MAX_BYTES: u64 = 64 * 1024 * 1024;

/// The folder of a PKI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    path: PathBuf,
}

/// A file to be written: where in the folder, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderFile {
    /// relative to the folder
    pub path: PathBuf,
    /// all of it
    pub contents: Vec<u8>,
}

/// Why a PKI could not be read or changed.
#[derive(Debug, Error)]
pub enum FolderError {
    /// nothing was ever written there
    #[error("there is no PKI in {}", .0.display())]
    Missing(PathBuf),
    /// reading or writing failed
    #[error("{}: {action} failed: {source}", path.display())]
    Io {
        /// the file or folder
        path: PathBuf,
        /// what was tried
        action: &'static str,
        /// why it failed
        source: io::Error,
    },
    /// the register is broken
    #[error("{}: {source}; it was left as it is", path.display())]
    Register {
        /// the register
        path: PathBuf,
        /// what is wrong
        source: RegisterError,
    },
    /// a list could not be signed
    #[error(transparent)]
    Pki(#[from] PkiError),
}

impl Folder {
    /// The PKI in the folder at `path`, which need not be there yet.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The register as it is now.
    ///
    /// # Errors
    /// [`FolderError::Missing`] when there is none; otherwise when it cannot be read.
    pub fn read(&self) -> Result<Register, FolderError> {
        let path = self.path.join(REGISTER);
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => FolderError::Missing(self.path.clone()),
            _ => FolderError::Io { path: path.clone(), action: "reading it", source },
        };
        std::fs::metadata(&path).map_err(failed)?;
        let bytes = document::read_bytes(&path, MAX_BYTES);
        let bytes = bytes.map_err(|error| failed(io::Error::other(error.reason())))?;
        let text = String::from_utf8(bytes).map_err(|error| failed(io::Error::other(error.utf8_error())))?;
        Register::from_json(&text).map_err(|source| FolderError::Register { path, source })
    }

    /// Changes the register, which begins empty, and writes everything that follows from it at
    /// `now`, with the files that `change` returns besides. When `change` fails nothing is written.
    /// Changes by several processes follow one another.
    ///
    /// # Errors
    /// Those of `change`; [`FolderError`] when something cannot be read, signed or written.
    pub fn update<E: From<FolderError>>(
        &self,
        now: Timestamp,
        change: impl FnOnce(&mut Register) -> Result<Vec<FolderFile>, E>,
    ) -> Result<(), E> {
        let _lock = self.lock()?;
        let mut register = match self.read() {
            Err(FolderError::Missing(_)) => Register::new(),
            other => other?,
        };
        let more = change(&mut register)?;
        let json = register.to_json().map_err(|source| self.failed(REGISTER, "writing it", source.into()))?;
        let files = published(&register, now).map_err(FolderError::from)?;
        // the register first: a crash leaves lists behind that the next change makes anew
        self.replace(&FolderFile { path: REGISTER.into(), contents: json.into_bytes() }, true)?;
        for file in files.iter().chain(&more) {
            self.replace(file, false)?;
        }
        Ok(())
    }

    fn lock(&self) -> Result<File, FolderError> {
        std::fs::create_dir_all(&self.path).map_err(|source| self.failed("", "making it", source))?;
        let lock = File::options().create(true).truncate(false).write(true).open(self.path.join(LOCK));
        let lock = lock.and_then(|lock| lock.lock().map(|()| lock));
        lock.map_err(|source| self.failed(LOCK, "locking it", source))
    }

    fn replace(&self, file: &FolderFile, sync: bool) -> Result<(), FolderError> {
        let path = self.path.join(&file.path);
        let folder = path.parent().unwrap_or(&self.path);
        let write = || {
            std::fs::create_dir_all(folder)?;
            let mut new = new_file(folder)?;
            new.write_all(&file.contents)?;
            if sync {
                new.as_file().sync_all()?;
            }
            new.persist(&path).map_err(|error| error.error)?;
            if sync { File::open(folder)?.sync_all() } else { Ok(()) }
        };
        write().map_err(|source| FolderError::Io { path: path.clone(), action: "writing it", source })
    }

    fn failed(&self, name: &str, action: &'static str, source: io::Error) -> FolderError {
        let path = if name.is_empty() { self.path.clone() } else { self.path.join(name) };
        FolderError::Io { path, action, source }
    }
}

/// A file that others can read, as far as the user lets them: relying parties may run as somebody
/// else.
fn new_file(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

impl FolderFile {
    /// A holder's certificate, DER, as a PEM file in the place for it.
    ///
    /// # Errors
    /// [`PkiError`] when it is too long for PEM.
    pub fn certificate(holder: &str, authority: Authority, der: &[u8]) -> Result<Self, PkiError> {
        let path = format!("certificates/{holder}-{}.pem", authority.purpose());
        Ok(Self { path: path.into(), contents: certificate_pem(der)?.into_bytes() })
    }
}

fn certificate_pem(der: &[u8]) -> Result<String, PkiError> {
    Ok(pem::encode_string("CERTIFICATE", LineEnding::LF, der).map_err(der::Error::from)?)
}

/// Everything that relying parties read: the latest three generations of both authorities, and any
/// other that issued something, with their lists.
fn published(register: &Register, now: Timestamp) -> Result<Vec<FolderFile>, PkiError> {
    let mut files = Vec::new();
    let mut trust = String::new();
    for authority in Authority::ALL {
        for generation in generations(register, authority, now) {
            let ca = CertificationAuthority::of(authority, generation)?;
            let name = format!("{}-{}", authority.purpose(), generation.year());
            let pem = certificate_pem(ca.certificate())?;
            trust.push_str(&pem);
            files.push(FolderFile { path: format!("ca/{name}.pem").into(), contents: pem.into_bytes() });
            let whole = crl::sign(&ca, register, Scope::Whole, now)?;
            files.push(FolderFile { path: format!("crl/{name}.crl").into(), contents: whole });
            for municipality in register.municipalities(authority, generation) {
                let list = crl::sign(&ca, register, Scope::Municipality(municipality), now)?;
                let path = format!("crl/{name}/{}.crl", municipality.file_stem());
                files.push(FolderFile { path: path.into(), contents: list });
            }
        }
    }
    files.push(FolderFile { path: "trust.pem".into(), contents: trust.into_bytes() });
    Ok(files)
}

fn generations(register: &Register, authority: Authority, now: Timestamp) -> Vec<Generation> {
    let issued = register.records().iter().filter(|record| record.authority == authority);
    let mut all: Vec<_> =
        Generation::recent(now).into_iter().chain(issued.map(|record| record.generation)).collect();
    all.sort_by_key(|generation| generation.number());
    all.dedup();
    all
}
