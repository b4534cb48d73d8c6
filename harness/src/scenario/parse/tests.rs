//! What is told of mistakes in scenario files, and what tables of parameters come to.

use super::*;

const HEAD: &str = "id: a.b\ntitle: {ja: あ, en: a}\ncovers: [PIN-01]\n";

fn scenarios(rest: &str) -> Result<Vec<Scenario>, String> {
    let text = format!("{HEAD}{rest}");
    parse("a.yaml", &text, &Requirements::built_in()).map_err(|error| error.to_string())
}

#[test]
fn mistakes_are_shown_where_they_stand() {
    for (rest, message) in [
        ("steps: []\n", "a.yaml:4:8: a scenario has at least one step"),
        ("steps:\n  - selec: jpki\n", "a.yaml:5:5: unknown field `selec`"),
        ("steps:\n  - select: jpkl\n", "a.yaml:5:13: `jpkl` is no application"),
        ("steps:\n  - select: jpki\n    power: off\n", "a.yaml:6:5: `power` is a second verb"),
        ("steps:\n  - transmit: {apdu: \"00 A\"}\n", "a.yaml:5:22: 3 hexadecimal digits"),
        ("steps:\n  - transmit: {apdu: \"00 A4\"}\n", "a.yaml:5:5: a command has at least"),
        ("steps:\n  - power: off\n    covers: [PIN-02]\n", "a.yaml:5:5: the step covers PIN-02"),
        (
            "steps:\n  - sign: {key: user_authentication, data: {hex: \"00\"}}\n",
            "a.yaml:5:5: the signature cannot be verified before",
        ),
        (
            "steps:\n  - sign: {key: text, data: {hex: \"00\"}}\n",
            "a.yaml:5:5: the key text has no certificate; `verified_by: {public_key: NAME}` says",
        ),
        (
            "steps:\n  - sign: {key: visual, data: {hex: \"00\"}, verified_by: {public_key: x}}\n",
            "a.yaml:5:5: nothing has been captured as x",
        ),
        (
            "steps:\n  - authenticate: {key: common, challenge: {text: a}, verified_by: user_authentication}\n",
            "a.yaml:5:5: the signature cannot be verified before the certificate user_authentication",
        ),
        ("steps:\n  - authenticate: {key: bank, challenge: {text: a}}\n", "a.yaml:5:25: "),
        ("steps:\n  - sign: {key: text, mode: pkcs1, data: {hex: \"00\"}}\n", "a.yaml:5:29: "),
        ("steps:\n  - sign: {key: text, data: {hex: \"00\", text: a}}\n", "a.yaml:5:29: what is wanted here"),
        ("steps:\n  - read_file: {file: \"000\"}\n", "a.yaml:5:23: "),
        ("steps:\n  - read_file: {file: \"00000A\"}\n", "a.yaml:5:23: two bytes in hex"),
        ("steps:\n  - read_file: {file: \"2F00\", by: sfi}\n", "a.yaml:5:5: EF 2F00 has no short identifier"),
        ("steps:\n  - read_record: {record: 256}\n", "a.yaml:5:27: "),
        ("steps:\n  - read_record: {record: 1, sfi: 31}\n", "a.yaml:5:5: a short EF identifier is 1 to 30"),
        ("steps:\n  - read_record: {record: 1, le: 257}\n", "a.yaml:5:5: le is 1 to 256"),
        (
            "steps:\n  - get_data: {tag: \"00F8\", le: 575}\n",
            "a.yaml:5:5: a le over 256 needs `extended: true`",
        ),
        (
            "profile: androyd\nsteps:\n  - power: off\n",
            "a.yaml:4:10: there is no built-in profile \"androyd\"",
        ),
        (
            "profile: android\nplatform: ios\nsteps:\n  - open: top\n",
            "a.yaml:4:10: a flow is played with cards of the profile `card`",
        ),
        (
            "steps:\n  - select: jpki\n    fault: [mute, length=0]\n",
            "a.yaml:6:19: \"length=0\" is no fault: ",
        ),
        (
            "steps:\n  - select: jpki\n    fault: 5\n",
            "a.yaml:6:12: the number 5 stands here; expected a fault",
        ),
        (
            "steps:\n  - challenge: {length: 8}\n    fault: mute\n    capture: x\n",
            "a.yaml:7:14: mute=5000ms,before@1 loses the card, and no answer comes",
        ),
        (
            "platform: ios\nsteps:\n  - open: top\n    fault: mute\n",
            "a.yaml:6:5: in a flow a card suffers faults where it is held",
        ),
        (
            "platform: ios\nsteps:\n  - hold: {suffering: swap}\n",
            "a.yaml:6:23: swap: in a flow the holder holds another person's card",
        ),
        ("given: {user_authentication: 15}\nsteps:\n  - power: off\n", "a.yaml:4:30: "),
        ("steps:\n  - select: jpki\n    capture: x\n", "a.yaml:6:14: the captured value x is used nowhere"),
        ("steps:\n  - transmit: {apdu: \"00 A4 02 0C <x>\"}\n", "a.yaml:5:5: nothing has been captured as x"),
        (
            "steps:\n  - verify: {pin: user_authentication, value: right}\n    retry: {times: 2}\n",
            "a.yaml:5:5: a step that presents or changes a PIN is never repeated",
        ),
        (
            "parameters: [{row: a, x: 1}]\nsteps:\n  - power: off\n",
            "a.yaml:4:26: the parameter `x` is used nowhere",
        ),
        ("steps:\n  - read_binary: {le: {parameter: x}}\n", "a.yaml:5:35: there are no `parameters`"),
    ] {
        let problem = scenarios(rest).map(|_| ()).unwrap_err();
        assert!(problem.starts_with(message), "{rest}: {problem}");
    }
}

#[test]
fn every_row_is_a_scenario_of_its_own_and_its_values_keep_their_place() {
    let rest = "parameters:\n  - {row: short, le: 4, data: \"00 ...\"}\n  - {row: long, le: 0x100, data: \"01\"}\n\
                steps:\n  - read_binary: {le: {parameter: le}, expect: {data: {parameter: data}}}\n";
    let rows = scenarios(rest).unwrap();
    let ids: Vec<_> = rows.iter().map(|scenario| (scenario.id.as_str(), scenario.row.as_deref())).collect();
    assert_eq!(ids, [("a.b[short]", Some("short")), ("a.b[long]", Some("long"))]);
    let les: Vec<_> = rows
        .iter()
        .map(|scenario| match &scenario.steps[0].step.verb {
            super::super::Verb::ReadBinary(read) => read.le,
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(les, [4, 256]);
    let wrong = rest.replace("le: 4", "le: four");
    let told = scenarios(&wrong).map(|_| ()).unwrap_err();
    assert!(told.starts_with("a.yaml:5:22: the text \"four\" stands here; expected a number"), "{told}");
}

/// Every kind of mistake, and the beginning of what is said about it.
const MISTAKES: &[(&str, &str)] = &[
    (
        "steps:\n  - transmit: \"00 A4\"\n",
        "a.yaml:5:15: the text \"00 A4\" stands here; expected a map with apdu, expect",
    ),
    (
        "steps:\n  - \n",
        "a.yaml:5:5: nothing stands here; expected a step: one of power, atr, select, tries_left, verify, cha",
    ),
    (
        "steps:\n  - select\n",
        "a.yaml:5:5: the text \"select\" stands here; expected a step: one of power, atr, select, tries_left, v",
    ),
    (
        "steps:\n  - read_binary: {le: 4.5}\n",
        "a.yaml:5:23: the number 4.5 stands here; expected a whole number from 0 to 4294967295",
    ),
    (
        "steps:\n  - read_binary: {le: -4}\n",
        "a.yaml:5:23: the number -4 stands here; expected a whole number from 0 to 4294967295",
    ),
    (
        "steps:\n  - read_binary: {le: 99999999999999999999999}\n",
        "a.yaml:5:23: the number 100000000000000000000000 stands here; expected a whole number from 0 to 4294",
    ),
    (
        "steps:\n  - read_binary: {offset: 70000, le: 4}\n",
        "a.yaml:5:27: the number 70000 stands here; expected a whole number from 0 to 65535",
    ),
    ("steps:\n  - read_binary: {le: 0}\n", "a.yaml:5:5: le is 1 to 65536"),
    (
        "steps:\n  - read_binary: {le: 00}\n",
        "a.yaml:5:23: 00 has a zero in front, which some would read as octal; a number begins with another di",
    ),
    ("steps:\n  - read_binary: {le: \"4\"}\n", "a.yaml:5:23: the text \"4\" stands here; expected a number"),
    ("steps:\n  - read_binary: {offset: 4}\n", "a.yaml:5:18: `le` is missing here"),
    (
        "steps:\n  - verify: {pin: bank, value: right}\n",
        "a.yaml:5:19: `bank` is not known here; expected one of user_authentication, digital_signature, text_",
    ),
    (
        "steps:\n  - verify: {pin: user_authentication, value: \"1234\"}\n",
        "a.yaml:5:47: `1234` is not known here; expected one of right, wrong, new, lower_case",
    ),
    (
        "steps:\n  - verify: {pin: user_authentication, value: lower_case}\n",
        "a.yaml:5:5: user_authentication has no letters",
    ),
    (
        "steps:\n  - change_pin: {pin: user_authentication, to: wrong}\n",
        "a.yaml:5:5: a PIN is changed to `new`, or back to `right`",
    ),
    (
        "steps:\n  - tries_left: {of: user_authentication, expect: sixteen}\n",
        "a.yaml:5:51: the text \"sixteen\" stands here; expected a number of tries from 0 to 15, `full`, `any` ",
    ),
    (
        "steps:\n  - tries_left: {of: user_authentication, expect: 16}\n",
        "a.yaml:5:51: 63Cx can say 0 to 15 tries, not 16",
    ),
    (
        "steps:\n  - read_binary: {le: 4, expect: {sw: 9000}}\n",
        "a.yaml:5:39: the number 9000 stands here; expected a status in quotes such as \"6A82\", or a list of t",
    ),
    (
        "steps:\n  - read_binary: {le: 4, expect: {sw: file_not_fuond}}\n",
        "a.yaml:5:39: a status is four hex digits such as \"6A82\", `?` for any digit, or a name such as file_n",
    ),
    (
        "steps:\n  - read_binary: {le: 4, expect: {data: \"30 8\"}}\n",
        "a.yaml:5:41: 3 hex digits do not make whole bytes in \"30 8\"",
    ),
    (
        "steps:\n  - read_binary: {le: 4, expect: {data: \"30 8x\"}}\n",
        "a.yaml:5:41: 8x is neither a byte in hex nor a wildcard (`??`, `...`) in \"30 8x\"",
    ),
    (
        "steps:\n  - read_binary: {le: 4, expect: {data: \"30\", text: \"0\"}}\n",
        "a.yaml:5:34: data and text say the same thing twice",
    ),
    (
        "steps:\n  - read_binary: {le: 4, expect: {length: {at_least: 5, at_most: 4}}}\n",
        "a.yaml:5:43: no length is at least 5 and at most 4",
    ),
    (
        "steps:\n  - read_binary: {le: 4, expect: {length: -1}}\n",
        "a.yaml:5:43: the number -1 stands here; expected a number of bytes, or bounds such as {at_least: 4, ",
    ),
    (
        "steps:\n  - read_binary: {le: 4, expect: {tlv: \"FF\"}}\n",
        "a.yaml:5:40: \"FF\" is no BER tag; a path is tags in hex from the outermost on, such as \"FF40/DF41\"",
    ),
    (
        "steps:\n  - read_binary: {le: 4, expect: {tlv: \"DF41\", simple_tlv: \"01\"}}\n",
        "a.yaml:5:34: a data object is one of tlv and simple_tlv",
    ),
    (
        "steps:\n  - read_binary: {le: 4, expect: {certificate: {subjekt: a}}}\n",
        "a.yaml:5:49: unknown field `subjekt`, expected one of subject, subject_parts, issuer, serial, not_before, not_after",
    ),
    (
        "steps:\n  - read_binary: {le: 4, expect: {signature: {over: {hex: \"00\"}, by: user_authentication}}}\n",
        "a.yaml:5:5: the signature cannot be verified before the certificate user_authentication has been rea",
    ),
    (
        "steps:\n  - read_binary: {le: 4, expect: {data: {captured: nonce}}}\n",
        "a.yaml:5:5: nothing has been captured as nonce before this step; `capture: nonce` beside an earlier ",
    ),
    (
        "steps:\n  - read_binary: {le: 4}\n    capture: Nonce\n",
        "a.yaml:6:14: a captured value is named by a lower-case word such as `nonce`, not \"Nonce\"",
    ),
    ("steps:\n  - power: off\n    capture: nonce\n", "a.yaml:6:14: `power` has no data to capture"),
    (
        "steps:\n  - challenge: {length: 4}\n    capture: [a, a]\n  - transmit: {apdu: 00 A4 00 00 <a>}\n",
        "a.yaml:6:18: line 6 captures a already; each value has a name of its own",
    ),
    (
        "steps:\n  - challenge: {length: 4}\n    capture: {as: a, from: 1}\n  - transmit: {apdu: 00 A4 00 00 <a>}\n",
        "a.yaml:6:14: from goes with a length",
    ),
    (
        "steps:\n  - challenge: {length: 4}\n    capture: a\n  - transmit: {apdu: 00 <a> 00}\n",
        "a.yaml:7:5: CLA INS P1 P2 are written out; a captured value comes after them",
    ),
    ("steps:\n  - transmit: {apdu: \"00 A4 00 00 <a\"}\n", "a.yaml:5:22: a `<` without its `>`"),
    ("steps:\n  - challenge: {length: 0}\n", "a.yaml:5:25: a challenge has 1 to 256 bytes, not 0"),
    (
        "steps:\n  - challenge: {length: 8}\n    retry: {times: 1}\n",
        "a.yaml:6:20: a step is played 2 to 100 times, not 1",
    ),
    (
        "steps:\n  - challenge: {length: 8}\n    retry: {times: 3, wait_ms: 60000}\n",
        "a.yaml:6:32: a pause has 0 to 10000 ms, not 60000",
    ),
    (
        "steps:\n  - transmit: {apdu: 00 20 00 98 04 31 32 33 34}\n    retry: {times: 2}\n",
        "a.yaml:5:5: a step that presents or changes a PIN is never repeated: each attempt could spend a try",
    ),
    (
        "steps:\n  - select: {application: jpki, file: \"000A\"}\n",
        "a.yaml:5:13: select names one of application, aid and file",
    ),
    ("steps:\n  - select: {file: \"0A\"}\n", "a.yaml:5:13: a file identifier is two bytes, such as \"000A\""),
    (
        "steps:\n  - certificate: {of: user_authentication, check: [path]}\n",
        "a.yaml:5:5: the path cannot be checked before the certificate user_authentication_ca has been read",
    ),
    (
        "steps:\n  - certificate: {of: user_authentication, check: [trust]}\n",
        "a.yaml:5:52: `trust` is not known here; expected one of path, usage, validity, key, shape",
    ),
    (
        "steps:\n  - select: jpki\n    precondition: maybe\n",
        "a.yaml:6:19: the text \"maybe\" stands here; expected true or false",
    ),
    (
        "steps:\n  - select: jpki\n    covers: PIN-01\n",
        "a.yaml:6:13: the text \"PIN-01\" stands here; expected a list",
    ),
    (
        "tags: [Two Words]\nsteps:\n  - power: off\n",
        "a.yaml:4:8: a tag is one lower-case word, not \"Two Words\"",
    ),
    (
        "given: {bank: 1}\nsteps:\n  - power: off\n",
        "a.yaml:4:9: `bank` is not known here; expected one of user_authentication, digital_signature, text_i",
    ),
    ("setup: {select: jpki}\nsteps:\n  - power: off\n", "a.yaml:4:8: a map stands here; expected a list"),
    (
        "parameters: {row: a}\nsteps:\n  - power: off\n",
        "a.yaml:4:13: parameters are a list of rows, such as `- {row: short, le: 4}`",
    ),
    ("parameters: []\nsteps:\n  - power: off\n", "a.yaml:4:13: a table of parameters has at least one row"),
    (
        "parameters: [{row: A, le: 1}]\nsteps:\n  - read_binary: {le: {parameter: le}}\n",
        "a.yaml:4:20: the name of a row has lower-case letters, digits, dots and hyphens",
    ),
    (
        "parameters: [{le: 1}]\nsteps:\n  - read_binary: {le: {parameter: le}}\n",
        "a.yaml:4:14: each row needs a name: `row: NAME`",
    ),
    (
        "parameters: [{row: a, le: 1}, {row: a, le: 2}]\nsteps:\n  - read_binary: {le: {parameter: le}}\n",
        "a.yaml:4:37: there is a row a already",
    ),
    (
        "parameters: [{row: a, le: 1}, {row: b}]\nsteps:\n  - read_binary: {le: {parameter: le}}\n",
        "a.yaml:4:37: the row b has no `le`, which line 4 has",
    ),
    (
        "parameters: [{row: a, le: 1}, {row: b, le: 1, x: 1}]\nsteps:\n  - read_binary: {le: {parameter: le}}\n",
        "a.yaml:4:50: the first row has no parameter `x`",
    ),
    (
        "parameters: [{row: a, le: 1}]\nsteps:\n  - read_binary: {le: {parameter: lee}}\n",
        "a.yaml:6:35: there is no parameter `lee`; there are le",
    ),
    (
        "parameters: [{row: a, le: four}]\nsteps:\n  - read_binary: {le: {parameter: le}}\n",
        "a.yaml:4:27: the text \"four\" stands here; expected a number",
    ),
];

#[test]
fn every_kind_of_mistake_says_where_it_is_and_what_would_be_right() {
    for (rest, told) in MISTAKES {
        let problem = scenarios(rest).map(|_| ()).unwrap_err();
        assert!(problem.starts_with(told), "{rest}\n{problem}\n{told} was expected");
        assert!(problem.ends_with('^'), "{problem}");
    }
}
