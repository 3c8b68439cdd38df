"""Spectra in Bio-Logic .mpr files: PEIS, GEIS and what is linked with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from equipoise.core.errors import DataError
from equipoise.io.readers import biologic_mpr
from equipoise.io.readers.options import Options as ReadersOptions
from equipoise.io.spectra.draft import Draft
from equipoise.io.spectra.labels import meaning
from equipoise.io.spectra.units import ratio_of

if TYPE_CHECKING:
    from equipoise.io.readers.source import Source
    from equipoise.io.spectra.draft import Options

FORMAT = biologic_mpr.FORMAT
_FREQUENCY, _REAL = "freq/Hz", "Re(Z)/Ohm"
_GROUPS = ("cycle_count", "step_index")


def recognise(source: Source) -> str:
    """Evidence that this is a .mpr file; empty if it is not."""
    return biologic_mpr.recognise(source)


def drafts(source: Source, options: Options) -> list[Draft]:
    """Read the rows with a frequency.

    Raises
    ------
    DataError
        If the file is cut or damaged, or holds no spectrum, or another unit is told
        than the format has.
    """
    read = biologic_mpr.draft(source, ReadersOptions())
    where = str(source.path)
    if "frequency_hertz" not in read.columns:
        technique = read.metadata.get("technique", "this technique")
        raise DataError(
            f"there is no spectrum in this file: {technique} has no frequencies",
            where=where,
            remedy="name the file of the PEIS or GEIS technique",
        )
    for label in (_FREQUENCY, _REAL):
        found = meaning(label)
        assert found is not None
        ratio_of(found, options, where)  # the format fixes Hz and ohm
    made = Draft(read.format, where)
    made.findings += [f for f in read.findings if f.what in ("table", "impedance")]
    made.metadata = read.metadata
    made.firm, made.row_word = True, "record"
    made.imaginary_label = "-Im(Z)/Ohm"
    made.frequency_unit, made.impedance_unit = "Hz", "Ohm"
    made.frequency_hertz = read.floats("frequency_hertz")
    made.real_ohm = read.floats("real_impedance_ohm")
    made.imaginary_ohm = read.floats("imaginary_impedance_ohm")
    if "|Z|/Ohm" in read.columns:
        made.magnitude_ohm = read.floats("|Z|/Ohm")
    if "Phase(Z)/deg" in read.columns:
        made.phase_radian = np.deg2rad(read.floats("Phase(Z)/deg"))
        made.phase_unit = "deg"
    made.rows = np.arange(1, made.frequency_hertz.size + 1)
    for name in _GROUPS:
        if name in read.columns:
            made.groups[name] = [str(v) for v in read.columns[name].to_list()]
    area = read.metadata.get("electrode_area_cm2")
    made.area_cm2 = area if isinstance(area, float) else None
    return [made]
