//! A card that PC/SC has given us. It lives in a thread of its own, because a transaction of PC/SC
//! borrows the card and lasts from one power-up to the next: no other program comes between two
//! commands of a scenario.

use super::explain;
use crate::link::{CardLink, LinkError, ReaderIdentity, T0};
use pcsc::{
    Attribute, Card, Context, Disposition, Error, MAX_BUFFER_SIZE_EXTENDED, Protocol, Protocols, ShareMode,
};
use std::ffi::CStr;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use vmyna_sim::smart_card::Power;

/// Whether other programs may use the card meanwhile.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sharing {
    /// between transactions
    #[default]
    Shared,
    /// not at all
    Exclusive,
}

impl Sharing {
    const fn mode(self) -> ShareMode {
        match self {
            Self::Shared => ShareMode::Shared,
            Self::Exclusive => ShareMode::Exclusive,
        }
    }
}

enum Request {
    Reset(Disposition),
    Transmit(Vec<u8>),
    Atr,
}

/// A card in a reader of PC/SC.
pub struct PcscLink {
    requests: Option<Sender<Request>>,
    answers: Receiver<Result<Vec<u8>, Error>>,
    reader: ReaderIdentity,
    /// power was switched off; PC/SC does that together with switching it on
    off: bool,
    thread: Option<JoinHandle<()>>,
}

impl PcscLink {
    /// Connects to the card in the reader `name`, and below the scenario speaks its protocol.
    ///
    /// # Errors
    /// What PC/SC says.
    pub fn connect(context: &Context, name: &CStr, sharing: Sharing) -> Result<Box<dyn CardLink>, Error> {
        let card = context.connect(name, sharing.mode(), Protocols::ANY)?;
        let protocol = card.status2_owned()?.protocol2().ok_or(Error::ProtoMismatch)?;
        let reader = identify(&card, name, protocol);
        let (requests, asked) = channel();
        let (answer, answers) = channel();
        let thread = std::thread::Builder::new()
            .name("pcsc".to_owned())
            .spawn(move || serve(card, sharing, &asked, &answer))
            .map_err(|_| Error::NoMemory)?;
        let link = Self { requests: Some(requests), answers, reader, off: false, thread: Some(thread) };
        Ok(if protocol == Protocol::T0 { Box::new(T0(link)) } else { Box::new(link) })
    }

    fn ask(&mut self, request: Request) -> Result<Vec<u8>, LinkError> {
        let gone = || LinkError::lost("リーダーのスレッドが終わった", "the reader's thread has ended");
        self.requests.as_ref().and_then(|requests| requests.send(request).ok()).ok_or_else(gone)?;
        self.answers.recv().map_err(|_| gone())?.map_err(|error| LinkError::Lost(explain(error)))
    }
}

impl CardLink for PcscLink {
    fn atr(&mut self) -> Result<Vec<u8>, LinkError> {
        self.ask(Request::Atr)
    }

    fn power(&mut self, power: Power) -> Result<(), LinkError> {
        let disposition = match power {
            Power::Off => {
                self.off = true;
                return Ok(());
            }
            Power::On => Disposition::UnpowerCard,
            Power::WarmReset => Disposition::ResetCard,
        };
        self.off = false;
        self.ask(Request::Reset(disposition)).map(|_| ())
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Vec<u8>, LinkError> {
        if self.off {
            return Err(LinkError::lost(
                "カードの電源が入っていない。シナリオが切った",
                "the card has no power: the scenario has switched it off",
            ));
        }
        self.ask(Request::Transmit(command.to_vec()))
    }

    fn reader(&self) -> Option<&ReaderIdentity> {
        Some(&self.reader)
    }
}

impl Drop for PcscLink {
    fn drop(&mut self) {
        drop(self.requests.take());
        // So that the card is free for others when this returns.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Answers requests, each within a transaction, until nobody asks any more; then leaves the card
/// without power, so that nobody finds a PIN verified.
fn serve(
    mut card: Card,
    sharing: Sharing,
    asked: &Receiver<Request>,
    answer: &Sender<Result<Vec<u8>, Error>>,
) {
    let mut pending = None;
    while let Some(request) = pending.take().or_else(|| asked.recv().ok()) {
        let result = match request {
            Request::Reset(disposition) => {
                card.reconnect(sharing.mode(), Protocols::ANY, disposition).map(|()| Vec::new())
            }
            other => match within_transaction(&mut card, sharing, other, asked, answer) {
                Ok(next) => {
                    pending = next;
                    if pending.is_none() {
                        break;
                    }
                    continue;
                }
                Err(error) => Err(error),
            },
        };
        if answer.send(result).is_err() {
            break;
        }
    }
    let _ = card.disconnect(Disposition::UnpowerCard);
}

/// Begins a transaction and answers until the power is to be switched: that request comes back, or
/// nothing when nobody asks any more.
fn within_transaction(
    card: &mut Card,
    sharing: Sharing,
    first: Request,
    asked: &Receiver<Request>,
    answer: &Sender<Result<Vec<u8>, Error>>,
) -> Result<Option<Request>, Error> {
    let (card, error) = match card.transaction2() {
        Ok(transaction) => return Ok(talk(&transaction, first, asked, answer)),
        Err((card, error)) => (card, error),
    };
    if error != Error::ResetCard {
        return Err(error);
    }
    // Another program has reset the card since it was ours; nothing of this run is lost by that.
    card.reconnect(sharing.mode(), Protocols::ANY, Disposition::LeaveCard)?;
    let transaction = card.transaction()?;
    Ok(talk(&transaction, first, asked, answer))
}

fn talk(
    card: &Card,
    first: Request,
    asked: &Receiver<Request>,
    answer: &Sender<Result<Vec<u8>, Error>>,
) -> Option<Request> {
    let mut buffer = vec![0; MAX_BUFFER_SIZE_EXTENDED];
    let mut next = Some(first);
    while let Some(request) = next {
        let result = match request {
            Request::Reset(_) => return Some(request),
            Request::Atr => card.status2_owned().map(|status| status.atr().to_vec()),
            Request::Transmit(command) => card.transmit(&command, &mut buffer).map(<[u8]>::to_vec),
        };
        answer.send(result).ok()?;
        next = asked.recv().ok();
    }
    None
}

fn identify(card: &Card, name: &CStr, protocol: Protocol) -> ReaderIdentity {
    let text = |attribute| {
        let bytes = card.get_attribute_owned(attribute).ok()?;
        let text = String::from_utf8_lossy(&bytes).trim_end_matches('\0').trim().to_owned();
        Some(text).filter(|text| !text.is_empty())
    };
    // Major, minor and build, as PC/SC part 3 packs them into a number.
    let version = card.get_attribute_owned(Attribute::VendorIfdVersion).ok().and_then(|bytes| {
        let number = u32::from_ne_bytes(bytes.first_chunk::<4>().copied()?);
        Some(format!("{}.{}.{}", number >> 24, number >> 16 & 0xFF, number & 0xFFFF))
    });
    let atr = card.status2_owned().map(|status| status.atr().to_vec()).unwrap_or_default();
    ReaderIdentity {
        name: name.to_string_lossy().into_owned(),
        vendor: text(Attribute::VendorName),
        version,
        serial: text(Attribute::VendorIfdSerialNo),
        atr,
        protocol: match protocol {
            Protocol::T0 => "T=0",
            Protocol::T1 => "T=1",
            Protocol::RAW => "raw",
        },
    }
}
