//! Where reports go. A place that cannot be written is known before the first command is sent; a
//! file appears as a whole or not at all.

use super::model::Report;
use super::{html, junit, tap};
use crate::language::Language;
use crate::run::Detail;
use crate::stream;
use std::fmt;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tempfile::NamedTempFile;
use thiserror::Error;

/// The form of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// for CI servers
    Junit,
    /// for programs: `vectors/report.schema.json`
    Json,
    /// for people
    Html,
    /// Test Anything Protocol, version 13
    Tap,
}

impl Format {
    /// How much it shows of what happens within scenarios.
    #[must_use]
    pub const fn detail(self) -> Detail {
        match self {
            Self::Json | Self::Html => Detail::Everything,
            Self::Junit | Self::Tap => Detail::Nothing,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Junit => "junit",
            Self::Json => "json",
            Self::Html => "html",
            Self::Tap => "tap",
        }
    }

    fn write(self, report: &Report, language: Language, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Junit => junit::write(report, language, out),
            Self::Json => {
                serde_json::to_writer(&mut *out, report)?;
                writeln!(out)
            }
            Self::Html => html::write(report, language, out),
            Self::Tap => tap::write(report, language, out),
        }
    }
}

/// `FORMAT=PATH`; the path `-` is standard output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// the form
    pub format: Format,
    /// the file; `None` is standard output
    pub path: Option<PathBuf>,
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let form = || format!("a report is junit=PATH, json=PATH, html=PATH or tap=PATH, not `{text}`");
        let (format, path) = text.split_once('=').ok_or_else(form)?;
        let format = match format {
            "junit" => Format::Junit,
            "json" => Format::Json,
            "html" => Format::Html,
            "tap" => Format::Tap,
            _ => return Err(form()),
        };
        match path {
            "" => Err(form()),
            "-" => Ok(Self { format, path: None }),
            path => Ok(Self { format, path: Some(path.into()) }),
        }
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.as_deref().unwrap_or(Path::new("-"));
        write!(f, "--report {}={}", self.format.name(), path.display())
    }
}

/// A report that cannot be written.
#[derive(Debug, Error)]
pub enum OutputError {
    /// the place is no place for a file
    #[error("{destination}: cannot be written: {source}")]
    Place {
        /// what was asked for
        destination: Destination,
        /// why
        source: io::Error,
    },
    /// two reports go to one place
    #[error("{0}: another report goes there already")]
    Twice(Destination),
    /// it broke while it was written; nothing was left behind
    #[error("{destination}: the report could not be written: {source}; what was there before is untouched")]
    Broken {
        /// what was asked for
        destination: Destination,
        /// why
        source: io::Error,
    },
}

/// A place that a report can be written to.
#[derive(Debug)]
pub struct Output {
    destination: Destination,
    to: To,
}

#[derive(Debug)]
enum To {
    Stdout,
    /// becomes `path` when it is whole
    File {
        temporary: NamedTempFile,
        path: PathBuf,
    },
    /// a pipe or a device, which cannot be replaced
    Stream(File),
}

impl Output {
    /// Opens all of `destinations`, or none.
    ///
    /// # Errors
    /// The first that cannot be.
    pub fn open_all(destinations: &[Destination]) -> Result<Vec<Self>, OutputError> {
        for (index, destination) in destinations.iter().enumerate() {
            if destinations[..index].iter().any(|earlier| earlier.path == destination.path) {
                return Err(OutputError::Twice(destination.clone()));
            }
        }
        destinations.iter().map(Self::open).collect()
    }

    fn open(destination: &Destination) -> Result<Self, OutputError> {
        let to = match &destination.path {
            None => Ok(To::Stdout),
            Some(path) => open(path),
        };
        let to = to.map_err(|source| OutputError::Place { destination: destination.clone(), source })?;
        Ok(Self { destination: destination.clone(), to })
    }

    /// The form of the report.
    #[must_use]
    pub const fn format(&self) -> Format {
        self.destination.format
    }

    /// Writes `report`.
    ///
    /// # Errors
    /// [`OutputError::Broken`]; a file that was there before is untouched then.
    pub fn write(self, report: &Report, language: Language) -> Result<(), OutputError> {
        let Self { destination, to } = self;
        let format = destination.format;
        write(to, |out| format.write(report, language, out))
            .map_err(|source| OutputError::Broken { destination, source })
    }

    /// Writes whatever `contents` writes.
    ///
    /// # Errors
    /// As [`Output::write`].
    pub fn write_with(
        self,
        contents: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), OutputError> {
        let Self { destination, to } = self;
        write(to, contents).map_err(|source| OutputError::Broken { destination, source })
    }
}

fn open(path: &Path) -> io::Result<To> {
    match path.metadata() {
        Ok(there) if there.is_dir() => return Err(io::Error::from(io::ErrorKind::IsADirectory)),
        Ok(there) if !there.is_file() => return stream::open(path).map(To::Stream),
        Ok(_) => drop(OpenOptions::new().append(true).open(path)?),
        Err(_) => {}
    }
    // A link stays a link: what it leads to is replaced.
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(io::Error::other(format!("there is no folder {}; create it first", folder.display())));
    }
    let temporary = tempfile::Builder::new()
        .prefix(".vmyna-report-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(|error| io::Error::from(error.kind()))?;
    Ok(To::File { temporary, path })
}

fn write(to: To, contents: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    match to {
        To::Stdout => {
            let mut out = BufWriter::new(io::stdout().lock());
            match contents(&mut out).and_then(|()| out.flush()) {
                // Who stops reading has seen enough of it.
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                result => result,
            }
        }
        To::Stream(file) => {
            let mut out = BufWriter::new(file);
            contents(&mut out)?;
            out.flush()
        }
        To::File { temporary, path } => {
            let mut out = BufWriter::new(temporary);
            contents(&mut out)?;
            let temporary = out.into_inner().map_err(io::IntoInnerError::into_error)?;
            temporary.as_file().sync_all()?;
            temporary.persist(&path).map_err(|error| error.error)?;
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_a_form_and_a_path() {
        let html: Destination = "html=out/a=b.html".parse().unwrap();
        assert_eq!(html, Destination { format: Format::Html, path: Some("out/a=b.html".into()) });
        assert_eq!("tap=-".parse::<Destination>().unwrap().path, None);
        for wrong in ["", "html", "html=", "xml=a.xml", "=a"] {
            assert!(wrong.parse::<Destination>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_report_that_breaks_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        std::fs::write(&path, "before").unwrap();
        let destination = Destination { format: Format::Json, path: Some(path.clone()) };
        let mut outputs = Output::open_all(std::slice::from_ref(&destination)).unwrap();
        let broken = outputs.remove(0).write_with(|out| {
            out.write_all(b"half of it")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        });
        assert!(matches!(broken, Err(OutputError::Broken { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "before");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");

        let whole = Output::open_all(&[destination]).unwrap().remove(0);
        whole.write_with(|out| out.write_all(b"all of it")).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "all of it");
    }

    #[test]
    fn a_place_that_cannot_be_is_known_before() {
        let folder = tempfile::tempdir().unwrap();
        let place = |path: PathBuf| Destination { format: Format::Tap, path: Some(path) };
        for path in [folder.path().to_owned(), folder.path().join("no/such.tap")] {
            assert!(matches!(Output::open_all(&[place(path)]), Err(OutputError::Place { .. })));
        }
        let twice = place(folder.path().join("a.tap"));
        assert!(matches!(Output::open_all(&[twice.clone(), twice]), Err(OutputError::Twice(_))));
    }
}
