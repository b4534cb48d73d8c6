//! OCSP (RFC 6960): what a responder of the authorities answers. No socket: requests and answers are
//! bytes, and the clock is handed in.

mod request;
mod responder;
mod response;

pub use responder::{Answer, Asked, Outcome, RESPONSE_VALID_FOR, Responder};
pub use response::ResponseStatus;
