"""What programs import: modules of our own in place of those for voices and slides, and refusals with a remedy."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from .failures import Refusal

MODULES = Path(__file__).parent / "modules"
"""Where ours lie: manim_voiceover, manim_slides."""

OTHER_MANIMS = ("manimlib", "manim_imports_ext", "manimgl", "big_ol_pile_of_manim_imports")


class OtherManims(importlib.abc.MetaPathFinder):
    """Refuses Manims whose programs can't run here."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """See importlib. Raises Refusal."""
        first = name.partition(".")[0]
        if first in OTHER_MANIMS:
            raise Refusal(
                "other_manim",
                f"{first} (3b1b's Manim) is another library",
                "Write the program for Manim Community: from manim import *",
            )
        return None


def install(folder: Path) -> None:
    """Makes ours and the program's own `folder` importable; ours come first."""
    sys.path[:] = [str(MODULES), *sys.path, str(folder)]
    sys.meta_path.insert(0, OtherManims())
