//! Reading scenario files: everything that can be wrong with one is told here, with file, line and
//! column, before anything is sent to a card.

use super::{CertificateCheck, CertificateName, PinChoice, PlacedStep, Scenario, Step, Verb};
use crate::language::Bilingual;
use crate::requirement::Requirements;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};
use thiserror::Error;
use vmyna_sim::document::{self, DocumentError, Position, Spanned};
use vmyna_sim::pin::PinName;
use vmyna_sim::profile::Profile;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    id: Spanned<String>,
    title: Bilingual,
    covers: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    tags: Vec<Spanned<String>>,
    holder: Option<Spanned<String>>,
    #[serde(default)]
    given: BTreeMap<PinName, Spanned<u8>>,
    steps: Spanned<Vec<Spanned<Step>>>,
}

const DEFAULT_HOLDER: &str = "hanako";

/// Scenarios that cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    /// a file is broken
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// a folder could not be listed
    #[error("{}: cannot be listed: {source}", path.display())]
    Folder {
        /// the folder
        path: PathBuf,
        /// why
        source: std::io::Error,
    },
    /// nothing there
    #[error("{}: there is no scenario here, nor in the folders below: no file ends in .yaml", path.display())]
    Empty {
        /// the folder
        path: PathBuf,
    },
}

/// Reads `text`, the contents of `file`, and checks it.
pub(super) fn parse(file: &str, text: &str, requirements: &Requirements) -> Result<Scenario, DocumentError> {
    let source: Source = document::parse(file, text)?;
    let at = |position, problem: String| Err(DocumentError::invalid(text, position, problem));

    let id = &source.id.value;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    if id.is_empty() || !id.chars().all(allowed) {
        return at(
            Position::of(file, &source.id),
            format!("an id has lower-case letters, digits, dots and hyphens, not {id:?}"),
        );
    }
    if source.covers.value.is_empty() {
        return at(Position::of(file, &source.covers), "a scenario covers at least one requirement".into());
    }
    for covered in &source.covers.value {
        if requirements.get(&covered.value).is_none() {
            return at(Position::of(file, covered), no_requirement(&covered.value, requirements));
        }
    }
    for tag in &source.tags {
        if tag.value.is_empty() || !tag.value.chars().all(allowed) {
            return at(Position::of(file, tag), format!("a tag is one lower-case word, not {:?}", tag.value));
        }
    }
    let full = Profile::card().tries;
    for (pin, tries) in &source.given {
        if tries.value >= full.of(*pin) {
            return at(
                Position::of(file, tries),
                format!("{pin} is full with {} tries; given says fewer", full.of(*pin)),
            );
        }
    }
    if source.steps.value.is_empty() {
        return at(Position::of(file, &source.steps), "a scenario has at least one step".into());
    }

    let covers: Vec<String> = source.covers.value.into_iter().map(|covered| covered.value).collect();
    let mut read = Vec::new();
    for step in &source.steps.value {
        let problem = step_problem(&step.value, &covers, &mut read);
        if let Some(problem) = problem {
            return at(Position::of(file, step), problem);
        }
    }
    let position = Position::of(file, &source.id);
    let holder_position =
        source.holder.as_ref().map_or_else(|| position.clone(), |holder| Position::of(file, holder));
    let steps = source.steps.value.into_iter();
    Ok(Scenario {
        id: source.id.value,
        title: source.title,
        covers,
        tags: source.tags.into_iter().map(|tag| tag.value).collect(),
        holder: source.holder.map_or_else(|| DEFAULT_HOLDER.to_owned(), |holder| holder.value),
        holder_position,
        given: source.given.into_iter().map(|(pin, tries)| (pin, tries.value)).collect(),
        steps: steps
            .map(|step| PlacedStep { position: Position::of(file, &step), step: step.value })
            .collect(),
        position,
    })
}

/// Names those that could have been meant: of the same group, or else all groups.
fn no_requirement(id: &str, requirements: &Requirements) -> String {
    fn group(id: &str) -> &str {
        id.split_once('-').map_or(id, |(group, _)| group)
    }
    let ids = || requirements.iter().map(|requirement| requirement.id.as_str());
    let of_its_group: Vec<_> = ids().filter(|known| group(known) == group(id)).collect();
    if of_its_group.is_empty() {
        let groups: BTreeSet<_> = ids().map(group).collect();
        let groups: Vec<_> = groups.into_iter().collect();
        return format!("there is no requirement {id}; they begin with {}", groups.join(", "));
    }
    format!("there is no requirement {id}; there are {}", of_its_group.join(", "))
}

/// What is wrong with a step in its place; `read` collects the certificates read so far.
fn step_problem(step: &Step, covers: &[String], read: &mut Vec<CertificateName>) -> Option<String> {
    if let Some(foreign) = step.covers.iter().find(|id| !covers.contains(id)) {
        return Some(format!("the step covers {foreign}, which the scenario does not"));
    }
    match &step.verb {
        Verb::Certificate(certificate) => {
            let issuer = match certificate.of {
                CertificateName::UserAuthentication => Some(CertificateName::UserAuthenticationCa),
                CertificateName::DigitalSignature => Some(CertificateName::DigitalSignatureCa),
                _ => None,
            };
            let missing = issuer.filter(|issuer| !read.contains(issuer));
            read.push(certificate.of);
            match missing {
                Some(issuer) if certificate.check.contains(&CertificateCheck::Path) => {
                    Some(format!("the path cannot be checked before the certificate {issuer} has been read"))
                }
                _ => None,
            }
        }
        Verb::Sign(sign)
            if sign.expect == super::SignExpect::Valid && !read.contains(&sign.key.certificate()) =>
        {
            let certificate = sign.key.certificate();
            Some(format!(
                "the signature cannot be verified before the certificate {certificate} has been read"
            ))
        }
        Verb::ChangePin(change) if !matches!(change.to, PinChoice::New | PinChoice::Right) => {
            Some("a PIN is changed to `new`, or back to `right`".to_owned())
        }
        Verb::Verify(verify)
            if verify.value == PinChoice::LowerCase && verify.pin != PinName::DigitalSignature =>
        {
            Some(format!("{} has no letters", verify.pin))
        }
        Verb::ReadBinary(read) if read.offset > 0x7FFF => {
            Some("an offset has 15 bits: 0 to 32767".to_owned())
        }
        Verb::ReadBinary(read) if read.sfi.is_some_and(|sfi| sfi > 31) => {
            Some("a short EF identifier is 0 to 31".to_owned())
        }
        Verb::ReadBinary(read) if read.sfi.is_some() && read.offset > 255 => {
            Some("an offset beside a short EF identifier has 8 bits: 0 to 255".to_owned())
        }
        Verb::ReadBinary(read) if read.le == 0 || read.le > 65_536 => Some("le is 1 to 65536".to_owned()),
        Verb::Transmit(transmit) if transmit.apdu.len() < 4 => {
            Some("a command has at least the four bytes CLA INS P1 P2".to_owned())
        }
        _ => None,
    }
}

/// Reads every `*.yaml` at or below `paths`, in the order of their names, and none twice. Ids must
/// be unique.
///
/// # Errors
/// The first thing that is wrong.
pub fn load_paths(paths: &[PathBuf], requirements: &Requirements) -> Result<Vec<Scenario>, LoadError> {
    let mut scenarios = Vec::new();
    let mut seen: HashMap<String, Position> = HashMap::new();
    let mut read: HashSet<PathBuf> = HashSet::new();
    for path in paths {
        for file in files(path)? {
            if file.canonicalize().is_ok_and(|file| !read.insert(file)) {
                continue;
            }
            let text = document::read(&file)?;
            let scenario = parse(&file.display().to_string(), &text, requirements)?;
            if let Some(first) = seen.insert(scenario.id.clone(), scenario.position.clone()) {
                let problem =
                    format!("the id {} is taken already, at {first}; each needs its own", scenario.id);
                return Err(DocumentError::invalid(&text, scenario.position, problem).into());
            }
            scenarios.push(scenario);
        }
    }
    Ok(scenarios)
}

fn files(path: &Path) -> Result<Vec<PathBuf>, LoadError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    list(path, &mut files)?;
    files.sort();
    if files.is_empty() {
        return Err(LoadError::Empty { path: path.to_owned() });
    }
    Ok(files)
}

/// Folders that are links are not entered: a link can close a circle.
fn list(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), LoadError> {
    let failed = |source| LoadError::Folder { path: folder.to_owned(), source };
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        if entry.file_type().map_err(failed)?.is_dir() {
            list(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml") && path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "id: a.b\ntitle: {ja: あ, en: a}\ncovers: [PIN-01]\n";

    fn problem(rest: &str) -> String {
        let text = format!("{HEAD}{rest}");
        parse("a.yaml", &text, &Requirements::built_in()).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn mistakes_are_shown_where_they_stand() {
        for (rest, message) in [
            ("steps: []\n", "a.yaml:4:8: a scenario has at least one step"),
            ("steps:\n  - selec: jpki\n", "a.yaml:5:5: unknown field `selec`"),
            ("steps:\n  - select: jpkl\n", "a.yaml:5:13: `jpkl` is no application"),
            ("steps:\n  - select: jpki\n    power: off\n", "a.yaml:5:5: `power` is a second verb"),
            ("steps:\n  - transmit: {apdu: \"00 A\"}\n", "a.yaml:5:22: 3 hexadecimal digits"),
            ("steps:\n  - transmit: {apdu: \"00 A4\"}\n", "a.yaml:5:5: a command has at least"),
            ("steps:\n  - power: off\n    covers: [PIN-02]\n", "a.yaml:5:5: the step covers PIN-02"),
            (
                "steps:\n  - sign: {key: user_authentication, data: {hex: \"00\"}}\n",
                "a.yaml:5:5: the signature cannot be verified before",
            ),
            ("given: {user_authentication: 3}\nsteps:\n  - power: off\n", "a.yaml:4:"),
        ] {
            let problem = problem(rest);
            assert!(problem.starts_with(message), "{rest}: {problem}");
        }
    }
}
