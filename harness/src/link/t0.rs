//! The protocol T=0 below the scenario. Its command carries either data or an expected length, never
//! both, and answers come in two steps (ISO/IEC 7816-3, 12.2): here a scenario's command becomes what
//! T=0 can say, `61xx` is followed by GET RESPONSE, and `6Cxx` by the same command with that length.

use super::{CardLink, LinkError, ReaderIdentity, Refused};
use vmyna_sim::apdu::{CommandApdu, CommandBuilder};
use vmyna_sim::smart_card::Power;

/// A [`CardLink`] over T=0 that answers as one over T=1 would.
pub struct T0<L>(pub L);

/// More steps than any answer takes; a card that never ends would otherwise be heard for ever.
const MOST_STEPS: usize = 512;

impl<L: CardLink> CardLink for T0<L> {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        self.0.atr()
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        self.0.power(power)
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        // What is no command at all goes as it is: the card shall say so.
        let Ok(apdu) = CommandApdu::parse(command) else { return self.0.transmit(command) };
        let header = CommandBuilder::new(apdu.cla(), apdu.ins(), apdu.p1(), apdu.p2());
        let first = match (apdu.data(), apdu.le()) {
            // Case 1 has P3 = 00.
            ([], None) => [command, &[0x00]].concat(),
            ([], Some(le)) if le <= 256 => header.le(le).to_bytes(),
            // Case 4 goes without Le, and its answer waits for GET RESPONSE.
            (data, le) if data.len() <= 255 && le.is_none_or(|le| le <= 256) => header.data(data).to_bytes(),
            _ => return Err(Refused::ExtendedOverT0.into()),
        };
        let mut answer = self.0.transmit(&first)?;
        let mut data = Vec::new();
        for _ in 0..MOST_STEPS {
            let next = match answer.last_chunk::<2>() {
                Some([0x61, length]) => [apdu.cla() & 0x03, 0xC0, 0x00, 0x00, *length],
                Some([0x6C, length]) if apdu.data().is_empty() && data.is_empty() => {
                    [apdu.cla(), apdu.ins(), apdu.p1(), apdu.p2(), *length]
                }
                _ => {
                    data.extend(answer);
                    return Ok(data);
                }
            };
            data.extend(&answer[..answer.len() - 2]);
            answer = self.0.transmit(&next)?;
        }
        Err(LinkError::lost(
            format!("{MOST_STEPS} 個のコマンドの後も、カードは応答の続きがあると言う"),
            format!("after {MOST_STEPS} commands the card still promises more of its answer"),
        ))
    }

    fn reader(&self) -> Option<&ReaderIdentity> {
        self.0.reader()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use std::collections::VecDeque;

    /// Expects commands and gives the answers prepared.
    struct Prepared(VecDeque<(Vec<u8>, Vec<u8>)>);

    impl CardLink for Prepared {
        fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
            Ok(vec![])
        }

        fn power(&mut self, _: Power) -> Result<(), LinkError> {
            Ok(())
        }

        fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
            let (expected, answer) = self.0.pop_front().expect("no further command");
            assert_eq!(command, expected);
            Ok(answer)
        }
    }

    fn over_t0(steps: &[(&[u8], &[u8])]) -> T0<Prepared> {
        T0(Prepared(steps.iter().map(|(command, answer)| (command.to_vec(), answer.to_vec())).collect()))
    }

    #[test]
    fn an_answer_that_waits_is_fetched() {
        let mut link = over_t0(&[
            (&hex!("802A0080 03 010203"), &hex!("6102")),
            (&hex!("00C00000 02"), &hex!("AABB 6101")),
            (&hex!("00C00000 01"), &hex!("CC 9000")),
        ]);
        assert_eq!(link.transmit(&hex!("802A0080 03 010203 00")).unwrap(), hex!("AABBCC9000"));
        assert!(link.0.0.is_empty());
    }

    #[test]
    fn a_length_that_the_card_corrects_is_corrected_once_more() {
        let mut link =
            over_t0(&[(&hex!("00B00000 00"), &hex!("6C11")), (&hex!("00B00000 11"), &hex!("0102 9000"))]);
        assert_eq!(link.transmit(&hex!("00B00000 00")).unwrap(), hex!("01029000"));
    }

    #[test]
    fn a_command_without_data_gets_its_fifth_byte() {
        let mut link = over_t0(&[(&hex!("00200080 00"), &hex!("63C3"))]);
        assert_eq!(link.transmit(&hex!("00200080")).unwrap(), hex!("63C3"));
    }

    #[test]
    fn extended_lengths_are_not_sent_unless_short_ones_would_do() {
        let mut link = over_t0(&[(&hex!("00B00000 04"), &hex!("01020304 9000"))]);
        assert_eq!(link.transmit(&hex!("00B00000 000004")).unwrap(), hex!("010203049000"));
        let long = link.transmit(&hex!("00B00000 000200"));
        assert!(matches!(long, Err(LinkError::Refused(Refused::ExtendedOverT0))), "{long:?}");
    }

    #[test]
    fn a_card_that_never_ends_is_left() {
        struct Endless;
        impl CardLink for Endless {
            fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
                Ok(vec![])
            }

            fn power(&mut self, _: Power) -> Result<(), LinkError> {
                Ok(())
            }

            fn transmit(&mut self, _: &[u8]) -> Result<Vec<u8>, LinkError> {
                Ok(hex!("00 6101").to_vec())
            }
        }
        assert!(matches!(T0(Endless).transmit(&hex!("00B0000000")), Err(LinkError::Lost(_))));
    }
}
