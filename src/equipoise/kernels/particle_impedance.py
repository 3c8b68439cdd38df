"""Diffusion impedance of a particle about any profile of lithium.

symbol   meaning                                                        unit
r        radius in the unit sphere                                       1
w        D dx: the perturbation of the integral of the diffusivity       m2 s-1
k2       R2 / D of a shell                                               s
s        complex frequency; j omega on the axis of measured spectra      s-1
p        w' / w, outwards                                                1
tau      tanh(zeta) / zeta, zeta = sqrt(s k2) times a thickness          1

Fick's law about a profile x(r) is ``s dx = div grad (D(x) dx)``: exact, D may depend
on x. With w = D dx it reads ``s k2 w = div grad w``; k2 is taken constant in a shell
(second order in its thickness) and w and w' are continuous. For r w this is a layered
wall, whose p is carried outwards from shell to shell without cancellation: a uniform
profile gives the closed form of the sphere, ``p = zeta coth(zeta) - 1``, to rounding
at every frequency and on every mesh.
"""

import numpy as np

from equipoise.kernels._jit import inner_kernel

_DEEP = 20.0  # nepers: nothing comes back from below


@inner_kernel
def tanh_ratio(z, root):
    """``tanh(root) / root`` and one minus it, for root**2 = z; no overflow.

    Near zero the Pade approximant of the continued fraction, exact to 3e-14 there.
    """
    if z.real * z.real + z.imag * z.imag < 0.25:
        whole = 135135.0 + z * (62370.0 + z * (3150.0 + 28.0 * z))
        rest = z * (45045.0 + z * (2772.0 + 27.0 * z)) / whole
        return 1.0 - rest, rest
    e = np.exp(-2.0 * root)
    ratio = (1.0 - e) / ((1.0 + e) * root)
    return ratio, 1.0 - ratio


@inner_kernel
def uniform_sphere(s, root_s, k2):
    """P at the surface of a sphere of one diffusivity: ``zeta coth(zeta) - 1``."""
    ratio, rest = tanh_ratio(s * k2, root_s * np.sqrt(k2))
    return rest / ratio


@inner_kernel
def layered_sphere(s, root_s, radius, shells, k):
    """P at the surface of particle k; `shells` has k2, and sqrt(k2) times thickness.

    radius: faces of the shells, shape (M + 1,), from 0 to 1.
    """
    last = radius.size - 2
    first, depth = last, root_s.real * shells[1, last, k]
    while first > 0 and depth < _DEEP:
        first -= 1
        depth += root_s.real * shells[1, first, k]
    p = 0.0j
    if first > 0:  # as if shell `first` went on for ever
        p = root_s * np.sqrt(shells[0, first, k]) - 1.0 / radius[first]
    for m in range(first, last + 1):
        a, b = radius[m], radius[m + 1]
        z, root = s * shells[0, m, k], root_s * shells[1, m, k]
        ratio, rest = tanh_ratio(z * (b - a) * (b - a), root)
        if m == 0:
            p = rest / (ratio * b)
            continue
        t = (b - a) * ratio
        above = rest * ((b - a) / a) + p * (b - t) + b * t * z
        p = above / (b * (1.0 + (1.0 / a + p) * t))
    return p
