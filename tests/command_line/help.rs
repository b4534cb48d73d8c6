//! What the program says of itself: help texts, and completions for shells.

use crate::process::{Folder, run, vmyna};

#[test]
fn the_help_texts_teach() {
    let help = |arguments: &[&str]| {
        let ended = run(&mut vmyna(arguments));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        // clap ends some of its empty lines with spaces
        ended.stdout.lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(help(&["--help"]), @"
    A virtual My Number card (個人番号カード), and a harness that replays documented flows against any card

    Usage: vmyna <COMMAND>

    Commands:
      run          Replay scenarios against a card
      explain      Say in words what a scenario does, or what a requirement says
      schema       Print the JSON schema of scenario files, for editors
      serve        Put a virtual card into a reader and keep it there
      card         Remove, insert, swap or unblock the card of a running `vmyna serve`
      wait         Wait until the reader sees the card
      diff         Play the same scenarios against two cards, and show where their bytes differ
      record       Write down what a client says to a card, as a scenario
      vectors      Write what is said in the built-in scenarios as JSON, for clients and cards in any
                   language
      doctor       Look at what a virtual reader needs here: pcscd, the driver vpcd, its ports, the
                   readers, OpenSC
      pki          Write the TEST hierarchy for relying parties, answer OCSP, revoke
      portal       Serve the relying party: 健康保険証利用の申込 and 状況照会, with a phone and a card on the page
      report       Put the reports of shards together; print the schema of JSON reports
      holders      List the built-in holders, or show one
      completions  Print the completions of a shell
      help         Print this message or the help of the given subcommand(s)

    Options:
      -h, --help     Print help
      -V, --version  Print version

    Examples:
      vmyna run                 replay every scenario against the built-in card
      vmyna run --list          what there is to replay
      vmyna explain PIN-05      what a requirement says, and which scenarios prove it
      vmyna serve               put a card into pcscd's virtual reader, for any PC/SC program
      vmyna run --card vpcd     replay against a virtual card that connects here
      vmyna portal              apply with a virtual card in a browser
      vmyna pki write           what a service needs to trust the card's certificates
    `vmyna COMMAND --help` says more.

    Exit codes:
      0  something ran and nothing failed
      1  something failed
      2  wrong usage, a broken file, nothing selected
      3  no card or reader within the wait, or nothing could run
    ");
    insta::assert_snapshot!(help(&["run", "--help"]), @r#"
    Replay scenarios against a card.

    Without PATH the built-in scenarios run; without --card they run against the built-in card, each on
    a fresh one. A failing step shows its file and line, what was expected, what came, both APDUs and
    the requirement. The last line is `N passed, N failed, N skipped`.

    A card that is not built in may be somebody's real one, unless its certificates name JPKI-VMYNA-TEST
    or --mine says otherwise. Then no PIN is presented but the right ones of --holder, none is changed,
    and a right PIN that is refused is the last one presented. What will be done is printed before the
    first command is sent.

    Usage: vmyna run [OPTIONS] [PATH]...

    Arguments:
      [PATH]...
              Scenario files, or folders of them (every *.yaml at any depth) [default: those built in]

    Options:
          --card <SEAT>
              Who sits in the card seat: `sim` (built in), `vpcd[:PORT]` (play the reader on PORT, 35963
              unless told otherwise, and wait for a virtual card), `vicc:HOST:PORT` (connect to a
              virtual card that listens), `pcsc[:READER]` (the card in a reader of PC/SC: READER is its
              name or a part of it; without, the only one with a card)

              [default: sim]

          --holder <NAME|FILE>
              Whose PINs: a built-in holder or a holder file [default: each scenario's own]

          --profile <NAME|FILE>
              What kind of card is built in: a built-in profile or a profile file [default: card]

          --trust <FILE>
              CA certificates (PEM or DER) that the card's must lead to [default: the CA on the card]

          --mine
              The card is a simulator: nothing needs to be held back

          --spend-tries
              Wrong PINs may be presented to a card that may be real, up to blocking it

          --change-pins
              PINs of a card that may be real may be changed; they are changed back

          --ask-pins
              Ask on the terminal for the PINs that will be presented; nothing shows while they are
              typed

          --exclusive
              Keep other programs away from a card in a reader of PC/SC

          --fresh <COMMAND>
              Start the card anew with this shell command before each scenario, and end it afterwards,
              so that no scenario finds what another has left. The command finds the port at which its
              card is expected in VMYNA_PORT, and the number of its job in VMYNA_JOB

          --tag <EXPR>
              Only scenarios with these tags, for example "pin and not lockout"; --list shows them

          --list[=<HOW>]
              Only list what would run: id, title and tags; --list=steps shows every step in words

              Possible values:
              - titles: one line
              - steps:  and its steps in words

          --jobs <N>
              How many scenarios to play at once, each on a built-in card of its own [default: one for
              each processor, but 1 with --fail-fast]. Another card plays one at a time, unless --fresh
              starts cards: then each job has one, at the port of --card and those that follow

          --shard <I/N>
              Only the I-th of N parts of what is selected, for machines that share a suite; a
              scenario's part follows from its id

          --report <FORMAT=PATH>
              Also write a report: junit=PATH, json=PATH, html=PATH or tap=PATH; repeatable. The path -
              is standard output, and the text then goes to standard error

      -v, --verbose
              Show every step in words, every command with its answer, and every screen of a flow

          --fail-fast
              Stop at the first failure; what was not run is reported as such

          --expected <FILE>
              Failures that are known of this card, each with its reason; one that does not come is a
              failure itself

          --wait <SECONDS>
              How long to wait for a card that is not there yet, or that has gone

              [default: 10]

          --lang <LANG>
              Language of the report [default: from the locale]

              Possible values:
              - ja: 日本語
              - en: English

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      vmyna run                                    everything, against the built-in card
      vmyna run --tag 'pin and not lockout'        some of it
      vmyna run my-scenarios/                      your own
      vmyna run --card vicc:127.0.0.1:35963        a virtual card that listens
      vmyna run --card pcsc --ask-pins --tag 'not lockout'
                                                   the card in the reader on the desk; no wrong PIN
                                                   leaves
      vmyna run --card vpcd --mine --jobs 4 --fresh 'my-card --connect 127.0.0.1:$VMYNA_PORT'
                                                   another simulator, started anew for each scenario

    Exit codes:
      0  something ran and nothing failed
      1  something failed, or the card was lost
      2  wrong usage, a broken file, nothing selected, a report that could not be written
      3  no card within the wait, or nothing could run
      130  stopped by Ctrl-C before the end, and nothing had failed
    "#);
    insta::assert_snapshot!(help(&["serve", "--help"]), @"
    Put a virtual card into a reader and keep it there.

    The card connects to pcscd's virtual reader (vpcd), and again whenever pcscd comes back. What it
    waits for is said on standard error; a line `ready` on standard output says that the reader has
    powered the card. SIGINT and SIGTERM end it. Meanwhile `vmyna card` takes the card out, puts it in,
    swaps it, unblocks its PINs and arms faults.

    Usage: vmyna serve [OPTIONS]

    Options:
          --holder <NAME|FILE>
              Whose card: a built-in holder or a holder file; given several times, a card for each, in
              one slot after the other [default: hanako]

          --slots <N>
              In how many slots; the holders take turns [default: as many as there are holders]

          --profile <NAME|FILE>
              What kind of card: a built-in profile or a profile file

              [default: card]

          --timing <NAME|FILE>
              How long the card takes: instant, realistic (as over a contactless reader), or a file
              [default: as the profile says, which is instant]

          --state <FILE>
              Keep counters and changed PINs in this file, which is made when it is not there; without
              it every start is a fresh card. With several slots, once for each

          --ocsp-url <URL>
              The OCSP responder that its certificate names; `vmyna pki serve` is one

              [default: http://ocsp.vmyna.test]

          --clock <INSTANT>
              Issue the card as of this instant, such as 2026-04-01T00:00:00Z [default: now]

          --connect <HOST:PORT>
              Where the reader listens, now or later; slot n is n ports further

              [default: 127.0.0.1:35963]

          --listen <HOST:PORT>
              Listen for the reader instead (vpcd's reversed mode); a PORT alone means this machine
              only, and port 0 one that is free, which is told on standard error

          --trace[=<FILE>]
              Add every command and answer, PINs masked, to FILE [without FILE: standard error]

          --fault <SPEC>
              Something that goes wrong, such as mute=2s@sign (repeatable); `--help` tells all

          --fault-seed <N>
              What the faults that are left to chance follow from [default: by chance, and told]

          --control <PATH>
              The socket for `vmyna card` [default: one of its own in $XDG_RUNTIME_DIR/vmyna]

      -h, --help
              Print help (see a summary with '-h')

    Examples:
      vmyna serve                              hanako's card into pcscd's first virtual reader
      vmyna serve --connect 127.0.0.1:35964    into the second one
      vmyna serve --slots 2                    a card into each of the two
      vmyna serve --state hanako.json          counters and PINs outlive the process
      vmyna serve --listen 35963               wait for `vmyna run --card vicc:127.0.0.1:35963`
      vmyna serve --timing realistic           signing takes more than half a second, as it does
      vmyna serve --fault remove=during@sign   pull the card out of the reader when it signs

    Faults (--fault):
    A fault is WHAT[=VALUE][@WHEN]; without WHEN it strikes at the first command.
    WHAT
      remove[=before|during|after][,close|reset|half]
                           the card leaves: before the command is done, when it is done but not
                           answered, or after the answer; closing the connection, tearing it, or
                           within the answer
      mute[=TIME][,during] no answer for TIME (5s), then the card leaves; with `during` the command
                           is done all the same
      delay=TIME           the answer is later
      jitter=TIME..TIME    the answer is later, by chance
      wtx=N                the answer is later by N block waiting times of 1.6 s
      length=-N|+N         N bytes of data less or more; the status stays
      no-status            the status is missing
      half-status          half of the status is missing
      extra[=N]            N bytes follow the status
      flip[=N]             N bits of the answer are flipped
      status=XXXX          this status; the command does not reach the card
      stale                the answer before once more, and each later answer one request late,
                           until the power goes
      off-on[=N]           N power cycles before the command; off-on-storm is 20
      reset[=N]            N warm resets before the command; reset-storm is 20
      swap[=serial]        another person's card with the same ATR comes back
      swap=atr             the same card with another ATR comes back
      no-card              the card leaves, until it is inserted again
      no-reader            the connection is torn, until the card is inserted again
    WHEN
      N                    at the Nth command, counted from 1
      NAME[#N]             at the first (Nth) select, read, verify, tries-left, change-pin, sign,
                           authenticate, challenge, get-data, or ins=XX
      atr[#N]              when the reader asks for the ATR
      P%                   at each command with this probability
      always               at each command
    TIME is such as 200ms or 1.5s, at most 10 minutes.
    ");
}

#[test]
fn without_a_command_the_help_is_shown_as_an_error() {
    let ended = run(&mut vmyna::<&str>([]));
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(ended.stderr.contains("Usage: vmyna <COMMAND>"), "{}", ended.stderr);
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let ended = run(&mut vmyna(["completions", shell]));
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert!(ended.stdout.contains("vmyna") && ended.stdout.contains("fail-fast"), "{shell}");
    }
}

#[test]
fn what_is_written_wrongly_on_the_command_line_is_told_with_what_would_be_right() {
    let folder = Folder::new();
    insta::assert_snapshot!(folder.refusal(["run", "--jobs", "0"]), @"
    error: invalid value '0' for '--jobs <N>': a number of jobs, at least 1

    For more information, try '--help'.
    exit code 2
    ");
    insta::assert_snapshot!(folder.refusal(["run", "--report", "html=none/report.html"]), @"
    error: --report html=none/report.html: cannot be written: there is no folder none; create it first
    exit code 2
    ");
    insta::assert_snapshot!(folder.refusal(["explain", "jpki.pin.lockot"]), @r#"
    error: neither a scenario nor a requirement has the id "jpki.pin.lockot"; similar are: jpki.pin.lockout-signature, jpki.pin.blocked-empty, jpki.pin.blocked-status, juki.pin.lockout, jpki.pin.lockout-authentication
    exit code 2
    "#);
    insta::assert_snapshot!(folder.refusal(["explain", "pin-99"]), @r#"
    error: neither a scenario nor a requirement has the id "pin-99"; similar are: PIN-09, PIN-19, PIN-01, PIN-02, PIN-03
    exit code 2
    "#);
    insta::assert_snapshot!(folder.refusal(["explain", "something-else-altogether"]), @r#"
    error: neither a scenario nor a requirement has the id "something-else-altogether"; `vmyna run --list` shows the scenarios; requirements are in vectors/requirements
    exit code 2
    "#);
    let foreign = "<testsuites name=\"a\" tests=\"1\" failures=\"0\" errors=\"0\"><testsuite name=\"a\" tests=\"1\" \
                   failures=\"0\" errors=\"0\" disabled=\"0\"><testcase name=\"b\"/></testsuite></testsuites>";
    folder.write("foreign.xml", foreign);
    insta::assert_snapshot!(folder.refusal(["report", "merge", "foreign.xml", "--report", "junit=all.xml"]), @"
    error: foreign.xml: this is no report of vmyna run
    exit code 2
    ");
    folder.write("broken.xml", "<testsuites><testsuite");
    insta::assert_snapshot!(folder.refusal(["report", "merge", "broken.xml", "--report", "junit=all.xml"]), @"
    error: broken.xml: this is no JUnit report: at testsuites: error parsing XML
    exit code 2
    ");
}
