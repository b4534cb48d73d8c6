//! Command and response APDUs (ISO/IEC 7816-4, clause 5): raw bytes, their parsed view, and the
//! status word. Parsing happens once, here; what comes out cannot hold an impossible length.

mod command;
mod response;
mod status;

pub use command::{CommandApdu, CommandBuilder, MAX_RESPONSE_DATA, MalformedApdu};
pub use response::{ResponseApdu, TruncatedResponse};
pub use status::Status;
