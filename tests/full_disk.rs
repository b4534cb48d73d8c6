//! A disk that is really full, or becomes read-only, under `vmyna serve`. Where this user may not mount one the test is
//! ignored and says so; with `VMYNA_REQUIRE_MOUNT=1` (.ci/run sets it) it fails.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

#[path = "disk/failing.rs"]
mod failing;
mod process;

use failing::{keeps_everything_as_it_was, listening, serve_with_state, while_the_disk_fails};
use libtest_mimic::{Arguments, Completion, Trial};
use process::reader::AUTHENTICATION_PIN;
use process::{Folder, run};
use std::process::{Child, Command, ExitCode, Stdio};

fn main() -> ExitCode {
    let disk = SmallDisk::mounted();
    let required = std::env::var_os("VMYNA_REQUIRE_MOUNT").is_some_and(|value| value == "1");
    // A test that decides while running not to run has passed in the eyes of nextest: let it know before.
    let known_before = std::env::var_os("NEXTEST").is_some() && disk.is_none() && !required;
    let run = move || match disk {
        Some(disk) => {
            is_told_and_spends_nothing(&disk);
            Ok(Completion::Completed)
        }
        None if required => Err("this user may not mount a disk that can be filled; root may".into()),
        None => Ok(Completion::ignored_with(
            "not run: this user may not mount a disk that can be filled; root may",
        )),
    };
    let trial =
        Trial::ignorable_test("a_disk_that_is_really_full_or_read_only_is_told_and_spends_nothing", run);
    libtest_mimic::run(&Arguments::from_args(), vec![trial.with_ignored_flag(known_before)]).exit_code()
}

/// A small disk of our own, in a mount namespace that ends with this.
struct SmallDisk {
    keeper: Child,
    folder: Folder,
}

impl SmallDisk {
    /// `None` where this user may not mount.
    fn mounted() -> Option<Self> {
        let folder = Folder::new();
        let mut keeper = Command::new("unshare");
        keeper.args([
            "--mount",
            "sh",
            "-c",
            "mount -t tmpfs -o size=64k disk \"$0\" && echo mounted && read -r end",
        ]);
        keeper.arg(folder.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut keeper = keeper.spawn().ok()?;
        let mut said = String::new();
        let stdout = keeper.stdout.take().expect("a pipe");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut said).unwrap();
        if said != "mounted\n" {
            let _ = keeper.wait();
            return None;
        }
        Some(Self { keeper, folder })
    }

    /// A program that sees this disk.
    fn before_it(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--mount", "--target", &self.keeper.id().to_string(), program]).stdin(Stdio::null());
        command.env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1");
        command
    }

    fn card(&self) -> Command {
        let mut command = self.before_it(env!("CARGO_BIN_EXE_vmyna"));
        command.args(serve_with_state(&self.folder.path().join("hanako.json")));
        command
    }

    fn sh(&self, script: &str) -> Vec<u8> {
        let output = self.before_it("sh").args(["-c", script]).arg(self.folder.path()).output().unwrap();
        output.stdout
    }

    fn fill(&self) {
        self.sh("cat /dev/zero >\"$0/filler\"");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take()); // the end of what it reads is its end
        let _ = self.keeper.wait();
    }
}

fn is_told_and_spends_nothing(disk: &SmallDisk) {
    let refused = || {
        let ended = run(&mut disk.card());
        assert_eq!(ended.code, Some(2), "{}", ended.all());
        ended.stderr.replace(disk.folder.path().to_str().unwrap(), "[disk]")
    };
    disk.fill();
    insta::assert_snapshot!(refused(), @"error: [disk]/hanako.json: creating it failed: no storage space");
    disk.sh("rm \"$0/filler\"; mount -o remount,ro \"$0\"");
    insta::assert_snapshot!(refused(), @"error: [disk]/hanako.json: creating it failed: read-only filesystem or storage medium");
    disk.sh("mount -o remount,rw \"$0\"");

    let state = || disk.sh("cat \"$0/hanako.json\"");
    let mend = |_| drop(disk.sh("rm -f \"$0/filler\"; mount -o remount,rw \"$0\""));
    while_the_disk_fails(|| disk.card(), |_| disk.fill(), mend, state);

    // Nothing becomes read-only that is open for writing, so a card that has not written yet is looked at.
    disk.sh("rm \"$0/hanako.json\"");
    let (card, mut terminal) = listening(&mut disk.card());
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C2);
    card.kill();
    let (card, mut terminal) = listening(&mut disk.card());
    disk.sh("mount -o remount,ro \"$0\"");
    keeps_everything_as_it_was(&mut terminal);
    mend(card.pid());
    assert_eq!(terminal.verify(AUTHENTICATION_PIN, "0000"), 0x63C1);
    card.kill();
    assert_eq!(String::from_utf8_lossy(&disk.sh("ls -A \"$0\"")), "hanako.json\n", "nothing else is left");
}
