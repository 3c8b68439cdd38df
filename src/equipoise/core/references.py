"""Reference electrodes and their potentials vs Li+/Li."""

from dataclasses import dataclass

from equipoise.core.errors import SpecError, nearest


@dataclass(frozen=True, slots=True)
class ReferenceElectrode:
    """A reference electrode: its potential vs Li+/Li and where that is from."""

    name: str
    potential_vs_li_volt: float
    source: str


REFERENCES = {
    r.name: r
    for r in (
        ReferenceElectrode("li", 0.0, "definition"),
        ReferenceElectrode("lto", 1.55, "zhang2026 sec. 2.2: plateau of LTO"),
        ReferenceElectrode("in_inli", 0.62, "zhang2026 sec. 2.2: In/InLi two-phase"),
    )
}


def to_vs_li(potential_volt: float, reference: str) -> float:
    """Convert a potential measured against a named reference to vs Li+/Li.

    Examples
    --------
    >>> round(to_vs_li(2.75, "lto"), 2)
    4.3
    """
    return potential_volt + reference_potential(reference)


def reference_potential(reference: str) -> float:
    """Potential of a named reference electrode vs Li+/Li, volt.

    Raises
    ------
    SpecError
        If the reference electrode is not known.
    """
    try:
        return REFERENCES[reference].potential_vs_li_volt
    except KeyError:
        raise SpecError(
            f"unknown reference electrode {reference!r}",
            remedy=nearest(reference, REFERENCES),
        ) from None
