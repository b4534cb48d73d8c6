//! `vmyna vectors`: the portable vectors as files.

use super::Failure;
use crate::exit::Exit;
use crate::requirement::Requirements;
use crate::scenario;
use crate::vectors::{VectorFile, generate};
use clap::Args;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Write what is said in the built-in scenarios as JSON, for clients and cards in any language.
///
/// One file for each group of scenarios, and `schema.json`. Holder, seed and clock are fixed, so the
/// files are the same each time. A *.json in DIR that is not written is from an older version, and is
/// removed if it names the same schema; everything else in DIR stays.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The folder, made when it is not there
    #[arg(long, value_name = "DIR", default_value = "vectors/apdu")]
    out: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  vmyna vectors --out my-tests/vectors
  vmyna serve --listen 0 --holder hanako --clock 2026-04-01T00:00:00Z
                                       a card to replay them against";

pub(super) fn vectors(arguments: &Arguments) -> Result<Exit, Failure> {
    let requirements = Requirements::built_in();
    let mut scenarios = scenario::built_in(&requirements);
    // A flow is no conversation that could be sent once more: each challenge is another.
    scenarios.retain(|scenario| scenario.flow.is_none());
    let files = generate(&scenarios, &requirements).map_err(|error| Failure::Usage(error.to_string()))?;
    let out = &arguments.out;
    let failed = |path: &Path, error: std::io::Error| {
        Failure::Usage(format!("{}: cannot be written: {error}", path.display()))
    };
    fs::create_dir_all(out).map_err(|error| failed(out, error))?;
    let mut bytes = 0;
    for VectorFile { name, text } in &files {
        let path = out.join(name);
        bytes += text.len();
        fs::write(&path, text).map_err(|error| failed(&path, error))?;
    }
    remove_left_over(out, &files);
    let _ = writeln!(
        anstream::stderr(),
        "{}: {} files of vectors from {} scenarios, {} KiB",
        out.display(),
        files.len() - 1,
        scenarios.len(),
        bytes / 1024
    );
    Ok(Exit::Success)
}

/// Groups that there are no more.
fn remove_left_over(out: &Path, files: &[VectorFile]) {
    let Ok(entries) = fs::read_dir(out) else { return };
    for path in entries.filter_map(|entry| entry.ok().map(|entry| entry.path())) {
        let name = path.file_name().unwrap_or_default();
        let is_ours = path.extension().is_some_and(|extension| extension == "json")
            && fs::read_to_string(&path)
                .is_ok_and(|text| text.starts_with("{\n\"$schema\": \"schema.json\""));
        if is_ours && !files.iter().any(|file| file.name.as_str() == name) {
            // What cannot be removed is only older than it could be.
            let _ = fs::remove_file(&path);
        }
    }
}
