"""Calibration finds what the data say, and says what they do not."""

from dataclasses import replace

import numpy as np
import pytest

from equipoise import FitError, SpecError, load_cell, simulate
from equipoise.fit.calibration import Case, Parameter, Target, calibrate
from equipoise.protocol.parsing import parse
from equipoise.sim.mesh import Mesh, Stepping

MESH = Mesh(positive_nodes_count=2, negative_nodes_count=2, shells_count=4)
STEPPING = Stepping(tolerance_volt=2e-4)
LB = load_cell("zhang2026-lb")
CYCLE = parse(
    {"name": "c", "steps": [{"do": "cycle", "c_rate": r} for r in (0.5, 2.0, 5.0)]},
    where="test",
)
CONTACT = Parameter("contact", 1.0, -1.0, 3.0, 1.0, unit="ohm cm2")
STRETCH = Parameter("stretch", 1.0, 0.9, 1.1, 0.05, logarithmic=False)
NO_USE = Parameter("unused", 0.5, -3.0, 3.0, 1.0)
TRUE = {"contact": 20.0, "stretch": 1.03}


def rates(values):
    content = LB.kinetics.model_dump()
    content["contact_resistance_ohm_cm2"] = values["contact"]
    content["positive"]["open_circuit_stretch_ratio"] = values.get("stretch", 1.0)
    return type(LB.kinetics).model_validate(content)


def discharge(step):
    return lambda t: -t["capacity_mah_per_g_positive"][step]


def targets(uncertainty=0.1):
    cell = replace(LB, kinetics=rates(TRUE))
    run = simulate(cell, CYCLE, mesh=MESH, stepping=STEPPING, trace="none")
    return [
        Target(
            f"q{i}", "lb", discharge(i), discharge(i)(run.steps), uncertainty, "mAh/g"
        )
        for i in (1, 3, 5)
    ]


def found(parameters, **options):
    return calibrate(
        rates,
        parameters,
        [Case("lb", LB, CYCLE)],
        targets(),
        mesh=MESH,
        stepping=STEPPING,
        **options,
    )


def test_recovers_the_rates_that_made_the_data():
    fit = found([CONTACT, STRETCH])
    assert fit.estimates["contact"] == pytest.approx(20.0, rel=0.02)
    assert fit.estimates["stretch"] == pytest.approx(1.03, abs=0.002)
    assert fit.chi_square < 0.1
    table = fit.parameter_table()
    for row, true in zip(table.to_dicts(), TRUE.values(), strict=True):
        assert row["low"] < true < row["high"]
    # 0.1 mAh/g of 150 against a prior of 5 % on the capacity axis
    assert (table["known_fraction"] > 0.95).all()
    assert not table["clipped"].any()
    assert fit.effective_parameters_ratio == pytest.approx(2.0, abs=0.01)


def test_a_parameter_without_effect_is_told_apart():
    fit, without = found([CONTACT, STRETCH, NO_USE]), found([CONTACT, STRETCH])
    assert fit.effective_parameters_ratio == pytest.approx(2.0, abs=0.01)
    # what is not narrowed costs nothing
    assert fit.log_evidence_ratio == pytest.approx(without.log_evidence_ratio, abs=0.01)
    row = fit.parameter_table().to_dicts()[2]
    assert row["known_fraction"] == pytest.approx(0.0, abs=1e-6)
    # what is left is the prior: 1.96 widths of one decade on either side
    assert row["low"] == pytest.approx(10 ** (0.5 - 1.96), rel=1e-3)
    assert row["high"] == pytest.approx(10 ** (0.5 + 1.96), rel=1e-3)
    c = fit.correlations()
    assert np.diag(c) == pytest.approx(np.ones(3))
    assert c[2, :2] == pytest.approx([0.0, 0.0], abs=1e-9)


def test_residual_table_is_computed_minus_measured():
    fit = found([CONTACT], most_evaluations_count=1)
    for row in fit.residual_table().to_dicts():
        assert row["difference"] == pytest.approx(row["computed"] - row["measured"])
        assert row["deviation_ratio"] == pytest.approx(row["difference"] / 0.1)


def test_an_estimate_held_by_its_bound_is_marked():
    low = Parameter("contact", 0.5, -1.0, 1.0, 1.0)  # the truth is 20
    assert found([low]).parameter_table()["at_bound"].to_list() == [True]


def test_more_starts_are_never_worse():
    one, three = found([CONTACT, STRETCH]), found([CONTACT, STRETCH], starts_count=3)
    assert three.cost <= one.cost + 1e-9


def test_a_target_without_its_case_is_refused():
    stray = Target("q", "hb", discharge(1), 1.0, 1.0, "mAh/g")
    with pytest.raises(SpecError, match="'hb'") as error:
        calibrate(rates, [CONTACT], [Case("lb", LB, CYCLE)], [stray])
    assert "lb" in error.value.remedy


def test_no_start_a_certain_target_and_twisted_bounds_are_refused():
    with pytest.raises(SpecError, match="starts_count = 0"):
        found([CONTACT], starts_count=0)
    with pytest.raises(SpecError, match="uncertainty 0"):
        calibrate(rates, [CONTACT], [Case("lb", LB, CYCLE)], targets(0.0))
    twisted = Parameter("contact", 1.0, 2.0, 0.0, 1.0)
    with pytest.raises(SpecError, match="lower 2, upper 0"):
        found([twisted])


def test_nothing_to_find_is_refused():
    with pytest.raises(SpecError, match="nothing to calibrate"):
        calibrate(rates, [], [Case("lb", LB, CYCLE)], targets())


def test_no_solvable_start_is_an_error():
    hopeless = Stepping(most_substeps_count=10)
    with pytest.raises(FitError, match="no parameters"):
        calibrate(
            rates,
            [CONTACT],
            [Case("lb", LB, CYCLE)],
            targets(),
            mesh=MESH,
            stepping=hopeless,
            most_evaluations_count=1,
        )
