import re
import tomllib
from dataclasses import FrozenInstanceError, replace
from math import inf

import numpy as np
import pytest
from pydantic import ValidationError

from equipoise.core.errors import SpecError
from equipoise.io.protocols import load_protocol
from equipoise.kernels.program import Ask, Mode
from equipoise.protocol import named
from equipoise.protocol.expand import Context, expand
from equipoise.protocol.parsing import KINDS, parse
from equipoise.protocol.steps import (
    Charge,
    Cycle,
    Discharge,
    Hold,
    Protocol,
    Repeat,
    Rest,
)

CELL = Context(
    window_lower_volt=1.35,
    window_upper_volt=2.75,
    one_c_ampere=1e-3,
    positive_mass_g=5e-3,
    positive_area_cm2=0.5,
)
BUILT_CHARGED = replace(CELL, charges_first=False)


def program(steps, context=CELL, **top):
    """Write out the steps of a TOML text (without the name)."""
    content = tomllib.loads(steps) if isinstance(steps, str) else {"steps": steps}
    return expand(parse({"name": "t", **top, **content}, where="my.toml"), context)


def one(context=CELL, **step):
    """The row of a protocol of one step."""
    made = program([step], context)
    assert made.steps.shape == (1, len(Ask))
    return {ask: made.steps[0, ask] for ask in Ask}


def complaint(steps, **top):
    with pytest.raises(SpecError) as caught:
        program(steps, **top)
    return str(caught.value)


# --- one step, one row


def test_a_charge_has_a_positive_current_and_ends_at_the_window():
    row = one(do="charge", c_rate=0.2)
    assert row == {
        Ask.MODE: Mode.CURRENT,
        Ask.VALUE: pytest.approx(0.2e-3),
        Ask.UPPER_VOLT: 2.75,
        Ask.LOWER_VOLT: -inf,
        Ask.POSITIVE_UPPER_VOLT: inf,
        Ask.POSITIVE_LOWER_VOLT: -inf,
        Ask.NEGATIVE_UPPER_VOLT: inf,
        Ask.NEGATIVE_LOWER_VOLT: -inf,
        Ask.LEAST_AMPERE: -inf,
        Ask.MOST_COULOMB: inf,
        Ask.MOST_SECOND: pytest.approx(5 * 5 * 3600.0),
        Ask.CYCLE: 1.0,
        Ask.STEP: 1.0,
    }


def test_a_discharge_has_a_negative_current_and_ends_at_the_window():
    row = one(do="discharge", c_rate=2)
    assert row[Ask.VALUE] == pytest.approx(-2e-3)
    assert row[Ask.LOWER_VOLT] == 1.35
    assert row[Ask.UPPER_VOLT] == inf
    assert row[Ask.MOST_SECOND] == pytest.approx(5 * 1800.0)


@pytest.mark.parametrize(
    ("key", "value", "ampere"),
    [
        ("c_rate", 0.5, 0.5e-3),
        ("current_ma", 2, 2e-3),
        ("current_ma_per_cm2", 4, 2e-3),  # 0.5 cm2
        ("current_ma_per_g_positive", 190, 0.95e-3),  # 5 mg
    ],
)
@pytest.mark.parametrize(("do", "sign"), [("charge", 1), ("discharge", -1)])
def test_a_current_by_each_of_its_keys(key, value, ampere, do, sign):
    made = program([{"do": do, key: value}])
    assert made.steps[0, Ask.VALUE] == pytest.approx(sign * ampere, rel=1e-14)
    assert made.nominal_c_rate[0] == pytest.approx(ampere / 1e-3)
    assert made.steps[0, Ask.MOST_SECOND] == pytest.approx(5 * 3600 * 1e-3 / ampere)


@pytest.mark.parametrize(
    ("step", "label"),
    [
        ({"do": "charge", "c_rate": 0.2}, "charge 0.2C"),
        ({"do": "discharge", "c_rate": 1}, "discharge 1C"),
        ({"do": "charge", "current_ma": 2}, "charge 2 mA"),
        ({"do": "charge", "current_ma_per_cm2": 0.5}, "charge 0.5 mA/cm2"),
        ({"do": "charge", "current_ma_per_g_positive": 19}, "charge 19 mA/g"),
        ({"do": "first_half", "c_rate": 1}, "charge 1C"),
        ({"do": "second_half", "c_rate": 1}, "discharge 1C"),
        ({"do": "rest", "time_hour": 1.5}, "rest 1.5 h"),
        ({"do": "rest", "time_second": 30}, "rest 30 s"),
        ({"do": "hold", "voltage_volt": 2.7, "until_time_hour": 1}, "hold 2.7 V"),
    ],
)
def test_labels(step, label):
    assert program([step]).labels == (label,)


LIMITS = {
    "until_positive_potential_vs_li_volt": (
        (Ask.POSITIVE_UPPER_VOLT, inf),
        (Ask.POSITIVE_LOWER_VOLT, -inf),
    ),
    "until_negative_potential_vs_li_volt": (
        (Ask.NEGATIVE_LOWER_VOLT, -inf),
        (Ask.NEGATIVE_UPPER_VOLT, inf),
    ),
}


@pytest.mark.parametrize("key", LIMITS)
@pytest.mark.parametrize("do", ["charge", "discharge"])
def test_a_potential_limit_is_on_the_side_the_step_moves_to(key, do):
    (first, absent_first), (other, absent_other) = LIMITS[key]
    row = one(do=do, c_rate=1, **{key: 1.9})
    wanted = {first: 1.9, other: absent_other}
    if do == "discharge":
        wanted = {first: absent_first, other: 1.9}
    assert {k: row[k] for k in wanted} == wanted
    window = Ask.UPPER_VOLT if do == "charge" else Ask.LOWER_VOLT
    assert row[window] == (2.75 if do == "charge" else 1.35)  # still there


def test_capacity_limit_is_in_coulomb_of_the_cell():
    row = one(do="charge", c_rate=1, until_capacity_mah_per_g_positive=210)
    assert row[Ask.MOST_COULOMB] == pytest.approx(210 * 5e-3 * 3.6)


@pytest.mark.parametrize(
    ("given", "second"), [({"hour": 12}, 43200.0), ({"second": 90}, 90.0)]
)
def test_time_limits_replace_the_safety_limit(given, second):
    (unit, value) = next(iter(given.items()))
    row = one(do="charge", c_rate=0.001, **{f"until_time_{unit}": value})
    assert row[Ask.MOST_SECOND] == second
    row = one(do="hold", voltage_volt=2.75, **{f"until_time_{unit}": value})
    assert row[Ask.MOST_SECOND] == second
    assert one(do="rest", **{f"time_{unit}": value})[Ask.MOST_SECOND] == second


def test_a_voltage_limit_may_be_tighter_or_wider_than_the_window():
    for volt in (2.0, 2.9):
        row = one(do="charge", c_rate=1, until_voltage_volt=volt)
        assert (row[Ask.UPPER_VOLT], row[Ask.LOWER_VOLT]) == (volt, -inf)
    for volt in (1.0, 2.0):
        row = one(do="discharge", c_rate=1, until_voltage_volt=volt)
        assert (row[Ask.UPPER_VOLT], row[Ask.LOWER_VOLT]) == (inf, volt)


def test_a_rest_has_no_current_and_no_limit_but_time():
    row = one(do="rest", time_hour=2)
    assert (row[Ask.MODE], row[Ask.VALUE]) == (Mode.CURRENT, 0.0)
    assert [row[a] for a in Ask if Ask.UPPER_VOLT <= a <= Ask.MOST_COULOMB] == [
        inf, -inf, inf, -inf, inf, -inf, -inf, inf,
    ]  # fmt: skip


def test_a_hold_ends_by_current_or_after_100_hours():
    for end in ({"until_c_rate": 0.02}, {"until_current_ma": 0.02}):
        row = one(do="hold", voltage_volt=2.75, **end)
        assert (row[Ask.MODE], row[Ask.VALUE]) == (Mode.VOLTAGE, 2.75)
        assert row[Ask.LEAST_AMPERE] == pytest.approx(2e-5)
        assert row[Ask.MOST_SECOND] == 360_000.0
    assert one(do="hold", voltage_volt=2, until_time_hour=1)[Ask.LEAST_AMPERE] == -inf


def test_safety_limit_without_a_known_1c_is_finite():
    unknown = replace(CELL, one_c_ampere=None)
    made = program([{"do": "charge", "current_ma": 0.1}], unknown)
    assert made.steps[0, Ask.MOST_SECOND] == pytest.approx(5 * 3600 * 10)
    assert np.isnan(made.nominal_c_rate[0])
    row = one(unknown, do="charge", current_ma=1e-300)
    assert row[Ask.MOST_SECOND] == 3.2e9


# --- where a hold stands


HOLD = {"do": "hold", "until_c_rate": 0.05}


@pytest.mark.parametrize(
    ("before", "volt"),
    [
        ([{"do": "charge", "c_rate": 1}], 2.75),
        ([{"do": "discharge", "c_rate": 1}], 1.35),
        ([{"do": "charge", "c_rate": 1, "until_voltage_volt": 2.6}], 2.6),
        ([{"do": "charge", "c_rate": 1}, {"do": "rest", "time_hour": 1}], 2.75),
        ([{"do": "hold", "voltage_volt": 2.2, "until_time_hour": 1}], 2.2),
        ([{"do": "cycle", "c_rate": 1}], 1.35),
        (
            [{"do": "repeat", "count": 2, "steps": [{"do": "charge", "c_rate": 1}]}],
            2.75,
        ),
    ],
)
def test_a_hold_stands_where_the_step_before_it_stopped(before, volt):
    made = program([*before, HOLD])
    assert made.steps[-1, Ask.VALUE] == volt
    assert made.labels[-1] == f"hold {volt:g} V"


def test_a_hold_at_the_start_of_a_repeat_follows_what_really_came_before():
    made = program(
        [
            {"do": "charge", "c_rate": 1},
            {
                "do": "repeat",
                "count": 3,
                "steps": [HOLD, {"do": "discharge", "c_rate": 1}],
            },
        ]
    )
    holds = made.steps[made.steps[:, Ask.MODE] == Mode.VOLTAGE]
    assert holds[:, Ask.VALUE].tolist() == [2.75, 1.35, 1.35]


def test_a_hold_without_anything_before_it_asks_for_its_voltage():
    text = complaint([{"do": "rest", "time_hour": 1}, HOLD])
    assert text.startswith("t: step 2 (hold): voltage_volt is missing")
    assert "-> give voltage_volt" in text


# --- cycles


def test_a_cycle_is_a_charge_and_a_discharge():
    made = program([{"do": "cycle", "c_rate": 0.5, "count": 3}])
    assert made.labels == ("charge 0.5C", "discharge 0.5C") * 3
    assert made.steps[:, Ask.CYCLE].tolist() == [1, 1, 2, 2, 3, 3]
    assert made.steps[:, Ask.STEP].tolist() == [1, 2, 3, 4, 5, 6]
    assert made.cycle_count == 3


def test_a_cycle_with_everything():
    step = {
        "do": "cycle",
        "charge_c_rate": 0.5,
        "discharge_c_rate": 2,
        "rest_hour": 0.5,
        "hold_until_c_rate": 0.05,
    }
    made = program([step])
    assert made.labels == (
        "charge 0.5C",
        "hold 2.75 V",
        "rest 0.5 h",
        "discharge 2C",
        "rest 0.5 h",
    )
    assert set(made.steps[:, Ask.CYCLE]) == {1.0}
    assert parse({"name": "t", "steps": [step]}, where="w").step_count == 5
    assert made.steps[1, Ask.LEAST_AMPERE] == pytest.approx(5e-5)
    back = program([step], BUILT_CHARGED)
    assert back.labels == (*made.labels[3:], *made.labels[:3])


@pytest.mark.parametrize(
    ("first", "context", "begins"),
    [
        (None, CELL, "charge"),
        (None, BUILT_CHARGED, "discharge"),
        ("charge", BUILT_CHARGED, "charge"),
        ("discharge", CELL, "discharge"),
    ],
)
def test_what_a_cycle_begins_with(first, context, begins):
    top = {} if first is None else {"first": first}
    made = program([{"do": "cycle", "c_rate": 1, "count": 2}], context, **top)
    assert made.labels[0] == f"{begins} 1C"
    assert made.steps[:, Ask.CYCLE].tolist() == [1, 1, 2, 2]
    halves = [{"do": d, "c_rate": 1} for d in ("first_half", "second_half")]
    assert program(halves, context, **top).labels == made.labels[:2]


UP, DOWN, PAUSE = (
    {"do": "charge", "c_rate": 1},
    {"do": "discharge", "c_rate": 1},
    {"do": "rest", "time_hour": 1},
)


@pytest.mark.parametrize(
    ("steps", "context", "cycles"),
    [
        ([UP, PAUSE, UP, PAUSE, DOWN, PAUSE, DOWN, PAUSE], CELL, [1] * 8),
        ([PAUSE, UP, DOWN, PAUSE, UP, DOWN], CELL, [1, 1, 1, 1, 2, 2]),
        ([UP, HOLD, DOWN, HOLD, UP, HOLD], CELL, [1, 1, 1, 1, 2, 2]),
        ([DOWN, UP, DOWN, UP], CELL, [1, 2, 2, 3]),
        ([UP, DOWN, UP, DOWN], BUILT_CHARGED, [1, 2, 2, 3]),
        ([DOWN, UP, DOWN, UP], BUILT_CHARGED, [1, 1, 2, 2]),
        ([PAUSE, PAUSE], CELL, [1, 1]),
        ([UP, UP, UP], CELL, [1, 1, 1]),
        ([DOWN, DOWN, UP], CELL, [1, 1, 2]),
    ],
)
def test_a_new_cycle_begins_where_the_current_turns_back(steps, context, cycles):
    assert program(steps, context).steps[:, Ask.CYCLE].tolist() == cycles


# --- repeats


def test_a_repeat_writes_its_steps_out():
    inner = {"do": "repeat", "count": 2, "steps": [UP, PAUSE]}
    made = program([{"do": "repeat", "count": 3, "steps": [inner, DOWN]}])
    assert made.labels == (*(["charge 1C", "rest 1 h"] * 2), "discharge 1C") * 3
    assert made.steps[:, Ask.CYCLE].tolist() == [1] * 5 + [2] * 5 + [3] * 5
    assert made.skip_to.tolist() == list(range(1, 16))


def test_a_stopping_repeat_is_left_at_the_voltage_limit_only():
    pulses = {
        "do": "repeat",
        "count": 3,
        "stop_when_voltage_reached": True,
        "steps": [UP | {"until_time_second": 60}, PAUSE],
    }
    made = program([PAUSE, pulses, DOWN])
    #        rest, 3 x (pulse -> 7, rest -> next), discharge -> the end
    assert made.skip_to.tolist() == [1, 7, 3, 7, 5, 7, 7, 8]
    assert made.skip_to.dtype == np.int64


def test_the_innermost_stopping_repeat_decides():
    inner = {
        "do": "repeat",
        "count": 2,
        "stop_when_voltage_reached": True,
        "steps": [UP],
    }
    outer = inner | {"steps": [inner, DOWN]}
    #        (up, up, down) x 2: an up leaves the inner one, a down the outer one
    assert program([outer, PAUSE]).skip_to.tolist() == [2, 2, 6, 5, 5, 6, 7]
    plain = {"do": "repeat", "count": 2, "steps": [DOWN]}
    assert program([inner | {"steps": [plain, UP]}]).skip_to.tolist() == [6] * 6


# --- the shipped protocols


@pytest.mark.parametrize(
    ("name", "cycles", "rates"),
    [
        ("formation", 4, [0.1, 0.1, 0.2, 0.2]),
        ("first-cycle", 1, [0.2]),
        ("rate-test", 60, 2 * [r for r in (0.1, 0.2, 0.5, 1, 2, 5) for _ in range(5)]),
        ("short-rate-test", 15, [r for r in (0.1, 0.2, 0.5, 1, 2) for _ in range(3)]),
        ("cycle-0.2C", 120, [0.2] * 120),
        ("cycle-1C", 100, [1.0] * 100),
        (
            "three-electrode-rate-test",
            24,
            [0.2] * 3 + [r for r in (0.5, 1, 2, 5) for _ in range(5)] + [0.2],
        ),
        ("pseudo-ocv", 1, [0.02]),
    ],
)
@pytest.mark.parametrize("context", [CELL, BUILT_CHARGED])
def test_rates_of_the_shipped_protocols(name, cycles, rates, context):
    made = expand(load_protocol(name), context)
    assert made.cycle_count == cycles
    ampere = made.steps[:, Ask.VALUE]
    sign = 1 if context.charges_first else -1
    assert ampere[::2] == pytest.approx([sign * r * 1e-3 for r in rates])
    assert ampere[1::2] == pytest.approx([-sign * r * 1e-3 for r in rates])


def test_the_three_electrode_test_returns_to_the_first_rate_in_cycle_24():
    made = expand(load_protocol("three-electrode-rate-test"), CELL)
    last = made.steps[made.steps[:, Ask.CYCLE] == 24]
    assert np.abs(last[:, Ask.VALUE]) == pytest.approx([0.2e-3] * 2)


@pytest.mark.parametrize("context", [CELL, BUILT_CHARGED])
def test_gitt_is_one_cycle_of_pulses_that_the_window_ends(context):
    made = expand(load_protocol("gitt"), context)
    ampere, second = made.steps[:, Ask.VALUE], made.steps[:, Ask.MOST_SECOND]
    sign = 1 if context.charges_first else -1
    there, back = ampere * sign > 0, ampere * sign < 0
    assert made.cycle_count == 1
    assert set(second[there | back]) == {1200.0}
    assert set(second[ampere == 0.0]) == {7200.0}
    # more than twice what 1C stands for, in either direction
    assert (np.abs(ampere) * second)[there].sum() >= 2 * 3600 * 1e-3
    assert np.flatnonzero(there).max() < np.flatnonzero(back).min()
    # the last pulse of each direction, and a rest before it turns back
    after = set(made.skip_to[there]), set(made.skip_to[back])
    assert after == ({120}, {241})
    assert ampere[120] == ampere[241] == 0.0
    assert back[121]


@pytest.mark.parametrize("name", named.names())
def test_a_shipped_protocol_says_what_it_is_and_is_named_as_its_file(name):
    content = tomllib.loads(named.text(name))
    assert content["name"] == name
    assert content["description"]
    assert named.text(name).startswith("# ")
    assert load_protocol(name) == parse(content, where="here")


@pytest.mark.parametrize(
    "name", ["rate-test", "short-rate-test", "three-electrode-rate-test"]
)
def test_counts_that_the_paper_does_not_print_are_called_assumed(name):
    assert "assumed" in named.text(name)


def test_an_unknown_shipped_protocol_is_refused_with_the_nearest():
    with pytest.raises(SpecError, match="did you mean 'rate-test'"):
        named.text("rate-tset")


# --- mistakes of a user


ENDS = "until_c_rate, until_current_ma, until_time_hour, until_time_second"
WRONG = {
    "no current": ({"do": "charge"}, ["a current is missing", "c_rate, current_ma"]),
    "two currents": (
        {"do": "charge", "c_rate": 1, "current_ma": 1},
        ["given are c_rate and current_ma"],
    ),
    "no rate": ({"do": "charge", "c_rate": 0}, ["c_rate = 0", "greater than 0"]),
    "negative rate": ({"do": "discharge", "c_rate": -1}, ["c_rate = -1"]),
    "rate as a fraction": (
        {"do": "charge", "c_rate": "C/5"},
        ["c_rate: 'C/5' is text, not a number; write c_rate = 0.2"],
    ),
    "rate as text": (
        {"do": "cycle", "charge_c_rate": "2 C", "discharge_c_rate": 1},
        ["charge_c_rate: '2 C' is text, not a number; write charge_c_rate = 2"],
    ),
    "rate as other text": (
        {"do": "charge", "c_rate": "fast"},
        ["c_rate = 'fast'", "number"],
    ),
    "rate of nothing": ({"do": "charge", "c_rate": "C/0"}, ["c_rate = 'C/0'"]),
    "rate of dots": ({"do": "charge", "c_rate": "..C"}, ["c_rate = '..C'"]),
    "mA as rate": ({"do": "charge", "c_rate": 1900}, ["c_rate = 1900", "1000"]),
    "rate nan": ({"do": "charge", "c_rate": float("nan")}, ["c_rate = nan"]),
    "rate inf": ({"do": "charge", "current_ma": inf}, ["current_ma = inf", "finite"]),
    "millivolt": (
        {"do": "charge", "c_rate": 1, "until_voltage_volt": 2750},
        ["until_voltage_volt", "2750 looks like millivolt"],
    ),
    "two times": (
        {"do": "charge", "c_rate": 1, "until_time_hour": 1, "until_time_second": 1},
        ["given are until_time_hour and until_time_second"],
    ),
    "time below 0": ({"do": "rest", "time_hour": -1}, ["time_hour = -1"]),
    "a millennium": ({"do": "rest", "time_hour": 1e7}, ["time_hour", "876600"]),
    "endless rest": ({"do": "rest"}, ["never end", "time_hour or time_second"]),
    "endless hold": ({"do": "hold", "voltage_volt": 2.7}, ["never end", ENDS]),
    "rest with two times": (
        {"do": "rest", "time_hour": 1, "time_second": 1},
        ["given are time_hour and time_second"],
    ),
    "hold with two times": (
        {"do": "hold", "until_time_hour": 1, "until_time_second": 1},
        ["given are until_time_hour and until_time_second"],
    ),
    "hold with two currents": (
        {"do": "hold", "until_c_rate": 1, "until_current_ma": 1},
        ["given are until_c_rate and until_current_ma"],
    ),
    "rest with the key of another step": (
        {"do": "rest", "time_hour": 1, "c_rate": 1},
        ["unknown key 'c_rate'", "time_second", "typo"],
    ),
    "typo in a key": (
        {"do": "charge", "c_rate": 1, "until_volage_volt": 2},
        ["unknown key 'until_volage_volt'", "did you mean 'until_voltage_volt'?"],
    ),
    "typo in a key of a cycle": (
        {"do": "cycle", "c_rate": 1, "rest_hours": 1},
        ["unknown key 'rest_hours'", "did you mean 'rest_hour'?"],
    ),
    "window of a half without name": (
        {"do": "first_half", "c_rate": 1, "until_voltage_volt": 2},
        ["unknown key 'until_voltage_volt'"],
    ),
    "cycle without rate": ({"do": "cycle"}, ["give c_rate, or both"]),
    "cycle with one rate": (
        {"do": "cycle", "charge_c_rate": 1},
        ["both charge_c_rate and discharge_c_rate"],
    ),
    "cycle with three rates": (
        {"do": "cycle", "c_rate": 1, "charge_c_rate": 1, "discharge_c_rate": 1},
        ["give c_rate or charge_c_rate and discharge_c_rate, not both"],
    ),
    "no cycles": ({"do": "cycle", "c_rate": 1, "count": 0}, ["count = 0"]),
    "half a cycle": ({"do": "cycle", "c_rate": 1, "count": 1.5}, ["count = 1.5"]),
    "count yes": ({"do": "cycle", "c_rate": 1, "count": True}, ["count = True"]),
    "repeat without count": ({"do": "repeat", "steps": [UP]}, ["'count' is missing"]),
    "repeat without steps": ({"do": "repeat", "count": 2}, ["'steps' is missing"]),
    "repeat of nothing": (
        {"do": "repeat", "count": 2, "steps": []},
        ["steps is empty", "add a step"],
    ),
    "stop as a number": (
        {"do": "repeat", "count": 2, "stop_when_voltage_reached": 1, "steps": [UP]},
        ["stop_when_voltage_reached = 1"],
    ),
    "stopping a cycle": (
        {
            "do": "repeat",
            "count": 2,
            "stop_when_voltage_reached": True,
            "steps": [{"do": "cycle", "c_rate": 1}],
        },
        ["would stop in the first one", "write charge or discharge steps"],
    ),
    "nothing that could stop": (
        {
            "do": "repeat",
            "count": 2,
            "stop_when_voltage_reached": True,
            "steps": [PAUSE],
        },
        ["no charge or discharge among"],
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_step_is_named_with_its_place(case):
    step, said = WRONG[case]
    text = complaint([PAUSE, step])
    assert text.startswith(f"my.toml: step 2 ({step['do']}): "), text
    for part in said:
        assert part in text, text
    assert "function-" not in text


def test_a_wrong_step_within_repeats_is_counted_from_one_at_each_depth():
    inner = {"do": "repeat", "count": 2, "steps": [UP, PAUSE, {"do": "rest"}]}
    text = complaint([PAUSE, {"do": "repeat", "count": 2, "steps": [inner]}])
    assert text.startswith("my.toml: step 2.1.3 (rest): "), text


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([{"do": "chrage", "c_rate": 1}], ["step 1: do = 'chrage'", "mean 'charge'?"]),
        ([{"do": 5}], ["step 1: do = 5", "known: charge, cycle"]),
        ([{"do": ["rest"]}], ["step 1: do = ['rest']"]),
        ([{"c_rate": 1}], ["step 1: key 'do' is missing; found c_rate", "one of"]),
        ([{}], ["step 1: key 'do' is missing; found nothing"]),
        (["charge"], ["step 1: a step is a table, found 'charge'"]),
        ({"do": "rest"}, ["steps is one table, a list", "[[steps]]"]),
        (5, ["steps = 5, a list"]),
        ([], ["steps is empty", "add a step"]),
    ],
)
def test_steps_that_are_none_are_refused_with_a_remedy(steps, said):
    text = complaint(steps)
    assert text.startswith("my.toml: "), text
    assert "\n  -> " in text
    for part in said:
        assert part in text, text


def test_mistakes_outside_of_the_steps():
    with pytest.raises(SpecError, match="key 'name' is missing"):
        parse({"steps": [UP]}, where="my.toml")
    with pytest.raises(SpecError, match="key 'steps' is missing"):
        parse({"name": "x"}, where="my.toml")
    for content, table in (
        ({"steps": [UP, UP | {"name": "x"}]}, r"\[\[steps\]\]"),
        ({"more": {"name": "x"}, "steps": [UP]}, r"\[more\]"),
    ):
        said = rf"'name' is missing; there is one below {table}\n.*above the first"
        with pytest.raises(SpecError, match="(?s)" + said):
            parse(content, where="my.toml")
    assert "did you mean 'description'?" in complaint([UP], descripton="x")
    text = complaint([UP], first="up")
    assert "first = 'up'" in text
    assert "'charge' or 'discharge'" in text


def test_steps_are_bounded_as_written_out():
    def steps(count):
        inner = {"do": "repeat", "count": 1000, "steps": [UP, DOWN]}
        return [{"do": "repeat", "count": count, "steps": [inner]}]

    most = parse({"name": "x", "steps": steps(500)}, where="my.toml")
    assert most.step_count == 1_000_000
    text = complaint([*steps(500), PAUSE])
    assert "my.toml: written out these are 1,000,001 steps" in text
    assert "at most 1,000,000" in text
    assert "lower a count" in text
    # counted, not written: also when it could never be written
    assert "at most" in complaint([{"do": "cycle", "c_rate": 1, "count": 10**30}])


def test_repeats_are_bounded_in_depth():
    steps = [UP]
    for _ in range(8):
        steps = [{"do": "repeat", "count": 1, "steps": steps}]
    assert program(steps).labels == ("charge 1C",)
    for _ in range(300):
        steps = [{"do": "repeat", "count": 1, "steps": steps}]
    text = complaint(steps)
    assert "more than 8 deep" in text
    assert "-> write the inner steps out" in text


# --- mistakes that only the cell shows


@pytest.mark.parametrize(
    ("step", "key"),
    [
        (UP, "c_rate = 1"),
        ({"do": "hold", "voltage_volt": 2, "until_c_rate": 0.1}, "until_c_rate = 0.1"),
        ({"do": "cycle", "c_rate": 2}, "c_rate = 2"),
    ],
)
def test_a_c_rate_needs_the_current_of_1c(step, key):
    with pytest.raises(SpecError) as caught:
        program([step], replace(CELL, one_c_ampere=None))
    text = str(caught.value)
    assert text.startswith("t: step 1 (")
    assert key in text
    assert "-> give one_c_ma_per_g_positive in the cell file" in text


@pytest.mark.parametrize(
    ("do", "volt", "said"),
    [
        ("charge", 1.35, "1.35 V is the lower end of the window"),
        ("charge", -1.0, "1.35 V is the lower end of the window"),
        ("discharge", 2.75, "2.75 V is the upper end of the window"),
        ("discharge", 4.2, "choose a voltage below it"),
    ],
)
def test_a_voltage_limit_behind_the_step_is_refused(do, volt, said):
    text = complaint([PAUSE, {"do": do, "c_rate": 1, "until_voltage_volt": volt}])
    assert text.startswith(f"t: step 2 ({do}): until_voltage_volt = {volt:g}"), text
    assert f"this {do} would end at once" in text
    assert said in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"window_upper_volt": 1.0}, "window_upper_volt = 1 must lie above"),
        ({"window_lower_volt": float("nan")}, "both finite"),
        ({"one_c_ampere": 0.0}, "one_c_ampere = 0 must be > 0"),
        ({"positive_mass_g": -1.0}, "positive_mass_g = -1 must be > 0"),
        ({"positive_area_cm2": inf}, "positive_area_cm2 = inf must be > 0"),
    ],
)
def test_a_context_that_is_no_cell_is_refused(change, said):
    with pytest.raises(SpecError) as caught:
        replace(CELL, **change)
    assert said in str(caught.value)
    assert "\n  -> check" in str(caught.value)


# --- files


def test_a_file_is_read(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(named.text("rate-test"), "utf-8")
    assert load_protocol(path) == load_protocol(str(path)) == load_protocol("rate-test")


def test_a_mistake_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "x"\n[[steps]]\ndo = "rest"\n', "utf-8")
    with pytest.raises(SpecError) as caught:
        load_protocol(path)
    assert str(caught.value).startswith(f"{path}: step 1 (rest): ")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("rate-tset", ["neither a shipped protocol nor a file", "mean 'rate-test'?"]),
        ("xyz", ["'xyz'", "known: cycle-0.2C", "path of a .toml file"]),
        ("", ["no protocol is named", "formation"]),
        ("  ", ["no protocol is named"]),
        ("absent.toml", ["absent.toml: there is no such file"]),
        ("a/b", ["a/b: there is no such file"]),
        ("zhang2026-lb", ["is a bundled cell, a protocol was expected", "gitt"]),
        ("zhang2026-lto-inli", ["is a bundled cell"]),
        ("x" * 5000, ["neither a shipped protocol nor a file"]),
    ],
)
def test_a_name_that_is_none(name, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError) as caught:
        load_protocol(name)
    for part in said:
        assert part in str(caught.value), str(caught.value)


def test_a_cell_file_is_no_protocol(edited):
    with pytest.raises(SpecError, match="this is a cell, a protocol was expected"):
        load_protocol(edited())


# --- models and programs as objects


def test_a_protocol_can_be_built_in_python():
    built = Protocol(
        name="t",
        steps=(
            Charge(c_rate=1.0),
            Hold(until_c_rate=0.05),
            Rest(time_hour=1.0),
            Discharge(current_ma=1.0, until_voltage_volt=1.5),
            Repeat(count=2, steps=(Cycle(c_rate=0.2),)),
        ),
    )
    assert [s.do for s in built.steps] == [
        "charge",
        "hold",
        "rest",
        "discharge",
        "repeat",
    ]
    content = built.model_dump(exclude_none=True)
    assert parse(content, where="here") == built
    assert expand(built, CELL).steps.shape == (8, len(Ask))


def test_specifications_and_programs_are_frozen():
    step = Charge(c_rate=1.0)
    with pytest.raises(ValidationError):
        step.c_rate = 2.0
    made = program([UP])
    with pytest.raises(FrozenInstanceError):
        made.name = "other"


def test_parsing_leaves_its_input_alone():
    inner = [dict(UP)]
    content = {"name": "x", "steps": [{"do": "repeat", "count": 2, "steps": inner}]}
    parse(content, where="here")
    assert content["steps"][0]["steps"] is inner
    assert inner == [UP]


def test_arrays_are_ready_for_a_kernel():
    made = program([UP, PAUSE, DOWN])
    assert made.steps.dtype == made.nominal_c_rate.dtype == np.float64
    assert made.steps.flags.c_contiguous
    assert made.skip_to.flags.c_contiguous
    assert np.isnan(made.nominal_c_rate[1])
    assert made.name == "t"


def test_every_kind_of_step_has_its_word():
    for word, model in KINDS.items():
        assert model.model_fields["do"].default == word


# --- the page


def described(repo):
    """First cells of the tables of the page, one entry for each key in them."""
    page = (repo / "docs" / "howto" / "protocols.md").read_text("utf-8")
    rows = re.findall(r"^\| (`[^|]+`) \|", page, re.MULTILINE)
    return {key for row in rows for key in re.findall(r"`([\w.-]+)`", row)}


def test_every_key_and_name_is_on_the_page_and_none_is_made_up(repo):
    keys = {k for m in (Protocol, *KINDS.values()) for k in m.model_fields} - {"do"}
    assert described(repo) - {"do"} == keys | set(KINDS) | set(named.names())
