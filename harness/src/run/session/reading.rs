//! The steps that read more than a block: whole files, records, data objects.

use super::Session;
use super::answer::Played;
use crate::language::Bilingual;
use crate::scenario::{By, GetDataStep, ReadFileStep, ReadRecordStep, object_length};
use crate::terminal;
use vmyna_sim::apdu::Status;
use vmyna_sim::hex::Spaced;

/// Most bytes that READ BINARY reaches, with an offset of 15 bits.
const REACHABLE: usize = 0x8000;

impl Session<'_> {
    /// Reads until the data object of the file is whole, or until the file ends.
    pub(super) fn read_file(&mut self, step: &ReadFileStep) -> Played {
        if step.by == By::Select {
            self.transmit(&terminal::select_file(step.file))?.must_succeed()?;
        }
        // Only the first bytes are reached by short identifier; it makes the file the current one.
        let mut short = (step.by == By::Sfi).then_some((step.file & 0x1F) as u8);
        let block = if step.extended { 65_536 } else { 256 };
        let first = self.transmit(&terminal::read_binary(short.take(), 0, block, step.extended))?;
        first.must_have_status(&step.expect)?;
        if !first.succeeded() {
            return Ok(());
        }
        let mut content = first.data().to_vec();
        let wanted = match step.filler {
            true => None,
            false => Some(object_length(&content).ok_or_else(|| {
                let expected = Bilingual::new(
                    "データオブジェクト (BER-TLV) の先頭",
                    "the beginning of a data object (BER-TLV)",
                );
                let came = Spaced(&content[..content.len().min(8)]).to_string();
                first.differs(expected, Bilingual::alike(came))
            })?),
        };
        let mut is_whole_block = content.len() == block as usize;
        while content.len() < wanted.unwrap_or(REACHABLE).min(REACHABLE)
            && (wanted.is_some() || is_whole_block)
        {
            let missing = wanted.map_or(block, |wanted| block.min((wanted - content.len()) as u32));
            let offset = content.len() as u16;
            let answer = self.transmit(&terminal::read_binary(None, offset, missing, step.extended))?;
            let status = answer.response().map(|response| response.status);
            if wanted.is_none() && status == Some(Status::OffsetOutsideEf) {
                break;
            }
            answer.must_succeed()?;
            is_whole_block = answer.data().len() == block as usize;
            if answer.data().is_empty() && wanted.is_some() {
                let missing = wanted.unwrap_or_default() - content.len();
                let expected =
                    Bilingual::new(format!("あと {missing} バイト"), format!("{missing} bytes more"));
                return Err(answer.differs(expected, Bilingual::new("なし", "none")).into());
            }
            content.extend(answer.data());
        }
        content.truncate(wanted.unwrap_or(content.len()));
        self.yields(&content);
        first.must_hold(&step.expect, &content, &self.captures)
    }

    pub(super) fn read_record(&mut self, step: &ReadRecordStep) -> Played {
        let command = terminal::read_record(step.sfi, step.record, step.le);
        self.transmit(&command)?.must_be(&step.expect, &self.captures)
    }

    pub(super) fn get_data(&mut self, step: &GetDataStep) -> Played {
        let command = terminal::get_data(step.tag, step.ne(), step.extended);
        self.transmit(&command)?.must_be(&step.expect, &self.captures)
    }
}
