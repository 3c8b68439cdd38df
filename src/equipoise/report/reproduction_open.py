"""What the HB cells leave open: hypotheses, rates and parameters of the draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log10
from typing import TYPE_CHECKING

import numpy as np

from equipoise.study.zhang2026.predict import quantiles

if TYPE_CHECKING:
    from equipoise.fit.inference import Parameter
    from equipoise.study.zhang2026.predict import Prediction

SHOWN = {
    "A3": ("HB: cycles to 80 % at 1C", ".0f"),
    "P1": ("LB: cycles to 80 % at 1C", ".0f"),
    "P4": ("LB: mAh/g at cycle 120, 0.2C", ".1f"),
    "P6": ("LB: % kept, cycle 91 to 290", ".1f"),
    "P8": ("LB: R_ct, ohm cm2", ".1f"),
}
"""Rows by which hypotheses may differ."""
NORMAL_90 = 1.645


@dataclass(frozen=True, slots=True)
class HypothesisShare:
    """A hypothesis among the draws; `values` as `SHOWN`: median (5 to 95 %)."""

    name: str
    percent: str
    rates: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ParameterLeft:
    """A parameter of the leading hypothesis, before and after the HB cells."""

    name: str
    unit: str
    before: str
    after: str
    left_percent: str


def hypothesis_shares(predictions: Sequence[Prediction]) -> list[HypothesisShare]:
    """Share of the draws of each hypothesis, largest first."""
    counts = Counter(p.member.hypothesis for p in predictions)
    out: list[HypothesisShare] = []
    for name, count in counts.most_common():
        own = [p for p in predictions if p.member.hypothesis == name]
        rates = Counter(p.member.kinetics for p in own)
        out.append(
            HypothesisShare(
                name,
                f"{100.0 * count / len(predictions):.0f}",
                ", ".join(f"{k} ({n})" for k, n in rates.most_common()),
                tuple(_value(own, row, form) for row, (_, form) in SHOWN.items()),
            )
        )
    return out


def _value(own: Sequence[Prediction], row: str, form: str) -> str:
    low, middle, high = quantiles(own, row)
    if not np.isfinite(middle):
        return "-"
    if len(own) == 1:
        return format(middle, form)
    return f"{middle:{form}} ({low:{form}} to {high:{form}})"


def leading(predictions: Sequence[Prediction]) -> str:
    """Name of the hypothesis that most draws have."""
    return Counter(p.member.hypothesis for p in predictions).most_common(1)[0][0]


def parameters_left(predictions: Sequence[Prediction]) -> list[ParameterLeft]:
    """How much the calibration has narrowed each parameter of the leading hypothesis.

    Ranges hold 90 %; "left" is the ratio of their widths in the scale of the fit.
    """
    name = leading(predictions)
    members = [p.member for p in predictions if p.member.hypothesis == name]
    out: list[ParameterLeft] = []
    for parameter in members[0].mechanisms.parameters():
        drawn = [_scaled(parameter, m.values[parameter.name]) for m in members]
        reach = NORMAL_90 * parameter.prior_width
        low = max(parameter.start - reach, parameter.lower)
        high = min(parameter.start + reach, parameter.upper)
        first, last = (float(q) for q in np.quantile(drawn, (0.05, 0.95)))
        out.append(
            ParameterLeft(
                parameter.name,
                "" if parameter.unit == "1" else parameter.unit,
                _range(parameter, low, high),
                _range(parameter, first, last),
                f"{100.0 * (last - first) / (high - low):.0f}",
            )
        )
    return out


def _scaled(parameter: Parameter, value: float) -> float:
    """A natural value in the scale of the fit."""
    if not parameter.logarithmic:
        return value
    return log10(value) if value > 0.0 else parameter.lower


def _range(parameter: Parameter, low: float, high: float) -> str:
    ends = (_short(parameter.natural(x)) for x in (low, high))
    return " to ".join(ends)


def _short(value: float) -> str:
    """Three digits, without an exponent where that is shorter."""
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.3g}"
