"""Lists of numbers on the command line."""

from __future__ import annotations

from math import isfinite, nan

from equipoise.core.errors import SpecError

MOST = 100_000


def number_list(text: str, *, option: str) -> list[float]:
    """Parse ``1.0,1.1,1.5`` or ``start:stop:step`` (stop included).

    Raises
    ------
    SpecError
        If a part is not a number, a step is not positive, or the list is too long.

    Examples
    --------
    >>> number_list("1.0:1.2:0.1", option="--np")
    [1.0, 1.1, 1.2]
    """
    if ":" in text:
        parts = [_number(p, text, option) for p in text.split(":")]
        if len(parts) != 3 or parts[2] <= 0.0 or parts[1] < parts[0]:
            raise SpecError(
                f"{text!r} is not start:stop:step with step > 0",
                where=option,
                remedy=f"for example {option} 1.0:1.5:0.05",
            )
        start, stop, step = parts
        steps = (stop - start) / step
        if steps > MOST:
            _limit(steps, option)
        count = int(steps + 1e-9) + 1
        _limit(count, option)
        return [round(start + i * step, 12) for i in range(count)]
    values = [_number(p, text, option) for p in text.split(",") if p.strip()]
    if not values:
        raise SpecError(
            "no number given", where=option, remedy=f"for example {option} 1.0,1.1"
        )
    _limit(len(values), option)
    seen: set[float] = set()
    twice = next((v for v in values if v in seen or seen.add(v)), None)
    if twice is not None:
        shown = text if len(text) <= 60 else f"{text[:57]}..."
        raise SpecError(
            f"{twice:g} is given twice in {shown!r}",
            where=option,
            remedy=f"commas separate numbers, decimals have a point: {option} 1.1",
        )
    return values


def _limit(count: float, option: str) -> None:
    if count > MOST:
        raise SpecError(
            f"{count:.6g} values asked for, at most {MOST} are taken", where=option
        )


def _number(part: str, text: str, option: str) -> float:
    try:
        value = float(part)
    except ValueError:
        value = nan
    if not isfinite(value):
        raise SpecError(
            f"{part.strip()!r} in {text!r} is not a number",
            where=option,
            remedy=f"decimal points, commas between: {option} 1.0,1.1",
        )
    return value
