//! `reader.conf.d`: what pcscd reads of readers that are not on USB. It reads every file there, those
//! that an editor left behind included.

use super::{Finding, Machine};
use std::fs;
use std::path::{Path, PathBuf};

/// An entry for the virtual reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// where it stands
    pub file: PathBuf,
    /// the port of the first slot
    pub port: u16,
    /// the host that the driver connects to, where it does not listen itself
    pub host: Option<String>,
    /// the driver
    pub library: PathBuf,
}

const FOLDER: &str = "/etc/reader.conf.d";

/// The entry for the virtual reader, and what is wrong with the files.
pub(super) fn examine(machine: &Machine) -> (Option<Entry>, Vec<Finding>) {
    let mut entries = Vec::new();
    let mut findings = Vec::new();
    let folder = machine.file(FOLDER);
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    for file in files {
        match fs::read_to_string(&file) {
            Ok(text) if mentions_vpcd(&text) => match parse(&file, &text) {
                Ok(entry) => entries.push(entry),
                Err(problem) => {
                    findings.push(Finding::broken(problem, &["apt-get install --reinstall vsmartcard-vpcd"]));
                }
            },
            Ok(_) => {}
            Err(error) => {
                findings.push(Finding::note(format!("{}: cannot be read: {error}", file.display()), &[]));
            }
        }
    }
    if entries.len() > 1 {
        let names: Vec<_> = entries.iter().map(|entry| entry.file.display().to_string()).collect();
        findings.push(Finding::broken(
            format!("the virtual reader stands in {} files: {}", entries.len(), names.join(", ")),
            &[
                "remove all but one: pcscd reads every file there, copies made by an editor too",
                machine.restart(),
            ],
        ));
    }
    if entries.is_empty() && findings.is_empty() {
        findings.push(Finding::broken(
            format!("no virtual reader: nothing in {} names its driver", folder.display()),
            &["apt-get install vsmartcard-vpcd", machine.restart()],
        ));
    }
    (entries.into_iter().next(), findings)
}

fn mentions_vpcd(text: &str) -> bool {
    lines(text).any(|(_, line)| line.to_lowercase().contains("vpcd"))
}

/// The lines that say something, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(number, line)| (number + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn parse(file: &Path, text: &str) -> Result<Entry, String> {
    let shown = file.display();
    let (mut device, mut library, mut name) = (None, None, None);
    for (number, line) in lines(text) {
        let (key, value) =
            line.split_once(char::is_whitespace).map_or((line, ""), |(key, value)| (key, value.trim()));
        match key {
            "FRIENDLYNAME" if !(value.len() > 2 && value.starts_with('"') && value.ends_with('"')) => {
                return Err(format!(
                    "{shown}:{number}: FRIENDLYNAME stands in quotation marks, such as \"Virtual PCD\""
                ));
            }
            "FRIENDLYNAME" => name = Some(value),
            "DEVICENAME" => device = Some((number, value)),
            "LIBPATH" => library = Some(value),
            "CHANNELID" => {}
            other => return Err(format!("{shown}:{number}: pcscd does not know `{other}`")),
        }
    }
    let missing = |what| format!("{shown}: the line {what} is missing");
    name.ok_or_else(|| missing("FRIENDLYNAME"))?;
    let (number, device) = device.ok_or_else(|| missing("DEVICENAME"))?;
    let library = PathBuf::from(library.ok_or_else(|| missing("LIBPATH"))?);
    let (host, port) = device.rsplit_once(':').unwrap_or((device, "0x8C7B"));
    // As the driver reads it: strtoul with any base.
    let number_of = |text: &str| match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u16::from_str_radix(hex, 16),
        None => text.parse(),
    };
    let port = number_of(port).map_err(|_| format!("{shown}:{number}: `{port}` is no port"))?;
    let host = (host != "/dev/null").then(|| host.to_owned());
    Ok(Entry { file: file.to_owned(), port, host, library })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME   /dev/null:0x8C7B\n\
                          LIBPATH      /usr/lib/libifdvpcd.so\nCHANNELID    0x8C7B\n";

    #[test]
    fn debians_file_is_understood() {
        let entry = parse(Path::new("vpcd"), DEBIAN).unwrap();
        assert_eq!((entry.port, entry.host), (35963, None));
        let reversed = DEBIAN.replace("/dev/null:0x8C7B", "192.168.0.4:4711");
        let entry = parse(Path::new("vpcd"), &reversed).unwrap();
        assert_eq!((entry.port, entry.host.as_deref()), (4711, Some("192.168.0.4")));
    }

    #[test]
    fn mistakes_are_shown_with_their_line() {
        for (from, to, told) in [
            ("\"Virtual PCD\"", "Virtual PCD", "vpcd:1: FRIENDLYNAME stands in quotation marks"),
            ("0x8C7B\nLIB", "port\nLIB", "vpcd:2: `port` is no port"),
            ("LIBPATH      /usr/lib/libifdvpcd.so\n", "", "vpcd: the line LIBPATH is missing"),
            ("CHANNELID", "CHANNEL", "vpcd:4: pcscd does not know `CHANNEL`"),
        ] {
            let problem = parse(Path::new("vpcd"), &DEBIAN.replacen(from, to, 1)).unwrap_err();
            assert!(problem.starts_with(told), "{problem}");
        }
    }
}
