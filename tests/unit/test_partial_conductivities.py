"""Conductivities of composites recovered from simulated and refused for other data."""

import numpy as np
import polars as pl
import pytest
from scipy.special import stdtrit

from equipoise.analysis.eis.lines.blocking_cells import (
    BlockedCell,
    BlockingModel,
    Variant,
    through_line,
)
from equipoise.analysis.eis.lines.interface import constant_phase
from equipoise.analysis.eis.lines.partial_conductivities import (
    partial_conductivities,
    partial_conductivity_of_one,
)
from equipoise.analysis.eis.lines.solver import covariance, minimise
from equipoise.analysis.eis.lines.starts import glance
from equipoise.analysis.eis.lines.terminals import OPEN, Terminals, line_between
from equipoise.core.errors import DataError, EquipoiseWarning, FitError, SpecError
from equipoise.spec.spectrum import Spectrum
from real_data import data_file

# rows K1-K4 of the paper; 8.5 mg/cm2 in a composite of 68.6 % and 3.0 g/cm3: 41 um
SLURRY = {"ionic": 0.14, "electronic": 0.048, "thickness_um": 41.0, "area": 0.636}
# 100 mg in a ring of 10 mm at 3.0 g/cm3
PELLET = {"ionic": 0.37, "electronic": 0.13, "thickness_um": 424.0, "area": 0.785}
PER_VOLUME = 0.075
"""S s^a cm^-3: 7500 cm^-1 of interface with 10 uF/cm2."""
CAPACITY = 1e-5


def simulated(
    cell,
    *,
    noise=0.0,
    seed=0,
    highest=1e6,
    series=(0.5, 60.0),
    own=1.0,
    ends=0.0,
    arc=None,
    thickness=None,
):
    """A pair of spectra by the general solution, not by the model that is fitted."""
    rng = np.random.default_rng(seed)
    decades = np.log10(highest) + 1.0
    f = np.logspace(np.log10(highest), -1.0, round(10 * decades) + 1)
    w, area = 2.0 * np.pi * f, cell["area"]
    pair = []
    for k, name in enumerate(("ion-blocking", "electron-blocking")):
        cm = 1e-4 * (thickness or (cell["thickness_um"],) * 2)[k]
        q = PER_VOLUME * cm * area * (own if k else 1.0)
        z_c = 1.0 / constant_phase(w, coefficient=q, exponent=0.9)
        end = OPEN
        if ends:
            end = 1.0 / constant_phase(w, coefficient=ends * area, exponent=0.9)
        joined = (0.0, end) if k else (end, 0.0)
        z = line_between(
            Terminals(*joined, *joined),
            z_c,
            ionic_ohm=cm / area / (1e-3 * cell["ionic"]),
            electronic_ohm=cm / area / (1e-3 * cell["electronic"]),
        )
        z = z + series[k]
        if arc and k:
            ohm, second = arc
            z = z + ohm / (1.0 + (1j * w * second) ** 0.85)
        scatter = rng.standard_normal(f.size) + 1j * rng.standard_normal(f.size)
        z = z + noise * np.abs(z) * scatter
        pair.append(Spectrum.of(f, z, area_cm2=area, name=name, where=name))
    return tuple(pair)


def fitted(cell, **how):
    thickness = how.get("thickness") or cell["thickness_um"]
    return partial_conductivities(*simulated(cell, **how), thickness_um=thickness)


def errors(found, cell):
    """Of the ionic and the electronic conductivity, percent."""
    return (
        100.0 * (found.ionic_conductivity_millisiemens_per_cm / cell["ionic"] - 1.0),
        100.0
        * (
            found.electronic_conductivity_millisiemens_per_cm / cell["electronic"] - 1.0
        ),
    )


# --- recovery


@pytest.mark.parametrize("cell", [SLURRY, PELLET], ids=["slurry", "pellet"])
def test_without_noise_the_conductivities_are_exact(cell):
    found = fitted(cell)
    assert np.abs(errors(found, cell)).max() < 1e-3
    assert found.models[0].name == "shared interface"
    assert found.cells[0].series_ohm == pytest.approx(0.5, rel=1e-3)
    assert found.cells[1].series_ohm == pytest.approx(60.0, rel=1e-4)


@pytest.mark.parametrize("highest", [1e6, 7e6])
@pytest.mark.parametrize("cell", [SLURRY, PELLET], ids=["slurry", "pellet"])
def test_half_a_percent_of_noise_costs_less_than_one_percent(cell, highest):
    off = np.abs(
        [
            errors(fitted(cell, noise=0.005, seed=s, highest=highest), cell)
            for s in range(8)
        ]
    )
    # the Jacobian allows 0.7 and 0.2 % as a standard error in the worst of the four
    assert np.median(off, axis=0).max() < 1.0
    assert off.max() < 2.5


def test_a_tenth_of_the_noise_costs_a_tenth():
    off = np.abs(
        [errors(fitted(SLURRY, noise=0.0005, seed=s), SLURRY) for s in range(8)]
    )
    assert off.max() < 0.25


def test_cells_of_different_thickness_share_their_conductivities():
    found = fitted(PELLET, noise=0.001, thickness=(424.0, 800.0))
    assert np.abs(errors(found, PELLET)).max() < 0.5
    ionic = found.cells[1].rail_ohm
    assert ionic == pytest.approx(0.08 / 0.785 / 0.37e-3, rel=5e-3)


def test_intervals_cover_the_truth_as_often_as_they_say():
    hits = np.zeros((2, 2))
    runs = 100
    for seed in range(runs):
        pair = simulated(SLURRY, noise=0.005, seed=seed)
        found = partial_conductivities(
            *pair, thickness_um=41.0, variant=Variant(inductance=False)
        )
        for k, (c, name) in enumerate(
            ((found.ionic, "ionic"), (found.electronic, "electronic"))
        ):
            truth = SLURRY[name]
            low, high = (
                c.interval_low_millisiemens_per_cm,
                c.interval_high_millisiemens_per_cm,
            )
            hits[0, k] += low <= truth <= high
            low, high = (
                c.linear_low_millisiemens_per_cm,
                c.linear_high_millisiemens_per_cm,
            )
            hits[1, k] += low <= truth <= high
    # 95 of 100; the binomial has a standard deviation of 2.2
    assert (hits >= 89).all()
    assert (hits <= 100).all()


def test_pairs_of_any_kind_are_covered_or_called_not_determined():
    rng = np.random.default_rng(11)
    right, wrong, vague = 0, 0, 0
    for seed in range(40):
        ionic, electronic = 10.0 ** rng.uniform(-3.5, 1.0, 2)
        cell = {"ionic": ionic, "electronic": electronic, "area": 0.785}
        cell["thickness_um"] = 10.0 ** rng.uniform(1.3, 3.0)
        series = (10.0 ** rng.uniform(-1.0, 1.5), 10.0 ** rng.uniform(-1.0, 2.5))
        found = fitted(cell, noise=0.003, seed=seed, series=series)
        for c, name in ((found.ionic, "ionic"), (found.electronic, "electronic")):
            low, high = c.low_millisiemens_per_cm, c.high_millisiemens_per_cm
            if not c.determined:
                vague += 1
            elif low <= cell[name] <= high:
                right += 1
            else:
                wrong += 1
    # 5 % of the intervals are wrong by definition
    assert wrong <= 0.1 * right
    assert right >= 50
    assert vague > 0


def test_the_profile_ends_where_the_cost_has_risen_by_the_quantile():
    pair = simulated(SLURRY, noise=0.005, seed=3)
    found = partial_conductivities(*pair, thickness_um=41.0, variant=Variant())
    cells = tuple(
        BlockedCell(role, 41.0, 0.636, s)
        for role, s in zip(("ion_blocking", "electron_blocking"), pair, strict=True)
    )
    model = BlockingModel(cells, Variant())
    start = start_of(model)
    how = {"lower": model.lower, "upper": model.upper, "most_iterations": 60}
    how |= {"longest_step": model.longest_step}
    best = minimise(model.residual, start, free=model.free, **how)
    freedom = best.residual.size - int(model.free.sum())
    rise = stdtrit(freedom, 0.975) ** 2 * best.cost / freedom
    free = model.free.copy()
    free[0] = False
    for end in (
        found.ionic.interval_low_millisiemens_per_cm,
        found.ionic.interval_high_millisiemens_per_cm,
    ):
        held = best.parameters.copy()
        held[0] = np.log(1e-3 * end)
        at = minimise(model.residual, held, free=free, **how)
        assert (at.cost - best.cost) / rise == pytest.approx(1.0, rel=0.06)


def start_of(model):
    p = np.zeros(len(model.names))
    values = {"ionic": np.log(1.4e-4), "electronic": np.log(4.8e-5)}
    values |= {"coefficient_0": np.log(PER_VOLUME), "exponent_0": 0.9}
    values |= {"series_0": 0.5, "series_1": 60.0}
    values |= {"coefficient_1": np.log(PER_VOLUME), "exponent_1": 0.9}
    values |= {"arc_ohm": np.log(5.0), "arc_second": -10.0, "arc_exponent": 0.8}
    values |= {"terminal": np.log(CAPACITY), "inductance_0": 0.1, "inductance_1": 0.2}
    for name, i in model.index.items():
        p[i] = values[name]
    return p


# --- choice of the model


def test_another_interface_in_one_cell_is_found_and_costs_little():
    found = fitted(SLURRY, noise=0.002, own=1.3)
    assert found.models[0].name.startswith("own interfaces")
    assert np.abs(errors(found, SLURRY)).max() < 1.5


def test_a_capacity_of_the_ends_is_found():
    found = fitted(SLURRY, noise=0.002, ends=CAPACITY)
    assert "capacity at the blocked ends" in found.models[0].name
    assert np.abs(errors(found, SLURRY)).max() < 1.0
    (value,) = (p.value for p in found.parameters if p.name.startswith("blocked ends"))
    assert value == pytest.approx(CAPACITY, rel=0.1)


def test_an_arc_of_the_separators_is_found():
    found = fitted(SLURRY, noise=0.002, arc=(10.0, 1e-6))
    assert "arc of the separators" in found.models[0].name
    assert np.abs(errors(found, SLURRY)).max() < 2.5


def test_the_band_holds_the_interval_and_every_supported_model():
    found = fitted(SLURRY, noise=0.005, seed=1)
    c = found.ionic
    assert c.low_millisiemens_per_cm <= c.interval_low_millisiemens_per_cm
    assert c.high_millisiemens_per_cm >= c.interval_high_millisiemens_per_cm
    supported = [m for m in found.models if m.supported]
    assert len(supported) > 1
    for model in supported:
        value = model.ionic_conductivity_millisiemens_per_cm
        assert c.low_millisiemens_per_cm <= value <= c.high_millisiemens_per_cm
    assert [m.chosen for m in found.models] == [True] + [False] * 5


def test_a_model_asked_for_is_the_only_one():
    wanted = Variant(own_interfaces=True, separator_arc=True, terminal_capacity=True)
    pair = simulated(SLURRY, noise=0.001, arc=(10.0, 1e-6), ends=CAPACITY)
    found = partial_conductivities(*pair, thickness_um=41.0, variant=wanted)
    assert [m.name for m in found.models] == [wanted.name]
    assert np.abs(errors(found, SLURRY)).max() < 8.0


# --- what one cell alone cannot say


def flat_profile(pair, variant, series):
    """Cost, in units of the noise, with the ionic conductivity held 1.5 times off."""
    roles = ("ion_blocking", "electron_blocking")[: len(pair)]
    cells = tuple(
        BlockedCell(r, 41.0, 0.636, s, ohm)
        for r, s, ohm in zip(roles, pair, series, strict=True)
    )
    model = BlockingModel(cells, variant)
    start = start_of(model)
    start[0] += np.log(1.5)
    free = model.free.copy()
    free[0] = False
    found = minimise(
        model.residual,
        start,
        free=free,
        lower=model.lower,
        upper=model.upper,
        longest_step=model.longest_step,
        most_iterations=200,
    )
    return float(np.sqrt(found.cost / found.residual.size))


def test_one_cell_with_an_unknown_series_resistance_determines_nothing():
    pair = simulated(SLURRY, series=(20.0, 60.0))
    plain = Variant(inductance=False)
    # half as much again of the conductivity, and the spectrum is the same to rounding
    assert flat_profile(pair[:1], plain, (None,)) < 1e-5
    assert flat_profile(pair[:1], plain, (20.0,)) > 1e-2
    assert flat_profile(pair, plain, (None, None)) > 5e-3


def test_the_jacobian_of_one_cell_is_singular_and_that_of_a_pair_is_not():
    pair = simulated(SLURRY)
    cells = tuple(
        BlockedCell(r, 41.0, 0.636, s)
        for r, s in zip(("ion_blocking", "electron_blocking"), pair, strict=True)
    )
    for kept, singular in ((cells[:1], True), (cells[1:], True), (cells, False)):
        model = BlockingModel(kept, Variant(inductance=False))
        start = start_of(model)
        _, ratio = covariance(model.residual(start)[1], model.free, 1.0)
        assert (ratio < 1e-12) is singular
        assert (ratio > 1e-4) is not singular


def test_one_cell_is_refused_without_and_flagged_with_a_series_resistance():
    first, second = simulated(SLURRY, noise=0.001)
    with pytest.raises(FitError, match="determines neither"):
        partial_conductivity_of_one(
            first, "ion_blocking", series_ohm=None, thickness_um=41.0
        )
    for spectrum, role, ohm in (
        (first, "ion_blocking", 0.5),
        (second, "electron_blocking", 60.0),
    ):
        found = partial_conductivity_of_one(
            spectrum, role, series_ohm=ohm, thickness_um=41.0
        )
        assert found.series_assumed
        assert "taken as known" in found.notes[0]
        assert np.abs(errors(found, SLURRY)).max() < 4.0
    off = partial_conductivity_of_one(
        first, "ion_blocking", series_ohm=5.5, thickness_um=41.0
    )
    # 5 of 36 ohm at high frequency are taken from the rails, and nothing shows it
    assert errors(off, SLURRY)[0] > 10.0
    assert off.misfit_percent < 0.12


def test_a_series_resistance_that_is_known_narrows_the_interval():
    pair = simulated(SLURRY, noise=0.005, seed=2)
    free = partial_conductivities(*pair, thickness_um=41.0, variant=Variant())
    known = partial_conductivities(
        *pair, thickness_um=41.0, variant=Variant(), series_ohm=(0.5, 60.0)
    )

    def width(found):
        c = found.ionic
        return c.interval_high_millisiemens_per_cm / c.interval_low_millisiemens_per_cm

    assert width(known) < width(free)
    assert known.cells[1].series_ohm == 60.0


# --- doubts


def test_exchanged_files_are_told_by_what_is_in_series():
    pair = simulated(SLURRY, noise=0.002)
    right = partial_conductivities(*pair, thickness_um=41.0)
    wrong = partial_conductivities(*reversed(pair), thickness_um=41.0)
    assert not any("exchanged" in n for n in right.notes)
    assert any("if the files are exchanged" in n for n in wrong.notes)
    # pellets alike: the same spectra, the conductivities change places
    assert wrong.ionic_conductivity_millisiemens_per_cm == pytest.approx(
        right.electronic_conductivity_millisiemens_per_cm, rel=0.02
    )


def test_exchanged_files_of_unlike_pellets_are_told_by_the_fit():
    pair = simulated(PELLET, noise=0.002, thickness=(424.0, 800.0), series=(5.0, 5.0))
    with pytest.warns(EquipoiseWarning, match="% off; check that the first file"):
        wrong = partial_conductivities(
            *reversed(pair), thickness_um=(424.0, 800.0), variant=Variant()
        )
    assert any("with the spectra exchanged" in n for n in wrong.notes)
    # with much in series, own interfaces hide the exchange in the residuals, but not
    # in the number of parameters
    pair = simulated(
        PELLET, noise=0.002, thickness=(424.0, 800.0), series=(400.0, 400.0)
    )
    hidden = partial_conductivities(*reversed(pair), thickness_um=(424.0, 800.0))
    assert hidden.misfit_percent < 0.25
    assert any("with the spectra exchanged" in n for n in hidden.notes)
    right = partial_conductivities(*pair, thickness_um=(424.0, 800.0))
    assert not any("exchanged" in n for n in right.notes)


def test_an_electrolyte_between_metals_is_refused():
    path = data_file("eis/hybrid_drt/converted_PEIS_LPSCl_IonBlocking_-25C.csv")
    table = pl.read_csv(path)
    z = table["ReZ_ohm"].to_numpy() + 1j * table["ImZ_ohm"].to_numpy()
    pure = Spectrum.of(table["freq_Hz"].to_numpy(), z, area_cm2=1.27, where="LPSCl")
    _, other = simulated(SLURRY)
    with pytest.raises(FitError, match="both carriers are blocked") as caught:
        partial_conductivities(pure, other, thickness_um=41.0)
    assert caught.value.where == "LPSCl"
    assert "an electrolyte alone" in caught.value.remedy
    with pytest.raises(FitError, match="ions should pass"):
        partial_conductivity_of_one(
            pure, "electron_blocking", series_ohm=0.0, thickness_um=41.0
        )


def test_plain_resistors_are_refused():
    f = np.logspace(6, -1, 71)
    flat = Spectrum.of(f, np.full(71, 50.0 + 0j), area_cm2=1.0)
    with pytest.raises(FitError, match="no relaxation"):
        partial_conductivities(flat, flat, thickness_um=41.0)


def test_two_arcs_far_apart_are_refused():
    f = np.logspace(6, -1, 71)
    w = 2.0 * np.pi * f
    z = 10.0 + 50.0 / (1.0 + 1e-5j * w) + 80.0 / (1.0 + 0.3j * w)
    both = Spectrum.of(f, z, area_cm2=1.0, where="two arcs")
    with pytest.raises(FitError, match="no line of two rails") as caught:
        partial_conductivities(both, both, thickness_um=41.0)
    assert "between metals" in caught.value.remedy


def test_a_feature_that_no_model_has_widens_the_intervals_and_is_told():
    first, second = simulated(SLURRY, noise=0.001)
    w = first.angular_frequency
    odd = first.minus(-3.0 / (1.0 + 1e-6j * w))
    clean = partial_conductivities(first, second, thickness_um=41.0, variant=Variant())
    found = partial_conductivities(odd, second, thickness_um=41.0, variant=Variant())
    assert found.residual_correlation_ratio > 0.5
    assert clean.residual_correlation_ratio < 0.3
    assert any("misses a feature" in n for n in found.notes)

    def width(c):
        return c.interval_high_millisiemens_per_cm / c.interval_low_millisiemens_per_cm

    assert width(found.ionic) - 1.0 > 3.0 * (width(clean.ionic) - 1.0)


def test_what_is_missing_is_named():
    first, second = simulated(SLURRY)
    bare = first.with_area(None)
    with pytest.raises(SpecError, match="area is not known"):
        partial_conductivities(bare, second, thickness_um=41.0)
    with pytest.raises(SpecError, match="thickness_um = 0"):
        partial_conductivities(first, second, thickness_um=0.0)
    with pytest.raises(SpecError, match="series_ohm = -1"):
        partial_conductivities(
            first, second, thickness_um=41.0, series_ohm=(-1.0, None)
        )
    with pytest.raises(DataError, match="needs at least 15"):
        partial_conductivities(
            first.between(1.0, 9.0), second, thickness_um=41.0, area_cm2=0.6
        )
    with pytest.raises(SpecError, match="no blocking cell"):
        partial_conductivity_of_one(first, "ions", series_ohm=1.0, thickness_um=41.0)
    with pytest.raises(SpecError, match="3 values"):
        partial_conductivities(first, second, thickness_um=(1.0, 2.0, 3.0))


def test_a_plateau_is_told_from_a_slope():
    first, _ = simulated(SLURRY, noise=0.002)
    seen = glance(first)
    assert seen.plateau
    # R_e + R_series
    assert seen.low_ohm == pytest.approx(41e-4 / 0.636 / 4.8e-5 + 0.5, rel=0.005)
    assert not glance(first.between(10.0, 1e6)).plateau


def test_a_cut_spectrum_says_that_it_extrapolates():
    pair = [s.between(30.0, 1e6) for s in simulated(SLURRY, noise=0.001)]
    found = partial_conductivities(*pair, thickness_um=41.0, variant=Variant())
    assert sum("has not reached" in n for n in found.notes) == 2
    assert np.isnan(found.cells[0].direct_current_ohm)
    # half of the arc is left, and it is enough
    assert np.abs(errors(found, SLURRY)).max() < 3.0


# --- the model and its numbers


@pytest.mark.parametrize("ends", [False, True])
@pytest.mark.parametrize("arc", [False, True])
@pytest.mark.parametrize("own", [False, True])
def test_derivatives_of_all_parameters(own, arc, ends):
    cells = tuple(
        BlockedCell(r, t, 0.636, s)
        for r, t, s in zip(
            ("ion_blocking", "electron_blocking"),
            (41.0, 60.0),
            simulated(SLURRY),
            strict=True,
        )
    )
    model = BlockingModel(cells, Variant(own, arc, ends))
    p = start_of(model)
    _, jacobian = model.residual(p)
    h = 1e-3
    for i, name in enumerate(model.names):
        step = h * np.eye(p.size)[i]

        def f(k, step=step):
            return model.residual(p + k * step)[0]

        numeric = (8.0 * (f(1) - f(-1)) - (f(2) - f(-2))) / (12.0 * h)
        scale = max(1.0, float(np.abs(numeric).max()))
        assert np.abs(jacobian[:, i] - numeric).max() < 1e-8 * scale, name


def test_the_model_of_the_fit_is_the_general_line():
    w = 2.0 * np.pi * np.logspace(7, -3, 41)
    y_c = constant_phase(w, coefficient=2e-4, exponent=0.9)
    y_b = constant_phase(w, coefficient=1e-6, exponent=0.95)
    found = through_line(98.0, 34.0, y_c, y_b)[0]
    expected = line_between(
        Terminals(1.0 / y_b, 0.0, 1.0 / y_b, 0.0),
        1.0 / y_c,
        ionic_ohm=34.0,
        electronic_ohm=98.0,
    )
    assert np.abs(found / expected - 1.0).max() < 1e-13


def test_a_straight_line_is_fitted_as_by_the_normal_equations():
    x = np.linspace(0.0, 1.0, 20)
    y = 2.0 + 3.0 * x + 0.1 * np.cos(40.0 * x)
    a = np.stack((np.ones(20), x), axis=1)

    def residual(p):
        return a @ p - y, a

    def search(upper):
        return minimise(
            residual,
            np.zeros(2),
            lower=np.zeros(2),
            upper=np.array(upper),
            free=np.ones(2, dtype=bool),
            longest_step=np.full(2, np.inf),
            most_iterations=50,
        )

    expected, *_ = np.linalg.lstsq(a, y)
    assert np.abs(search([9.0, 9.0]).parameters - expected).max() < 1e-6
    # with the slope held at its bound the other is the mean of what is left
    held = search([9.0, 1.0])
    assert held.parameters[1] == 1.0
    assert held.parameters[0] == pytest.approx((y - x).mean(), abs=1e-6)
    unit, ratio = covariance(a, np.ones(2, dtype=bool), 2.0)
    assert np.abs(unit - 2.0 * np.linalg.inv(a.T @ a)).max() < 1e-13
    assert ratio > 0.1


def test_the_dictionary_and_the_table_hold_what_is_documented():
    found = fitted(SLURRY, noise=0.002)
    told = found.as_dict()
    for name, c in (("ionic", found.ionic), ("electronic", found.electronic)):
        key = f"{name}_conductivity"
        unit = "millisiemens_per_cm"
        assert told[f"{key}_{unit}"] == c.value_millisiemens_per_cm
        assert told[f"{key}_low_{unit}"] == c.low_millisiemens_per_cm
        assert told[f"{key}_high_{unit}"] == c.high_millisiemens_per_cm
        assert told[f"{key}_determined"] is True
    assert len(told["models"]) == 6
    assert {p["name"] for p in told["parameters"]} >= {
        "ionic conductivity",
        "in series, electron-blocking cell",
    }
    table = found.table()
    assert table.height == 142
    off = table["fitted_real_impedance_ohm"] - table["real_impedance_ohm"]
    modulus = np.hypot(table["real_impedance_ohm"], table["imaginary_impedance_ohm"])
    assert np.allclose(table["real_residual_percent"], 100.0 * off / modulus)
    assert -1.0 <= found.correlation_ratio <= 1.0


def test_the_figure_shows_both_cells_on_equal_scales():
    from equipoise.viz.partial_conductivities import partial_conductivities_figure
    from equipoise.viz.style import svg_text

    figure = partial_conductivities_figure(fitted(SLURRY, noise=0.002))
    text = svg_text(figure)
    for words in ("Ion-blocking cell", "Electron-blocking cell", "100 Hz", "mS cm⁻¹"):
        assert words in text
    assert "mathdefault" not in text
    for ax in figure.axes[:2]:
        box = ax.get_window_extent()
        (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
        across, up = box.width / (right - left), box.height / (top - bottom)
        assert across == pytest.approx(up, rel=1e-6)
