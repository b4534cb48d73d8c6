//! Cards in readers of PC/SC. Readers and cards may come and go while one is waited for; the service
//! tells of it (`SCardGetStatusChange`, with the name that stands for plug and play), so that nothing
//! is asked over and over. What goes wrong is told in the user's terms, each with what helps.

mod connection;
mod reader;

pub use connection::{PcscLink, Sharing};
pub use reader::{PcscReader, ReaderChoice, reader_names};

use pcsc::Error;

/// What PC/SC's error means for whoever sits before the reader, and what helps.
fn explain(error: Error) -> String {
    let (what, help) = match error {
        Error::NoService | Error::ServiceStopped => (
            "the PC/SC service is not running",
            "start it: `systemctl start pcscd.socket` (Debian: `apt-get install pcscd`); `vmyna doctor` says more",
        ),
        Error::NoReadersAvailable | Error::UnknownReader | Error::ReaderUnavailable => (
            "the reader is not there any more",
            "plug it in again; `vmyna doctor` lists the readers that are there",
        ),
        Error::NoSmartcard | Error::RemovedCard => ("the card is not in the reader", "put it back"),
        Error::SharingViolation => (
            "another program uses the card alone",
            "close it (a browser, a mail program or an identity client may hold the card), or run without --exclusive",
        ),
        Error::UnresponsiveCard | Error::UnpoweredCard => (
            "the card does not answer to power",
            "take it out, clean its contacts, and put it in the right way round; on a contactless reader lay it flat",
        ),
        Error::UnsupportedCard | Error::ProtoMismatch | Error::CardUnsupported => (
            "the reader cannot speak the card's protocol",
            "another reader may; this one's driver says which it knows",
        ),
        Error::ResetCard => ("another program has reset the card", "run again, or alone with --exclusive"),
        Error::SecurityViolation | Error::NoAccess => (
            "the system does not allow the use of readers",
            "polkit decides that on Debian: run from the desktop session or as root, or allow \
             org.debian.pcsc-lite.access_pcsc and access_card",
        ),
        Error::Timeout => ("the reader has not answered in time", "take the card out and put it back"),
        Error::CommError | Error::CommDataLost | Error::NotReady => (
            "the reader and the card have lost each other",
            "hold the card still, or take it out and put it back; then run again",
        ),
        other => return format!("PC/SC: {other}"),
    };
    format!("{what}; {help}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_wrong_is_told_with_what_helps() {
        for error in [
            Error::NoService,
            Error::RemovedCard,
            Error::SharingViolation,
            Error::UnresponsiveCard,
            Error::SecurityViolation,
        ] {
            let told = explain(error);
            assert!(told.contains("; ") && !told.contains("PC/SC: "), "{told}");
        }
    }
}
