//! Every kind of file that a user names, and everything that can be wrong with one: a clear refusal within a second of the
//! processor's time and within bounded memory, for any of them. Plain links are followed.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

mod process;

use process::{Folder, Running, vmyna};
use rustix::process::Signal;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

/// Where each kind of file is named, as FILE; `good.yaml` is a scenario.
const KINDS: [(&str, &[&str]); 12] = [
    ("scenario", &["run", "FILE"]),
    ("scenario explained", &["explain", "mine", "FILE"]),
    ("holder", &["serve", "--listen", "0", "--holder", "FILE"]),
    ("holder shown", &["holders", "show", "FILE"]),
    ("profile", &["serve", "--listen", "0", "--profile", "FILE"]),
    ("timing", &["serve", "--listen", "0", "--timing", "FILE"]),
    ("list of expected failures", &["run", "good.yaml", "--expected", "FILE"]),
    ("anchor of trust", &["run", "good.yaml", "--trust", "FILE"]),
    ("state", &["serve", "--listen", "0", "--state", "FILE"]),
    ("report", &["report", "merge", "FILE"]),
    ("register of a PKI", &["pki", "hold", "hanako"]),
    ("TLS certificate", &["portal", "--bind", "0", "--tls-certificate", "FILE"]),
];

const SCENARIO: &str =
    "id: mine\ntitle: {ja: 選択, en: Selection}\ncovers: [SEL-01]\nsteps:\n  - select: jpki\n";

type Horror = fn(&Path);

fn text(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}

const HORRORS: [(&str, Horror); 18] = [
    ("empty", |path| text(path, "")),
    ("of white space", |path| text(path, &" \n\t\n".repeat(10_000))),
    ("nested deeply", |path| text(path, &"[".repeat(500_000))),
    ("nested deeply, in objects", |path| text(path, &"{\"a\":".repeat(100_000))),
    ("nested deeply, by indentation", |path| {
        text(path, &(0..1_000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<String>());
    }),
    ("a bomb of aliases", |path| {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..40 {
            let below = format!("*a{}, ", level - 1).repeat(10);
            bomb.push_str(&format!("a{level}: &a{level} [{below}]\n"));
        }
        text(path, &bomb);
    }),
    ("a chain of merges", |path| {
        let merge = |n: usize| format!("k{n}: &k{n} {{<<: *k{}, v{n}: 1}}\n", n.max(1) - 1);
        text(path, &(0..10_000).map(merge).collect::<String>());
    }),
    ("of huge numbers", |path| text(path, &format!("id: {}\nvmyna_state: 1e999\n", "9".repeat(900_000)))),
    ("one long line", |path| text(path, &"x".repeat(1_000_000))),
    ("of many entries", |path| text(path, &"- {a: b}\n".repeat(100_000))),
    ("of a hundred megabytes", |path| File::create(path).unwrap().set_len(100 << 20).unwrap()),
    ("not UTF-8", |path| fs::write(path, [b"id: ", &[0xFF, 0xFE, 0xC0, 0x80][..]].concat()).unwrap()),
    ("of bytes that are zero", |path| fs::write(path, [0; 5_000]).unwrap()),
    ("an endless device", |path| symlink("/dev/zero", path).unwrap()),
    ("an endless random device", |path| symlink("/dev/urandom", path).unwrap()),
    ("a pipe that nobody writes to", |path| {
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }),
    ("a link to itself", |path| symlink(path.file_name().unwrap(), path).unwrap()),
    ("a folder", |path| fs::create_dir(path).unwrap()),
];

/// Seconds of the processor that a refusal may take; without optimisation everything takes ten times as long.
const SECONDS: u32 = if cfg!(debug_assertions) { 10 } else { 1 };

/// `vmyna` with so much time of the processor and so much memory: what takes more is killed.
fn bounded(folder: &Folder, arguments: &[&str]) -> Command {
    let program = vmyna(arguments);
    let mut command = Command::new("prlimit");
    command
        .args([&format!("--cpu={SECONDS}"), "--data=268435456"])
        .arg(program.get_program())
        .args(program.get_args());
    command.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1").env("XDG_RUNTIME_DIR", folder.path());
    command.current_dir(folder.path()).stdin(Stdio::null());
    command
}

/// What is wrong with how a file of this kind is refused that is like this; nothing when all is well.
fn complaint(kind: &str, command: &[&str], name: &str, horror: Horror) -> Option<String> {
    let folder = Folder::new();
    let file = if kind == "register of a PKI" { "vmyna-pki/pki.json" } else { "file.yaml" };
    fs::create_dir_all(folder.path().join(file).parent().unwrap()).unwrap();
    horror(&folder.path().join(file));
    folder.write("good.yaml", SCENARIO);
    let arguments: Vec<_> = command.iter().map(|word| if *word == "FILE" { file } else { word }).collect();
    let ended = Running::start(&mut bounded(&folder, &arguments)).ends();
    let told = ended.stderr.contains("error: ") && ended.stderr.len() < 4_000;
    if ended.code == Some(2) && told && !ended.stderr.contains("panicked") {
        return None;
    }
    let said: String = ended.all().chars().take(600).collect();
    Some(format!("a {kind} that is {name}: {:?}\n{said}\n", ended.code))
}

#[test]
fn whatever_is_wrong_with_a_file_it_is_refused_at_once() {
    let wrong: Vec<String> = thread::scope(|scope| {
        let kinds = KINDS.map(|(kind, command)| {
            let horrors = HORRORS.into_iter();
            scope.spawn(move || {
                horrors
                    .filter_map(|(name, horror)| complaint(kind, command, name, horror))
                    .collect::<Vec<_>>()
            })
        });
        kinds.into_iter().flat_map(|kind| kind.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.concat());
}

/// As Kubernetes mounts configuration: a link to a file in a folder that is itself a link.
#[test]
fn plain_links_are_followed() {
    let folder = Folder::new();
    folder.write("..2026/scenario.yaml", SCENARIO);
    folder.write("..2026/holder.yaml", include_str!("../vectors/holders/hanako.yaml"));
    folder.write("..2026/profile.yaml", include_str!("../vectors/profiles/card.yaml"));
    folder.write("..2026/timing.yaml", include_str!("../vectors/timing/realistic.yaml"));
    folder.write("..2026/expected.yaml", "card: mine\nfailures: []\n");
    folder.write(
        "..2026/state.json",
        include_str!("../sim/tests/state_files/1-jpki-only.json").replace("hanako", "holder"),
    );
    symlink("..2026", folder.path().join("..data")).unwrap();
    for entry in fs::read_dir(folder.path().join("..2026")).unwrap() {
        let name = entry.unwrap().file_name();
        symlink(Path::new("..data").join(&name), folder.path().join(&name)).unwrap();
    }
    let of = ["--holder", "holder.yaml", "--profile", "profile.yaml"];
    let run = [&["run", "scenario.yaml", "--expected", "expected.yaml"], &of[..]].concat();
    let ended = Running::start(&mut bounded(&folder, &run)).ends();
    assert_eq!(
        (ended.code, ended.closing_line()),
        (Some(0), "1 passed, 0 failed, 0 skipped"),
        "{}",
        ended.all()
    );
    let serve = ["serve", "--listen", "127.0.0.1:0", "--timing", "timing.yaml", "--state", "state.json"];
    let mut card = Running::start(&mut bounded(&folder, &[&serve, &of[..]].concat()));
    card.tells_port("listening for a reader on");
    card.signal(Signal::TERM);
    assert_eq!(card.ends().code, Some(0));
}
