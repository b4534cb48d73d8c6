# shellcheck shell=bash
# Debian packages for tests/run, fuzz/run and .ci/run, which source this file: what is missing is installed, and said.

# Runs a command as root, through sudo only where that is needed.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "$(basename "$0"): this needs root, and there is no sudo: $*" >&2
        return 1
    fi
}

is_installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# install_missing PACKAGE…: fetches the package lists only when what is known already does not suffice.
install_missing() {
    local package missing=()
    for package in "$@"; do
        is_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if ! command -v apt-get >/dev/null; then
        echo "$(basename "$0"): not a Debian machine; please install by hand: ${missing[*]}" >&2
        return 1
    fi
    echo "Installing Debian packages: ${missing[*]}"
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get install --yes --quiet --no-install-recommends "${missing[@]}")
    # shellcheck disable=SC2024 # the log belongs to whoever runs this, not to root
    as_root "${install[@]}" </dev/null >/dev/null 2>&1 && return 0
    as_root apt-get update --quiet </dev/null && as_root "${install[@]}" </dev/null
}
