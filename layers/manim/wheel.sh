#!/usr/bin/env bash
# A wheel of our own, in the build root, of a package whose published wheel is too large: wheel.sh av|numpy|typst.
#
# PyAV's carries an ffmpeg of its own, and shares the layer's here. numpy's carries OpenBLAS and a Fortran library (28 MB), for
# matrices that are larger than any in a film: its own routines do. Typst's is compiled for speed (84 MB); for size it is half of
# that, and no slower at our formulas.
set -euo pipefail
[[ -x /opt/manim/bin/pip3 ]] || /opt/manim/bin/python3 -m ensurepip
rm -rf "/work/wheels/$1"
export PKG_CONFIG_PATH=/opt/lib/pkgconfig CFLAGS='-Os -g0' LDFLAGS=-Wl,-s
export CARGO_PROFILE_RELEASE_{OPT_LEVEL=s,LTO=fat,CODEGEN_UNITS=1,STRIP=symbols}
options=()
if [[ $1 == numpy ]]; then
    CFLAGS=-g0
    options=(--config-settings=setup-args=-D{blas,lapack}=none)
fi
/opt/manim/bin/python3 -m pip wheel --no-deps --no-binary "$1" "${options[@]}" --wheel-dir "/work/wheels/$1" \
    "$(grep "^$1==" /repository/layers/manim/requirements.txt)"
