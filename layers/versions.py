"""Prints versions.json of a layer tree: name → exact version, as used in cache keys. Usage: versions.py DEST."""

import hashlib
import json
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

dest = Path(sys.argv[1])


def first_line(*command: str) -> str:
    """The first line that a program of the tree prints."""
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.splitlines()[0]


def digest(folder: Path, *patterns: str) -> str:
    """Sixteen hex digits over the names and contents of the files under a folder that match one of the patterns."""
    whole = hashlib.sha256()
    for path in sorted(path for pattern in patterns for path in folder.rglob(pattern)):
        whole.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:16]


stage = next(dest.glob("manim/lib/python3*/site-packages/chalkreel_stage"))
print(
    json.dumps(
        {
            "python": platform.python_version(),
            **{name: version(name) for name in ("manim", "typst", "av", "pycairo", "numpy", "pygments")},
            "ffmpeg": first_line(str(dest / "bin/ffmpeg"), "-version").split()[2],
            "espeak-ng": first_line(str(dest / "bin/espeak-ng"), "--version").split("text-to-speech: ")[1].split()[0],
            "fonts": digest(dest / "fonts", "*.*"),
            "stage": digest(stage, "*.py", "*.json"),
            "native": digest(stage, "*.so"),
        },
        indent=2,
    )
)
