# shellcheck shell=bash
# Manim in a virtual environment of its own, the stage in it, and the fonts both draw with.
# shellcheck disable=SC2034,SC2154
# cairo and Pango with headers: pycairo and ManimPango have no Linux wheels.
manim_packages=(binutils gcc libc6-dev pkg-config libcairo2-dev libpango1.0-dev fontconfig fonts-inter fonts-jetbrains-mono fonts-noto-core
    fonts-noto-cjk fonts-noto-color-emoji)

# A Python that the pins were made for, 3.11 to 3.13. The system's own comes first: a confined child may read /usr.
suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null
}
complete() {
    "$1" -c 'import ensurepip, os, sys, sysconfig, venv
sys.exit(not os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h")))' 2>/dev/null
}
find_python() {
    local name
    for name in /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
        if command -v "$name" >/dev/null && suitable "$name" && complete "$name"; then
            command -v "$name"
            return
        fi
    done
}

# environment REQUIREMENTS NAME WHAT [PIP ARGUMENTS]: DEST/NAME, an environment of its own with what is pinned.
environment() {
    local requirements=$1 name=$2 what=$3 python
    python=$(find_python)
    if [[ -z $python ]]; then
        need_packages python3 python3-venv python3-dev
        python=$(find_python)
    fi
    [[ -n $python ]] || die "Python 3.11, 3.12 or 3.13 with venv and headers is needed; found $(python3 -V 2>&1)" \
        "get one with your system's packages, or with: uv python install 3.13, and put it on PATH as python3.13"
    say "installing $what with $python (about a minute)"
    # Made beside the old one and swapped in when whole.
    rm -rf "$dest/$name.new"
    "$python" -m venv "$dest/$name.new"
    "$dest/$name.new/bin/python3" -m pip install --quiet --disable-pip-version-check --no-compile --requirement "$requirements" "${@:4}" >&2 ||
        die "$what could not be installed: see above. It needs the Python package index; behind a proxy set https_proxy" \
            "or PIP_INDEX_URL and run this again."
    # Some packages hold templates that are no Python; they don't compile and need not.
    "$dest/$name.new/bin/python3" -m compileall -q -j 0 -s "$dest/$name.new" -p "$dest/$name" "$dest/$name.new/lib" >/dev/null || true
    rm -rf "${dest:?}/$name"
    mv "$dest/$name.new" "$dest/$name"
}

manim_part() {
    local here=$layers/manim inputs
    # The environment that is there decides, so that a new Python elsewhere on PATH does not rebuild it.
    inputs=$(hash_of "$here/requirements.txt")
    if ! fresh python "$inputs" || ! "$dest/manim/bin/python3" -c '' 2>/dev/null; then
        environment "$here/requirements.txt" manim Manim
        rm -f "$dest/.stamps/stage"
        done_with python "$inputs"
    fi
    inputs=$(dpkg-query -W -f '${Version} ' fonts-inter fonts-jetbrains-mono fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji)$(hash_of "$here/fonts.conf" "$here/fonts.txt")
    if ! fresh fonts "$inputs"; then
        fonts_part "$here"
        done_with fonts "$inputs"
    fi
    [[ -z ${downloads:-} ]] || return 0
    local sources
    mapfile -t sources < <(find "$here/stage/chalkreel_stage" -name '*.py' -o -name '*.json' | sort)
    # Names as well: a file that moved is another program.
    inputs=$(printf '%s\n' "${sources[@]#"$here"}" | cat - "${sources[@]}" "$here/tools.sh" | sha256sum | cut -c1-16)
    inputs+=$(native_inputs "$here")
    if ! fresh stage "$inputs"; then
        native_part "$here"
        stage_part "$here"
        done_with stage "$inputs"
    fi
}

# The native library lies beside the stage's modules. Where there is one already (CHALKREEL_NATIVE names it), none is built.
native_name=libchalkreel_native.so
native_sources() {
    local top=$1/../..
    find "$1/native" "$top/planner-wasm/formula" -type f -print0 | sort -z
    printf '%s\0' "$top/Cargo.toml" "$top/Cargo.lock"
}
native_inputs() {
    if [[ -n ${CHALKREEL_NATIVE:-} ]]; then hash_of "$CHALKREEL_NATIVE"; else native_sources "$1" | xargs -0 cat | sha256sum | cut -c1-16; fi
}
native_part() {
    native=${CHALKREEL_NATIVE:-}
    [[ -z $native ]] || return 0
    command -v cargo >/dev/null || die "Rust is needed for the stage's native library, and cargo is not on PATH" \
        "get it with: curl https://sh.rustup.rs -sSf | sh -s -- -y, or name a library that is there in CHALKREEL_NATIVE"
    local top=$1/../.. target
    target=${CARGO_TARGET_DIR:-$top/target}
    say "compiling the program and the stage's native library (13 minutes on two processors, the first time)"
    # Together: what both need is compiled with one set of features, once.
    cargo build --quiet --release --locked --manifest-path "$top/Cargo.toml" --package handler --package native >&2 ||
        die "the stage's native library could not be compiled: see above"
    native=$target/release/$native_name
}

# The stage goes into the environment itself, so that Python can run isolated (-I). `native` is the library that goes with it.
stage_part() {
    local site
    site=$("$dest/manim/bin/python3" -I -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    rm -rf "$site/chalkreel_stage"
    cp -r "$1/stage/chalkreel_stage" "$site/chalkreel_stage"
    find "$site/chalkreel_stage" -name __pycache__ -prune -exec rm -rf {} +
    # What debuggers want is three quarters of it.
    strip -o "$site/chalkreel_stage/$native_name" "$native"
    "$dest/manim/bin/python3" -I -m compileall -q --invalidation-mode unchecked-hash "$site/chalkreel_stage"
    wrapper chalkreel-stage chalkreel_stage
    wrapper chalkreel-raw chalkreel_stage.program
    wrapper manim manim
}

# A program that works from any folder and with an empty environment. Threads of BLAS and of Typst are of no use to a
# scene, and a process that forks must have none.
wrapper() {
    cat >"$dest/bin/$1" <<EOF
#!/bin/sh
here=\$(CDPATH= cd -- "\${0%/*}/.." && pwd -P) || exit 127
: "\${TMPDIR:=/tmp}" "\${PATH:=/usr/local/bin:/usr/bin:/bin}" "\${LANG:=C.UTF-8}"
: "\${HOME:=\$TMPDIR}" "\${XDG_CACHE_HOME:=\$TMPDIR/chalkreel-cache}"
FONTCONFIG_FILE=\$here/etc/fonts/fonts.conf CHALKREEL_STAGE_FONTS=\$here/fonts
OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 RAYON_NUM_THREADS=1
export TMPDIR PATH LANG HOME XDG_CACHE_HOME FONTCONFIG_FILE CHALKREEL_STAGE_FONTS
export OPENBLAS_NUM_THREADS OMP_NUM_THREADS RAYON_NUM_THREADS
exec "\$here/manim/bin/python3" -I -B -m $2 "\$@"
EOF
    chmod +x "$dest/bin/$1"
}

fonts_part() {
    local pattern found
    rm -rf "$dest/fonts" && mkdir -p "$dest/fonts" "$dest/etc/fonts"
    while read -r pattern; do
        [[ -z $pattern || $pattern == \#* ]] && continue
        found=$(find -L /usr/share/fonts -name "$pattern" -print -quit)
        [[ -n $found ]] || { say "no font $pattern here; other fonts stand in"; continue; }
        cp "$found" "$dest/fonts/"
    done <"$1/fonts.txt"
    cp "$1/fonts.conf" "$dest/etc/fonts/fonts.conf"
}
