//! The flow scenarios over sockets on both sides: the harness's terminal speaks the API of a portal
//! that is served, and reads a card that connects when it is held and whose connection ends when it is
//! lifted. The same files as in process.

mod flow_support;
#[path = "flow_support/socket_hand.rs"]
mod socket_hand;

use flow_support::served::Served;
use flow_support::{flows, must_pass};
use libtest_mimic::{Arguments, Trial};
use socket_hand::SocketHand;
use vmyna::flow::{ApiVisitor, InProcess, World};
use vmyna::requirement::Requirements;

fn main() {
    let arguments = Arguments::from_args();
    let requirements: &'static Requirements = Box::leak(Box::new(Requirements::built_in()));
    let trials = flows(requirements)
        .into_iter()
        .map(|(scenario, setting)| {
            Trial::test(scenario.id.clone(), move || {
                let world = World::of(scenario, setting)?;
                let served = Served::of(&world);
                let mut stage = InProcess::new(&world, Box::new(SocketHand))
                    .visited_by(|| Box::new(ApiVisitor::at(&served.origin)));
                must_pass(scenario, &world, &mut stage, requirements)
            })
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit();
}
