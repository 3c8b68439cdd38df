"""From a draft to spectra: rows, sign and unit settled, or refused with the place."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError
from equipoise.io.spectra.looks import look
from equipoise.io.spectra.regroup import regroup
from equipoise.io.spectra.settle_quadrant import settle_quadrant
from equipoise.io.spectra.sweeps import changes, sweeps
from equipoise.spec.spectrum import Spectrum

if TYPE_CHECKING:
    from equipoise.io.spectra.draft import Draft, Options

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

MAGNITUDE_TOLERANCE_RATIO = 0.02
"""Of |Z| as printed against Z' and Z'': instruments print three digits and more."""
PHASE_TOLERANCE_RADIAN = math.radians(2.0)
LEAST_POINTS = 3
POSSIBLE_HERTZ = (1e-12, 1e15)
MOST_OHM = 1e30
MOST_GROUPS_SHARE = 0.34
"""A label that changes more often than this per row counts points, not spectra."""


def settle(draft: Draft, options: Options, name: str) -> list[Spectrum]:
    """Spectra of a draft; what was found is added to its findings.

    Parameters
    ----------
    name
        Of the file, for the names of its spectra.

    Raises
    ------
    DataError
        If values are missing or cannot be, columns contradict each other, or the
        sign of the imaginary part does.
    """
    _only_points(draft)
    _refuse_incomplete(draft, options)
    _refuse_zero(draft, options)
    _refuse_impossible(draft)
    frequencies = np.unique(draft.frequency_hertz).size
    if frequencies < LEAST_POINTS and not draft.ours:
        raise DataError(
            f"{draft.frequency_hertz.size} points at {frequencies} "
            f"frequenc{'y is' if frequencies == 1 else 'ies are'} no spectrum",
            where=draft.where,
            remedy="check that the whole measurement was exported",
        )
    parts = _parts(draft)
    impedance = settle_quadrant(draft, parts, options)
    _witnesses(draft, impedance)
    area, divisor = _area(draft, options)
    impedance = impedance / divisor
    look(draft, parts, impedance)
    return [
        _spectrum(draft, rows, impedance, area, _name(draft, rows, i, len(parts), name))
        for i, rows in enumerate(parts)
    ]


def _only_points(draft: Draft) -> None:
    """Leave out rows of other steps: no frequency, or none and no impedance."""
    parts = [
        draft.real_ohm,
        draft.imaginary_ohm,
        draft.magnitude_ohm,
        draft.phase_radian,
    ]
    f = draft.frequency_hertz
    empty = np.isnan(f)
    idle = f == 0.0
    for part in parts[:2] if draft.real_ohm is not None else parts[2:]:
        if part is not None:
            empty &= np.isnan(part)
            idle &= (part == 0.0) | np.isnan(part)
    other = empty | idle
    if not other.any():
        return
    if other.all():
        raise DataError(
            f"none of the {f.size} rows holds a frequency and an impedance",
            where=draft.where,
            remedy="check that the file holds an impedance measurement",
        )
    draft.say(
        "recognised",
        "rows",
        f"{int(other.sum())} of {f.size} without frequency and impedance: of other "
        f"steps, first {draft.at(other)}",
    )
    draft.keep(~other)


def _refuse_incomplete(draft: Draft, options: Options) -> None:
    parts = [draft.frequency_hertz]
    if draft.real_ohm is not None and draft.imaginary_ohm is not None:
        parts += [draft.real_ohm, draft.imaginary_ohm]
    elif draft.magnitude_ohm is not None and draft.phase_radian is not None:
        parts += [draft.magnitude_ohm, draft.phase_radian]
    bad = np.asarray(~np.isfinite(np.column_stack(parts)).all(axis=1), dtype=np.bool_)
    if not bad.any():
        return
    if "incomplete-rows" not in options.repairs:
        raise DataError(
            f"{int(bad.sum())} of {bad.size} points lack a value: {draft.at(bad)}",
            where=draft.where,
            remedy="complete or remove them, or leave them out: "
            "repair=['incomplete-rows']",
        )
    draft.say(
        "repaired", "rows", f"{int(bad.sum())} incomplete, left out: {draft.at(bad)}"
    )
    draft.keep(~bad)


def _refuse_zero(draft: Draft, options: Options) -> None:
    bad = ~(draft.frequency_hertz > 0.0)
    if not bad.any():
        return
    f = float(draft.frequency_hertz[bad][0])
    if "zero-frequency" not in options.repairs or (draft.frequency_hertz < 0.0).any():
        hint = "" if f == 0.0 else "; is the column the logarithm of the frequency?"
        raise DataError(
            f"{int(bad.sum())} of {bad.size} frequencies are not above zero, the first "
            f"is {f:g} Hz: {draft.at(bad)}{hint}",
            where=draft.where,
            remedy="remove the direct-current point, or leave it out: "
            "repair=['zero-frequency']"
            if f == 0.0
            else "export the frequency itself, in Hz",
        )
    draft.say(
        "repaired", "rows", f"{int(bad.sum())} at zero, left out: {draft.at(bad)}"
    )
    draft.keep(~bad)


def _refuse_impossible(draft: Draft) -> None:
    """Numbers that no cell and no instrument has: a broken file."""
    f = draft.frequency_hertz
    sizes = (draft.real_ohm, draft.imaginary_ohm)
    if draft.real_ohm is None:
        sizes = (draft.magnitude_ohm,)
    for what, unit, values, least, most in (
        ("frequency", "Hz", f, *POSSIBLE_HERTZ),
        *(
            ("impedance", "ohm", np.abs(v), 0.0, MOST_OHM)
            for v in sizes
            if v is not None
        ),
    ):
        bad = ~((values >= least) & (values <= most))
        if bad.any():
            raise DataError(
                f"{what} {float(values[bad][0]):.3g} {unit}: {draft.at(bad)}; no cell "
                f"has that, {least:g} to {most:g} {unit} are read",
                where=draft.where,
                remedy="the file is damaged, or its unit is wrong: export it again",
            )


def _parts(draft: Draft) -> list[NDArray[np.int64]]:
    """Rows of each spectrum: by labels that change, then by sweeps."""
    size = draft.frequency_hertz.size
    in_turn = regroup(draft)
    cuts: set[int] = set()
    used: list[str] = []
    for label, words in draft.groups.items():
        at = changes(words)
        if at.size and (draft.ours or at.size < MOST_GROUPS_SHARE * size):
            cuts |= {int(i) for i in at}
            used.append(label)
    edges = [0, *sorted(cuts), size]
    blocks = [np.arange(a, b) for a, b in pairwise(edges)]
    if draft.ours:
        parts = _swept(draft, blocks)
        return parts if len(parts) == len(blocks) else _as_in_file(draft, parts)
    if len(blocks) > 1 and draft.names is None:
        blocks = _whole_sweeps(draft, blocks, used)
        used = used if len(blocks) > 1 else []
    parts = _swept(draft, blocks)
    if in_turn:
        parts = _as_in_file(draft, parts)
    least = min(p.size for p in parts)
    if len(parts) > 1 and least < LEAST_POINTS:
        whole = [p for p in parts if p.size >= LEAST_POINTS]
        few = next(p for p in parts if p.size < LEAST_POINTS)
        if not whole:
            return [np.arange(size)]
        draft.say(
            "look",
            "spectra",
            f"a part of {least} point{'s' if least > 1 else ''} alone in "
            f"{draft.row_word} {int(draft.rows[few[0]])}: kept as it is",
        )
    if len(parts) > 1:
        why = f"column {', '.join(map(repr, used))}" if used else "the frequencies"
        if used and len(parts) > len(blocks):
            why += " and the frequencies"
        draft.say("recognised", "spectra", f"{len(parts)}, by {why}")
        directions = {_direction(draft.frequency_hertz[p]) for p in parts}
        if {1, -1} <= directions:
            draft.say(
                "look",
                "spectra",
                "swept up and down: each direction is a spectrum of its own, the cell "
                "may have drifted between them",
            )
    return parts


def _swept(draft: Draft, blocks: list[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
    """Rows of each sweep of each block."""
    f = draft.frequency_hertz
    return [block[rows] for block in blocks for rows in sweeps(f[block])]


def _as_in_file(
    draft: Draft, parts: list[NDArray[np.int64]]
) -> list[NDArray[np.int64]]:
    """Spectra in the order of their first rows in the file."""
    return sorted(parts, key=lambda p: int(draft.rows[p].min()))


def _whole_sweeps(
    draft: Draft, blocks: list[NDArray[np.int64]], used: list[str]
) -> list[NDArray[np.int64]]:
    """Blocks of a step or cycle that only go on with a sweep belong together."""
    f = draft.frequency_hertz
    joined = [blocks[0]]
    for block in blocks[1:]:
        before = joined[-1]
        apart = f[block].max() < f[before].min() or f[block].min() > f[before].max()
        if apart:
            joined[-1] = np.concatenate([before, block])
        else:
            joined.append(block)
    if len(joined) < len(blocks):
        draft.say(
            "look",
            "spectra",
            f"column {', '.join(map(repr, used))} changes within a sweep: rows that "
            "repeat no frequency were kept together",
        )
    return joined


def _direction(f: Array) -> int:
    return int(np.sign(f[-1] - f[0]))


def _witnesses(draft: Draft, impedance: ComplexArray) -> None:
    """|Z| and phase beside Z' and Z'' have to agree with them."""
    if draft.real_ohm is None:
        return
    if draft.phase_radian is not None:
        _phase_witness(draft, impedance)
    if draft.magnitude_ohm is None:
        return
    size = np.abs(impedance)
    known = np.isfinite(draft.magnitude_ohm) & (size > 0.0)
    if not known.any():
        return
    ratio = draft.magnitude_ohm[known] / size[known]
    off = float(np.quantile(np.abs(ratio - 1.0), 0.9))
    if not off <= MAGNITUDE_TOLERANCE_RATIO:
        usual = float(np.median(ratio))
        raise DataError(
            f"|Z| in the file is {usual:.4g} times that of Z' and Z'' (median)",
            where=draft.where,
            remedy="a unit in a header is wrong, or the columns belong to different "
            "measurements; remove the one that is wrong",
        )
    draft.say(
        "proven",
        "Z' and Z''",
        "agree with |Z| (9 of 10 rows)",
        off,
        MAGNITUDE_TOLERANCE_RATIO,
    )


def _phase_witness(draft: Draft, impedance: ComplexArray) -> None:
    phase = draft.phase_radian
    assert phase is not None
    sign = -1.0 if draft.phase_stated == "negative" else 1.0
    found: dict[str, float] = {}
    for name, turn in (("", sign), (" with its sign turned", -sign)):
        for unit, factor in (("as labelled", 1.0), ("in degrees", math.pi / 180.0)):
            if unit == "in degrees" and draft.phase_unit:
                continue
            gap = np.exp(1j * (turn * factor * phase - np.angle(impedance)))
            gap = gap[np.isfinite(gap)]
            if gap.size:
                key = f"{unit}{name}"
                found[key] = float(np.quantile(np.abs(np.angle(gap)), 0.9))
    if not found:
        return
    best = min(found, key=lambda k: found[k])
    degrees = math.degrees(found[best])
    if found[best] > PHASE_TOLERANCE_RADIAN:
        draft.say("look", "phase", f"differs from Z' and Z'' by {degrees:.3g} degrees")
    elif "turned" in best and found[best] < 0.5 * found[best.split(" with")[0]]:
        draft.say("look", "phase", "has the other sign than Z''; Z'' was taken")
    else:
        draft.say("proven", "phase", f"agrees with Z' and Z'' within {degrees:.2g} deg")


def _area(draft: Draft, options: Options) -> tuple[float | None, float]:
    """Area of the spectra, and what to divide the columns by to have ohm."""
    area = options.area_cm2
    if area is not None and not (area > 0.0 and math.isfinite(area)):
        raise DataError(
            f"area_cm2 = {area:g} must be > 0 and finite",
            where=draft.where,
            remedy="give the geometric area of the electrode in cm2",
        )
    if area is None and draft.area_cm2 is not None:
        area = draft.area_cm2
        draft.say("recognised", "area", f"{area:g} cm2, as entered in the program")
    elif area is not None and draft.area_cm2 not in (None, area):
        draft.say(
            "look", "area", f"the file says {draft.area_cm2:g} cm2, {area:g} was given"
        )
    _look_at_areas(draft, options)
    if not draft.area_specific:
        return area, 1.0
    if options.area_cm2 is None:
        raise DataError(
            "the impedance is in ohm cm2, and the area is not known",
            where=draft.where,
            remedy="give area_cm2=, the area that it was multiplied by",
        )
    draft.say(
        "recognised", "impedance", f"ohm cm2, divided by {options.area_cm2:g} cm2"
    )
    return options.area_cm2, options.area_cm2


def _look_at_areas(draft: Draft, options: Options) -> None:
    """Say it if the user's area is not that of each spectrum of the file."""
    if draft.areas_cm2 is None or options.area_cm2 is None:
        return
    own = np.unique(draft.areas_cm2[np.isfinite(draft.areas_cm2)])
    other = own[own != options.area_cm2]
    if other.size:
        shown = ", ".join(f"{x:g}" for x in other[:5]) + (", ..." * (other.size > 5))
        draft.say(
            "look",
            "area",
            f"the file says {shown} cm2, {options.area_cm2:g} was given",
        )


def _name(draft: Draft, rows: NDArray[np.int64], at: int, of: int, name: str) -> str:
    if draft.names is not None and draft.names[rows[0]]:
        return draft.names[rows[0]]
    if draft.ours:
        return ""
    return f"{name} {at + 1}" if of > 1 else name


def _spectrum(
    draft: Draft,
    rows: NDArray[np.int64],
    impedance: ComplexArray,
    area: float | None,
    name: str,
) -> Spectrum:
    if draft.areas_cm2 is not None and area is None:
        own = float(draft.areas_cm2[rows[0]])
        area = own if math.isfinite(own) else None
    notes = tuple(
        f"{f.what}: {f.how}"
        for f in draft.findings
        if f.level == "repaired" or (f.level == "look" and "turned" in f.how)
    )
    return Spectrum.of(
        draft.frequency_hertz[rows],
        impedance[rows],
        area_cm2=area,
        name=name,
        where=draft.where,
        notes=notes,
    )
