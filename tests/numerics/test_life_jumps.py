"""Lithium over a life, and jumps against lives in which every cycle is solved."""

from functools import cache

import numpy as np
import pytest
from pydantic import ValidationError

import equipoise as eqp
from engine_cells import changed
from equipoise.ageing.ageing import Ageing
from equipoise.ageing.wear import Row
from equipoise.kernels.layout import (
    CAPACITY,
    EXCHANGE,
    FILM,
    FLUX,
    INTERFACE,
    INVERSE_RADIUS2,
)
from equipoise.kernels.program import End
from equipoise.protocol.expand import expand
from equipoise.protocol.parsing import parse
from equipoise.sim.life.ageing_cell import AgeingCell, Mark
from equipoise.sim.life.jumping import Jump
from equipoise.sim.life.life import life
from equipoise.sim.lower import lower
from equipoise.sim.mesh import Mesh, Stepping
from equipoise.sim.simulate import context

MESH = Mesh(positive_nodes_count=6, negative_nodes_count=6, shells_count=8)
CELLS = ("zhang2026-hb", "zhang2026-lb")
WEAR = (
    "positive_active_fraction",
    "positive_contact_fraction",
    "negative_active_fraction",
    "positive_diffusion_length_ratio",
)


def cycle(c_rate, count, **keys):
    return {"do": "cycle", "c_rate": c_rate, "count": count} | keys


def repeat(count, *steps):
    return {"do": "repeat", "count": count, "steps": list(steps)}


PROTOCOLS = {
    "1C": [cycle(1.0, 2500)],
    "0.2C": [cycle(0.2, 1500)],
    "rate test first": [cycle(0.1, 2), cycle(0.5, 3), cycle(2.0, 3), cycle(1.0, 2500)],
    "check-ups": [cycle(0.1, 2), repeat(25, cycle(1.0, 100), cycle(0.1, 1))],
    "holds": [cycle(1.0, 1500, hold_until_c_rate=0.05, rest_hour=0.25)],
    "eis": [
        repeat(
            25,
            cycle(1.0, 99),
            {"do": "charge", "c_rate": 1.0},
            {"do": "eis"},
            {"do": "discharge", "c_rate": 1.0},
        )
    ],
}


def protocol(name):
    return parse({"name": name, "steps": PROTOCOLS[name]}, where="test")


def lattice(hazard=1e-3, **keys):
    return {
        "kind": "lattice-contraction",
        "hazard_per_cycle_fraction": hazard,
        "exponent": 4.0,
        "reference_strain_percent": 4.0,
    } | keys


def film(after=200.0, width=0.1, **keys):
    return {
        "kind": "interphase-growth",
        "film_after_1000_hour_ohm_cm2": after,
        "width_volt": width,
    } | keys


def parasitic(current=0.02, at="positive", **keys):
    reference = {"reference_vs_li_volt": 1.55} if at == "negative" else {}
    return (
        {
            "kind": "parasitic-current",
            "at": at,
            "current_ma_per_g_positive": current,
            "width_volt": 0.1,
        }
        | reference
        | keys
    )


def fade(loss=1.5e-4, **keys):
    return {"kind": "active-fade", "loss_per_full_cycle_fraction": loss} | keys


def ageing(*mechanisms):
    return Ageing.model_validate({"mechanisms": list(mechanisms)})


def drawn(seed):
    """A plausible ageing: no order of magnitude beyond what cells like these show."""
    r = np.random.default_rng(seed)
    beyond = bool(r.random() < 0.3)
    strained = lattice(
        float(10 ** r.uniform(-3.3, -2.7)),
        exponent=float(r.uniform(1.0, 6.0)),
        frailty_ratio=float(r.choice([0.0, 1.0, 4.0])),
        contact_ratio=float(r.uniform(0.0, 2.0)),
        path_ratio=float(r.uniform(0.0, 0.2)),
        charged_fraction=float(r.choice([0.0, 0.5, 1.0])),
        driver="h2-h3" if beyond else "whole",
    )
    if beyond:
        strained |= {"reference_strain_percent": 2.0}
    else:
        strained |= {"threshold_strain_percent": float(r.choice([0.0, 1.0]))}
    grown = film(float(r.uniform(50.0, 300.0)), float(r.uniform(0.05, 0.2)))
    at = str(r.choice(["positive", "negative", "both"]))
    side = parasitic(float(10 ** r.uniform(-3.0, -1.5)), at)
    if r.random() < 0.5:
        side |= {"halving_mah_per_g_positive": float(r.uniform(1.0, 5.0))}
    return ageing(strained, grown, side, fade(float(r.uniform(0.5e-4, 2e-4))))


@cache
def known(name):
    return eqp.load_cell(name)


def lived(cell, steps, mechanisms, **keys):
    keys = {"model": "spm", "mesh": MESH} | keys
    where = known(cell) if isinstance(cell, str) else cell
    return life(where, steps, mechanisms, **keys)


@cache
def drawn_life(seed, cell, name, tolerance=None, until=0.8):
    """A life of a drawn ageing, with jumps if a tolerance is given."""
    jump = None if tolerance is None else Jump(tolerance_fraction=tolerance)
    return lived(cell, protocol(name), drawn(seed), jump=jump, until_retention=until)


def whole_coulomb(found):
    return float(found.records[0, Mark.LITHIUM])


def unaccounted(found):
    """Lithium + isolated - slipped after each solved cycle, over all lithium."""
    marks = found.records
    kept = marks[:, Mark.LITHIUM] + marks[:, Mark.ISOLATED] - marks[:, Mark.SLIPPED]
    return kept / whole_coulomb(found)


# --- lithium

LEDGERS = {
    "isolated when discharged": [lattice(3e-3), fade(1e-3)],
    "half and half": [lattice(3e-3, charged_fraction=0.5)],
    "isolated when charged": [lattice(3e-3, charged_fraction=1.0)],
    "negative when charged": [fade(2e-3, charged_fraction=1.0)],
    "oxidation": [parasitic(0.1), fade()],
    "reduction": [parasitic(0.1, "negative")],
    "shuttle": [parasitic(0.1, "both"), lattice(3e-3)],
    "everything": [
        lattice(3e-3, charged_fraction=0.5, contact_ratio=1.0, path_ratio=0.1),
        film(),
        parasitic(0.1),
        parasitic(0.03, "negative", halving_mah_per_g_positive=1.0),
        fade(1e-3, charged_fraction=0.5),
    ],
}


@pytest.mark.parametrize("model", ["spm", "dfn"])
@pytest.mark.parametrize("name", LEDGERS)
def test_lithium_changes_by_what_slips_and_what_is_isolated(name, model):
    found = lived(
        "zhang2026-lb",
        parse({"name": "p", "steps": [cycle(1.0, 40)]}, where="test"),
        ageing(*LEDGERS[name]),
        model=model,
        until_retention=None,
    )
    marks, whole = found.records, whole_coulomb(found)
    moves = np.diff(marks[:, [Mark.LITHIUM, Mark.SLIPPED, Mark.ISOLATED]], axis=0)
    assert moves[:, 0] == pytest.approx(moves[:, 1] - moves[:, 2], abs=1e-11 * whole)
    assert np.ptp(unaccounted(found)) < 1e-9
    sides = marks[:, Mark.POSITIVE_SIDE] - marks[:, Mark.NEGATIVE_SIDE]
    assert marks[:, Mark.SLIPPED] == pytest.approx(np.cumsum(sides), abs=1e-12 * whole)
    lost = marks[-1, Mark.ISOLATED] / whole
    if name in ("reduction",):
        assert lost == pytest.approx(0.0, abs=1e-12)
    else:
        assert lost > 1e-4


def test_lithium_at_the_start_is_that_of_the_cell_as_built():
    """The first record against the built cell: nothing is lost in the first cycle."""
    found = lived(
        "zhang2026-lb",
        parse({"name": "p", "steps": [cycle(1.0, 2)]}, where="test"),
        ageing(lattice(3e-3), parasitic(0.1)),
        until_retention=None,
    )
    low = found.lowered
    built = 0.0
    for porous, start in (
        (low.positive, low.positive_start_fraction),
        (low.negative, low.negative_start_fraction),
    ):
        built += float(porous.column[CAPACITY].sum()) * porous.area * start
    kept = unaccounted(found) * whole_coulomb(found)
    assert kept == pytest.approx(np.full(kept.size, built), rel=1e-10)


def test_a_first_lithiation_loss_leaves_the_ledger_once():
    lossy = changed(known("zhang2026-lb"), "negative", **FIRST_LOSS)
    found = lived(
        lossy,
        parse({"name": "p", "steps": [cycle(1.0, 20)]}, where="test"),
        ageing(lattice(3e-3), parasitic(0.1)),
        until_retention=None,
    )
    assert found.lowered.bypass_coulomb > 0.0
    assert np.ptp(unaccounted(found)) < 1e-9


FIRST_LOSS = {"first_lithiation_loss_mah_per_g": 3.0}


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_isolated_particles_keep_the_lithium_they_held(fraction):
    """Of one column: loss of active material times its lithium fraction back then."""
    found = lived(
        "zhang2026-hb",
        parse({"name": "p", "steps": [cycle(0.2, 12)]}, where="test"),
        ageing(lattice(3e-3, charged_fraction=fraction)),
        until_retention=None,
    )
    porous = found.lowered.positive
    assert porous.column.shape[1] == 1
    capacity = float(porous.column[CAPACITY, 0]) * porous.area
    active = np.append(1.0, found.records[:, Mark.POSITIVE_ACTIVE])
    lithiation = found.results[:, End.POSITIVE_LITHIATION].reshape(-1, 2)
    held = lithiation[:, 0 if fraction == 1.0 else 1]
    expected = np.cumsum(-np.diff(active) * held) * capacity
    assert found.records[:, Mark.ISOLATED] == pytest.approx(expected, rel=1e-9)
    assert expected[-1] > 0.0


def test_the_mark_of_the_active_material_follows_the_strain_of_the_table():
    """Hazard recomputed from the printed volume swing, cycle by cycle."""
    found = lived(
        "zhang2026-hb",
        parse({"name": "p", "steps": [cycle(1.0, 30)]}, where="test"),
        ageing(lattice(3e-3, frailty_ratio=2.0)),
        until_retention=None,
    )
    marks = found.records
    hazard = 3e-3 * (marks[:, Mark.STRAIN] / 4.0) ** 4
    expected = (1.0 + 2.0 * np.cumsum(hazard)) ** -0.5
    assert marks[:, Mark.POSITIVE_ACTIVE] == pytest.approx(expected, rel=1e-10)


def test_wear_changes_the_rows_of_the_kernels():
    """Path 2 is a quarter of the diffusion; half the contact is half the flux per j."""
    where, steps = known("zhang2026-lb"), protocol("1C")
    lowered = lower(where, model="dfn", mesh=MESH)
    program = expand(steps, context(where, lowered))
    aged = AgeingCell(where, lowered, program, Stepping(), ageing(fade()))
    wear = aged.wear.vector.copy()
    columns = lowered.positive.column.shape[1]
    rows = wear[: len(Row) * columns].reshape(len(Row), columns)
    rows[Row.ACTIVE], rows[Row.CONTACT] = 0.8, 0.5
    rows[Row.FILM], rows[Row.PATH] = 3e-3, 2.0
    before = [e.column.copy() for e in aged.porous]
    whole = aged.lithium_coulomb()
    aged.leave(wear, whole)
    positive = aged.porous[0].column
    for row, ratio in (
        (INTERFACE, 0.4),
        (CAPACITY, 0.8),
        (FLUX, 0.5),
        (INVERSE_RADIUS2, 0.25),
        (EXCHANGE, 1.0),
    ):
        assert positive[row] == pytest.approx(ratio * before[0][row], rel=1e-12), row
    assert positive[FILM] == pytest.approx(before[0][FILM] + 3e-3, rel=1e-12)
    assert aged.porous[1].column.tobytes() == before[1].tobytes()
    assert aged.lithium_coulomb() == pytest.approx(whole, rel=1e-12)


# --- jumps: what holds exactly


@pytest.mark.parametrize("name", LEDGERS)
def test_a_jump_creates_no_lithium(name):
    found = lived(
        "zhang2026-lb",
        protocol("1C"),
        ageing(*LEDGERS[name]),
        jump=Jump(),
        until_retention=0.6,
    )
    assert found.solved_count < found.last_cycle
    assert np.ptp(unaccounted(found)) < 1e-9


@pytest.mark.parametrize("jump", [None, Jump()])
def test_two_runs_are_the_same_to_the_last_bit(jump):
    runs = [
        lived("zhang2026-lb", protocol("check-ups"), drawn(3), jump=jump, model="dfn")
        for _ in range(2)
    ]
    a, b = runs
    assert a.records.tobytes() == b.records.tobytes()
    assert a.results.tobytes() == b.results.tobytes()
    assert a.taken_back_count == b.taken_back_count
    assert a.cycle_life() == b.cycle_life()


def test_a_run_does_not_depend_on_the_run_before():
    """Nothing is left behind in a cell: other ageing in between."""
    first = lived("zhang2026-hb", protocol("1C"), drawn(1), jump=Jump())
    lived("zhang2026-hb", protocol("0.2C"), drawn(2), jump=Jump())
    again = lived("zhang2026-hb", protocol("1C"), drawn(1), jump=Jump())
    assert again.records.tobytes() == first.records.tobytes()


@pytest.mark.parametrize("traced", [(1,), (17, 18, 19), (100, 250, 600), (599, 600)])
def test_traced_cycles_are_solved(traced):
    steps = parse({"name": "p", "steps": [cycle(1.0, 600)]}, where="test")
    found = lived(
        "zhang2026-hb",
        steps,
        ageing(lattice(5e-4), film()),
        jump=Jump(),
        trace=traced,
        until_retention=None,
    )
    solved = set(found.cycles["cycle_count"].to_list())
    assert set(traced) <= solved
    assert set(found.trace["cycle_count"].unique().to_list()) == set(traced)
    assert found.solved_count < 200
    kept = found.cycles.filter(found.cycles["cycle_count"].is_in(traced))
    assert kept["is_settled"].all(), "a curve of a cycle that still settles misleads"


def test_a_trace_does_not_change_the_life():
    steps = parse({"name": "p", "steps": [cycle(1.0, 60)]}, where="test")
    plain, traced = (
        lived("zhang2026-lb", steps, drawn(0), trace=t, until_retention=None)
        for t in ("none", (7, 30))
    )
    assert traced.records == pytest.approx(plain.records, rel=1e-12)


def test_cycles_with_an_impedance_are_solved_and_measured():
    full, found = (
        lived(
            "zhang2026-hb",
            protocol("eis"),
            drawn(4),
            jump=jump,
            until_retention=None,
        )
        for jump in (None, Jump())
    )
    assert found.solved_count < 0.6 * found.last_cycle
    numbers = [z.cycle_count for z in full.impedances]
    assert numbers == list(range(100, 2501, 100))
    assert [z.cycle_count for z in found.impedances] == numbers
    ohm = [
        np.array([z.positive_impedance_ohm[-1].real for z in f.impedances])
        for f in (full, found)
    ]
    grown = ohm[0] - ohm[0][0]
    assert grown[-1] > 0.2 * ohm[0][0]
    assert ohm[1] == pytest.approx(ohm[0], abs=0.01 * grown[-1])


def test_the_last_cycle_of_a_protocol_is_solved():
    steps = parse({"name": "p", "steps": [cycle(1.0, 500)]}, where="test")
    found = lived(
        "zhang2026-hb", steps, ageing(film()), jump=Jump(), until_retention=None
    )
    assert found.last_cycle == 500
    assert found.cycles["cycle_count"][-1] == 500
    assert found.cycles["is_settled"][-1]


def test_a_jump_is_not_longer_than_asked_for():
    steps = parse({"name": "p", "steps": [cycle(1.0, 600)]}, where="test")
    found = lived(
        "zhang2026-hb",
        steps,
        ageing(film()),
        jump=Jump(most_count=20),
        until_retention=None,
    )
    gaps = np.diff(found.records[:, Mark.CYCLE])
    assert gaps.max() == 21


def test_time_passes_in_a_jump():
    steps = parse({"name": "p", "steps": [cycle(1.0, 800)]}, where="test")
    mechanisms = ageing(lattice(3e-4), film())
    full, found = (
        lived("zhang2026-hb", steps, mechanisms, jump=jump, until_retention=None)
        for jump in (None, Jump())
    )
    second = [f.cycles["end_time_second"][-1] for f in (full, found)]
    assert second[1] == pytest.approx(second[0], rel=0.005)


@pytest.mark.parametrize(
    "keys",
    [
        {"tolerance_fraction": 0.0},
        {"tolerance_fraction": 0.5},
        {"tolerance_fraction": float("nan")},
        {"most_count": 1},
        {"most_count": 2.5},
        {"most": 3},
    ],
)
def test_a_jump_out_of_range_is_refused(keys):
    with pytest.raises(ValidationError):
        Jump(**keys)


# --- jumps: how exact

SETS = [(seed, cell) for seed in range(12) for cell in CELLS]
NAMES = ("1C", "0.2C", "rate test first", "check-ups", "holds", "eis")


def name_of(seed):
    return NAMES[seed % len(NAMES)]


@pytest.mark.parametrize(("seed", "cell"), SETS)
def test_the_cycle_life_is_within_half_a_per_cent(seed, cell):
    full = drawn_life(seed, cell, name_of(seed))
    found = drawn_life(seed, cell, name_of(seed), 0.005)
    expected, life_ = full.cycle_life(), found.cycle_life()
    assert life_.censored == expected.censored
    assert life_.cycle_count == pytest.approx(expected.cycle_count, rel=0.005)
    assert found.solved_count < full.solved_count


@pytest.mark.parametrize("cell", CELLS)
def test_a_negative_that_loses_particles_charged(cell):
    """Their lithium goes; the slow class of LTO does not settle in two cycles.

    At 1C many columns of the porous negative are emptied one after the other at the
    end of discharge: Newton has to find its way through all of them.
    """
    worn = ageing(fade(1e-3, charged_fraction=1.0))
    steps = eqp.life_protocol(rate=1.0, cycles=700)
    full, found = (
        life(known(cell), steps, worn, jump=jump, until_retention=0.8)
        for jump in (None, Jump())
    )
    expected = full.cycle_life(0.8)
    assert not expected.censored
    assert found.cycle_life(0.8).cycle_count == pytest.approx(
        expected.cycle_count, rel=0.005
    )


@pytest.mark.parametrize(("seed", "cell"), SETS[::5])
@pytest.mark.parametrize("level", [0.95, 0.9, 0.8])
def test_other_levels_of_retention_are_as_exact(seed, cell, level):
    """Without an end of life nothing bounds a jump across a level."""
    name = name_of(seed)
    full = drawn_life(seed, cell, name, None, 0.75)
    found = drawn_life(seed, cell, name, 0.005, 0.75)
    expected, life_ = full.cycle_life(level), found.cycle_life(level)
    assert life_.censored == expected.censored
    assert life_.cycle_count == pytest.approx(expected.cycle_count, rel=0.005, abs=1.0)


@pytest.mark.parametrize(("seed", "cell"), SETS)
def test_the_wear_at_the_end_is_within_half_a_per_cent(seed, cell):
    """At the last cycle that both have solved; relative to what has changed."""
    full = drawn_life(seed, cell, name_of(seed), None, 0.75)
    found = drawn_life(seed, cell, name_of(seed), 0.005, 0.75)
    rows = found.cycles.filter(found.cycles["is_settled"])
    rows = rows.filter(rows["cycle_count"] <= full.last_cycle)
    at = int(rows["cycle_count"][-1])
    last, same = rows[-1], full.cycles.filter(full.cycles["cycle_count"] == at)
    assert at > 0.9 * full.last_cycle
    for column in WEAR:
        changed_by = abs(same[column][0] - 1.0)
        assert last[column][0] == pytest.approx(
            same[column][0], abs=0.005 * changed_by + 1e-4
        ), column
    for column in ("positive_film_growth_ohm_cm2", "slippage_mah_per_g_positive"):
        assert last[column][0] == pytest.approx(same[column][0], rel=0.005, abs=1e-4), (
            column
        )


def test_a_smaller_tolerance_gives_smaller_errors():
    """In the mean over a few lives; never a bound for each of them."""
    errors = []
    for tolerance in (0.02, 0.005, 0.001):
        off = []
        for seed, cell in SETS[::3]:
            name = name_of(seed)
            full = drawn_life(seed, cell, name, None, 0.75).cycle_life(0.8)
            found = drawn_life(seed, cell, name, tolerance, 0.75).cycle_life(0.8)
            off.append(abs(found.cycle_count / full.cycle_count - 1.0))
        errors.append(np.mean(off))
    assert errors[0] > errors[1] > errors[2], errors
    assert errors[2] < 0.002, errors


def test_a_smaller_tolerance_solves_more_cycles():
    counts = [
        drawn_life(1, "zhang2026-hb", "1C", tolerance).solved_count
        for tolerance in (0.02, 0.005, 0.001)
    ]
    assert counts[0] <= counts[1] <= counts[2]


def test_a_life_that_ends_after_a_jump_has_ended():
    """Not censored: the capacity has fallen below the level."""
    for seed in range(4):
        found = drawn_life(seed, "zhang2026-hb", "1C", 0.005)
        if found.last_cycle < 2500:
            assert not found.cycle_life().censored
            assert found.cycles["is_settled"][-1], "the cycle that decides is settled"


def test_a_settled_cycle_after_a_jump_is_one_of_the_full_life():
    """Capacity and upper potential of settled cycles, not only slow states."""
    mechanisms = ageing(lattice(1.5e-3, contact_ratio=2.0), film(), fade())
    full, found = (
        lived(
            "zhang2026-lb", protocol("1C"), mechanisms, jump=jump, until_retention=0.7
        )
        for jump in (None, Jump())
    )
    rows = found.cycles.filter(found.cycles["is_settled"])
    rows = rows.filter(rows["cycle_count"] <= full.last_cycle)
    same = full.cycles[rows["cycle_count"].to_numpy() - 1]
    assert rows["cycle_count"].equals(same["cycle_count"])
    for column, off in (
        ("discharge_retention", 0.002),
        ("upper_potential_vs_li_volt", 0.001),
        ("coulombic_efficiency", 0.001),
    ):
        assert rows[column].to_numpy() == pytest.approx(
            same[column].to_numpy(), abs=off
        ), column
