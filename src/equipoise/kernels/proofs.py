"""One pass over the rows of a file for each thing that is proved about it.

symbol  meaning                                                       unit
t, V    time and voltage, (N,)                                        s, V
I       current, (N,); > 0 charges where the sign matters             A
c       values of a counter, (N,), NaN where the file has none        Ah or Wh
d       its increments, (N,); d[k] since the row before               Ah or Wh
use     1 where the interval that ends in a row is looked at, (N,)    1
side    +1 charge, -1 discharge, 0 both: which part of I is summed    1

The interval of row k lies between the rows k - 1 and k. The current in it is taken to
lie between those of its two rows; with `power` it is multiplied by the voltage.
"""

from __future__ import annotations

import numpy as np

from equipoise.kernels._jit import inner_kernel, kernel

SECOND_PER_HOUR = 3600.0

# entries of what `look` fills
BACKWARD, FIRST_BACKWARD, TWINS, FIRST_TWIN, LOOKS = 0, 1, 2, 3, 4
# entries of what `interval_sums` fills
COUNTED, MIDDLE, LOWEST, HIGHEST, MOVED, EXPECTED, SUMS = 0, 1, 2, 3, 4, 5, 6


@kernel
def look(t, V, I, step, found):
    """Count rows whose time runs back, and rows that repeat the one above.

    `step` (N,) changes with each step of the test; a first row of a step repeats
    nothing. `found` has `LOOKS` entries; first rows are -1 if there is none.
    """
    found[BACKWARD] = found[TWINS] = 0
    found[FIRST_BACKWARD] = found[FIRST_TWIN] = -1
    for k in range(1, t.size):
        if t[k] < t[k - 1]:
            found[BACKWARD] += 1
            if found[FIRST_BACKWARD] < 0:
                found[FIRST_BACKWARD] = k
        elif t[k] == t[k - 1] and V[k] == V[k - 1] and I[k] == I[k - 1]:
            if step.size and step[k] != step[k - 1]:
                continue
            found[TWINS] += 1
            if found[FIRST_TWIN] < 0:
                found[FIRST_TWIN] = k


@kernel
def increments(c, eps, net, d, resets):
    """Fill the increments of a counter and the rows in which it starts anew.

    It does where it falls by more than `eps`, and has then counted what it shows; a
    `net` counter never does. Returns how many of `resets` (N,) are filled.
    """
    count = 0
    last = np.nan
    for k in range(c.size):
        d[k] = 0.0
        if not np.isfinite(c[k]):
            continue
        step = c[k] - last
        if net:
            d[k] = step if np.isfinite(step) else 0.0
        elif step < -eps:
            resets[count] = k
            count += 1
            d[k] = max(c[k], 0.0)
        elif step > 0.0:
            d[k] = step
        last = c[k]
    return count


@inner_kernel
def _bounds(t, V, I, k, side, power):
    """Middle, lowest and highest integral of an interval, in unit of I (I V) x h."""
    a, b = I[k - 1], I[k]
    if power:
        a, b = a * V[k - 1], b * V[k]
    if side > 0:
        a, b = max(a, 0.0), max(b, 0.0)
    elif side < 0:
        a, b = max(-a, 0.0), max(-b, 0.0)
    hours = (t[k] - t[k - 1]) / SECOND_PER_HOUR
    if side != 0 or a * b >= 0.0:
        a, b = abs(a), abs(b)
        low, high = min(a, b), max(a, b)
    else:  # both directions pass: each rises from or falls to nothing
        low, high = 0.0, abs(a) + abs(b)
        return 0.5 * high * hours, low, high * hours
    return 0.5 * (low + high) * hours, low * hours, high * hours


@kernel
def interval_sums(t, V, I, c, d, use, side, power, sums):
    """Total what a counter counted and what the current gives.

    `sums` has `SUMS` entries: counted, the integral and its bounds, and in how many
    of the intervals with charge (between two values of the counter) it moved.
    """
    sums[:] = 0.0
    for k in range(1, t.size):
        if use.size and not use[k]:
            continue
        middle, low, high = _bounds(t, V, I, k, side, power)
        sums[COUNTED] += abs(d[k])
        sums[MIDDLE] += middle
        sums[LOWEST] += low
        sums[HIGHEST] += high
        if middle > 0.0 and np.isfinite(c[k]) and np.isfinite(c[k - 1]):
            sums[EXPECTED] += 1.0
            if c[k] != c[k - 1]:
                sums[MOVED] += 1.0


@inner_kernel
def _direction(I, rest):
    if abs(I) <= rest:
        return 0
    return 1 if I > 0.0 else -1


@inner_kernel
def _stretches(t, V, I, c, d, use, side, power, rest, least, slack):
    """First row of a stretch that is off, and the most that one of them holds."""
    start = 1
    counted = low = high = largest = 0.0
    waiting_low = waiting_high = 0.0
    behind = _direction(I[0], rest)
    for k in range(1, t.size + 1):
        now = _direction(I[k], rest) if k < t.size else 2
        if now != behind:
            holds = max(counted, low)
            off = counted > 2.0 * high + slack or 2.0 * counted + slack < low
            if off and holds > least:
                return start, largest
            largest = max(largest, holds)
            start, behind = k, now
            counted = low = high = 0.0
        if k == t.size:
            break
        if use.size and not use[k]:
            continue
        _, lowest, highest = _bounds(t, V, I, k, side, power)
        waiting_low += lowest
        waiting_high += highest
        if np.isfinite(c[k]):
            counted += abs(d[k])
            low += waiting_low
            high += waiting_high
            waiting_low = waiting_high = 0.0
    return -1, largest


@kernel
def first_wrong_stretch(t, V, I, c, d, use, side, power, rest, share, slack):
    """First row of a stretch that is off by a factor of two; -1 if there is none.

    A stretch is of one direction of the current, and holds at least `share` of the
    charge of the largest one. What a counter gained over rows without a value belongs
    to the stretch of the row behind them.
    """
    least = 10.0 * slack
    row, _ = _stretches(t, V, I, c, d, use, side, power, rest, least, slack)
    if row < 0:  # none is off, however small
        return row
    _, most = _stretches(t, V, I, c, d, use, side, power, rest, np.inf, slack)
    least = max(share * most, 10.0 * slack)
    row, _ = _stretches(t, V, I, c, d, use, side, power, rest, least, slack)
    return row


@kernel
def rises(V, I, rest, threshold):
    """Net and total rise of the voltage over runs of one direction, current as it is.

    A run takes in the onset after a rest; only runs that rise or fall by more than
    `threshold` count. Positive if the voltage rises where I > 0.
    """
    net = total = run = 0.0
    behind = 2
    for k in range(1, V.size):
        now, before = _direction(I[k], rest), _direction(I[k - 1], rest)
        if now != behind:
            if abs(run) > threshold:
                net += run
                total += abs(run)
            run, behind = 0.0, now
        if now == before or before == 0:
            run += now * (V[k] - V[k - 1])
    if abs(run) > threshold:
        net += run
        total += abs(run)
    return net, total


@kernel
def agreement(I, up, down, rest):
    """Charge that two counters see with the sign of the current, and all of it.

    `up` and `down` are increments of charge and discharge, (N,). The current of an
    interval is that of its last row, or of its first one if that is a rest.
    """
    net = total = 0.0
    for k in range(I.size):
        passed = up[k] - down[k]
        now = I[k]
        if abs(now) <= rest and k > 0:
            now = I[k - 1]
        total += abs(passed)
        if now > 0.0:
            net += passed
        elif now < 0.0:
            net -= passed
    return net, total
