"""Impedance of a porous electrode: the equations of the engine, linearised.

symbol   meaning                                                         unit
s        complex frequency; j omega on the axis of measured spectra      s-1
z        impedance of the interface of a column                          ohm m2
y        sum over the classes of a / z: admittance of a node             S m-3
re, ri   electronic, ionic resistivity; rho = re + ri                    ohm m
X        sqrt(rho y) h: thickness of a node over the depth of the line   1
Y, c     ionic current = Y u + c at a face, for one ampere per m2        S m-2, 1
Z        impedance of the electrode                                      ohm m2

Interface, with the reaction in parallel to the double layer::

    z = R_film / (1 + s R_film C_film) + z_F / (1 + s C_dl z_F)
    z_F = d eta/dj + (-dU/dx - d eta/dx) (-dx_s/dj) + hysteresis

All derivatives are taken at the state of the fields, whatever current flows in it.
Along the line a node has constant properties, so that the two rails have an exact
two-port in hyperbolic functions; only tanh and sech occur and nothing overflows. A
uniform electrode gives the closed form with any number of nodes. By reciprocity one
recursion (c) serves the source and the potential drop::

    Z = sum of what the nodes add + (1 - c)**2 / Y   at the separator
"""

import numpy as np

from equipoise.kernels._jit import inner_kernel, kernel
from equipoise.kernels.layout import (
    BRANCH,
    CAPACITY,
    EXCHANGE,
    FILM,
    FLUX,
    INTERFACE,
    INVERSE_RADIUS2,
    MEAN,
    REACTION,
    SURFACE,
)
from equipoise.kernels.particle_impedance import (
    layered_sphere,
    tanh_ratio,
    uniform_sphere,
)
from equipoise.kernels.porous import _exchange, _table, overpotential

# Rows of `columns`
TRANSFER = 0  # d eta / dj, ohm m2
DIFFUSION = 1  # times 1 / p: the impedance of diffusion, ohm m2
RETURN = 2  # of the hysteresis: elastance, ohm m2 s-1
RETURN_RATE = 3  # s-1
SAME = 4  # R2 / D, s, where all shells have one diffusivity; else 0
COLUMN_ROWS = 5
SHELL_BLOCKS = 2  # R2 / D; sqrt(R2 / D) times the thickness of the shell

_ONE_DIFFUSIVITY = 1e-12  # relative difference that is rounding


@inner_kernel
def _particles(E, F, now, radius, columns, shells):
    """Diffusivities of all shells, and which particles have only one."""
    D, x = E.diffusion[0], F.x[now]
    for k in range(columns.shape[1]):
        least, most = np.inf, 0.0
        for m in range(x.shape[0]):
            d = _table(D, x[m, k]) * E.column[INVERSE_RADIUS2, k]
            least, most = min(least, d), max(most, d)
            shells[0, m, k] = 1.0 / d
            shells[1, m, k] = (radius[m + 1] - radius[m]) / np.sqrt(d)
        alike = most - least <= _ONE_DIFFUSIVITY * most
        columns[SAME, k] = 1.0 / most if alike else 0.0


@kernel
def linearise(E, F, now, flows, radius, columns, shells, rails):
    """Fill `columns`, `shells` and `rails` with the derivatives at the state.

    `flows` is 1 under a current: then the direction of the hysteresis is that of the
    reaction. At rest it is that of the excitation, which turns around in each period:
    of such a response the fundamental sees the mean of both directions.

    columns (COLUMN_ROWS, K); shells (SHELL_BLOCKS, M, K); rails (2, nodes): re, ri.
    """
    _particles(E, F, now, radius, columns, shells)
    U, last = E.open_circuit, E.open_circuit.shape[0] - 2
    for k in range(columns.shape[1]):
        x, j = F.column[SURFACE + 1, k], F.column[REACTION + now, k]
        place = (x - E.open_circuit_start) * E.open_circuit_per_step
        i = min(max(int(place), 0), last)
        part = place - i
        rise = U[i + 1, 0] - U[i, 0]
        columns[RETURN, k] = columns[RETURN_RATE, k] = 0.0
        if E.hysteresis > 0.0:
            b = F.column[BRANCH, k]
            gap, gap_rise = U[i, 0] - U[i, 1], rise - U[i + 1, 1] + U[i, 1]
            rise -= 0.5 * (1.0 - b) * gap_rise
            width = max(gap + part * gap_rise, 0.0)
            towards, rate = 1.0, 0.0
            if flows > 0.0:
                towards = abs((1.0 if j > 0.0 else -1.0) - b)
                rate = E.hysteresis * 3.0 * E.column[FLUX, k] * abs(j)
            per_x = 0.5 * width * E.hysteresis * towards
            columns[RETURN, k] = per_x * 3.0 * E.column[FLUX, k]
            columns[RETURN_RATE, k] = rate
        i0, growth = _exchange(x, E.alpha_a)
        i0 *= E.column[EXCHANGE, k]
        per_j = overpotential(j, i0, E.alpha_a, E.thermal_volt)[1] / i0
        columns[TRANSFER, k] = per_j
        falls = -rise * E.open_circuit_per_step + per_j * j * growth
        surface = _table(E.diffusion[0], x) * E.column[INVERSE_RADIUS2, k]
        columns[DIFFUSION, k] = falls * E.column[FLUX, k] / surface
    for n in range(E.nodes):
        whole = held = 0.0
        for k in range(n, columns.shape[1], E.nodes):
            held += E.column[CAPACITY, k] * F.column[MEAN + now, k]
            whole += E.column[CAPACITY, k]
        rails[0, n] = _table(E.electronic, held / whole)
        rails[1, n] = E.ionic[n]


@inner_kernel
def _interface(E, s, root_s, double_layer, film, radius, columns, shells, k):
    """Impedance of column k per area of active interface, ohm m2."""
    if columns[SAME, k] > 0.0:
        p = uniform_sphere(s, root_s, columns[SAME, k])
    else:
        p = layered_sphere(s, root_s, radius, shells, k)
    z = columns[TRANSFER, k] + columns[DIFFUSION, k] / p
    if columns[RETURN, k] > 0.0:
        z += columns[RETURN, k] / (s + columns[RETURN_RATE, k])
    resistance = E.column[FILM, k]
    return z / (1.0 + s * double_layer * z) + resistance / (1.0 + s * film * resistance)


@kernel
def line_impedance(E, s, double_layer, film, radius, columns, shells, rails, out):
    """Fill `out`, shape (N,), with the impedance at complex frequencies `s`, ohm m2.

    double_layer, film: capacitances per area of active interface, F m-2; the rest as
    `linearise` has filled it.
    """
    h = E.width
    for f in range(s.size):
        s_f = s[f]
        root_s = np.sqrt(s_f)
        Y = c = added = 0.0j
        for n in range(E.nodes):
            y = 0.0j
            for k in range(n, columns.shape[1], E.nodes):
                z = _interface(
                    E, s_f, root_s, double_layer, film, radius, columns, shells, k
                )
                y += E.column[INTERFACE, k] / z
            rho = rails[0, n] + rails[1, n]
            share = rails[0, n] / rho
            X2 = rho * h * h * y
            X = np.sqrt(X2)
            ratio = tanh_ratio(X2, X)[0]
            e = np.exp(-X)
            inner = 1.0 / (1.0 + rho * h * ratio * Y)
            added += rails[1, n] * share * h + (share - c) * (share - c) * (
                rho * h * ratio * inner
            )
            c = share + (c - share) * (2.0 * e / (1.0 + e * e)) * inner
            Y = (y * h * ratio + Y) * inner
        if Y == 0.0:  # no interface anywhere
            out[f] = np.nan
        else:
            out[f] = added + (1.0 - c) * (1.0 - c) / Y
