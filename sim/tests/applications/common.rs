//! The common application and the resident register: records, and the key that answers INTERNAL AUTHENTICATE.

use super::*;

#[test]
fn records_are_read_by_number_by_selection_or_by_short_identifier() {
    let mut client = Client::at(&COMMON);
    let (record, status) = client.transmit(&hex!("00B2010C00"));
    assert_eq!((status, &record[..2]), (Status::Success, &hex!("011C")[..]));
    assert!(record[2..].iter().all(u8::is_ascii_digit));
    assert_eq!(&record[17..], b"1310120350615", "municipality and expiry follow fifteen digits");
    assert_eq!(client.transmit(&hex!("00B2010400")).0, record, "the EF has become current");
    assert_eq!(client.status(&hex!("00B2020400")), Status::RecordNotFound);
    assert_eq!(client.status(&hex!("00B2010500")), Status::FunctionNotSupported);
    assert_eq!(client.status(&hex!("00B201040A")), Status::WrongLength);

    let (reference, status) = client.transmit(&hex!("00B2011400"));
    assert_eq!((status, &reference[..2], reference.len()), (Status::Success, &hex!("0110")[..], 18));
    client.select(&JUKI);
    assert_eq!(client.status(&hex!("00B2010400")), Status::NoCurrentEf);
    assert_eq!(client.transmit(&hex!("00B2011400")).0, reference, "the same in both applications");
}

#[test]
fn one_key_answers_internal_authenticate_and_no_other() {
    let mut client = Client::at(&COMMON);
    let challenge = hex!("00880099 04 DEADBEEF 00");
    let (signature, status) = client.transmit(&challenge);
    assert_eq!(status, Status::Success);
    let key = authority(include_str!("../../vectors/pki/TEST-KEYS/hanako-common.TEST.pem"));
    assert!(is_signed(&key, &hex!("DEADBEEF"), &signature));
    assert_eq!(client.status(&hex!("802A0099015500")), Status::ConditionsOfUseNotSatisfied);
    assert_eq!(client.status(&hex!("0088009900")), Status::WrongLength, "no challenge");

    let longest = CommandBuilder::new(0x00, 0x88, 0x00, 0x99).data(&[7; 255]).le(256).to_bytes();
    assert_eq!(client.status(&longest), Status::Success);

    for (aid, p2, expected) in [
        (JPKI, 0x97, Status::SecurityStatusNotSatisfied),
        (JPKI, 0x9A, Status::SecurityStatusNotSatisfied),
        (TEXT, 0x93, Status::ConditionsOfUseNotSatisfied),
        (VISUAL, 0x9A, Status::ConditionsOfUseNotSatisfied),
    ] {
        client.select(&aid);
        assert_eq!(client.status(&[0x00, 0x88, 0x00, p2, 1, 0x55, 0]), expected);
    }
}
