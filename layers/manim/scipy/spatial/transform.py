"""Rotations, as far as Manim uses them: from a rotation vector to a matrix."""

from __future__ import annotations

from typing import NoReturn

import numpy as np
import numpy.typing as npt

from .. import _missing


class Rotation:
    """A rotation in three dimensions."""

    def __init__(self, matrix: npt.NDArray[np.float64]) -> None:
        self._matrix = matrix

    @classmethod
    def from_rotvec(cls, rotvec: npt.ArrayLike, degrees: bool = False) -> Rotation:
        """By the vector's length, in radians, about its direction (Rodrigues' formula)."""
        x, y, z = vector = np.array(rotvec, dtype=float) * (np.pi / 180 if degrees else 1.0)
        angle = float(np.linalg.norm(vector))
        cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
        # sin(a)/a and (1 - cos(a))/a², in a form that is exact at 0.
        sine, versine = np.sinc(angle / np.pi), np.sinc(angle / (2 * np.pi)) ** 2 / 2
        return cls(np.eye(3) + sine * cross + versine * cross @ cross)

    def as_matrix(self) -> npt.NDArray[np.float64]:
        """Its 3 by 3 matrix."""
        return self._matrix.copy()

    def __getattr__(self, name: str) -> NoReturn:
        """Tells what is missing, by its name."""
        if name.startswith("_"):
            raise AttributeError(name)
        _missing(f"scipy.spatial.transform.Rotation.{name}")
