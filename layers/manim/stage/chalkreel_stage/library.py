"""The native library (`layers/manim/native`), through ctypes.

It is loaded when this module is imported, which is before a process is confined, and starts no thread.
"""

from __future__ import annotations

import ctypes
from pathlib import Path

VERSION = 2
"""Of the interface; the library's must be the same."""

LIBRARY = Path(__file__).parent / "libchalkreel_native.so"
"""`make tools` and `make layers` put it beside the stage's own modules."""


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(str(LIBRARY))
    if (version := library.chalkreel_version()) != VERSION:
        raise ImportError(f"{LIBRARY} has version {version} of its interface and not {VERSION}: run `make tools` again")
    size, number, pointer = ctypes.c_size_t, ctypes.c_uint32, ctypes.POINTER(ctypes.c_ubyte)
    library.chalkreel_typeset.argtypes = [ctypes.c_char_p, size, ctypes.POINTER(size)]
    library.chalkreel_typeset.restype = pointer
    library.chalkreel_outline.argtypes = [number, number, ctypes.POINTER(size)]
    library.chalkreel_outline.restype = pointer
    library.chalkreel_fonts.argtypes = [ctypes.c_char_p, size]
    library.chalkreel_fonts.restype = size
    library.chalkreel_free.argtypes = [pointer, size]
    library.chalkreel_free.restype = None
    library.chalkreel_changed.argtypes = [ctypes.c_void_p, ctypes.c_void_p, number, number]
    library.chalkreel_changed.restype = ctypes.c_uint64
    pixels = ctypes.c_void_p
    library.chalkreel_convert.argtypes = [pixels, pixels, number, number, ctypes.c_void_p * 3, number * 3]
    library.chalkreel_convert.restype = ctypes.c_bool
    return library


library = _load()
"""With the types of its functions."""
