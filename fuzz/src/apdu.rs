//! Any bytes as a command: parsing never panics, what is parsed fits what was sent, and no PIN shows.

use vmyna_sim::apdu::{CommandApdu, ResponseApdu};
use vmyna_sim::command::Command;
use vmyna_sim::exchange::Exchange;
use vmyna_sim::hex;

/// One input.
pub fn check(raw: &[u8]) {
    if let Ok(apdu) = CommandApdu::parse(raw) {
        assert!(apdu.data().len() + 4 <= raw.len());
        assert!(apdu.le().is_none_or(|le| (1..=65_536).contains(&le)));
        let _ = Command::try_from(apdu);
    }
    if let Ok(response) = ResponseApdu::try_from(raw) {
        assert_eq!(response.data.len() + 2, raw.len());
    }
    let exchange = Exchange::new(raw, Some(raw));
    let shown = format!("{exchange}\n{exchange:#}");
    if matches!(raw.get(1), Some(0x20 | 0x24 | 0x32)) && raw.len() > 5 {
        // Everything behind the header is masked, whatever it is; the answer stands in another line.
        let command = format!("{:#}", exchange.command);
        assert_eq!(command.matches("**").count(), raw.len() - 5, "{command}");
    }
    assert!(!shown.is_empty());
    if let Ok(text) = std::str::from_utf8(raw) {
        let _ = hex::decode(text);
        if let Ok(fault) = text.parse::<vmyna_sim::fault::Fault>() {
            assert_eq!(fault.to_string().parse(), Ok(fault));
        }
    }
}
