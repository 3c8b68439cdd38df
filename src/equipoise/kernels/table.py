"""Uniform tables: linear inside, linear with the end slope outside.

symbol    meaning                                   unit
U         table values at the nodes                 V
x         where to look up                          mAh per gram
start     x of the first node                       mAh per gram
per_step  1 / spacing of the nodes                  gram per mAh
"""

from math import floor

from equipoise.kernels._jit import kernel


@kernel
def at(U, start, per_step, x):
    """Value of the table at one `x`."""
    s = (x - start) * per_step
    i = min(max(int(floor(s)), 0), U.size - 2)
    return U[i] + (s - i) * (U[i + 1] - U[i])
