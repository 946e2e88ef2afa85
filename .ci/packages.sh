# shellcheck shell=bash
# System packages, for set-up scripts to source.

say() { printf 'set-up: %s\n' "$*" >&2; }
die() { printf 'set-up: %s\n' "$@" >&2; exit 1; }

# As root, or through sudo; otherwise says what to do and ends.
apt() {
    local as=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "this needs root: apt-get $*"
        as=(sudo)
    fi
    "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@" >&2
}

# Fetches the lists of packages, at most once in a run.
refresh() {
    [[ -z ${refreshed:-} ]] || return 0
    apt update && refreshed=yes
}

# Whether the release has package $1.
offers() { apt-cache show "$1" >/dev/null 2>&1; }

# Installs the packages given, or says how to and ends.
need_packages() {
    command -v apt-get >/dev/null || die "missing: $*, and this system has no apt-get. Install them its own way and run this again."
    say "installing system packages: $*"
    refresh && apt install --yes --no-install-recommends "$@" ||
        die "they could not be installed. As root, run: apt-get update && apt-get install --yes --no-install-recommends $*"
}

# python_environment FOLDER PINS WHAT: an environment of its own with exactly the pins, unless it was made of them before.
python_environment() {
    local wanted
    wanted=$(sha256sum "$2" | cut -c1-16)
    [[ ! -f $1/.made-of || $(<"$1/.made-of") != "$wanted" ]] || return 0
    python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages python3 python3-venv
    say "installing $3"
    rm -rf "$1"
    python3 -m venv "$1"
    "$1/bin/pip" --quiet --disable-pip-version-check install --no-deps --requirement "$2" >&2 ||
        die "$3 could not be installed: see above. It comes from the Python package index; behind a proxy set https_proxy or PIP_INDEX_URL."
    printf '%s' "$wanted" >"$1/.made-of"
}
