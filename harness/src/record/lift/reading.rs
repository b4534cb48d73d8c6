//! What was read, lifted: certificates and blocks, records and data objects.

use super::{Exchange, Lifter};
use crate::record::relay::Heard;
use crate::record::write::hex;
use crate::terminal;
use crate::terminal::{CertificateName, ReadStyle};
use vmyna_sim::apdu::{ResponseApdu, Status};

/// The styles of reading that are told apart, with the words that scenarios use.
const STYLES: [(ReadStyle, &str); 7] = [
    (ReadStyle::Header4, ""),
    (ReadStyle::Header4Continue, "header4_continue"),
    (ReadStyle::Header7, "header7"),
    (ReadStyle::Header7Continue, "header7_continue"),
    (ReadStyle::Header8Ff, "header8_ff"),
    (ReadStyle::Extended, "extended"),
    (ReadStyle::ExtendedFromStart, "extended_from_start"),
];

impl Lifter<'_> {
    /// SELECT of a certificate's EF and all reads of one of the known styles.
    pub(super) fn certificate(&mut self, rest: &[Heard]) -> Option<usize> {
        const NAMES: [CertificateName; 4] = [
            CertificateName::UserAuthentication,
            CertificateName::UserAuthenticationCa,
            CertificateName::DigitalSignature,
            CertificateName::DigitalSignatureCa,
        ];
        if self.selection.application()?.aid != terminal::JPKI_AID {
            return None;
        }
        let succeeded = |heard: &Heard, expected: &[u8]| match heard {
            Heard::Exchange(command, answer) if command == expected => {
                let response = ResponseApdu::try_from(&answer[..]).ok()?;
                (response.status == Status::Success).then(|| response.data.to_vec())
            }
            _ => None,
        };
        let selects = |name: &&CertificateName| {
            succeeded(&rest[0], &terminal::select_file(terminal::certificate_file(**name)))
        };
        let name = *NAMES.iter().find(|name| selects(name).is_some())?;
        STYLES.iter().find_map(|(style, word)| {
            let command =
                |read: terminal::Read| terminal::read_binary(None, read.offset, read.le, read.extended);
            let header = succeeded(rest.get(1)?, &command(style.header()))?;
            let body = style.body(terminal::der_length(&header)?);
            for (at, read) in body.iter().enumerate() {
                succeeded(rest.get(at + 2)?, &command(*read))?;
            }
            self.read.push(name);
            let style = if word.is_empty() { String::new() } else { format!(", style: {word}") };
            self.push(format!("certificate: {{of: {name}{style}}}"), "CERT-01");
            Some(body.len() + 2)
        })
    }

    pub(super) fn read_binary(&mut self, exchange: &Exchange<'_>) {
        let Exchange { command, apdu, response } = exchange;
        let short = (apdu.p1() & 0x80 != 0).then_some(apdu.p1() & 0x1F);
        let offset = match short {
            Some(_) => apdu.p2().into(),
            None => u16::from_be_bytes([apdu.p1(), apdu.p2()]),
        };
        let Some(le) = apdu.le().filter(|le| *le <= 65_536) else { return self.transmit_exchange(exchange) };
        if terminal::read_binary(short, offset, le, apdu.is_extended()) != **command {
            return self.transmit_exchange(exchange);
        }
        let mut arguments = Vec::new();
        if let Some(short) = short {
            arguments.push(format!("sfi: {short}"));
        }
        arguments.push(format!("offset: {offset}, le: {le}"));
        if apdu.is_extended() {
            arguments.push("extended: true".to_owned());
        }
        let file = short.map(u16::from).or(self.selection.file());
        let expect = self.answer_argument(response, self.is_kept_back(file));
        self.push(format!("read_binary: {{{}{expect}}}", arguments.join(", ")), "READ-01");
    }

    pub(super) fn read_record(&mut self, exchange: &Exchange<'_>) {
        let Exchange { command, apdu, response } = exchange;
        let short = Some(apdu.p2() >> 3).filter(|short| *short != 0);
        let Some(le) = apdu.le().filter(|le| *le <= 256) else { return self.transmit_exchange(exchange) };
        let record = apdu.p1();
        if record == 0 || short == Some(31) || terminal::read_record(short, record, le) != **command {
            return self.transmit_exchange(exchange);
        }
        let short = short.map(|short| format!(", sfi: {short}")).unwrap_or_default();
        let le = if le == 256 { String::new() } else { format!(", le: {le}") };
        let expect = self.answer_argument(response, self.is_kept_back(self.selection.file()));
        self.push(format!("read_record: {{record: {record}{short}{le}{expect}}}"), "");
    }

    pub(super) fn get_data(&mut self, exchange: &Exchange<'_>) {
        let Exchange { command, apdu, response } = exchange;
        let (tag, extended) = (u16::from_be_bytes([apdu.p1(), apdu.p2()]), apdu.is_extended());
        let Some(le) = apdu.le().filter(|le| terminal::get_data(tag, *le, extended) == **command) else {
            return self.transmit_exchange(exchange);
        };
        let whole = if extended { 65_536 } else { 256 };
        let le = if le == whole { String::new() } else { format!(", le: {le}") };
        let extended = if extended { ", extended: true" } else { "" };
        let expect = self.answer_argument(response, self.is_kept_back(None));
        self.push(format!("get_data: {{tag: \"{tag:04X}\"{le}{extended}{expect}}}"), "");
    }

    /// Whether of the contents of `file` only the length is written. A card of our own is issued anew
    /// with each start, so that its certificates are never the same bytes twice.
    pub(super) fn is_kept_back(&self, file: Option<u16>) -> bool {
        let jpki = self.selection.application().is_some_and(|there| there.aid == terminal::JPKI_AID);
        match file {
            Some(0x0001 | 0x0002 | 0x000A | 0x000B) if jpki => true,
            Some(0x0006 | 0x0008) if jpki => false,
            _ => self.mask,
        }
    }

    pub(super) fn answer_argument(&self, response: &ResponseApdu<'_>, length_only: bool) -> String {
        let data = match response.data {
            [] => String::new(),
            data if length_only => format!("length: {}", data.len()),
            data => format!("data: \"{}\"", hex(data)),
        };
        let status = match response.status {
            Status::Success => String::new(),
            status => format!("sw: \"{:04X}\"", u16::from(status)),
        };
        let parts: Vec<_> = [status, data].into_iter().filter(|part| !part.is_empty()).collect();
        if parts.is_empty() { String::new() } else { format!(", expect: {{{}}}", parts.join(", ")) }
    }
}
