//! The flow scenarios on the pages, in headless Chromium: the same files as in process. Where there is
//! no browser they are skipped, unless `VMYNA_REQUIRE_BROWSER` says that they must not be.

#[path = "flow_support/chromium.rs"]
mod chromium;
#[path = "flow_support/mod.rs"]
mod flow_support;
#[path = "flow_support/pages.rs"]
mod pages;
mod process;

use chromium::{Browsers, has_browser};
use flow_support::{flows, must_pass};
use libtest_mimic::{Arguments, Failed, Trial};
use pages::Pages;
use std::sync::Arc;
use vmyna::flow::World;
use vmyna::requirement::Requirements;

fn main() {
    let arguments = Arguments::from_args();
    let requirements: &'static Requirements = Box::leak(Box::new(Requirements::built_in()));
    let browsers = (!arguments.list && has_browser()).then(|| Arc::new(Browsers::start()));
    let trials = flows(requirements)
        .into_iter()
        .map(|(scenario, setting)| {
            let of_this = browsers.clone();
            let trial = Trial::test(scenario.id.clone(), move || {
                let browsers = of_this.ok_or("there is no browser")?;
                let world = World::of(scenario, setting)?;
                let chromium = browsers.take();
                let mut pages = Pages::of(&world, &chromium);
                let played = must_pass(scenario, &world, &mut pages, requirements);
                let kept = pages.has_kept_the_pin();
                browsers.give_back(chromium);
                played.and(kept.map_err(Failed::from))
            });
            trial.with_ignored_flag(browsers.is_none() && !arguments.list)
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let Some(browsers) = &browsers {
        browsers.end();
    }
    drop(browsers);
    conclusion.exit();
}
