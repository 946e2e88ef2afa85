"""Modes, owners, times and attributes of files in a confined program.

The handler's system call filter refuses every call that sets them, since nothing else keeps a program from changing
those of files elsewhere. But Python's own tools set them on files that they have just made (`shutil.copy2`, `copytree`,
`tarfile`, `Path.touch`), and would fail. So in the program's own folder the functions of `os` answer such a refusal as
if it were done; everywhere else it stays a PermissionError.
"""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

SETTERS = ("chmod", "fchmod", "chown", "fchown", "lchown", "utime", "setxattr", "removexattr")
"""What of `os` sets them. The first argument is a path or a descriptor."""

CAPABILITIES = (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks)
"""Sets in which `os` says what a function can do; `shutil` looks there."""


def answer_within(folder: Path) -> None:
    """Replaces these functions. `folder` is the program's own, an absolute path."""
    own = os.path.realpath(folder)
    for name in SETTERS:
        real = getattr(os, name)
        answered = _answered(name, real, own)
        for capability in CAPABILITIES:
            if real in capability:
                capability.add(answered)
        setattr(os, name, answered)


def _answered(name: str, real: Callable[..., None], own: str) -> Callable[..., None]:
    @functools.wraps(real)
    def answered(path: Any, *arguments: Any, **named: Any) -> None:
        try:
            real(path, *arguments, **named)
        except PermissionError as error:
            follows = named.get("follow_symlinks", name != "lchown")
            if error.errno != errno.EPERM or not _is_within(own, path, named.get("dir_fd"), follows):
                raise

    return answered


def _is_within(own: str, path: Any, folder: int | None, follows: bool) -> bool:
    """Whether the file (for a link: what it leads to, when `follows`) lies in `own`. Raises FileNotFoundError."""
    if isinstance(path, int):
        found = os.readlink(f"/proc/self/fd/{path}")
    else:
        base = os.readlink(f"/proc/self/fd/{folder}") if folder is not None else os.getcwd()
        found = os.path.join(base, os.fsdecode(path))
        os.lstat(found)
    if follows:
        found = os.path.realpath(found)
    else:
        found = os.path.join(os.path.realpath(os.path.dirname(found)), os.path.basename(found))
    return found == own or found.startswith(own + os.sep)
