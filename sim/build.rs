//! Builds again when a file is added to the data that is part of the program.

fn main() {
    for folder in
        ["vectors/holders", "vectors/holders/images", "vectors/pki", "vectors/profiles", "vectors/timing"]
    {
        println!("cargo::rerun-if-changed={folder}");
    }
}
