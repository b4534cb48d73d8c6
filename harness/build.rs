//! Builds again when a scenario or requirement is added: they are part of the program.

fn main() {
    for folder in ["vectors/scenarios", "vectors/requirements"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
