# shellcheck shell=bash
# Programs of cargo's that .ci/run calls, which sources this file. What is missing is installed below target/.

# provide_cargo_tool NAME VERSION: afterwards `cargo NAME` works, with the one on the search path, if there is one. PyPI
# has it built, where there is Python; crates.io has it to be built.
provide_cargo_tool() {
    local name=$1 version=$2 place=$PWD/target/tools
    PATH=$place/python/bin:$place/bin:$PATH
    export PATH
    cargo "$name" --version >/dev/null 2>&1 && return
    mkdir -p "$place"
    if python3 -m venv "$place/python" >/dev/null 2>&1 &&
        "$place/python/bin/pip" install --quiet --disable-pip-version-check \
            "astral-dev-toolchain-cargo-$name==$version" >/dev/null 2>&1 &&
        cargo "$name" --version; then
        return
    fi
    env -u RUSTFLAGS CARGO_TARGET_DIR="$place/target" cargo install --quiet --locked --root "$place" --version "$version" "cargo-$name"
}
