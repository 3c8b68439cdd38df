"""Write a protocol out for a cell: from readable steps to the array of a program."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from equipoise.kernels.program import Ask
from equipoise.protocol.rows import (
    Context,
    Row,
    eis_row,
    half_row,
    hold_row,
    rest_row,
)
from equipoise.protocol.steps import (
    AnyStep,
    Charge,
    Cycle,
    Discharge,
    Eis,
    FirstHalf,
    Half,
    Hold,
    Protocol,
    Repeat,
    Rest,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Context", "Program", "Sweeps", "expand"]

Sweeps = dict[int, Eis]
"""Row of a program -> the frequencies of the impedance measured there."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A protocol written out for one cell; S steps.

    Attributes
    ----------
    name
        Of the protocol.
    steps
        Shape (S, len(Ask)), see `kernels.program.Ask`: SI, of the whole cell,
        charge > 0; a limit that does not exist is +inf or -inf.
    labels
        Short text of each step, such as ``charge 0.2C``.
    nominal_c_rate
        C-rate of each step; nan for a rest, a hold, and without a known 1C.
    skip_to
        Shape (S,), int64. Row that follows if the step ended by its voltage limit
        (`Reason.VOLTAGE`); after any other end the next row follows. It is the next
        row too, except in a repeat with ``stop_when_voltage_reached``: there it is
        the first row after that repeat. S means: the program is over.
    by_safety
        Shape (S,). The limit of time was not asked for: it only bounds the step.
    sweeps
        Rows that measure an impedance, in order, and their frequencies.
    """

    name: str
    steps: NDArray[np.float64]
    labels: tuple[str, ...]
    nominal_c_rate: NDArray[np.float64]
    skip_to: NDArray[np.int64]
    by_safety: NDArray[np.bool_]
    sweeps: Sweeps = field(default_factory=Sweeps)

    @property
    def cycle_count(self) -> int:
        """Cycles of the program as written out."""
        return int(self.steps[-1, Ask.CYCLE])


def expand(protocol: Protocol, context: Context) -> Program:
    """Write a protocol out for a cell.

    Parameters
    ----------
    protocol
        The steps.
    context
        Window, current of 1C, mass and area of the cell, and what it begins with.

    Returns
    -------
    Program
        One row per step. A new cycle begins at each charge or discharge that turns
        back to the first direction after the opposite one; rests, holds and
        impedances belong to the cycle before. Every step has a limit of time: a half
        cycle without one gets 5 x 3600 s / C-rate, a hold 100 h.

    Raises
    ------
    SpecError
        If a C-rate is used and the cell has no current of 1C, a hold has no voltage,
        or a voltage limit lies on the wrong side of the window.
    """
    writer = _Writer(protocol, context)
    writer.write(protocol.steps, f"{protocol.name}: step ")
    order = np.array(writer.order, dtype=np.intp)
    rows = writer.rows
    steps = np.array([r.ask for r in rows], dtype=np.float64)[order]
    sign = np.array([r.sign for r in rows], dtype=np.int8)[order]
    steps[:, Ask.CYCLE] = _cycles(sign, writer.first)
    steps[:, Ask.STEP] = np.arange(1, order.size + 1)
    return Program(
        name=protocol.name,
        steps=steps,
        labels=tuple(rows[i].label for i in writer.order),
        nominal_c_rate=np.array([r.c_rate for r in rows])[order],
        skip_to=_skips(sign, writer.stopping),
        by_safety=np.array([r.by_safety for r in rows], dtype=np.bool_)[order],
        sweeps=writer.sweeps,
    )


class _Writer:
    """Walks through the steps; equal steps share one row."""

    def __init__(self, protocol: Protocol, context: Context) -> None:
        self.context = context
        charges_first = (
            context.charges_first
            if protocol.first is None
            else protocol.first == "charge"
        )
        self.first = 1 if charges_first else -1
        self.rows: list[Row] = []
        self.order: list[int] = []  # row of each written-out step
        self.stopping: list[tuple[int, int]] = []  # inner ones come first
        self.sweeps: Sweeps = {}
        self.stopped_at_volt: float | None = None
        self.known: dict[tuple[int, float | None], int] = {}
        self.halves: dict[int, tuple[AnyStep, ...]] = {}

    def write(self, steps: tuple[AnyStep, ...], prefix: str) -> None:
        """Write out steps; `prefix` is how messages name them."""
        for number, step in enumerate(steps, start=1):
            if isinstance(step, Repeat):
                start = len(self.order)
                for _ in range(step.count):
                    self.write(step.steps, f"{prefix}{number}.")
                if step.stop_when_voltage_reached:
                    self.stopping.append((start, len(self.order)))
            elif isinstance(step, Cycle):
                if id(step) not in self.halves:
                    self.halves[id(step)] = _parts(step, self.first)
                for _ in range(step.count):
                    for part in self.halves[id(step)]:
                        self._append(part, prefix, number)
            else:
                self._append(step, prefix, number)

    def _append(self, step: AnyStep, prefix: str, number: int) -> None:
        free = isinstance(step, Hold) and step.voltage_volt is None
        key = (id(step), self.stopped_at_volt if free else None)
        index = self.known.get(key)
        if index is None:
            index = self.known[key] = len(self.rows)
            self.rows.append(self._row(step, f"{prefix}{number} ({step.do})"))
        if isinstance(step, Eis):
            self.sweeps[len(self.order)] = step
        self.order.append(index)
        if not isinstance(step, Rest | Eis):
            self.stopped_at_volt = self.rows[index].limit_volt

    def _row(self, step: AnyStep, where: str) -> Row:
        if isinstance(step, Half):
            return half_row(step, self._sign(step), self.context, where)
        if isinstance(step, Hold):
            return hold_row(step, self.stopped_at_volt, self.context, where)
        if isinstance(step, Eis):
            return eis_row(step)
        assert isinstance(step, Rest)
        return rest_row(step)

    def _sign(self, step: Half) -> int:
        match step:
            case Charge():
                return 1
            case Discharge():
                return -1
            case FirstHalf():
                return self.first
            case _:
                return -self.first


def _parts(cycle: Cycle, first: int) -> tuple[AnyStep, ...]:
    """The steps that a cycle stands for."""
    rest = [Rest(time_hour=cycle.rest_hour)] if cycle.rest_hour > 0.0 else []
    hold = cycle.hold_until_c_rate
    charge: list[AnyStep] = [
        Charge(c_rate=cycle.c_rate or cycle.charge_c_rate),
        *([] if hold is None else [Hold(until_c_rate=hold)]),
        *rest,
    ]
    discharge: list[AnyStep] = [
        Discharge(c_rate=cycle.c_rate or cycle.discharge_c_rate),
        *rest,
    ]
    return (*charge, *discharge) if first > 0 else (*discharge, *charge)


def _cycles(sign: NDArray[np.int8], first: int) -> NDArray[np.int64]:
    """Number of the cycle of each step, from 1."""
    turns = np.zeros(sign.size, dtype=np.int64)
    moving = np.flatnonzero(sign)
    back = (sign[moving[1:]] == first) & (sign[moving[:-1]] == -first)
    turns[moving[1:][back]] = 1
    return 1 + np.cumsum(turns)


def _skips(
    sign: NDArray[np.int8], stopping: list[tuple[int, int]]
) -> NDArray[np.int64]:
    """Row that follows a voltage limit: the innermost stopping repeat decides."""
    skip_to = np.arange(1, sign.size + 1, dtype=np.int64)
    free = sign != 0
    for start, end in stopping:
        inside = np.flatnonzero(free[start:end]) + start
        skip_to[inside] = end
        free[inside] = False
    return skip_to
