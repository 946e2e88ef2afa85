#!/usr/bin/env bash
# Lints and tests the stage and the voice's worker against a layer tree: test.sh [DEST] [PYTEST ARGUMENTS, for the stage alone]. DEST as in tools.sh, which is run first.
set -euo pipefail
layers=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd -P)
dest=${1:-$layers/../target/layers}
shift || true
"$layers/tools.sh" "$dest"
dest=$(cd -- "$dest" && pwd -P)

# pytest and ruff live beside the tree, so the tree stays what is shipped.
dev=$dest/.dev
want=$(sha256sum "$layers/manim/requirements-dev.txt" | cut -c1-16)
if [[ ! -f $dev/.of || $(<"$dev/.of") != "$want" ]]; then
    rm -rf "$dev"
    "$dest/manim/bin/python3" -m pip install --quiet --disable-pip-version-check --target "$dev" \
        --requirement "$layers/manim/requirements-dev.txt" >&2 ||
        { echo "test: pytest and ruff could not be installed from the Python package index; see above" >&2; exit 1; }
    printf '%s' "$want" >"$dev/.of"
fi
for part in "$layers/manim" "$layers/voice/neural"; do
    "$dev/bin/ruff" check --no-cache "$part"
    "$dev/bin/ruff" format --no-cache --check --quiet "$part" ||
        { echo "test: a file has another format than ruff's; see it with: ruff format --diff $part" >&2; exit 1; }
done
export CHALKREEL_TEST_LAYERS=$dest PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$dev
(($#)) || "$dest/neural/bin/python3" -m pytest -q -p no:cacheprovider "$layers/voice/neural/tests"
cd "$layers/manim"
exec "$dest/manim/bin/python3" -m pytest -q -p no:cacheprovider tests "$@"
