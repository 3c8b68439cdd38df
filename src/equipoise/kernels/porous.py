"""Reaction and two current rails of one porous electrode: one Newton iteration.

symbol   meaning                                                         unit
u        phi_s - phi_e, mean of a node                                   V
I_f      ionic current at the faces between nodes; 0 at the collector,
         i at the separator                                              A m-2
J        I_f right - I_f left = h sum a j: reaction of a node            A m-2
a        active interface per volume, of a column                        m2 m-3
h        width of a node                                                 m
re, ri   electronic, ionic resistivity; rho = re + ri                    ohm m
f(j)     potential at which a column reacts with j                       V

Equations (specs of this project, engine, section 1), with single-ion electrolyte::

    u_k = f(j),  f = U(x_s(j)) + 2 (RT/F) asinh(j / 2 i0) + j R_film   (alpha = 1/2)
    u_(k+1) - u_k = sum over the two half nodes of (rho I - re i)

The face currents are the unknowns: charge is conserved to rounding whatever the
Newton residual, and the system is the gradient of a convex function of them. The
current inside a node is taken as linear, which gives the weights 1/6, 4/6, 1/6
(second order) and, for a single node, the exact L/3 of a uniform reaction: the
single-particle model with ohmic terms is the same kernel.
"""

import numpy as np

from equipoise.kernels._jit import inner_kernel
from equipoise.kernels.layout import (
    BRANCH,
    CAPACITY,
    DIFFERENCE,
    DRIFT,
    DRIFT_PER_J,
    ELECTRONIC,
    EXCHANGE,
    FACE,
    FACE_SLOPE,
    FILM,
    FLUX,
    INTERFACE,
    KNOWN,
    LEFT,
    MEAN,
    OPEN,
    PER_CURRENT,
    POTENTIAL,
    REACTION,
    RESISTANCE,
    SCALE,
    SLOPE,
    SURFACE,
    TRIAL,
)
from equipoise.kernels.particle import surfaces, weights

_LEAST_FRACTION = 1e-4  # of lithium and vacancies in i0: a full surface still reacts


@inner_kernel
def _table(T, s):
    """Value of a table over [0, 1], ends held."""
    s = min(max(s, 0.0), 1.0) * (T.size - 1)
    i = min(int(s), T.size - 2)
    return T[i] + (s - i) * (T[i + 1] - T[i])


@inner_kernel
def overpotential(j, i0, alpha_a, thermal):
    """Overpotential eta (V) and d eta / d(j / i0)."""
    y = 0.5 * j / i0
    root = np.sqrt(1.0 + y * y)
    eta = 2.0 * thermal * np.log(abs(y) + root)
    if y < 0.0:
        eta = -eta
    if alpha_a == 0.5:
        return eta, thermal / root
    z, v = j / i0, eta / thermal  # Newton in ln space from the symmetric answer
    alpha_c = 1.0 - alpha_a
    if abs(v) > 1.0:
        v = np.log(1.0 + abs(z)) / (alpha_a if z > 0.0 else alpha_c)
        v = v if z > 0.0 else -v
    slope = 1.0
    for _ in range(50):
        up, down = np.exp(alpha_a * v), np.exp(-alpha_c * v)
        slope = alpha_a * up + alpha_c * down
        step = (z - up + down) / slope
        most = 1.0 / min(alpha_a, alpha_c)
        step = min(max(step, -most), most)
        v += step
        if abs(step) < 1e-12 * max(1.0, abs(v)):
            break
    return v * thermal, thermal / slope


@inner_kernel
def _exchange(x, alpha_a):
    """i0 over its value at x = 1/2, and d ln i0 / dx.

    ``2 sqrt(x (1 - x))`` for equal transfer coefficients. Vacancies and lithium are
    both at least about _LEAST_FRACTION, smoothly: ``(y + sqrt(y**2 + 4 e**2)) / 2``.
    """
    e2 = 4.0 * _LEAST_FRACTION * _LEAST_FRACTION
    if alpha_a == 0.5:
        y = x * (1.0 - x)
        root = np.sqrt(y * y + e2)
        whole = y + root if y > 0.0 else e2 / (root - y)
        return np.sqrt(2.0 * whole), 0.5 * (1.0 - 2.0 * x) / root
    full, free = np.sqrt(x * x + e2), np.sqrt((1.0 - x) * (1.0 - x) + e2)
    return (
        (x + full) ** (1.0 - alpha_a) * (1.0 - x + free) ** alpha_a,
        (1.0 - alpha_a) / full - alpha_a / free,
    )


@inner_kernel
def _branch(E, F, k, j):
    """Branch of column k after a step with reaction j, and its distance to its goal.

    ``branch' = (sign - branch) |dx/dt| / x_h``, exact for a mean x that changes one
    way in the step (one-state hysteresis; Plett, Battery Management Systems I, sec.
    3.7). Implicit: with the branch of an extrapolated j a rest would chatter.
    """
    gone = F.column[DRIFT, k] - F.column[DRIFT_PER_J, k] * j
    goal = 1.0 if gone < 0.0 else -1.0
    left = (F.column[BRANCH, k] - goal) * np.exp(-E.hysteresis * abs(gone))
    return goal + left, left


@inner_kernel
def react(E, F):
    """Fill `POTENTIAL` and `RESISTANCE` of all columns at `TRIAL`."""
    surfaces(E, F)
    U, start, per_step = E.open_circuit, E.open_circuit_start, E.open_circuit_per_step
    last = U.shape[0] - 2
    for k in range(F.column.shape[1]):
        j, slope = F.column[TRIAL, k], F.column[SLOPE, k]
        x = F.column[SURFACE, k]
        s = (x - start) * per_step
        i = min(max(int(s), 0), last)
        low, rise, turning = U[i, 0], U[i + 1, 0] - U[i, 0], 0.0
        if E.hysteresis > 0.0:
            branch, left = _branch(E, F, k, j)
            b = 0.5 * (1.0 - branch)  # share of the lithiating curve
            gap, gap_rise = low - U[i, 1], rise - U[i + 1, 1] + U[i, 1]
            low, rise = low - b * gap, rise - b * gap_rise
            turning = 0.5 * abs(left) * E.hysteresis * F.column[DRIFT_PER_J, k]
            turning *= max(gap + (s - i) * gap_rise, 0.0)
        i0, growth = _exchange(x, E.alpha_a)
        i0 *= E.column[EXCHANGE, k]
        eta, per_ratio = overpotential(j, i0, E.alpha_a, E.thermal_volt)
        per_j = per_ratio / i0
        F.column[POTENTIAL, k] = low + (s - i) * rise + eta + E.column[FILM, k] * j
        F.column[RESISTANCE, k] = (
            -rise * per_step * slope
            + per_j
            + E.column[FILM, k]
            + max(per_j * j * growth * slope, 0.0)  # only what stabilises
            + turning
        )


@inner_kernel
def distribute(E, F):
    """Linearise and solve for the face currents as base + per_ampere i.

    Returns the potential of the electrode against the electrolyte at the separator
    as (base, slope) over i.
    """
    nodes, h = E.nodes, E.width
    open_u, per_J, re, ri = (
        F.node[OPEN],
        F.node[PER_CURRENT],
        F.node[ELECTRONIC],
        E.ionic,
    )
    for k in range(nodes):
        open_u[k] = per_J[k] = 0.0
    for c in range(0, F.column.shape[1], nodes):
        for k in range(nodes):
            g = E.column[INTERFACE, c + k] / F.column[RESISTANCE, c + k]
            per_J[k] += g
            open_u[k] += (
                g * F.column[POTENTIAL, c + k]
                - E.column[INTERFACE, c + k] * F.column[TRIAL, c + k]
            )
    for k in range(nodes):
        whole = 1.0 / per_J[k]
        open_u[k] *= whole
        per_J[k] = whole / h
    base, slope = F.node[FACE], F.node[FACE_SLOPE]
    w, p = F.node[LEFT], F.node[KNOWN]
    w_before = p_base = p_slope = 0.0
    for k in range(nodes - 1):  # face k lies between nodes k and k + 1
        rho, rho_r = h * (re[k] + ri[k]), h * (re[k + 1] + ri[k + 1])
        diagonal = per_J[k] + per_J[k + 1] + (rho + rho_r) / 3.0
        lower = rho / 6.0 - per_J[k]
        upper = rho_r / 6.0 - per_J[k + 1]
        right = open_u[k + 1] - open_u[k]
        right_slope = 0.5 * h * (re[k] + re[k + 1])
        if k == nodes - 2:
            right_slope -= upper
        if k == 0:
            lower = 0.0
        m = 1.0 / (diagonal - lower * w_before)
        w_before = upper * m
        p_base = (right - lower * p_base) * m
        p_slope = (right_slope - lower * p_slope) * m
        w[k], p[k], slope[k] = w_before, p_base, p_slope
    for k in range(nodes - 2, -1, -1):
        more = k < nodes - 2
        base[k] = p[k] - (w[k] * base[k + 1] if more else 0.0)
        slope[k] -= w[k] * slope[k + 1] if more else 0.0
    return _terminal(E, F)


@inner_kernel
def _terminal(E, F):
    """phi_s at the collector - phi_e at the separator: base and slope over i."""
    h, last = E.width, E.nodes - 1
    re, ri = F.node[ELECTRONIC], E.ionic
    base, slope = F.node[FACE], F.node[FACE_SLOPE]
    b, s = F.node[OPEN, last], F.node[PER_CURRENT, last] + h * ri[last] / 3.0
    if last > 0:
        b += base[last - 1] * (h * ri[last] / 6.0 - F.node[PER_CURRENT, last])
        s += slope[last - 1] * (h * ri[last] / 6.0 - F.node[PER_CURRENT, last])
    before_b, before_s = 0.0, 1.0  # electronic current at the left face
    for k in range(last):
        b += 0.5 * h * re[k] * (before_b - base[k])
        s += 0.5 * h * re[k] * (before_s + 1.0 - slope[k])
        before_b, before_s = -base[k], 1.0 - slope[k]
    b += h * re[last] * before_b / 3.0
    s += h * re[last] * before_s / 3.0
    return b, s


@inner_kernel
def _too_far(E, F, c, dj, most):
    """By what factor a change dj of column c goes too far; <= 1: it does not."""
    dx = -dj * F.column[SLOPE, c]
    x, j = F.column[SURFACE, c], F.column[TRIAL, c]
    worst = 1.0
    if abs(dx) > most:
        worst = max(worst, abs(dx) / (most + max(0.0, -x, x - 1.0)))
    if dx < 0.0 and x > 1e-6:
        if -dx > 0.9 * x:
            worst = max(worst, -dx / (0.9 * x))
    elif dx > 0.9 * (1.0 - x) and x < 1.0 - 1e-6:
        worst = max(worst, dx / (0.9 * (1.0 - x)))
    if dj * j < 0.0:
        room = abs(j) + E.column[EXCHANGE, c]
        if abs(dj) > room:
            worst = max(worst, abs(dj) / room)
    return worst


@inner_kernel
def update(E, F, i, most, share):
    """Move `TRIAL` to the solution at current i; returns the largest |u - f|, V.

    What rounding has lost of the current of a node is given back to its columns: with
    resistances of a quasi-static model u - f is nothing but rounding. In one go no
    surface moves by more than `most` of x, or by more than 0.9 of its way to empty or
    full; and a reaction that reverses does not overshoot. Only `share` of
    the way is gone: below 1, where Newton goes in circles. NaN if something is not
    finite.
    """
    nodes = E.nodes
    largest = before = 0.0
    for k in range(nodes):
        here = i if k == nodes - 1 else F.node[FACE, k] + F.node[FACE_SLOPE, k] * i
        F.node[DIFFERENCE, k] = F.node[OPEN, k] + F.node[PER_CURRENT, k] * (
            here - before
        )
        F.node[LEFT, k] = (here - before) / E.width
        before = here
    change = F.column[SCALE]
    for c in range(0, F.column.shape[1], nodes):
        for k in range(nodes):
            off = F.node[DIFFERENCE, k] - F.column[POTENTIAL, c + k]
            dj = off / F.column[RESISTANCE, c + k]
            change[c + k] = dj
            F.node[LEFT, k] -= E.column[INTERFACE, c + k] * (
                F.column[TRIAL, c + k] + dj
            )
            if not (abs(off) < 1e30 and abs(dj) < 1e30):
                return np.nan
            largest = max(largest, abs(off))
    for c in range(0, F.column.shape[1], nodes):
        for k in range(nodes):
            volt = F.node[LEFT, k] * F.node[PER_CURRENT, k] * E.width
            change[c + k] += volt / F.column[RESISTANCE, c + k]
    furthest = 1.0
    for c in range(F.column.shape[1]):
        furthest = max(furthest, _too_far(E, F, c, change[c], most))
    part = share / furthest
    for c in range(F.column.shape[1]):
        F.column[TRIAL, c] += part * change[c]
        F.column[SURFACE, c] -= F.column[SLOPE, c] * part * change[c]
    if share < 1.0:
        largest *= 32.0  # half a step leaves half: ask for more before it is enough
    return largest if furthest == 1.0 else max(largest, 1.0)


@inner_kernel
def predict(E, F, dt, ratio, count, now, i):
    """Guess `TRIAL` and the electronic resistivity; and how x drifts without j.

    `count` steps have been made since the current last jumped.
    """
    j, j_old = F.column[REACTION + now], F.column[REACTION + 1 - now]
    nodes, columns = E.nodes, F.column.shape[1]
    if count == 0:
        total = 0.0
        for c in range(columns):
            total += E.column[INTERFACE, c]
        total *= E.width
        for c in range(columns):
            F.column[TRIAL, c] = i / total
    else:
        forward = ratio if count > 1 else 0.0
        for c in range(columns):
            F.column[TRIAL, c] = j[c] + forward * (j[c] - j_old[c])
    a0, a1, a2 = weights(ratio, 1 if count == 0 else 2)
    for c in range(columns):
        F.column[DRIFT, c] = (
            a1 * F.column[MEAN + now, c] - a2 * F.column[MEAN + 1 - now, c]
        ) / a0 - F.column[MEAN + now, c]
        F.column[DRIFT_PER_J, c] = 3.0 * dt * E.column[FLUX, c] / a0
    forward = ratio if count > 0 else 0.0
    for k in range(nodes):
        whole = held = 0.0
        for c in range(k, columns, nodes):
            x = F.column[MEAN + now, c] + forward * (
                F.column[MEAN + now, c] - F.column[MEAN + 1 - now, c]
            )
            held += E.column[CAPACITY, c] * x
            whole += E.column[CAPACITY, c]
        F.node[ELECTRONIC, k] = _table(E.electronic, held / whole)


@inner_kernel
def turn(E, F):
    """Branch of the open-circuit curve after the step with reaction `TRIAL`."""
    if E.hysteresis > 0.0:
        for c in range(F.column.shape[1]):
            F.column[BRANCH, c] = _branch(E, F, c, F.column[TRIAL, c])[0]
