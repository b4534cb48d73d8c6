//! 券面事項確認: the card's face and what proves it.

use super::*;

fn visual_issuer(client: &mut Client) -> RsaPublicKey {
    let file = client.read(0x04).unwrap();
    assert_eq!(file.len(), 568);
    let authority = authority(include_str!("../../vectors/pki/TEST-KEYS/ca-cv-visual.TEST.pem"));
    let (issuer, subject, key) = certified(only(&file, 0x7F21), &authority);
    assert_eq!(issuer, b"6990023\x08\x05001\0\0\0\0");
    assert_eq!(subject, b"1310121\x08\x05000\0\0\0\0");
    key
}

#[test]
fn the_visual_application_holds_the_card_face_signed_in_three_groups() {
    let mut client = opened(&VISUAL, 0x12, CODE_B);
    let issuer = visual_issuer(&mut client);
    let file = client.read(0x02).unwrap();
    assert_eq!(file[..3], hex!("FF2082"));
    assert_eq!(file[5..8], hex!("DF2112"));
    let inside = only(&file, 0xFF20);
    let expected: Vec<u32> = (0xDF21..=0xDF2A).collect();
    assert_eq!(tags(inside), expected);
    for (offset, tag) in value(inside, 0xDF21).chunks(2).zip(0xDF22_u16..) {
        let at = usize::from(u16::from_be_bytes([offset[0], offset[1]]));
        assert_eq!(file[at..at + 2], tag.to_be_bytes());
    }
    assert_eq!((value(inside, 0xDF22), value(inside, 0xDF23)), (&b"19800615"[..], &b"2"[..]));
    assert_eq!(value(inside, 0xDF29), b"20350615");
    for tag in [0xDF25, 0xDF26, 0xDF2A] {
        assert!(value(inside, tag).starts_with(b"\x89PNG\r\n\x1A\n"));
    }
    assert!(value(inside, 0xDF27).starts_with(&hex!("0000000C6A5020200D0A870A")));

    let from = |tag| objects(inside).into_iter().find(|(found, _, _)| *found == tag).unwrap().1;
    let groups = [(0xDF22, 0xDF25), (0xDF25, 0xDF27), (0xDF27, 0xDF28)];
    let digests: Vec<u8> =
        groups.iter().flat_map(|(first, next)| Sha256::digest(&inside[from(*first)..from(*next)])).collect();
    let padded = [&hex!("3071300D060960864801650304020105000460")[..], &digests].concat();
    issuer.verify(Pkcs1v15Sign::new_unprefixed(), &padded, value(inside, 0xDF28)).unwrap();
}

#[test]
fn the_other_files_of_the_visual_application_have_their_sizes_and_signatures() {
    let mut client = opened(&VISUAL, 0x11, b"550615");
    assert_eq!(client.verify(0x13, MY_NUMBER), Status::Success);
    let issuer = visual_issuer(&mut client);

    let age = client.read(0x01).unwrap();
    assert_eq!((age.len(), &age[..5]), (547, &hex!("FF1082021E")[..]));
    let age = only(&age, 0xFF10);
    assert_eq!(value(age, 0xDF11), b"19800615");
    assert!(is_signed(&issuer, before(age, 0xDF13), value(age, 0xDF13)));

    let basic = client.read(0x03).unwrap();
    assert_eq!((basic.len(), &basic[..5]), (320, &hex!("FF3082013B")[..]));
    let basic = only(&basic, 0xFF30);
    assert_eq!(tags(basic), [0xDF31, 0xDF32, 0xDF33, 0xDF34, 0xDF35]);
    assert_eq!((value(basic, 0xDF31), value(basic, 0xDF34)), (&hex!("06030E01")[..], &b"13101"[..]));
    assert_eq!(value(basic, 0xDF35).len(), 16 + 256);

    let number = client.read(0x05).unwrap();
    let number = only(&number, 0xFF40);
    assert_eq!(tags(number), [0xDF41, 0xDF42, 0xDF43]);
    assert_eq!(public_key(value(number, 0xDF42)), public_key(value(age, 0xDF12)));
    assert!(is_signed(&issuer, before(number, 0xDF43), value(number, 0xDF43)));
    assert_eq!(client.read(0x06).unwrap(), [0xFF; 16]);
}
