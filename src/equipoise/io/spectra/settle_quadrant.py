"""Settle the sign of the imaginary part: the label says, causality proves.

=================  ==================  =========================================
label              causality           what happens
=================  ==================  =========================================
any                agrees              read, "proven"
Z'', phase         contradicts         turned, and said so ("look")
-Z'', or a sign    contradicts         refused: the file contradicts itself
that the program
fixes
Z'', -Z'', ...     cannot tell         read as labelled, "not proven"
none               tells               causality decides, "proven"
none               cannot tell         refused
=================  ==================  =========================================

A plain "Z''" or "Imag" is so often the usual -Z'' of the plot that the label is no
statement about the sign; "-Z''" is one. `imaginary_sign` overrides all of it.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from equipoise.core.errors import DataError
from equipoise.io.spectra.quadrant import PROVEN_RATIO, Quadrant, quadrant

if TYPE_CHECKING:
    from equipoise.io.spectra.draft import Draft, Options

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]
Rows = list[NDArray[np.int64]]

MOST_PROOFS = 60
"""Spectra of a file that are proved, evenly taken: 1 ms each."""
MOST_DISSENT_SHARE = 0.1
"""Of the proven spectra of one column that may say the opposite: loops and noise."""
MOST_UNEXPLAINED_RATIO = 0.5
"""Of Im Z; 5 % of noise leave 0.24 of it."""
LEAST_FACTOR = 10.0
LARGEST_RADIAN = 2.0 * math.pi


def settle_quadrant(draft: Draft, parts: Rows, options: Options) -> ComplexArray:
    """The impedance of all rows with a capacitance at Im Z < 0.

    Parameters
    ----------
    parts
        Rows of each spectrum.

    Raises
    ------
    DataError
        If label and causality contradict each other, or nothing tells the sign.
    """
    if draft.real_ohm is None:
        _settle_phase_unit(draft, parts)
    impedance = _as_labelled(draft)
    sign, proofs = _proof(draft, parts, impedance)
    told = options.imaginary_sign
    if told is not None:
        return _by_word(draft, impedance, sign, proofs, told)
    if draft.ours:
        _say_ours(draft, sign)
        return impedance
    _refuse_exchanged(draft, parts, proofs)
    if sign > 0:
        turned = draft.stated == "negative"
        _say_proven(draft, proofs, "-Z'' in the file" if turned else "as in the file")
        return impedance
    if sign < 0 and draft.stated == "open":
        _say_proven(draft, proofs, "-Z'' in the file, turned")
        return impedance.conj()
    if sign < 0:
        return _contradicted(draft, impedance, proofs)
    if draft.stated == "open":
        raise DataError(
            f"nothing tells whether {draft.imaginary_label} is Z'' or -Z'': there is "
            "no header, and the spectrum is too short, too noisy or too nearly real to "
            "prove it",
            where=draft.where,
            remedy='say imaginary_sign="measured" (capacitive below zero) or '
            "\"negative\" (-Z'')",
        )
    label = f"{draft.imaginary_label!r}" if draft.imaginary_label else "the format"
    draft.say(
        "not proven",
        "imaginary part: sign",
        f"taken from {label}; the spectrum is too short, too noisy or too nearly real "
        "to prove it",
    )
    return impedance


def _as_labelled(draft: Draft) -> ComplexArray:
    """The impedance if the label tells the truth."""
    turn = -1.0 if draft.stated == "negative" else 1.0
    if draft.real_ohm is not None and draft.imaginary_ohm is not None:
        return draft.real_ohm + 1j * turn * draft.imaginary_ohm
    assert draft.magnitude_ohm is not None
    assert draft.phase_radian is not None
    return _polar(draft.magnitude_ohm, turn * draft.phase_radian)


def _polar(magnitude: Array, phase: Array) -> ComplexArray:
    return np.asarray(magnitude * np.exp(1j * phase), dtype=np.complex128)


def _proof(
    draft: Draft, parts: Rows, impedance: ComplexArray
) -> tuple[int, list[Quadrant]]:
    """Sign that causality gives to the column, and the proofs that gave it."""
    every = max(1, len(parts) // MOST_PROOFS)
    all_of = [quadrant(draft.frequency_hertz[p], impedance[p]) for p in parts[::every]]
    proven = [q for q in all_of if q.sign]
    if not proven:
        return 0, all_of
    up = [q for q in proven if q.sign > 0]
    down = [q for q in proven if q.sign < 0]
    fewer, more = sorted((up, down), key=len)
    if fewer:
        draft.say(
            "look",
            "imaginary part: sign",
            f"{len(fewer)} of {len(proven)} spectra say the opposite of the others",
        )
        if len(fewer) > MOST_DISSENT_SHARE * len(proven):
            return 0, all_of
    return (1 if more is up else -1), more


def _refuse_exchanged(draft: Draft, parts: Rows, proofs: list[Quadrant]) -> None:
    """Z' and Z'' in each other's columns are not causal; exchanged they are."""
    if draft.real_ohm is None or draft.imaginary_ohm is None:
        return
    tried = [q for q in proofs if math.isfinite(q.residual_ratio)]
    left = float(np.median([q.imaginary_residual_ratio for q in tried] or [0.0]))
    if left <= MOST_UNEXPLAINED_RATIO:
        return
    first = max(parts, key=len)
    f = draft.frequency_hertz[first]
    if f.max() < LEAST_FACTOR * f.min():
        return  # perhaps no frequencies at all, but their logarithms
    swapped = draft.imaginary_ohm[first] + 1j * draft.real_ohm[first]
    other = quadrant(f, swapped)
    if other.sign and other.imaginary_residual_ratio < 0.5 * left:
        raise DataError(
            "Z' and Z'' are exchanged: as they are labelled causality explains "
            f"{max(1.0 - left, 0.0):.0%} of Z'', exchanged "
            f"{1.0 - other.imaginary_residual_ratio:.0%}",
            where=draft.where,
            remedy="correct the header; or say imaginary_sign= to read it as it is",
        )


def _evidence(proofs: list[Quadrant]) -> str:
    best = float(np.median([q.residual_ratio for q in proofs]))
    other = float(np.median([q.other_residual_ratio for q in proofs]))
    many = f" (median of {len(proofs)})" if len(proofs) > 1 else ""
    return (
        f"a causal fit leaves {best:.2g} of |Z|, {other:.2g} with the other sign{many}"
    )


def _say_proven(draft: Draft, proofs: list[Quadrant], how: str) -> None:
    worst = max(
        q.residual_ratio / q.other_residual_ratio if q.other_residual_ratio else 0.0
        for q in proofs
    )
    draft.say(
        "proven",
        "imaginary part: sign",
        f"{how}; {_evidence(proofs)}",
        worst,
        1.0 / PROVEN_RATIO,
    )


def _say_ours(draft: Draft, sign: int) -> None:
    if sign < 0:
        draft.say(
            "look",
            "imaginary part: sign",
            "fixed by the format, but causality says the opposite",
        )
    else:
        draft.say(
            "proven" if sign else "not proven",
            "imaginary part: sign",
            "fixed by the format" + (", and causal" if sign else ""),
        )


def _contradicted(
    draft: Draft, impedance: ComplexArray, proofs: list[Quadrant]
) -> ComplexArray:
    """A plain label is turned; one that names the sign is not."""
    label = draft.imaginary_label
    if draft.firm:
        other = "measured" if draft.stated == "negative" else "negative"
        said = "-Z''" if draft.stated == "negative" else "Z''"
        raise DataError(
            f"column {label!r} should hold {said}, but causality proves the opposite "
            f"sign: {_evidence(proofs)}",
            where=draft.where,
            remedy=f'say imaginary_sign="{other}" if somebody turned the column, '
            f'"{_labelled(draft)}" to read it as labelled',
        )
    draft.say(
        "look",
        "imaginary part: sign",
        f"{label!r} holds the opposite of what its label says, and was turned: "
        f"{_evidence(proofs)}",
    )
    return impedance.conj()


def _by_word(
    draft: Draft,
    impedance: ComplexArray,
    sign: int,
    proofs: list[Quadrant],
    told: str,
) -> ComplexArray:
    """What the user says, and whether causality agrees."""
    turned = told != _labelled(draft)
    if turned:
        impedance, sign = impedance.conj(), -sign
    if sign > 0:
        _say_proven(draft, proofs, f'imaginary_sign="{told}"')
    elif sign < 0:
        draft.say(
            "look",
            "imaginary part: sign",
            f'imaginary_sign="{told}" was followed, but causality says the opposite: '
            f"{_evidence(proofs)}",
        )
    else:
        draft.say("not proven", "imaginary part: sign", f'imaginary_sign="{told}"')
    return impedance


def _labelled(draft: Draft) -> str:
    return "negative" if draft.stated == "negative" else "measured"


def _settle_phase_unit(draft: Draft, parts: Rows) -> None:
    """Degrees or radians, where the label does not say: by size, else by causality."""
    phase, magnitude = draft.phase_radian, draft.magnitude_ohm
    assert phase is not None
    assert magnitude is not None
    largest = float(np.abs(phase).max())
    if draft.phase_unit:
        if largest > LARGEST_RADIAN:
            raise DataError(
                f"a phase of {largest:.4g} rad, labelled {draft.phase_unit!r}",
                where=draft.where,
                remedy="correct the unit of the phase in the header: deg or rad",
            )
        return
    degrees = largest > LARGEST_RADIAN
    how = f"it reaches {largest:.3g}"
    if not degrees:
        left = {
            unit: float(np.median([_left(draft, p, factor) for p in parts]))
            for unit, factor in (("deg", math.pi / 180.0), ("rad", 1.0))
        }
        better, worse = sorted(left, key=lambda k: left[k])
        if not left[worse] > PROVEN_RATIO * left[better]:
            raise DataError(
                f"the label {draft.imaginary_label!r} names no unit, and values up to "
                f"{largest:.3g} may be degrees or radians",
                where=draft.where,
                remedy='name the unit in the header, such as "Phase/deg"',
            )
        degrees = better == "deg"
        how = f"causality leaves {left[better]:.2g} of Z'', else {left[worse]:.2g}"
    if degrees:
        draft.phase_radian = np.deg2rad(phase)
    draft.say("proven", "phase: unit", f"{'degrees' if degrees else 'radians'}: {how}")


def _left(draft: Draft, rows: NDArray[np.int64], factor: float) -> float:
    """Share of Z'' that causality does not explain with a unit of the phase."""
    assert draft.phase_radian is not None
    assert draft.magnitude_ohm is not None
    z = _polar(draft.magnitude_ohm[rows], factor * draft.phase_radian[rows])
    found = quadrant(draft.frequency_hertz[rows], z)
    return (
        found.imaginary_residual_ratio if math.isfinite(found.residual_ratio) else 1.0
    )
