"""Truths of every protocol, tried on random ones."""

import tomllib
from math import isfinite

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from equipoise.core.errors import SpecError
from equipoise.io.protocols import load_protocol
from equipoise.kernels.program import Ask, Mode
from equipoise.protocol.expand import Context, expand
from equipoise.protocol.parsing import KINDS, parse
from equipoise.protocol.steps import MOST_STEPS

LOW, HIGH = 1.35, 2.75
rates = st.floats(1e-4, 100.0)
hours = st.floats(1e-3, 1000.0)
names = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Zl", "Zp")), min_size=1
)


def keys(**options):
    """A table with any of the keys."""
    return st.fixed_dictionaries({}, optional=options)


def tables(do, required=None, **optional):
    return st.fixed_dictionaries(
        {"do": st.just(do)} | (required or {}), optional=optional
    )


currents = st.sampled_from(
    ["c_rate", "current_ma", "current_ma_per_cm2", "current_ma_per_g_positive"]
).flatmap(lambda k: st.fixed_dictionaries({k: rates}))
ends = st.sampled_from(["hour", "second"]).flatmap(
    lambda u: keys(**{f"until_time_{u}": hours})
)
limits = keys(
    until_capacity_mah_per_g_positive=st.floats(0.1, 500.0),
    until_positive_potential_vs_li_volt=st.floats(2.0, 5.0),
    until_negative_potential_vs_li_volt=st.floats(0.0, 3.0),
)


def halves(do, **more):
    parts = (tables(do, **more), currents, ends, limits)
    return st.tuples(*parts).map(lambda t: {k: v for d in t for k, v in d.items()})


rests = st.sampled_from(["hour", "second"]).flatmap(
    lambda u: tables("rest", {f"time_{u}": hours})
)
holds = st.sampled_from(
    ["until_c_rate", "until_current_ma", "until_time_hour", "until_time_second"]
).flatmap(lambda k: tables("hold", {k: rates, "voltage_volt": st.floats(1.0, 3.0)}))
cycles = st.one_of(
    tables("cycle", {"c_rate": rates}),
    tables("cycle", {"charge_c_rate": rates, "discharge_c_rate": rates}),
).flatmap(
    lambda d: keys(
        rest_hour=st.one_of(st.just(0), hours),
        hold_until_c_rate=rates,
        count=st.integers(1, 3),
    ).map(lambda more: d | more)
)
simple = st.one_of(
    halves("charge", until_voltage_volt=st.floats(1.4, 5.0)),
    halves("discharge", until_voltage_volt=st.floats(-1.0, 2.7)),
    halves("first_half"),
    halves("second_half"),
    rests,
    holds,
)
plain = st.one_of(simple, cycles)


def repeats(inner):
    whole = tables(
        "repeat", {"count": st.integers(1, 3), "steps": st.lists(inner, min_size=1)}
    )
    stopping = tables(
        "repeat",
        {
            "count": st.integers(1, 3),
            "stop_when_voltage_reached": st.just(True),
            "steps": st.lists(simple, max_size=2).flatmap(
                lambda more: halves("charge").map(lambda one: [*more, one])
            ),
        },
    )
    return st.one_of(whole, stopping)


steps = st.recursive(plain, repeats, max_leaves=6)
protocols = st.fixed_dictionaries(
    {"name": names, "steps": st.lists(steps, min_size=1, max_size=5)},
    optional={
        "first": st.sampled_from(["charge", "discharge"]),
        "description": names,
    },
)
contexts = st.builds(
    Context,
    window_lower_volt=st.just(LOW),
    window_upper_volt=st.just(HIGH),
    one_c_ampere=st.floats(1e-5, 100.0),
    positive_mass_g=st.floats(1e-4, 1e3),
    positive_area_cm2=st.floats(0.1, 1e4),
    charges_first=st.booleans(),
)


def written(content, context):
    return expand(parse(content, where="w"), context)


def flat(steps, first):
    """Word and table of each written-out step, by a second way of counting."""
    for step in steps:
        if step["do"] == "repeat":
            for _ in range(step["count"]):
                yield from flat(step["steps"], first)
        elif step["do"] == "cycle":
            rest = ["rest"] if step.get("rest_hour", 0) else []
            hold = ["hold"] if "hold_until_c_rate" in step else []
            up, down = ["charge", *hold, *rest], ["discharge", *rest]
            both = up + down if first == "charge" else down + up
            yield from ((word, None) for word in both * step.get("count", 1))
        else:
            other = "discharge" if first == "charge" else "charge"
            words = {"first_half": first, "second_half": other}
            yield words.get(step["do"], step["do"]), step


def first_of(content, context):
    return content.get("first", "charge" if context.charges_first else "discharge")


@given(protocols, contexts)
def test_signs_modes_and_limits(content, context):
    made = written(content, context)
    wanted = list(flat(content["steps"], first_of(content, context)))
    assert made.steps.shape == (len(wanted), len(Ask))
    for row, label, (word, step) in zip(made.steps, made.labels, wanted, strict=True):
        assert label.startswith(f"{word} ")
        assert row[Ask.MODE] == (Mode.VOLTAGE if word == "hold" else Mode.CURRENT)
        if word != "hold":
            sign = {"charge": 1, "discharge": -1, "rest": 0}[word]
            assert np.sign(row[Ask.VALUE]) == sign
        given_volt = (step or {}).get("until_voltage_volt")
        upper = (given_volt or HIGH) if word == "charge" else np.inf
        lower = LOW if given_volt is None else given_volt
        assert row[Ask.UPPER_VOLT] == upper
        assert row[Ask.LOWER_VOLT] == (lower if word == "discharge" else -np.inf)
        limit = (step or {}).get("until_positive_potential_vs_li_volt")
        sides = row[Ask.POSITIVE_UPPER_VOLT], row[Ask.POSITIVE_LOWER_VOLT]
        charges = word == "charge"
        assert sides == (
            (np.inf, -np.inf)
            if limit is None
            else ((limit, -np.inf) if charges else (np.inf, limit))
        )
        limit = (step or {}).get("until_negative_potential_vs_li_volt")
        sides = row[Ask.NEGATIVE_UPPER_VOLT], row[Ask.NEGATIVE_LOWER_VOLT]
        assert sides == (
            (np.inf, -np.inf)
            if limit is None
            else ((np.inf, limit) if charges else (limit, -np.inf))
        )
        capacity = (step or {}).get("until_capacity_mah_per_g_positive", np.inf)
        coulomb = capacity * context.positive_mass_g * 3.6
        assert row[Ask.MOST_COULOMB] == pytest.approx(coulomb)


@given(protocols, contexts)
def test_no_step_runs_for_ever(content, context):
    made = written(content, context)
    second = made.steps[:, Ask.MOST_SECOND]
    assert np.all((second > 0.0) & (second <= 3.2e9))
    assert not np.isnan(made.steps).any()
    assert np.isfinite(made.steps[:, Ask.VALUE]).all()
    holds = made.steps[:, Ask.MODE] == Mode.VOLTAGE
    assert np.all(second[holds] <= 3.6e6)


@given(protocols, contexts)
def test_a_safety_limit_leaves_room_for_twice_the_capacity(content, context):
    made = written(content, context)
    wanted = list(flat(content["steps"], first_of(content, context)))
    for row, (word, step) in zip(made.steps, wanted, strict=True):
        timed = any(k.startswith("until_time") for k in step or {})
        if word in ("charge", "discharge") and not timed:
            passed = abs(row[Ask.VALUE]) * row[Ask.MOST_SECOND]
            full = 2.0 * 3600.0 * context.one_c_ampere
            assert passed >= full or row[Ask.MOST_SECOND] == 3.2e9


@given(protocols, contexts)
def test_cycles_are_counted_as_the_rule_says(content, context):
    made = written(content, context)
    first = 1 if first_of(content, context) == "charge" else -1
    cycle, opposite, counted = 1, False, []
    for row in made.steps:
        sign = np.sign(row[Ask.VALUE]) if row[Ask.MODE] == Mode.CURRENT else 0
        if sign == first and opposite:
            cycle, opposite = cycle + 1, False
        opposite = opposite or sign == -first
        counted.append(cycle)
    assert made.steps[:, Ask.CYCLE].tolist() == counted
    assert made.steps[:, Ask.STEP].tolist() == list(range(1, len(counted) + 1))
    assert made.cycle_count == cycle


@given(protocols, contexts)
def test_lengths_agree(content, context):
    protocol = parse(content, where="w")
    made = expand(protocol, context)
    count = protocol.step_count
    assert 1 <= count <= MOST_STEPS
    assert len(made.labels) == len(made.steps) == count
    assert made.nominal_c_rate.shape == made.skip_to.shape == (count,)
    moving = (made.steps[:, Ask.MODE] == Mode.CURRENT) & (made.steps[:, Ask.VALUE] != 0)
    c_rate = np.abs(made.steps[:, Ask.VALUE]) / context.one_c_ampere
    assert made.nominal_c_rate[moving] == pytest.approx(c_rate[moving])
    assert np.isnan(made.nominal_c_rate[~moving]).all()


@given(protocols, contexts)
def test_a_skip_leads_forward_and_only_out_of_a_stopping_repeat(content, context):
    made = written(content, context)
    following = np.arange(1, made.skip_to.size + 1)
    assert np.all(made.skip_to >= following)
    assert made.skip_to.max() <= made.skip_to.size
    moving = (made.steps[:, Ask.MODE] == Mode.CURRENT) & (made.steps[:, Ask.VALUE] != 0)
    assert np.array_equal(made.skip_to[~moving], following[~moving])
    if "stop_when_voltage_reached" not in repr(content):
        assert np.array_equal(made.skip_to, following)


@given(protocols, contexts)
def test_other_units_of_time_and_current_are_the_same_program(content, context):
    def same(step):
        step = dict(step)
        for key in [k for k in step if k.endswith("time_hour")]:
            step[key.replace("hour", "second")] = step.pop(key) * 3600.0
        if step["do"] not in ("cycle", "repeat") and "c_rate" in step:
            step["current_ma"] = step.pop("c_rate") * context.one_c_ampere * 1e3
        if "steps" in step:
            step["steps"] = [same(s) for s in step["steps"]]
        return step

    one = written(content, context)
    other = written(content | {"steps": [same(s) for s in content["steps"]]}, context)
    assert other.steps == pytest.approx(one.steps, rel=1e-12)


@given(protocols, contexts)
def test_a_repeat_of_a_protocol_is_the_protocol_twice(content, context):
    once = written(content, context)
    whole = {"do": "repeat", "count": 2, "steps": content["steps"]}
    twice = written(content | {"steps": [whole]}, context)
    free = [a for a in Ask if a not in (Ask.CYCLE, Ask.STEP)]
    assert np.array_equal(
        twice.steps[:, free], np.vstack([once.steps[:, free]] * 2), equal_nan=True
    )
    assert twice.labels == once.labels * 2
    n = once.skip_to.size
    assert twice.skip_to.tolist() == [*once.skip_to, *(once.skip_to + n)]


# --- text


def toml(value):
    """A TOML value; names hold no control character, so a quote is all to escape."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, list):
        return "[" + ", ".join(toml(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {toml(v)}" for k, v in value.items()) + " }"
    return repr(value)


@given(content=protocols)
def test_a_protocol_survives_its_toml(content, tmp_path):
    path = tmp_path / "p.toml"
    lines = [f"{k} = {toml(v)}" for k, v in content.items() if k != "steps"]
    for step in content["steps"]:
        lines += ["[[steps]]", *(f"{k} = {toml(v)}" for k, v in step.items())]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    assert load_protocol(path) == parse(content, where="w")


@given(content=protocols)
def test_what_a_protocol_dumps_is_the_protocol(content):
    protocol = parse(content, where="w")
    dumped = protocol.model_dump(mode="json", exclude_none=True)
    text = "\n".join(f"{k} = {toml(v)}" for k, v in dumped.items())
    assert parse(tomllib.loads(text), where="w") == protocol


# --- anything else is refused by name

junk = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.sampled_from([*KINDS, "x", ""]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["do", "steps", "count", "c_rate", "time_hour", "x"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


@given(junk, contexts)
def test_nothing_but_a_spec_error_comes_out_of_junk(steps, context):
    made, refused = None, None
    try:
        made = written({"name": "x", "steps": steps}, context)
    except SpecError as error:
        refused = error
    if made is not None:
        assert isfinite(made.steps[0, Ask.MOST_SECOND])
    else:
        assert refused.where.startswith(("w", "x: step")), refused
        assert refused.message
        assert len(str(refused)) < 2000


@given(protocols, st.data())
def test_one_wrong_key_in_any_step_is_named_with_its_place(content, data):
    index = data.draw(st.integers(0, len(content["steps"]) - 1))
    wrong = content["steps"][index] | {"until_volt": 2.0}
    steps = [wrong if i == index else s for i, s in enumerate(content["steps"])]
    with pytest.raises(SpecError) as caught:
        parse(content | {"steps": steps}, where="w")
    assert caught.value.where == f"w: step {index + 1} ({wrong['do']})"
    assert "unknown key 'until_volt'" in caught.value.message
    assert caught.value.remedy
