"""Every row of the paper: printed, computed, interval, role, within or not."""

from __future__ import annotations

import tomllib
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING

import numpy as np

from equipoise.analysis.eis.drt.settings import DrtSettings
from equipoise.core.references import reference_potential
from equipoise.design.cell_design import design_cell
from equipoise.io.cells import load_cell, load_half_cell_setup
from equipoise.io.protocols import load_protocol
from equipoise.protocol.steps import Rest
from equipoise.sim.simulate import simulate
from equipoise.study.zhang2026 import fresh
from equipoise.study.zhang2026.ensemble import Member, members
from equipoise.study.zhang2026.predict import (
    EVERY,
    LB_CYCLES_1C,
    Prediction,
    predict_all,
    quantiles,
)

if TYPE_CHECKING:
    import polars as pl

Progress = Callable[[int, int], None]
INTERVAL = (0.05, 0.5, 0.95)
"""Of the draws: 90 %."""
NORMAL_90 = 1.645


@dataclass(frozen=True, slots=True)
class Row:
    """A number of the paper.

    Attributes
    ----------
    printed
        None where it is withheld (blind), or a given that is no single number.
    computed, low, high
        Ours with its 90 % interval; None: the model does not use or compute it.
    role
        input (given), calibrated (the model was made to meet it), predicted (it was
        not: a row of LB after ageing that is printed), blind (predicted, withheld).
    within
        Whether the printed number lies in the interval; None without one.
    """

    id: str
    config: str
    condition: str
    quantity: str
    unit: str
    place: str
    role: str
    printed: float | None
    computed: float | None
    low: float | None
    high: float | None
    within: bool | None
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Reproduction:
    """The rows, and the lives of all draws behind them."""

    rows: tuple[Row, ...]
    predictions: tuple[Prediction, ...]

    @property
    def table(self) -> pl.DataFrame:
        """The rows as a table."""
        import polars as pl

        names = Row.__slots__
        return pl.DataFrame(
            [{n: getattr(r, n) for n in names} for r in self.rows],
            infer_schema_length=None,
        )


@cache
def printed_rows() -> tuple[dict[str, str], ...]:
    """Rows of printed.toml."""
    file = resources.files("equipoise.study.zhang2026") / "printed.toml"
    return tuple(tomllib.loads(file.read_text("utf-8"))["rows"])


def reproduce(
    *,
    draws: Sequence[Member] | None = None,
    workers_count: int | None = None,
    progress: Progress | None = None,
) -> Reproduction:
    """Compute every row.

    Parameters
    ----------
    draws
        Default: those of ensemble.toml, which the calibration on HB cells left.
    progress
        Called with (draws done, draws in all).
    """
    with warnings.catch_warnings():  # the filters are shared by all threads
        predictions = predict_all(
            members() if draws is None else draws,
            workers_count=workers_count,
            progress=progress,
        )
    givens, fitted = _givens(), _fresh()
    rows: list[Row] = []
    for content in printed_rows():
        match content["role"]:
            case "input":
                rows.append(_input(content, givens))
            case "fit":
                rows.append(_fit(content, fitted))
            case "age":
                rows.append(_age(content, predictions))
            case _:
                rows += _blind(content, predictions)
    return Reproduction(tuple(rows), tuple(predictions))


def _row(
    content: Mapping[str, str],
    role: str,
    computed: float | None,
    interval: tuple[float, float] | None,
    note: str = "",
) -> Row:
    printed = _number(content.get("printed"))
    low, high = (None, None) if interval is None else interval
    within = None
    known = low is not None and high is not None and np.isfinite([low, high]).all()
    if printed is not None and low is not None and high is not None and known:
        half = _half_digit(content["printed"])
        within = bool(low - half <= printed <= high + half)
    return Row(
        content["id"],
        content["config"],
        content["condition"],
        content["quantity"],
        content["unit"],
        content.get("place", ""),
        role,
        printed,
        computed,
        low,
        high,
        within,
        note,
    )


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:  # "8 to 9", "30:65:5"
        return None


def _half_digit(text: str) -> float:
    """Half a unit of the last printed digit."""
    mantissa, _, exponent = text.lower().partition("e")
    digits = len(mantissa.partition(".")[2])
    return 0.5 * 10.0 ** (int(exponent or 0) - digits)


def _givens() -> dict[str, float]:
    """What the bundled cells take from the rows of role "input"."""
    lb, hb = load_cell("zhang2026-lb"), load_cell("zhang2026-hb")
    lto = load_half_cell_setup("zhang2026-lto-inli")
    one_c = lto.spec.one_c_ma_per_g or 0.0
    if not one_c and lto.working.material.one_c_ma_per_g is not None:
        one_c = lto.working.material.one_c_ma_per_g.value
    ionic = lb.positive.spec.ionic_conductivity_millisiemens_per_cm
    electronic = lb.positive.spec.electronic_conductivity_millisiemens_per_cm
    found = {
        "B1": lb.positive_capacity_mah_per_g,
        "B2": lb.negative_capacity_mah_per_g,
        "B3": hb.np_ratio,
        "B4": lb.np_ratio,
        "B5": lb.one_c_ma_per_g_positive or 0.0,
        "B6": one_c,
        "B7": reference_potential("lto"),
        "B8": reference_potential("in_inli"),
        "G4": lb.spec.separator.mass_mg,
        "G5": lb.positive.spec.diameter_mm or 0.0,
        "G6": lb.spec.separator.diameter_mm,
        "G8": lb.spec.stack_pressure_mpa or 0.0,
        "G9": lb.spec.temperature_celsius,
        "G11": fresh.with_thick_separator(lb).spec.separator.mass_mg,
    }
    settings = DrtSettings()
    found["D2"], found["D3"] = settings.regularisation_ratio, settings.width_ratio
    rest = load_protocol("pressure-first-five").steps[0]
    if isinstance(rest, Rest):
        found["D4"] = rest.time_hour or 0.0
    if ionic is not None:
        found["K1"] = ionic
    if electronic is not None:
        found["K2"] = electronic
    return {k: float(v) for k, v in found.items()}


def _input(content: Mapping[str, str], givens: Mapping[str, float]) -> Row:
    value = givens.get(content["id"])
    if value is None:
        used = _number(content["printed"]) is None
        note = "as printed" if used else "not used by the model"
        return _row(content, "input", None, None, note)
    return _row(content, "input", value, (value, value))


def _fresh() -> dict[str, tuple[float, float]]:
    """Rows of role "fit": computed, and one standard deviation among cells."""
    by_case = {c.name: c for c in fresh.cases()}
    tables: dict[str, pl.DataFrame] = {}
    out: dict[str, tuple[float, float]] = {}
    printed = {r["id"]: r for r in printed_rows()}
    for name, (case, observe) in fresh.observers().items():
        if case not in tables:
            one = by_case[case]
            run = simulate(one.cell, one.protocol, trace="none")
            if run.interrupted:
                raise KeyboardInterrupt
            tables[case] = run.steps
        row = {"unit": printed[name]["unit"], "value": printed[name]["printed"]}
        out[name] = (float(observe(tables[case])), fresh.uncertainty(row))
    for name, cell in (("X1", "zhang2026-hb"), ("X2", "zhang2026-lb")):
        change = design_cell(load_cell(cell)).volume_change_percent
        assert change is not None  # the bundled positive has volume data
        out[name] = (abs(change), 0.1)
    return out


def _fit(content: Mapping[str, str], found: Mapping[str, tuple[float, float]]) -> Row:
    value, deviation = found[content["id"]]
    reach = NORMAL_90 * deviation
    note = "interval: how much cells of one kind differ"
    return _row(content, "calibrated", value, (value - reach, value + reach), note)


SCALE = {  # printed in another way than it is calibrated
    "L2": (199.0, "times the printed start"),
    "A4": (161.0, "times the printed start"),
    "A6": (197.0, "times the fresh capacity at 0.2C, mean of C2, L1 and S2"),
    "A7": (100.0, ""),
}
NOT_COMPUTED = {
    "L6": "a spread among cells: an input of the intervals",
    "L7": "a spread among cells: an input of the intervals",
}
CONTINUED = "lives beyond the 2500 cycles of the test continued at their mean rate"
EFFICIENCY_NOTE = "without the first cycle; with it 0.1 % less of 120 cycles"


def _age(content: Mapping[str, str], predictions: Sequence[Prediction]) -> Row:
    name = content["id"]
    if name in NOT_COMPUTED:
        return _row(content, "input", None, None, NOT_COMPUTED[name])
    if name == "C7":
        return _fade(content, predictions)
    low, middle, high = quantiles(predictions, name, INTERVAL)
    scale, note = SCALE.get(name, (1.0, ""))
    if name in ("L4", "L5", "A5"):
        note = EFFICIENCY_NOTE
        low -= 0.1 if name != "A5" else 0.02
    role = "predicted" if content["config"] == "LB" else "calibrated"
    return _row(content, role, scale * middle, (scale * low, scale * high), note)


def _fade(content: Mapping[str, str], predictions: Sequence[Prediction]) -> Row:
    """LTO after 200 cycles between its ends at 0.2C (swing of its half cell)."""
    swing = 131.0 / 154.6
    kept = [
        100.0 * float(np.exp(-200.0 * swing * p.member.values["negative_fade"]))
        for p in predictions
    ]
    low, middle, high = (float(q) for q in np.quantile(kept, INTERVAL))
    note = "of the active material; the half cell may have lost contact as well"
    return _row(content, "calibrated", middle, (low, high), note)


def _blind(content: Mapping[str, str], predictions: Sequence[Prediction]) -> list[Row]:
    name = content["id"]
    names = [name]
    if name == "P2":
        names = [f"P2.{n}" for n in range(EVERY, LB_CYCLES_1C + 1, EVERY)]
    out: list[Row] = []
    for one in names:
        low, middle, high = quantiles(predictions, one, INTERVAL)
        own = dict(content) | {"id": one}
        if one != name:
            own["condition"] = f"1C cycling, cycle {one.partition('.')[2]}"
        note = CONTINUED if one in ("P1", "P3") else ""
        out.append(_row(own, "blind", middle, (low, high), note))
    return out
