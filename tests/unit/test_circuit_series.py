"""A series of spectra: every arc stays what it is."""

import numpy as np
import pytest

from equipoise.analysis.eis.circuits.circuit import Circuit
from equipoise.analysis.eis.circuits.series import fit_series
from equipoise.core.errors import SpecError
from equipoise.spec.spectrum import Spectrum

FREQUENCY = np.logspace(6, -1, 71)
TEXT = "R0-ZARC1-ZARC2"


def spectra(parameters, noise=5e-4):
    rng = np.random.default_rng(3)
    found = []
    for values in parameters:
        z = Circuit.of(TEXT).impedance(FREQUENCY, values)
        error = rng.standard_normal(71) + 1j * rng.standard_normal(71)
        found.append(Spectrum.of(FREQUENCY, z + noise * np.abs(z) * error))
    return found


def crossing(steps=13):
    """A small arc that becomes slower than a large one, which stays."""
    return [
        [10.0, 8.0, 10**decade, 0.9, 40.0, 1e-2, 0.85]
        for decade in np.linspace(-4.0, 0.0, steps)
    ]


def test_an_arc_that_overtakes_another_keeps_its_name():
    true = crossing()
    table = fit_series(spectra(true), TEXT).table()
    assert table["failure"].to_list() == [""] * len(true)
    for k, values in enumerate(true):
        if abs(np.log10(values[2] / 1e-2)) > 0.5:
            # the arcs are apart: five standard errors
            room = 5.0 * table["ZARC1_ohm_error"][k]
            assert abs(table["ZARC1_ohm"][k] - 8.0) < room
            assert table["ZARC1_second"][k] == pytest.approx(values[2], rel=0.1)
    # the small arc has passed the large one and is still ZARC1
    assert table["ZARC1_second"][-1] > 10.0 * table["ZARC2_second"][-1]


def test_the_first_spectrum_is_ordered_by_speed():
    true = crossing(3)[::-1]
    table = fit_series(spectra(true), TEXT).table()
    # in the first spectrum the large arc is the fast one: it is ZARC1 throughout
    assert table["ZARC1_ohm"][0] == pytest.approx(40.0, rel=0.05)
    assert table["ZARC1_ohm"][2] == pytest.approx(40.0, rel=0.05)


def test_a_spectrum_that_cannot_be_fitted_is_a_row_and_the_series_goes_on():
    series = spectra([[10.0, 8.0, 1e-4, 0.9, 40.0, 1e-2, 0.85]] * 3)
    short = Spectrum.of([1e3, 1e2], series[1].impedance_ohm[:2])
    found = fit_series([series[0], short, series[2]], TEXT)
    assert [f is None for f in found.fits] == [False, True, False]
    assert "cannot determine 7 parameters" in found.failures[1]
    table = found.table()
    assert np.isnan(table["R0_ohm"][1])
    assert table["R0_ohm"][2] == pytest.approx(10.0, rel=1e-2)


def test_a_jump_is_followed_by_starts_from_the_spectrum():
    far = [10.0, 800.0, 1e-5, 0.9, 4.0, 1e-1, 0.7]
    found = fit_series(spectra([crossing()[0], far]), TEXT)
    assert found.fits[1].rms_percent == pytest.approx(0.05, rel=0.15)


def test_errors_of_the_specification_stop_a_series():
    with pytest.raises(SpecError, match="no spectrum was given"):
        fit_series([], TEXT)
    with pytest.raises(SpecError, match="there is no parameter"):
        fit_series(spectra(crossing(2)), TEXT, fixed={"R8": 1.0})
