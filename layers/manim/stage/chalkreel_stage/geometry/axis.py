"""One axis: its range, its ticks, and how their numbers are written."""

from __future__ import annotations

import math
from typing import Any

MOST_NUMBERS = 13
"""Numbers on one axis; with more, every second, fifth … is left out."""


class Axis:
    """One axis: range, ticks and their numbers."""

    def __init__(self, axis: dict[str, Any]) -> None:
        """Raises ValueError when the range is none."""
        self.low, self.high, self.step = float(axis["min"]), float(axis["max"]), float(axis["step"])
        self.label = str(axis.get("label", ""))
        if not (self.low < self.high and self.step > 0 and math.isfinite(self.high - self.low)):
            raise ValueError("an axis needs min < max and step > 0")
        count = (self.high - self.low) / self.step
        stride = next(s * 10**k for k in range(300) for s in (1, 2, 5) if count / (s * 10**k) <= MOST_NUMBERS)
        step = self.step * stride
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        self.ticks = [k * step for k in range(first, last + 1)]
        if len(self.ticks) < 2:
            self.ticks = [self.low, self.high]

    @staticmethod
    def number(value: float) -> str:
        """As shown, with a real minus sign."""
        whole = 1e5 <= abs(value) < 1e12 and value == round(value)
        return (f"{value:,.0f}" if whole else f"{0.0 if abs(value) < 1e-12 else value:.6g}").replace("-", "\u2212")
