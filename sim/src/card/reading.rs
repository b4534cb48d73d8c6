//! What the commands that read files and data objects do.

use super::VirtualCard;
use super::commands::Answer;
use crate::apdu::Status;
use crate::application;
use crate::command::FileReference;
use crate::file::FileKind;
use crate::undocumented::Situation;

/// `data` with room for the status word.
fn answer(data: &[u8]) -> Vec<u8> {
    let mut answer = Vec::with_capacity(data.len() + 2);
    answer.extend_from_slice(data);
    answer
}

impl VirtualCard {
    /// READ BINARY. Le may exceed what is left; what there is comes with `9000`.
    pub(super) fn read_binary(&mut self, file: FileReference, offset: u16, length: u32) -> Answer {
        let index = self.refer_to(file)?.ok_or(Status::NoCurrentEf)?;
        let content = match self.files()[index].kind {
            FileKind::Transparent { read, .. }
                if read.on(self.personalised.profile()).is_met(self.verified()) =>
            {
                self.personalised.content(self.volatile.application, index)
            }
            FileKind::Transparent { .. } => return Err(Status::SecurityStatusNotSatisfied.into()),
            FileKind::UndocumentedTransparent => return Err(Situation::ReadUndocumentedTransparent.into()),
            FileKind::UndocumentedInternal => return Err(Situation::ReadUndocumentedInternal.into()),
            FileKind::Records { .. }
            | FileKind::Pin(_)
            | FileKind::BlockedPin
            | FileKind::PrivateKey { .. } => {
                return Err(Status::IncompatibleFileStructure.into());
            }
        };
        match content.get(usize::from(offset)..) {
            None => Err(Status::OffsetOutsideEf.into()),
            Some([]) => Err(Situation::ReadOffsetEqualsSize.into()),
            Some(rest) => {
                let longest = self.personalised.profile().longest_response;
                let length = rest.len().min(length.min(longest) as usize);
                Ok(answer(&rest[..length]))
            }
        }
    }

    /// READ RECORD: one whole record.
    pub(super) fn read_record(&mut self, file: FileReference, number: u8, length: u32) -> Answer {
        let index = self.refer_to(file)?.ok_or(Status::NoCurrentEf)?;
        let record = match self.files()[index].kind {
            FileKind::Records { read, .. } if !read.is_met(self.verified()) => {
                return Err(Status::SecurityStatusNotSatisfied.into());
            }
            FileKind::Records { .. } if number == 0 => return Err(Situation::ReadRecordZero.into()),
            FileKind::Records { .. } => self.personalised.record(self.volatile.application, index, number),
            FileKind::UndocumentedInternal => return Err(Situation::ReadUndocumentedInternal.into()),
            _ => return Err(Status::IncompatibleFileStructure.into()),
        };
        match record {
            None => Err(Status::RecordNotFound.into()),
            Some(record) if (length as usize) < record.len() => Err(Situation::ReadRecordShortLe.into()),
            Some(record) => Ok(answer(record)),
        }
    }

    /// GET DATA. A short Le is refused. The ATR of the contacts, without TS, can be had with an
    /// application selected, the card manager's objects only without one.
    pub(super) fn get_data(&self, tag: u16, length: u32) -> Answer {
        const STORED_ATR: u16 = 0x5F51;
        let application = self.volatile.application;
        let object = match tag {
            STORED_ATR if application != application::CARD_MANAGER => {
                Some(&*self.personalised.profile().stored_atr)
            }
            _ => self.personalised.object(application, tag),
        };
        match object {
            None => Err(Status::ReferencedDataNotFound.into()),
            Some(object) if (length as usize) < object.len() => Err(Status::WrongLength.into()),
            Some(object) => Ok(answer(object)),
        }
    }
}
