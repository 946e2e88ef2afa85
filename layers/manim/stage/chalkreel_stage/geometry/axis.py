"""One axis: its range, its ticks, and how their numbers are written."""

from __future__ import annotations

import math

from ..storyboard import types
from ..storyboard.errors import StoryboardError

MOST_NUMBERS = 13
"""Numbers on one axis; with more, every second, fifth … is left out."""


class Axis:
    """One axis: range, ticks and their numbers."""

    def __init__(self, low: float, high: float, step: float, label: str = "") -> None:
        """Raises StoryboardError when the range is none."""
        self.low, self.high, self.step, self.label = low, high, step, label
        if not (self.low < self.high and self.step > 0 and math.isfinite(self.high - self.low)):
            raise StoryboardError("an axis needs min < max and step > 0")
        count = (self.high - self.low) / self.step
        if not math.isfinite(count):
            raise StoryboardError("the step of an axis is too small for its range")
        stride = next(s * 10**k for k in range(300) for s in (1, 2, 5) if count / (s * 10**k) <= MOST_NUMBERS)
        step = self.step * stride
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        self.ticks = [k * step for k in range(first, last + 1)]
        if len(self.ticks) < 2:
            self.ticks = [self.low, self.high]

    @staticmethod
    def of(axis: types.Axis) -> Axis:
        """As in the storyboard. Raises StoryboardError."""
        return Axis(axis.min, axis.max, axis.step, axis.label)

    @staticmethod
    def number(value: float) -> str:
        """As shown, with a real minus sign."""
        whole = 1e5 <= abs(value) < 1e12 and value == round(value)
        return (f"{value:,.0f}" if whole else f"{0.0 if abs(value) < 1e-12 else value:.6g}").replace("-", "\u2212")
