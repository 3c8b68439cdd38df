"""What a cycle does to the columns of an electrode, and what its wear makes of it.

symbol   meaning                                                        unit
wear     four rows as in `ageing.wear.Row`: active, contact, film, path  -
V        volume change, table over lithium fractions 0 to 1              percent
h        hazard of a cycle                                               1

The arrays are short, and numpy takes longer for a call than these for all columns.
Powers and exponentials stay with numpy: its own differ in the last digit.
"""

import numpy as np

from equipoise.kernels._jit import kernel
from equipoise.kernels.layout import CAPACITY, FILM, FLUX, INTERFACE, INVERSE_RADIUS2
from equipoise.kernels.table import at

_THOUSAND_HOURS_SECOND = 3.6e6
_ACTIVE, _CONTACT, _GROWN, _PATH = 0, 1, 2, 3


@kernel
def put_on(wear, built, column):
    """Rows of a `Porous` that the wear changes, from those as built."""
    for k in range(column.shape[1]):
        active, contact, path = wear[_ACTIVE, k], wear[_CONTACT, k], wear[_PATH, k]
        column[INTERFACE, k] = built[INTERFACE, k] * active * contact
        column[CAPACITY, k] = built[CAPACITY, k] * active
        column[FLUX, k] = built[FLUX, k] * contact
        column[FILM, k] = built[FILM, k] + wear[_GROWN, k]
        column[INVERSE_RADIUS2, k] = built[INVERSE_RADIUS2, k] / (path * path)


@kernel
def at_least(values, least, out):
    """Fill `out` with values, none of them below `least`; nan stays nan."""
    for k in range(out.size):
        out[k] = max(values[k], least)


@kernel
def swing(V, low, high, out):
    """Fill `out` with the change of volume between two lithium fractions, >= 0."""
    top = V.size - 1.0
    for k in range(out.size):
        here, there = min(max(low[k], 0.0), 1.0), min(max(high[k], 0.0), 1.0)
        out[k] = abs(at(V, 0.0, top, there) - at(V, 0.0, top, here))


@kernel
def beyond(strain, threshold, reference, out):
    """Fill `out` with the strain beyond a threshold, over that of the reference."""
    for k in range(out.size):
        out[k] = max(strain[k] - threshold, 0.0) / (reference - threshold)


@kernel
def add_hazard(h, frailty, powers):
    """Turn ``left**frailty`` into ``1 + frailty h left**frailty``, in place."""
    for k in range(powers.size):
        powers[k] = 1.0 + frailty * h[k] * powers[k]


@kernel
def grow(film, second, squared, most):
    """Parabolic growth: `squared` is gained in a thousand hours, (ohm m2)^2."""
    for k in range(film.size):
        gained = squared * second[k] / _THOUSAND_HOURS_SECOND
        film[k] = min(np.sqrt(film[k] * film[k] + gained), most)


@kernel
def means(wear, weight, out):
    """Fill `out` with the rows of the wear, averaged over the columns."""
    for row in range(out.size):
        out[row] = 0.0
        for k in range(weight.size):
            out[row] += wear[row, k] * weight[k]


@kernel
def below(capacity, lowest, onset):
    """Lithium between where a cycle came to and an onset, C m-2."""
    total = 0.0
    for k in range(capacity.size):
        total += capacity[k] * max(onset - lowest[k], 0.0)
    return total


@kernel
def is_finite(values):
    """Whether all of them are; shape (m,)."""
    finite = True
    for k in range(values.size):
        finite &= np.isfinite(values[k])
    return finite
