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
