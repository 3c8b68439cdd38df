"""Circuit fits: known parameters are found, errors are honest, doubts are said."""

import csv

import numpy as np
import pytest

from equipoise.analysis.eis.circuits.arcs import places
from equipoise.analysis.eis.circuits.circuit import Circuit
from equipoise.analysis.eis.circuits.compare import compare_circuits
from equipoise.analysis.eis.circuits.fit import fit_circuit
from equipoise.analysis.eis.least_squares import minimise
from equipoise.core.errors import FitError, SpecError
from equipoise.spec.spectrum import Spectrum
from real_data import data_file

FREQUENCY = np.logspace(6, -1, 71)
# surrogate S1 of the specification: R0, L, A, and (R, tau, alpha) of six arcs
S1 = (
    (6.0, 3e-7, 0.9),
    (4.0, 3e-6, 0.9),
    (9.3, 6e-5, 0.88),
    (10.0, 1.2e-3, 0.88),
    (22.8, 2.5e-2, 0.88),
    (24.0, 0.22, 0.92),
)
SIX = "R0-L0-" + "-".join(f"ZARC{k}" for k in range(1, 7)) + "-W1"
FOUR = "R0-L0-p(R1,Q1)-p(R2,Q2)-p(R3,Q3)-p(R4,Q4)-W1"
LARGE = [v for r, tau, a in S1[2:] for v in (r, tau**a / r, a)]
TRUE_FOUR = [12.0, 2e-7, *LARGE, 14.0]
TWO = "R0-p(R1,Q1)-p(R2,Q2)"
TRUE_TWO = [10.0, 20.0, 1e-5, 0.85, 30.0, 1e-3, 0.9]


def spectrum_of(text, values, *, noise=0.0, seed=0, frequency=FREQUENCY, scale=1.0):
    z = Circuit.of(text).impedance(frequency, values)
    rng = np.random.default_rng(seed)
    error = rng.standard_normal(z.size) + 1j * rng.standard_normal(z.size)
    return Spectrum.of(frequency, scale * (z + noise * np.abs(z) * error), name="made")


def assert_values(fit, expected, tolerance=1e-6):
    assert list(fit.values.values()) == pytest.approx(expected, rel=tolerance)


# --- known parameters


def test_the_four_large_arcs_of_the_surrogate_are_found_without_a_start():
    fit = fit_circuit(spectrum_of(FOUR, TRUE_FOUR), FOUR)
    assert_values(fit, TRUE_FOUR)
    assert fit.converged
    assert fit.rms_percent < 1e-9
    assert fit.starts_count == 1


def test_all_six_arcs_of_the_surrogate_are_found():
    true = [12.0, 2e-7, *(v for arc in S1 for v in arc), 14.0]
    assert_values(fit_circuit(spectrum_of(SIX, true), SIX), true)


def test_no_noise_hides_the_minimum_from_the_search():
    circuit = Circuit.of(FOUR)
    for seed in range(40):
        made = spectrum_of(FOUR, TRUE_FOUR, noise=5e-3, seed=seed)
        fit = fit_circuit(made, circuit)
        z = made.impedance_ohm
        truth = circuit.impedance(made.frequency_hertz, TRUE_FOUR)
        # the least sum of squares is not above that of the true parameters
        squares = np.mean(np.abs((z - truth) / z) ** 2) / 2
        assert fit.rms_percent <= 100 * np.sqrt(squares)


@pytest.mark.parametrize("weighting", ["modulus", "unit"])
@pytest.mark.parametrize(
    ("text", "true"),
    [
        ("R0", [3.0]),
        ("R0-C0", [3.0, 1e-3]),
        ("R0-L0-p(R1,C1)", [3.0, 1e-7, 5.0, 1e-4]),
        (TWO, TRUE_TWO),
        ("R0-p(R1,Q1)-Wn1", [10.0, 20.0, 1e-5, 0.85, 30.0, 0.42]),
        ("R0-p(R1-W1,Q1)", [10.0, 20.0, 15.0, 1e-5, 0.85]),
        ("R0-p(R1,Q1)-Wo1", [10.0, 20.0, 1e-5, 0.85, 30.0, 3.0]),
        ("R0-p(R1,Q1)-Ws1", [10.0, 20.0, 1e-5, 0.85, 30.0, 0.3]),
        ("R0-p(R1,Q1)-Sph1", [10.0, 20.0, 1e-5, 0.85, 30.0, 3.0]),
        ("R0-p(R1,Q1)-G1", [10.0, 20.0, 1e-6, 0.85, 30.0, 0.1]),
        ("R0-K1-K2", [10.0, 20.0, 1e-4, 15.0, 1e-2]),
        ("R0-TLMQ1", [10.0, 20.0, 1e-3, 0.85]),
        ("p(C0,R1-p(C1,R2-p(C2,R3)))", [1e-9, 10.0, 1e-6, 20.0, 1e-3, 30.0]),
    ],
)
def test_every_kind_of_circuit_is_found_without_a_start(text, true, weighting):
    assert_values(fit_circuit(spectrum_of(text, true), text, weighting=weighting), true)


def test_intervals_cover_the_truth_as_often_as_they_say():
    circuit = Circuit.of(TWO)
    runs = 120
    covered, errors, found = np.zeros(7), [], []
    for seed in range(runs):
        fit = fit_circuit(spectrum_of(TWO, TRUE_TWO, noise=1e-3, seed=seed), circuit)
        low = np.array([p.low for p in fit.parameters])
        high = np.array([p.high for p in fit.parameters])
        covered += (low <= TRUE_TWO) & (high >= TRUE_TWO)
        errors.append([p.standard_error for p in fit.parameters])
        found.append([p.value for p in fit.parameters])
    # binomial with p = 0.95: four standard deviations are 0.08
    assert (covered / runs > 0.87).all()
    assert covered.sum() / (7 * runs) < 0.99
    # the scatter of 120 values has a standard error of 6.5 %
    assert np.std(found, axis=0) == pytest.approx(np.mean(errors, axis=0), rel=0.25)


def test_the_reduced_chi_square_is_the_square_of_the_noise():
    found = [
        fit_circuit(
            spectrum_of(TWO, TRUE_TWO, noise=1e-3, seed=s), TWO
        ).reduced_chi_square
        for s in range(20)
    ]
    # 135 degrees of freedom, 20 spectra: standard deviation of the mean 2.7 %
    assert np.mean(found) == pytest.approx(1e-6, rel=0.1)


@pytest.mark.parametrize("scale", [1e-3, 1e6])
@pytest.mark.parametrize("noise", [0.0, 1e-3])
def test_a_fit_does_not_depend_on_the_unit_of_the_spectrum(scale, noise):
    power = {"capacitance": -1, "phase": -1, "time": 0, "exponent": 0}
    circuit = Circuit.of(FOUR)
    one = fit_circuit(spectrum_of(FOUR, TRUE_FOUR, noise=noise), circuit)
    other = fit_circuit(spectrum_of(FOUR, TRUE_FOUR, noise=noise, scale=scale), circuit)
    for a, b, p in zip(
        one.parameters, other.parameters, circuit.parameters, strict=True
    ):
        assert b.value == pytest.approx(
            a.value * scale ** power.get(p.role, 1), rel=1e-5
        )
    assert other.rms_percent == pytest.approx(one.rms_percent, rel=1e-6, abs=1e-9)


def test_the_order_of_the_points_does_not_matter():
    made = spectrum_of(TWO, TRUE_TWO, noise=1e-3)
    turned = Spectrum.of(made.frequency_hertz[::-1], made.impedance_ohm[::-1])
    assert fit_circuit(turned, TWO).values == fit_circuit(made, TWO).values


# --- starts, fixed values, bounds


def test_peaks_of_a_distribution_are_a_start():
    peaks = [(tau, r) for r, tau, _ in S1[2:]]
    made = spectrum_of(FOUR, TRUE_FOUR)
    fit = fit_circuit(made, FOUR, peaks=peaks)
    assert_values(fit, TRUE_FOUR)
    assert fit.starts_count == 1
    # more peaks than arcs are gathered, fewer are split
    assert_values(fit_circuit(made, FOUR, peaks=[(t, r) for r, t, _ in S1]), TRUE_FOUR)
    assert_values(fit_circuit(made, FOUR, peaks=peaks[2:]), TRUE_FOUR, 1e-5)


def test_a_complete_start_is_the_only_one():
    made = spectrum_of(TWO, TRUE_TWO)
    start = dict(zip(Circuit.of(TWO).names, TRUE_TWO, strict=True))
    fit = fit_circuit(made, TWO, start=start)
    assert fit.starts_count == 1
    assert_values(fit, TRUE_TWO)


def test_the_fastest_arc_comes_first_even_if_the_start_says_otherwise():
    made = spectrum_of(TWO, TRUE_TWO)
    turned = [TRUE_TWO[0], *TRUE_TWO[4:], *TRUE_TWO[1:4]]
    fit = fit_circuit(
        made, TWO, start=dict(zip(Circuit.of(TWO).names, turned, strict=True))
    )
    assert_values(fit, TRUE_TWO)
    # the correlation moved along: R1 is that of the fast arc
    plain = fit_circuit(spectrum_of(TWO, TRUE_TWO, noise=1e-3), TWO)
    start = [TRUE_TWO[0], *TRUE_TWO[4:], *TRUE_TWO[1:4]]
    other = fit_circuit(
        spectrum_of(TWO, TRUE_TWO, noise=1e-3),
        TWO,
        start=dict(zip(Circuit.of(TWO).names, start, strict=True)),
    )
    assert other.correlation == pytest.approx(plain.correlation, abs=1e-4)


def test_a_fixed_value_stays_and_its_arc_keeps_its_place():
    made = spectrum_of(TWO, TRUE_TWO)
    fit = fit_circuit(made, TWO, fixed={"R1": 30.0})
    # R1 is that of the slow arc now: the caller said so
    assert fit["R1"].value == 30.0
    assert fit["R1"].state == "fixed"
    assert fit["R1"].standard_error == 0.0
    assert fit["R2"].value == pytest.approx(20.0, rel=1e-6)
    assert np.isnan(fit.correlation[1, 2])


def test_bounds_are_kept_and_named():
    made = spectrum_of(TWO, TRUE_TWO)
    fit = fit_circuit(made, TWO, bounds={"R0": (1.0, 8.0)})
    assert fit["R0"].value == pytest.approx(8.0)
    assert fit["R0"].state == "at upper bound"
    assert np.isnan(fit["R0"].standard_error)
    assert any("R0_ohm = 8 is at upper bound" in n for n in fit.notes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weighting": "proportional"}, "weighting = 'proportional'"),
        ({"fixed": {"R7": 1.0}}, "there is no parameter 'R7'"),
        ({"fixed": {"R0": -1.0}}, "R0_ohm = -1 must be > 0"),
        ({"bounds": {"R0": (2.0, 1.0)}}, "2 is not below 1"),
        ({"bounds": {"Q1_alpha": (0.5, 1.5)}}, "Q1_alpha = 1.5 must be"),
        ({"start": {"R0": 1e30}}, "outside of its bounds"),
        ({"peaks": [(0.0, 1.0)]}, "both must be > 0"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(SpecError, match=message):
        fit_circuit(spectrum_of(TWO, TRUE_TWO), TWO, **options)


def test_too_few_points_cannot_be_fitted():
    made = spectrum_of(TWO, TRUE_TWO, frequency=[1e3, 1e2, 1e1])
    with pytest.raises(FitError, match=r"3 points .* cannot determine 7 parameters"):
        fit_circuit(made, TWO)
    with pytest.raises(FitError, match="every parameter is fixed"):
        fit_circuit(made, "R0", fixed={"R0": 1.0})
    with pytest.raises(FitError, match="impedance is 0"):
        fit_circuit(Spectrum.of([1.0, 2.0], [0.0, 1.0]), "R0")


# --- what cannot be known is said


def test_two_resistors_in_series_are_not_determined():
    fit = fit_circuit(spectrum_of("R0-p(R1,C1)", [3.0, 5.0, 1e-4]), "R0-R9-p(R1,C1)")
    assert any("does not determine R0_ohm, R9_ohm" in n for n in fit.notes)
    assert np.isinf(fit["R9"].standard_error)
    assert fit["R0"].value + fit["R9"].value == pytest.approx(3.0)
    assert fit["R1"].value == pytest.approx(5.0)
    assert fit["R1"].standard_error < 1e-6


def test_an_element_that_is_not_there_is_never_significant():
    told = 0
    for seed in range(8):
        true = [3.0, 5.0, 1e-4, 0.9]
        made = spectrum_of("R0-p(R1,Q1)", true, noise=1e-3, seed=seed)
        fit = fit_circuit(made, "R0-L0-p(R1,Q1)")
        inductance = fit["L0"]
        vague = not inductance.standard_error <= inductance.value
        assert vague or inductance.value < 3.0 * inductance.standard_error
        assert vague == any("L0_henry" in n for n in fit.notes)
        told += vague
    # noise pulls it below zero, and so to its bound, in about half of them
    assert told >= 2


def test_a_missing_element_is_said():
    fit = fit_circuit(spectrum_of(TWO, TRUE_TWO, noise=1e-3), "R0-p(R1,Q1)")
    assert any("lacks an element" in n for n in fit.notes)
    good = fit_circuit(spectrum_of(TWO, TRUE_TWO, noise=1e-3), TWO)
    assert not any("lacks" in n for n in good.notes)


def test_a_circuit_that_says_nothing_is_told_so():
    fit = fit_circuit(spectrum_of("R0-C0", [1.0, 1e-4]), "R0-L0")
    assert fit.rms_percent > 20.0
    assert any("does not describe this spectrum" in n for n in fit.notes)


def test_an_ideal_capacitor_is_recognised():
    made = spectrum_of("R0-p(R1,C1)", [3.0, 5.0, 1e-4])
    fit = fit_circuit(made, "R0-p(R1,Q1)")
    assert fit["Q1_alpha"].value == pytest.approx(1.0)
    assert fit["R1"].value == pytest.approx(5.0)


def test_an_arc_outside_of_the_range_is_said():
    true = [10.0, 20.0, 1e-5, 0.85, 30.0, 1.0, 1.0]
    fit = fit_circuit(spectrum_of(TWO, true), TWO)
    assert any("outside of the measured" in n for n in fit.notes)


# --- what follows


def test_effective_capacitances_are_those_of_the_formulas():
    fit = fit_circuit(spectrum_of(TWO, TRUE_TWO), TWO)
    fast = fit.arcs[0]
    r0, r, q, a = TRUE_TWO[:4]
    assert fast.elements == ("R1", "Q1")
    assert fast.time_constant_second == pytest.approx((r * q) ** (1 / a))
    assert fast.capacitance_farad == pytest.approx((r ** (1 - a) * q) ** (1 / a))
    brug = q ** (1 / a) * (1 / r0 + 1 / r) ** ((a - 1) / a)
    assert fast.surface_capacitance_farad == pytest.approx(brug)
    assert fast.peak_frequency_hertz == pytest.approx(
        1 / (2 * np.pi * fast.time_constant_second)
    )


def test_the_peak_frequency_is_where_the_arc_is_highest():
    arc = fit_circuit(spectrum_of(TWO, TRUE_TWO), TWO).arcs[1]
    f = arc.peak_frequency_hertz * np.linspace(0.9, 1.1, 2001)
    z = Circuit.of("p(R0,Q0)").impedance(f, TRUE_TWO[4:])
    # the maximum is flat: a grid of 1e-4
    assert f[np.argmin(z.imag)] == pytest.approx(arc.peak_frequency_hertz, rel=2e-4)


def test_the_error_of_a_time_constant_does_not_depend_on_the_form_of_the_arc():
    made = spectrum_of(TWO, TRUE_TWO, noise=1e-3)
    a = fit_circuit(made, TWO).arcs
    b = fit_circuit(made, "R0-ZARC1-ZARC2")
    for arc, zarc, name in zip(
        a, b.arcs, ("ZARC1_second", "ZARC2_second"), strict=True
    ):
        assert arc.time_constant_second == pytest.approx(
            zarc.time_constant_second, rel=1e-6
        )
        assert arc.time_constant_error_second == pytest.approx(
            b[name].standard_error, rel=1e-4
        )


def test_residuals_and_table():
    made = spectrum_of(TWO, TRUE_TWO, noise=1e-3)
    fit = fit_circuit(made, TWO)
    z = made.impedance_ohm
    assert fit.residual_percent == pytest.approx(
        100 * (z - fit.impedance()) / np.abs(z)
    )
    rms = np.sqrt(np.mean(np.abs(fit.residual_percent) ** 2) / 2)
    assert fit.rms_percent == pytest.approx(rms)
    table = fit.table()
    assert table["parameter"].to_list() == list(Circuit.of(TWO).names)
    assert table["value"].to_list() == list(fit.values.values())
    assert "CircuitFit R0-p(R1,Q1)-p(R2,Q2)" in repr(fit)


def test_randles_is_an_arc_with_its_resistor():
    (place,) = places(Circuit.of("R0-p(R1-W1,Q1)-Wo2"))
    assert place.elements == ("R1", "W1", "Q1")
    assert place.time_constant([1.0, 4.0, 9.0, 1e-3, 1.0]) == pytest.approx(4e-3)


# --- comparison


def test_the_comparison_prefers_the_circuit_that_made_the_spectrum():
    made = spectrum_of(TWO, TRUE_TWO, noise=1e-3)
    table = compare_circuits(
        made, ["R0-p(R1,Q1)", "R0-p(R1,Q1)-p(R2,Q2)-p(R3,Q3)", TWO]
    )
    assert table["circuit"][0] == TWO
    assert table["aicc_difference"][0] == 0.0
    assert table["aicc_weight"].sum() == pytest.approx(1.0)
    assert table.sort("bic")["circuit"][0] == TWO
    assert table["aicc_weight"][-1] < 1e-100


def test_the_criteria_are_those_of_the_formula():
    made = spectrum_of(TWO, TRUE_TWO, noise=1e-3)
    fit = fit_circuit(made, TWO)
    n, k = 142, 8
    squares = fit.reduced_chi_square * (n - 7)
    expected = n * np.log(squares / n) + 2 * k + 2 * k * (k + 1) / (n - k - 1)
    assert fit.aicc == pytest.approx(expected)
    assert fit.bic == pytest.approx(n * np.log(squares / n) + k * np.log(n))


def test_a_circuit_that_cannot_be_fitted_is_the_last_row():
    made = spectrum_of("R0-C0", [1.0, 1e-3], frequency=[1e3, 1e2, 1e1])
    table = compare_circuits(made, [TWO, "R0-C0"])
    assert table["circuit"].to_list() == ["R0-C0", TWO]
    assert "cannot determine 7" in table["failure"][1]
    assert np.isnan(table["aicc"][1])
    with pytest.raises(SpecError, match="no circuit was given"):
        compare_circuits(made, [])


# --- the minimiser


def test_the_minimiser_finds_the_valley_of_rosenbrock():
    def model(theta):
        x, y = theta
        residual = np.array([1.0 - x, 10.0 * (y - x**2)])
        return residual, np.array([[-1.0, -20.0 * x], [0.0, 10.0]])

    wide = np.full(2, 10.0)
    found = minimise(model, np.array([-1.2, 1.0]), low=-wide, high=wide)
    assert found.converged
    assert found.theta == pytest.approx([1.0, 1.0], abs=1e-9)
    # with x <= 0.5 the minimum is on the bound, and y follows: (0.5, 0.25)
    bounded = minimise(
        model, np.array([-1.2, 1.0]), low=-wide, high=np.array([0.5, 10.0])
    )
    assert bounded.theta == pytest.approx([0.5, 0.25], abs=1e-9)


# --- measured spectra


def measured():
    with data_file("eis/impedance_py/exampleData.csv").open() as stream:
        rows = np.array([[float(v) for v in row] for row in csv.reader(stream)])
    z = rows[:, 1] + 1j * rows[:, 2]
    capacitive = z.imag < 0.0
    return Spectrum.of(rows[capacitive, 0], z[capacitive], name="exampleData")


PUBLISHED = {  # parameters in the tests of impedance.py, three digits
    "unit": [
        (1.65e-2, 8.68e-3, 3.32, 5.39e-3, 6.31e-2, 2.33e2, 2.20e-1),
        (1.65e-2, 5.34e-3, 0.22, 9.15e-3, 1.31e-1, 1.10e3, 2.78),
    ],
    "modulus": [(1.64e-2, 9.06e-3, 3.06, 5.29e-3, 1.45e-1, 1.32e3, 2.02e-1)],
}
EXAMPLE = "R0-p(R1,C1)-p(R2-Wo1,C2)"


@pytest.mark.parametrize("weighting", ["unit", "modulus"])
def test_the_example_of_impedance_py_is_fitted_at_least_as_well(weighting):
    spectrum = measured()
    fit = fit_circuit(spectrum, EXAMPLE, weighting=weighting)
    z = spectrum.impedance_ohm
    weight = np.abs(z) if weighting == "modulus" else 1.0

    def squares(values):
        model = Circuit.of(EXAMPLE).impedance(spectrum.frequency_hertz, values)
        return np.sum(np.abs((model - z) / weight) ** 2)

    for values in PUBLISHED[weighting]:
        assert squares(fit.values) <= squares(values)


def test_from_the_published_values_the_published_minimum_is_found():
    names = Circuit.of(EXAMPLE).names
    (published,) = PUBLISHED["modulus"]
    start = dict(zip(names, published, strict=True))
    fit = fit_circuit(measured(), EXAMPLE, start=start)
    # three printed digits: half a unit of the last is at most 0.5 %
    assert list(fit.values.values()) == pytest.approx(published, rel=5e-3)
