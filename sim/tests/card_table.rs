//! The built-in card against the published table of its files: every EF of every application, with its
//! kind, size, contents, filler, short identifier and condition, walked by commands alone. Nothing here
//! comes from the card's own tables; what nobody outside knows (the sizes of certificates' files, what the
//! unnamed files hold) is left open.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

use hex_literal::hex;
use std::sync::{Arc, LazyLock};
use vmyna_sim::card::{Personalised, VirtualCard};
use vmyna_sim::holder::Holder;
use vmyna_sim::profile::Profile;
use vmyna_sim::smart_card::{Reaction, SmartCard};

/// An application, its files, and the values that are right for its PINs by short identifier.
struct Row {
    name: &'static str,
    aid: &'static [u8],
    pins: &'static [(u8, &'static [u8])],
    files: &'static [(u16, Kind)],
}

/// What a file is.
enum Kind {
    /// a transparent file
    Data {
        /// its physical size, where it is known
        size: Option<usize>,
        /// what it begins with
        begins: &'static [u8],
        /// length of the object that it begins with, where it is the same on every card
        object: Option<usize>,
        /// the PINs of which one opens it, by short identifier; none where it is free
        opens: &'static [u8],
    },
    /// records, each of so many bytes and with such a beginning
    Records(&'static [(usize, &'static [u8])]),
    /// a PIN with so many tries
    Pin(u8),
    /// a PIN that nothing opens
    Blocked,
    /// a private key that signs (`80 2A`) after that PIN, or without any
    Signs(Option<u8>),
    /// a private key that answers INTERNAL AUTHENTICATE
    Answers,
    /// there, and what it is nobody outside knows
    Unknown,
}
use Kind::{Answers, Blocked, Data, Pin, Records, Signs, Unknown};

const FREE: &[u8] = &[];

const fn data(
    size: Option<usize>,
    begins: &'static [u8],
    object: Option<usize>,
    opens: &'static [u8],
) -> Kind {
    Data { size, begins, object, opens }
}

const TABLE: &[Row] = &[
    Row {
        name: "公的個人認証",
        aid: &hex!("D392F000260100000001"),
        pins: &[(0x18, b"1234"), (0x1B, b"ABC123")],
        files: &[
            (0x0001, data(None, &hex!("3082"), None, &[0x1B])),
            (0x0002, data(None, &hex!("3082"), None, FREE)),
            (0x0005, Unknown),
            (0x0006, data(Some(160), b"JPKIAPICCTOKEN2                 ", None, FREE)),
            (0x0008, data(Some(3), &hex!("8F8F00"), None, FREE)),
            (0x0009, Unknown),
            (0x000A, data(None, &hex!("3082"), None, FREE)),
            (0x000B, data(None, &hex!("3082"), None, FREE)),
            (0x0010, Unknown),
            (0x0016, Unknown),
            (0x0017, Signs(Some(0x18))),
            (0x0018, Pin(3)),
            (0x0019, Unknown),
            (0x001A, Signs(Some(0x1B))),
            (0x001B, Pin(5)),
            (0x001C, Unknown),
            (0x001E, Unknown),
        ],
    },
    Row {
        name: "券面事項入力補助",
        aid: &hex!("D3921000310001010408"),
        pins: &[(0x11, b"1234"), (0x14, b"123456789018"), (0x15, b"55061520352285")],
        files: &[
            (0x0001, data(Some(17), b"\xFF\x10\x0C123456789018\xFF\xFF", Some(15), &[0x11, 0x14])),
            (0x0002, data(None, &hex!("FF20"), None, &[0x11, 0x15])),
            (0x0003, data(Some(336), &hex!("FF3082014BDF3120"), Some(336), &[0x11, 0x14, 0x15])),
            (0x0004, data(Some(568), &hex!("7F218202335F4E820129"), Some(568), FREE)),
            (0x0005, data(Some(256), &hex!("FF4082009FDF410401030E01DF4210"), Some(164), FREE)),
            (0x0006, data(Some(269), &hex!("A18201099003010001918201 00"), Some(269), &[0x11, 0x14, 0x15])),
            (0x0007, data(Some(536), &hex!("FF50820213DF51820109"), Some(536), &[0x11, 0x14, 0x15])),
            // what opens it is not known
            (0x0008, data(Some(16), &[0xFF; 16], None, &[0x11, 0x14, 0x15])),
            (0x0010, Unknown),
            (0x0011, Pin(3)),
            (0x0012, Blocked),
            (0x0013, Signs(None)),
            (0x0014, Pin(10)),
            (0x0015, Pin(10)),
        ],
    },
    Row {
        name: "券面事項確認",
        aid: &hex!("D3921000310001010402"),
        pins: &[(0x11, b"550615"), (0x12, b"55061520352285"), (0x13, b"123456789018")],
        files: &[
            (
                0x0001,
                data(Some(547), b"\xFF\x10\x82\x02\x1E\xDF\x11\x0819800615\xDF\x12", Some(547), &[0x11]),
            ),
            (0x0002, data(None, &hex!("FF2082"), None, &[0x12, 0x13])),
            (0x0003, data(Some(320), &hex!("FF3082013BDF310406030E01DF3210"), Some(320), FREE)),
            (0x0004, data(Some(568), &hex!("7F218202335F4E820129"), Some(568), FREE)),
            (0x0005, data(None, &hex!("FF4082"), None, &[0x13])),
            (0x0006, data(Some(16), &[0xFF; 16], None, &[0x12, 0x13])),
            // the tries of the date of birth are not known
            (0x0011, Pin(10)),
            (0x0012, Pin(10)),
            (0x0013, Pin(10)),
            (0x001A, Signs(None)),
            (0x001C, Unknown),
            (0x001E, Unknown),
        ],
    },
    Row {
        name: "住民基本台帳",
        aid: &hex!("D3921000310001010401"),
        pins: &[(0x1C, b"1234")],
        files: &[(0x0002, Records(&[(18, &hex!("0110"))])), (0x001C, Pin(3))],
    },
    Row {
        name: "共通カード",
        aid: &hex!("D3921000310001010100"),
        pins: &[(0x1C, b"1234")],
        files: &[
            (0x0001, Records(&[(30, &hex!("011C"))])),
            (0x0002, Records(&[(18, &hex!("0110"))])),
            (0x0019, Answers),
            (0x001C, Pin(3)),
        ],
    },
];

static HANAKO: LazyLock<Arc<Personalised>> = LazyLock::new(|| {
    let now = "2026-04-01T00:00:00Z".parse().unwrap();
    let holder = Holder::built_in("hanako").unwrap();
    Arc::new(Personalised::new(holder, Profile::card(), now).unwrap())
});

/// A card with one application selected, and some PINs verified.
struct Client(VirtualCard);

impl Client {
    fn at(row: &Row, verified: &[u8]) -> Self {
        let mut client = Self(VirtualCard::new(HANAKO.clone()));
        assert_eq!(client.send(&[&hex!("00A4040C0A"), row.aid].concat()), (vec![], 0x9000), "{}", row.name);
        for (sfi, value) in row.pins.iter().filter(|(sfi, _)| verified.contains(sfi)) {
            let verify = [&[0x00, 0x20, 0x00, 0x80 | sfi, value.len() as u8], *value].concat();
            assert_eq!(client.send(&verify), (vec![], 0x9000), "{} {sfi:02X}", row.name);
        }
        client
    }

    fn send(&mut self, command: &[u8]) -> (Vec<u8>, u16) {
        let Reaction::Answer(mut answer) = self.0.transmit(command) else { panic!("the card answers") };
        let status = answer.split_off(answer.len() - 2);
        (answer, u16::from_be_bytes([status[0], status[1]]))
    }

    fn select(&mut self, file: u16) -> u16 {
        let [high, low] = file.to_be_bytes();
        let (data, status) = self.send(&[0x00, 0xA4, 0x02, 0x0C, 0x02, high, low]);
        assert!(data.is_empty());
        status
    }

    /// The whole file, by short identifier.
    fn read(&mut self, file: u16) -> (Vec<u8>, u16) {
        self.send(&[0x00, 0xB0, 0x80 | file as u8, 0x00, 0x00, 0x00, 0x00])
    }
}

/// Header and length of the BER-TLV object that `bytes` begin with.
fn object_length(bytes: &[u8]) -> usize {
    let tag = if bytes[0] & 0x1F == 0x1F { 2 } else { 1 };
    match bytes[tag..] {
        [0x82, high, low, ..] => tag + 3 + usize::from(u16::from_be_bytes([high, low])),
        [0x81, length, ..] => tag + 2 + usize::from(length),
        [length, ..] => tag + 1 + usize::from(length),
        [] => panic!("an object without a length"),
    }
}

#[test]
fn every_file_can_be_selected_and_no_other_is_there() {
    for row in TABLE {
        let mut client = Client::at(row, &[]);
        for file in 0x0001..=0x001E {
            let is_there = row.files.iter().any(|(id, _)| *id == file);
            let expected = if is_there { 0x9000 } else { 0x6A82 };
            assert_eq!(client.select(file), expected, "{} {file:04X}", row.name);
        }
        for file in [0x2F00, 0x2F10, 0x3F00, 0x0101] {
            assert_eq!(client.select(file), 0x6A82, "{} {file:04X}", row.name);
        }
    }
}

#[test]
fn every_transparent_file_has_its_size_its_contents_and_its_filler() {
    for row in TABLE {
        let all: Vec<u8> = row.pins.iter().map(|(sfi, _)| *sfi).collect();
        let mut client = Client::at(row, &all);
        for (file, kind) in row.files {
            let Data { size, begins, object, .. } = kind else { continue };
            let told = format!("{} {file:04X}", row.name);
            let (bytes, status) = client.read(*file);
            assert_eq!(status, 0x9000, "{told}");
            assert!(size.is_none_or(|size| bytes.len() == size), "{told}: {} bytes", bytes.len());
            assert!(bytes.starts_with(begins), "{told}: {:02X?}", &bytes[..begins.len().min(bytes.len())]);
            // the same by selection, in blocks of 256, and nothing behind the end
            assert_eq!(client.select(*file), 0x9000, "{told}");
            let mut blocks = Vec::new();
            while blocks.len() < bytes.len() {
                let [high, low] = (blocks.len() as u16).to_be_bytes();
                let (block, status) = client.send(&[0x00, 0xB0, high, low, 0x00]);
                assert_eq!(status, 0x9000, "{told} at {}", blocks.len());
                blocks.extend(block);
            }
            assert_eq!(blocks, bytes, "{told}");
            let [high, low] = (bytes.len() as u16 + 1).to_be_bytes();
            assert_eq!(client.send(&[0x00, 0xB0, high, low, 0x01]), (vec![], 0x6B00), "{told}");
            // the token information and EF 0008 of JPKI are no objects; two files are filler alone
            if matches!(begins, [0xFF, 0xFF, ..] | [0x8F, ..] | [b'J', ..]) {
                continue;
            }
            let length = object_length(&bytes);
            assert!(object.is_none_or(|object| length == object), "{told}: an object of {length} bytes");
            assert!(bytes[length..].iter().all(|byte| *byte == 0xFF), "{told}: filler");
        }
    }
}

#[test]
fn every_transparent_file_opens_to_its_pins_and_to_no_other() {
    for row in TABLE {
        let alone = row.pins.iter().map(|(sfi, _)| vec![*sfi]);
        for verified in std::iter::once(vec![]).chain(alone) {
            let mut client = Client::at(row, &verified);
            for (file, kind) in row.files {
                let Data { opens, .. } = kind else { continue };
                let is_open = opens.is_empty() || opens.iter().any(|sfi| verified.contains(sfi));
                let expected = if is_open { 0x9000 } else { 0x6982 };
                let told = format!("{} {file:04X} with {verified:02X?}", row.name);
                assert_eq!(client.read(*file).1, expected, "{told}");
                assert_eq!(client.select(*file), 0x9000, "{told}");
                assert_eq!(client.send(&hex!("00B0000001")).1, expected, "{told}");
            }
        }
    }
}

#[test]
fn every_record_file_is_read_by_number_without_any_pin() {
    for row in TABLE {
        let mut client = Client::at(row, &[]);
        for (file, kind) in row.files {
            let Records(records) = kind else { continue };
            let told = format!("{} {file:04X}", row.name);
            let by_sfi = (*file as u8) << 3 | 0x04;
            for (number, (length, begins)) in (1..).zip(*records) {
                let (record, status) = client.send(&[0x00, 0xB2, number, by_sfi, 0x00]);
                assert_eq!((record.len(), status), (*length, 0x9000), "{told}");
                assert!(record.starts_with(begins), "{told}: {record:02X?}");
                assert_eq!(client.select(*file), 0x9000, "{told}");
                assert_eq!(client.send(&[0x00, 0xB2, number, 0x04, 0x00]), (record, 0x9000), "{told}");
            }
            let after = records.len() as u8 + 1;
            assert_eq!(client.send(&[0x00, 0xB2, after, by_sfi, 0x00]).1, 0x6A83, "{told}");
            assert_eq!(client.send(&[0x00, 0xB2, 0x01, by_sfi | 0x05, 0x00]).1, 0x6A81, "{told}");
            assert_eq!(client.read(*file).1, 0x6981, "{told}");
        }
    }
}

#[test]
fn every_pin_has_its_tries_and_is_never_read() {
    for row in TABLE {
        let all: Vec<u8> = row.pins.iter().map(|(sfi, _)| *sfi).collect();
        for (file, kind) in row.files {
            let (tries, told) = match kind {
                Pin(tries) => (*tries, format!("{} {file:04X}", row.name)),
                Blocked => (0, format!("{} {file:04X}", row.name)),
                _ => continue,
            };
            let mut client = Client::at(row, &all);
            let by_sfi = 0x80 | *file as u8;
            assert_eq!(client.send(&[0x00, 0x20, 0x00, by_sfi]).1, 0x63C0 | u16::from(tries), "{told}");
            assert_eq!(client.select(*file), 0x9000, "{told}");
            assert_eq!(client.send(&hex!("00200080")).1, 0x63C0 | u16::from(tries), "{told}");
            assert_ne!(client.read(*file).1, 0x9000, "{told}");
            let wrong = [&[0x00, 0x20, 0x00, by_sfi, 0x04][..], b"0000"].concat();
            for left in (0..tries).rev() {
                let value = row.pins.iter().find(|(sfi, _)| u16::from(*sfi) == *file).unwrap().1;
                let wrong =
                    [&[0x00, 0x20, 0x00, by_sfi, value.len() as u8][..], &vec![b'0'; value.len()]].concat();
                assert_eq!(client.send(&wrong).1, 0x63C0 | u16::from(left), "{told}");
            }
            assert_eq!(client.send(&wrong).1, 0x6984, "{told}");
        }
    }
}

#[test]
fn every_key_signs_or_answers_under_its_condition_and_is_never_read() {
    let digest_info = [&hex!("3031300D060960864801650304020105000420")[..], &[0x5A; 32]].concat();
    for row in TABLE {
        let all: Vec<u8> = row.pins.iter().map(|(sfi, _)| *sfi).collect();
        for (file, kind) in row.files {
            let told = format!("{} {file:04X}", row.name);
            let by_sfi = 0x80 | *file as u8;
            let sign = [&[0x80, 0x2A, 0x00, by_sfi, 0x33][..], &digest_info, &[0x00]].concat();
            let answer = [0x00, 0x88, 0x00, by_sfi, 0x01, 0x5A, 0x00];
            match kind {
                Signs(Some(pin)) => {
                    let others: Vec<u8> = all.iter().copied().filter(|sfi| sfi != pin).collect();
                    assert_eq!(Client::at(row, &others).send(&sign).1, 0x6982, "{told}");
                    let (signature, status) = Client::at(row, &[*pin]).send(&sign);
                    assert_eq!((signature.len(), status), (256, 0x9000), "{told}");
                    assert_eq!(Client::at(row, &[]).send(&answer).1, 0x6982, "{told}");
                }
                Signs(None) => {
                    let (signature, status) = Client::at(row, &[]).send(&sign);
                    assert_eq!((signature.len(), status), (256, 0x9000), "{told}");
                    // the default key of the application is this one
                    let by_default = [&hex!("802A000033")[..], &digest_info, &[0x00]].concat();
                    assert_eq!(Client::at(row, &[]).send(&by_default), (signature, 0x9000), "{told}");
                    assert_eq!(Client::at(row, &[]).send(&answer).1, 0x6985, "{told}");
                }
                Answers => {
                    let (signature, status) = Client::at(row, &[]).send(&answer);
                    assert_eq!((signature.len(), status), (256, 0x9000), "{told}");
                }
                _ => continue,
            }
            assert_ne!(Client::at(row, &all).read(*file).1, 0x9000, "{told}");
        }
    }
}

#[test]
fn the_unnamed_files_tell_nothing() {
    for row in TABLE {
        let all: Vec<u8> = row.pins.iter().map(|(sfi, _)| *sfi).collect();
        let mut client = Client::at(row, &all);
        for (file, _) in row.files.iter().filter(|(_, kind)| matches!(kind, Unknown)) {
            let (data, status) = client.read(*file);
            assert!(data.is_empty() && status != 0x9000, "{} {file:04X}: {status:04X}", row.name);
        }
    }
}

#[test]
fn the_card_manager_has_one_file_and_its_data_objects() {
    let mut client = Client(VirtualCard::new(HANAKO.clone()));
    for (file, expected) in [(0x001E, 0x9000), (0x2F10, 0x6A82), (0x2F11, 0x6A82), (0x0001, 0x6A82)] {
        assert_eq!(client.select(file), expected, "{file:04X}");
    }
    assert_eq!(client.select(0x001E), 0x9000);
    assert_eq!(client.send(&hex!("00B0000001")).1, 0x6981);
    for (tag, length) in [
        ([0x00, 0x42], Some(16)),
        ([0x00, 0x45], None),
        ([0x00, 0x66], None),
        ([0x00, 0xF0], Some(5)),
        ([0x00, 0xF2], Some(8)),
        ([0x00, 0xF7], Some(16)),
        ([0x00, 0xF8], Some(575)),
        ([0x7F, 0x21], Some(575)),
    ] {
        let (data, status) = client.send(&[0x00, 0xCA, tag[0], tag[1], 0x00, 0x00, 0x00]);
        assert_eq!(status, 0x9000, "{tag:02X?}");
        assert!(length.is_none_or(|length| data.len() == length), "{tag:02X?}: {} bytes", data.len());
        if data.len() > 256 {
            let short = client.send(&[0x00, 0xCA, tag[0], tag[1], 0x00]);
            assert_eq!(short, (vec![], 0x6700), "{tag:02X?}");
        }
    }
    assert_eq!(client.send(&hex!("00CA9F7F00")).1, 0x6A88);
    // the stored answer to reset, without TS, is told where an application is selected
    assert_eq!(client.send(&hex!("00CA5F5100")).1, 0x6A88);
    for row in TABLE {
        let told = Client::at(row, &[]).send(&hex!("00CA5F5100"));
        assert_eq!(told, (hex!("E000FF8131FE4514").to_vec(), 0x9000), "{}", row.name);
        assert_ne!(Client::at(row, &[]).send(&hex!("00CA00F000")).1, 0x9000, "{}", row.name);
    }
}
