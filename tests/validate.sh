#!/usr/bin/env bash
# Checks template.yaml with AWS SAM's own command and layers/Dockerfile with hadolint.
#
# Comes in: the pins in tests/requirements-sam.txt. Goes out: target/test-sam, and the verdict as exit code. Never: a call to AWS.
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)
# shellcheck source=../.ci/packages.sh
source "$root/.ci/packages.sh"
tools=$root/target/test-sam
python_environment "$tools" "$root/tests/requirements-sam.txt" "AWS SAM's command line, with hadolint"

"$tools/bin/hadolint" "$root/layers/Dockerfile"
# It asks AWS nothing, but wants to know a region.
SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=${AWS_DEFAULT_REGION:-us-east-1} "$tools/bin/sam" validate --lint --template "$root/template.yaml"
