"""Modes and times that the handler's filter refuses: done in the program's own folder, refused elsewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import errno, os, shutil, sys, tarfile
from pathlib import Path

def refusing(*_, **__):
    raise PermissionError(errno.EPERM, "refused by the filter")

from chalkreel_stage.program import metadata
for name in metadata.SETTERS:
    real = getattr(os, name)
    stands = lambda *arguments, **named: refusing()
    for capability in metadata.CAPABILITIES:
        if real in capability:
            capability.add(stands)
    setattr(os, name, stands)

own, outside = Path(sys.argv[1]), Path(sys.argv[2])
os.chdir(own)
metadata.answer_within(own)
{}
"""
"""A filter that refuses every one of these calls, and a program behind it."""


def run(tmp_path: Path, body: str) -> subprocess.CompletedProcess[str]:
    own, outside = tmp_path / "own", tmp_path / "outside"
    own.mkdir()
    outside.write_text("theirs")
    (own / "mine").write_text("mine")
    return subprocess.run(
        [sys.executable, "-I", "-B", "-c", PROGRAM.format(body), own, outside],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    "body",
    [
        "os.chmod('mine', 0o600)",
        "os.chmod(own / 'mine', 0o600)",
        "os.chmod(b'mine', 0o600)",
        "Path('mine').chmod(0o600)",
        "Path('mine').touch()",
        "shutil.copy('mine', 'copy'); shutil.copy2('mine', 'copy2'); shutil.copystat('mine', 'copy')",
        "shutil.copy2(outside, 'copy'); assert Path('copy').read_text() == 'theirs'",
        "os.mkdir('a'); shutil.copytree('a', 'b'); os.utime('a')",
        "os.fchmod(os.open('mine', os.O_RDONLY), 0o600)",
        "os.chmod('mine', 0o600, dir_fd=os.open('.', os.O_RDONLY))",
        "os.utime(os.open('mine', os.O_RDONLY))",
        "os.symlink(outside, 'link'); os.utime('link', follow_symlinks=False); os.lchown('link', 0, 0)",
        "os.mkdir('a'); os.symlink(outside, 'a/link'); shutil.copytree('a', 'b', symlinks=True)",
        "packed = tarfile.open('t', 'w'); packed.add('mine'); packed.close(); tarfile.open('t').extractall('out')",
    ],
)
def test_done_in_its_own_folder(tmp_path: Path, body: str) -> None:
    done = run(tmp_path, body)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("os.chmod(outside, 0o600)", "PermissionError"),
        ("os.chmod('../outside', 0o600)", "PermissionError"),
        ("os.chmod('.', 0o600, dir_fd=os.open('..', os.O_RDONLY))", "PermissionError"),
        ("os.symlink(outside, 'link'); os.chmod('link', 0o600)", "PermissionError"),
        ("os.symlink('..', 'up'); os.utime('up/outside', follow_symlinks=False)", "PermissionError"),
        ("os.utime(os.open(outside, os.O_RDONLY))", "PermissionError"),
        ("os.mkdir(str(own) + '-not'); os.chmod(str(own) + '-not', 0o600)", "PermissionError"),
        ("os.chmod('missing', 0o600)", "FileNotFoundError"),
        ("shutil.copystat('mine', outside)", "PermissionError"),
    ],
)
def test_refused_elsewhere(tmp_path: Path, body: str, error: str) -> None:
    done = run(tmp_path, body)
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith(error), done.stderr
