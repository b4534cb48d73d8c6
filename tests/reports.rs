//! The reports of `vmyna run` as files: each is what others expect of its form, none holds a PIN, a
//! place that cannot be written is told in time, and a run that is stopped says so. Schema and page
//! are looked at with xmllint, Perl's TAP::Parser and Chromium; where these are missing the tests say so, and with
//! `VMYNA_REQUIRE_REPORT_TOOLS=1` (tests/run sets it) they fail.

mod process;

use process::{Ended, Folder, Running, assert_no_pin_in, run, vmyna};
use rustix::process::Signal;
use std::path::Path;
use std::process::{Command, Stdio};
use vmyna::report::Report;
use vmyna::run::Outcome;

/// PINs that no number in a report looks like.
const HOLDER: &str = "\
person: {name: 番号　太郎, birth: \"1990-01-01\"}
pins: {user_authentication: \"0731\", digital_signature: QX7ZK9}
";

/// The right values, and the wrong and new ones that the runner derives of them.
const PINS: [&str; 6] = ["0731", "0732", "0733", "QX7ZK9", "QX7ZK0", "QX7ZK1"];

const FAILING: &str = "\
id: trial.failing
title: {ja: 失敗する試し, en: a trial that fails}
covers: [PIN-01]
steps:
  - select: {file: \"0018\", expect: {sw: \"6A86\"}}
    why: because <it> & \"that\"
";

const PASSING: &str = "\
id: trial.passing
title: {ja: 成功する試し, en: a trial that passes}
covers: [PIN-01]
steps:
  - select: jpki
";

fn folder_with_both() -> Folder {
    let folder = Folder::new();
    folder.write("s/a.yaml", FAILING);
    folder.write("s/b.yaml", PASSING);
    folder
}

fn read(folder: &Folder, name: &str) -> String {
    std::fs::read_to_string(folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn report(folder: &Folder, name: &str) -> Report {
    serde_json::from_str(&read(folder, name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// A whole run with every report.
fn whole_run(folder: &Folder) -> Ended {
    folder.write("taro.yaml", HOLDER);
    let reports = ["junit=r.xml", "json=r.json", "html=r.html", "tap=r.tap"];
    let arguments = reports.iter().flat_map(|report| ["--report", report]);
    run(&mut folder.vmyna(["run", "--holder", "taro.yaml"].into_iter().chain(arguments)))
}

/// Whether `program` is here; where it must be and is not, the test fails.
#[expect(clippy::print_stderr, reason = "this is where a test says what it did not do")]
fn is_here(program: &str) -> bool {
    let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return true;
    }
    let required = std::env::var_os("VMYNA_REQUIRE_REPORT_TOOLS").is_some_and(|value| value == "1");
    assert!(!required, "{program} is missing, and VMYNA_REQUIRE_REPORT_TOOLS=1");
    eprintln!("NOT RUN: {program} is missing");
    false
}

fn is_valid_junit(folder: &Folder, name: &str) {
    if !is_here("xmllint") {
        return;
    }
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/schemas/junit-10.xsd");
    let checked = Command::new("xmllint")
        .args(["--noout", "--schema"])
        .arg(schema)
        .arg(folder.path().join(name))
        .output()
        .expect("xmllint runs");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// What Perl's TAP::Parser makes of a report: `plan`, then how many passed, failed, were expected to and were
/// skipped. A line that it does not know, and whatever else is wrong by its rules, fails the test.
fn judged_by_perl(folder: &Folder, name: &str) -> Option<String> {
    const JUDGE: &str = r#"
        use TAP::Parser;
        my $parser = TAP::Parser->new({source => $ARGV[0]});
        while (my $result = $parser->next) { print 'unknown: ', $result->as_string, "\n" if $result->is_unknown }
        print "wrong: $_\n" for $parser->parse_errors;
        printf "%s passed %d failed %d todo %d skipped %d", $parser->plan // 'no plan', scalar $parser->passed,
            scalar $parser->failed, scalar $parser->todo, scalar $parser->skipped;
    "#;
    if !is_here("prove") {
        return None;
    }
    let judged =
        Command::new("perl").args(["-e", JUDGE]).arg(folder.path().join(name)).output().expect("perl runs");
    Some(String::from_utf8_lossy(&judged.stdout).into_owned())
}

#[test]
fn no_report_of_a_whole_run_holds_a_pin() {
    let folder = Folder::new();
    let ended = whole_run(&folder);
    // Scenarios about another person's card fail on this one's; what matters here is what is shown.
    assert!(ended.code.is_some_and(|code| code < 2), "{}", ended.all());
    assert_no_pin_in(&ended.all(), &PINS);
    for name in ["r.xml", "r.json", "r.html", "r.tap"] {
        let text = read(&folder, name);
        assert!(text.len() > 5_000, "{name} is hardly a report");
        assert_no_pin_in(&text, &PINS);
    }
    let masked = report(&folder, "r.json");
    assert!(masked.exchanges().any(|exchange| exchange.command.ends_with("04 ** ** ** **")));

    // While it is here: what else is true of the reports of a whole run.
    must_be_japanese(&read(&folder, "r.html"));
    assert!(said_in(&read(&folder, "r.html"), "ja").all(|said| !said.starts_with(' ')));
    is_valid_junit(&folder, "r.xml");
    let xml = read(&folder, "r.xml");
    assert_eq!(xml.matches("<testcase ").count(), masked.scenarios.len());
    assert!(xml.contains("<property name=\"card.1.atr\" value=\"3B "), "{}", &xml[..1_000]);
    let tap = read(&folder, "r.tap");
    assert!(tap.starts_with(&format!("TAP version 13\n1..{}\n", masked.scenarios.len())));
    if let Some(judged) = judged_by_perl(&folder, "r.tap") {
        let [passed, failed] = [masked.summary.passed + masked.summary.skipped, masked.summary.failed];
        let skipped = masked.summary.skipped;
        let plan = masked.scenarios.len();
        assert_eq!(judged, format!("1..{plan} passed {passed} failed {failed} todo 0 skipped {skipped}"));
    }
    assert!(masked.latency.iter().any(|it| it.instruction == "READ BINARY" && it.p50 <= it.p99));
}

/// What the page says in `language`, without what is quoted.
fn said_in<'a>(html: &'a str, language: &str) -> impl Iterator<Item = String> + 'a {
    let mark = format!("<span lang={language}>");
    let spans: Vec<&str> = html.split(mark.as_str()).skip(1).collect();
    spans.into_iter().filter_map(|rest| rest.split("</span>").next()).map(|text| {
        let unquoted = text.split('「').map(|part| part.rsplit('」').next().unwrap_or_default());
        unquoted.collect()
    })
}

fn must_be_japanese(html: &str) {
    let is_english = |word: &str| word.len() > 2 && word.chars().all(|letter| letter.is_ascii_lowercase());
    let mut count = 0;
    for said in said_in(html, "ja") {
        // The authorities' names are what the certificates say.
        let said = said.replace("JPKI for user authentication", "").replace("JPKI for digital signature", "");
        let words: Vec<&str> = said.split(' ').collect();
        let sentence = words.windows(2).find(|pair| pair.iter().all(|word| is_english(word)));
        assert_eq!(sentence, None, "{said}");
        count += 1;
    }
    assert!(count > 1_000, "only {count} texts");
}

#[test]
fn a_failure_is_in_every_report() {
    let folder = folder_with_both();
    let reports = ["junit=r.xml", "json=r.json", "html=r.html", "tap=r.tap"];
    let arguments = reports.iter().flat_map(|report| ["--report", report]);
    let ended = run(&mut folder.vmyna(["run", "s"].into_iter().chain(arguments)));
    assert_eq!((ended.code, ended.closing_line()), (Some(1), "1 passed, 1 failed, 0 skipped"));
    is_valid_junit(&folder, "r.xml");
    let xml = read(&folder, "r.xml");
    assert!(xml.contains("tests=\"2\" failures=\"1\" errors=\"0\""), "{xml}");
    assert!(xml.contains("why: because &lt;it&gt; &amp;"), "{xml}");
    let tap = read(&folder, "r.tap");
    assert!(tap.contains("\nnot ok 1 - trial.failing: a trial that fails\n"), "{tap}");
    assert!(tap.contains("\nok 2 - trial.passing: a trial that passes\n"), "{tap}");
    if let Some(judged) = judged_by_perl(&folder, "r.tap") {
        assert_eq!(judged, "1..2 passed 1 failed 1 todo 0 skipped 0");
    }
    let json = report(&folder, "r.json");
    let failure = json.scenarios[0].failure.as_ref().expect("it failed");
    assert_eq!((&*failure.expected, failure.requirements.join(" ")), ("6A86", "PIN-01".to_owned()));
    let html = read(&folder, "r.html");
    assert!(html.contains("because &#60;it&#62;") || html.contains("because &lt;it&gt;"), "it is escaped");
    assert!(!html.contains("<it>"));
    for outside in ["http://", "https://", "src=", "<link", "@import", "url("] {
        let shown = html.split("<main>").next().unwrap_or_default();
        assert!(!shown.contains(outside), "the page needs {outside}");
    }
}

const LEFT_UNDONE: &str = "\
id: trial.untidy
title: {ja: 後始末に失敗する試し, en: a trial that does not clean up}
covers: [PIN-01]
steps:
  - select: jpki
cleanup:
  - select: {file: \"0018\", expect: {sw: \"6A86\"}}
    why: {ja: ここで片付く, en: this tidies up}
";

#[test]
fn a_failed_cleanup_is_in_every_report_and_changes_no_verdict() {
    for (language, heading, why) in
        [("en", "cleanup failed", "this tidies up"), ("ja", "後始末の失敗", "ここで片付く")]
    {
        let folder = Folder::new();
        folder.write("s/untidy.yaml", LEFT_UNDONE);
        folder.write(
            "s/untidy-and-failing.yaml",
            format!("{LEFT_UNDONE}  - select: jpki\n")
                .replace("trial.untidy\n", "trial.untidy-and-failing\n")
                .replace(
                    "- select: jpki\ncleanup",
                    "- select: {file: \"0018\", expect: {sw: \"6A86\"}}\ncleanup",
                ),
        );
        let reports = ["junit=r.xml", "json=r.json", "html=r.html", "tap=r.tap"];
        let arguments = reports.iter().flat_map(|report| ["--report", report]);
        let ended = run(&mut folder.vmyna(["run", "s", "--lang", language].into_iter().chain(arguments)));
        assert_eq!((ended.code, ended.closing_line()), (Some(1), "1 passed, 1 failed, 0 skipped"));
        let told = ended.stdout.lines().filter(|line| line.contains(heading)).count();
        assert_eq!(told, 2, "{}", ended.stdout);

        let json = report(&folder, "r.json");
        let outcomes: Vec<_> = json.scenarios.iter().map(|case| case.verdict).collect();
        assert_eq!(outcomes, [Outcome::Failed, Outcome::Passed]);
        for case in &json.scenarios {
            let [undone] = &case.left_undone[..] else { panic!("{case:?}") };
            assert_eq!(undone.expected, "6A86");
            assert!(undone.position.starts_with("s/untidy"), "{}", undone.position);
            assert_eq!(undone.why().expect("it was written").ja, "ここで片付く");
        }

        is_valid_junit(&folder, "r.xml");
        let xml = read(&folder, "r.xml");
        assert_eq!(xml.matches(&format!("<system-out>{heading}: s/untidy")).count(), 2, "{xml}");
        assert_eq!(xml.matches(why).count(), 2, "{xml}");

        let tap = read(&folder, "r.tap");
        assert!(tap.contains("\nok 2 - trial.untidy: "), "{tap}");
        assert_eq!(tap.matches("\n  cleanup_failed: [").count(), 2, "{tap}");
        judged_by_perl(&folder, "r.tap");

        let html = read(&folder, "r.html");
        let section = html.split("id=\"cleanup\"").nth(1).expect("a section of its own");
        let section = section.split("</section>").next().unwrap_or_default();
        assert!(section.contains("#case-trial.untidy\"") && section.contains(why), "{section}");
        let cases = html.split("id=\"scenarios\"").nth(1).expect("the scenarios");
        assert_eq!(cases.matches(heading).count(), 2, "each scenario tells it too");
    }
}

#[test]
fn a_report_on_standard_output_is_all_that_is_there() {
    let folder = folder_with_both();
    let ended = run(&mut folder.vmyna(["run", "s", "--report", "json=-"]));
    assert_eq!(ended.code, Some(1));
    let report: Report = serde_json::from_str(&ended.stdout).expect("nothing but the report");
    assert_eq!(report.summary.failed, 1);
    assert!(ended.stderr.ends_with("1 passed, 1 failed, 0 skipped\n"), "{}", ended.stderr);
}

#[test]
fn a_place_that_cannot_be_written_is_told_before_anything_is_sent() {
    let folder = folder_with_both();
    for (report, told) in [
        ("junit=no/such/r.xml", "--report junit=no/such/r.xml: cannot be written: "),
        ("html=s", "--report html=s: cannot be written: is a directory"),
        ("xml=r.xml", "a report is junit=PATH, json=PATH, html=PATH or tap=PATH"),
    ] {
        let refusal = folder.refusal(["run", "s", "--report", report]);
        assert!(refusal.contains(told) && refusal.ends_with("exit code 2"), "{refusal}");
    }
    assert!(Command::new("mkfifo").arg(folder.path().join("pipe")).status().is_ok_and(|made| made.success()));
    let unread = run(&mut folder.vmyna(["run", "s", "--report", "tap=pipe"]));
    assert_eq!(
        (unread.code, unread.stderr.as_str()),
        (
            Some(2),
            "error: --report tap=pipe: cannot be written: nobody reads this pipe; start its reader first\n"
        )
    );
    std::fs::remove_file(folder.path().join("pipe")).expect("it is there");
    let twice = folder.refusal(["run", "s", "--report", "tap=a", "--report", "json=a"]);
    assert!(twice.contains("--report json=a: another report goes there already"), "{twice}");
}

#[test]
fn a_full_disk_is_an_error_and_no_half_report() {
    let folder = folder_with_both();
    let ended = run(&mut folder.vmyna(["run", "s", "--report", "html=/dev/full"]));
    assert_eq!(ended.code, Some(2), "{}", ended.all());
    assert!(ended.stderr.contains("--report html=/dev/full: the report could not be written: No space left"));
    assert_eq!(ended.closing_line(), "1 passed, 1 failed, 0 skipped");
}

#[test]
fn what_fail_fast_leaves_is_not_run_in_every_report() {
    let folder = folder_with_both();
    let reports = ["--report", "junit=r.xml", "--report", "json=r.json", "--report", "tap=r.tap"];
    let ended = run(&mut folder.vmyna(["run", "s", "--fail-fast"].into_iter().chain(reports)));
    assert_eq!((ended.code, ended.closing_line()), (Some(1), "0 passed, 1 failed, 0 skipped"));
    assert!(ended.stdout.contains("1 not run: the run was stopped at the first failure"), "{}", ended.stdout);
    let json = report(&folder, "r.json");
    assert_eq!((json.summary.not_run, json.scenarios[1].verdict), (1, Outcome::NotRun));
    let xml = read(&folder, "r.xml");
    assert!(xml.contains("<skipped message=\"not run: the run was stopped at the first failure\""), "{xml}");
    is_valid_junit(&folder, "r.xml");
    assert!(
        read(&folder, "r.tap")
            .ends_with("# not run: trial.passing\nBail out! the run was stopped at the first failure\n")
    );
}

#[test]
fn ctrl_c_ends_a_run_in_good_order() {
    let folder = folder_with_both();
    let mut command = folder.vmyna(["run", "--card", "vpcd:0", "--wait", "3600", "--report", "json=r.json"]);
    let mut waiting = Running::start(&mut command);
    waiting.tells("waiting for a virtual card on");
    waiting.says("scenarios: ");
    waiting.signal(Signal::INT);
    let ended = waiting.ends();
    assert_eq!((ended.code, ended.closing_line()), (Some(130), "0 passed, 0 failed, 0 skipped"));
    let json = report(&folder, "r.json");
    assert_eq!(json.summary.not_run, json.scenarios.len());
    assert!(json.scenarios.iter().all(|case| case.verdict == Outcome::NotRun));
}

#[test]
fn expected_failures_pass_and_better_ones_fail() {
    let folder = folder_with_both();
    let play = |failures: &str| {
        folder.write("expected.yaml", format!("card: a trial\nfailures:\n{failures}"));
        run(&mut folder.vmyna(["run", "s", "--expected", "expected.yaml", "--report", "junit=r.xml"]))
    };
    let ended = play("- {scenario: trial.failing, reason: it is made to fail}\n");
    assert_eq!((ended.code, ended.closing_line()), (Some(0), "2 passed, 0 failed, 0 skipped"));
    assert!(ended.stdout.contains("xfail trial.failing"), "{}", ended.stdout);
    assert!(read(&folder, "r.xml").contains("expected failure: it is made to fail"));

    let ended = play(
        "- {scenario: trial.failing, reason: it is made to fail}\n\
         - {scenario: trial.passing, reason: it was worse}\n",
    );
    assert_eq!((ended.code, ended.closing_line()), (Some(1), "1 passed, 1 failed, 0 skipped"));
    assert!(ended.stdout.contains("expected.yaml:4:14"), "{}", ended.stdout);

    let ended = play("- {requirement: PIN-01, reason: known}\n");
    assert_eq!((ended.code, ended.closing_line()), (Some(0), "2 passed, 0 failed, 0 skipped"));
    let ended = play(
        "- {scenario: trial.failing, reason: it is made to fail}\n- {requirement: PIN-03, reason: known}\n",
    );
    assert_eq!(ended.code, Some(0), "nothing here covers PIN-03, so nothing is known of it: {}", ended.all());

    let ended = play("- {scenario: trial.nothing, reason: none}\n");
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains("expected.yaml:3:14: there is no scenario trial.nothing"),
        "{}",
        ended.stderr
    );
}

#[test]
fn an_application_that_the_profile_lacks_is_not_applicable() {
    let folder = Folder::new();
    folder.write("text.yaml", PASSING.replace("select: jpki", "select: text"));
    let ended = run(&mut folder.vmyna(["run", "text.yaml", "--profile", "android"]));
    assert!(ended.stdout.contains(" n/a  trial.passing"), "{}", ended.all());
    assert_eq!((ended.code, ended.closing_line()), (Some(3), "0 passed, 0 failed, 1 skipped"));
}

#[test]
fn shards_make_the_whole_and_nothing_else_does() {
    let folder = Folder::new();
    for index in 1..=3 {
        let shard = format!("{index}/3");
        let reports = [format!("json={index}.json"), format!("junit={index}.xml")];
        let ended = run(&mut folder.vmyna([
            "run",
            "--tag",
            "jpki and pin",
            "--shard",
            &shard,
            "--report",
            &reports[0],
            "--report",
            &reports[1],
        ]));
        assert_eq!(ended.code, Some(0), "{}", ended.all());
    }
    let merge = |arguments: &[&str]| run(&mut folder.vmyna(["report", "merge"].iter().chain(arguments)));
    let all = ["1.json", "3.json", "2.json"];
    let ended = merge(&[&all[..], &["--report", "json=all.json", "--report", "html=all.html"]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let whole = report(&folder, "all.json");
    let listed = run(&mut vmyna(["run", "--list", "--tag", "jpki and pin"])).stdout.lines().count();
    assert_eq!(whole.scenarios.len(), listed);
    assert_eq!(ended.closing_line(), format!("{listed} passed, 0 failed, 0 skipped"));
    assert!(whole.shard.is_none() && whole.scenarios.is_sorted_by(|a, b| a.id < b.id));
    assert!(!whole.latency.is_empty());

    let ended = merge(&["1.xml", "2.xml", "3.xml", "--report", "junit=all.xml"]);
    assert_eq!(ended.closing_line(), format!("{listed} passed, 0 failed, 0 skipped"), "{}", ended.all());
    is_valid_junit(&folder, "all.xml");
    assert_eq!(read(&folder, "all.xml").matches("<testcase ").count(), listed);

    for (files, told) in [
        (&["1.json", "2.json"][..], "shards are missing: 3 of 3"),
        (&["1.xml", "2.xml", "1.xml"], "1.xml and 1.xml do not belong together: both are shard 1/3"),
        (&["1.json", "2.xml"], "JSON and JUnit reports do not merge"),
        (&["all.json"], "all.json: this is the report of a whole run, not of a shard"),
    ] {
        let ended = merge(files);
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains(told), "{files:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
}

/// What Chromium makes of a page: of this width, in this colour scheme, in this language.
fn looked_at(html: &str, width: u32, dark: bool, language: &str) -> serde_json::Value {
    const LOOK: &str = "<script>addEventListener('load', () => {
        document.querySelectorAll('details').forEach(one => one.open = true);
        const root = document.documentElement, visible = language =>
            [...document.querySelectorAll('span[lang=' + language + ']')].filter(one => one.offsetParent).length;
        parent.document.title = JSON.stringify({
            overflow: root.scrollWidth - root.clientWidth,
            background: getComputedStyle(document.body).backgroundColor,
            ja: visible('ja'), en: visible('en'),
            marks: document.querySelectorAll('#latency svg circle').length,
            exchanges: document.querySelectorAll('.x code').length,
        });
    })</script>";
    let chosen = format!("<script>document.getElementById('show-{language}').checked = true</script>");
    let page = html.replace("</body>", &format!("{chosen}{LOOK}</body>"));
    let page = page.replace('&', "&amp;").replace('"', "&quot;");
    let folder = Folder::new();
    // A frame is as narrow as it is told to be; a window is not.
    let frame = folder.write(
        "frame.html",
        format!(
            "<!doctype html><meta name=\"color-scheme\" content=\"light dark\">\
             <iframe style=\"border:0;width:{width}px;height:900px\" srcdoc=\"{page}\"></iframe>"
        ),
    );
    let scheme = if dark { "0" } else { "1" };
    let output = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", "--window-size=1400,1000"])
        .arg(format!("--blink-settings=preferredColorScheme={scheme}"))
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", frame.display()))
        .stdin(Stdio::null())
        .output()
        .expect("chromium runs");
    let dom = String::from_utf8_lossy(&output.stdout);
    let title = dom.split("<title>").nth(1).and_then(|rest| rest.split("</title>").next());
    let title = title
        .unwrap_or_else(|| panic!("the page did not load:\n{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(title).unwrap_or_else(|error| panic!("{error}: {title}"))
}

#[test]
fn the_page_fits_every_width_in_both_languages_and_at_night() {
    if !is_here("chromium") {
        return;
    }
    let folder = folder_with_both();
    let ended = run(&mut folder.vmyna(["run", "--tag", "flow", "--report", "html=r.html", "--lang", "ja"]));
    assert_eq!(ended.code, Some(0), "{}", ended.all());
    let html = read(&folder, "r.html");
    for (width, dark, language, other) in [(390, true, "ja", "en"), (1280, false, "en", "ja")] {
        let seen = looked_at(&html, width, dark, language);
        assert_eq!(seen["overflow"], 0, "at {width} pixels: {seen}");
        assert!(seen[language].as_u64().is_some_and(|count| count > 50), "{seen}");
        assert_eq!(seen[other], 0, "{seen}");
        let background = seen["background"].as_str().unwrap_or_default();
        let red: u32 = background
            .trim_start_matches("rgb(")
            .split(',')
            .next()
            .and_then(|red| red.trim().parse().ok())
            .unwrap_or_else(|| panic!("{seen}"));
        assert_eq!(red < 60, dark, "{seen}");
        assert!(seen["marks"].as_u64().is_some_and(|count| count >= 3), "{seen}");
        assert!(seen["exchanges"].as_u64().is_some_and(|count| count > 50), "{seen}");
    }
}
