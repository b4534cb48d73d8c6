//! The card manager: data objects.

use super::*;

#[test]
fn the_card_manager_tells_whose_card_it_is_and_a_chain_of_certificates() {
    let mut client = Client(VirtualCard::new(HANAKO.clone()));
    let mut object = |tag: &str| {
        let [p1, p2] = u16::from_str_radix(tag, 16).unwrap().to_be_bytes();
        let (data, status) = client.transmit(&[0x00, 0xCA, p1, p2, 0x00, 0x00, 0x00]);
        assert_eq!(status, Status::Success, "{tag}");
        data
    };
    assert_eq!(object("0042").len(), 16);
    assert!(object("0045").iter().all(u8::is_ascii_digit));
    assert!(object("0066").windows(7).any(|window| window == hex!("2A864886FC6B01")));
    assert_eq!(object("00F0"), b"13101");
    assert_eq!(object("00F2"), b"20350615");

    let (upper, lower) = (object("00F8"), object("7F21"));
    assert_eq!((upper.len(), lower.len()), (575, 575));
    let root = authority(include_str!("../../vectors/pki/TEST-KEYS/ca-cv-chain.TEST.pem"));
    let (_, intermediate, key) = certified(&upper, &root);
    assert_eq!(object("00F7"), intermediate);
    let (issuer, _, _) = certified(&lower, &key);
    assert_eq!(issuer, intermediate);
}

#[test]
fn data_objects_belong_to_the_card_manager_and_need_a_long_enough_le() {
    let mut client = Client(VirtualCard::new(HANAKO.clone()));
    assert_eq!(client.status(&hex!("00CA00F800")), Status::WrongLength, "575 bytes do not fit into 256");
    assert_eq!(client.status(&hex!("00CA00F000")), Status::Success);
    assert_eq!(client.status(&hex!("00CA9F7F00")), Status::ReferencedDataNotFound);
    for aid in [JPKI, TEXT, VISUAL, JUKI, COMMON] {
        client.select(&aid);
        for command in [hex!("00CA00F000"), hex!("00CA004200"), hex!("00CA7F2100")] {
            assert_eq!(client.status(&command), Status::ReferencedDataNotFound);
        }
        assert_eq!(client.status(&hex!("00CA5F5100")), Status::Success);
    }
    client.select(&CARD_MANAGER);
    assert_eq!(client.status(&hex!("00CA00F000")), Status::Success);
}
