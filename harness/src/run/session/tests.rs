//! Sessions against a link that answers as it is told.

use super::*;
use crate::link::Refused;
use crate::run::Outcome;
use crate::scenario::parse_for_test;
use std::cell::Cell;
use vmyna_sim::hex;
use vmyna_sim::smart_card::Power;

/// Answers each command with the next of its answers, and writes down what came.
#[derive(Default)]
struct Told {
    answers: Vec<&'static str>,
    came: Vec<String>,
}

impl CardLink for Told {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        Ok(vec![0x3B, 0x00])
    }

    fn power(&mut self, _: Power) -> Result<(), LinkError> {
        Ok(())
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        self.came.push(hex::Spaced(command).to_string());
        match self.answers.get(self.came.len() - 1) {
            Some(&"refused") => Err(Refused::WrongPin.into()),
            Some(&"lost") => Err(LinkError::lost("なくなった", "it is gone")),
            Some(answer) => Ok(hex::decode(answer).unwrap()),
            None => Ok(vec![0x90, 0x00]),
        }
    }
}

const HEAD: &str = "id: a\ntitle: {ja: あ, en: a}\ncovers: [PIN-01]\n";

fn play_timed(rest: &str, answers: &[&'static str], clock: &dyn Fn() -> Duration) -> (Verdict, Vec<String>) {
    let (verdict, _, came) = play_to_the_end(rest, answers, clock);
    (verdict, came)
}

fn play_to_the_end(
    rest: &str,
    answers: &[&'static str],
    clock: &dyn Fn() -> Duration,
) -> (Verdict, Vec<Finding>, Vec<String>) {
    let requirements = Requirements::built_in();
    let scenario = parse_for_test(&format!("{HEAD}{rest}"), &requirements);
    let holder = Holder::built_in("hanako").unwrap();
    let mut link = Told { answers: answers.to_vec(), ..Told::default() };
    let surroundings = Surroundings {
        requirements: &requirements,
        holder: &holder,
        trust: &Trust::CardItself,
        judge: Judge::Others,
        now: SystemTime::now(),
    };
    let mut session = Session::new(&mut link, surroundings).timed_by(clock);
    let (verdict, left_undone) = (session.play(&scenario), session.left_undone());
    (verdict, left_undone, link.came)
}

fn play(rest: &str, answers: &[&'static str]) -> (Verdict, Vec<String>) {
    play_timed(rest, answers, &|| Duration::ZERO)
}

fn passes(rest: &str, answers: &[&'static str]) -> bool {
    matches!(play(rest, answers).0, Verdict::Passed { observations } if observations.is_empty())
}

fn finding(verdict: Verdict) -> Finding {
    match verdict {
        Verdict::Failed { finding, .. } => *finding,
        other => panic!("a failure was expected, {other:?} came"),
    }
}

#[test]
fn data_objects_are_held_against_what_they_must_hold() {
    let step = "steps:\n  - transmit: {apdu: 00 B0 00 00 00, expect: {tlv: FF40/DF41, text: ab, \
                parts: [{tlv: FF40/DF42, length: {at_least: 2}, why: two at least}]}}\n";
    assert!(passes(step, &["FF 40 0A DF 41 02 61 62 DF 42 02 01 02 90 00"]));
    let other = finding(play(step, &["FF 40 0A DF 41 02 61 63 DF 42 02 01 02 90 00"]).0);
    assert_eq!(other.difference.expected.en, "the data object FF40/DF41: text \"ab\"");
    assert_eq!(other.difference.came.en, "\"ac\"");
    let short = finding(play(step, &["FF 40 09 DF 41 02 61 62 DF 42 01 01 90 00"]).0);
    assert_eq!(short.why, Some(Bilingual::alike("two at least")));
    let missing = finding(play(step, &["FF 40 05 DF 41 02 61 62 90 00"]).0);
    assert!(
        missing.difference.came.en.starts_with("no such object in FF 40"),
        "{:?}",
        missing.difference.came
    );
}

#[test]
fn a_failure_points_at_the_expectation_that_was_not_met() {
    let steps = "steps:\n  - power: cycle\n  - transmit: {apdu: 00 B0 00 00 00, expect: file_not_found}\n    why: nothing is there\n";
    let finding = finding(play(steps, &["90 00"]).0);
    assert_eq!((finding.position.line, finding.position.column), (6, 46));
    assert!(finding.snippet.contains(" 6 |   - transmit:"), "{}", finding.snippet);
    assert!(finding.snippet.lines().last().unwrap().ends_with("^"), "{}", finding.snippet);
    assert_eq!(finding.why, Some(Bilingual::alike("nothing is there")));
}

#[test]
fn captured_values_go_into_later_commands_and_expectations() {
    let steps = "steps:\n  - challenge: {length: 4}\n    capture: [nonce, {as: middle, from: 1, length: 2}]\n  \
                 - transmit: {apdu: 00 88 00 80 04 <nonce> 00, expect: {data: {captured: middle}}}\n";
    let (verdict, came) = play(steps, &["01 02 03 04 90 00", "02 03 90 00"]);
    assert!(matches!(verdict, Verdict::Passed { .. }), "{verdict:?}");
    assert_eq!(came[1], "00 88 00 80 04 01 02 03 04 00");
    let differs = finding(play(steps, &["01 02 03 04 90 00", "02 04 90 00"]).0);
    assert!(
        differs.difference.expected.en.contains("the captured middle (02 03)"),
        "{}",
        differs.difference.expected.en
    );
    let nothing = "steps:\n  - challenge: {length: 4}\n    capture: {as: tail, from: 3, length: 2}\n  \
                   - transmit: {apdu: 00 B0 00 00 00, expect: {data: {captured: tail}}}\n";
    let finding = finding(play(nothing, &["01 02 03 04 90 00"]).0);
    assert_eq!(finding.difference.expected.en, "an answer that holds 2 bytes from 3 on");
}

#[test]
fn the_cleanup_is_played_whatever_happened_before() {
    let rest = "steps:\n  - transmit: {apdu: 00 A4 00 00}\n  - power: off\n\
                cleanup:\n  - transmit: {apdu: 00 A4 00 01}\n  - transmit: {apdu: 00 A4 00 02}\n";
    for (first, last) in [("90 00", "00 A4 00 02"), ("6A 82", "00 A4 00 02"), ("refused", "00 A4 00 02")] {
        let (_, came) = play(rest, &[first, "6A 82"]);
        assert_eq!(came.last().unwrap(), last, "{first}");
    }
    let (_, came) = play(rest, &["lost"]);
    assert_eq!(came.len(), 1, "the card is gone");
}

#[test]
fn a_failing_cleanup_is_told_beside_the_verdict() {
    let rest = "steps:\n  - transmit: {apdu: 00 A4 00 00}\ncleanup:\n  - transmit: {apdu: 00 A4 00 01}\n";
    let verdicts = [("90 00", Outcome::Passed), ("6A 82", Outcome::Failed), ("refused", Outcome::Refused)];
    for ((first, outcome), last) in verdicts.into_iter().zip(["6D 00", "refused", "lost"]) {
        let (verdict, left_undone, _) = play_to_the_end(rest, &[first, last], &|| Duration::ZERO);
        assert_eq!((verdict.outcome(), verdict.observations().len()), (outcome, 0), "{first}");
        let [finding] = &left_undone[..] else { panic!("{left_undone:?}") };
        assert_eq!((finding.stage, finding.position.line), (Stage::Cleanup, 7));
    }
    let (verdict, left_undone, _) = play_to_the_end(rest, &["90 00", "lost"], &|| Duration::ZERO);
    assert_eq!(
        (verdict.outcome(), left_undone.len()),
        (Outcome::CouldNotRun, 0),
        "that is told as the verdict"
    );
}

#[test]
fn another_card_that_does_not_set_up_lacks_what_the_scenario_needs() {
    let rest = "setup:\n  - select: text\nsteps:\n  - transmit: {apdu: 00 A4 00 00}\n";
    let (verdict, came) = play(rest, &["69 82"]);
    assert!(matches!(verdict, Verdict::RequirementMissing(_)), "{verdict:?}");
    assert_eq!(came.len(), 1);
}

#[test]
fn another_card_lacks_an_application_when_it_does_not_find_it_after_power_up_either() {
    let rest = "steps:\n  - select: text\n";
    let (verdict, came) = play(rest, &["6A 82", "6A 82"]);
    assert!(matches!(verdict, Verdict::NotApplicable(_)), "{verdict:?}");
    assert_eq!(came.iter().filter(|command| command.starts_with("00 A4 04")).count(), 2, "{came:?}");
    let (verdict, _) = play(rest, &["6A 82", "90 00"]);
    assert!(matches!(verdict, Verdict::Failed { .. }), "it is there, and was not found: {verdict:?}");
    let (verdict, _) = play(rest, &["6A 86", "6A 82"]);
    assert!(matches!(verdict, Verdict::Failed { .. }), "that is no \"not found\": {verdict:?}");
}

#[test]
fn a_step_is_repeated_until_it_is_as_expected_and_no_longer() {
    let rest = "steps:\n  - transmit: {apdu: 00 B0 00 00 00}\n    retry: {times: 3}\n";
    assert_eq!(play(rest, &["6F 00", "90 00", "90 00"]).1.len(), 2);
    let (verdict, came) = play(rest, &["6F 00", "6F 00", "6F 00", "90 00"]);
    assert_eq!(
        (came.len(), finding(verdict).difference.came.en.as_str()),
        (3, "6F 00  (no precise diagnosis)")
    );
    let until = "steps:\n  - transmit: {apdu: 00 B0 00 00 00, expect: {sw: \"9000\"}}\n    \
                 retry: {times: 4, until: {sw: \"9000\", data: \"01\"}}\n";
    assert_eq!(play(until, &["90 00", "00 90 00", "01 90 00"]).1.len(), 3);
    assert!(matches!(play(until, &[]).0, Verdict::Failed { .. }), "what it waits for never comes");
}

#[test]
fn an_answer_may_be_too_late() {
    let rest = "steps:\n  - transmit: {apdu: 00 B0 00 00 00, expect: {within_ms: 100}}\n";
    for (takes, in_time) in [(60, true), (150, false)] {
        let time = Cell::new(Duration::ZERO);
        let clock = || {
            let now = time.get();
            time.set(now + Duration::from_millis(takes));
            now
        };
        let (verdict, _) = play_timed(rest, &["90 00"], &clock);
        assert_eq!(matches!(verdict, Verdict::Passed { .. }), in_time, "{takes} ms");
        if !in_time {
            assert_eq!(finding(verdict).difference.came, Bilingual::new("150.0 ミリ秒", "150.0 ms"));
        }
    }
}
