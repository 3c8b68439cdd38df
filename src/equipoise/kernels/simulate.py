"""The steps of a protocol, one after the other: step size, cut-offs, records.

symbol    meaning                                                       unit
P, N      the electrodes, FP, FN their fields
S         settings, see `Setting`
memory    what lives on between calls, see `Memory`
clock     what lives on between substeps, see `Clock`
past      the two electrode potentials, up to three substeps back        V
side      side reactions and exposures, see `kernels.side`
margin    how far the first limit is exceeded, > 0 beyond it            V or 1

The charge follows the recursion of the time stepping (BDF2), so that lithium and
charge agree to rounding at any current. A cut-off is where the solved substep itself
meets the limit: its length is the root of the margin, each trial a full solve.
"""

from enum import IntEnum

import numpy as np

from equipoise.core.status import Status
from equipoise.kernels._jit import inner_kernel, kernel
from equipoise.kernels.layout import HIGHEST, LOWEST, MEAN, SURFACE
from equipoise.kernels.particle import weights
from equipoise.kernels.program import Ask, End, Mode, Reason, Sample
from equipoise.kernels.side import expose, forward, mean_difference, side_currents
from equipoise.kernels.stepper import (
    accept,
    differences,
    error,
    mean_lithiation,
    solve,
)


class Memory(IntEnum):
    """Entries of `memory`."""

    NOW = 0
    SECOND = 1
    BYPASS_COULOMB = 2  # first-lithiation loss still to come
    AMPERE = 3  # of the last step, for the start of a hold
    SAMPLES = 4
    SUBSTEPS = 5
    POSITIVE_DIFFERENCE = 6  # mean phi_s - phi_e, V; nan: not known yet
    NEGATIVE_DIFFERENCE = 7


class Setting(IntEnum):
    """Entries of `settings`."""

    TOLERANCE_VOLT = 0
    FIRST_FRACTION = 1  # of an hour / C-rate, first substep
    MOST_FRACTION = 2  # of an hour / C-rate, any substep
    MOST_SUBSTEPS = 3
    ONE_C_AMPERE = 4
    POSITIVE_OHM = 5
    NEGATIVE_OHM = 6
    SAMPLING = 7  # 1: fill the trace
    SAMPLE_FRACTION = 8  # of an hour / C-rate, longest time between samples


class Clock(IntEnum):
    """Entries of `clock`; all but the first two start at 0 with each step."""

    NOW = 0
    START_SECOND = 1
    SECOND = 2  # since the start of the step
    COUNT = 3  # substeps made
    TRIED = 4  # substeps tried
    LENGTH_1 = 5  # of the last substep, s
    LENGTH_2 = 6  # of the one before
    AMPERE = 7
    SHARE = 8  # part of the current that reacts at the negative
    COULOMB = 9  # since the start of the step, charge > 0
    COULOMB_1 = 10  # one substep back
    JOULE = 11
    VOLT = 12
    MARGIN = 13
    ERROR = 14  # of the last substep, over the tolerance
    RESTS = 15  # 1: no given current
    FORWARD = 16  # 1: the current of a hold charges
    SIDE = 17  # two: side currents of the tried substep, A
    SIDE_2 = 18
    SIDE_COULOMB = 19  # two, since the start of the step
    SIDE_COULOMB_2 = 20
    SIDE_COULOMB_1 = 21  # two, one substep back
    SIDE_COULOMB_1_2 = 22
    DIFFERENCE = 23  # two: mean phi_s - phi_e, V
    DIFFERENCE_2 = 24
    DIFFERENCE_1 = 25  # two, one substep back
    DIFFERENCE_1_2 = 26


class Out(IntEnum):
    """Entries of `out`: a tried substep."""

    AMPERE = 0
    VOLT = 1
    POSITIVE_VOLT = 2
    NEGATIVE_VOLT = 3
    COULOMB = 4
    MARGIN = 5
    REASON = 6


_OK = int(Status.OK)
_TOO_MANY = int(Status.TOO_MANY_SUBSTEPS)
_FULL = int(Status.TRACE_FULL)
_BEYOND = int(Status.BEYOND_LITHIUM)
_VOLTAGE_MODE = int(Mode.VOLTAGE)
_FAILED = int(Reason.FAILED)
_BY_VOLTAGE = int(Reason.VOLTAGE)
_BY_POSITIVE_POTENTIAL = int(Reason.POSITIVE_POTENTIAL)
_BY_NEGATIVE_POTENTIAL = int(Reason.NEGATIVE_POTENTIAL)
_BY_CURRENT = int(Reason.CURRENT)
_BY_CAPACITY = int(Reason.CAPACITY)
_BY_TIME = int(Reason.TIME)
_GROWTH, _SHRINK, _SAFETY = 2.0, 0.25, 0.9
_NOW, _PAST = 0.7 / 3.0, 0.4 / 3.0  # exponents of the proportional-integral control
_LEAST_SECOND = 1e-9
_CLOSEST_VOLT = 1e-3  # Newton stops here at the latest
_ROOM = 0.02  # of x beyond 0 and 1, where the curves go on with their end slopes
_ROOT = 1e-8  # V, or relative charge: how exactly a cut-off is met
SCRATCH_SHAPE = (6, len(Clock))
_LOW, _HIGH, _M_LOW, _M_HIGH, _KEPT = 0, 1, 2, 3, 4  # of the bracket of a cut-off
_MOST_TRIALS = 100
_FIRST_MOMENT = -1  # as `trial`: solved for a sample, not accepted
_MOST_PARTS = 200  # samples of one substep


@inner_kernel
def margin(ask, out, forward):
    """How far the nearest limit is exceeded, and its reason."""
    V, Ep, En = out[Out.VOLT], out[Out.POSITIVE_VOLT], out[Out.NEGATIVE_VOLT]
    worst = max(V - ask[Ask.UPPER_VOLT], ask[Ask.LOWER_VOLT] - V)
    reason = _BY_VOLTAGE
    m = max(Ep - ask[Ask.POSITIVE_UPPER_VOLT], ask[Ask.POSITIVE_LOWER_VOLT] - Ep)
    if m > worst:
        worst, reason = m, _BY_POSITIVE_POTENTIAL
    m = max(En - ask[Ask.NEGATIVE_UPPER_VOLT], ask[Ask.NEGATIVE_LOWER_VOLT] - En)
    if m > worst:
        worst, reason = m, _BY_NEGATIVE_POTENTIAL
    least = ask[Ask.LEAST_AMPERE]
    if least > 0.0:  # a current that has turned round has passed its limit
        ampere = out[Out.AMPERE] if forward else -out[Out.AMPERE]
        m = (least - ampere) / least
        if m > worst:
            worst, reason = m, _BY_CURRENT
    most = ask[Ask.MOST_COULOMB]
    if most < np.inf:
        m = abs(out[Out.COULOMB]) / most - 1.0
        if m > worst:
            worst, reason = m, _BY_CAPACITY
    return worst, reason


@inner_kernel
def _try(P, FP, N, FN, S, side, ask, clock, h, out):
    """Solve a substep of h seconds and fill `out`; returns a status."""
    count, now = int(clock[Clock.COUNT]), int(clock[Clock.NOW])
    ratio = h / clock[Clock.LENGTH_1]
    if side.laws.shape[0] > 0:
        onwards = ratio if count > 0 else 0.0
        u_p, u_n = clock[Clock.DIFFERENCE], clock[Clock.DIFFERENCE + 1]
        then_p = forward(u_p, clock[Clock.DIFFERENCE_1], onwards)
        then_n = forward(u_n, clock[Clock.DIFFERENCE_1 + 1], onwards)
        clock[Clock.SIDE], clock[Clock.SIDE + 1] = side_currents(
            side.laws,
            then_p,
            then_n,
            then_p - u_p,
            then_n - u_n,
            ratio,
            1 if count == 0 else 2,
        )
        if clock[Clock.SHARE] == 0.0:  # nothing lithiates: see BYPASS_COULOMB
            clock[Clock.SIDE + 1] = 0.0
    status = solve(
        P,
        FP,
        N,
        FN,
        S[Setting.POSITIVE_OHM],
        S[Setting.NEGATIVE_OHM],
        int(ask[Ask.MODE]),
        ask[Ask.VALUE],
        clock[Clock.AMPERE],
        clock[Clock.SIDE],
        clock[Clock.SIDE + 1],
        clock[Clock.SHARE],
        h,
        ratio,
        count,
        now,
        min(S[Setting.TOLERANCE_VOLT], _CLOSEST_VOLT),
        out,
    )
    if status != _OK:
        return status
    a0, a1, a2 = weights(ratio, 1 if count == 0 else 2)
    Q, Q_old = clock[Clock.COULOMB], clock[Clock.COULOMB_1]
    out[Out.COULOMB] = (a1 * Q - a2 * Q_old + h * out[Out.AMPERE]) / a0
    if count == 0:
        clock[Clock.FORWARD] = 1.0 if out[Out.AMPERE] > 0.0 else 0.0
    out[Out.MARGIN], reason = margin(ask, out, clock[Clock.FORWARD] > 0.0)
    out[Out.REASON] = reason
    return _OK


@inner_kernel
def _narrow(bracket, h, m, trial, solved):
    """Put a trial substep of margin m into the bracket; returns the next trial.

    Secant in the Illinois variant, now and then a bisection. A substep that cannot
    be solved lies beyond the limit.
    """
    if not solved:
        bracket[_HIGH], bracket[_M_HIGH], bracket[_KEPT] = h, np.inf, 0.0
    elif m > 0.0:
        if bracket[_KEPT] == 1.0:
            bracket[_M_LOW] *= 0.5
        bracket[_HIGH], bracket[_M_HIGH], bracket[_KEPT] = h, m, 1.0
    else:
        if bracket[_KEPT] == -1.0:
            bracket[_M_HIGH] *= 0.5
        bracket[_LOW], bracket[_M_LOW], bracket[_KEPT] = h, m, -1.0
    part = bracket[_M_LOW] / (bracket[_M_LOW] - bracket[_M_HIGH])
    if trial % 8 == 7 or not part >= 0.0:
        part = 0.5
    width = bracket[_HIGH] - bracket[_LOW]
    return bracket[_LOW] + min(max(part, 1e-6), 1.0 - 1e-6) * width


@inner_kernel
def _take(P, FP, N, FN, side, memory, clock, past, h, out):
    """Make the tried substep the state of the cell, and count it."""
    count, now = int(clock[Clock.COUNT]), int(clock[Clock.NOW])
    ratio = h / clock[Clock.LENGTH_1]
    accept(P, FP, h, ratio, count, now)
    accept(N, FN, h, ratio, count, now)
    if clock[Clock.SHARE] == 0.0:
        memory[Memory.BYPASS_COULOMB] -= out[Out.COULOMB] - clock[Clock.COULOMB]
        if memory[Memory.BYPASS_COULOMB] < 1e-12 * abs(out[Out.COULOMB]):
            memory[Memory.BYPASS_COULOMB] = 0.0
    before = out[Out.VOLT] if count == 0 else clock[Clock.VOLT]
    passed = out[Out.COULOMB] - clock[Clock.COULOMB]
    mean = 0.5 * (before + out[Out.VOLT])
    if count > 1:  # of the parabola through three points, not of the chord
        h1 = clock[Clock.LENGTH_1]
        older = past[0, 1] - past[1, 1]
        bend = (out[Out.VOLT] - before) / h - (before - older) / h1
        mean -= bend / (h + h1) * h * h / 6.0
    clock[Clock.JOULE] += mean * passed
    clock[Clock.COULOMB_1] = clock[Clock.COULOMB]
    clock[Clock.COULOMB] = out[Out.COULOMB]
    clock[Clock.AMPERE], clock[Clock.VOLT] = out[Out.AMPERE], out[Out.VOLT]
    clock[Clock.MARGIN] = out[Out.MARGIN]
    clock[Clock.SECOND] += h
    clock[Clock.LENGTH_2], clock[Clock.LENGTH_1] = clock[Clock.LENGTH_1], h
    clock[Clock.NOW] = 1.0 - now
    a0, a1, a2 = weights(ratio, 1 if count == 0 else 2)
    for e in range(2):
        past[e, 2], past[e, 1] = past[e, 1], past[e, 0]
        past[e, 0] = out[Out.POSITIVE_VOLT + e]
        Q, Q_old = clock[Clock.SIDE_COULOMB + e], clock[Clock.SIDE_COULOMB_1 + e]
        Q_new = (a1 * Q - a2 * Q_old + h * clock[Clock.SIDE + e]) / a0
        clock[Clock.SIDE_COULOMB + e], clock[Clock.SIDE_COULOMB_1 + e] = Q_new, Q
        clock[Clock.DIFFERENCE_1 + e] = clock[Clock.DIFFERENCE + e]
    clock[Clock.DIFFERENCE] = mean_difference(P, FP)
    clock[Clock.DIFFERENCE + 1] = mean_difference(N, FN)
    if side.watch.shape[0] > 0:
        known = clock[Clock.COUNT] > 0.0
        expose(side, P, FP, 0, h, known)
        expose(side, N, FN, 1, h, known)
    clock[Clock.COUNT] += 1.0


@inner_kernel
def _sample(trace, ask, memory, t, ampere, E_p, E_n, Q, W):
    row = trace[int(memory[Memory.SAMPLES])]
    row[Sample.CYCLE] = ask[Ask.CYCLE]
    row[Sample.STEP] = ask[Ask.STEP]
    row[Sample.SECOND] = t
    row[Sample.AMPERE] = ampere
    row[Sample.VOLT] = E_p - E_n
    row[Sample.POSITIVE_VOLT], row[Sample.NEGATIVE_VOLT] = E_p, E_n
    row[Sample.COULOMB], row[Sample.JOULE] = Q, W
    memory[Memory.SAMPLES] += 1.0


@inner_kernel
def _moment(trace, ask, memory, clock, out):
    """Sample the first moment of a step, after the jump of the current."""
    if int(memory[Memory.SAMPLES]) < trace.shape[0]:
        t = clock[Clock.START_SECOND] + _LEAST_SECOND
        E_p, E_n = out[Out.POSITIVE_VOLT], out[Out.NEGATIVE_VOLT]
        _sample(trace, ask, memory, t, out[Out.AMPERE], E_p, E_n, 0.0, 0.0)


@inner_kernel
def _quadratic(y, y1, y2, h, h1, s):
    """Value at s in [-h, 0] of the parabola through y (0), y1 (-h), y2 (-h - h1)."""
    d, d1 = (y - y1) / h, (y1 - y2) / h1
    return y + s * (d + (s + h) * (d - d1) / (h + h1))


@inner_kernel
def _record(S, trace, ask, memory, clock, past, pace, before):
    """Sample the substep just made; a long one also in between. Returns a status.

    `before`: current, charge and energy when it began. What lies between is read from
    the parabola that the time stepping puts through three points.
    """
    h, h1 = clock[Clock.LENGTH_1], clock[Clock.LENGTH_2]
    parts = 1
    if clock[Clock.COUNT] >= 3.0:
        parts = int(np.ceil(h / (S[Setting.SAMPLE_FRACTION] * pace)))
    parts = min(max(parts, 1), _MOST_PARTS)
    if int(memory[Memory.SAMPLES]) + parts > trace.shape[0]:
        return _FULL
    end = clock[Clock.START_SECOND] + clock[Clock.SECOND]
    for k in range(1, parts):
        f = k / parts
        s = (f - 1.0) * h
        _sample(
            trace,
            ask,
            memory,
            end + s,
            before[0] + f * (clock[Clock.AMPERE] - before[0]),
            _quadratic(past[0, 0], past[0, 1], past[0, 2], h, h1, s),
            _quadratic(past[1, 0], past[1, 1], past[1, 2], h, h1, s),
            before[1] + f * (clock[Clock.COULOMB] - before[1]),
            before[2] + f * (clock[Clock.JOULE] - before[2]),
        )
    _sample(
        trace,
        ask,
        memory,
        end,
        clock[Clock.AMPERE],
        past[0, 0],
        past[1, 0],
        clock[Clock.COULOMB],
        clock[Clock.JOULE],
    )
    return _OK


@inner_kernel
def _widen(E, F, now):
    """Widen the range of mean x to where a step has ended."""
    if E.ideal == 1:
        return
    for c in range(F.column.shape[1]):
        x = F.column[MEAN + now, c]
        F.column[LOWEST, c] = min(F.column[LOWEST, c], x)
        F.column[HIGHEST, c] = max(F.column[HIGHEST, c], x)


@inner_kernel
def _end(P, FP, N, FN, result, ask, memory, clock, past, reason):
    """Write the row of a step and what the next one needs."""
    now = int(clock[Clock.NOW])
    result[End.CYCLE], result[End.STEP] = ask[Ask.CYCLE], ask[Ask.STEP]
    result[End.REASON] = reason
    result[End.START_SECOND] = clock[Clock.START_SECOND]
    result[End.END_SECOND] = clock[Clock.START_SECOND] + clock[Clock.SECOND]
    result[End.COULOMB], result[End.JOULE] = clock[Clock.COULOMB], clock[Clock.JOULE]
    result[End.AMPERE], result[End.VOLT] = clock[Clock.AMPERE], clock[Clock.VOLT]
    result[End.POSITIVE_VOLT], result[End.NEGATIVE_VOLT] = past[0, 0], past[1, 0]
    result[End.POSITIVE_LITHIATION] = mean_lithiation(P, FP, now)
    result[End.NEGATIVE_LITHIATION] = mean_lithiation(N, FN, now)
    result[End.POSITIVE_SURFACE_LITHIATION] = (
        np.nan if P.ideal == 1 else FP.column[SURFACE + 1, P.nodes - 1]
    )
    result[End.NEGATIVE_SURFACE_LITHIATION] = (
        np.nan if N.ideal == 1 else FN.column[SURFACE + 1, N.nodes - 1]
    )
    result[End.SUBSTEPS] = clock[Clock.TRIED]
    result[End.POSITIVE_SIDE_COULOMB] = clock[Clock.SIDE_COULOMB]
    result[End.NEGATIVE_SIDE_COULOMB] = clock[Clock.SIDE_COULOMB + 1]
    _widen(P, FP, now)
    _widen(N, FN, now)
    for e in range(2):
        memory[Memory.POSITIVE_DIFFERENCE + e] = clock[Clock.DIFFERENCE + e]
    memory[Memory.NOW] = now
    memory[Memory.SECOND] = result[End.END_SECOND]
    memory[Memory.AMPERE] = clock[Clock.AMPERE]
    memory[Memory.SUBSTEPS] += clock[Clock.TRIED]


@inner_kernel
def _begin(S, ask, memory, clock):
    """Set the clock for a step; returns an hour over its C-rate, in seconds."""
    clock[:] = 0.0
    clock[Clock.NOW] = memory[Memory.NOW]
    clock[Clock.START_SECOND] = memory[Memory.SECOND]
    clock[Clock.ERROR] = 1.0
    for e in range(2):
        clock[Clock.DIFFERENCE + e] = memory[Memory.POSITIVE_DIFFERENCE + e]
        clock[Clock.DIFFERENCE_1 + e] = clock[Clock.DIFFERENCE + e]
    ampere = ask[Ask.VALUE]
    pace = S[Setting.ONE_C_AMPERE]
    if int(ask[Ask.MODE]) == _VOLTAGE_MODE:
        ampere, clock[Clock.RESTS] = memory[Memory.AMPERE], 1.0
    elif ampere != 0.0:
        pace = abs(ampere)
    else:
        clock[Clock.RESTS] = 1.0
    clock[Clock.AMPERE] = ampere
    return 3600.0 * S[Setting.ONE_C_AMPERE] / pace


@inner_kernel
def _off(P, FP, N, FN, S, clock, past, h, pace, out):
    """Local error of the tried substep over the tolerance; 0 while none is known."""
    if clock[Clock.COUNT] < 3.0:
        return 0.0
    weight = past[2]
    differences(h, clock[Clock.LENGTH_1], clock[Clock.LENGTH_2], weight)
    steep, tolerance = pace / h, S[Setting.TOLERANCE_VOLT]
    return max(
        error(P, FP, out[Out.POSITIVE_VOLT], past[0], weight, steep, tolerance),
        error(N, FN, out[Out.NEGATIVE_VOLT], past[1], weight, steep, tolerance),
    )


@inner_kernel
def _next_length(S, clock, off, h, pace):
    """Length of the next substep: proportional-integral control of the error."""
    if clock[Clock.COUNT] < 4.0:
        return h
    off = max(off, 1e-4)
    grow = _SAFETY * off ** (-_NOW) * clock[Clock.ERROR] ** _PAST
    clock[Clock.ERROR] = off
    h *= min(max(grow, 0.5), _GROWTH)
    most = S[Setting.MOST_FRACTION] * pace
    if clock[Clock.RESTS] > 0.0:  # rests and holds of any length in bounded numbers
        most = max(most, 0.1 * clock[Clock.SECOND])
    return min(h, most)


@inner_kernel
def _impossible(P, FP, N, FN, clock):
    """Whether an electrode holds clearly less than no, or more than all lithium."""
    now = int(clock[Clock.NOW])
    p, n = mean_lithiation(P, FP, now), mean_lithiation(N, FN, now)
    low, high = -_ROOM, 1.0 + _ROOM
    return p < low or p > high or n < low or n > high


@inner_kernel
def _spared(memory, ampere):
    """Whether the negative does not react: its first lithiation takes the charge."""
    return memory[Memory.BYPASS_COULOMB] > 0.0 and ampere > 0.0


@inner_kernel
def _overspent(memory, clock, out):
    """Whether a substep passes more than is left of the first-lithiation loss."""
    passed = out[Out.COULOMB] - clock[Clock.COULOMB]
    rest = memory[Memory.BYPASS_COULOMB]
    return clock[Clock.SHARE] == 0.0 and passed > rest * (1.0 + 1e-12)


@inner_kernel
def _limited(ask, memory, clock, h):
    """Shorten a substep to the end of the step and of the first-lithiation loss."""
    spared = _spared(memory, clock[Clock.AMPERE])
    clock[Clock.SHARE] = 0.0 if spared else 1.0
    if spared:
        rest = memory[Memory.BYPASS_COULOMB] / clock[Clock.AMPERE]
        h = min(h, max(rest, _LEAST_SECOND))
    left = ask[Ask.MOST_SECOND] - clock[Clock.SECOND]
    last = h >= left * (1.0 - 1e-12)
    return (left if last else h), last


@kernel
def run(
    P, FP, N, FN, S, side, program, jump, results, trace, memory, scratch, place, stop
):
    """Run steps from `place[0]` until `stop`; returns a status, moves `place[0]`.

    `jump[s]` is where to go on after step s if it ended by its voltage limit.
    place[1] counts the rows of `results` written; `scratch` has SCRATCH_SHAPE.

    One pass of the loop tries one substep. `trial` > 0: a cut-off was passed, and
    its place is searched in `bracket`; _FIRST_MOMENT: for the trace only.
    """
    clock, out, bracket, past = scratch[0], scratch[1], scratch[2], scratch[3:]
    fresh, status, trial, h, first, pace = True, _OK, 0, 0.0, 0.0, 1.0
    while place[0] < stop and place[1] < results.shape[0]:
        s = place[0]
        ask, result = program[s], results[place[1]]
        if fresh:
            pace = _begin(S, ask, memory, clock)
            h = min(S[Setting.FIRST_FRACTION] * pace, ask[Ask.MOST_SECOND])
            clock[Clock.LENGTH_1] = clock[Clock.LENGTH_2] = h
            first, fresh, trial = h, False, 0
            if S[Setting.SAMPLING] > 0.0:
                h, trial = _LEAST_SECOND, _FIRST_MOMENT
        last = False
        if trial <= 0:
            h, last = _limited(ask, memory, clock, h)
        clock[Clock.TRIED] += 1.0
        status = _try(P, FP, N, FN, S, side, ask, clock, h, out)
        reason = -1
        if trial == _FIRST_MOMENT:  # a sample only: the state stays
            if status == _OK:
                _moment(trace, ask, memory, clock, out)
            h, trial = first, 0
            clock[Clock.TRIED] = 0.0
            continue
        if clock[Clock.TRIED] > S[Setting.MOST_SUBSTEPS] or trial > _MOST_TRIALS:
            reason, status = _FAILED, _TOO_MANY
        elif trial > 0:
            m, width = out[Out.MARGIN], bracket[_HIGH] - bracket[_LOW]
            met = abs(m) < _ROOT or width < 1e-12 * h
            at_once = h <= _LEAST_SECOND and m >= 0.0
            if not (status == _OK and (met or at_once)):
                h = _narrow(bracket, h, m, trial, status == _OK)
                trial += 1
                status = _OK
                continue
            reason = int(out[Out.REASON])
        elif status != _OK:
            h *= _SHRINK
            if h >= _LEAST_SECOND:
                continue
            reason = _FAILED
        else:
            if _spared(memory, out[Out.AMPERE]) != (clock[Clock.SHARE] == 0.0):
                clock[Clock.AMPERE] = out[Out.AMPERE]  # a hold turned around
                clock[Clock.COUNT] = 0.0
                clock[Clock.LENGTH_1] = clock[Clock.LENGTH_2] = h
                continue
            if _overspent(memory, clock, out):  # end exactly where the loss ends
                passed = out[Out.COULOMB] - clock[Clock.COULOMB]
                h *= memory[Memory.BYPASS_COULOMB] / passed
                continue
            off = _off(P, FP, N, FN, S, clock, past, h, pace, out)
            if off > 1.0 and h > 1e-6:
                h *= max(_SHRINK, _SAFETY * off ** (-1.0 / 3.0))
                continue
            if out[Out.MARGIN] >= _ROOT:
                bracket[_LOW], bracket[_M_LOW] = 0.0, clock[Clock.MARGIN]
                bracket[_KEPT] = 0.0
                known = clock[Clock.COUNT] > 0.0 and clock[Clock.MARGIN] < 0.0
                h2 = _narrow(bracket, h, out[Out.MARGIN], 0, True)
                h, trial = (h2 if known else _LEAST_SECOND), 1
                continue
            if out[Out.MARGIN] >= 0.0:
                reason = int(out[Out.REASON])
            elif last:
                reason = _BY_TIME
        if reason != _FAILED:
            lost = clock[Clock.SHARE] == 0.0
            before = (clock[Clock.AMPERE], clock[Clock.COULOMB], clock[Clock.JOULE])
            _take(P, FP, N, FN, side, memory, clock, past, h, out)
            if lost and memory[Memory.BYPASS_COULOMB] == 0.0:
                clock[Clock.COUNT] = 0.0
                h = S[Setting.FIRST_FRACTION] * pace
                clock[Clock.LENGTH_1] = clock[Clock.LENGTH_2] = h
            if S[Setting.SAMPLING] > 0.0:
                status = _record(S, trace, ask, memory, clock, past, pace, before)
                reason = _FAILED if status != _OK else reason
        if reason != _FAILED and _impossible(P, FP, N, FN, clock):
            reason, status = _FAILED, _BEYOND
        if reason < 0:
            h = _next_length(S, clock, off, h, pace)
            continue
        _end(P, FP, N, FN, result, ask, memory, clock, past, reason)
        place[1] += 1
        place[0] = jump[s] if reason == _BY_VOLTAGE else s + 1
        fresh = True
        if status != _OK:
            return status
    return _OK
