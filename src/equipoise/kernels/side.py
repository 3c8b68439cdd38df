"""Side reactions, and how long interfaces spend at which potential.

symbol   meaning                                                        unit
u        phi_s - phi_e of a node, its mean over the electrode            V
I_side   current of a side reaction: takes no part in (de)lithiation     A
E, w     reference potential and e-fold width of a law                   V

A side reaction of the positive oxidises the electrolyte: of a charging current I
only I - I_side delithiates it. One of the negative reduces something else than the
electrode: only I - I_side lithiates it. A shuttle, or a leak, does both. Currents
are exponential in a potential (a Tafel law), or proportional to a voltage; they flow
at rest too. The potential is extrapolated to the end of a substep; for a Tafel law
the charge is that of a potential that moves evenly, whatever it moves in units of w:
with r its move over w, the backward difference of ``exp`` over that of a straight line
is ``(a0 - a1 exp(-r) + a2 exp(-r (1 + 1 / ratio))) / r``.

An exposure is the integral over time of ``exp((u - E) / w)`` per node: what a growth
law that follows the local potential has to know of the past.
"""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from equipoise.kernels._jit import inner_kernel
from equipoise.kernels.layout import DIFFERENCE
from equipoise.kernels.particle import weights


class Law(IntEnum):
    """Columns of `Side.laws`, one row per side reaction."""

    AT = 0  # see `At`
    AMPERE = 1  # at the reference potential; or A/V
    READS = 2  # see `Reads`
    REFERENCE_VOLT = 3
    PER_VOLT = 4  # 1 / w, < 0: grows as the potential falls; 0: proportional


class At(IntEnum):
    """Which electrode a side reaction takes its current from."""

    POSITIVE = 0
    NEGATIVE = 1
    BOTH = 2


class Reads(IntEnum):
    """What a side reaction depends on."""

    POSITIVE = 0  # mean u of the positive
    NEGATIVE = 1
    CELL = 2  # the difference of the two


class Watch(IntEnum):
    """Columns of `Side.watch`, one row per exposure."""

    ELECTRODE = 0  # 0 positive, 1 negative
    REFERENCE_VOLT = 1
    PER_VOLT = 2  # 1 / w; 0: plain time


class Side(NamedTuple):
    """What is reckoned beside the reactions of the electrodes.

    `exposed` has two of a kind: the integrals in s, and the integrands at present.
    """

    laws: np.ndarray  # (side reactions, len(Law))
    watch: np.ndarray  # (exposures, len(Watch))
    exposed: np.ndarray  # (2, exposures, most nodes)


_POSITIVE, _NEGATIVE = int(At.POSITIVE), int(At.NEGATIVE)
_READS_POSITIVE, _READS_NEGATIVE = int(Reads.POSITIVE), int(Reads.NEGATIVE)
_FURTHEST_VOLT = 0.05  # of an extrapolation over one substep
_MOST_EXPONENT = 100.0


def no_side(nodes=1):
    """Neither side reactions nor exposures."""
    return Side(
        np.zeros((0, len(Law))), np.zeros((0, len(Watch))), np.zeros((2, 0, nodes))
    )


@inner_kernel
def forward(u, u_old, ratio):
    """Potential at the end of the next substep; nan where none is known."""
    move = ratio * (u - u_old)
    return u + min(max(move, -_FURTHEST_VOLT), _FURTHEST_VOLT)


@inner_kernel
def _even(r, ratio, order):
    """Mean of exp over a substep in which its exponent rises by r, over its end."""
    if abs(r) < 1e-3:
        return 1.0
    a0, a1, a2 = weights(ratio, order)
    past = a2 * np.exp(-r * (1.0 + 1.0 / ratio)) if order == 2 else 0.0
    return (a0 - a1 * np.exp(-r) + past) / r


@inner_kernel
def side_currents(laws, u_p, u_n, du_p, du_n, ratio, order):
    """Side currents of the positive and of the negative, A.

    `u`: potentials at the end of the substep, `du`: by how much they move in it.
    """
    of_p = of_n = 0.0
    for s in range(laws.shape[0]):
        law = laws[s]
        reads = int(law[Law.READS])
        u, du = u_p - u_n, du_p - du_n
        if reads == _READS_POSITIVE:
            u, du = u_p, du_p
        elif reads == _READS_NEGATIVE:
            u, du = u_n, du_n
        if not abs(u) < 1e30:  # nothing is known yet
            continue
        off = u - law[Law.REFERENCE_VOLT]
        ampere = law[Law.AMPERE]
        if law[Law.PER_VOLT] == 0.0:
            ampere *= off
        else:
            ampere *= np.exp(min(off * law[Law.PER_VOLT], _MOST_EXPONENT))
            ampere *= _even(du * law[Law.PER_VOLT], ratio, order)
        at = int(law[Law.AT])
        if at != _NEGATIVE:
            of_p += ampere
        if at != _POSITIVE:
            of_n += ampere
    return of_p, of_n


@inner_kernel
def mean_difference(E, F):
    """Mean of u over the nodes; nan of an ideal electrode, V."""
    if E.ideal == 1:
        return np.nan
    total = 0.0
    for k in range(E.nodes):
        total += F.node[DIFFERENCE, k]
    return total / E.nodes


@inner_kernel
def expose(side, E, F, electrode, h, known):
    """Add a substep of h seconds to the exposures of one electrode.

    Between its ends the potential is taken to move evenly: the mean of the integrand
    is its logarithmic mean. Without a `known` integrand from before the new one stands
    for the whole substep.
    """
    if E.ideal == 1:
        return
    for w in range(side.watch.shape[0]):
        watch = side.watch[w]
        if int(watch[Watch.ELECTRODE]) != electrode:
            continue
        for k in range(E.nodes):
            off = F.node[DIFFERENCE, k] - watch[Watch.REFERENCE_VOLT]
            now = np.exp(min(off * watch[Watch.PER_VOLT], _MOST_EXPONENT))
            before = side.exposed[1, w, k] if known else now
            mean = 0.5 * (before + now)
            if abs(now - before) > 1e-3 * mean:
                mean = (now - before) / np.log(now / before)
            side.exposed[0, w, k] += h * mean
            side.exposed[1, w, k] = now
