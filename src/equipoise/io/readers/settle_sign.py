"""Settle the sign of the current: magnitudes get one, witnesses have to agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from equipoise.core.errors import DataError
from equipoise.io.readers import charge_proof as cp
from equipoise.io.readers import sign_proof as sp

if TYPE_CHECKING:
    from equipoise.io.readers.counters import Counted
    from equipoise.io.readers.draft import Array, Draft
    from equipoise.io.readers.work import Work

CurrentSign = Literal["charging positive", "charging negative"]
ONE_WITNESS = 0.9
"""Agreement that is asked of the voltage alone: an unsigned current of a charge and
part of a discharge reaches 0.5, and so does one that is turned within a file."""


def settle_sign(work: Work, counts: list[Counted], told: CurrentSign | None) -> None:
    """Bring the current to > 0 on charging.

    Parameters
    ----------
    counts
        Of the counters of the draft.
    told
        What the user says.

    Raises
    ------
    DataError
        If a magnitude has no direction, or witnesses contradict each other, the
        format, or the user.
    """
    draft = work.draft
    charge, discharge = _directional(draft, counts)
    magnitude = _is_magnitude(work, charge, discharge)
    if magnitude:
        _from_magnitude(work)
    seen = _witnesses(work, charge, discharge, magnitude=magnitude)
    sign = seen[-1].sign if seen else 0
    declared = -1 if told == "charging negative" else 1
    if draft.current_sign == "unknown" and not magnitude and told is None:
        declared = sign or 1
    if sign and sign != declared:
        witness = seen[-1].witness
        raise DataError(
            f"the current has the wrong sign: {witness} "
            f"{'say' if 'counters' in witness else 'says'} that the cell is "
            f"{'charged' if declared * sign < 0 else 'discharged'} where the current "
            "is below zero",
            where=work.where,
            remedy="the file says the opposite of --current-sign: leave it out"
            if told is not None
            else "current must be above zero on charging; if the file counts "
            "otherwise: --current-sign charging-negative",
        )
    if declared < 0:
        work.amperes = -work.amperes
    _say(work, seen, declared, magnitude)


def _is_magnitude(work: Work, charge: Array | None, discharge: Array | None) -> bool:
    """Whether the current has no sign although something discharges."""
    draft = work.draft
    if draft.current_sign == "magnitude":
        return True
    if draft.current_sign != "unknown" or sp.is_signed(work.amperes, draft.flow):
        return False
    flow = draft.flow
    if flow is None and charge is not None and discharge is not None:
        flow = sp.flow_of_counters(charge, discharge)
    if flow is None or not (flow < 0).any():
        return False
    draft.flow = flow
    return True


def _witnesses(
    work: Work, charge: Array | None, discharge: Array | None, *, magnitude: bool
) -> list[sp.Evidence]:
    """Those that tell clearly; they agree."""
    flow, use = work.draft.flow, work.rows.use
    amperes = work.amperes * use if use.size else work.amperes
    all_of = [sp.by_voltage(amperes, work.volts)]
    if flow is not None and not magnitude:
        all_of.append(sp.by_words(amperes, flow))
    if charge is not None and discharge is not None:
        all_of.append(sp.by_counters(amperes, charge, discharge))
    seen = [w for w in all_of if w.sign != 0]
    for unclear in (w for w in all_of[1:] if w.sign == 0 and w.agreement != 0.0):
        work.note(
            "look",
            "current: sign",
            f"{unclear.witness}: only {unclear.agreement:.0%} agreement",
        )
    if len({w.sign for w in seen}) > 1:
        told = "; ".join(
            f"{w.witness}: charging {'>' if w.sign > 0 else '<'} 0 "
            f"({abs(w.agreement):.0%})"
            for w in seen
        )
        raise DataError(
            f"the sign of the current is contradictory: {told}",
            where=work.where,
            remedy="check the leads (voltage), the state column and the counters",
        )
    if len(seen) == 1 and seen[0] is all_of[0] and not magnitude:
        return _voltage_alone(work, seen[0])
    return seen


def _voltage_alone(work: Work, voltage: sp.Evidence) -> list[sp.Evidence]:
    """The voltage as the only witness: it has to be clear, and above zero."""
    flowing = work.volts[np.abs(work.amperes) > work.rest_ampere]
    reversed_leads = flowing.size > 0 and float(np.median(flowing)) < 0.0
    if abs(voltage.agreement) >= ONE_WITNESS and not reversed_leads:
        return [voltage]
    why = "it is below zero" if reversed_leads else f"only {voltage.agreement:.0%}"
    work.note(
        "look",
        "current: sign",
        f"the voltage is the only witness, and not a good one ({why}): leads or sign "
        "may be reversed, or the current may have no sign",
    )
    return []


def _say(work: Work, seen: list[sp.Evidence], declared: int, magnitude: bool) -> None:
    as_is = "charging < 0 in the file, turned"
    if magnitude:
        as_is = "magnitude, signed by the direction"
    elif declared > 0:
        as_is = "charging > 0 in the file"
    if seen:
        agreed = ", ".join(f"{w.witness} ({abs(w.agreement):.0%})" for w in seen)
        work.note("proven", "current: sign", f"{as_is}; agreed by {agreed}")
    else:
        work.note(
            "not proven", "current: sign", f"{as_is}; nothing in the file tells clearly"
        )


def _directional(
    draft: Draft, counts: list[Counted]
) -> tuple[Array | None, Array | None]:
    """Increments of charge and of discharge, if the cycler counts them apart."""
    found: dict[str, Array] = {}
    for counter, count in zip(draft.counters, counts, strict=True):
        if counter.quantity == "capacity" and counter.direction not in found:
            found[counter.direction] = count.increments
    if "charge" in found and "discharge" in found:
        return found["charge"], found["discharge"]
    if "net" in found:
        net = found["net"]
        return np.maximum(net, 0.0), np.maximum(-net, 0.0)
    return None, None


def _from_magnitude(work: Work) -> None:
    flow = work.draft.flow
    assert flow is not None  # a draft with magnitudes has the direction
    if sp.is_signed(work.amperes, flow):
        row = int((work.amperes < 0.0).argmax())
        raise DataError(
            f"the current is taken to have no sign, but is {work.amperes[row]:g} A in "
            f"row {row + 1}",
            where=work.where,
            remedy="say which sign charging has in the map",
        )
    rest = sp.rest_ampere(work.amperes)
    lost = (flow == 0) & (work.amperes > rest)
    hours = np.diff(work.seconds, prepend=work.seconds[0]) / 3600.0
    gone = float((work.amperes * hours * lost).sum())
    total = float((work.amperes * hours).sum())
    if gone > cp.TOLERANCE_RATIO * total:
        row = int(lost.argmax())
        raise DataError(
            f"the current has no sign, and {gone:.3g} of {total:.3g} Ah pass in rows "
            f"whose state says neither charge nor discharge, first in row {row + 1}",
            where=work.where,
            remedy="tell which state charges in a map: --map FILE",
        )
    if gone > 0.0:
        work.note(
            "look",
            "current",
            f"{gone:.3g} of {total:.3g} Ah pass in rows whose state says neither "
            "charge nor discharge: set to zero there",
        )
    work.amperes = work.amperes * flow
