#!/usr/bin/env bash
# espeak-ng from its source, in the build root: it writes files and plays nothing, so it needs no sound library.
set -euo pipefail
cd /work/espeak-ng
./autogen.sh
# Russian is spoken by its rules and its shorter word list: the long one takes 8 MB, which CJK fonts need more.
./configure -q --prefix=/opt/voice --disable-static --without-{pcaudiolib,sonic,async,mbrola,speechplayer,extdict-ru} CFLAGS='-O2 -g0' \
    LDFLAGS="-Wl,--disable-new-dtags -Wl,-rpath,'\$\$ORIGIN/../lib'"
# Its dictionaries are made by what was just built, and depend on each other in ways that its Makefile doesn't say.
make -s "-j$JOBS" src/espeak-ng src/libespeak-ng.la
make -s
make -s install
