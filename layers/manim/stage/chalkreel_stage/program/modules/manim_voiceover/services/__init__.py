"""Services of every name. A program's service says how its author wanted to be heard; the caller's voices speak."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any


class SpeechService:
    """A service that is not asked. Keeps what it is given."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.arguments = arguments
        self.settings = named
        lang = named.get("lang") or named.get("language")
        self.lang = lang if isinstance(lang, str) else None
        self.global_speed = named.get("global_speed", 1.0)
        self.cache_dir = named.get("cache_dir")

    def set_transcription(self, *arguments: Any, **named: Any) -> None:
        """Words are timed by whoever speaks them."""

    def generate_from_text(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        """Nothing is generated here."""
        return {}

    def audio_callback(self, *arguments: Any, **named: Any) -> None:
        """There is no audio here."""


class ServiceModule(ModuleType):
    """A module that has every class that is asked of it."""

    SpeechService = SpeechService

    def __getattr__(self, name: str) -> Any:
        """A service of this name."""
        if name.startswith("_"):
            raise AttributeError(name)
        made = type(name, (SpeechService,), {"__module__": self.__name__})
        setattr(self, name, made)
        return made


class _Services(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not name.startswith(f"{__name__}."):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return ServiceModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        pass


sys.meta_path.insert(0, _Services())


def __getattr__(name: str) -> Any:
    """`from manim_voiceover.services import AnyService`."""
    if name.startswith("_"):
        raise AttributeError(name)
    return getattr(importlib.import_module(f"{__name__}.any"), name)
