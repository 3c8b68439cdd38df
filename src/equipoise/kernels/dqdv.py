"""Charge into voltage bins, smoothing that keeps all of it, and peaks.

Half-cycle k holds rows starts[k] <= i < stops[k] and bins first[k] <= j < last[k].

symbol    meaning                                               unit
x, y      along what and what is counted, (N,)                  V, Ah (or Ah, V)
edge      lower edge of bin 0                                   as x
per_step  1 / width of the bins                                 1 / x
Z         what falls into each bin, (K, M), then per width      y, then y / x
w         weights of a symmetric smoother, (2 r + 1,), sum 1    1
"""

from math import floor

import numpy as np

from equipoise.kernels._jit import inner_kernel, kernel


@kernel
def extents(x, y, starts, stops, low, high, finite):
    """Fill the lowest and highest x of each half-cycle and whether all is finite."""
    for k in range(starts.size):
        a, b, total = np.inf, -np.inf, 0.0
        for i in range(starts[k], stops[k]):
            v = x[i]
            a = v if v < a else a
            b = v if v > b else b
            total += v - v + (y[i] - y[i])  # NaN as soon as one is not finite
        low[k], high[k], finite[k] = a, b, total == 0.0


@kernel
def hold_starts(current, voltage, starts, stops, tolerance, out):
    """Fill the row where a hold at the end begins; the last row where there is none.

    A hold: the voltage stays within `tolerance` of its last value while the current
    fades. It begins after the last row of that stretch with its full current (99 %),
    and there is none if the current does not fall below 95 % of it.
    """
    for k in range(starts.size):
        end = stops[k] - 1
        out[k] = end
        i, most = end, 0.0
        while i >= starts[k] and abs(voltage[i] - voltage[end]) <= tolerance:
            most = max(most, abs(current[i]))
            i -= 1
        if end < starts[k] or not abs(current[end]) < 0.95 * most:
            continue
        i = end
        while abs(current[i]) < 0.99 * most:
            i -= 1
        out[k] = i


@inner_kernel
def _put(Z, outside, k, j, first, last, amount):
    """Add to a bin; what lies beyond the half-cycle's own bins goes to its ends."""
    j = min(max(j, first), last - 1)
    if 0 <= j < Z.shape[1]:
        Z[k, j] += amount
    else:
        outside[k] += amount


@kernel
def bin_increments(
    x, y, before, after, starts, stops, edge, per_step, first, last, Z, outside
):
    """Spread each increment of y evenly over the interval of x that its rows span.

    before, after: what was counted before the first and after the last row, (K,), put
    where these rows are. Z (K, M) and outside (K,) begin as zeros. Every increment is
    put somewhere: a voltage that runs back, repeats or jumps loses, doubles nothing.
    """
    for k in range(starts.size):
        a, b = first[k], last[k]
        if stops[k] > starts[k]:
            j = int(floor((x[starts[k]] - edge) * per_step))
            _put(Z, outside, k, j, a, b, before[k])
            j = int(floor((x[stops[k] - 1] - edge) * per_step))
            _put(Z, outside, k, j, a, b, after[k])
        for i in range(starts[k], stops[k] - 1):
            dy = y[i + 1] - y[i]
            if dy == 0.0:
                continue
            s = (x[i] - edge) * per_step
            t = (x[i + 1] - edge) * per_step
            s, t = min(s, t), max(s, t)
            j, end = int(floor(s)), int(floor(t))
            if j == end:
                _put(Z, outside, k, j, a, b, dy)
                continue
            density = dy / (t - s)
            part = (j + 1 - s) * density
            rest = dy - part
            _put(Z, outside, k, j, a, b, part)
            for m in range(j + 1, end):
                _put(Z, outside, k, m, a, b, density)
                rest -= density
            _put(Z, outside, k, end, a, b, rest)


@kernel
def convolve(Z, first, last, w, scale, work):
    """Smooth each row in place within its own bins, and multiply it by scale[k].

    Values are mirrored at the first and the last bin: with symmetric weights of sum 1
    the sum over the bins and a constant are both kept. `work` has M + 2 r entries.
    """
    r = w.size // 2
    for k in range(Z.shape[0]):
        a, b = max(first[k], 0), min(last[k], Z.shape[1])
        n = b - a
        if n < 1:
            continue
        for i in range(n):
            work[r + i] = Z[k, a + i]
        for i in range(r):
            m = (-1 - i) % (2 * n)
            work[r - 1 - i] = Z[k, a + (m if m < n else 2 * n - 1 - m)]
            m = (n + i) % (2 * n)
            work[r + n + i] = Z[k, a + (m if m < n else 2 * n - 1 - m)]
        factor = w[r] * scale[k]
        for i in range(n):
            Z[k, a + i] = factor * work[r + i]
        for t in range(1, r + 1):
            factor = w[r + t] * scale[k]
            for i in range(n):
                Z[k, a + i] += factor * (work[r + i - t] + work[r + i + t])


@inner_kernel
def _prominence(Z, k, a, b, j):
    """Height of a maximum over the higher of the lowest points on its two sides."""
    top = Z[k, j]
    left = right = top
    i = j - 1
    while i >= a and Z[k, i] <= top:
        left = min(left, Z[k, i])
        i -= 1
    i = j + 1
    while i < b and Z[k, i] <= top:
        right = min(right, Z[k, i])
        i += 1
    return top - max(left, right)


@kernel
def find_peaks(Z, first, last, least, rows, bins, prominence):
    """Fill row, bin and prominence of the maxima, and return how many there are.

    A maximum is inside its row (never the first or last bin), with a prominence of at
    least `least` times the highest value of the row. What does not fit is counted but
    not filled: call it with empty arrays first.
    """
    found = 0
    for k in range(Z.shape[0]):
        a, b = first[k], last[k]
        highest = 0.0
        for j in range(a, b):
            highest = max(highest, Z[k, j])
        j = a + 1
        while j < b - 1:
            end = j
            while end < b - 1 and Z[k, end + 1] == Z[k, j]:
                end += 1
            if end < b - 1 and Z[k, j - 1] < Z[k, j] > Z[k, end + 1]:
                over = _prominence(Z, k, a, b, j)
                if over >= least * highest:
                    if found < rows.size:
                        rows[found], bins[found] = k, (j + end) // 2
                        prominence[found] = over
                    found += 1
            j = end + 1
    return found


@inner_kernel
def _half_width(Z, k, j, to, step):
    """Distance in bins from a maximum to half its height; NaN if a valley is first."""
    half = 0.5 * Z[k, j]
    i = j
    while i != to and Z[k, i] > half:
        i += step
    if Z[k, i] > half:
        return np.nan
    before = Z[k, i - step]
    return abs(i - j) - (half - Z[k, i]) / (before - Z[k, i])


@kernel
def measure_peaks(Z, first, last, rows, bins, left, right, area, width):
    """Fill the bins left <= j < right, their sum and the width at half height (bins).

    Peaks of a row are divided at the lowest bin between them, so that the areas of a
    row add up to all of it.
    """
    for p in range(rows.size):
        k, j = rows[p], bins[p]
        left[p] = first[k]
        if p > 0 and rows[p - 1] == k:
            left[p] = right[p - 1]
        right[p] = last[k]
        if p + 1 < rows.size and rows[p + 1] == k:
            lowest = j
            for i in range(j, bins[p + 1]):
                if Z[k, i] < Z[k, lowest]:
                    lowest = i
            right[p] = lowest
        area[p] = 0.0
        for i in range(left[p], right[p]):
            area[p] += Z[k, i]
        to = min(right[p], last[k] - 1)
        width[p] = _half_width(Z, k, j, left[p], -1) + _half_width(Z, k, j, to, 1)
