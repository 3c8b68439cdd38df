"""What the columns of a table mean: a small TOML file, bundled or a user's own.

A map names headers, not positions, and headers are compared by their quantity:
"Current" stands for "Current (A)", "current[mA]" and "Current_A". The unit is read
off the header unless the map gives one.
"""

from __future__ import annotations

import codecs
import re
import tomllib
from difflib import get_close_matches
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from equipoise.core.columns import COLUMNS, REQUIRED
from equipoise.core.errors import SpecError, nearest
from equipoise.core.references import REFERENCES
from equipoise.io.readers.labels import Dimension, factor, split_label, units_of
from equipoise.io.toml_file import read_toml
from equipoise.spec.frozen import Finite, Frozen
from equipoise.spec.validation import validated

Sign = Literal["charging positive", "charging negative", "magnitude", "unknown"]
CLOCK = "clock"
COUNTERS = ("capacity", "energy")
"""One counter without a sign; the others have names of `core.columns`."""
_NO_INPUT = ("test_time_hour", "passed_capacity_mah_per_g_positive")
NAMES = (*(n for n in COLUMNS if n not in _NO_INPUT), *COUNTERS, CLOCK)
_DIMENSIONS: dict[str, Dimension] = {
    "s": "time",
    "V": "voltage",
    "A": "current",
    "Ah": "capacity",
    "Wh": "energy",
    "W": "power",
    "degC": "temperature",
    "Ohm": "resistance",
    "ohm": "resistance",
    "Hz": "frequency",
    "Pa": "pressure",
    "N": "force",
}
_POTENTIALS = (
    "positive_electrode_potential_volt",
    "negative_electrode_potential_volt",
)
_MAY_BE_NEGATED = (
    "imaginary_impedance_ohm",
    "net_capacity_ah",
    "net_energy_wh",
    "power_watt",
    "force_newton",
)
NUMBER_CLOCKS = {
    "unix": (1.0, 0.0),
    "unix ms": (1e-3, 0.0),
    "excel": (86400.0, 25569.0),
    "matlab": (86400.0, 719529.0),
}
"""Clocks that are numbers: second per unit, and the number of 1970-01-01."""


def dimension_of(name: str) -> Dimension:
    """Dimension of a column of a map; "none" for counts, text and clocks.

    Examples
    --------
    >>> dimension_of("charging_energy_wh"), dimension_of("step_type")
    ('energy', 'none')
    """
    if name == "capacity" or name == "energy":
        return name
    return _DIMENSIONS.get(COLUMNS[name].unit, "none") if name in COLUMNS else "none"


def _listed(given: object) -> object:
    return (given,) if isinstance(given, str) else given


def _as_table(given: object) -> object:
    return {"label": given} if isinstance(given, str | list) else given


Text = Annotated[str, Field(min_length=1)]
Labels = Annotated[tuple[Text, ...], BeforeValidator(_listed)]


class Entry(Frozen):
    """Where one column is, and what its header does not say."""

    label: Labels = ()
    unit: Text | None = None
    sign: Sign | None = None
    format: Text | None = None
    clock: Labels = ()
    reference: str | None = None
    reference_potential_vs_li_volt: Finite | None = None
    negated: bool = False
    optional: bool = False


class TableForm(Frozen):
    """How the text is cut into cells; what is not given is recognised."""

    separator: Literal[",", ";", "\t", "tab", "blank"] | None = None
    decimal: Literal[".", ","] | None = None
    encoding: str | None = None
    header_line: Annotated[int, Field(ge=1, strict=True)] | None = None
    skip_lines: Annotated[int, Field(ge=0, strict=True)] | None = None
    units_row: bool = False
    comment: Text | None = None

    @field_validator("encoding")
    @classmethod
    def _known(cls, encoding: str | None) -> str | None:
        if encoding is not None:
            try:
                codecs.lookup(encoding)
            except LookupError:
                msg = f"{encoding!r} is no encoding; such as utf-8, latin-1, gb18030"
                raise ValueError(msg) from None
        return encoding

    @model_validator(mode="after")
    def _one_header(self) -> Self:
        if self.header_line is not None and self.skip_lines is not None:
            msg = "header_line and skip_lines say the same: give one of them"
            raise ValueError(msg)
        return self

    @property
    def line_of_header(self) -> int | None:
        """Number of the line with the headers, from 1; None if it is to be found."""
        return self.header_line if self.skip_lines is None else self.skip_lines + 1

    @property
    def cut_at(self) -> str | None:
        """The separator as one character; None if it is to be found."""
        return {"tab": "\t", "blank": " "}.get(self.separator or "", self.separator)


class StateWords(Frozen):
    """Which words of the column `step_type` charge and discharge."""

    charge: Annotated[Labels, Field(min_length=1)]
    discharge: Annotated[Labels, Field(min_length=1)]


class ColumnMap(Frozen):
    """What the columns of a table mean."""

    name: Text
    description: str = ""
    recognise: tuple[Labels, ...] = ()
    unless: tuple[Text, ...] = ()
    keep: Literal["all"] | tuple[Text, ...] = "all"
    table: TableForm = TableForm()
    columns: dict[str, Annotated[Entry, BeforeValidator(_as_table)]]
    text: dict[str, Labels] = Field(default_factory=dict)
    states: StateWords | None = None

    @field_validator("columns")
    @classmethod
    def _columns_are_known(cls, columns: dict[str, Entry]) -> dict[str, Entry]:
        for name in columns:
            if name not in NAMES:
                msg = f"{name!r} is no column; {nearest(name, NAMES)}"
                raise ValueError(msg)
        missing = [n for n in REQUIRED if n not in columns]
        if missing:
            msg = f"there is no {', '.join(missing)}, which every test has"
            raise ValueError(msg)
        for name, entry in columns.items():
            problem = _wrong_in(name, entry)
            if problem:
                msg = f"{name}: {problem}"
                raise ValueError(msg)
        return columns

    @field_validator("text")
    @classmethod
    def _own_names(cls, text: dict[str, Labels]) -> dict[str, Labels]:
        for name in text:
            if name in NAMES or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
                msg = (
                    f"{name!r}: a name of your own is expected, in lower case, that is "
                    "no name of the Battery Data Format"
                )
                raise ValueError(msg)
        return text

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.states is not None and "step_type" not in self.columns:
            msg = "[states] needs the column with the words: step_type"
            raise ValueError(msg)
        if self.columns["current_ampere"].sign == "magnitude":
            apart = {"charging_capacity_ah", "discharging_capacity_ah"}
            if "step_type" not in self.columns and not apart <= self._apart():
                msg = (
                    'sign = "magnitude" needs a column that says which way: step_type, '
                    "or counters of charge and of discharge"
                )
                raise ValueError(msg)
        return self

    def _apart(self) -> set[str]:
        """Counters of charge and discharge, since whenever they count."""
        return {re.sub(r"^(cycle|step)_", "", n) for n in self.columns}


def _wrong_in(name: str, entry: Entry) -> str:
    """What does not fit a column in its entry; empty if all does."""
    if not entry.label and not entry.clock:
        return "no label is given: which header is it?"
    dimension = dimension_of(name)
    if entry.unit is not None and factor(entry.unit, dimension) is None:
        if dimension == "none":
            return "has no unit"
        return (
            f"{entry.unit!r} is no unit of {dimension}; known: "
            f"{', '.join(units_of(dimension))}"
        )
    allowed = {
        "sign": name == "current_ampere",
        "clock": name == "test_time_second",
        "format": name == CLOCK or bool(entry.clock),
        "reference": name in _POTENTIALS,
        "reference_potential_vs_li_volt": name in _POTENTIALS,
        "negated": name in _MAY_BE_NEGATED,
    }
    for key, fits in allowed.items():
        if not fits and key in entry.model_fields_set:
            return f"{key} means nothing here"
    given = entry.reference_potential_vs_li_volt
    if entry.reference not in (None, *REFERENCES) and given is None:
        return (
            f"reference = {entry.reference!r} is not one of "
            f"{', '.join(sorted(REFERENCES))}: give its reference_potential_vs_li_volt"
        )
    return ""


def load_map(path: Path) -> tuple[ColumnMap, bool]:
    """Read a map, and tell whether it is a user's own.

    Parameters
    ----------
    path
        A TOML file, or the name of a bundled map.

    Raises
    ------
    SpecError
        If it cannot be read, a key or a column is not known, or a value is wrong.
    """
    name = str(path)
    if not path.suffix and not path.exists():
        if name not in bundled_maps():
            raise SpecError(
                f"{name!r} is neither a file nor a bundled map",
                where="map",
                remedy=nearest(name, bundled_maps()),
            )
        return bundled_maps()[name], False
    return validated(ColumnMap, read_toml(path), where=name), True


@cache
def bundled_maps() -> dict[str, ColumnMap]:
    """The maps that come with the package, by name."""
    folder = resources.files("equipoise.io.readers") / "maps"
    found: dict[str, ColumnMap] = {}
    for file in sorted(folder.iterdir(), key=lambda p: p.name):
        if file.name.endswith(".toml"):
            content = tomllib.loads(file.read_text("utf-8"))
            made = validated(ColumnMap, content, where=f"maps: {file.name}")
            found[made.name] = made
    return found


class Header(NamedTuple):
    """One header in the forms in which it is compared."""

    text: str
    whole: str
    quantity: str
    unit: str


def headers_of(cells: list[str]) -> tuple[Header, ...]:
    """Headers of a line; marks of comments before the first are no part of it."""
    found: list[Header] = []
    for cell in cells:
        text = cell.strip().strip('"').strip().lstrip("\ufeff~").strip()
        if text.startswith("#") and not found:
            text = text[1:].strip()
        label = split_label(text)
        found.append(Header(text, _plain(text), label.quantity, label.unit))
    return tuple(found)


def _plain(text: str) -> str:
    return re.sub(r"[\s_]+", " ", text).strip().lower()


class Matched(NamedTuple):
    """Which header is which column of a map.

    Attributes
    ----------
    columns, text
        Name -> index of the header.
    clock
        Index of the clock that stands for the test time; -1 if there is none.
    twice
        Name -> headers between which nothing decides.
    used
        Indices of all headers that the map names.
    missing
        Names without a header.
    """

    columns: dict[str, int]
    text: dict[str, int]
    clock: int
    twice: dict[str, list[str]]
    used: frozenset[int]
    missing: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether the columns are there that every test has."""
        return not set(REQUIRED) & set(self.missing)


def match(mapping: ColumnMap, headers: tuple[Header, ...]) -> Matched:
    """Find the columns of a map among the headers of a file."""
    columns: dict[str, int] = {}
    twice: dict[str, list[str]] = {}
    clock = -1
    owners = _letter_by_letter(mapping, headers)
    for name, entry in mapping.columns.items():
        found = _find(entry.label, headers, dimension_of(name))
        found = [i for i in found if owners.get(i, name) == name]
        if not found and entry.clock:
            found = _find(entry.clock, headers, "none")
            clock = found[0] if found else -1
        elif found:
            columns[name] = found[0]
        if len(found) > 1:
            twice[name] = [headers[i].text for i in found]
    text: dict[str, int] = {}
    for name, labels in mapping.text.items():
        found = _find(labels, headers, None)
        if found:
            text[name] = found[0]
    missing = [n for n in mapping.columns if n not in columns]
    if clock >= 0:
        missing.remove("test_time_second")
    missing += [n for n in mapping.text if n not in text]
    if mapping.keep != "all":
        missing += [n for n in mapping.keep if not _find((n,), headers, None)]
    used = {*columns.values(), *text.values()} | ({clock} if clock >= 0 else set())
    if mapping.keep != "all":
        used |= {i for n in mapping.keep for i in _find((n,), headers, None)}
    for labels in mapping.recognise:
        used |= set(_find(labels, headers, None)[:1])
    return Matched(columns, text, clock, twice, frozenset(used), tuple(missing))


def _letter_by_letter(
    mapping: ColumnMap, headers: tuple[Header, ...]
) -> dict[int, str]:
    """Headers that one column alone names as they are: "t" is then not "T" as well."""
    owners: dict[int, str] = {}
    for index, header in enumerate(headers):
        named = [n for n, e in mapping.columns.items() if header.text in e.label]
        if len(named) == 1:
            owners[index] = named[0]
    return owners


def fits(mapping: ColumnMap, headers: tuple[Header, ...]) -> Matched | None:
    """Headers of a file as a map describes it; None if it describes another."""
    if not all(_find(labels, headers, None) for labels in mapping.recognise):
        return None
    if any(_find((label,), headers, None) for label in mapping.unless):
        return None
    found = match(mapping, headers)
    return found if found.complete else None


def _find(
    labels: tuple[str, ...], headers: tuple[Header, ...], dimension: Dimension | None
) -> list[int]:
    """Indices of the headers that one of the labels names; the first label counts."""
    for label in labels:
        wanted = _plain(label)
        found = [i for i, h in enumerate(headers) if h.text == label.strip()]
        if not found:
            found = [i for i, h in enumerate(headers) if h.whole == wanted]
        if not found:
            found = [
                i
                for i, h in enumerate(headers)
                if h.quantity == wanted and _may_be(h.unit, dimension)
            ]
        if found:
            return found
    return []


def _may_be(unit: str, dimension: Dimension | None) -> bool:
    if dimension is None or not unit:
        return True
    return factor(unit, dimension) is not None


def closest(labels: tuple[str, ...], headers: tuple[Header, ...]) -> str:
    """What the file has instead of a header that is missing, for messages."""
    plain = {h.whole: h.text for h in headers if h.text}
    plain |= {h.quantity: h.text for h in headers if h.text}
    for label in labels:
        near = get_close_matches(_plain(label), plain, n=1, cutoff=0.6)
        if near:
            return f"did you mean {plain[near[0]]!r}?"
    return ""
