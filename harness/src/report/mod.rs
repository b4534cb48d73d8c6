//! Reports: sinks of the one stream of events.

mod collector;
mod latency;
mod model;
mod text;

pub use collector::Collector;
pub use model::{
    Case, ExchangeRecord, FindingRecord, HappeningRecord, Latency, Report, RequirementResult,
    RequirementVerdict, Tool, Unexpected, VERSION,
};
pub use text::Text;
