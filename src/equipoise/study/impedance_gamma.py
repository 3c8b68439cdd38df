"""Gamma of every tail that the data support: what the shape of a DRT rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.analysis.eis.drt.distribution import distribution

if TYPE_CHECKING:
    from equipoise.analysis.eis.drt.distribution import Distribution
    from equipoise.analysis.eis.drt.resistances import Resistances

Array = NDArray[np.float64]

POINTS_PER_DECADE = 40


def supported_distributions(found: Resistances) -> list[Distribution]:
    """Distribution with each supported tail; 0.2 ms each where matrices are kept."""
    best = found.best
    return [
        best
        if m.tail == best.tail
        else distribution(found.spectrum, best.settings, tail=m.tail)
        for m in found.members
        if m.supported
    ]


def gamma_axis(fit: Distribution, *, per_decade: int = POINTS_PER_DECADE) -> Array:
    """Time constants (s) fine enough for a curve, shape (n,)."""
    first, last = fit.tau_second[0], fit.tau_second[-1]
    count = max(2, int(np.ceil(per_decade * np.log10(last / first))) + 1)
    return np.geomspace(first, last, count)


def gamma_band(found: Resistances, tau_second: Array) -> tuple[Array, Array]:
    """Smallest and largest gamma over all supported tails, ohm per ln tau, (n,)."""
    curves = np.stack([d.gamma_at(tau_second) for d in supported_distributions(found)])
    return curves.min(axis=0), curves.max(axis=0)
