"""The study of the paper: tables, observers, targets, draws, and the logic of rows.

Nothing here asserts what the calibration found: that may be written anew.
"""

import csv
import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

from equipoise.core.errors import SpecError
from equipoise.io.ageing import load_ageing
from equipoise.io.cells import load_cell
from equipoise.io.kinetics import load_kinetics
from equipoise.sim.life.life import Life
from equipoise.spec.spectrum import Spectrum
from equipoise.study.zhang2026 import calibration_set, fresh, lives, predict
from equipoise.study.zhang2026 import reproduce as study
from equipoise.study.zhang2026.ensemble import Member, members
from equipoise.study.zhang2026.hypotheses import FRESH, HYPOTHESES, rates_with
from equipoise.study.zhang2026.predict import Prediction
from equipoise.study.zhang2026.reproduce import printed_rows, reproduce

SHARED = Path(__file__).parents[3] / "shared"
CAPACITY = "discharging_capacity_mah_per_g_positive"
ROWS = {r["id"]: r for r in printed_rows()}
BLIND = [f"P{n}" for n in range(1, 10)]
BY_NAME = {h.name: h for h in HYPOTHESES}


def rates_of(protocol):
    """C-rate of every cycle."""
    steps = [s for s in protocol.steps if s.do == "cycle"]
    return [rate for s in steps for rate in [s.c_rate] * s.count]


def made(cycles, last=None, *, reference=1, **columns):
    """A life by its table; columns that are not given are calm."""
    cycles = np.asarray(cycles)
    capacity = np.asarray(columns.get(CAPACITY, np.full(cycles.size, 100.0)))
    start = capacity[np.searchsorted(cycles, reference)] if cycles.size else 1.0
    table = {
        "cycle_count": cycles,
        "is_settled": np.ones(cycles.size, bool),
        "is_ageing_cycle": cycles >= reference,
        "discharge_retention": np.where(cycles >= reference, capacity / start, np.nan),
        "coulombic_efficiency": np.full(cycles.size, 0.999),
        "h2h3_usage_mah_per_g_positive": np.full(cycles.size, 30.0),
        "upper_potential_vs_li_volt": np.full(cycles.size, 4.2),
        CAPACITY: capacity,
    } | columns
    life = SimpleNamespace(
        cycles=pl.DataFrame({k: np.asarray(v) for k, v in table.items()}),
        last_cycle=int(cycles[-1]) if last is None else last,
        reference_cycle=reference,
    )
    life.cycle_life = lambda level: Life.cycle_life(life, level)
    return life


# --- printed and withheld


def table_of(name):
    path = SHARED / "paper" / name
    if not path.is_file():
        pytest.skip(f"../shared/paper/{name} is not beside the checkout")
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def test_printed_rows_are_those_of_the_reference_table():
    wanted = {r["id"]: r for r in table_of("reference_values.csv")}
    ours = {k: r for k, r in ROWS.items() if r["role"] != "blind"}
    assert list(ours) == list(wanted)
    for name, row in wanted.items():
        for key in ("config", "condition", "quantity", "unit", "role"):
            assert ours[name][key] == row[key], (name, key)
        assert ours[name]["printed"] == row["value"], name
        assert ours[name].get("place", "").removeprefix("sec. ") in (
            row["source"],
            "",  # Eq. 1 and such: the condition says it
        ), name


def test_blind_rows_are_those_of_the_blind_table():
    wanted = table_of("blind_predictions.csv")
    ours = [r for r in ROWS.values() if r["role"] == "blind"]
    assert [r["id"] for r in ours] == [r["id"] for r in wanted]
    for own, row in zip(ours, wanted, strict=True):
        assert all(
            own[k] == row[k] for k in ("config", "condition", "quantity", "unit")
        )


def test_a_blind_row_carries_no_printed_value():
    for name in BLIND:
        assert ROWS[name]["role"] == "blind"
        assert set(ROWS[name]) == {
            "id", "config", "condition", "quantity", "unit", "role",
        }  # fmt: skip
    others = [r for r in ROWS.values() if r["id"] not in BLIND]
    assert {r["role"] for r in others} == {"input", "fit", "age"}
    assert all(r["printed"] for r in others)


# --- what is calibrated to


def test_numbers_are_calibrated_to_hb_alone():
    numbers = calibration_set.targets(words=False)
    assert numbers
    for target in numbers:
        row = ROWS[target.name]
        assert (row["config"], row["role"]) == ("HB", "age")
        assert target.case.startswith("HB")
        assert target.case in calibration_set.CASES
        assert target.uncertainty > 0.0


def test_words_of_lb_carry_no_number():
    """A sign that the paper states: the target is no fall, whatever the rise."""
    numbers = calibration_set.targets(words=False)
    words = calibration_set.targets()[len(numbers) :]
    assert [t.name for t in calibration_set.targets()[: len(numbers)]] == [
        t.name for t in numbers
    ]
    for word in words:
        assert word.name not in ROWS
        assert word.case == calibration_set.LB_CASE
        assert word.value == 0.0
        column = {"mAh/g": "h2h3_usage_mah_per_g_positive"}.get(
            word.unit, "upper_potential_vs_li_volt"
        )
        for change, seen in ((7.0, 0.0), (0.3, 0.0), (-0.2, -0.2)):
            life = made([2, 120], **{column: [4.0, 4.0 + change]})
            assert word.observe(life) == pytest.approx(seen)


def test_no_target_is_a_blind_row():
    assert not {t.name for t in calibration_set.targets()} & set(BLIND)


def test_target_values_are_the_printed_ones():
    printed = {k: float(ROWS[k]["printed"]) for k in ("L1", "A1", "C2", "S2")}
    of = {t.name: t for t in calibration_set.targets(words=False)}
    start = {
        "L2": printed["L1"],
        "A4": printed["A1"],
        "A6": round((printed["C2"] + printed["L1"] + printed["S2"]) / 3.0),
        "A7": 100.0,
    }
    for name, target in of.items():
        ours, row = target.value * start.get(name, 1.0), float(ROWS[name]["printed"])
        if target.unit == "%":  # half a digit, and with or without the first cycle
            assert row - 1e-9 <= ours <= row + 0.05 + 1e-9
        else:
            assert ours == pytest.approx(row, rel=1e-9)
    for name, (scale, _) in study.SCALE.items():
        assert scale == start[name]


def test_the_model_of_the_calibration_has_a_case_for_every_target():
    for words in (False, True):
        model = calibration_set.model(HYPOTHESES[0], FRESH[0], words=words)
        names = {c.name for c in model.cases}
        assert {t.case for t in model.targets} == names
        assert any(n.startswith("LB") for n in names) is words
        values = {p.name: p.natural(p.start) for p in HYPOTHESES[0].parameters()}
        values["cell_1C"] = math.log(2.0)
        hazard = {}
        for case in names:
            _, ageing = model.build(values, case)
            hazard[case] = ageing.mechanisms[0].hazard_per_cycle_fraction.value
        assert hazard["HB 1C"] == pytest.approx(2.0 * hazard["HB 0.2C"])
        assert hazard.get(calibration_set.LB_CASE, values["hazard"]) == pytest.approx(
            values["hazard"]
        )


# --- hypotheses


def test_hypotheses_have_their_own_names():
    assert len(BY_NAME) == len(HYPOTHESES)


@pytest.mark.parametrize("hypothesis", HYPOTHESES, ids=lambda h: h.name)
def test_a_hypothesis_starts_within_its_bounds_and_ages(hypothesis):
    parameters = hypothesis.parameters()
    names = [p.name for p in parameters]
    assert len(set(names)) == len(names)
    for p in parameters:
        assert p.lower < p.start < p.upper
        assert p.prior_width > 0.0
        assert p.unit or p.name.startswith("cell_")
    for end in ("lower", "start", "upper"):
        values = {p.name: p.natural(getattr(p, end)) for p in parameters}
        ageing = hypothesis.ageing(values, cell_factor=0.3)
        kinds = [m.kind for m in ageing.mechanisms]
        assert kinds[-3:] == ["interphase-growth", "parasitic-current", "active-fade"]
        assert ("lattice-contraction" in kinds) is (hypothesis.driver != "none")
        assert ageing.mechanisms[-2].at == hypothesis.side
        if hypothesis.driver == "none":
            continue
        lattice = ageing.mechanisms[0]
        assert lattice.driver == hypothesis.driver
        hazard = values["hazard"] * math.exp(0.3)
        assert lattice.hazard_per_cycle_fraction.value == pytest.approx(hazard)
        assert (lattice.frailty_ratio.value > 0.0) is hypothesis.frailty
        assert (lattice.path_ratio.value > 0.0) is hypothesis.path
        if not hypothesis.charged:
            assert lattice.charged_fraction == 0.0


def test_a_draw_changes_nothing_of_the_rates_but_the_double_layer():
    rates = load_kinetics(FRESH[0])
    changed = rates_with(rates, {"double_layer": 33.0})
    layer = changed.positive.double_layer_capacitance_uf_per_cm2
    assert (layer.value, layer.evidence) == (33.0, "calibrated")
    old = rates.positive.double_layer_capacitance_uf_per_cm2
    assert old.value != 33.0
    positive = changed.positive.model_copy(
        update={"double_layer_capacitance_uf_per_cm2": old}
    )
    assert changed.model_copy(update={"positive": positive}) == rates


# --- draws


def test_draws_are_whole_and_of_known_hypotheses():
    assert members()
    for member in members():
        parameters = {p.name: p for p in member.mechanisms.parameters()}
        assert member.kinetics in FRESH
        assert set(member.values) == set(parameters)
        for name, p in parameters.items():
            value = member.values[name]
            assert math.isfinite(value)
            scaled = math.log10(value) if p.logarithmic else value
            slack = 1e-4 * (p.upper - p.lower)  # written with five digits
            assert p.lower - slack <= scaled <= p.upper + slack, name
        if "hazard" in parameters:
            assert member.values["hazard"] > 0.0
        assert set(member.lb_cells) == set(predict.LB_CELL.values())
        assert all(abs(x) < 5.0 * 0.4 for x in member.lb_cells.values())
        assert 0.3 < member.reading_ratio < 3.0
        assert member.mechanisms.ageing(member.values).mechanisms


def test_new_cells_differ_from_draw_to_draw():
    drawn = [tuple(m.lb_cells.values()) for m in members()]
    assert len(set(drawn)) == len(drawn)


def test_an_unknown_hypothesis_is_refused():
    stray = Member("magic", FRESH[0], {}, {}, 1.0)
    with pytest.raises(SpecError, match="'magic' is not known") as error:
        _ = stray.mechanisms
    assert "calibrate_ageing" in error.value.remedy


@pytest.mark.parametrize("name", FRESH)
def test_a_bundled_set_is_one_of_the_hypotheses(name):
    ageing = load_ageing(name)
    hypothesis = BY_NAME[ageing.title.partition(" (")[0]]
    values = {p.name: p.natural(p.start) for p in hypothesis.parameters()}
    like = hypothesis.ageing(values)
    assert [m.kind for m in ageing.mechanisms] == [m.kind for m in like.mechanisms]
    assert ageing.mechanisms[-2].at == hypothesis.side
    assert ageing.caveats
    film = ageing.mechanisms[-3].film_after_1000_hour_ohm_cm2
    assert film.evidence == "calibrated"
    assert film.low <= film.value <= film.high


# --- protocols


def test_the_test_at_0_2c_has_120_cycles():
    assert rates_of(lives.at_0_2c()) == [0.2] * 120


def test_the_test_at_1c_follows_five_rates():
    rates = rates_of(lives.at_1c(718))
    assert rates[lives.FIRST_1C - 1 :] == [1.0] * 718
    assert rates[: lives.FIRST_1C - 1] == [
        rate for rate in (0.1, 0.2, 0.5, 1.0, 2.0) for _ in range(lives.SHORT_COUNT)
    ]


def test_after_two_rounds_of_rates_there_are_200_cycles_and_a_spectrum():
    protocol = lives.rates_then_0_2c()
    rates = rates_of(protocol)
    assert len(rates) == 290
    first, second = rates[:42], rates[42:84]
    assert first == second
    assert sorted(set(first)) == [0.1, 0.2, 0.5, 1.0, 2.0, 5.0]
    assert rates[84:] == [0.2] * 206  # of them 200 from cycle 91 on
    assert rates[calibration_set.ROUND_0_2C - 1] == 0.2
    assert calibration_set.ROUND_0_2C <= 42
    assert [s.do for s in protocol.steps if s.do != "cycle"] == ["eis"]
    assert protocol.steps[-1].do == "eis"


def test_the_24th_cycle_of_three_electrodes_is_back_at_0_2c():
    rates = rates_of(lives.three_electrodes())
    assert len(rates) == 24
    assert rates[0] == rates[-1] == 0.2
    assert rates[-2] == max(rates) == 5.0


# --- observers


def test_cycles_that_were_jumped_over_are_interpolated():
    life = made(
        [1, 2, 10, 20],
        is_settled=[True, True, False, True],
        **{CAPACITY: [200.0, 190.0, 55.0, 172.0]},
    )
    seen = lives.Seen(life)
    assert seen.discharge(1) == 200.0
    assert seen.discharge(11) == pytest.approx(181.0)  # cycle 10 had not settled
    assert seen.discharge(20) == 172.0
    assert math.isnan(seen.discharge(21))
    assert lives.kept_after(2, 20)(life) == pytest.approx(172.0 / 190.0)
    assert math.isnan(lives.kept_after(2, 21)(life))


def test_a_life_without_a_cycle_shows_nothing():
    life = made([], 0)
    assert math.isnan(lives.Seen(life).discharge(1))
    assert math.isnan(lives.kept_after(1, 120)(life))


def test_the_mean_efficiency_counts_every_cycle_alike():
    """1 to 4 at 0.90, 0.99, 0.995, (0.9965), 0.998: the jumped one lies between."""
    life = made([1, 2, 3, 5], coulombic_efficiency=[0.90, 0.99, 0.995, 0.998])
    whole = lives.efficiency_percent(1, 5)(life)
    assert whole == pytest.approx(100.0 * np.mean([0.90, 0.99, 0.995, 0.9965, 0.998]))
    rest = lives.efficiency_percent(2, 5)(life)
    assert rest == pytest.approx(100.0 * np.mean([0.99, 0.995, 0.9965, 0.998]))


def test_cycle_life_counts_from_the_first_ageing_cycle():
    """From cycle 16 on one percent each: 80 % is passed in the 21st of them."""
    number = np.arange(1, 60)
    capacity = np.where(number < 16, 150.0, 160.0 * (1.0 - 0.01 * (number - 16)))
    life = made(number, reference=16, **{CAPACITY: capacity})
    assert lives.cycles_to(0.8)(life) == pytest.approx(21.0)
    assert lives.cycles_to(0.805)(life) == pytest.approx(20.5)


def test_a_life_that_ends_early_goes_on_at_its_mean_rate():
    """5 % lost in 50 cycles: 80 % after 200."""
    capacity = np.linspace(100.0, 95.0, 50)
    life = made(np.arange(1, 51), **{CAPACITY: capacity})
    assert life.cycle_life(0.8).censored
    assert lives.cycles_to(0.8)(life) == pytest.approx(200.0)


def test_a_life_without_loss_has_an_end_all_the_same():
    """A rise counts as a loss of 0.1 %: finite, so that a fit can go on."""
    life = made(np.arange(1, 51), **{CAPACITY: np.linspace(100.0, 101.0, 50)})
    assert lives.cycles_to(0.8)(life) == pytest.approx(50.0 * 0.2 / 1e-3)


def test_a_cell_that_never_gave_anything_has_no_cycle_life():
    life = made([1, 2], discharge_retention=[np.nan, np.nan])
    assert math.isnan(lives.cycles_to(0.8)(life))


def test_a_fall_is_negative_and_a_rise_nothing():
    observe = lives.fall_of("x", 2, 4)
    assert observe(made([1, 2, 4], x=[9.0, 5.0, 4.5])) == pytest.approx(-0.5)
    assert observe(made([1, 2, 4], x=[0.0, 5.0, 5.5])) == 0.0
    assert math.isnan(observe(made([1, 2, 3], x=[0.0, 5.0, 5.5])))


def test_resistances_are_read_from_the_last_spectrum_on_the_positive_area():
    """Two arcs in the two ranges: 20 and 50 ohm; 0.6 cm2."""
    omega = 2.0 * np.pi * np.geomspace(1e6, 0.1, 71)

    def spectrum(r_int, r_ct):
        arcs = r_int / (1.0 + 1j * omega * 3e-4) + r_ct / (1.0 + 1j * omega * 0.1)
        tail = 5.0 / np.sqrt(1j * omega)
        z = 10.0 + arcs + tail
        return SimpleNamespace(cell=Spectrum.of(omega / (2.0 * np.pi), z))

    life = SimpleNamespace(
        impedances=(spectrum(1.0, 1.0), spectrum(20.0, 50.0)),
        lowered=SimpleNamespace(positive_area_cm2=0.6),
    )
    # the distribution widens an arc, and part of it leaves the range
    assert lives.resistance_ohm_cm2("R_int")(life) == pytest.approx(12.0, rel=0.05)
    assert lives.resistance_ohm_cm2("R_ct")(life) == pytest.approx(30.0, rel=0.05)
    arcs = lives.arcs_ohm_cm2(life)
    assert list(arcs) == ["R_int", "R_ct"]
    for (value, low, high), true in zip(arcs.values(), (12.0, 30.0), strict=True):
        assert low <= value <= high
        assert 0.98 * low <= true <= 1.02 * high  # without noise the band is narrow


# --- fresh cells


def test_every_row_of_a_fresh_cell_has_an_observer_and_its_case():
    known = {c.name for c in fresh.cases()}
    assert len(known) == len(fresh.cases())
    observed = fresh.observers()
    assert set(observed) == {k for k, r in ROWS.items() if r["role"] == "fit"} - {
        "X1", "X2",  # of the design, not of a run
    }  # fmt: skip
    for name, (case, _) in observed.items():
        assert case in known
        config = ROWS[name]["config"]
        assert config not in ("LB", "HB") or case.startswith(config), name


def test_rates_are_seen_in_the_second_discharge():
    steps = pl.DataFrame(
        {"capacity_mah_per_g_positive": [(-1.0) ** i * i for i in range(24)]}
    )
    observed = fresh.observers()
    for i, name in enumerate(("S1", "S2", "S3", "S4", "S5", "R7")):
        rate = ROWS[name]["condition"].split()[-1].removesuffix("C")
        assert float(rate) == fresh.RATES[i]
        assert observed[name][1](steps) == 4 * i + 3
    assert observed["C1"][1](steps) == abs(0 - 1)  # the pause parts the first charge
    rates = [float(s.c_rate) for s in fresh.cycles(*fresh.RATES).steps]
    assert rates == list(fresh.RATES)
    assert all(s.count == 2 for s in fresh.cycles(*fresh.RATES).steps)


def test_only_the_separator_of_three_electrodes_is_thick():
    lb = load_cell("zhang2026-lb")
    thick = fresh.with_thick_separator(lb)
    assert thick.spec.separator.mass_mg == float(ROWS["G11"]["printed"])
    assert lb.spec.separator.mass_mg == float(ROWS["G4"]["printed"])
    back = thick.spec.model_copy(update={"separator": lb.spec.separator})
    assert back == lb.spec


def test_uncertainty_by_unit():
    for unit, wanted in {"V": 0.002, "V (cell)": 0.008, "%": 0.8, "mAh/g": 3.0}.items():
        row = {"unit": unit, "value": "200"}
        assert fresh.uncertainty(row) == pytest.approx(wanted)


# --- predictions


def test_every_test_of_both_cells_has_its_cell():
    cases = {c.name: c for c in predict.cases()}
    assert list(cases) == [*calibration_set.CASES, *predict.LB_CASES]
    for name, case in cases.items():
        np_ratio = 1.5 if name.startswith("HB") else 1.1
        assert case.cell.np_ratio == pytest.approx(np_ratio)
        assert case.until_retention is None
    calibrated = calibration_set.model(HYPOTHESES[0], FRESH[0]).cases
    for case in calibrated:
        assert cases[case.name].protocol == case.protocol


def linear_1c(count, lost_per_cycle=1e-4):
    """15 cycles, then `count` at 1C that lose the same each."""
    number = np.arange(1, lives.FIRST_1C + count)
    capacity = 140.0 * (1.0 - lost_per_cycle * (number - lives.FIRST_1C))
    return made(number, reference=lives.FIRST_1C, **{CAPACITY: capacity})


def draw(hypothesis=HYPOTHESES[0], **values):
    start = {p.name: p.natural(p.start) for p in hypothesis.parameters()}
    cells = dict.fromkeys(predict.LB_CELL.values(), 0.0)
    return Member(hypothesis.name, FRESH[0], start | values, cells, 1.2)


def test_the_long_test_of_lb_gives_a_life_and_every_100th_capacity():
    found = predict.numbers(
        {"LB 1C": linear_1c(2500), "HB 1C": linear_1c(718, 5e-4)}, draw()
    )
    assert found["P1"] == pytest.approx(2001.0)
    assert found["A3"] == pytest.approx(401.0)
    assert found["P3"] == pytest.approx(2001.0 / 401.0)
    rows = [f"P2.{n}" for n in range(100, 2501, 100)]
    assert [k for k in found if k.startswith("P2.")] == rows
    for n in (100, 1300, 2500):
        assert found[f"P2.{n}"] == pytest.approx(149.0 * (1.0 - 1e-4 * (n - 1)))
    assert found["A4"] == pytest.approx(1.0 - 5e-4 * 717)


def test_capacity_after_a_cell_gave_up_is_nothing():
    found = predict.numbers({"LB 1C": linear_1c(1250)}, draw())
    assert found["P2.1200"] > 120.0
    assert found["P2.1300"] == found["P2.2500"] == 0.0
    assert "P3" not in found
    assert found["P1"] == pytest.approx(1250 * 0.2 / (1e-4 * 1249))


def test_predicted_capacities_start_at_the_printed_ones(monkeypatch):
    printed = {k: float(ROWS[k]["printed"]) for k in ("L3", "S7", "A2", "T1")}
    arcs = {"R_int": 10.0, "R_ct": 40.0}
    monkeypatch.setattr(
        lives, "resistance_ohm_cm2", lambda symbol: lambda _: arcs[symbol]
    )
    upper = {"upper_potential_vs_li_volt": np.linspace(4.0, 4.023, 24)}
    slow = made([1, 120], **{CAPACITY: [50.0, 45.0]})
    rates = made([1, 9, 90, 91, 290], **{CAPACITY: [60.0, 50.0, 40.0, 44.0, 33.0]})
    tests = {
        "LB 0.2C": slow,
        "LB rates": rates,
        "LB three electrodes": made(np.arange(1, 25), **upper),
    }
    found = predict.numbers(tests, draw())
    assert found["P4"] == pytest.approx(printed["L3"] * 0.9)
    assert found["P5"] == pytest.approx(0.5 * (printed["L3"] + printed["S7"]) * 0.8)
    assert found["P6"] == pytest.approx(75.0)
    assert (found["P7"], found["P8"]) == pytest.approx((12.0, 48.0))  # times 1.2
    assert found["P9"] == pytest.approx(printed["T1"] + 0.023)
    assert found["L5"] == pytest.approx(99.9)
    assert predict.START_MAH_PER_G["LB 1C"] == printed["A2"]
    assert not set(found) & {"P1", "P2.100", "P3", "A3"}


def test_quantiles_leave_out_draws_without_the_number():
    values = [1.0, 2.0, math.nan, 3.0, math.inf]
    found = [Prediction(draw(), {"x": v}, {}) for v in values]
    found.append(Prediction(draw(), {}, {}))
    assert predict.quantiles(found, "x", (0.0, 0.5, 1.0)) == (1.0, 2.0, 3.0)
    assert all(math.isnan(q) for q in predict.quantiles(found, "y"))
    assert len(predict.quantiles(found, "y")) == 3


def test_draws_in_threads_keep_their_order(monkeypatch):
    monkeypatch.setattr(
        predict, "predict", lambda m, only: Prediction(m, {"n": m.reading_ratio}, only)
    )
    draws = [Member("", "", {}, {}, float(n)) for n in range(9)]
    said = []
    found = predict.predict_all(
        draws, only=["HB 1C"], workers_count=3, progress=lambda *n: said.append(n)
    )
    assert [p.member for p in found] == draws
    assert all(p.lives == ["HB 1C"] for p in found)
    assert said == [(n, 9) for n in range(1, 10)]


# --- rows, from made-up predictions


def rows_of(monkeypatch, numbers, fitted=None):
    """Rows by id; a number is a value for all draws, or a list over draws."""
    many = max((len(v) for v in numbers.values() if isinstance(v, list)), default=1)
    made_up = []
    for i in range(many):
        own = {k: v[i] if isinstance(v, list) else v for k, v in numbers.items()}
        made_up.append(Prediction(draw(), own, {}))
    known = {
        k: (float(r["printed"]), 1.0) for k, r in ROWS.items() if r["role"] == "fit"
    }
    monkeypatch.setattr(study, "predict_all", lambda *_, **__: made_up)
    monkeypatch.setattr(study, "_fresh", lambda: known | (fitted or {}))
    return {r.id: r for r in reproduce(draws=()).rows}


def test_every_row_has_the_role_that_it_was_used_in(monkeypatch):
    rows = rows_of(monkeypatch, {})
    for name, row in rows.items():
        given = ROWS[name.partition(".")[0]]
        role = {"input": "input", "fit": "calibrated", "blind": "blind"}.get(
            given["role"]
        )
        if role is None:  # "age"
            role = "predicted" if given["config"] == "LB" else "calibrated"
            role = "input" if name in ("L6", "L7") else role
        assert row.role == role, name
    ageing = {n for n, r in rows.items() if r.role == "predicted"}
    assert ageing == {"L5"}  # the only printed number of an aged LB
    calibrated = {t.name for t in calibration_set.targets(words=False)}
    assert calibrated <= {n for n, r in rows.items() if r.role == "calibrated"}


@pytest.mark.parametrize(
    ("name", "value", "within"),
    [
        ("A3", 413.6, True),  # 414, half a digit is 0.5
        ("A3", 413.4, False),
        ("A3", 414.6, False),
        ("E2", 46.76, True),  # 46.8, half a digit is 0.05
        ("E2", 46.74, False),
        ("L2", 168.51 / 199.0, True),  # 169
        ("L2", 168.49 / 199.0, False),
        ("A4", 111.49 / 161.0, True),  # 111
        ("A7", 0.7549, True),  # 75 %
        ("A7", 0.7551, False),
        ("L4", 99.56, True),  # 99.6, and up to 0.1 more without the first cycle
        ("L4", 99.74, True),
        ("L4", 99.76, False),
        ("L5", 99.94, True),
        ("L5", 99.96, False),
        ("A5", 99.96, True),  # 99.9; the first of 718 cycles is 0.02
        ("A5", 99.98, False),
    ],
)
def test_within_allows_half_a_printed_digit(monkeypatch, name, value, within):
    row = rows_of(monkeypatch, {name: value})[name]
    assert row.within is within
    assert row.printed == float(ROWS[name]["printed"])


def test_the_interval_is_that_of_the_draws(monkeypatch):
    spread = [float(v) for v in np.linspace(400.0, 500.0, 101)]
    row = rows_of(monkeypatch, {"A3": spread, "P1": [10.0 * v for v in spread]})
    assert (row["A3"].low, row["A3"].computed, row["A3"].high) == pytest.approx(
        (405.0, 450.0, 495.0)
    )
    assert row["A3"].within is True
    assert row["P1"].computed == pytest.approx(4500.0)
    assert row["P1"].printed is None
    assert row["P1"].within is None


def test_a_fresh_number_has_the_spread_among_cells(monkeypatch):
    row = rows_of(monkeypatch, {}, {"C1": (230.0, 2.0)})["C1"]
    assert (row.low, row.high) == pytest.approx((230.0 - 3.29, 230.0 + 3.29))
    assert row.within is True  # 226.71 - 0.5 < 227
    far = rows_of(monkeypatch, {}, {"C1": (231.0, 2.0)})["C1"]
    assert far.within is False  # 227.71 - 0.5 > 227


def test_the_fade_of_the_negative_follows_from_the_draws(monkeypatch):
    row = rows_of(monkeypatch, {})["C7"]
    fade = draw().values["negative_fade"]
    kept = 100.0 * math.exp(-200.0 * 131.0 / 154.6 * fade)
    assert row.computed == pytest.approx(kept)
    assert row.role == "calibrated"


@pytest.mark.parametrize(
    ("text", "half"),
    [("414", 0.5), ("46.8", 0.05), ("4.1919", 5e-5), ("1e-4", 5e-5), ("1.5e3", 50.0)],
)
def test_half_a_unit_of_the_last_digit(text, half):
    assert study._half_digit(text) == pytest.approx(half)


def test_a_range_is_no_number():
    assert study._number("8 to 9") is None
    assert study._number(None) is None
    assert study._number("1e-4") == 1e-4
