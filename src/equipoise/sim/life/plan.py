"""The test behind a cycle life: cycles at one rate, with check-ups and impedances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from equipoise.core.errors import SpecError
from equipoise.protocol.steps import AnyStep, Cycle, Eis, Protocol, Rest

if TYPE_CHECKING:
    from collections.abc import Mapping

REST_BEFORE_EIS_HOUR = 1.0
"""zhang2026, sec. 4.10."""
MOST_C_RATE, MOST_CYCLES = 1000.0, 100_000


def life_protocol(
    *,
    rate: float = 1.0,
    cycles: int = 2000,
    before: Protocol | None = None,
    check_up_every: int | None = None,
    check_up_rate: float = 0.1,
    eis_every: int | None = None,
) -> Protocol:
    """Cycles at one rate, after another test if wanted, with looks at the cell.

    Parameters
    ----------
    rate
        C-rate of charge and discharge.
    cycles
        Number of cycles at that rate; check-ups come on top.
    before
        Steps that go first, such as a rate test. What they begin with (`first`) holds
        for all.
    check_up_every
        A slow cycle after each so many cycles, and one before the first; None: none.
    check_up_rate
        C-rate of the check-ups.
    eis_every
        After each so many cycles a rest of 1 h and an impedance, discharged, and the
        same before the first if there are check-ups; with a check-up at the same time
        they follow it. They are part of the cycle before them. None: none.

    Raises
    ------
    SpecError
        If a rate is not > 0, a number not a whole one > 0, a check-up has the rate of
        the cycles, or there are more steps than a program can hold.

    Examples
    --------
    >>> life_protocol(rate=1, cycles=200, check_up_every=100).step_count
    406
    """
    _check_rates({"rate": rate, "check_up_rate": check_up_rate})
    counts = {
        "cycles": cycles,
        "check_up_every": check_up_every,
        "eis_every": eis_every,
    }
    _check_counts({k: v for k, v in counts.items() if v is not None})
    if check_up_every is not None and check_up_rate == rate:
        raise SpecError(
            f"the check-ups have the rate of the cycles, {rate:g}C",
            where="check_up_rate",
            remedy="give another rate, or leave check_up_every out",
        )
    steps = [
        *(before.steps if before is not None else ()),
        *_ageing(rate, cycles, check_up_every, check_up_rate, eis_every),
    ]
    return Protocol(
        name=_named(f"life at {rate:g}C", before),
        description=_named(
            _described(rate, cycles, check_up_every, check_up_rate, eis_every), before
        ),
        first=None if before is None else before.first,
        steps=tuple(steps),
    )


def _named(text: str, before: Protocol | None) -> str:
    return text if before is None else f"{before.name}, then {text}"


def _described(
    rate: float,
    cycles: int,
    check_up_every: int | None,
    check_up_rate: float,
    eis_every: int | None,
) -> str:
    parts = [f"{cycles} cycle{'' if cycles == 1 else 's'} at {rate:g}C"]
    if check_up_every is not None:
        parts.append(f"a check-up at {check_up_rate:g}C every {check_up_every}")
    if eis_every is not None:
        parts.append(f"an impedance every {eis_every}")
    return ", ".join(parts)


def _ageing(
    rate: float,
    cycles: int,
    check_up_every: int | None,
    check_up_rate: float,
    eis_every: int | None,
) -> list[AnyStep]:
    """The cycles, cut where something stands between them; equal steps are shared."""
    check_up = Cycle(c_rate=float(check_up_rate))
    impedance: list[AnyStep] = [Rest(time_hour=REST_BEFORE_EIS_HOUR), Eis()]
    found: list[AnyStep] = []
    if check_up_every is not None:
        found += [check_up, *(impedance if eis_every else [])]
    stops = {cycles}
    for every in (check_up_every, eis_every):
        stops |= set() if every is None else set(range(every, cycles + 1, every))
    blocks: dict[int, Cycle] = {}
    done = 0
    for stop in sorted(stops):
        count = stop - done
        if count not in blocks:
            blocks[count] = Cycle(c_rate=float(rate), count=count)
        found.append(blocks[count])
        done = stop
        if check_up_every is not None and stop % check_up_every == 0:
            found.append(check_up)
        if eis_every is not None and stop % eis_every == 0:
            found += impedance
    return found


def _check_rates(given: Mapping[str, float]) -> None:
    for name, found in given.items():
        number = isinstance(found, int | float) and not isinstance(found, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
        if not number or not 0.0 < found <= MOST_C_RATE:
            raise SpecError(
                f"found {found!r}; a C-rate > 0 and at most {MOST_C_RATE:g} was "
                "expected",
                where=name,
                remedy="1 stands for 1C, 0.2 for C/5",
            )


def _check_counts(given: Mapping[str, int]) -> None:
    for name, found in given.items():
        whole = isinstance(found, int) and not isinstance(found, bool)  # pyright: ignore[reportUnnecessaryIsInstance]
        if not whole or found < 1:
            raise SpecError(
                f"found {found!r}; a whole number of cycles > 0 was expected",
                where=name,
            )
    cycles, check_up = given["cycles"], given.get("check_up_every")
    if cycles > MOST_CYCLES:
        raise SpecError(
            f"found {cycles:,}; at most {MOST_CYCLES:,} are possible",
            where="cycles",
        )
    eis = given.get("eis_every", cycles + 1)
    plain = cycles if eis == 1 else cycles - cycles // eis
    if check_up is not None and plain <= 1 + cycles // check_up:
        raise SpecError(
            f"a check-up every {check_up} of {cycles} cycles: there would be as many "
            "check-ups as cycles between them",
            where="check_up_every",
            remedy="raise it, or the number of cycles",
        )
