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
                Ok(found) => entries.extend(found),
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
    let mut names: Vec<_> = entries.iter().map(|entry| entry.file.display().to_string()).collect();
    names.dedup();
    if names.len() > 1 {
        findings.push(Finding::broken(
            format!("the virtual reader stands in {} files: {}", names.len(), names.join(", ")),
            &[
                "remove all but one: pcscd reads every file there, copies made by an editor too",
                machine.restart(),
            ],
        ));
    }
    if let (Some(twice), 1) = (sharing_a_driver(&entries), names.len()) {
        findings.push(Finding::broken(
            format!("{}: two entries share {}, and would show the same two cards", names[0], twice.display()),
            &[
                "give each its own copy of the driver (a link will not do), as docs/faults.md shows",
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

/// The driver that two entries name: it keeps its slots in one table, whatever their ports are.
fn sharing_a_driver(entries: &[Entry]) -> Option<&Path> {
    let mut rest = entries.iter();
    std::iter::from_fn(|| rest.next().map(|entry| (entry, rest.as_slice())))
        .find(|(entry, others)| others.iter().any(|other| other.library == entry.library))
        .map(|(entry, _)| &*entry.library)
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

/// An entry as far as it has been read.
#[derive(Default)]
struct Draft<'t> {
    name: Option<&'t str>,
    device: Option<(usize, &'t str)>,
    library: Option<&'t str>,
}

/// The entries of a file: each begins with its FRIENDLYNAME.
fn parse(file: &Path, text: &str) -> Result<Vec<Entry>, String> {
    let shown = file.display();
    let (mut entries, mut draft) = (Vec::new(), Draft::default());
    for (number, line) in lines(text) {
        let (key, value) =
            line.split_once(char::is_whitespace).map_or((line, ""), |(key, value)| (key, value.trim()));
        match key {
            "FRIENDLYNAME" if !(value.len() > 2 && value.starts_with('"') && value.ends_with('"')) => {
                return Err(format!(
                    "{shown}:{number}: FRIENDLYNAME stands in quotation marks, such as \"Virtual PCD\""
                ));
            }
            "FRIENDLYNAME" => {
                if draft.name.is_some() {
                    entries.push(std::mem::take(&mut draft).finished(file)?);
                }
                draft.name = Some(value);
            }
            "DEVICENAME" => draft.device = Some((number, value)),
            "LIBPATH" => draft.library = Some(value),
            "CHANNELID" => {}
            other => return Err(format!("{shown}:{number}: pcscd does not know `{other}`")),
        }
    }
    entries.push(draft.finished(file)?);
    Ok(entries)
}

impl Draft<'_> {
    fn finished(self, file: &Path) -> Result<Entry, String> {
        let shown = file.display();
        let missing = |what| format!("{shown}: the line {what} is missing");
        self.name.ok_or_else(|| missing("FRIENDLYNAME"))?;
        let (number, device) = self.device.ok_or_else(|| missing("DEVICENAME"))?;
        let library = PathBuf::from(self.library.ok_or_else(|| missing("LIBPATH"))?);
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
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEBIAN: &str = "FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME   /dev/null:0x8C7B\n\
                          LIBPATH      /usr/lib/libifdvpcd.so\nCHANNELID    0x8C7B\n";

    #[test]
    fn debians_file_is_understood() {
        let [entry] = parse(Path::new("vpcd"), DEBIAN).unwrap().try_into().unwrap();
        assert_eq!((entry.port, entry.host), (35963, None));
        let reversed = DEBIAN.replace("/dev/null:0x8C7B", "192.168.0.4:4711");
        let [entry] = parse(Path::new("vpcd"), &reversed).unwrap().try_into().unwrap();
        assert_eq!((entry.port, entry.host.as_deref()), (4711, Some("192.168.0.4")));
    }

    #[test]
    fn more_slots_need_more_copies_of_the_driver() {
        let second = DEBIAN.replace("0x8C7B", "0x8C7D").replace("Virtual PCD", "Virtual PCD B");
        let both = |second: &str| parse(Path::new("vpcd"), &format!("{DEBIAN}\n{second}")).unwrap();
        let shared = both(&second);
        assert_eq!(shared.iter().map(|entry| entry.port).collect::<Vec<_>>(), [35963, 35965]);
        assert_eq!(sharing_a_driver(&shared), Some(Path::new("/usr/lib/libifdvpcd.so")));
        let apart = both(&second.replace("libifdvpcd.so", "libifdvpcd-b.so"));
        assert_eq!(sharing_a_driver(&apart), None);
        assert_eq!(sharing_a_driver(&apart[..1]), None);
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
