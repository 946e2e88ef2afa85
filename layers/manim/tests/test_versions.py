"""versions.json, which is part of the clips' cache keys, changes with every file of the stage."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

LAYERS = Path(os.environ["CHALKREEL_TEST_LAYERS"])
VERSIONS = Path(__file__).parents[2] / "versions.py"


def digest(tree: Path) -> str:
    """What versions.py says of the stage in a tree."""
    command = [sys.executable, "-I", VERSIONS, tree]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)["stage"]


def test_the_version_of_the_stage_covers_its_sub_packages(tmp_path: Path) -> None:
    for name in ("bin", "fonts"):
        (tmp_path / name).symlink_to(LAYERS / name)
    site = next(LAYERS.glob("manim/lib/python3*/site-packages"))
    copy = tmp_path / site.relative_to(LAYERS) / "chalkreel_stage"
    shutil.copytree(site / "chalkreel_stage", copy)
    before = digest(tmp_path)
    assert before == json.loads((LAYERS / "versions.json").read_text())["stage"]
    table = copy / "elements" / "table.py"
    table.write_text(table.read_text() + "\n")
    edited = digest(tmp_path)
    table.rename(copy / "layout" / "table.py")
    assert len({before, edited, digest(tmp_path)}) == 3
