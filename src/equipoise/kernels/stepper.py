"""One time step of a cell: both electrodes at one current, or at one voltage.

symbol   meaning                                                        unit
P, N     positive, negative electrode (`Porous`); FP, FN their fields
I        current of the cell, charge > 0                                A
Rp, Rn   resistance between electrode and reference electrode           ohm
share    part of the current that reacts at the negative (0 or 1)       1

The electrolyte is a single-ion conductor: at a given current the two electrodes do
not know of each other. A step at constant voltage couples them by one number, I,
and every Newton iteration solves for it in the linearised electrodes.
"""

import numpy as np

from equipoise.core.status import Status
from equipoise.kernels._jit import kernel
from equipoise.kernels.layout import (
    BRANCH,
    BRANCH_NEW,
    CAPACITY,
    MEAN,
    SURFACE,
)
from equipoise.kernels.particle import advance, eliminate
from equipoise.kernels.porous import distribute, predict, react, turn, update
from equipoise.kernels.program import Mode

_OK = int(Status.OK)
_NAN = int(Status.NOT_FINITE)
_NO_CONVERGENCE = int(Status.STEP_NOT_SOLVED)
_VOLTAGE = int(Mode.VOLTAGE)
_MOST_ITERATIONS = 40
_CLOSE_VOLT = 2e-5
"""Newton converges quadratically: from here the next iterate is exact to about
(2e-5 V)**2 / (RT/F) = 2e-8 V, and is not evaluated."""
_MOST_MOVE = 0.25  # of the lithium fraction at a surface, per iteration


@kernel
def side(E, F):
    """Potential of one electrode over its current density: base, slope (ohm m2)."""
    if E.ideal == 1:
        return E.ideal_volt, E.ideal_ohm_m2
    react(E, F)
    return distribute(E, F)


@kernel
def moved(E, F, i):
    """Newton update of one electrode; how far it was off, V."""
    return 0.0 if E.ideal == 1 else update(E, F, i, _MOST_MOVE)


@kernel
def prepare(E, F, dt, ratio, order, count, now, i):
    """Eliminate the particles and guess the reaction."""
    if E.ideal == 0:
        eliminate(E, F, dt, ratio, order, now)
        predict(E, F, dt, ratio, count, now, i)


@kernel
def solve(P, FP, N, FN, Rp, Rn, mode, value, I, share, dt, ratio, count, now, out):
    """Try a step of `dt` seconds; fill `out` with I, V, E_p, E_n; returns a status.

    `I` is the current for Mode.CURRENT, else a guess. Potentials are vs Li+/Li at
    the reference electrode: E_p - E_n is the voltage of the cell.
    """
    order = 1 if count == 0 else 2
    prepare(P, FP, dt, ratio, order, count, now, I / P.area)
    prepare(N, FN, dt, ratio, order, count, now, -I * share / N.area)
    for _ in range(_MOST_ITERATIONS):
        out[7] += 1.0
        p, p_slope = side(P, FP)
        n, n_slope = side(N, FN)
        p_slope = p_slope / P.area + Rp
        n_slope = n_slope * share / N.area + Rn
        if mode == _VOLTAGE:
            I = (value - (p - n)) / (p_slope + n_slope)
        off = max(moved(P, FP, I / P.area), moved(N, FN, -I * share / N.area))
        if not off < 1e30:
            return _NAN
        if off < _CLOSE_VOLT:
            out[0] = I
            out[2] = p + p_slope * I
            out[3] = n - n_slope * I
            out[1] = out[2] - out[3]
            return _OK
    return _NO_CONVERGENCE


@kernel
def _third(y, y1, y2, y3, h, h1, h2):
    """Third divided difference of y (newest first) over steps h, h1, h2."""
    d0, d1, d2 = (y - y1) / h, (y1 - y2) / h1, (y2 - y3) / h2
    return ((d0 - d1) / (h + h1) - (d1 - d2) / (h1 + h2)) / (h + h1 + h2)


@kernel
def error(E, F, potential, past, h, h1, h2, tolerance):
    """Largest local error over its tolerance: potential (V) and surface lithium.

    Of variable-step BDF2: h^2 (h + h1)^2 / (2 h + h1) times the third divided
    difference. A surface may be off by `tolerance` / 0.5 V in x: the curves of
    insertion materials fall by about 1 V over x, half of it is a typical slope.
    """
    if E.ideal == 1:
        return 0.0
    scale = h * h * (h + h1) * (h + h1) / (2.0 * h + h1)
    worst = abs(_third(potential, past[0], past[1], past[2], h, h1, h2))
    s = F.column
    for c in range(F.column.shape[1]):
        off = abs(
            _third(
                s[SURFACE, c],
                s[SURFACE + 1, c],
                s[SURFACE + 2, c],
                s[SURFACE + 3, c],
                h,
                h1,
                h2,
            )
        )
        worst = max(worst, 0.5 * off)
    return worst * scale / tolerance


@kernel
def accept(E, F, dt, ratio, count, now):
    """Make the tried step the state; the caller flips `now`."""
    if E.ideal == 1:
        return
    turn(E, F, dt, count, now)
    for c in range(F.column.shape[1]):
        F.column[BRANCH, c] = F.column[BRANCH_NEW, c]
        F.column[SURFACE + 3, c] = F.column[SURFACE + 2, c]
        F.column[SURFACE + 2, c] = F.column[SURFACE + 1, c]
        F.column[SURFACE + 1, c] = F.column[SURFACE, c]
    advance(E, F, dt, ratio, 1 if count == 0 else 2, now)


@kernel
def mean_lithiation(E, F, now):
    """Mean lithium fraction of the active material, weighted by capacity."""
    if E.ideal == 1:
        return np.nan
    held = whole = 0.0
    for c in range(F.column.shape[1]):
        held += E.column[CAPACITY, c] * F.column[MEAN + now, c]
        whole += E.column[CAPACITY, c]
    return held / whole
