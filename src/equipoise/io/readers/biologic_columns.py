"""EC-Lab's columns, and what they are in `core.columns`.

The label, as EC-Lab prints it above a text export, is the one key: a binary file is
turned into labelled columns first, so that both kinds of file mean the same here.
Labels are compared with their case: dq, dQ and DQ are three columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.columns import COLUMNS
from equipoise.core.errors import DataError
from equipoise.io.readers.biologic_charge import (
    CURRENTS,
    MAGNITUDES,
    REST,
    counters,
    current,
)
from equipoise.io.readers.biologic_ids import FLAGS, IDS
from equipoise.io.readers.biologic_labelled import Labelled, series_of

if TYPE_CHECKING:
    import polars as pl

    from equipoise.io.readers.draft import Array, Draft
    from equipoise.io.readers.options import Options

_VOLTAGE = ("Ecell/V", "<Ecell>/V")
_WORKING = ("Ewe/V", "<Ewe>/V")
_COUNTER_ELECTRODE = ("Ece/V", "<Ece>/V")
_REAL = ("Ewe/VReal", "Ece/VReal")
ECE_PRESENT_VOLT = 1e-3
"""A counter electrode nearer to the reference than this is wired to it."""
_LIMITS = {
    "test_time_second": (-1.0, 1e10, "s"),
    "voltage_volt": (-1e4, 1e4, "V"),
    "current_ampere": (-1e5, 1e5, "A"),
}
"""Beyond these no instrument measures: a broken file, or a decimal comma misread."""
_PLAIN = {
    "cycle number": "cycle_count",
    "Ns": "step_index",
    "step time/s": "step_time_second",
    "P/W": "power_watt",
    "Rdc/Ohm": "internal_resistance_ohm",
    "Temperature/°C": "temperature_t1_celsius",
}
_IMPEDANCE = {
    "freq/Hz": ("frequency_hertz", 1.0),
    "Re(Z)/Ohm": ("real_impedance_ohm", 1.0),
    "-Im(Z)/Ohm": ("imaginary_impedance_ohm", -1.0),
}


NUMBERS = frozenset(
    (
        *(label for label, _ in IDS.values() if label != "I Range"),
        *(label for label, _ in FLAGS.values()),
        *_VOLTAGE,
        *CURRENTS,
        *_REAL,
        *(m.label for m in MAGNITUDES),
        "x",
        "Efficiency/%",
        "time/h",
    )
)
"""Labels of columns that hold numbers in any export."""


def is_table(labels: set[str]) -> bool:
    """Whether labels are those of EC-Lab: a time, and an electrode or cell voltage."""
    return "time/s" in labels and not labels.isdisjoint((*_WORKING, *_VOLTAGE))


def fill(
    made: Draft, cells: dict[str, pl.Series], options: Options, where: str
) -> None:
    """Turn labelled columns into those of a draft.

    Parameters
    ----------
    cells
        Label of EC-Lab -> values, all of one length; "time/s" as numbers.

    Raises
    ------
    DataError
        If there is no time, voltage or current, or a value that cannot be.
    """
    with np.errstate(all="ignore"):  # a broken file holds any number
        _Columns(made, cells, options, where).fill()


class _Columns(Labelled):
    """The columns of one recording; those with a meaning leave `left`."""

    def __init__(
        self, made: Draft, cells: dict[str, pl.Series], options: Options, where: str
    ) -> None:
        super().__init__(made, cells, where)
        self.record = options.record

    def fill(self) -> None:
        made = self.made
        if "time/s" not in self.left:
            raise self.absent("the time ('time/s')")
        made.columns["test_time_second"] = _numbers(self.left.pop("time/s"))
        self._voltages()
        amperes, derived = current(self)
        made.columns["current_ampere"] = series_of(amperes)
        self._within_limits()
        self._flow()
        counters(self, derived=derived)
        self._impedance()
        for label, name in _PLAIN.items():
            if label in self.left:
                self._known(label, name)
        self._rest()

    def _known(self, label: str, name: str) -> None:
        """A column with a meaning; numbers of cycles and steps have to be whole."""
        values = _numbers(self.left[label])
        if COLUMNS[name].kind == "count":
            whole = _whole(values)
            if whole is None:
                self.made.look(label, "not whole numbers: kept under its own label")
                return
            values = whole
        del self.left[label]
        self.made.columns[name] = values

    # voltages ------------------------------------------------------------------

    def _voltages(self) -> None:
        made = self.made
        cell = self.either(_VOLTAGE)
        both = self.either(("Ewe-Ece/V",))
        ewe, ece = self.either(_WORKING), self.either(_COUNTER_ELECTRODE)
        three = ewe is not None and ece is not None and self._is_present(ece)
        if cell is not None:
            volts, how = cell
        elif both is not None:
            volts, how = both
        elif ewe is not None and ece is not None and three:
            volts, how = ewe[0] - ece[0], f"{ewe[1]} - {ece[1]}"
        elif ewe is not None:
            volts, how = ewe
        else:
            raise self.absent("the voltage ('Ewe/V', 'Ewe-Ece/V' or 'Ecell/V')")
        made.columns["voltage_volt"] = series_of(volts)
        made.recognised("voltage", how)
        if ewe is not None and ece is not None and three:
            self._potentials(ewe[0], ece[0])
        elif ewe is not None and ewe[1] != how:
            made.columns[ewe[1]] = series_of(ewe[0])
        if float(np.nanmedian(volts) if np.isfinite(volts).any() else 0.0) < 0.0:
            made.look(
                "voltage",
                "mostly below zero: is the working electrode the negative one?",
            )

    def _is_present(self, ece: tuple[Array, str]) -> bool:
        largest = float(np.nanmax(np.abs(ece[0]), initial=0.0))
        if largest > ECE_PRESENT_VOLT:
            return True
        self.made.recognised(
            ece[1],
            f"within {1e3 * largest:.2g} mV of zero: counter and reference electrode "
            "are one, there are no electrode potentials",
        )
        return False

    def _potentials(self, ewe: Array, ece: Array) -> None:
        """Potentials against Li+/Li, or against the reference of the file."""
        made = self.made
        names = (
            "positive_electrode_potential_volt",
            "negative_electrode_potential_volt",
        )
        shift = self.record.reference_shift_volt
        own = self._own_shift(ewe, ece)
        if own is not None:
            pair = [self.floats(x) for x in _REAL]
            for label, values in zip(("Ewe/V", "Ece/V"), (ewe, ece), strict=True):
                made.columns[label] = series_of(values)
            for label in _REAL:
                self.left.pop(label)
            made.recognised(
                "electrode potentials",
                f"{_REAL[0]}, {_REAL[1]}: Ewe and Ece {own:+.4g} V, taken to be vs "
                "Li+/Li",
            )
            if shift is not None and abs(shift - own) > 5e-3:
                made.look(
                    "electrode potentials",
                    f"the cell record says {shift:+.4g} V for the reference, the file "
                    f"{own:+.4g} V: the file's columns are used",
                )
            made.metadata["reference_potential_vs_li_volt"] = own
        else:
            pair = [x + (shift or 0.0) for x in (ewe, ece)]
            if shift is None:
                made.look(
                    "electrode potentials",
                    "against the reference electrode of the file, which is not known: "
                    "give reference_electrode (or reference_potential_vs_li_volt) in "
                    "the cell record",
                )
            else:
                made.recognised(
                    "electrode potentials",
                    f"Ewe and Ece {shift:+.4g} V: vs Li+/Li by the cell record",
                )
            made.metadata["reference_electrode"] = self.record.reference_electrode
            if shift is not None:
                made.metadata["reference_potential_vs_li_volt"] = shift
        for name, values in zip(names, pair, strict=True):
            made.columns[name] = series_of(values)

    def _own_shift(self, ewe: Array, ece: Array) -> float | None:
        """Constant that the file itself adds in its columns "Real"; None without."""
        if not all(x in self.all for x in _REAL):
            return None
        shifts = [self.floats(x) - y for x, y in zip(_REAL, (ewe, ece), strict=True)]
        known = np.concatenate([s[np.isfinite(s)] for s in shifts])
        if known.size == 0 or float(np.ptp(known)) > ECE_PRESENT_VOLT:
            return None
        return float(np.round(np.median(known), 6))

    # current -------------------------------------------------------------------

    def _within_limits(self) -> None:
        for name, (low, high, unit) in _LIMITS.items():
            values = self.made.floats(name)
            bad = np.flatnonzero((values < low) | (values > high))
            if bad.size:
                raise DataError(
                    f"{name} is {values[bad[0]]:.3g} {unit} in row {bad[0] + 1}: no "
                    "instrument measures that",
                    where=self.where,
                    remedy="the file is damaged, or its decimal signs were changed; "
                    "export it again",
                )

    # witnesses -----------------------------------------------------------------

    def _flow(self) -> None:
        """Oxidation charges: the instrument's own word for the direction."""
        if "ox/red" not in self.all:
            return
        mode = self.mode()
        flow = np.where(self.floats("ox/red") > 0.0, 1, -1)
        if mode is not None:
            flow = np.where(mode == REST, 0, flow)
        self.made.flow = flow.astype(np.int8)

    # the others ----------------------------------------------------------------

    def _impedance(self) -> None:
        """Spectra; the sign of the imaginary part is the true one."""
        if not all(x in self.all for x in _IMPEDANCE) or not self.ac.any():
            return
        for label, (name, factor) in _IMPEDANCE.items():
            del self.left[label]
            values = np.where(self.ac, factor * self.floats(label), np.nan)
            self.made.columns[name] = series_of(values)
        self.made.recognised(
            "impedance", f"{int(self.ac.sum())} rows; -Im(Z) with its sign turned"
        )

    def _rest(self) -> None:
        """Columns without a meaning here: kept under their labels if they vary."""
        import polars as pl

        constant = 0
        for label, values in self.left.items():
            if label in self.made.columns:
                continue
            column = values.fill_nan(None) if values.dtype.is_float() else values
            if column.n_unique() <= 1:
                constant += 1
                continue
            if column.dtype == pl.Float32:
                column = column.cast(pl.Float64)
            self.made.columns[label] = column
        if constant:
            self.made.recognised(
                "columns", f"{constant} with one value throughout left out"
            )


def _numbers(values: pl.Series) -> pl.Series:
    import polars as pl

    return values.cast(pl.Float64).fill_nan(None)


def _whole(values: pl.Series) -> pl.Series | None:
    """Counts as integers; None if they are none."""
    import polars as pl

    whole = values.cast(pl.Int64, strict=False)
    same = (whole.cast(pl.Float64) == values).fill_null(value=False)
    return whole if (same | values.is_null()).all() else None
