"""Which sign does a charging current have? Words, counters, and the voltage tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from equipoise.io.readers.printed import rounding_of
from equipoise.kernels import proofs as kernel

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
    net, total = kernel.agreement(amperes, charge, discharge, rest_ampere(amperes))
    share = float(net / total) if total > 0.0 else 0.0
    return Evidence(share, "the counters of charge and discharge")


def by_voltage(amperes: Array, volts: Array) -> Evidence:
    """A cell is passive: its voltage rises when it is charged.

    Only intervals within one direction, and the onset after a rest, are looked at;
    of them those runs whose rise stands out of the noise.
    """
    rest = rest_ampere(amperes)
    threshold = NOISE_FACTOR * _noise_volt(volts)
    net, total = kernel.rises(volts, amperes, rest, threshold)
    return Evidence(float(net / total) if total > 0.0 else 0.0, "the voltage")


def _noise_volt(volts: Array) -> float:
    """Usual change of the voltage's slope from row to row, at least one digit."""
    digit = 2.0 * rounding_of(volts)
    if volts.size <= 4:
        return digit
    at = np.arange(0, volts.size - 2, max(volts.size // MOST_CHANGES, 1))
    bends = volts[at + 2] - 2.0 * volts[at + 1] + volts[at]
    return max(float(np.median(np.abs(bends))), digit)


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
