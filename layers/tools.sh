#!/usr/bin/env bash
# Builds the layer trees for this machine: tools.sh [DEST], by default target/layers beside this folder.
#
# Comes in: the pinned requirements and the stage's sources beside this file, Debian's or Ubuntu's packages. Goes out:
# DEST/bin/{chalkreel-stage,chalkreel-raw,manim,ffmpeg,ffprobe,espeak-ng}, DEST/fonts, DEST/etc/fonts/fonts.conf and
# DEST/versions.json (name → exact version; part of the clips' cache keys). Never: anything outside DEST but system
# packages that are missing. Run again, it does only what is missing or has changed.
set -euo pipefail

layers=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
dest=${1:-$layers/../target/layers}
mkdir -p "$dest"
dest=$(cd -- "$dest" && pwd -P)
mkdir -p "$dest/bin" "$dest/.stamps"

say() { printf 'tools: %s\n' "$*" >&2; }
die() { printf 'tools: %s\n' "$@" >&2; exit 1; }

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
fresh() { [[ -f $dest/.stamps/$1 && $(<"$dest/.stamps/$1") == "$2" ]]; }
done_with() { printf '%s' "$2" >"$dest/.stamps/$1"; }
hash_of() { cat -- "$@" | sha256sum | cut -c1-16; }

# A program of the system under DEST/bin.
link_program() {
    local at
    at=$(command -v "$1") || die "$1 is not on PATH although its package is installed"
    ln -sfn "$at" "$dest/bin/$1"
}

# shellcheck source=ffmpeg/tools.sh
source "$layers/ffmpeg/tools.sh"
# shellcheck source=voice/tools.sh
source "$layers/voice/tools.sh"
# shellcheck source=manim/tools.sh
source "$layers/manim/tools.sh"

# One apt-get for all parts; what a part needs is listed in its own file.
need_packages "${ffmpeg_packages[@]}" "${voice_packages[@]}" "${manim_packages[@]}"
ffmpeg_part
voice_part
manim_part

versions=$(cat "$dest"/.stamps/* | sha256sum | cut -c1-16)
if [[ ! -f $dest/versions.json || ! -f $dest/.versions-of || $(<"$dest/.versions-of") != "$versions" ]]; then
    "$dest/manim/bin/python3" -I "$layers/versions.py" "$dest" >"$dest/versions.json.new"
    mv "$dest/versions.json.new" "$dest/versions.json"
    printf '%s' "$versions" >"$dest/.versions-of"
    say "made $dest"
fi
