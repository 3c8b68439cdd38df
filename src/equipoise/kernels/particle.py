"""Diffusion in all particles of an electrode: one implicit step, reaction left open.

symbol   meaning                                                        unit
x        lithium fraction in the shells of the unit sphere               1
D        diffusivity at the extrapolated x, times dt / R2               1
C        face area / distance of the shells (unit sphere)               1
V        shell volume (unit sphere, over 4 pi)                          1
a0..a2   a0 x_new - a1 x + a2 x_old = dt f: variable-step BDF2, or BDF1
j        reaction current density, oxidation > 0                        A m-2

Within a step the diffusivity is frozen at x extrapolated to its end (second order),
so the shells are linear in j: elimination from the centre outwards leaves the
outermost one as ``x_M = right - upper j``; the surface follows in `surfaces`. Columns
are the inner axis: all particles advance side by side. Shell distances are those that
make a parabola exact, see `sphere`.
"""

import numpy as np

from equipoise.kernels._jit import inner_kernel, kernel
from equipoise.kernels.layout import (
    FLUX,
    INVERSE_RADIUS2,
    MEAN,
    REACTION,
    RIGHT,
    SCALE,
    SLOPE,
    SPREAD,
    SURFACE,
    TRIAL,
    UPPER,
)

_FEW = 2  # columns, of a single-particle model: nothing there to vectorise


def sphere(shells, grading=1.0):
    """Conductances and volumes of the shells of a unit sphere, both shape (M,).

    Faces at ``1 - (1 - m / M)**grading``: 1 is uniform, above 1 is finer at the
    surface. A face carries the mean slope of a parabola between the shell means::

        C_m = r_f**2 * 2 r_f / (<r2>_(m+1) - <r2>_m),   surface: 2 / (1 - <r2>_M)
    """
    r = 1.0 - (1.0 - np.linspace(0.0, 1.0, shells + 1)) ** grading
    volume = np.diff(r**3) / 3.0
    mean_r2 = np.diff(r**5) / 5.0 / volume
    conductance = np.empty(shells)
    conductance[:-1] = 2.0 * r[1:-1] ** 3 / np.diff(mean_r2)
    conductance[-1] = 2.0 / (1.0 - mean_r2[-1])
    return conductance, volume


@inner_kernel
def weights(ratio, order):
    """a0, a1, a2 of the backward differences; `ratio` is dt / dt of the step before."""
    if order == 1:
        return 1.0, 1.0, 0.0
    return (
        (1.0 + 2.0 * ratio) / (1.0 + ratio),
        1.0 + ratio,
        ratio * ratio / (1.0 + ratio),
    )


@kernel
def _spread(D, x, x_old, forward, scale, out):
    top = D.size - 1
    if top == 1 and D[0] == D[1]:  # a constant needs no look-up
        for m in range(x.shape[0]):
            for k in range(x.shape[1]):
                out[m, k] = D[0] * scale[k]
        return
    for m in range(x.shape[0]):
        for k in range(x.shape[1]):
            s = min(max(x[m, k] + forward * (x[m, k] - x_old[m, k]), 0.0), 1.0) * top
            i = min(int(s), top - 1)
            out[m, k] = (D[i] + (s - i) * (D[i + 1] - D[i])) * scale[k]


@inner_kernel
def _shell(a0, a1, a2, V, C, d, x, x_old, m, k, upper, right, g_in):
    """Shell m of column k, from `upper` and `right` of the one within; and its face."""
    v = V[m]
    g = (d[m, k] + d[m + 1, k]) * (0.5 * C[m])
    w = 1.0 / (a0 * v + g + g_in * (1.0 - upper))
    return g * w, (v * (a1 * x[m, k] - a2 * x_old[m, k]) + g_in * right) * w, g


@kernel
def _inner_of_few(a0, a1, a2, V, C, d, x, x_old, upper, right):
    """`_inner` of one or two columns: what goes outwards stays in registers."""
    has_two = x.shape[1] == 2
    u = r = g = u2 = r2 = g2 = 0.0
    for m in range(x.shape[0] - 1):
        u, r, g = _shell(a0, a1, a2, V, C, d, x, x_old, m, 0, u, r, g)
        upper[m, 0], right[m, 0] = u, r
        if has_two:
            u2, r2, g2 = _shell(a0, a1, a2, V, C, d, x, x_old, m, 1, u2, r2, g2)
            upper[m, 1], right[m, 1] = u2, r2


@kernel
def _inner(a0, a1, a2, V, C, d, x, x_old, upper, right):
    """All shells but the outermost; two-dimensional indices, so that it vectorises."""
    if x.shape[1] <= _FEW:
        _inner_of_few(a0, a1, a2, V, C, d, x, x_old, upper, right)
        return
    for m in range(x.shape[0] - 1):
        c, v, b = 0.5 * C[m], V[m], a0 * V[m]
        if m == 0:
            for k in range(x.shape[1]):
                g = (d[0, k] + d[1, k]) * c
                w = 1.0 / (b + g)
                upper[0, k] = g * w
                right[0, k] = v * (a1 * x[0, k] - a2 * x_old[0, k]) * w
        else:
            c_in = 0.5 * C[m - 1]
            for k in range(x.shape[1]):
                g_in = (d[m - 1, k] + d[m, k]) * c_in
                g = (d[m, k] + d[m + 1, k]) * c
                w = 1.0 / (b + g + g_in * (1.0 - upper[m - 1, k]))
                upper[m, k] = g * w
                held = v * (a1 * x[m, k] - a2 * x_old[m, k])
                right[m, k] = (held + g_in * right[m - 1, k]) * w


@inner_kernel
def eliminate(E, F, dt, ratio, order, now):
    """Fill the elimination of a step of `dt` seconds: `upper`, `right`."""
    a0, a1, a2 = weights(ratio, order)
    x, x_old = F.x[now], F.x[1 - now]
    last = x.shape[0] - 1
    forward = ratio if order == 2 else 0.0
    scale = F.column[SCALE]
    for k in range(scale.size):
        scale[k] = E.column[INVERSE_RADIUS2, k] * dt
    _spread(E.diffusion[0], x, x_old, forward, scale, F.shells[SPREAD])
    _inner(
        a0,
        a1,
        a2,
        E.shell[1],
        E.shell[0],
        F.shells[SPREAD],
        x,
        x_old,
        F.shells[UPPER],
        F.shells[RIGHT],
    )
    _close(E, F, dt, a0, a1, a2, x[last], x_old[last])


@inner_kernel
def _close(E, F, dt, a0, a1, a2, x, x_old):
    """The outermost shell: x = right - upper j."""
    last = E.shell.shape[1] - 1
    V = E.shell[1, last]
    d = F.shells[SPREAD]
    for k in range(x.size):
        inward = 0.0
        from_inside = 0.0
        if last > 0:
            g = 0.5 * (d[last - 1, k] + d[last, k]) * E.shell[0, last - 1]
            inward = g * (1.0 - F.shells[UPPER, last - 1, k])
            from_inside = g * F.shells[RIGHT, last - 1, k]
        w = 1.0 / (a0 * V + inward)
        F.shells[RIGHT, last, k] = (V * (a1 * x[k] - a2 * x_old[k]) + from_inside) * w
        F.shells[UPPER, last, k] = E.column[FLUX, k] * dt * w


@inner_kernel
def _integral(D, G, x):
    """Integral of the diffusivity from 0 to x, and the diffusivity at x."""
    top = D.size - 1
    s = x * top
    if s <= 0.0:
        return D[0] * x, D[0]
    if s >= top:
        return G[top] + D[top] * (x - 1.0), D[top]
    i = min(int(s), top - 1)
    t = s - i
    at = D[i] + t * (D[i + 1] - D[i])
    return G[i] + 0.5 * t * (D[i] + at) / top, at


@inner_kernel
def _where_integral(D, G, g, x):
    """Inverse of `_integral`: x and the diffusivity there; `x` is a guess."""
    top = D.size - 1
    if g <= 0.0:
        return g / D[0], D[0]
    if g >= G[top]:
        return 1.0 + (g - G[top]) / D[top], D[top]
    i = min(max(int(x * top), 0), top - 1)
    while G[i] > g:
        i -= 1
    while G[i + 1] < g:
        i += 1
    # D[i] t + (D[i+1] - D[i]) t^2 / 2 = (g - G[i]) top, the root that stays finite
    b, c = D[i], (g - G[i]) * top
    root = np.sqrt(max(b * b + 2.0 * (D[i + 1] - b) * c, 0.0))
    return (i + 2.0 * c / (b + root)) / top, root


@inner_kernel
def surfaces(E, F):
    """Surface x of all columns at `F.trial`, and its slope.

    In the outer half shell D may change by orders of magnitude. Its flux is taken
    with the Kirchhoff transform G, the integral of D: ``G(x_s) = G(x_M) - j flux / C``,
    which is monotone whatever D does; a frozen D oscillates there.
    """
    last = E.shell.shape[1] - 1
    D, G, C = E.diffusion[0], E.diffusion[1], E.shell[0, last]
    for k in range(F.column.shape[1]):
        j, per_j = F.column[TRIAL, k], F.shells[UPPER, last, k]
        through = E.column[FLUX, k] / (C * E.column[INVERSE_RADIUS2, k])
        g, d = _integral(D, G, F.shells[RIGHT, last, k] - per_j * j)
        x, d_surface = _where_integral(D, G, g - through * j, F.column[SURFACE, k])
        F.column[SURFACE, k] = x
        F.column[SLOPE, k] = (d * per_j + through) / d_surface


@kernel
def _outwards(upper, right, x):
    if x.shape[1] <= _FEW:
        for k in range(x.shape[1]):
            outer = x[x.shape[0] - 1, k]
            for m in range(x.shape[0] - 2, -1, -1):
                outer = right[m, k] + upper[m, k] * outer
                x[m, k] = outer
        return
    for m in range(x.shape[0] - 2, -1, -1):
        for k in range(x.shape[1]):
            x[m, k] = right[m, k] + upper[m, k] * x[m + 1, k]


@inner_kernel
def advance(E, F, dt, ratio, order, now):
    """Write the new x over the old one, given the reaction `F.trial`."""
    a0, a1, a2 = weights(ratio, order)
    new = F.x[1 - now]
    last = new.shape[0] - 1
    for k in range(F.column.shape[1]):
        new[last, k] = (
            F.shells[RIGHT, last, k] - F.shells[UPPER, last, k] * F.column[TRIAL, k]
        )
        F.column[MEAN + 1 - now, k] = (
            a1 * F.column[MEAN + now, k]
            - a2 * F.column[MEAN + 1 - now, k]
            - 3.0 * dt * E.column[FLUX, k] * F.column[TRIAL, k]
        ) / a0
        F.column[REACTION + 1 - now, k] = F.column[TRIAL, k]
    _outwards(F.shells[UPPER], F.shells[RIGHT], new)
