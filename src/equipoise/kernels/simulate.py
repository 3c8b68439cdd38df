"""The steps of a protocol, one after the other: step size, cut-offs, records.

symbol    meaning                                                       unit
h         step size; h1, h2 the two before                              s
Q, W      charge and energy since the start of the step, charge > 0     C, J
memory    what lives on between calls, see `Memory`
margin    how far the first limit is exceeded, > 0 beyond it            V or 1

The charge follows the recursion of the time stepping (BDF2), so that lithium and
charge agree to rounding at any current. A cut-off is where the solved step itself
meets the limit: `h` is the root of the margin, each trial a full solve.
"""

from enum import IntEnum

import numpy as np

from equipoise.core.status import Status
from equipoise.kernels._jit import kernel
from equipoise.kernels.layout import (
    SURFACE,
)
from equipoise.kernels.particle import weights
from equipoise.kernels.program import Ask, End, Mode, Reason, Sample
from equipoise.kernels.stepper import accept, error, mean_lithiation, solve


class Memory(IntEnum):
    """Entries of `memory`."""

    NOW = 0
    SECOND = 1
    BYPASS_COULOMB = 2  # first-lithiation loss still to come
    AMPERE = 3  # of the last step, for the start of a hold
    SAMPLES = 4
    SUBSTEPS = 5


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


_OK = int(Status.OK)
_STUCK = int(Status.STEP_NOT_SOLVED)
_TOO_MANY = int(Status.TOO_MANY_SUBSTEPS)
_FULL = int(Status.TRACE_FULL)
_VOLTAGE_MODE = int(Mode.VOLTAGE)
_FAILED = int(Reason.FAILED)
_BY_VOLTAGE = int(Reason.VOLTAGE)
_BY_POSITIVE_POTENTIAL = int(Reason.POSITIVE_POTENTIAL)
_BY_NEGATIVE_POTENTIAL = int(Reason.NEGATIVE_POTENTIAL)
_BY_CURRENT = int(Reason.CURRENT)
_BY_CAPACITY = int(Reason.CAPACITY)
_BY_TIME = int(Reason.TIME)
_GROWTH, _SHRINK, _SAFETY = 2.0, 0.25, 0.85
_LEAST_SECOND = 1e-9
_ROOT = 1e-9  # V, or relative charge: how exactly a cut-off is met


@kernel
def margin(ask, out, Q):
    """How far the nearest limit is exceeded, and its reason."""
    V, Ep, En = out[1], out[2], out[3]
    worst = max(V - ask[Ask.UPPER_VOLT], ask[Ask.LOWER_VOLT] - V)
    reason = _BY_VOLTAGE
    m = max(Ep - ask[Ask.POSITIVE_UPPER_VOLT], ask[Ask.POSITIVE_LOWER_VOLT] - Ep)
    if m > worst:
        worst, reason = m, _BY_POSITIVE_POTENTIAL
    m = max(En - ask[Ask.NEGATIVE_UPPER_VOLT], ask[Ask.NEGATIVE_LOWER_VOLT] - En)
    if m > worst:
        worst, reason = m, _BY_NEGATIVE_POTENTIAL
    least = ask[Ask.LEAST_AMPERE]
    if least > 0.0:
        m = (least - abs(out[0])) / least
        if m > worst:
            worst, reason = m, _BY_CURRENT
    most = ask[Ask.MOST_COULOMB]
    if most < np.inf:
        m = abs(Q) / most - 1.0
        if m > worst:
            worst, reason = m, _BY_CAPACITY
    return worst, reason


@kernel
def _try(P, FP, N, FN, S, ask, I, share, h, h1, count, now, Q, Q1, out):
    """Solve a substep; out[4]: its charge, out[5]: margin, out[6]: reason."""
    ratio = h / h1
    status = solve(
        P,
        FP,
        N,
        FN,
        S[Setting.POSITIVE_OHM],
        S[Setting.NEGATIVE_OHM],
        int(ask[Ask.MODE]),
        ask[Ask.VALUE],
        I,
        share,
        h,
        ratio,
        count,
        now,
        out,
    )
    if status != _OK:
        return status
    a0, a1, a2 = weights(ratio, 1 if count == 0 else 2)
    out[4] = (a1 * Q - a2 * Q1 + h * out[0]) / a0
    out[5], out[6] = margin(ask, out, out[4])
    return _OK


@kernel
def _locate(P, FP, N, FN, S, ask, I, share, h, h1, count, now, Q, Q1, out):
    """Find the substep in (0, h] that just meets the limit exceeded at h.

    Bisection guarded by the Illinois secant; returns (status, h). If even the
    shortest substep is beyond the limit, that one is taken.
    """
    low, high, m_high = 0.0, h, out[5]
    status = _try(
        P, FP, N, FN, S, ask, I, share, _LEAST_SECOND, h1, count, now, Q, Q1, out
    )
    if status != _OK or out[5] >= 0.0:
        return status, _LEAST_SECOND
    low, m_low = _LEAST_SECOND, out[5]
    side = 0
    at = high
    for trial in range(100):
        part = m_low / (m_low - m_high)
        if trial % 8 == 7 or not np.isfinite(part):
            part = 0.5
        at = low + min(max(part, 1e-6), 1.0 - 1e-6) * (high - low)
        status = _try(P, FP, N, FN, S, ask, I, share, at, h1, count, now, Q, Q1, out)
        if status != _OK:  # beyond what can be solved: the limit comes before
            high, m_high, side = at, np.inf, 0
            continue
        m = out[5]
        if abs(m) < _ROOT or high - low < 1e-12 * h:
            return _OK, at
        if m > 0.0:
            if side == 1:
                m_low *= 0.5
            high, m_high, side = at, m, 1
        else:
            if side == -1:
                m_high *= 0.5
            low, m_low, side = at, m, -1
    return status, at


@kernel
def _record(trace, ask, memory, t, out, Q, W):
    row = trace[int(memory[Memory.SAMPLES])]
    row[Sample.CYCLE] = ask[Ask.CYCLE]
    row[Sample.STEP] = ask[Ask.STEP]
    row[Sample.SECOND] = t
    row[Sample.AMPERE] = out[0]
    row[Sample.VOLT] = out[1]
    row[Sample.POSITIVE_VOLT] = out[2]
    row[Sample.NEGATIVE_VOLT] = out[3]
    row[Sample.COULOMB] = Q
    row[Sample.JOULE] = W
    memory[Memory.SAMPLES] += 1.0


@kernel
def _end(result, P, FP, N, FN, ask, memory, reason, t0, t, out, Q, W, substeps, now):
    result[End.CYCLE], result[End.STEP] = ask[Ask.CYCLE], ask[Ask.STEP]
    result[End.REASON] = reason
    result[End.START_SECOND], result[End.END_SECOND] = t0, t
    result[End.COULOMB], result[End.JOULE] = Q, W
    result[End.AMPERE], result[End.VOLT] = out[0], out[1]
    result[End.POSITIVE_VOLT], result[End.NEGATIVE_VOLT] = out[2], out[3]
    result[End.POSITIVE_LITHIATION] = mean_lithiation(P, FP, now)
    result[End.NEGATIVE_LITHIATION] = mean_lithiation(N, FN, now)
    result[End.POSITIVE_SURFACE_LITHIATION] = (
        np.nan if P.ideal == 1 else FP.column[SURFACE + 1, P.nodes - 1]
    )
    result[End.NEGATIVE_SURFACE_LITHIATION] = (
        np.nan if N.ideal == 1 else FN.column[SURFACE + 1, N.nodes - 1]
    )
    result[End.SUBSTEPS] = substeps
    memory[Memory.NOW] = now
    memory[Memory.SECOND] = t
    memory[Memory.AMPERE] = out[0]


@kernel
def one_step(P, FP, N, FN, S, ask, result, trace, memory, past, out):
    """Run one step of the protocol to its end; returns a status."""
    now = int(memory[Memory.NOW])
    t0 = memory[Memory.SECOND]
    mode, I = int(ask[Ask.MODE]), ask[Ask.VALUE]
    if mode == _VOLTAGE_MODE:
        I = memory[Memory.AMPERE]
    pace = S[Setting.ONE_C_AMPERE]
    if mode != _VOLTAGE_MODE and I != 0.0:
        pace = abs(I)
    pace = 3600.0 * S[Setting.ONE_C_AMPERE] / pace
    h_most = S[Setting.MOST_FRACTION] * pace
    h = h1 = h2 = min(S[Setting.FIRST_FRACTION] * pace, ask[Ask.MOST_SECOND])
    t = Q = Q1 = W = 0.0
    V_before = np.nan
    count = substeps = 0
    sampling = S[Setting.SAMPLING] > 0.0
    while True:
        share = 0.0 if memory[Memory.BYPASS_COULOMB] > 0.0 and I > 0.0 else 1.0
        if share == 0.0:
            h = min(h, max(memory[Memory.BYPASS_COULOMB] / I, _LEAST_SECOND))
        left = ask[Ask.MOST_SECOND] - t
        last = h >= left * (1.0 - 1e-12)
        if last:
            h = left
        substeps += 1
        if substeps > S[Setting.MOST_SUBSTEPS]:
            _end(
                result,
                P,
                FP,
                N,
                FN,
                ask,
                memory,
                _FAILED,
                t0,
                t0 + t,
                out,
                Q,
                W,
                substeps,
                now,
            )
            return _TOO_MANY
        status = _try(P, FP, N, FN, S, ask, I, share, h, h1, count, now, Q, Q1, out)
        if status != _OK:
            h *= _SHRINK
            if h < _LEAST_SECOND:
                _end(
                    result,
                    P,
                    FP,
                    N,
                    FN,
                    ask,
                    memory,
                    _FAILED,
                    t0,
                    t0 + t,
                    out,
                    Q,
                    W,
                    substeps,
                    now,
                )
                return status
            continue
        off = 0.0
        if count >= 3:
            off = max(
                error(P, FP, out[2], past[0], h, h1, h2, S[Setting.TOLERANCE_VOLT]),
                error(N, FN, out[3], past[1], h, h1, h2, S[Setting.TOLERANCE_VOLT]),
            )
            if off > 1.0 and h > 1e-6:
                h *= max(_SHRINK, _SAFETY * off ** (-1.0 / 3.0))
                continue
        reason = -1
        if out[5] >= 0.0:
            if out[5] >= _ROOT:
                status, h = _locate(
                    P, FP, N, FN, S, ask, I, share, h, h1, count, now, Q, Q1, out
                )
                if status != _OK:
                    _end(
                        result,
                        P,
                        FP,
                        N,
                        FN,
                        ask,
                        memory,
                        _FAILED,
                        t0,
                        t0 + t,
                        out,
                        Q,
                        W,
                        substeps,
                        now,
                    )
                    return status
            reason = int(out[6])
        elif last:
            reason = _BY_TIME
        accept(P, FP, h, h / h1, count, now)
        accept(N, FN, h, h / h1, count, now)
        now = 1 - now
        if share == 0.0:
            memory[Memory.BYPASS_COULOMB] -= I * h
            if memory[Memory.BYPASS_COULOMB] < 1e-12 * abs(I):
                memory[Memory.BYPASS_COULOMB] = 0.0
        t += h
        if np.isnan(V_before):
            V_before = out[1]
        W += 0.5 * (V_before + out[1]) * (out[4] - Q)
        V_before = out[1]
        Q1, Q = Q, out[4]
        I = out[0]
        for e in range(2):
            past[e, 2], past[e, 1], past[e, 0] = past[e, 1], past[e, 0], out[2 + e]
        count += 1
        if sampling:
            if int(memory[Memory.SAMPLES]) >= trace.shape[0]:
                return _FULL
            _record(trace, ask, memory, t0 + t, out, Q, W)
        if reason >= 0:
            _end(
                result,
                P,
                FP,
                N,
                FN,
                ask,
                memory,
                reason,
                t0,
                t0 + t,
                out,
                Q,
                W,
                substeps,
                now,
            )
            memory[Memory.SUBSTEPS] += substeps
            return _OK
        h2, h1 = h1, h
        if count >= 4:
            grow = _SAFETY * max(off, 1e-6) ** (-1.0 / 3.0)
            h = min(h * min(max(grow, 0.5), _GROWTH), h_most)


@kernel
def run(P, FP, N, FN, S, program, jump, results, trace, memory, past, out, place, stop):
    """Run steps from `place[0]` until `stop`; returns a status, moves `place[0]`.

    `jump[s]` is where to go on after step s if it ended by its voltage limit.
    place[1] counts the rows of `results` written.
    """
    status = _OK
    while place[0] < stop and place[1] < results.shape[0]:
        s = place[0]
        status = one_step(
            P, FP, N, FN, S, program[s], results[place[1]], trace, memory, past, out
        )
        by_voltage = int(results[place[1], End.REASON]) == _BY_VOLTAGE
        place[1] += 1
        place[0] = jump[s] if by_voltage else s + 1
        if status != _OK:
            break
    return status
