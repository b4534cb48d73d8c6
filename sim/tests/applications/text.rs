//! 券面入力補助: My Number, the four attributes, and what proves them.

use super::*;

fn text_issuer(client: &mut Client) -> RsaPublicKey {
    let file = client.read(0x04).unwrap();
    assert_eq!(file.len(), 568);
    let authority = authority(include_str!("../../vectors/pki/TEST-KEYS/ca-cv-text.TEST.pem"));
    let (issuer, subject, key) = certified(only(&file, 0x7F21), &authority);
    assert_eq!(issuer, b"6990033\x08\x05001\0\0\0\0");
    assert_eq!(subject, b"1310131\x08\x05000\0\0\0\0");
    key
}

#[test]
fn the_text_application_holds_number_and_attributes_and_the_proof_of_both() {
    let mut client = opened(&TEXT, 0x11, b"1234");
    let number = client.read(0x01).unwrap();
    assert_eq!(number, [&hex!("FF100C")[..], MY_NUMBER, &hex!("FFFF")].concat());

    let attributes = client.read(0x02).unwrap();
    assert!(attributes.len() > 256 && attributes.len() <= 0x7FFF);
    let inside = only(&attributes, 0xFF20);
    assert_eq!(tags(inside), [0xDF21, 0xDF22, 0xDF23, 0xDF24, 0xDF25]);
    for (index, tag) in [0xDF22_u16, 0xDF23, 0xDF24, 0xDF25].into_iter().enumerate() {
        let offset = &value(inside, 0xDF21)[index * 2..][..2];
        let at = usize::from(u16::from_be_bytes([offset[0], offset[1]]));
        assert_eq!(attributes[at..at + 2], tag.to_be_bytes(), "offsets count from the file's first byte");
    }
    assert_eq!(value(inside, 0xDF22), "番号　花子".as_bytes());
    assert_eq!(value(inside, 0xDF23), "東京都千代田区試験町１丁目２番３号".as_bytes());
    assert_eq!((value(inside, 0xDF24), value(inside, 0xDF25)), (&b"19800615"[..], &b"2"[..]));

    let issuer = text_issuer(&mut client);
    let digests = client.read(0x03).unwrap();
    assert_eq!((digests.len(), &digests[..5]), (336, &hex!("FF3082014B")[..]));
    let digests = only(&digests, 0xFF30);
    assert_eq!(value(digests, 0xDF31), &Sha256::digest(&number)[..]);
    assert_eq!(value(digests, 0xDF32), &Sha256::digest(&inside[11..])[..]);
    assert_eq!(before(digests, 0xDF33).len(), 70);
    assert!(is_signed(&issuer, before(digests, 0xDF33), value(digests, 0xDF33)));
}

#[test]
fn the_text_application_tells_its_versions_and_two_public_keys() {
    let mut client = opened(&TEXT, 0x11, b"1234");
    let basic = client.read(0x05).unwrap();
    assert_eq!((basic.len(), &basic[..5]), (256, &hex!("FF4082009F")[..]));
    let basic = only(&basic, 0xFF40);
    assert_eq!(value(basic, 0xDF41), hex!("01030E01"));
    assert_eq!(value(basic, 0xDF42).len(), 16);
    assert!(value(basic, 0xDF43)[32..].iter().all(|byte| *byte == 0xFF));
    assert_eq!(value(basic, 0xDF43).len(), 128);

    let session = client.read(0x06).unwrap();
    assert_eq!(session.len(), 269);
    let session = public_key(only(&session, 0xA1));

    let signed = client.read(0x07).unwrap();
    assert_eq!((signed.len(), &signed[..5]), (536, &hex!("FF50820213")[..]));
    let signed = only(&signed, 0xFF50);
    let issuer = text_issuer(&mut client);
    assert!(is_signed(&issuer, before(signed, 0xDF52), value(signed, 0xDF52)));
    assert_ne!(public_key(value(signed, 0xDF51)), session);
    assert_eq!(client.read(0x08).unwrap(), [0xFF; 16]);
}
