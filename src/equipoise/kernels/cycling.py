"""Charge, energy, ends and extrema per cycle in one pass over the rows.

symbol   meaning                                                    unit
I, V     current (> 0 charges), voltage, shape (n,)                 A, V
rest     a row with |I| <= rest carries no current                  A
s, sp    sign of the current of this row and of the one before      1
q        charge of one row in one direction, >= 0                   Ah
up, down counters of charge (energy) put in and taken out, (n,);    Ah, Wh
         NaN where a counter has no value
reset    counters start from zero where this changes, (n,)          1
eis      1 in rows of an impedance spectrum, shape (n,) or (0,)     1

Between two rows each current holds for half of the time, which is the trapezoid where
it does not change its sign. An impedance row counts as rest. Where the number of the
cycle jumps, cycles were left out: nothing is counted between the two rows.
"""

from enum import IntEnum

import numpy as np

from equipoise.kernels._jit import inner_kernel, kernel


class Count(IntEnum):
    """What the counters count; NONE: there is none, the current is integrated."""

    NONE = 0
    PAIR = 1  # charge in `up`, discharge in `down`
    NET = 2  # `up`, rising on charge and falling on discharge
    UNSIGNED = 3  # `up`, rising on both: the current says which


class Sum(IntEnum):
    """Columns of the sums, shape (cycles, len(Sum)); +1: the same of discharge."""

    CHARGE_AH = 0
    DISCHARGE_AH = 1
    CHARGE_WH = 2
    DISCHARGE_WH = 3
    CHARGE_AH_AMPERE = 4  # integral of |I| dq: the mean current is this over the charge
    DISCHARGE_AH_AMPERE = 5
    CHARGE_MAXIMUM_AMPERE = 6
    DISCHARGE_MAXIMUM_AMPERE = 7
    HIGHEST_VOLT = 8
    LOWEST_VOLT = 9
    COUNTED_CHARGE_WH = 10  # by the counters of energy, if there are any
    COUNTED_DISCHARGE_WH = 11


class Row(IntEnum):
    """Columns of the rows and numbers of rows, shape (cycles, len(Row)); -1: none."""

    FIRST = 0
    LAST = 1
    END_OF_CHARGE = 2
    END_OF_DISCHARGE = 3
    HALF_CYCLES = 4
    ROWS = 5
    EIS_ROWS = 6


class Bad(IntEnum):
    """What the survey found; the row is given with it."""

    NOTHING = 0
    TIME = 1
    CYCLE = 2
    VOLTAGE = 3


@kernel
def survey(time, voltage, cycle):
    """Count the cycles: (cycles, Bad, row), the row being the first bad one."""
    cycles = 1
    for i in range(time.size):
        if not np.isfinite(voltage[i]):
            return cycles, Bad.VOLTAGE, i
        if i == 0:
            continue
        if not time[i] >= time[i - 1]:
            return cycles, Bad.TIME, i
        if cycle[i] != cycle[i - 1]:
            if cycle[i] < cycle[i - 1]:
                return cycles, Bad.CYCLE, i
            cycles += 1
    return cycles, Bad.NOTHING, -1


@inner_kernel
def direction(current, eis, rest, i):
    """Sign of the current of row i; 0 at rest and in impedance rows."""
    if eis.size > 0 and eis[i]:
        return 0
    if current[i] > rest:
        return 1
    if current[i] < -rest:
        return -1
    return 0


@kernel
def derive_cycles(current, eis, rest, first, out):
    """Number from 1: a cycle starts where `first` (+1, -1) follows the other direction.

    `out`: (n,). What stands before the first such place is cycle 1.
    """
    number, last = 1, 0
    for i in range(current.size):
        s = direction(current, eis, rest, i)
        if s != 0:
            if s == first and last == -first:
                number += 1
            last = s
        out[i] = number


@kernel
def half_cycles(current, cycle, eis, rest, start, stop, sign):
    """Fill start, stop (exclusive) and sign of each stretch; return their number.

    With empty arrays the stretches are only counted.
    """
    j, run = -1, 0
    for i in range(current.size):
        if i > 0 and cycle[i] != cycle[i - 1]:
            run = 0
        s = direction(current, eis, rest, i)
        if s == 0:
            continue
        if s != run:
            j += 1
            run = s
            if start.size > 0:
                start[j] = i
                sign[j] = s
        if start.size > 0:
            stop[j] = i + 1
    return j + 1


@inner_kernel
def counted(mode, up, down, i, last_up, last_down, s):
    """Charge and discharge of row i by the counters, and the values now reached."""
    u = up[i]
    d = 0.0 if np.isnan(u) or np.isnan(last_up) else u - last_up
    if not np.isnan(u):
        last_up = u
    if mode == Count.NET:
        return max(d, 0.0), max(-d, 0.0), last_up, last_down
    if mode == Count.UNSIGNED:
        return (d if s >= 0 else 0.0), (d if s < 0 else 0.0), last_up, last_down
    w = down[i]
    e = 0.0 if np.isnan(w) or np.isnan(last_down) else w - last_down
    if not np.isnan(w):
        last_down = w
    return d, e, last_up, last_down


@kernel
def first_fall(up, cycle, reset, resets, allowed):
    """First row where a counter falls by more than `allowed`, or is negative; -1."""
    last = 0.0
    for i in range(up.size):
        if resets and i > 0 and (reset[i] != reset[i - 1] or cycle[i] != cycle[i - 1]):
            last = 0.0
        if np.isnan(up[i]):
            continue
        if up[i] < last - allowed:
            return i
        last = up[i]
    return -1


@inner_kernel
def add(out, k, s, q, volt, ampere):
    """Charge q (Ah) of direction s to cycle k, passed at `volt` and `ampere`."""
    j = 0 if s > 0 else 1
    out[k, j] += q
    out[k, j + 2] += q * volt
    out[k, j + 4] += q * ampere


@inner_kernel
def add_counted(out, k, s, q, now, before, hours):
    """As `add` for a counter; now, before: (sign, V, |I|) of the two rows, (s, V, A).

    The last bit of a step is often counted in the first row of the rest after it.
    """
    if q == 0.0:
        return
    if now[0] == s and before[0] == s:
        add(out, k, s, q, 0.5 * (now[1] + before[1]), 0.5 * (now[2] + before[2]))
    elif now[0] == s:
        add(out, k, s, q, now[1], now[2])
    elif before[0] == s:
        add(out, k, s, q, before[1], before[2])
    else:
        add(out, k, s, q, now[1], q / hours if hours > 0.0 else 0.0)


@inner_kernel
def open_cycle(out, rows, k, i):
    """Cycle k begins with row i."""
    out[k, :] = 0.0
    out[k, Sum.HIGHEST_VOLT] = -np.inf
    out[k, Sum.LOWEST_VOLT] = np.inf
    rows[k, :] = 0
    rows[k, Row.FIRST] = i
    rows[k, Row.END_OF_CHARGE] = -1
    rows[k, Row.END_OF_DISCHARGE] = -1


@inner_kernel
def look(out, rows, k, i, s, V, ampere):
    """Extrema and ends with row i, which is no impedance row."""
    out[k, Sum.HIGHEST_VOLT] = max(out[k, Sum.HIGHEST_VOLT], V)
    out[k, Sum.LOWEST_VOLT] = min(out[k, Sum.LOWEST_VOLT], V)
    if s != 0:
        j = 0 if s > 0 else 1
        rows[k, Row.END_OF_CHARGE + j] = i
        most = Sum.CHARGE_MAXIMUM_AMPERE + j
        out[k, most] = max(out[k, most], ampere)


@inner_kernel
def integrated(out, k, new, now, before, hours):
    """Add the charge between two rows; now, before: (sign, V, |I|) of them."""
    s, V, I = now
    sp, Vp, Ip = before
    if s == sp and not new:
        mean = 0.5 * (I + Ip)
        if s != 0:
            add(out, k, s, hours * mean, 0.5 * (V + Vp), mean)
        return
    if sp != 0:
        add(out, k - 1 if new else k, sp, 0.5 * hours * Ip, Vp, Ip)
    if s != 0:
        add(out, k, s, 0.5 * hours * I, V, I)


@kernel
def cycle_sums(time, voltage, current, cycle, eis, rest, charge, energy, out, rows):
    """Fill `out`, shape (cycles, len(Sum)), and `rows`, shape (cycles, len(Row)).

    charge, energy: (Count, up, down, reset, resets) of the counters; with Count.NONE
    the current is integrated. V is integrated over the charge in any case.
    """
    mode, up, down, reset, resets = charge
    e_mode, e_up, e_down, e_reset, e_resets = energy
    k, run, before = -1, 0, (0, 0.0, 0.0)
    a = b = e = f = np.nan  # values of the counters so far
    for i in range(time.size):
        new = i == 0 or cycle[i] != cycle[i - 1]
        if new:
            k += 1
            run = 0
            open_cycle(out, rows, k, i)
        s = direction(current, eis, rest, i)
        hidden = eis.size > 0 and eis[i] != 0
        now = (s, voltage[i], abs(current[i]) if s != 0 else 0.0)
        hours = (time[i] - time[i - 1]) / 3600.0 if i > 0 else 0.0
        if i > 0 and cycle[i] > cycle[i - 1] + 1:  # cycles were left out in between
            before, hours = (0, 0.0, 0.0), 0.0
            if not resets:
                a = b = np.nan
            if not e_resets:
                e = f = np.nan
        flow = s if s != 0 else before[0]
        if mode == Count.NONE:
            if i > 0:
                integrated(out, k, new, now, before, hours)
        else:
            if resets and (new or reset[i] != reset[i - 1]):
                a = b = 0.0
            plus, minus, a, b = counted(mode, up, down, i, a, b, flow)
            if not hidden:
                last = (0, 0.0, 0.0) if new and resets else before
                add_counted(out, k, 1, plus, now, last, hours)
                add_counted(out, k, -1, minus, now, last, hours)
        if e_mode != Count.NONE:
            if e_resets and (new or e_reset[i] != e_reset[i - 1]):
                e = f = 0.0
            plus, minus, e, f = counted(e_mode, e_up, e_down, i, e, f, flow)
            if not hidden:
                out[k, Sum.COUNTED_CHARGE_WH] += plus
                out[k, Sum.COUNTED_DISCHARGE_WH] += minus
        if not hidden:
            look(out, rows, k, i, s, now[1], now[2])
        if s != 0 and s != run:
            rows[k, Row.HALF_CYCLES] += 1
            run = s
        rows[k, Row.LAST] = i
        rows[k, Row.ROWS] += 1
        rows[k, Row.EIS_ROWS] += 1 if hidden else 0
        before = now


@kernel
def row_charges(time, current, cycle, eis, rest, charge, own, running):
    """Signed charge in Ah, > 0 on charging, by row; all arrays of shape (n,).

    own: what belongs to the row (its half of both intervals beside it, or what its
    counter added); running: what has passed since the first row.
    """
    mode, up, down, reset, resets = charge
    sp, Ip = 0, 0.0
    a = b = np.nan
    for i in range(time.size):
        s = direction(current, eis, rest, i)
        I = current[i] if s != 0 else 0.0
        own[i] = 0.0
        if i > 0 and cycle[i] > cycle[i - 1] + 1:  # cycles were left out in between
            sp, Ip, back = 0, 0.0, time[i]
            if not resets:
                a = b = np.nan
        elif i > 0:
            back = time[i - 1]
        else:
            back = time[i]
        if i == 0:
            running[i] = 0.0
        if mode == Count.NONE:
            if i > 0:
                half = (time[i] - back) / 7200.0
                own[i - 1] += half * Ip
                own[i] = half * I
                running[i] = running[i - 1] + half * (Ip + I)
        else:
            changes = i == 0 or reset[i] != reset[i - 1] or cycle[i] != cycle[i - 1]
            if resets and changes:
                a = b = 0.0
            plus, minus, a, b = counted(mode, up, down, i, a, b, s if s != 0 else sp)
            if eis.size == 0 or not eis[i]:
                own[i] = plus - minus
            if i > 0:
                running[i] = running[i - 1] + own[i]
        sp, Ip = s, I
