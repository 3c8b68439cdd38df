"""Samples of a normal distribution cut off at x >= 0: exact Hamiltonian dynamics.

symbol     meaning                                                       unit
mu, S      mean and covariance of the uncut distribution, (n,), (n, n)    as x
y          x along the trajectory: mu + v cos t + u sin t                 as x
v, u       x - mu, and its velocity, at t = 0                             as x
L          Cholesky factor of S: a fresh velocity is L times normals      as x

The trajectory of a normal distribution is known in closed form; where it meets a wall
x_j = 0 the velocity is reflected, which in these coordinates is
``u - 2 u_j / S_jj S[:, j]``: no factorisation, n operations. Pakman and Paninski,
J. Comput. Graph. Stat. 23 (2014) 518.
"""

from math import acos, atan2, cos, pi, sin, sqrt

from equipoise.kernels._jit import inner_kernel, kernel

_TRAVEL = 0.5 * pi  # decorrelates completely where there is no wall


@inner_kernel
def _hit(mu, v, u):
    """When mu + v cos t + u sin t first falls to 0; 10 (after the travel) if never."""
    if mu + v <= 0.0 and u < 0.0:
        return 0.0  # two walls at once: rounding has carried it beyond the second
    r2 = u * u + v * v
    if r2 <= mu * mu:
        return 10.0
    t = atan2(u, v) + acos(-mu / sqrt(r2))
    if t < 0.0:
        t += 2.0 * pi
    elif t >= 2.0 * pi:
        t -= 2.0 * pi
    return t


@inner_kernel
def _next_wall(mu, v, u, last, left):
    """Time and index of the next wall within `left`; index -1: none.

    The wall that seems nearest comes first; most others are then ruled out without
    trigonometry: ``y(t) >= y + u t - (|u| + |v|) t^2 / 2``, concave in t.
    """
    soonest, which = left, -1
    guess, first = left, -1
    for i in range(mu.size):
        if u[i] < 0.0 and i != last:
            t = (mu[i] + v[i]) / -u[i]
            if t < guess:
                guess, first = t, i
    if first >= 0:
        t = _hit(mu[first], v[first], u[first])
        if t < soonest:
            soonest, which = t, first
    for i in range(mu.size):
        bend = 0.5 * (abs(u[i]) + abs(v[i])) * soonest
        if mu[i] + v[i] + (u[i] - bend) * soonest > 0.0 or i == first:
            continue
        t = _hit(mu[i], v[i], u[i])
        if i == last and (t < 1e-9 or t > 2.0 * pi - 1e-9):
            continue  # the wall it has just left
        if t < soonest:
            soonest, which = t, i
    return soonest, which


@kernel
def sample(mu, S, L, x, normals, out, work, most_bounces):
    """Fill `out` (K, n) with samples, starting from x >= 0; returns how many.

    Fewer than K if `most_bounces` off the walls were not enough for all. `normals`
    (K, n) are independent standard normal numbers; `work` (3, n) is working memory.
    """
    n = mu.size
    v, u, spare = work[0], work[1], work[2]
    bounces = 0
    for i in range(n):
        v[i] = x[i] - mu[i]
    for k in range(out.shape[0]):
        for i in range(n):
            total = 0.0
            for j in range(i + 1):
                total += L[i, j] * normals[k, j]
            u[i] = total
        left, last = _TRAVEL, -1
        while True:
            t, which = _next_wall(mu, v, u, last, left)
            c, s = cos(t), sin(t)
            for i in range(n):
                spare[i] = v[i] * c + u[i] * s
                u[i] = u[i] * c - v[i] * s
                v[i] = spare[i]
            if which < 0:
                break
            v[which] = -mu[which]
            twice = 2.0 * u[which] / S[which, which]
            for i in range(n):
                u[i] -= twice * S[which, i]
            left -= t
            last = which
            bounces += 1
            if bounces >= most_bounces:
                return k
        for i in range(n):
            out[k, i] = max(v[i] + mu[i], 0.0)
    return out.shape[0]
