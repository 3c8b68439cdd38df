"""Absurd numbers end in an answer, a refusal or a status: no hang, no silent NaN."""

import time
from dataclasses import replace

import numpy as np
import pytest

import equipoise as eqp
from engine_cells import (
    SMALL,
    SMOOTH_NEGATIVE,
    SMOOTH_POSITIVE,
    USER,
    cell,
    charge,
    discharge,
    electrode,
    hold,
    inventory,
    kinetics,
    protocol,
    rest,
    smooth_cell,
    tried,
)
from equipoise.core.errors import EquipoiseWarning, SolveError, SpecError
from equipoise.core.status import Status
from equipoise.kernels.program import End, Reason
from equipoise.protocol.steps import Charge, Cycle, Hold, Repeat
from equipoise.sim.mesh import Mesh, Stepping
from equipoise.sim.simulate import simulate

FULL = (charge(1), hold(until_c_rate=0.05), rest(0.5), discharge(1), rest(0.5))
FINITE = [
    End.COULOMB,
    End.JOULE,
    End.AMPERE,
    End.VOLT,
    End.POSITIVE_VOLT,
    End.NEGATIVE_VOLT,
    End.POSITIVE_LITHIATION,
    End.NEGATIVE_LITHIATION,
    End.END_SECOND,
]
MOST_SECONDS = 20.0


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """The kernels: compiling them is not part of the time of a run."""
    for model in ("dfn", "spm", "quasi-static"):
        tried(cell(), charge(1), model=model)


def ends_well(known, *steps, **keys):
    """Comes back soon; what is not finite has a status; a status has advice."""
    begin = time.perf_counter()
    run = tried(known, *steps, **keys)
    assert time.perf_counter() - begin < MOST_SECONDS
    done = run.results if run.status == Status.OK else run.results[:-1]
    assert np.isfinite(done[:, FINITE]).all()
    if run.status != Status.OK:
        assert run.status.advice
        assert not run.finished
        assert run.results[-1, End.REASON] == Reason.FAILED
    return run


# ---------------------------------------------------------------- refused numbers

POSITIVE_KEYS = (
    "particle_radius_um",
    "diffusivity_cm2_per_s",
    "exchange_current_ma_per_cm2",
    "ionic_conductivity_millisiemens_per_cm",
    "electronic_conductivity_millisiemens_per_cm",
    "contact_area_fraction",
    "hysteresis_capacity_mah_per_g",
    "lithium_capacity_mah_per_g",
)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf"), -1e-300])
@pytest.mark.parametrize("key", POSITIVE_KEYS)
def test_rates_that_are_not_positive_are_refused(key, value):
    with pytest.raises(SpecError, match=key):
        kinetics({key: value})


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_resistances_that_are_negative_or_not_finite_are_refused(value):
    with pytest.raises(SpecError, match="film_resistance"):
        kinetics({"film_resistance_ohm_cm2": value})
    with pytest.raises(SpecError, match="contact_resistance"):
        kinetics(contact_resistance_ohm_cm2=value)
    with pytest.raises(SpecError, match="separator_conductivity"):
        kinetics(separator_conductivity_millisiemens_per_cm=value)


@pytest.mark.parametrize("alpha", [0.0, 1.0, -0.1, 1.1, float("nan")])
def test_transfer_coefficients_outside_zero_and_one_are_refused(alpha):
    with pytest.raises(SpecError, match="anodic_transfer_fraction"):
        kinetics({"anodic_transfer_fraction": alpha})


@pytest.mark.parametrize("values", [[1e-11, 0.0], [1e-11, -1e-11], [1e-11, np.nan]])
def test_dependences_that_are_not_positive_are_refused(values):
    table = {"lithiation_fraction": [0.0, 1.0], "values": [float(v) for v in values]}
    with pytest.raises(SpecError, match="diffusivity"):
        kinetics({"diffusivity_cm2_per_s": table})
    with pytest.raises(SpecError, match="electronic"):
        kinetics({"electronic_conductivity_millisiemens_per_cm": table})


def test_particle_classes_must_add_up():
    with pytest.raises(SpecError, match="add up"):
        kinetics({"particle_classes": [{"name": "a", "share_fraction": 0.5}]})


# ---------------------------------------------------------------- absurd numbers

ABSURD = [
    ("ionic_conductivity_millisiemens_per_cm", (1e-300, 1e-12, 1e-3, 1e6, 1e300)),
    ("electronic_conductivity_millisiemens_per_cm", (1e-300, 1e-12, 1e-3, 1e6, 1e300)),
    ("diffusivity_cm2_per_s", (1e-300, 1e-25, 1e-18, 1e-14, 1.0, 1e300)),
    ("exchange_current_ma_per_cm2", (1e-300, 1e-12, 1e-5, 1e6, 1e300)),
    ("particle_radius_um", (1e-12, 1e-3, 1e3, 1e12)),
    ("film_resistance_ohm_cm2", (1e6, 1e300)),
    ("contact_area_fraction", (1e-9, 1e-300)),
    ("hysteresis_capacity_mah_per_g", (1e-300, 1e-9, 1e300)),
    ("lithium_capacity_mah_per_g", (1e-9, 1.0, 1e9)),
    ("anodic_transfer_fraction", (1e-6, 0.01, 0.99, 1.0 - 1e-9)),
]


@pytest.mark.parametrize("side", ["positive", "negative"])
@pytest.mark.parametrize(
    ("key", "value"), [(k, v) for k, values in ABSURD for v in values]
)
def test_absurd_rates_end_with_an_answer_or_a_status(side, key, value):
    ends_well(cell(**{side: {key: value}}), *FULL)


@pytest.mark.parametrize("side", ["positive", "negative"])
@pytest.mark.parametrize(
    "table",
    [
        {"lithiation_fraction": [0.0, 1.0], "values": [1e-8, 1e-25]},
        {"lithiation_fraction": [0.0, 1.0], "values": [1e-25, 1e-8]},
        {"lithiation_fraction": [0.5, 0.500001], "values": [1e-8, 1e-25]},
    ],
)
def test_diffusivities_over_seventeen_decades_end_with_an_answer_or_a_status(
    side, table
):
    ends_well(cell(**{side: {"diffusivity_cm2_per_s": table}}), *FULL)


def test_absurd_series_resistances_end_with_an_answer_or_a_status():
    for keys in (
        {"separator_conductivity_millisiemens_per_cm": 1e-12},
        {"separator_conductivity_millisiemens_per_cm": 1e300},
        {"contact_resistance_ohm_cm2": 1e12},
        {"contact_resistance_ohm_cm2": 1e300},
    ):
        ends_well(cell(**keys), *FULL)


@pytest.mark.parametrize("ionic", [1e-3, 3e-3, 1e-2, 3e-2])
@pytest.mark.parametrize("side", ["positive", "negative"])
def test_poor_conductors_are_solved_not_given_up(side, ionic):
    """0.001-0.03 mS/cm is a bad composite, not an absurd one; 1C and 5C."""
    for exchange in (1e-3, 0.1):
        for rate in (1, 5):
            run = ends_well(
                cell(
                    **{
                        side: {
                            "ionic_conductivity_millisiemens_per_cm": ionic,
                            "exchange_current_ma_per_cm2": exchange,
                        }
                    }
                ),
                charge(rate),
                hold(until_time_hour=1.0),
                discharge(rate),
            )
            assert run.status == Status.OK, (exchange, rate)


@pytest.mark.parametrize("rate", [0.1, 0.5, 1, 2])
@pytest.mark.parametrize("nodes", [1, 5, 20])
def test_curves_that_end_without_a_tail_are_solved(rate, nodes):
    """Straight to x = 0: the surface empties before the cut-off voltage is reached."""
    mesh = Mesh(positive_nodes_count=nodes, negative_nodes_count=nodes, shells_count=8)
    run = ends_well(smooth_cell(), charge(rate), discharge(rate), mesh=mesh)
    assert run.status == Status.OK


@pytest.mark.parametrize("alpha", [0.1, 0.3, 0.7, 0.9, 0.99])
@pytest.mark.parametrize("side", ["positive", "negative"])
def test_asymmetric_reactions_are_solved(side, alpha):
    run = ends_well(cell(**{side: {"anodic_transfer_fraction": alpha}}), *FULL)
    assert run.status == Status.OK


# ---------------------------------------------------------------- protocols


@pytest.mark.parametrize("rate", [1000.0, 100.0, 20.0, 1e-3])
@pytest.mark.parametrize("model", ["dfn", "spm", "quasi-static"])
def test_extreme_rates(rate, model):
    run = ends_well(cell(), charge(rate), discharge(rate), model=model)
    assert run.status == Status.OK
    if model == "dfn" and rate == 1000.0:
        assert abs(run.results[0, End.COULOMB]) < 1e-3
        assert any("from the first moment" in n for n in run.notes)


def test_a_step_that_meets_no_limit_is_ended_by_the_clock():
    known = cell()
    run = ends_well(
        known,
        Charge(current_ma=1e-6),  # 5 x 3600 s / C-rate
        Hold(voltage_volt=2.5, until_current_ma=1e-12),
    )
    assert run.status == Status.OK
    assert any("ended by the clock" in n for n in run.notes)


def test_long_rests_are_bounded_and_reach_their_end():
    """A rest of a year costs no more than one of a day: nothing happens any more."""
    for hour in (100.0, 1000.0, 8766.0):
        run = ends_well(cell(), charge(1), rest(hour))
        assert run.status == Status.OK, hour
        took = run.results[1, End.END_SECOND] - run.results[1, End.START_SECOND]
        assert took == pytest.approx(3600.0 * hour, rel=1e-12)


def test_too_many_substeps_is_a_status_with_advice():
    few = Stepping(most_substeps_count=10)
    with pytest.raises(SolveError, match=r"step 1 .*charge 1C") as caught:
        simulate(cell(), protocol(*FULL), mesh=SMALL, stepping=few)
    assert caught.value.status == Status.TOO_MANY_SUBSTEPS
    assert "substeps" in caught.value.remedy
    with pytest.warns(EquipoiseWarning, match="could not be finished"):
        run = simulate(cell(), protocol(*FULL), mesh=SMALL, stepping=few, strict=False)
    assert run.status == Status.TOO_MANY_SUBSTEPS
    assert not run.finished
    assert run.steps["ended_by"].to_list() == ["not solved"]
    assert run.cycles.height == 1
    assert run.trace.height <= 11


def test_a_failed_step_is_not_called_one_that_was_at_its_cut_off():
    """A note about a limit belongs to a step that met one."""
    for value in (1e-300, 1e300):
        run = tried(cell({"film_resistance_ohm_cm2": value}), *FULL)
        failed = run.results[:, End.REASON] == Reason.FAILED
        if failed[0]:
            assert not any("from the first moment" in n for n in run.notes)


def test_tests_of_a_million_cycles_are_refused_and_of_thousands_are_run():
    run = simulate(
        cell(),
        protocol(
            Repeat(
                count=2000,
                steps=(
                    charge(5, until_time_second=20.0),
                    discharge(5, until_time_second=20.0),
                ),
            )
        ),
        mesh=Mesh(positive_nodes_count=1, negative_nodes_count=1, shells_count=2),
        trace="none",
    )
    assert run.results.shape[0] == 4000
    assert run.samples.shape[0] == 0
    with pytest.raises(ValueError, match="at most"):
        protocol(Cycle(c_rate=1.0, count=1_000_000))


# ---------------------------------------------------------------- windows and curves


@pytest.mark.parametrize("model", ["dfn", "spm", "quasi-static"])
@pytest.mark.parametrize(
    ("upper", "lower"), [(5.5, 1.35), (9.9, 1.35), (2.75, -1.0), (2.75, 0.0)]
)
def test_a_window_beyond_the_curves_is_not_answered_silently(upper, lower, model):
    """The curves end at 4.3 V and 1 V; `design_cell` refuses such a window.

    An answer from extrapolated curves must say so: refused, failed, or noted.
    """
    known = eqp.load_cell("zhang2026-lb").with_window(
        upper_volt=upper, lower_volt=lower
    )
    begin = time.perf_counter()
    try:
        run = tried(known, charge(0.2), discharge(0.2), model=model)
    except (SpecError, SolveError):
        return
    assert time.perf_counter() - begin < MOST_SECONDS
    assert run.status != Status.OK or run.notes


@pytest.mark.parametrize(
    "keys",
    [
        {"positive_start_mah_per_g": 1000.0},
        {"negative_start_mah_per_g": 1000.0},
        {"lithium_loss_mah_per_g_positive": -1000.0},
    ],
)
def test_a_cell_built_with_more_lithium_than_there_are_sites_is_refused(keys):
    known = inventory(cell(), **keys)
    with pytest.raises(SpecError):
        simulate(known, protocol(charge(0.2)), mesh=SMALL)


def test_lithium_fractions_stay_between_empty_and_full():
    """Whatever the cell is asked for, particles hold no less than nothing."""
    lb = eqp.load_cell("zhang2026-lb")
    for known in (
        lb.with_np_ratio(0.1),
        lb.with_np_ratio(10.0),
        inventory(lb, lithium_loss_mah_per_g_positive=1000.0),
        lb.with_window(upper_volt=5.5, lower_volt=0.1),
        smooth_cell(),
    ):
        run = tried(known, *(charge(0.2), discharge(0.2)) * 2)
        for column in (End.POSITIVE_LITHIATION, End.NEGATIVE_LITHIATION):
            x = run.results[:, column]
            assert x.min() > -1e-3
            assert x.max() < 1.0 + 1e-3


def test_inverted_windows_are_refused():
    with pytest.raises(SpecError, match="must lie above"):
        cell().with_window(upper_volt=1.0, lower_volt=2.0)
    with pytest.raises(SpecError, match="window"):
        simulate(cell(), protocol(charge(1, until_voltage_volt=1.0)))
    with pytest.raises(SpecError, match="window"):
        simulate(cell(), protocol(discharge(1, until_voltage_volt=3.0)))


def test_flat_curves_are_solved():
    """Two dead-flat electrodes: no slope anywhere to find the distribution by."""
    flat = {"form": "constant", "capacity_mah_per_g": 175.1, **USER}
    known = cell(
        negative={
            "open_circuit": flat | {"axis": "lithiated", "potential_vs_li_volt": 1.55}
        }
    )
    some = {"until_capacity_mah_per_g_positive": 100.0}  # away from both ends
    flows = (
        charge(1, **some),
        rest(0.5),
        discharge(1, **some | {"until_time_hour": 0.2}),
    )
    run = ends_well(known, *flows)
    assert run.status == Status.OK
    both = cell(
        {
            "open_circuit": flat
            | {
                "axis": "delithiated",
                "potential_vs_li_volt": 3.8,
                "capacity_mah_per_g": 274.98,
            }
        },
        {"open_circuit": flat | {"axis": "lithiated", "potential_vs_li_volt": 1.55}},
    )
    run = ends_well(both, *flows)
    assert run.status == Status.OK


@pytest.mark.parametrize("steepness", [100.0, 1e4, 1e8])
def test_a_steep_jump_in_the_curve_is_passed(steepness):
    """0.4 V at half filling, over 1 % and over nothing."""
    jump = SMOOTH_POSITIVE | {
        "terms": [{"height_volt": -0.2, "steepness": steepness, "centre": 0.55}],
        "slope_volt": -0.5,
        "offset_vs_li_volt": 4.3,
    }
    known = cell({"open_circuit": jump}, {"open_circuit": SMOOTH_NEGATIVE})
    run = ends_well(
        known,
        charge(0.5),
        discharge(0.5, until_capacity_mah_per_g_positive=80.0),
    )
    if steepness < 1e6:  # a true discontinuity may end with a status
        assert run.status == Status.OK


# ---------------------------------------------------------------- meshes and models


@pytest.mark.parametrize("model", ["DFN", "p2d", "", None])
def test_unknown_models_are_refused(model):
    with pytest.raises(SpecError, match="not known") as caught:
        simulate(cell(), protocol(charge(1)), model=model)
    assert "spm" in caught.value.remedy


def test_cells_without_kinetics_or_conductivity_are_refused():
    lb = eqp.load_cell("zhang2026-lb")
    with pytest.raises(SpecError, match="no kinetics"):
        simulate(replace(lb, kinetics=None), protocol(charge(1)))
    rates = electrode()
    del rates["ionic_conductivity_millisiemens_per_cm"]
    known = replace(lb, kinetics=kinetics(negative=rates))
    bare = known.kinetics.negative.model_copy(
        update={"ionic_conductivity_millisiemens_per_cm": None}
    )
    known = replace(lb, kinetics=known.kinetics.model_copy(update={"negative": bare}))
    with pytest.raises(SpecError, match=r"ionic conductivity .* not given") as caught:
        simulate(known, protocol(charge(1)))
    assert "negative" in str(caught.value)


@pytest.mark.parametrize(("nodes", "shells"), [(1, 1), (1, 30), (30, 1), (2, 2)])
def test_smallest_meshes(nodes, shells):
    mesh = Mesh(
        positive_nodes_count=nodes, negative_nodes_count=nodes, shells_count=shells
    )
    run = ends_well(cell(), *FULL, mesh=mesh)
    assert run.status == Status.OK
    assert 120.0 < run.cycles["charging_capacity_mah_per_g_positive"][0] < 260.0


def test_largest_mesh():
    mesh = Mesh(positive_nodes_count=400, negative_nodes_count=400, shells_count=3)
    run = ends_well(cell(), charge(1), discharge(1), mesh=mesh)
    assert run.status == Status.OK
    coarse = ends_well(
        cell(),
        charge(1),
        discharge(1),
        mesh=Mesh(positive_nodes_count=40, negative_nodes_count=40, shells_count=3),
    )
    np.testing.assert_allclose(
        run.results[:, End.COULOMB], coarse.results[:, End.COULOMB], rtol=2e-3
    )


@pytest.mark.parametrize("count", [0, -1, 401, 2.5, True, "5"])
def test_meshes_out_of_range_are_refused(count):
    with pytest.raises(ValueError, match="positive_nodes_count"):
        Mesh(positive_nodes_count=count)


@pytest.mark.parametrize("value", [0.0, -1e-4, float("nan"), float("inf")])
def test_tolerances_out_of_range_are_refused(value):
    with pytest.raises(ValueError, match="tolerance_volt"):
        Stepping(tolerance_volt=value)


@pytest.mark.parametrize("trace", [5, [float("nan")], [1.5], ["first"], "some", [0]])
def test_a_trace_that_is_no_cycles(trace):
    cell, protocol = eqp.load_cell("zhang2026-hb"), eqp.load_protocol("first-cycle")
    with pytest.raises(SpecError, match="trace = "):
        simulate(cell, protocol, model="spm", trace=trace)
