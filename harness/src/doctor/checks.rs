//! The checks, in the order in which one thing needs another.

use super::machine::{Owner, Process};
use super::reader_conf::{self, Entry};
use super::{Finding, Machine};

/// Slots that Debian's driver has; each listens on the port after that of the one before.
const SLOTS: u16 = 2;

/// Examines `machine`. `readers` are those that PC/SC shows, or what it says instead; `None` where this
/// program was built without it.
#[must_use]
pub fn examine(machine: &Machine, readers: Option<Result<Vec<String>, String>>) -> Vec<Finding> {
    let mut findings = Vec::new();
    findings.push(pcscd_program(machine));
    let (entry, problems) = reader_conf::examine(machine);
    findings.extend(problems);
    findings.extend(entry.iter().map(|entry| driver(machine, entry)));
    let daemons = machine.processes("pcscd");
    findings.push(service(machine, &daemons));
    if let Some(entry) = &entry {
        findings.extend(daemons.first().and_then(|daemon| started_too_early(machine, daemon, entry)));
        match &entry.host {
            None => {
                findings.extend((0..SLOTS).map(|slot| port(machine, entry.port + slot, !daemons.is_empty())));
            }
            Some(host) => findings.push(Finding::note(
                format!("the driver connects to {host}:{}, where a card must listen", entry.port),
                &["vmyna serve --listen HOST:PORT        # this is vpcd's reversed mode"],
            )),
        }
    }
    if !daemons.is_empty() || machine.socket_answers() {
        findings.push(reader_list(machine, readers));
    }
    findings.push(open_sc(machine));
    findings
}

fn pcscd_program(machine: &Machine) -> Finding {
    match machine.program("pcscd") {
        Some(path) => Finding::good(format!("pcscd is installed: {}", path.display())),
        None => {
            Finding::broken("pcscd is not installed: no program sees any reader", &["apt-get install pcscd"])
        }
    }
}

fn driver(machine: &Machine, entry: &Entry) -> Finding {
    let library = machine.file(&entry.library.to_string_lossy());
    if library.is_file() {
        return Finding::good(format!(
            "the virtual reader's driver is installed: {}",
            entry.library.display()
        ));
    }
    Finding::broken(
        format!("{} names the driver {}, which is not there", entry.file.display(), entry.library.display()),
        &["apt-get install --reinstall vsmartcard-vpcd", machine.restart()],
    )
}

fn service(machine: &Machine, daemons: &[Process]) -> Finding {
    let socket = machine.socket().display();
    match daemons {
        [] if machine.socket_answers() => Finding::note(
            format!("pcscd is not running; systemd starts it when a program asks ({socket})"),
            &["the virtual reader is there from then on: `opensc-tool --list-readers` asks"],
        ),
        [] => Finding::broken(
            format!("pcscd is not running, and nothing answers at {socket}"),
            &[machine.start()],
        ),
        [daemon] => Finding::good(format!("pcscd is running (process {})", daemon.id)),
        several => Finding::note(
            format!("{} pcscd are running; programs reach the one at {socket}", several.len()),
            &["PCSCLITE_CSOCK_NAME=PATH sends a program to another"],
        ),
    }
}

fn started_too_early(machine: &Machine, daemon: &Process, entry: &Entry) -> Option<Finding> {
    let library = machine.file(&entry.library.to_string_lossy());
    let installed =
        [Machine::came_here(&entry.file), Machine::came_here(&library)].into_iter().flatten().max()?;
    (daemon.started? < installed).then(|| {
        Finding::broken(
            format!("pcscd (process {}) was started before the driver was installed or changed", daemon.id),
            &[machine.restart(), "it reads its drivers once, when it starts"],
        )
    })
}

fn port(machine: &Machine, port: u16, is_running: bool) -> Finding {
    match machine.listener(port) {
        Owner::Process(Process { name, .. }) if name == "pcscd" => match machine.client(port) {
            Owner::Nobody => Finding::good(format!("the virtual reader awaits a card on port {port}")),
            Owner::Process(Process { id, name, .. }) => {
                Finding::good(format!("port {port}: a card is in the virtual reader: {name} (process {id})"))
            }
            Owner::Unknown => Finding::good(format!("port {port}: a card is in the virtual reader")),
        },
        Owner::Process(Process { id, name, .. }) => Finding::broken(
            format!("port {port}, where the virtual reader should listen, is taken by {name} (process {id})"),
            &[
                "end that program, and start pcscd anew:",
                machine.restart(),
                "or give the reader another port: DEVICENAME in /etc/reader.conf.d/vpcd",
            ],
        ),
        Owner::Unknown => Finding::note(
            format!("somebody else's process listens on port {port}: pcscd, as it should be, or another"),
            &["as root this command can tell"],
        ),
        Owner::Nobody if is_running => Finding::broken(
            format!("pcscd runs, and nobody listens on port {port}: it has not loaded the virtual reader"),
            &[machine.restart(), "pcscd --foreground --debug        # in its place: says why not"],
        ),
        Owner::Nobody => Finding::note(format!("port {port} is free for the virtual reader"), &[]),
    }
}

fn reader_list(machine: &Machine, readers: Option<Result<Vec<String>, String>>) -> Finding {
    let (readers, by) = match readers {
        Some(readers) => (readers, "PC/SC"),
        None => match machine.ask("opensc-tool", &["--list-readers"]) {
            Some(said) => (Ok(names(&said)), "opensc-tool"),
            None => {
                return Finding::note(
                    "which readers there are is not known: this vmyna was built without PC/SC, and OpenSC is not here",
                    &[
                        "apt-get install opensc",
                        "or build vmyna with `--features pcsc` (apt-get install libpcsclite-dev pkg-config)",
                    ],
                );
            }
        },
    };
    match readers {
        Ok(readers) if readers.is_empty() => Finding::note(
            format!("{by} shows no reader"),
            &["what stands above says why, for the virtual one"],
        ),
        Ok(readers) => Finding::good(format!("{by} shows {} readers: {}", readers.len(), readers.join(", "))),
        Err(reason) => Finding::broken(format!("no readers can be listed: {reason}"), &[]),
    }
}

/// The last column of what `opensc-tool --list-readers` prints.
fn names(listing: &str) -> Vec<String> {
    let mut lines = listing.lines().skip_while(|line| !line.starts_with("Nr."));
    let Some(column) = lines.next().and_then(|heading| heading.find("Name")) else { return Vec::new() };
    lines.filter_map(|line| line.get(column..)).map(|name| name.trim().to_owned()).collect()
}

fn open_sc(machine: &Machine) -> Finding {
    let install = &["apt-get install opensc opensc-pkcs11"];
    let Some(drivers) = machine.ask("opensc-tool", &["--list-drivers"]) else {
        return Finding::note(
            "OpenSC is not here; it is not needed, and the quickest client to try a card with",
            install,
        );
    };
    if !drivers.lines().any(|line| line.trim_start().starts_with("jpki")) {
        return Finding::note("this OpenSC is too old to know JPKI cards: 0.20 was the first", install);
    }
    Finding::good("OpenSC knows JPKI cards: try `pkcs15-tool --dump`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::State;
    use std::fs;
    use std::path::Path;
    use tempfile::TempDir;

    const CONF: &str =
        "FRIENDLYNAME \"Virtual PCD\"\nDEVICENAME /dev/null:0x8C7B\nLIBPATH /usr/lib/libifdvpcd.so\n";

    fn write(root: &TempDir, path: &str, text: &str) {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// A machine with pcscd, running since `started` seconds after 1970, and the driver.
    fn machine(started: u64) -> TempDir {
        let root = TempDir::new().unwrap();
        write(&root, "usr/sbin/pcscd", "");
        write(&root, "etc/reader.conf.d/vpcd", CONF);
        write(&root, "usr/lib/libifdvpcd.so", "");
        write(&root, "proc/stat", "cpu 1 2 3\nbtime 0\n");
        let stat = format!("77 (pcscd) S {}{} 0 0\n", "0 ".repeat(18), started * TICKS);
        write(&root, "proc/77/stat", &stat);
        root
    }

    const TICKS: u64 = 100;
    const FAR_FUTURE: u64 = 100_000_000_000;

    fn listen(root: &TempDir, id: u32, port: u16, inode: u32) {
        let line = format!("   0: 0100007F:{port:04X} 00000000:0000 0A 0:0 00:0 0 0 0 {inode} 1 x\n");
        let table = root.path().join("proc/net/tcp");
        let so_far = fs::read_to_string(&table).unwrap_or_else(|_| "  sl  local_address\n".to_owned());
        write(root, "proc/net/tcp", &(so_far + &line));
        let files = root.path().join(format!("proc/{id}/fd"));
        fs::create_dir_all(&files).unwrap();
        std::os::unix::fs::symlink(Path::new(&format!("socket:[{inode}]")), files.join(inode.to_string()))
            .unwrap();
    }

    fn broken(root: &TempDir) -> Vec<String> {
        let findings = examine(&Machine::below(root.path()), Some(Ok(vec!["Virtual PCD 00 00".to_owned()])));
        findings.into_iter().filter(|found| found.state == State::Broken).map(|found| found.what).collect()
    }

    #[test]
    fn a_machine_with_everything_is_in_order() {
        let root = machine(FAR_FUTURE);
        listen(&root, 77, 35963, 1);
        listen(&root, 77, 35964, 2);
        assert_eq!(broken(&root), Vec::<String>::new());
    }

    #[test]
    fn an_empty_machine_is_told_what_to_install() {
        let root = TempDir::new().unwrap();
        let broken = broken(&root);
        assert!(broken[0].starts_with("pcscd is not installed"), "{broken:?}");
        assert!(broken[1].starts_with("no virtual reader"), "{broken:?}");
        assert!(broken[2].starts_with("pcscd is not running"), "{broken:?}");
    }

    #[test]
    fn a_pcscd_from_before_the_driver_is_recognised() {
        let root = machine(1_000);
        let broken = broken(&root);
        assert!(broken[0].contains("was started before the driver was installed"), "{broken:?}");
        assert!(broken[1].contains("nobody listens on port 35963"), "{broken:?}");
    }

    #[test]
    fn who_has_taken_the_port_is_named() {
        let root = machine(FAR_FUTURE);
        write(&root, "proc/88/stat", &format!("88 (my card) S {}1 0\n", "0 ".repeat(18)));
        listen(&root, 88, 35963, 5);
        listen(&root, 77, 35964, 6);
        let broken = broken(&root);
        assert_eq!(broken.len(), 1, "{broken:?}");
        assert!(broken[0].ends_with("is taken by my card (process 88)"), "{broken:?}");
    }

    #[test]
    fn copies_and_missing_drivers_are_found() {
        let root = machine(FAR_FUTURE);
        listen(&root, 77, 35963, 1);
        listen(&root, 77, 35964, 2);
        write(&root, "etc/reader.conf.d/vpcd~", CONF);
        fs::remove_file(root.path().join("usr/lib/libifdvpcd.so")).unwrap();
        let broken = broken(&root);
        assert!(broken[0].starts_with("the virtual reader stands in 2 files"), "{broken:?}");
        assert!(broken[1].contains("which is not there"), "{broken:?}");
    }
}
