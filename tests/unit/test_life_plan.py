"""The test behind a cycle life, and how much each mechanism counts in it."""

import math
import warnings
from itertools import pairwise

import numpy as np
import pytest

import equipoise as eqp
from equipoise.ageing.ageing import Ageing
from equipoise.core.errors import EquipoiseWarning, SpecError
from equipoise.io.ageing import load_ageing
from equipoise.kernels.program import Ask
from equipoise.protocol.expand import Context, expand
from equipoise.protocol.steps import Charge, Cycle, Eis, Protocol, Rest
from equipoise.sim.life import driver
from equipoise.sim.life.life import life
from equipoise.sim.life.plan import life_protocol
from equipoise.sim.life.sensitivity import life_sensitivities

CELL = Context(
    window_lower_volt=1.35,
    window_upper_volt=2.75,
    one_c_ampere=1e-3,
    positive_mass_g=5e-3,
    positive_area_cm2=0.636,
    charges_first=True,
)


def rates(protocol):
    """C-rate of each cycle, and the cycles that measure an impedance."""
    made = expand(protocol, CELL)
    charges = made.steps[:, Ask.VALUE] > 0.0
    moves = made.steps[:, Ask.MODE] == made.steps[0, Ask.MODE]
    found = made.steps[charges & moves, Ask.VALUE] / 1e-3
    measured = [int(made.steps[row, Ask.CYCLE]) for row in made.sweeps]
    assert found.size == made.cycle_count
    return found.round(6).tolist(), measured


# --- the plan


def test_a_plain_plan_is_cycles_at_one_rate():
    plan = life_protocol(rate=0.5, cycles=7)
    assert plan.steps == (Cycle(c_rate=0.5, count=7),)
    assert plan.name == "life at 0.5C"
    assert plan.description == "7 cycles at 0.5C"
    assert life_protocol(rate=2, cycles=1).description == "1 cycle at 2C"


def test_another_test_goes_first_with_its_direction():
    before = Protocol(name="b", first="discharge", steps=(Cycle(c_rate=0.1),))
    plan = life_protocol(rate=1.0, cycles=3, before=before)
    assert plan.first == "discharge"
    assert plan.name == "b, then life at 1C"
    assert plan.description == "b, then 3 cycles at 1C"
    assert rates(life_protocol(cycles=2, before=eqp.load_protocol("formation"))) == (
        [0.1, 0.1, 0.2, 0.2, 1.0, 1.0],
        [],
    )


def test_check_ups_stand_before_the_first_cycle_and_after_every_so_many():
    plan = life_protocol(cycles=5, check_up_every=2, check_up_rate=0.2)
    assert rates(plan) == ([0.2, 1, 1, 0.2, 1, 1, 0.2, 1], [])
    assert plan.description == "5 cycles at 1C, a check-up at 0.2C every 2"


def test_impedances_belong_to_the_cycle_before_them():
    plan = life_protocol(cycles=5, eis_every=2)
    assert rates(plan) == ([1] * 5, [2, 4])
    assert [type(s) for s in plan.steps] == [Cycle, Rest, Eis, Cycle, Rest, Eis, Cycle]
    assert plan.steps[1].time_hour == 1.0


def test_an_impedance_at_a_check_up_follows_it():
    found, measured = rates(life_protocol(cycles=8, check_up_every=4, eis_every=2))
    assert found == [0.1, 1, 1, 1, 1, 0.1, 1, 1, 1, 1, 0.1]
    assert measured == [1, 3, 6, 8, 11]


def test_equal_steps_are_one_object_so_that_a_program_shares_their_rows():
    plan = life_protocol(cycles=1000, check_up_every=100, eis_every=50)
    assert len({id(s) for s in plan.steps}) == 4
    assert expand(plan, CELL).cycle_count == 1011


WRONG = {
    "rate": ({"rate": 0.0}, "rate: found 0.0"),
    "rate nan": ({"rate": math.nan}, "rate: found nan"),
    "rate text": ({"rate": "1C"}, "rate: found '1C'"),
    "rate huge": ({"rate": 1e9}, "at most 1000"),
    "check-up rate": ({"check_up_every": 5, "check_up_rate": -1.0}, "check_up_rate"),
    "same rate": ({"check_up_every": 5, "check_up_rate": 1.0}, "rate of the cycles"),
    "cycles": ({"cycles": 0}, "cycles: found 0"),
    "cycles half": ({"cycles": 1.5}, "cycles: found 1.5"),
    "cycles true": ({"cycles": True}, "cycles: found True"),
    "cycles many": ({"cycles": 10**7}, "at most 100,000"),
    "every": ({"check_up_every": 0}, "check_up_every: found 0"),
    "eis every": ({"eis_every": -3}, "eis_every: found -3"),
    "each": ({"check_up_every": 1}, "as many check-ups"),
    "as many": ({"cycles": 2, "check_up_every": 2}, "as many check-ups"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_plan_that_makes_no_sense_is_refused(name):
    keywords, words = WRONG[name]
    with pytest.raises(SpecError) as caught:
        life_protocol(**keywords)
    assert words in str(caught.value)


# --- the shipped tests of a life


def test_the_long_cycling_at_1c_begins_with_the_short_rate_test():
    found, measured = rates(eqp.load_protocol("long-cycling-1C"))
    assert found[:15] == rates(eqp.load_protocol("short-rate-test"))[0]
    assert set(found[15:]) == {1.0}
    assert len(found) == 2015
    assert measured == []


def test_the_long_cycling_at_02c_has_120_cycles():
    assert rates(eqp.load_protocol("long-cycling-0.2C")) == ([0.2] * 120, [])


def test_the_rate_test_has_90_cycles_and_an_impedance_ends_cycle_290():
    protocol = eqp.load_protocol("rate-test-then-0.2C")
    found, measured = rates(protocol)
    assert len(found) == 290
    assert set(found[89:]) == {0.2}
    first = sorted({0.1, 0.2, 0.5, 1.0, 2.0, 5.0})
    turns = [found[0], *(b for a, b in pairwise(found) if a != b)]
    assert turns == [*first, *first, 0.2]
    assert measured == [290]
    made = expand(protocol, CELL)
    assert made.steps[-2, Ask.MOST_SECOND] == 3600.0
    (sweep,) = made.sweeps.values()
    assert (sweep.frequency_hertz[0], sweep.frequency_hertz[-1]) == (1e6, 0.1)


def test_the_pressure_test_rests_for_12_hours_first():
    made = expand(eqp.load_protocol("pressure-first-five"), CELL)
    assert made.cycle_count == 5
    assert made.steps[0, Ask.MOST_SECOND] == 12 * 3600.0
    assert np.abs(made.steps[1:, Ask.VALUE]) == pytest.approx(1e-4)


# --- how much each mechanism counts


def num(value):
    return {"value": value, "source": "test", "evidence": "assumed"}


QUICK = Ageing.model_validate(
    {
        "mechanisms": [
            {
                "kind": "lattice-contraction",
                "hazard_per_cycle_fraction": num(0.02),
                "exponent": num(2.0),
            },
            {
                "kind": "parasitic-current",
                "current_ma_per_g_positive": num(0.0),
                "width_volt": num(0.05),
            },
        ]
    }
)
PLAN = life_protocol(cycles=200)


@pytest.fixture(scope="module")
def found(hb):
    return life_sensitivities(hb, PLAN, QUICK, model="spm", jump=None)


def test_the_lives_are_those_of_scaled_mechanisms(hb, found):
    weaker = life(hb, PLAN, QUICK.scaled(0, 0.8), model="spm").cycle_life()
    plain = life(hb, PLAN, QUICK, model="spm").cycle_life()
    assert found.rows[0].weaker == weaker
    assert found.reference == plain
    assert not found.interrupted
    change = weaker.cycle_count / plain.cycle_count - 1.0
    assert found.table["weaker_change_fraction"][0] == change
    assert found.table["weaker_life_count"][0] == weaker.cycle_count


def test_a_life_that_one_hazard_ends_goes_as_one_over_it(found):
    """Half of what is lost in a cycle: twice as many of them, where nothing settles."""
    row = found.rows[0]
    assert (row.number_index, row.kind, row.place) == (
        1,
        "lattice-contraction",
        "positive",
    )
    assert row.strength == "hazard_per_cycle_fraction"
    assert row.change_fraction(row.weaker) == pytest.approx(1 / 0.8 - 1, rel=0.05)
    assert row.change_fraction(row.stronger) == pytest.approx(1 / 1.2 - 1, rel=0.05)


def test_a_mechanism_that_does_nothing_changes_nothing(found):
    row = found.rows[1]
    assert row.place == "positive"
    assert row.weaker == row.stronger == found.reference


def test_jumps_give_the_same_changes(hb, found):
    by_jumps = life_sensitivities(hb, PLAN, QUICK, model="spm")
    life_count = found.table["weaker_life_count"][0]
    assert by_jumps.table["weaker_life_count"][0] == pytest.approx(life_count, rel=0.05)


def test_a_life_that_is_not_reached_gives_lower_bounds(hb):
    short = life_protocol(cycles=12)
    found = life_sensitivities(hb, short, QUICK.without(1), model="spm", jump=None)
    assert found.reference.censored
    row = found.rows[0]
    assert row.weaker.censored
    assert math.isnan(row.change_fraction(row.weaker))
    assert found.table["weaker_is_censored"].to_list() == [True]


def test_the_level_and_the_change_are_those_asked_for(hb):
    one = QUICK.without(1)
    options = {"model": "spm", "jump": None}
    found = life_sensitivities(
        hb, PLAN, one, level_retention=0.95, change_fraction=0.5, **options
    )
    assert found.reference.level_retention == 0.95
    half = life(hb, PLAN, one.scaled(0, 0.5), model="spm").cycle_life(0.95)
    assert found.rows[0].weaker == half


def test_progress_counts_lives(hb):
    told = []
    short = life_protocol(cycles=3)
    life_sensitivities(
        hb, short, QUICK, model="spm", progress=lambda *now: told.append(now)
    )
    assert told == [(n, 5) for n in (1, 2, 3, 4, 5)]


@pytest.mark.parametrize("lives", [0, 1, 2, 3])
def test_an_interruption_keeps_the_mechanisms_that_are_finished(hb, monkeypatch, lives):
    import equipoise.sim.life.sensitivity as module

    real, count = module.life, []

    def stopped(*arguments, **options):
        count.append(1)
        if len(count) > lives:
            import dataclasses

            return dataclasses.replace(real(*arguments, **options), interrupted=True)
        return real(*arguments, **options)

    monkeypatch.setattr(module, "life", stopped)
    found = life_sensitivities(hb, life_protocol(cycles=3), QUICK, model="spm")
    assert found.interrupted
    assert len(found.rows) == (1 if lives == 3 else 0)
    assert found.table.height == len(found.rows)


@pytest.mark.parametrize("change", [0.0, 1.0, -0.2, math.nan])
def test_a_change_that_is_no_share_is_refused(hb, change):
    with pytest.raises(SpecError, match="change_fraction"):
        life_sensitivities(hb, PLAN, load_ageing("zhang2026"), change_fraction=change)


# --- the reference cycle, what is traced, what is no keyword

QUIET = Ageing.model_validate(
    {
        "mechanisms": [
            {"kind": "active-fade", "loss_per_full_cycle_fraction": num(4e-3)},
            {
                "kind": "lattice-contraction",
                "hazard_per_cycle_fraction": num(4e-3),
                "exponent": num(1.0),
            },
        ]
    }
)


def begun_with_a_discharge(count):
    """From as built, discharged: the first cycle gives nothing."""
    return Protocol(
        name="p", first="discharge", steps=(Cycle(c_rate=1.0, count=count),)
    )


def lived(protocol, **named):
    cell = eqp.load_cell("zhang2026-lb")
    return life(cell, protocol, QUIET, **{"model": "spm", **named})


@pytest.mark.parametrize("jump", [None, eqp.Jump()])
def test_the_reference_is_the_first_cycle_that_discharged(jump):
    found = lived(begun_with_a_discharge(200), jump=jump)
    rows = found.cycles
    assert found.reference_cycle == 2
    assert rows["is_ageing_cycle"].to_list()[:3] == [False, True, True]
    assert math.isnan(rows["discharge_retention"][0])
    assert rows["discharge_retention"][1] == 1.0
    end = found.cycle_life(0.8)
    assert not end.censored
    assert 0 <= found.last_cycle - math.ceil(end.cycle_count) - 1 <= 1  # it ended here
    assert found.states
    assert (found.solved_count < found.last_cycle) == (jump is not None)
    books = eqp.compensation_ledger(found, found.states[-1:])
    assert books.reference_cycle_count == 2
    assert books.reference_mah_per_g_positive == pytest.approx(
        rows["discharging_capacity_mah_per_g_positive"][1]
    )
    assert 0.7 < books.o_to_f["discharge_retention"][-1] < 0.85


def test_jumps_and_checkpoints_agree_on_the_reference(tmp_path):
    plan = begun_with_a_discharge(200)
    slow, fast = (lived(plan, jump=jump) for jump in (None, eqp.Jump()))
    assert fast.cycle_life().cycle_count == pytest.approx(
        slow.cycle_life().cycle_count, rel=0.01
    )
    path = tmp_path / "life.npz"

    def stop_after(count):
        told = []

        def stop(*now):
            told.append(now)
            if len(told) == count:
                raise KeyboardInterrupt

        return stop

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(driver, "PROGRESS_SECOND", -1.0)
        patched.setattr(driver, "COPY_SECOND", 0.0)
        for after in (1, 2, 12):
            found = lived(plan, checkpoint=path, progress=stop_after(after))
            assert found.interrupted
    again = lived(plan, checkpoint=path)
    assert again.records.tobytes() == slow.records.tobytes()
    assert again.reference_cycle == 2
    assert again.cycle_life() == slow.cycle_life()


def test_a_reference_of_another_kind_is_better_than_none():
    steps = ({"do": "discharge", "c_rate": 1.0}, {"do": "cycle", "c_rate": 1.0})
    found = lived(Protocol(name="p", steps=steps))
    assert found.reference_cycle == 2
    assert found.cycles["discharge_retention"].to_list()[1:] == [1.0]


def test_a_rate_block_before_is_no_reference():
    before = eqp.load_protocol("short-rate-test")
    found = lived(life_protocol(cycles=12, before=before))
    assert found.reference_cycle == found.blocks.reference_cycle == 16


def test_where_no_cycle_discharges_a_warning_says_so():
    only = Protocol(name="p", steps=({"do": "charge", "c_rate": 1.0},))
    with pytest.warns(EquipoiseWarning, match="no cycle like it has"):
        found = lived(only)
    assert math.isnan(found.cycle_life().cycle_count)
    assert not found.cycle_life().censored


def charged_a_little(count):
    """Begins with a discharge from part of a charge: no capacity of the cell."""
    steps = (Charge(c_rate=1.0, until_time_hour=0.3), Cycle(c_rate=1.0, count=count))
    return Protocol(name="p", first="discharge", steps=steps)


def test_a_reference_that_later_cycles_exceed_is_told():
    with pytest.warns(EquipoiseWarning, match="is not typical") as caught:
        found = lived(charged_a_little(6))
    rows, column = found.cycles, "discharging_capacity_mah_per_g_positive"
    highest = rows.row(int(rows[column].arg_max()), named=True)
    said = str(caught[0].message)
    assert len(caught) == 1
    assert f"cycle {highest['cycle_count']} gives {highest[column]:.4g} mAh/g" in said
    assert f"reference cycle ({found.reference_cycle}" in said
    assert "put a formation or a rate test before" in said


def test_a_cell_that_settles_a_little_is_not_told():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = lived(life_protocol(cycles=8))
    assert 1.0 < found.cycles["discharge_retention"].max() < 1.1


OTHER_KINDS = {
    "cell": ("zhang2026-lb", "the name of a cell"),
    "protocol": ("long-cycling-1C", "load_protocol"),
    "ageing": ("zhang2026", "load_ageing"),
    "jump": (True, "Jump"),
    "mesh": (20, "Mesh"),
    "stepping": ({"tolerance_volt": 1e-3}, "Stepping"),
    "checkpoint": (3, "path of a file"),
    "progress": (True, "a function"),
    "model": (1, "dfn"),
    "until_retention": ("0.8", "0.8, or None"),
}


@pytest.mark.parametrize("key", OTHER_KINDS)
def test_a_keyword_of_another_kind_is_refused(hb, key):
    value, said = OTHER_KINDS[key]
    given = {"cell": hb, "protocol": PLAN, "ageing": QUIET, "model": "spm", key: value}
    with pytest.raises(SpecError) as caught:
        life(given.pop("cell"), given.pop("protocol"), given.pop("ageing"), **given)
    assert said in str(caught.value)
    assert caught.value.where == key
    assert caught.value.remedy


@pytest.mark.parametrize("until", [True, math.nan, [0.8], "much"])
def test_an_end_that_is_no_number_is_refused(until):
    with pytest.raises(SpecError, match="until_retention"):
        lived(PLAN, until_retention=until)


@pytest.mark.parametrize(
    "trace",
    [5, None, math.nan, [math.nan], [math.inf], ["a"], [None], "some", [0], [1.5]],
)
def test_what_is_no_trace_is_refused(trace):
    with pytest.raises(SpecError, match="trace = ") as caught:
        lived(life_protocol(cycles=4), trace=trace)
    assert '"all", "none"' in caught.value.remedy


def test_cycles_to_be_traced_may_come_as_an_array():
    found = lived(life_protocol(cycles=4), trace=np.array([2, 4]))
    assert found.trace["cycle_count"].unique().sort().to_list() == [2, 4]


def test_a_cycle_beyond_the_protocol_is_not_traced():
    with pytest.raises(SpecError, match="cycle 99 is to be traced") as caught:
        lived(life_protocol(cycles=4), trace=(2, 99))
    assert "1 to 4" in caught.value.remedy


def test_a_cycle_beyond_the_end_of_the_life_is_told():
    with pytest.warns(EquipoiseWarning, match="2 of the cycles to be traced") as caught:
        found = lived(life_protocol(cycles=300), trace=(2, 250, 280))
    said = str(caught[0].message)
    assert "from 250 on" in said
    assert f"cycle {found.last_cycle} was the last" in said
    assert found.trace["cycle_count"].unique().to_list() == [2]


@pytest.mark.parametrize("level", [math.nan, math.inf, 0.0, 1.0, 80, "0.8", None, True])
def test_a_level_that_is_no_share_has_no_life(level):
    found = lived(life_protocol(cycles=2))
    with pytest.raises(SpecError, match="level_retention") as caught:
        found.cycle_life(level)
    assert "between 0 and 1" in caught.value.remedy


@pytest.mark.parametrize("key", ["level_retention", "change_fraction"])
@pytest.mark.parametrize("value", ["0.2", math.nan, None])
def test_sensitivities_refuse_what_is_no_share(hb, key, value):
    with pytest.raises(SpecError, match=key):
        life_sensitivities(hb, PLAN, QUIET, **{key: value})


def test_two_ends_of_life_have_two_names():
    """One counts from the reference as 1, the other as 0: see their docstrings."""
    end = lived(life_protocol(cycles=2)).cycle_life()
    assert type(end).__name__ == "EndOfLife"
    assert not isinstance(end, eqp.CycleLife)
    assert "counts from 0" in " ".join(type(end).__doc__.split())
    assert "EndOfLife" in eqp.CycleLife.__doc__
