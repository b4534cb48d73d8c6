//! Command APDUs: the four cases, each with short or extended length fields.

use thiserror::Error;

/// Most data a response may carry: 65,535 bytes of a frame or an extended Le, less the status word.
pub const MAX_RESPONSE_DATA: usize = 65_533;

/// A command APDU as it lies on the wire, with its length fields already understood.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CommandApdu<'a> {
    header: [u8; 4],
    data: &'a [u8],
    le: Option<u32>,
    extended: bool,
}

/// The bytes are not one of the four cases of ISO/IEC 7816-4.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{length} bytes are no command APDU: {reason}")]
pub struct MalformedApdu {
    /// how many bytes came
    pub length: usize,
    /// which rule they break
    pub reason: &'static str,
}

impl<'a> CommandApdu<'a> {
    /// Reads the length fields of `raw`.
    ///
    /// # Errors
    /// [`MalformedApdu`] when the header is cut short or Lc does not match what follows it.
    pub fn parse(raw: &'a [u8]) -> Result<Self, MalformedApdu> {
        let malformed = |reason| MalformedApdu { length: raw.len(), reason };
        let (header, body) =
            raw.split_first_chunk::<4>().ok_or_else(|| malformed("the header CLA INS P1 P2 is cut short"))?;
        let command = |data, le, extended| Self { header: *header, data, le, extended };
        let short_le = |byte: u8| if byte == 0 { 256 } else { u32::from(byte) };
        let extended_le = |hi: u8, lo: u8| match u16::from_be_bytes([hi, lo]) {
            0 => 65_536,
            le => u32::from(le),
        };
        match *body {
            [] => Ok(command(&[], None, false)),
            [le] => Ok(command(&[], Some(short_le(le)), false)),
            [0, hi, lo] => Ok(command(&[], Some(extended_le(hi, lo)), true)),
            [0, _] => Err(malformed("an extended length field has three bytes")),
            [0, hi, lo, ref rest @ ..] => {
                let lc = usize::from(u16::from_be_bytes([hi, lo]));
                match rest.split_at_checked(lc) {
                    _ if lc == 0 => Err(malformed("an extended Lc of 0 is followed by bytes")),
                    Some((data, [])) => Ok(command(data, None, true)),
                    Some((data, &[hi, lo])) => Ok(command(data, Some(extended_le(hi, lo)), true)),
                    _ => Err(malformed("Lc does not match the bytes that follow")),
                }
            }
            [lc, ref rest @ ..] => match rest.split_at_checked(usize::from(lc)) {
                Some((data, [])) => Ok(command(data, None, false)),
                Some((data, &[le])) => Ok(command(data, Some(short_le(le)), false)),
                _ => Err(malformed("Lc does not match the bytes that follow")),
            },
        }
    }

    /// The plain command that lay inside this secured one: of class `00`, with the same INS, P1 and P2,
    /// and with the data and Ne that its data objects held.
    #[must_use]
    pub const fn unwrapped<'p>(&self, data: &'p [u8], le: Option<u32>) -> CommandApdu<'p> {
        let [_, ins, p1, p2] = self.header;
        CommandApdu { header: [0x00, ins, p1, p2], data, le, extended: self.extended }
    }

    /// CLA, the class byte
    #[must_use]
    pub const fn cla(&self) -> u8 {
        self.header[0]
    }

    /// INS, the instruction byte
    #[must_use]
    pub const fn ins(&self) -> u8 {
        self.header[1]
    }

    /// P1
    #[must_use]
    pub const fn p1(&self) -> u8 {
        self.header[2]
    }

    /// P2
    #[must_use]
    pub const fn p2(&self) -> u8 {
        self.header[3]
    }

    /// The data field; empty when there is none.
    #[must_use]
    pub const fn data(&self) -> &'a [u8] {
        self.data
    }

    /// Ne, the most bytes of answer wanted: 1 to 65,536; `None` when the command has no Le.
    #[must_use]
    pub const fn le(&self) -> Option<u32> {
        self.le
    }

    /// Whether the length fields are the extended ones.
    #[must_use]
    pub const fn is_extended(&self) -> bool {
        self.extended
    }
}

/// Builds command APDUs: header, then data and Le as wanted.
///
/// ```
/// use vmyna_sim::apdu::CommandBuilder;
/// let select = CommandBuilder::new(0x00, 0xA4, 0x02, 0x0C).data(&[0x00, 0x18]);
/// assert_eq!(select.to_bytes(), [0x00, 0xA4, 0x02, 0x0C, 0x02, 0x00, 0x18]);
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct CommandBuilder {
    header: [u8; 4],
    data: Vec<u8>,
    le: Option<u32>,
    extended: bool,
}

impl CommandBuilder {
    /// A case 1 command: header only.
    #[must_use]
    pub const fn new(cla: u8, ins: u8, p1: u8, p2: u8) -> Self {
        Self { header: [cla, ins, p1, p2], data: Vec::new(), le: None, extended: false }
    }

    /// With a data field, at most 65,535 bytes; over 255 makes the length fields extended.
    #[must_use]
    pub fn data(mut self, data: &[u8]) -> Self {
        self.data = data.to_vec();
        self
    }

    /// With Ne, 1 to 65,536; over 256 makes the length fields extended.
    #[must_use]
    pub const fn le(mut self, le: u32) -> Self {
        self.le = Some(le);
        self
    }

    /// With extended length fields even where short ones would do.
    #[must_use]
    pub const fn extended(mut self) -> Self {
        self.extended = true;
        self
    }

    /// The APDU.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let extended = self.extended || self.data.len() > 255 || self.le.is_some_and(|le| le > 256);
        let mut raw = self.header.to_vec();
        let lc = (self.data.len() as u16).to_be_bytes();
        match (self.data.is_empty(), extended) {
            (true, _) => {}
            (false, false) => raw.push(lc[1]),
            (false, true) => raw.extend([0, lc[0], lc[1]]),
        }
        raw.extend(&self.data);
        match (self.le, extended) {
            (None, _) => {}
            (Some(le), false) => raw.push(le as u8),
            (Some(le), true) => {
                if self.data.is_empty() {
                    raw.push(0);
                }
                raw.extend((le as u16).to_be_bytes());
            }
        }
        raw
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use proptest::prelude::*;

    fn parsed(raw: &[u8]) -> (Vec<u8>, Option<u32>, bool) {
        let apdu = CommandApdu::parse(raw).expect("one of the four cases");
        (apdu.data().to_vec(), apdu.le(), apdu.is_extended())
    }

    #[test]
    fn the_four_cases_are_told_apart() {
        assert_eq!(parsed(&hex!("00A40000")), (vec![], None, false));
        assert_eq!(parsed(&hex!("00B0000004")), (vec![], Some(4), false));
        assert_eq!(parsed(&hex!("00B0000000")), (vec![], Some(256), false));
        assert_eq!(parsed(&hex!("00B00004000000")), (vec![], Some(65_536), true));
        assert_eq!(parsed(&hex!("00B0000400061F")), (vec![], Some(0x61F), true));
        assert_eq!(parsed(&hex!("00A4020C020018")), (vec![0, 0x18], None, false));
        assert_eq!(parsed(&hex!("802A0080010000")), (vec![0], Some(256), false));
        assert_eq!(parsed(&hex!("802A0080000001FF")), (vec![0xFF], None, true));
        assert_eq!(parsed(&hex!("802A0080000001FF0100")), (vec![0xFF], Some(256), true));
    }

    #[test]
    fn lengths_that_do_not_add_up_are_malformed() {
        for raw in [
            &hex!("00A4")[..],
            &hex!("00200080043132"),
            &hex!("0020008004313233340000"),
            &hex!("00B000000001"),
            &hex!("00B0000000000004"),
            &hex!("802A0080000002FF"),
        ] {
            assert!(CommandApdu::parse(raw).is_err(), "{raw:02X?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_built_parses_back(
            header: [u8; 4],
            data in proptest::collection::vec(any::<u8>(), 0..600),
            le in proptest::option::of(1u32..=65_536),
            extended: bool,
        ) {
            let [cla, ins, p1, p2] = header;
            let mut command = CommandBuilder::new(cla, ins, p1, p2).data(&data);
            command.le = le;
            command.extended = extended;
            let raw = command.to_bytes();
            let apdu = CommandApdu::parse(&raw).unwrap();
            prop_assert_eq!(apdu.header, header);
            prop_assert_eq!(apdu.data(), &data[..]);
            prop_assert_eq!(apdu.le(), le);
        }
    }
}
