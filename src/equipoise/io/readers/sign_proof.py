"""Which sign does a charging current have? Words, counters, and the voltage tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.io.readers.printed import rounding_of

Array = NDArray[np.float64]
REST_SHARE = 1e-4
"""A current below this share of the largest is a rest."""
MOST_CHANGES = 100_000
"""From which the noise of a voltage is taken."""
NOISE_SHARE = 1e-3
"""Of all values of a current; less than that below zero is noise."""
NOISE_FACTOR = 3.0
"""Of the usual change from row to row: five standard deviations of white noise."""
CLEAR = 0.5
"""Of -1 .. 1: a voltage that mostly rises while the current is above zero."""


class Evidence(NamedTuple):
    """How one witness sees the current as it is: +1 charging > 0, -1 the reverse.

    Attributes
    ----------
    agreement
        From -1 to 1; shares of charge, or of the path of the voltage.
    """

    agreement: float
    witness: str

    @property
    def sign(self) -> int:
        """+1, -1, or 0 if it is not clear."""
        if abs(self.agreement) < CLEAR:
            return 0
        return 1 if self.agreement > 0.0 else -1


def by_words(amperes: Array, flow: NDArray[np.int8]) -> Evidence:
    """The cycler's own words: charge where it says so."""
    weight = np.abs(amperes) * (flow != 0)
    total = float(weight.sum())
    share = float((np.sign(amperes) * flow * weight).sum() / total) if total else 0.0
    return Evidence(share, "the state in words")


def by_counters(amperes: Array, charge: Array, discharge: Array) -> Evidence:
    """Separate counters of charge and discharge: increments, shape (N,)."""
    net = charge - discharge
    total = float(np.abs(net).sum())
    # the current of the interval: of the row that ends it, else of the one before
    before = np.concatenate((amperes[:1], amperes[:-1]))
    now = np.where(np.abs(amperes) > rest_ampere(amperes), amperes, before)
    share = float((np.sign(now) * net).sum() / total) if total > 0.0 else 0.0
    return Evidence(share, "the counters of charge and discharge")


def by_voltage(amperes: Array, volts: Array) -> Evidence:
    """A cell is passive: its voltage rises when it is charged.

    Only intervals within one direction, and the onset after a rest, are looked at;
    of them those runs whose rise stands out of the noise.
    """
    rest = rest_ampere(amperes)
    sign = np.where(np.abs(amperes) > rest, np.sign(amperes), 0.0)
    same = (sign[1:] == sign[:-1]) | (sign[:-1] == 0.0)
    rise = np.diff(volts) * sign[1:] * same
    # net rise of each run: noise of a slow curve makes a long path of a small rise
    starts = np.flatnonzero(np.concatenate(([True], np.diff(sign[1:]) != 0.0)))
    if rise.size == 0 or not rise.any():
        return Evidence(0.0, "the voltage")
    runs = np.add.reduceat(rise, starts)
    runs = runs[np.abs(runs) > NOISE_FACTOR * _noise_volt(volts, rise[same])]
    clear = float(np.abs(runs).sum())
    return Evidence(float(runs.sum() / clear) if clear else 0.0, "the voltage")


def _noise_volt(volts: Array, rise: Array) -> float:
    """Usual change of the rise from row to row, at least one digit of the voltage."""
    digit = 2.0 * rounding_of(volts)
    if rise.size <= 3:
        return digit
    changes = np.diff(rise)[:: max(rise.size // MOST_CHANGES, 1)]
    return max(float(np.median(np.abs(changes))), digit)


def flow_of_counters(charge: Array, discharge: Array) -> NDArray[np.int8]:
    """+1 or -1 where a counter moves; rows between two moves take the next one."""
    net = np.sign(charge - discharge).astype(np.int8)
    moving = np.flatnonzero(net)
    if moving.size == 0:
        return net
    following = np.searchsorted(moving, np.arange(net.size))
    return net[moving[np.minimum(following, moving.size - 1)]]


def is_signed(amperes: Array, flow: NDArray[np.int8] | None = None) -> bool:
    """Whether currents below zero are more than noise; of a rest where `flow` is 0."""
    if flow is not None and flow.any():
        amperes = amperes[flow != 0]
    below = -float(np.minimum(amperes, 0.0).sum())
    return below > NOISE_SHARE * float(np.abs(amperes).sum())


def rest_ampere(amperes: Array) -> float:
    """Current below which a row is a rest."""
    largest = max(amperes.max(initial=0.0), -amperes.min(initial=0.0))
    return REST_SHARE * float(largest)
