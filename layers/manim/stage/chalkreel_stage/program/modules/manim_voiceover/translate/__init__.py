"""Translations are made by the caller, of what is spoken; here every text stays as it is."""

from __future__ import annotations

from collections.abc import Callable


def get_gettext(locale: str | None = None, domain: str | None = None) -> Callable[[str], str]:
    """A function that returns its argument."""
    return lambda text: text
