"""Ageing is found again in lives that it made; lives that break off are no crash."""

import math
from dataclasses import replace

import numpy as np
import pytest

from equipoise import load_cell
from equipoise.ageing.ageing import Ageing
from equipoise.core.errors import FitError, SpecError
from equipoise.core.status import Status
from equipoise.fit.ageing import (
    LifeCase,
    LifeModel,
    LifeTarget,
    calibrate_ageing,
    problem_of,
)
from equipoise.fit.inference import FAILED, Parameter
from equipoise.fit.sampling import sample
from equipoise.protocol.parsing import parse
from equipoise.sim.life.jumping import Jump
from equipoise.sim.mesh import Mesh, Stepping

MESH = Mesh(positive_nodes_count=2, negative_nodes_count=2, shells_count=5)
HB, LB = load_cell("zhang2026-hb"), load_cell("zhang2026-lb")
TRUE = {"hazard": 2e-3, "exponent": 4.0}
HAZARD = Parameter("hazard", -3.2, -5.0, -1.0, 0.8, unit="1")
EXPONENT = Parameter("exponent", 6.0, 0.0, 20.0, 4.0, False, unit="1")
HOPELESS = Stepping(most_substeps_count=10)


def cycling(c_rate, count=60):
    step = {"do": "cycle", "c_rate": c_rate, "count": count}
    return parse({"name": "p", "steps": [step]}, where="test")


CASES = tuple(
    LifeCase(f"{name} {rate}", cell, cycling(rate))
    for name, cell in (("HB", HB), ("LB", LB))
    for rate in (0.2, 1.0)
)


def strained(hazard, exponent):
    table = {
        "kind": "lattice-contraction",
        "hazard_per_cycle_fraction": hazard,
        "exponent": exponent,
        "reference_strain_percent": 4.5,
    }
    return Ageing.model_validate({"mechanisms": [table]})


def build(values, case):
    cell = LB if case.startswith("LB") else HB
    return cell.kinetics, strained(values["hazard"], values["exponent"])


def with_contact(rates, resistance_ohm_cm2):
    content = rates.model_dump() | {"contact_resistance_ohm_cm2": resistance_ohm_cm2}
    return type(rates).model_validate(content)


def lost_percent(life):
    capacity = life.cycles["discharging_capacity_mah_per_g_positive"]
    return 100.0 * (1.0 - capacity[-1] / capacity[1])


def model(cases=CASES, targets=(), **options):
    options = {"model": "spm", "mesh": MESH} | options
    return LifeModel(options.pop("build", build), cases, targets, **options)


def targets(uncertainty=0.2, **options):
    """Made with every cycle solved, unless told otherwise."""
    lives = model(**{"jump": None} | options).lives(TRUE)
    return tuple(
        LifeTarget(f"loss {n}", n, lost_percent, lost_percent(life), uncertainty, "%")
        for n, life in lives.items()
    )


@pytest.fixture(scope="module")
def made():
    return targets()


@pytest.fixture(scope="module")
def fit(made):
    return calibrate_ageing(model(targets=made, jump=None), [HAZARD, EXPONENT])


def test_hazard_and_exponent_are_found_again(fit):
    assert fit.chi_square < 0.05
    assert fit.estimates["hazard"] == pytest.approx(TRUE["hazard"], rel=0.03)
    assert fit.estimates["exponent"] == pytest.approx(TRUE["exponent"], abs=0.2)
    table = fit.parameter_table()
    for row, true in zip(table.iter_rows(named=True), TRUE.values(), strict=True):
        assert row["low"] < true < row["high"]
        assert row["known_fraction"] > 0.8
        assert not row["at_bound"]


def test_four_losses_are_computed_by_the_names_of_the_targets(fit, made):
    assert set(fit.computed) == {t.name for t in made}
    assert [t.case for t in made] == [c.name for c in CASES]
    # the deeper the charge, the more is lost: the order that the exponent tells
    loss = [t.value for t in made]
    assert loss[0] > loss[1] > 0.0
    assert loss[0] > loss[2]


def test_jumps_give_the_same_ageing_within_their_tolerance(fit, made):
    """Jumps hold a capacity to 0.1 %, half of what the targets are uncertain by."""
    jumped = calibrate_ageing(model(targets=made), [HAZARD, EXPONENT])
    for name, rel in (("hazard", 0.05), ("exponent", 0.05)):
        assert jumped.estimates[name] == pytest.approx(fit.estimates[name], rel=rel)
    solved = [life.solved_count for life in model(jump=Jump()).lives(TRUE).values()]
    assert max(solved) < 60


def test_one_rate_leaves_the_exponent_to_the_prior(made):
    """One strain has one hazard: hazard and exponent trade off (HB at 4.85 %)."""
    only = (CASES[0],)
    fit = calibrate_ageing(model(only, made[:1], jump=None), [HAZARD, EXPONENT])
    table = fit.parameter_table()
    assert table["known_fraction"][1] < 0.1
    assert fit.effective_parameters_ratio == pytest.approx(1.0, abs=0.05)
    assert fit.correlations()[0, 1] < 0.0


def test_draws_of_an_ageing_stay_around_the_truth(fit, made):
    problem = problem_of(model(targets=made), [HAZARD, EXPONENT])
    rng = np.random.default_rng(0)
    draws = sample(problem, fit, 20, round_count=5, rng=rng)
    width = np.sqrt(np.diag(fit.covariance))
    near = np.all(np.abs(draws.scaled - fit.scaled) < 6.0 * width, axis=1)
    assert draws.weight @ near > 0.99
    assert draws.effective_count() > 8.0  # of 20: the emulator is nearly right
    assert all(set(c) == {t.name for t in made} for c in draws.computed)


def test_build_is_told_the_case():
    """A factor of the hazard for one cell, as cells of one kind differ.

    So little is lost that the strain, and with it the ratio, stays as it is.
    """
    asked = []

    def own(values, case):
        asked.append(case)
        factor = math.exp(values["cell"]) if case == "second" else 1.0
        return HB.kinetics, strained(factor * 1e-4, 4.0)

    cases = tuple(LifeCase(n, HB, cycling(0.2)) for n in ("first", "second"))
    lives = model(cases, build=own).lives({"cell": math.log(3.0)})
    assert asked == ["first", "second"]
    lost = [
        1.0 - life.cycles["positive_active_fraction"][-1] for life in lives.values()
    ]
    ratio = math.log(1.0 - lost[1]) / math.log(1.0 - lost[0])
    assert ratio == pytest.approx(3.0, rel=0.02)


def test_a_case_may_end_at_a_retention_and_takes_the_rates_of_build():
    def slow(values, case):
        rates, ageing = build(values, case)
        return with_contact(rates, 12.0), ageing

    case = LifeCase("HB", HB, cycling(0.2, 400), until_retention=0.9)
    life = model((case,), build=slow, jump=None).lives(TRUE)["HB"]
    assert life.last_cycle < 400
    retention = life.cycles["discharge_retention"]
    assert retention[-1] < 0.9 < retention[-2]
    assert life.cell.kinetics.contact_resistance_ohm_cm2.value == 12.0
    assert HB.kinetics.contact_resistance_ohm_cm2.value != 12.0


# --- lives that break off


def test_lives_that_break_off_fail_every_target_without_a_crash(made):
    broken = model(targets=made, stepping=HOPELESS)
    lives = broken.lives(TRUE)  # warnings would be errors
    assert {life.status for life in lives.values()} == {Status.TOO_MANY_SUBSTEPS}
    assert broken.compute(TRUE) is None
    problem = problem_of(broken, [HAZARD, EXPONENT])
    off = problem.residuals(problem.start)
    assert off == pytest.approx([FAILED] * 4 + [0.0, 0.0])


def test_one_broken_life_among_others_is_enough(made, monkeypatch):
    solve = LifeModel._life

    def one(self, case, values):
        found = solve(self, case, values)
        broken = case.name == "LB 1.0"
        return replace(found, status=Status.NOT_FINITE) if broken else found

    monkeypatch.setattr(LifeModel, "_life", one)
    assert model(targets=made).compute(TRUE) is None


def test_if_no_life_can_be_simulated_it_is_an_error(made):
    with pytest.raises(FitError, match="no parameters were found"):
        calibrate_ageing(
            model(targets=made, stepping=HOPELESS),
            [HAZARD, EXPONENT],
            most_evaluations_count=2,
        )


def test_a_life_that_gives_nothing_fails_its_targets_alone(made):
    """Its steps are solved, only no capacity is left to divide by."""

    def stuck(values, case):
        rates, ageing = build(values, case)
        if case == "LB 1.0":
            rates = with_contact(rates, 1e4)
        return rates, ageing

    problem = problem_of(model(targets=made, build=stuck), [HAZARD, EXPONENT])
    assert problem.compute(problem.start) is not None
    off = problem.residuals(problem.start)
    assert off[3] == FAILED
    assert np.all(np.isfinite(off))
    assert FAILED not in off[:3]


# --- what is refused


@pytest.mark.parametrize("ask", [calibrate_ageing, problem_of])
def test_a_target_of_an_unknown_case_is_refused(ask, made):
    stray = replace(made[0], name="loss", case="HB 2.0")
    with pytest.raises(SpecError, match=r"'loss' names the case 'HB 2\.0'") as error:
        ask(model(targets=(*made, stray)), [HAZARD])
    assert "HB 0.2" in error.value.remedy


@pytest.mark.parametrize("ask", [calibrate_ageing, problem_of])
def test_nothing_to_find_is_refused(ask, made):
    with pytest.raises(SpecError, match="nothing to calibrate"):
        ask(model(targets=made), [])
    with pytest.raises(SpecError, match="nothing to calibrate"):
        ask(model(targets=()), [HAZARD])
