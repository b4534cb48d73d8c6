//! What a holder's file may say, and how a mistake in it is told.

use super::*;
use crate::holder::{CertificateState, IssuingGeneration, SignatureCertificate};
use crate::pin::PinName;

const SHORT: &str = "person: {name: 試験　太郎, birth: 2001-02-03}\n";

fn parse(file: &str, text: &str) -> Result<Holder, DocumentError> {
    super::parse(file, text, None)
}

fn problem(text: &str) -> String {
    parse("folder/taro.yaml", text).unwrap_err().to_string()
}

#[test]
fn name_and_birth_are_enough() {
    let holder = parse("folder/mine.yaml", SHORT).unwrap();
    assert_eq!(holder.id(), "mine");
    assert_eq!(holder.title.ja, "試験　太郎");
    assert_eq!(holder.person.birth, date(2001, 2, 3));
    assert_eq!(holder.person.sex, Sex::Unknown);
    assert_eq!(holder.municipality.city, "Chiyoda-ku");
    assert!(holder.pins.digital_signature.matches(b"ABC123"));
    assert_eq!(holder.keys.user_authentication.as_str(), KeyName::spare("mine", "user-authentication"));
    assert!(holder.pins.text_input.matches(b"1234") && holder.pins.common_card.matches(b"1234"));
    assert_eq!(holder.card.security_code.as_bytes().len(), 4);
    assert_eq!(holder.card.expiry, None);
}

#[test]
fn what_is_printed_on_the_card_can_be_told() {
    let text = format!("{SHORT}card: {{security_code: \"0815\", expiry: 2035-02-03}}\n");
    let card = parse("taro.yaml", &text).unwrap().card;
    assert!(card.security_code.matches(b"0815"));
    assert_eq!(card.expiry, Some(date(2035, 2, 3)));
    for (written, expected) in [
        ("security_code: 98765", "2:23: a security code has 4 digits"),
        ("expiry: 2035-02-30", "2:16: expected a date that exists"),
    ] {
        let told = problem(&format!("{SHORT}card: {{{written}}}\n"));
        assert!(told.starts_with(&format!("folder/taro.yaml:{expected}")), "{told}");
        assert!(!told.contains("98765"), "{told}");
    }
}

#[test]
fn an_unknown_key_name_is_answered_with_the_known_ones() {
    let told = problem(&format!("{SHORT}keys: {{digital_signature: nobody}}\n"));
    assert!(
        told.starts_with("folder/taro.yaml:2:27: no key in the pool has this name; there are "),
        "{told}"
    );
    assert!(told.contains("hanako-digital-signature"), "{told}");
}

#[test]
fn a_wrong_check_digit_is_shown_with_the_right_one() {
    let text = "person:\n  name: 試験　太郎\n  birth: 2001-02-03\n  my_number: \"123456789012\"\n";
    assert_eq!(
        problem(text),
        "folder/taro.yaml:4:14: the check digit of a My Number that begins so is 8, not 2\n   |\n \
         4 |   my_number: \"************\"\n   |              ^"
    );
}

#[test]
fn leading_zeros_survive_without_quotes() {
    let holder = parse("taro.yaml", &format!("{SHORT}pins: {{user_authentication: 0012}}\n")).unwrap();
    assert!(holder.pins.user_authentication.matches(b"0012"));
}

#[test]
fn no_error_prints_a_pin() {
    for pins in [
        "pins: {user_authentication: 98765}",
        "pins: {user_authentication: \"98765\", digital_signature: S3CRET98765}",
        "pins: {digital_signature: s3cret98765}",
        "pins: {user_authentication: \"9876\", digitalsignature: S3CRET98765}",
        "pins: S3CRET98765",
        "pins: [98765, S3CRET98765]",
        "pins: {user_authentication: [98765]}",
        "pins: {user_authentication: !!int S3CRET98765}",
        "pins: {user_authentication: \"98765}",
        "pins: {user_authentication: \"S3CRET98765\\q\"}",
        "pins: {user_authentication: *S3CRET98765}",
        "pins: 98765: S3CRET98765",
        "pin: {user_authentication: \"98765\"}",
        "S3CRET98765",
        "pins:\n  user_authentication: 98765\n digital_signature: S3CRET98765",
    ] {
        let told = problem(&format!("{SHORT}{pins}\n"));
        for secret in ["98765", "9876", "S3CRET", "s3cret"] {
            assert!(!told.contains(secret), "{told}");
        }
        assert!(told.starts_with("folder/taro.yaml:"), "{told}");
    }
}

#[test]
fn a_pin_of_the_wrong_form_is_told_the_rule() {
    let text = format!("{SHORT}pins: {{user_authentication: \"12345\"}}\n");
    assert_eq!(
        problem(&text),
        "folder/taro.yaml:2:29: this PIN has 4 digits (0 to 9)\n   |\n \
         2 | pins: {user_authentication: \"*****\"}\n   |                             ^"
    );
}

#[test]
fn values_that_no_certificate_can_hold_are_refused_where_they_stand() {
    let long = "字".repeat(201);
    for (text, expected) in [
        ("person: {name: 試　験, birth: 2001-02-30}".to_owned(), "1:28: expected a date that exists"),
        ("person: {name: 試　験, birth: 1872-12-31}".to_owned(), "1:28: expected a date of birth from 1873"),
        (format!("person: {{name: {long}, birth: 2001-02-03}}"), "1:16: this has 201 characters"),
        ("person: {name: \"試\\n験\", birth: 2001-02-03}".to_owned(), "1:16: a line break"),
        (format!("{SHORT}municipality: {{code: \"131016\"}}"), "2:22: a municipality code has 5 digits"),
        (format!("{SHORT}municipality: {{city: 千代田区}}"), "2:22: expected a name in Latin letters"),
        ("person: {name: 試　験}".to_owned(), "1:"),
    ] {
        let told = problem(&text);
        assert!(told.starts_with(&format!("folder/taro.yaml:{expected}")), "{told}");
    }
}

#[test]
fn a_holder_whose_file_is_called_after_a_key_has_that_key() {
    let holder = parse("folder/hanako.yaml", SHORT).unwrap();
    assert_eq!(holder.keys.digital_signature.as_str(), "hanako-digital-signature");
}

#[test]
fn an_age_stays_whatever_the_clock_shows() {
    let child = parse("child.yaml", "person: {name: 試　験, age: 8, birthday: 02-29}\n").unwrap();
    for (now, birth) in [
        ("2026-02-27T14:59:59Z", date(2017, 2, 28)),
        ("2026-02-27T15:00:00Z", date(2018, 2, 28)),
        ("2028-02-28T15:00:00Z", date(2020, 2, 29)),
        ("2100-06-01T00:00:00Z", date(2092, 2, 29)),
    ] {
        let now = now.parse().unwrap();
        assert_eq!(child.clone().as_of(now).person.birth, birth);
        assert_eq!(child.age(now), 8);
        assert_eq!(child.signature_certificate(now), None);
    }
}

#[test]
fn the_fifteenth_birthday_brings_the_signature_certificate() {
    let holder = parse("a.yaml", "person: {name: 試　験, birth: 2011-04-02}\n").unwrap();
    assert_eq!(holder.signature_certificate("2026-04-01T14:59:59Z".parse().unwrap()), None);
    let later = holder.signature_certificate("2026-04-01T15:00:00Z".parse().unwrap());
    assert_eq!(later, Some(CertificateState::Valid));
}

#[test]
fn a_state_is_read_as_it_is_written() {
    let state = "state: {tries_left: {all: 2, digital_signature: 0}, generation: previous, certificates: \
                 {user_authentication: on_hold, digital_signature: none}}\n";
    let state = parse("a.yaml", &format!("{SHORT}{state}")).unwrap().state;
    assert_eq!(state.tries_left.of(PinName::UserAuthentication), Some(2));
    assert_eq!(state.tries_left.of(PinName::DigitalSignature), Some(0));
    assert_eq!(state.generation, IssuingGeneration::Previous);
    assert_eq!(state.certificates.user_authentication, CertificateState::OnHold);
    assert_eq!(state.certificates.digital_signature, SignatureCertificate::Absent);
    let ago = "state: {certificates: {user_authentication: {expired_days_ago: 30}}}\n";
    let state = parse("a.yaml", &format!("{SHORT}{ago}")).unwrap().state;
    assert_eq!(state.certificates.user_authentication, CertificateState::ExpiredDaysAgo(30));
}

#[test]
fn a_state_that_cannot_be_is_told_with_its_line() {
    for (state, expected) in [
        ("{tries_left: {pin: 1}}", "2:27: expected a number beside `all`, `user_authentication`"),
        (
            "{tries_left: {all: 16}}",
            "2:27: expected 0 to 3 tries: the full counter of user_authentication has 3",
        ),
        ("{tries_left: {all: 4}}", "2:27: expected 0 to 3 tries"),
        (
            "{tries_left: {user_authentication: 4}}",
            "2:43: expected 0 to 3 tries: the full counter of user_auth",
        ),
        ("{tries_left: {user_authentication: -1}}", "2:43: expected 0 to 3 tries"),
        ("{tries_left: {digital_signature: 6}}", "2:41: expected 0 to 5 tries"),
        ("{tries_left: {all: many}}", "2:27: "),
        ("{certificates: {user_authentication: none}}", "2:45: every card has this certificate"),
        ("{certificates: {user_authentication: expird}}", "2:45: expected one of"),
        (
            "{certificates: {user_authentication: {expired_days_ago: 0}}}",
            "2:45: expected 1 to 3650 days, such as {expired_days_ago: 30}",
        ),
        ("{certificates: {user_authentication: {expired_days_ago: 99999}}}", "2:45: expected 1 to 3650 days"),
        ("{certificates: {user_authentication: {expired_days_ago: -1}}}", "2:45: expected 1 to 3650 days"),
        ("{certificates: {digital_signature: expired_days_ago}}", "2:43: expected 1 to 3650 days, such as"),
        ("{certificates: {digital_signature: {expired: 3}}}", "2:43: expected one of none, valid"),
        (
            "{certificates: {digital_signature: {expired_days_ago: 3, valid: 2}}}",
            "2:43: expected one of none",
        ),
        ("{certificates: {digital_signature: 3}}", "2:24: expected one of none, valid"),
        (
            "{generation: previous, certificates: {digital_signature: expired}}",
            "2:65: a certificate of an earlier",
        ),
        ("{generation: oldest, renewed: true}", "2:38: what has just been renewed"),
        ("{renewed: true, certificates: {user_authentication: not_yet_valid}}", "2:60: what has just been"),
        ("{renewd: true}", "2:9: unknown field `renewd`"),
    ] {
        let told = problem(&format!("{SHORT}state: {state}\n"));
        assert!(told.starts_with(&format!("folder/taro.yaml:{expected}")), "{state}: {told}");
    }
}

#[test]
fn a_person_that_cannot_be_is_told_with_its_line() {
    for (person, expected) in [
        ("{name: 試　験, age: 8, birth: 2001-02-03}", "1:26: expected either `birth` or `age`"),
        ("{name: 試　験, age: 131}", "1:26: expected an age from 0 to 130"),
        ("{name: 試　験, birth: 2001-02-03, birthday: 02-03}", "1:50: `birthday` goes with `age`"),
        ("{name: 試　験, age: 8, birthday: 13-01}", "1:39: expected a day of the year"),
        ("{name: 試　験, birth: 2001-02-03, substitutes: {name: \"01\"}}", "1:60: expected 3 digits 0 or 1"),
        ("{name: 試　験, birth: 2001-02-03, substitutes: {name: \"002\"}}", "1:60: expected 3 digits 0 or 1"),
    ] {
        let told = problem(&format!("person: {person}\n"));
        assert!(told.starts_with(&format!("folder/taro.yaml:{expected}")), "{person}: {told}");
    }
}

#[test]
fn what_no_card_has_is_refused_where_it_stands() {
    let all = "its `code`, `prefecture` and `city` all told; ";
    for (text, expected) in [
        ("person: {name: Taro Yamada, birth: 2001-02-03}".to_owned(), "1:16: character 1 is of half width"),
        ("person: {name: ﾀﾛｳ　ﾔﾏﾀﾞ, birth: 2001-02-03}".to_owned(), "1:16: character 1 is of half width"),
        ("person: {name: 山田太郎, birth: 2001-02-03}".to_owned(), "1:16: expected a full-width space"),
        (
            "person: {name: 山田　太郎, birth: 2001-02-03, address: 試験町1-2-3}".to_owned(),
            "1:51: character 4 is of half width",
        ),
        (format!("{SHORT}municipality: {{code: \"27127\"}}"), "2:22: another municipality than the default"),
        (
            format!("{SHORT}municipality: {{prefecture: Osaka-fu, city: Osaka-shi}}"),
            "2:28: another municipality",
        ),
        (
            format!("{SHORT}card: {{expiry: 2001-02-02}}"),
            "2:16: expected a date of expiry that is not before",
        ),
        (String::new(), "1:1: this file is empty; write at least `person: {name: "),
        ("person: {name: 試　験, age: 99999}".to_owned(), "1:26: expected an age from 0 to 130"),
    ] {
        let told = problem(&text);
        assert!(told.starts_with(&format!("folder/taro.yaml:{expected}")), "{told}");
        assert!(!told.contains("municipality than") || told.contains(all), "{told}");
    }
    let told = super::parse("taro.yaml", SHORT, Some(date(2001, 2, 2))).unwrap_err().to_string();
    assert!(
        told.starts_with("taro.yaml:1:30: expected a date of birth that is not after today, 2001-02-02"),
        "{told}"
    );
    assert!(super::parse("taro.yaml", SHORT, Some(date(2001, 2, 3))).is_ok());
}

#[test]
fn pictures_lie_beside_the_document_and_are_what_they_should_be() {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("mine.yaml");
    let file = document.display().to_string();
    let whole = include_bytes!("../../../vectors/holders/images/hanako.jp2");
    let picture = |depth, width: u32, height: u32| {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, height);
        let (colour, bytes) = match depth {
            png::BitDepth::One => (png::ColorType::Grayscale, width.div_ceil(8) * height),
            _ => (png::ColorType::Rgb, 3 * width * height),
        };
        encoder.set_color(colour);
        encoder.set_depth(depth);
        let mut writer = encoder.write_header().unwrap();
        writer.write_image_data(&vec![0x5A; bytes as usize]).unwrap();
        writer.finish().unwrap();
        file
    };
    let dots = picture(png::BitDepth::One, 72, 12);
    for (name, bytes) in [
        ("me.jp2", &whole[..]),
        ("cut.jp2", &whole[..600]),
        ("large.png", &[0; 7001]),
        ("dots.png", &dots),
        ("cut.png", &dots[..dots.len() - 20]),
        ("wide.png", &picture(png::BitDepth::One, 80, 12)),
        ("rgb.png", &picture(png::BitDepth::Eight, 8, 8)),
        ("endless.png", &picture(png::BitDepth::One, 5000, 1)),
    ] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let with = |images: &str| parse(&file, &format!("{SHORT}images: {{{images}}}\n"));
    let holder = with("portrait: me.jp2, my_number: dots.png, name: wide.png").unwrap();
    assert!(holder.images.portrait.is_some());
    assert_eq!(format!("{:?}", holder.images), "{\"name\", \"portrait\", \"my_number\"}");
    for (images, expected) in [
        ("name: me.jp2", ":2:16: expected a PNG picture"),
        ("name: large.png", ":2:16: this picture cannot be used: "),
        (
            "name: rgb.png",
            ":2:16: expected a PNG of one bit for each dot, black and white; this one is Rgb of 8",
        ),
        ("address: cut.png", ":2:19: this PNG picture is cut off or broken"),
        ("security_code: endless.png", ":2:25: expected a picture of at most 4096 dots a side"),
        ("my_number: wide.png", ":2:21: expected a picture of 72 by 12 dots; this one has 80 by 12"),
        ("portrait: cut.jp2", ":2:20: this JPEG 2000 file is cut off"),
        ("portrait: dots.png", ":2:20: expected a JPEG 2000 picture"),
        ("portrait: none.jp2", ":2:20: this picture cannot be used: "),
    ] {
        let told = with(images).unwrap_err().to_string();
        assert!(told.starts_with(&format!("{file}{expected}")), "{told}");
    }
}
