#!/usr/bin/env bash
# Builds the layer trees for this machine: tools.sh [--downloads] [DEST], by default in target/layers beside this folder.
# With --downloads it does what needs no Rust compiler, and leaves the stage out.
#
# Comes in: the pinned requirements and the stage's sources beside this file (its native library needs cargo), Debian's or Ubuntu's packages. Goes out:
# DEST/bin/{chalkreel-stage,chalkreel-raw,chalkreel-voice,manim,ffmpeg,ffprobe,espeak-ng}, DEST/voices, DEST/fonts, DEST/etc/fonts/fonts.conf and
# DEST/versions.json (name → exact version; part of the clips' cache keys). Never: anything outside DEST but system
# packages that are missing. Run again, it does only what is missing or has changed.
set -euo pipefail

layers=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
downloads=
if [[ ${1:-} == --downloads ]]; then downloads=1; shift; fi
dest=${1:-$layers/../target/layers}
mkdir -p "$dest"
dest=$(cd -- "$dest" && pwd -P)
mkdir -p "$dest/bin" "$dest/.stamps"

# shellcheck disable=SC2034
who=tools stamps=$dest/.stamps
# shellcheck source=steps.sh
source "$layers/steps.sh"

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
manim_part
voice_part
[[ -z $downloads ]] || exit 0

versions=$(cat "$dest"/.stamps/* | sha256sum | cut -c1-16)
if [[ ! -f $dest/versions.json || ! -f $dest/.versions-of || $(<"$dest/.versions-of") != "$versions" ]]; then
    "$dest/manim/bin/python3" -I "$layers/versions.py" "$dest" >"$dest/versions.json.new"
    mv "$dest/versions.json.new" "$dest/versions.json"
    printf '%s' "$versions" >"$dest/.versions-of"
    say "made $dest"
fi
