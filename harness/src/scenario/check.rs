//! What must hold of a scenario as a whole, beyond the form of each value.

use super::source::{Mark, Mistake, Placed};
use super::written::Written;
use super::{
    CaptureName, CertificateCheck, Content, Expect, SecureSessionChoice, SignExpect, Step, Verb, Verifier,
};
use crate::requirement::Requirements;
use crate::terminal::CertificateName;
use std::collections::{BTreeMap, BTreeSet};
use vmyna_sim::profile::Profile;

/// A full counter is 15 at most. What it is follows from the card.
const MOST_GIVEN: u8 = 14;

fn wrong<T>(mark: Mark, problem: impl Into<String>) -> Result<T, Mistake> {
    Err(Mistake { mark: Some(mark), problem: problem.into() })
}

/// Finds the first thing that is wrong with a scenario.
pub(super) fn check(written: &Written, requirements: &Requirements) -> Result<(), Mistake> {
    head(written, requirements)?;
    let mut walk = Walk {
        covers: &written.covers,
        read: BTreeSet::new(),
        captured: BTreeMap::new(),
        sessions_opened: 0,
    };
    for step in written.setup.iter().chain(&written.steps.value).chain(&written.cleanup) {
        walk.step(step)?;
    }
    match walk.captured.iter().find(|(_, capture)| !capture.used) {
        Some((name, capture)) => wrong(
            capture.mark,
            format!("the captured value {name} is used nowhere; use it as {{captured: {name}}} or <{name}>"),
        ),
        None => Ok(()),
    }
}

fn head(written: &Written, requirements: &Requirements) -> Result<(), Mistake> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '-' | '_');
    let id = &written.id.value;
    if id.is_empty() || !id.chars().all(allowed) {
        return wrong(
            written.id.mark,
            format!("an id has lower-case letters, digits, dots and hyphens, not {id:?}"),
        );
    }
    if written.covers.value.is_empty() {
        return wrong(written.covers.mark, "a scenario covers at least one requirement");
    }
    for covered in &written.covers.value {
        if requirements.get(&covered.value).is_none() {
            return wrong(covered.mark, no_requirement(&covered.value, requirements));
        }
    }
    for tag in &written.tags {
        if tag.value.is_empty() || !tag.value.chars().all(allowed) {
            return wrong(tag.mark, format!("a tag is one lower-case word, not {:?}", tag.value));
        }
    }
    if let Some(Placed { value: name, mark }) = &written.profile
        && Profile::built_in(name).is_none()
    {
        return wrong(
            *mark,
            format!(
                "there is no built-in profile {name:?}; there are {}",
                Profile::built_in_names().collect::<Vec<_>>().join(", ")
            ),
        );
    }
    for (pin, tries) in &written.given {
        if tries.value > MOST_GIVEN {
            let value = tries.value;
            return wrong(
                tries.mark,
                format!("given says fewer tries than {pin} has when full, 0 to {MOST_GIVEN}, not {value}"),
            );
        }
    }
    if written.steps.value.is_empty() {
        return wrong(written.steps.mark, "a scenario has at least one step");
    }
    flow(written)
}

/// Steps of flows stand in flows, and nothing else does.
fn flow(written: &Written) -> Result<(), Mistake> {
    let is_flow = written.platform.is_some();
    let settings =
        [written.clock.as_ref().map(|clock| clock.mark), written.portal.as_ref().map(|portal| portal.mark)];
    if let (false, Some(mark)) = (is_flow, settings.into_iter().flatten().next()) {
        return wrong(mark, "only a flow has this setting; a flow names its `platform`: ios, android or pc");
    }
    if let (true, Some(profile)) = (is_flow, &written.profile) {
        return wrong(profile.mark, "a flow is played with cards of the profile `card`; it names no other");
    }
    for step in written.setup.iter().chain(&written.steps.value).chain(&written.cleanup) {
        let verb = &step.value.verb;
        match (is_flow, verb.is_of_a_flow()) {
            (false, true) => {
                let problem = format!(
                    "`{}` is a step of a flow, which names its `platform`: ios, android or pc",
                    verb.name()
                );
                return wrong(step.mark, problem);
            }
            (true, false) => {
                let problem = format!(
                    "`{}` is a step on a card, and this is a flow (it names a `platform`)",
                    verb.name()
                );
                return wrong(step.mark, problem);
            }
            (true, true) if !step.value.faults.is_empty() => {
                let problem = "in a flow a card suffers faults where it is held: `hold: {suffering: …}` or \
                               `present: {…, suffering: …}`";
                return wrong(step.mark, problem);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Names those that could have been meant: of the same group, or else all groups.
fn no_requirement(id: &str, requirements: &Requirements) -> String {
    fn group(id: &str) -> &str {
        id.split_once('-').map_or(id, |(group, _)| group)
    }
    let ids = || requirements.iter().map(|requirement| requirement.id.as_str());
    let of_its_group: Vec<_> = ids().filter(|known| group(known) == group(id)).collect();
    if of_its_group.is_empty() {
        let groups: BTreeSet<_> = ids().map(group).collect();
        let groups: Vec<_> = groups.into_iter().collect();
        return format!("there is no requirement {id}; they begin with {}", groups.join(", "));
    }
    format!("there is no requirement {id}; there are {}", of_its_group.join(", "))
}

/// A captured value, on the way through the steps.
struct Kept {
    mark: Mark,
    used: bool,
}

/// What is known when a step is reached.
struct Walk<'a> {
    covers: &'a [Placed<String>],
    read: BTreeSet<CertificateName>,
    captured: BTreeMap<&'a CaptureName, Kept>,
    sessions_opened: usize,
}

impl<'a> Walk<'a> {
    fn step(&mut self, placed: &'a Placed<Step>) -> Result<(), Mistake> {
        let Placed { value: step, mark } = placed;
        let action = step.verb.action();
        if let Some(foreign) = step.covers.iter().find(|id| !self.covers.iter().any(|one| one.value == **id))
        {
            return wrong(*mark, format!("the step covers {foreign}, which the scenario does not"));
        }
        if let Some(problem) = action.mistake().or_else(|| self.order_problem(&step.verb)) {
            return wrong(*mark, problem);
        }
        let contents = action.expects().into_iter().flat_map(Expect::contents);
        for needed in contents.filter_map(Content::certificate_needed) {
            if !self.read.contains(&needed) {
                return wrong(
                    *mark,
                    format!("the signature cannot be verified before the certificate {needed} has been read"),
                );
            }
        }
        if step.retry.is_some() && action.touches_a_pin() {
            return wrong(
                *mark,
                "a step that presents or changes a PIN is never repeated: each attempt could spend a try",
            );
        }
        if let (Some(capture), Some(fault)) =
            (step.capture.0.first(), step.faults.iter().find(|fault| fault.kind.loses_the_card()))
        {
            let problem = format!("{fault} loses the card, and no answer comes of which something is kept");
            return wrong(capture.name.mark, problem);
        }
        let until = step.retry.iter().filter_map(|retry| retry.until.as_ref());
        let needed = action.needs().into_iter().chain(until.flat_map(|until| until.value.captured()));
        for name in needed {
            match self.captured.get_mut(name) {
                Some(kept) => kept.used = true,
                None => return wrong(*mark, self.nothing_captured(name)),
            }
        }
        for capture in &step.capture.0 {
            let Placed { value: name, mark } = &capture.name;
            if !action.has_data() {
                return wrong(*mark, format!("`{}` has no data to capture", step.verb.name()));
            }
            if let Some(first) = self.captured.insert(name, Kept { mark: *mark, used: false }) {
                let line = first.mark.line;
                return wrong(
                    *mark,
                    format!("line {line} captures {name} already; each value has a name of its own"),
                );
            }
        }
        Ok(())
    }

    fn nothing_captured(&self, name: &CaptureName) -> String {
        let known: Vec<_> = self.captured.keys().map(ToString::to_string).collect();
        match known.is_empty() {
            true => format!(
                "nothing has been captured as {name} before this step; `capture: {name}` beside an earlier one keeps its answer"
            ),
            false => format!(
                "nothing has been captured as {name} before this step; there are {}",
                known.join(", ")
            ),
        }
    }

    fn unread(&self, verifier: Option<&Verifier>) -> Option<String> {
        let needed = verifier?.certificate_needed().filter(|name| !self.read.contains(name))?;
        Some(format!("the signature cannot be verified before the certificate {needed} has been read"))
    }

    /// What has to come first: a certificate before what is verified with it.
    fn order_problem(&mut self, verb: &Verb) -> Option<String> {
        match verb {
            Verb::Certificate(certificate) => {
                let issuer = match certificate.of {
                    CertificateName::UserAuthentication => Some(CertificateName::UserAuthenticationCa),
                    CertificateName::DigitalSignature => Some(CertificateName::DigitalSignatureCa),
                    _ => None,
                };
                let missing = issuer.filter(|issuer| !self.read.contains(issuer));
                self.read.insert(certificate.of);
                missing.filter(|_| certificate.check.contains(&CertificateCheck::Path)).map(|issuer| {
                    format!("the path cannot be checked before the certificate {issuer} has been read")
                })
            }
            Verb::SecureSession(_) => {
                self.sessions_opened += 1;
                None
            }
            Verb::Secure(_) if self.sessions_opened == 0 => {
                Some("no session has been opened before this step: `secure_session: open`".to_owned())
            }
            Verb::Secure(secure)
                if secure.session == SecureSessionChoice::Previous && self.sessions_opened == 1 =>
            {
                Some(
                    "only one session has been opened before this step, and it is the current one".to_owned(),
                )
            }
            Verb::Sign(sign) if sign.expect == SignExpect::Valid => {
                let verifier = sign.verifier();
                self.unread(verifier.as_ref())
            }
            Verb::Authenticate(step) if step.expect == SignExpect::Valid => {
                self.unread(step.verified_by.as_ref())
            }
            _ => None,
        }
    }
}
