"""Expressions of plots: postfix tokens evaluated over arrays. No `eval`, no names but those listed here."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from ..storyboard.errors import StoryboardError
from ..storyboard.types import Token

Array = np.ndarray

_UNARY: dict[str, Callable[[Array], Array]] = {
    "neg": np.negative,
    "abs": np.abs,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "ln": np.log,
    "log10": np.log10,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "floor": np.floor,
    "ceil": np.ceil,
    "sign": np.sign,
}

_BINARY: dict[str, Callable[[Array, Array], Array]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "pow": np.power,
    "min": np.minimum,
    "max": np.maximum,
}


class ExpressionError(StoryboardError):
    """A token that is unknown, or operands that don't match the operators."""


def evaluate(postfix: Sequence[Token], values: Array | dict[str, Array]) -> Array:
    """Values of the expression at each of `values`; NaN or infinity where it has none.

    `values` of each variable by its name and all of one shape, or of the only one, whatever its name.

    Raises ExpressionError when the tokens are no expression.
    """
    stack: list[Array] = []
    like = next(iter(values.values())) if isinstance(values, dict) else values
    with np.errstate(all="ignore"):
        for token in postfix:
            match token:
                case Token(number=float(number)):
                    stack.append(np.full_like(like, number, dtype=float))
                case Token(variable=str(name)):
                    if isinstance(values, dict) and name not in values:
                        raise ExpressionError(f"there is no variable {name} here")
                    stack.append(values[name] if isinstance(values, dict) else values)
                case Token(apply=str(name)) if name in _UNARY and stack:
                    stack.append(_UNARY[name](stack.pop()))
                case Token(apply=str(name)) if name in _BINARY and len(stack) > 1:
                    right = stack.pop()
                    stack.append(_BINARY[name](stack.pop(), right))
                case _:
                    raise ExpressionError(f"can't apply {token.value!r}")
    if len(stack) != 1:
        raise ExpressionError("operands are left over" if stack else "the expression is empty")
    return stack[0]


def strokes(
    function: Callable[[Array], Array], start: float, end: float, low: float, high: float, samples: int = 400
) -> list[Array]:
    """The graph of `function` over `start`..`end`, cut to `low`..`high`, as polylines of shape (n, 2).

    Gaps (no value), poles and jumps end one line and begin another, so nothing is drawn across them.
    """
    x = np.linspace(start, end, samples)
    y = np.asarray(function(x), dtype=float)
    lines: list[list[tuple[float, float]]] = []
    line: list[tuple[float, float]] = []

    def finish() -> None:
        nonlocal line
        if len(line) > 1:
            lines.append(line)
        line = []

    def inside(value: float) -> bool:
        return bool(np.isfinite(value)) and low <= value <= high

    for i in range(samples):
        here = (float(x[i]), float(y[i]))
        if i and (inside(y[i - 1]) or inside(y[i])):
            before = (float(x[i - 1]), float(y[i - 1]))
            left, right, joined = _bracket(function, before, here, low, high)
            if inside(before[1]) and not inside(here[1]):
                if joined or left[0] > before[0]:
                    line.append(_clamped(left, low, high))
                finish()
            elif inside(here[1]) and not inside(before[1]):
                finish()
                line = [_clamped(right, low, high), here]
            elif not joined:
                line.append(left)
                finish()
                line = [right, here]
            else:
                line.append(here)
        elif i == 0 and inside(y[0]):
            line = [here]
    finish()
    return [np.array(points) for points in lines]


def _clamped(point: tuple[float, float], low: float, high: float) -> tuple[float, float]:
    return (point[0], min(max(point[1], low), high))


def _bracket(
    function: Callable[[Array], Array],
    a: tuple[float, float],
    b: tuple[float, float],
    low: float,
    high: float,
) -> tuple[tuple[float, float], tuple[float, float], bool]:
    """Narrows the interval from `a` to `b` to where the graph leaves the range or jumps.

    Gives the last point before, the first point after, and whether the graph is joined between them. A step larger
    than 2 % of the range that bisection can't make smaller is a jump.
    """
    span = high - low

    def inside(value: float) -> bool:
        return bool(np.isfinite(value)) and low <= value <= high

    if inside(a[1]) and inside(b[1]) and abs(a[1] - b[1]) < 0.02 * span:
        return a, b, True
    for _ in range(30):
        middle_x = (a[0] + b[0]) / 2
        middle = (middle_x, float(np.asarray(function(np.array([middle_x])), dtype=float)[0]))
        if inside(a[1]) != inside(b[1]):
            # Walk to the edge of the range.
            if inside(middle[1]) == inside(a[1]):
                a = middle
            else:
                b = middle
        elif not inside(middle[1]):
            # Both ends are in the range and the middle isn't: a pole or a gap lies between.
            return a, b, False
        elif abs(middle[1] - a[1]) > abs(b[1] - middle[1]):
            b = middle
        else:
            a = middle
        if inside(a[1]) and inside(b[1]) and abs(a[1] - b[1]) < 0.001 * span:
            return a, b, True
    if inside(a[1]) and inside(b[1]):
        return a, b, False
    edge = a if inside(a[1]) else b
    near = min(abs(edge[1] - low), abs(edge[1] - high))
    return a, b, near < 0.01 * span
