"""One time step of a cell: both electrodes at one current, or at one voltage.

symbol   meaning                                                        unit
P, N     positive, negative electrode (`Porous`); FP, FN their fields
I        current of the cell, charge > 0                                A
sp, sn   side currents: I - sp delithiates P, I - sn lithiates N        A
Rp, Rn   resistance between electrode and reference electrode           ohm
share    part of the current that reacts at the negative (0 or 1)       1

The electrolyte is a single-ion conductor: at a given current the two electrodes do
not know of each other. A step at constant voltage couples them by one number, I,
and every Newton iteration solves for it in the linearised electrodes.
"""

import numpy as np

from equipoise.core.status import Status
from equipoise.kernels._jit import inner_kernel, kernel, merged_kernel
from equipoise.kernels.layout import (
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
_MOST_ITERATIONS = 300  # many columns may empty one after the other
_CIRCLES = 15  # full steps after which Newton is taken to go in circles
_PATIENCE = 60  # iterations after which all count as full
_HELD = 1.0  # V: `update` tells at least this if a step was cut short
_STEEP_VOLT = 10.0
_MOST_MOVE = 0.25  # of the lithium fraction at a surface, per iteration


@inner_kernel
def side(E, F):
    """Potential of one electrode over its current density: base, slope (ohm m2)."""
    if E.ideal == 1:
        return E.ideal_volt, 0.0
    react(E, F)
    return distribute(E, F)


@inner_kernel
def moved(E, F, i, full):
    """Newton update of one electrode after `full` full steps; how far it was off, V."""
    return (
        0.0
        if E.ideal == 1
        else update(E, F, i, _MOST_MOVE, 1.0 if full < _CIRCLES else 0.5)
    )


@kernel
def prepare(E, F, dt, ratio, order, count, now, i):
    """Eliminate the particles and guess the reaction."""
    if E.ideal == 0:
        eliminate(E, F, dt, ratio, order, now)
        predict(E, F, dt, ratio, count, now, i)


@kernel
def react_to(E, F, i, close):
    """Newton for one electrode at a given current: status, base, slope (ohm m2)."""
    base = slope = 0.0
    full = 0
    for trial in range(_MOST_ITERATIONS):
        base, slope = side(E, F)
        off = moved(E, F, i, full)
        if not off < 1e30:
            return _NAN, base, slope
        if off < close:
            return _OK, base, slope
        if off < _HELD or trial > _PATIENCE:
            full += 1
    return _NO_CONVERGENCE, base, slope


@kernel
def react_together(P, FP, N, FN, Rp, Rn, volt, I, sp, sn, share, close, out):
    """Newton for both electrodes at a given voltage; fills `out`, returns a status."""
    both, fields = (P, N), (FP, FN)
    factors = (1.0 / P.area, -share / N.area)  # current density per ampere
    aside = (sp, sn)
    full = 0
    for trial in range(_MOST_ITERATIONS):
        V = V_slope = 0.0  # of the cell over I
        for e in range(2):
            base, slope = side(both[e], fields[e])
            sign = 1.0 - 2.0 * e
            out[4 + e] = slope * factors[e]
            out[2 + e] = base - out[4 + e] * aside[e]
            V += sign * out[2 + e]
            V_slope += sign * out[4 + e]
        I = (volt - V) / (V_slope + Rp + Rn)
        off = 0.0
        for e in range(2):
            one = moved(both[e], fields[e], (I - aside[e]) * factors[e], full)
            if not one < 1e30:
                return _NAN
            off = max(off, one)
        if off < close:
            out[0] = I
            out[2] += (out[4] + Rp) * I
            out[3] += (out[5] - Rn) * I
            out[1] = out[2] - out[3]
            return _OK
        if off < _HELD or trial > _PATIENCE:
            full += 1
    return _NO_CONVERGENCE


@merged_kernel
def solve(
    P,
    FP,
    N,
    FN,
    Rp,
    Rn,
    mode,
    value,
    I,
    sp,
    sn,
    share,
    dt,
    ratio,
    count,
    now,
    close,
    out,
):
    """Try a step of `dt` seconds; fill `out` with I, V, E_p, E_n; returns a status.

    `I` is the current for Mode.CURRENT, else a guess. Potentials are vs Li+/Li at
    the reference electrode: E_p - E_n is the voltage of the cell. Newton stops when
    no column is further than `close` (V) from its potential: it converges
    quadratically, what is left is about close**2 / (RT/F).
    """
    order = 1 if count == 0 else 2
    i_p, i_n = (I - sp) / P.area, -(I - sn) * share / N.area
    prepare(P, FP, dt, ratio, order, count, now, i_p)
    prepare(N, FN, dt, ratio, order, count, now, i_n)
    if mode == _VOLTAGE:
        return react_together(P, FP, N, FN, Rp, Rn, value, I, sp, sn, share, close, out)
    status, base, slope = react_to(P, FP, i_p, close)
    if status != _OK:
        return status
    out[2] = base + slope * i_p + Rp * I
    status, base, slope = react_to(N, FN, i_n, close)
    out[3] = base + slope * i_n - Rn * I
    out[0], out[1] = I, out[2] - out[3]
    return status


@inner_kernel
def differences(h, h1, h2, out):
    """Weights that turn four values (newest first) into the local error of BDF2.

    Variable-step BDF2 errs by h^2 (h + h1)^2 / (2 h + h1) times the third divided
    difference, that is by 2/9 h^3 times the third derivative for equal steps.
    """
    s1, s2, s3 = h + h1, h1 + h2, h + h1 + h2
    scale = h * h * s1 * s1 / (2.0 * h + h1)
    out[0] = scale / (h * s1 * s3)
    out[1] = -scale / (h * h1 * s2)
    out[2] = scale / (h1 * h2 * s1)
    out[3] = -scale / (h2 * s2 * s3)


@kernel
def error(E, F, potential, past, weight, per_second, tolerance):
    """Local error over its tolerance: of the potential (V) and of surface lithium.

    The surfaces count with their root mean square: a front passes one node at a time.
    They may be off by twice `tolerance` in x: the curves of insertion materials
    fall by about 1 V over x, half of it is a typical slope. Where the potential
    itself runs away (by _STEEP_VOLT over one hour / C-rate) its error counts across
    the curve: what matters there is when, not how deep.
    """
    if E.ideal == 1:
        return 0.0
    steep = 1.0 + abs(potential - past[0]) * per_second / _STEEP_VOLT
    w0, w1, w2, w3 = weight[0], weight[1], weight[2], weight[3]
    worst = abs(w0 * potential + w1 * past[0] + w2 * past[1] + w3 * past[2])
    s, squares = F.column, 0.0
    for c in range(s.shape[1]):
        off = (
            w0 * s[SURFACE, c]
            + w1 * s[SURFACE + 1, c]
            + w2 * s[SURFACE + 2, c]
            + w3 * s[SURFACE + 3, c]
        )
        squares += off * off
    worst = max(worst, 0.5 * np.sqrt(squares / s.shape[1]))
    return worst / (steep * tolerance)


@kernel
def accept(E, F, dt, ratio, count, now):
    """Make the tried step the state; the caller flips `now`."""
    if E.ideal == 1:
        return
    turn(E, F)
    for c in range(F.column.shape[1]):
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
