//! The seed corpora of the fuzz targets are what the project has: the conversations of its scenarios,
//! its certificates, its documents, visits to its portal. `fuzz/run` has them written to
//! `VMYNA_SEEDS`. Each input that fuzzing once found fault with (`fuzz/findings`) goes through its
//! target here.

#![allow(clippy::unwrap_used, reason = "a test that unwraps fails where it should")]

#[path = "../fuzz/src/lib.rs"]
mod fuzz;
#[path = "seeds/visits.rs"]
mod visits;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use vmyna::requirement::Requirements;
use vmyna::run::{Cards, Judge, Passed, converse};
use vmyna::scenario;
use vmyna::verify::Certificate;
use vmyna_sim::apdu::CommandApdu;
use vmyna_sim::card::Personalised;
use vmyna_sim::smart_card::Power;
use vmyna_sim::vpcd::frame;

/// A corpus that is being written: equal seeds have one file.
struct Corpus(PathBuf);

impl Corpus {
    fn new(folder: &Path, target: &str) -> Self {
        let folder = folder.join(target);
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn add(&self, name: &str, seed: &[u8]) {
        fs::write(self.0.join(name), seed).unwrap();
    }

    /// The target that this is the corpus of.
    fn check(&self) -> fn(&[u8]) {
        match self.0.file_name().and_then(|name| name.to_str()) {
            Some("apdu") => fuzz::apdu::check,
            Some("certificate") => fuzz::certificate::check,
            Some("conversation") => fuzz::conversation::check,
            Some("document") => fuzz::document::check,
            Some("frames") => fuzz::frames::check,
            Some("portal") => fuzz::portal::check,
            other => panic!("{other:?} is no target"),
        }
    }

    fn count(&self) -> usize {
        fs::read_dir(&self.0).unwrap().count()
    }
}

#[test]
fn the_seeds_of_the_fuzz_targets_come_from_the_scenarios() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = std::env::var_os("VMYNA_SEEDS").map_or(temporary.path().to_owned(), PathBuf::from);
    let corpus = |target| Corpus::new(&folder, target);
    let (apdu, conversation, frames) = (corpus("apdu"), corpus("conversation"), corpus("frames"));
    let requirements = Requirements::built_in();
    let cards = Cards::default();
    let scenarios = scenario::built_in(&requirements);
    for scenario in &scenarios {
        let card = cards.of(scenario).unwrap();
        let said = converse(scenario, card, &requirements, Judge::OurIssuer, SystemTime::now());
        let mut stream = frame::encode(&[frame::POWER_ON]).unwrap();
        for passed in said.passed {
            match passed {
                Passed::Power(power) => {
                    let control = match power {
                        Power::Off => frame::POWER_OFF,
                        Power::On => frame::POWER_ON,
                        Power::WarmReset => frame::WARM_RESET,
                    };
                    stream.extend(frame::encode(&[control]).unwrap());
                }
                // One byte is no command over vpcd.
                Passed::Exchange(command, _) if command.len() < 2 => {}
                Passed::Exchange(command, _) => {
                    stream.extend(frame::encode(&command).unwrap());
                    let kind = command.iter().take(4).map(|byte| format!("{byte:02x}")).collect::<String>();
                    apdu.add(&format!("{kind}-{}", command.len()), &command);
                }
            }
        }
        conversation.add(&scenario.id, &stream);
        frames.add(&scenario.id, &stream);
    }
    assert!(conversation.count() == scenarios.len() && frames.count() == scenarios.len());
    assert!(apdu.count() > 100, "{} kinds of commands", apdu.count());

    let certificate = corpus("certificate");
    for holder in ["hanako", "taro", "generation-oldest"] {
        let card: Arc<Personalised> = Arc::new(Personalised::built_in(holder).unwrap());
        let issued = card.issued();
        let signature = issued.digital_signature.as_ref().map(|pair| &pair.certificate);
        for (name, der) in [
            ("authentication", Some(&issued.user_authentication.certificate)),
            ("authentication-ca", Some(&issued.user_authentication_ca)),
            ("signature", signature),
            ("signature-ca", Some(&issued.digital_signature_ca)),
        ] {
            let der = der.expect("an adult has both");
            assert!(Certificate::parse(der).is_ok());
            certificate.add(&format!("{holder}-{name}"), der);
        }
    }

    let document = corpus("document");
    let vectors = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors");
    documents(&vectors, &vectors, &document);
    let files: std::collections::BTreeSet<_> =
        scenarios.iter().map(|scenario| &scenario.position.file).collect();
    assert!(document.count() > files.len());
    assert!(CommandApdu::parse(&fs::read(apdu.0.join("00a4040c-15")).unwrap()).is_ok());

    let portal = corpus("portal");
    for (name, visit) in visits::all() {
        portal.add(name, &visit);
    }
}

#[test]
fn what_fuzzing_found_is_found_no_more() {
    let findings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/findings");
    for folder in fs::read_dir(findings).unwrap() {
        let corpus = Corpus(folder.unwrap().path());
        for entry in fs::read_dir(&corpus.0).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display()); // shown when it fails
            corpus.check()(&fs::read(path).unwrap());
        }
    }
}

/// Every YAML file below `folder`, named by its path from `top`: files of one name stand in several folders.
fn documents(top: &Path, folder: &Path, corpus: &Corpus) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            documents(top, &path, corpus);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            let name = path.strip_prefix(top).unwrap().to_str().unwrap().replace('/', ".");
            corpus.add(&name, &fs::read(&path).unwrap());
        }
    }
}
