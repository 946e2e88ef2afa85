#!/usr/bin/env bash
# Python from its source, in the build root: what it links to lies in ../lib beside it, wherever the tree is put. The path is
# an RPATH and not a RUNPATH, so that extension modules find their libraries by it too.
set -euo pipefail
cd /work/python3.13
./configure -q --prefix=/opt/manim --with-ensurepip=no --disable-test-modules --with-system-expat CFLAGS='-O2 -g0' \
    LDFLAGS="-Wl,--as-needed -Wl,--disable-new-dtags -Wl,-rpath,'\$\$ORIGIN/../../lib'"
make -s "-j$JOBS"
make -s install
