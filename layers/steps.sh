# shellcheck shell=bash
# What both builds of the layers are written with: messages, system packages, and steps that run when their inputs change.
# Comes in: `who`, the name before messages, and `stamps`, the folder that remembers what was made.
# shellcheck disable=SC2154

say() { printf '%s: %s\n' "$who" "$*" >&2; }
die() { printf "$who: %s\n" "$@" >&2; exit 1; }

# Installs the system packages among the arguments that are not there.
need_packages() {
    local missing=() package
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    local command="apt-get update && apt-get install --yes --no-install-recommends ${missing[*]}"
    local as=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || die "missing system packages: ${missing[*]}" "as root, run: $command"
        as=(sudo)
    fi
    command -v apt-get >/dev/null || die "missing: ${missing[*]}, and this system has no apt-get; install them its own way"
    say "installing system packages: ${missing[*]}"
    { "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq &&
        "${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends -qq "${missing[@]}"; } >&2 ||
        die "the packages could not be installed" "as root, run: $command"
}

# Whether part $1 was made from the inputs with hash $2; `done_with` enters that it was.
fresh() { [[ -f $stamps/$1 && $(<"$stamps/$1") == "$2" ]]; }
done_with() { printf '%s' "$2" >"$stamps/$1"; }
hash_of() { cat -- "$@" | sha256sum | cut -c1-16; }
