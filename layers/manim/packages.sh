#!/usr/bin/env bash
# The Python packages, in the build root: the same pins as `make tools`, but for scipy, in whose place scipy/ is put, and for what
# only opens windows: Lambda has no display.
set -euo pipefail
python=/opt/manim/bin/python3
site=/opt/manim/lib/python3.13/site-packages
rm -rf "$site"
mkdir "$site"
$python -m ensurepip
export PKG_CONFIG_PATH=/opt/lib/pkgconfig CFLAGS='-O2 -g0'
grep -Ev '^(scipy|av|numpy|typst|glcontext|moderngl-window|pyglet|pyglm|screeninfo)==' /repository/layers/manim/requirements.txt \
    >/work/requirements.txt
$python -m pip install --no-compile --no-deps --no-index /work/wheels/*/*.whl
$python -m pip install --no-compile --no-deps --requirement /work/requirements.txt
