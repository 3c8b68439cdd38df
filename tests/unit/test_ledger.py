"""Counterfactual cells, the compensation ledger and the reserve."""

from copy import deepcopy
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from equipoise.ageing.ageing import Ageing
from equipoise.core.errors import SpecError
from equipoise.core.status import Status
from equipoise.io.cells import load_cell
from equipoise.kernels.layout import CAPACITY, MEAN
from equipoise.kernels.program import Ask, Mode
from equipoise.kernels.simulate import Memory
from equipoise.protocol.parsing import parse
from equipoise.sim.life.ageing_cell import AgeingCell, Mark, held_coulomb
from equipoise.sim.life.counterfactual import (
    MOST_CYCLES,
    SETTLED_FRACTION,
    Cause,
    Counterfactuals,
    Isolated,
    repeated_cycle,
)
from equipoise.sim.life.jumping import Jump
from equipoise.sim.life.ledger import (
    NEGATIVE_WEAR,
    compensation_ledger,
    ledger_so_far,
    o_to_f,
    shapley,
)
from equipoise.sim.life.life import life
from equipoise.sim.mesh import Stepping

LOSS = "loss_mah_per_g_positive"
SETTLED_MAH_PER_G = 200.0 * 3 * SETTLED_FRACTION
"""Two capacities that have settled, each to its tolerance (halving per cycle)."""


def number(value):
    return {"value": value, "source": "a test", "evidence": "assumed"}


def isolation(**more):
    return {
        "kind": "lattice-contraction",
        "hazard_per_cycle_fraction": number(0.02),
        "exponent": number(1.0),
    } | more


FILM = {
    "kind": "interphase-growth",
    "film_after_1000_hour_ohm_cm2": number(3000.0),
}
NEGATIVE_FILM = FILM | {
    "electrode": "negative",
    "film_after_1000_hour_ohm_cm2": number(30_000.0),
}
OXIDATION = {
    "kind": "parasitic-current",
    "current_ma_per_g_positive": number(5.0),
    "width_volt": number(0.05),
}
FADE = {"kind": "active-fade", "loss_per_full_cycle_fraction": number(4e-3)}
NOTHING = {"kind": "active-fade", "loss_per_full_cycle_fraction": number(0.0)}
MANY = (isolation(contact_ratio=number(2.0)), FILM, OXIDATION, FADE)


def aged(name, *mechanisms, count=20, model="spm", steps=None, **more):
    steps = steps or [{"do": "cycle", "c_rate": 1.0, "count": count}]
    return life(
        load_cell(f"zhang2026-{name}"),
        parse({"name": "1C", "steps": steps}, where="a test"),
        Ageing.model_validate({"mechanisms": mechanisms}),
        model=model,
        until_retention=None,
        **more,
    )


@pytest.fixture(scope="module")
def lb():
    return aged("lb", *MANY)


@pytest.fixture(scope="module")
def hb():
    return aged("hb", *MANY)


@pytest.fixture(scope="module")
def ledger(lb):
    return compensation_ledger(lb, lb.states[-2:])


def start_coulomb(found):
    """Lithium of a cell as built."""
    low = found.lowered
    pairs = (
        (low.positive, low.positive_start_fraction),
        (low.negative, low.negative_start_fraction),
    )
    return sum(e.column[CAPACITY].sum() * e.area * x for e, x in pairs)


# --- the rule of Shapley


def game(names, worth):
    parts = {c: frozenset({c}) for c in names}
    return {
        s.cause: s for s in shapley(lambda away: worth["".join(sorted(away))], parts)
    }


def test_shares_are_the_mean_over_all_orders():
    """Against the definition, in a game where every set has a worth of its own."""
    rng = np.random.default_rng(3)
    sets = ("", "a", "b", "c", "ab", "ac", "bc", "abc")
    worth = dict(zip(sets, rng.normal(size=8), strict=True))
    found = game("abc", worth)
    for name in "abc":
        gains = []
        for order in permutations("abc"):
            before = sorted(order[: order.index(name)])
            gains.append(
                worth["".join(sorted([*before, name]))] - worth["".join(before)]
            )
        share = found[name]
        assert share.loss_mah_per_g_positive == pytest.approx(np.mean(gains), abs=1e-12)
        assert share.lowest_mah_per_g_positive == min(gains)
        assert share.highest_mah_per_g_positive == max(gains)
        assert share.repaired_alone_mah_per_g_positive == worth[name] - worth[""]
        others = "".join(c for c in "abc" if c != name)
        assert share.acting_alone_mah_per_g_positive == worth["abc"] - worth[others]


def test_a_set_is_run_once():
    asked = []

    def worth(away):
        asked.append(away)
        return float(len(away))

    shapley(worth, {c: frozenset({c}) for c in "abcd"})
    assert len(asked) == len(set(asked)) == 16


# --- the ledger


def test_the_losses_of_a_state_add_up_to_its_own(ledger):
    assert len(ledger.causes) == 5
    for cycle, total in ledger.reserve.select("cycle_count", LOSS).iter_rows():
        rows = ledger.table.filter(ledger.table["cycle_count"] == cycle)
        assert rows["cause"].to_list() == list(ledger.causes)
        assert total > 20.0
        assert rows[LOSS].sum() == pytest.approx(total, abs=1e-9)


def test_the_shares_lie_within_their_bands(ledger):
    table = ledger.table
    for name in (LOSS, "repaired_alone_mah_per_g_positive"):
        assert (table[name] >= table["lowest_mah_per_g_positive"] - 1e-12).all()
        assert (table[name] <= table["highest_mah_per_g_positive"] + 1e-12).all()
    assert (
        table["highest_mah_per_g_positive"] > table["lowest_mah_per_g_positive"]
    ).all()


def test_the_largest_cause_is_the_isolation_that_was_put_in(ledger):
    first = ledger.table.sort(LOSS, descending=True).row(0, named=True)
    assert first["cause"] == "positive isolation"


def test_without_wear_there_is_no_loss():
    found = compensation_ledger(aged("lb", NOTHING))
    assert found.causes == ()
    assert found.table.is_empty()
    none = [0.0] * len(found.states)
    assert none
    assert found.reserve[LOSS].to_list() == none
    assert found.reserve["given_back_mah_per_g_positive"].to_list() == none
    assert np.isnan(found.reserve["compensation_fraction"].to_list()).all()


@pytest.mark.parametrize(
    ("mechanism", "cause"),
    [
        (isolation(), Cause.POSITIVE_ISOLATION),
        (FILM, Cause.POSITIVE_FILM),
        (FADE, Cause.NEGATIVE_ISOLATION),
        (NEGATIVE_FILM, Cause.NEGATIVE_FILM),
    ],
    ids=lambda c: c if isinstance(c, str) else "",
)
def test_a_single_cause_takes_all_of_the_loss(mechanism, cause):
    found = compensation_ledger(aged("lb", mechanism))
    assert found.causes == (cause.value,)
    lost = found.reserve[LOSS]
    assert found.table[LOSS].to_list() == lost.to_list()
    assert lost[-1] > 0.5
    for name in ("lowest", "highest", "repaired_alone", "acting_alone"):
        assert found.table[f"{name}_mah_per_g_positive"].to_list() == lost.to_list()


def test_everything_undone_is_the_cell_that_never_aged(lb):
    """The first cycles of both differ: the life has not settled yet."""
    never = aged("lb", NOTHING, count=60).cycles
    settled = never["discharging_capacity_mah_per_g_positive"][-1]
    what_if = Counterfactuals(lb)
    for state in lb.states[::4]:
        found = what_if.run(state, undone=what_if.causes(state))
        assert found.discharging_capacity_mah_per_g_positive == pytest.approx(
            settled, abs=SETTLED_MAH_PER_G
        )
        assert found.upper_potential_vs_li_volt == pytest.approx(
            never["upper_potential_vs_li_volt"][-1], abs=5e-4
        )


def test_nothing_undone_is_the_cell_of_the_life(ledger, lb):
    """Apart from what the end of that cycle did: less than one cycle takes."""
    own = lb.cycles["discharging_capacity_mah_per_g_positive"].to_numpy()
    at = ledger.reserve["cycle_count"].to_numpy() - 1
    unseen = ledger.reserve["unseen_mah_per_g_positive"].to_numpy()
    frozen = ledger.reserve["discharge_mah_per_g_positive"].to_numpy()
    assert unseen == pytest.approx(frozen - own[at], abs=1e-9)
    one_cycle = own[at - 1] - own[at]
    assert (unseen < 0.0).all()
    assert (-unseen < 1.5 * one_cycle).all()


def test_more_than_six_causes_put_the_negative_together():
    found = aged(
        "lb",
        isolation(contact_ratio=number(1.0), path_ratio=number(1.0)),
        FILM,
        FADE,
        NEGATIVE_FILM,
        OXIDATION,
        count=6,
    )
    what_if = Counterfactuals(found)
    assert len(what_if.causes(found.states[-1])) == 7
    books = compensation_ledger(found, found.states[-1:])
    assert books.causes[-1] == NEGATIVE_WEAR
    assert len(books.causes) == 6
    lost = books.reserve[LOSS][0]
    assert lost > 1.0
    assert books.table[LOSS].sum() == pytest.approx(lost, abs=1e-9)


def test_a_state_of_another_life_is_refused(lb):
    other = aged("lb", NOTHING, model="dfn", count=2)
    with pytest.raises(SpecError, match="is not one of the life of LB"):
        compensation_ledger(lb, other.states)


def test_a_state_of_another_life_of_the_same_shape_is_refused(lb):
    other = aged("lb", isolation(), FADE)
    same = [s for s in other.states if s.cycle_count <= lb.last_cycle]
    assert same[0].wear.size == lb.states[0].wear.size
    for ask in (compensation_ledger, o_to_f):
        with pytest.raises(SpecError, match="not one of the life of LB") as caught:
            ask(lb, same)
        assert "life.states" in caught.value.remedy


def test_a_copy_of_a_state_is_one_of_the_life(lb, ledger):
    found = compensation_ledger(lb, [deepcopy(s) for s in lb.states[-2:]])
    assert found.table.equals(ledger.table)


@pytest.mark.parametrize("states", [3, "all", [1], [None], "one"])
def test_what_is_no_states_is_refused(lb, states):
    given = lb.states[0] if states == "one" else states
    with pytest.raises(SpecError, match="state") as caught:
        compensation_ledger(lb, given)
    assert caught.value.where == "states"


def test_what_is_no_life_is_refused():
    with pytest.raises(SpecError, match="is not a life"):
        compensation_ledger("zhang2026-lb")


def test_an_interruption_keeps_the_finished_states_or_raises(lb, ledger, monkeypatch):
    real, last = Counterfactuals.run, lb.states[-1].cycle_count

    def run(self, state, **options):
        if state.cycle_count == last:
            raise KeyboardInterrupt
        return real(self, state, **options)

    monkeypatch.setattr(Counterfactuals, "run", run)
    told = []
    found = ledger_so_far(
        lb, lb.states[-2:], progress=lambda done, total: told.append((done, total))
    )
    assert found.interrupted
    assert told == [(1, 2)]
    assert found.states == ledger.states[:1]
    assert "interrupted" in repr(found)
    with pytest.raises(KeyboardInterrupt):
        compensation_ledger(lb, lb.states[-2:])


def test_no_states_make_empty_tables(lb):
    found = compensation_ledger(lb, [])
    assert found.table.is_empty()
    assert found.reserve.is_empty()
    assert found.o_to_f.is_empty()


# --- the reserve


def test_hb_has_no_reserve_and_lb_has_one(hb, lb):
    books = {c: compensation_ledger(c, c.states[-1:]).reserve for c in (hb, lb)}
    high, low = books[hb], books[lb]
    assert abs(high["reserve_at_first_mah_per_g_positive"][0]) < 1.0
    assert abs(high["given_back_mah_per_g_positive"][0]) < 1.0
    assert low["reserve_at_first_mah_per_g_positive"][0] > 10.0


def test_the_reserve_of_lb_shrinks_as_its_upper_potential_rises(lb):
    books = compensation_ledger(lb).reserve
    left = books["reserve_left_mah_per_g_positive"].to_numpy()
    upper = books["upper_potential_vs_li_volt"].to_numpy()
    desired = books["desired_upper_potential_vs_li_volt"].to_numpy()
    assert left.size > 5
    assert (np.diff(left) < 0.0).all()
    assert (np.diff(upper) > 0.0).all()
    assert (upper < desired).all()
    assert 0.0 < left[-1] < 0.5 * books["reserve_at_first_mah_per_g_positive"][0]


def test_the_reserve_is_given_back_or_gone_or_left(ledger):
    books = ledger.reserve
    spent = sum(
        books[f"{what}_mah_per_g_positive"]
        for what in ("given_back", "reserve_gone_unused", "reserve_left")
    )
    assert books["given_back_mah_per_g_positive"][-1] > 3.0
    assert books["reserve_gone_unused_mah_per_g_positive"][-1] > 1.0
    off = spent - books["reserve_at_first_mah_per_g_positive"]
    assert off.abs().max() < 2.0 * SETTLED_MAH_PER_G


def test_only_particles_lost_discharged_are_compensated():
    """Those lost charged leave their lithium in the negative; at rest, nothing else."""
    share, upper = {}, {}
    for charged in (0.0, 1.0):
        slow = isolation(
            charged_fraction=charged, hazard_per_cycle_fraction=number(0.005)
        )
        found = aged("lb", slow, model="quasi-static")
        books = compensation_ledger(found, found.states[-1:])
        assert books.reserve["endless_loss_mah_per_g_positive"][0] > 15.0
        share[charged] = books.reserve["compensation_fraction"][0]
        upper[charged] = books.o_to_f["upper_potential_vs_li_volt"].to_list()
    assert share[0.0] > 0.25
    assert upper[0.0][1] > upper[0.0][0] + 0.03
    assert share[1.0] == pytest.approx(0.0, abs=1e-3)
    assert upper[1.0][1] == pytest.approx(upper[1.0][0], abs=1e-5)


def test_an_endless_negative_keeps_its_resistance():
    """A film on it costs HB the same, endless or not."""
    found = aged("hb", NEGATIVE_FILM)
    books = compensation_ledger(found, found.states[-1:]).reserve
    assert books["endless_loss_mah_per_g_positive"][0] > 0.5
    assert books["endless_loss_mah_per_g_positive"][0] == pytest.approx(
        books[LOSS][0], rel=0.2
    )


def test_an_endless_negative_does_not_feel_the_lithium_inventory(lb):
    what_if, state = Counterfactuals(lb), lb.states[-1]
    asked = [
        what_if.run(state, undone=undone, endless_negative=True)
        for undone in ((), (Cause.SLIPPAGE, Cause.NEGATIVE_ISOLATION))
    ]
    assert asked[0].discharging_capacity_mah_per_g_positive == pytest.approx(
        asked[1].discharging_capacity_mah_per_g_positive, abs=1e-2
    )


def test_the_line_begins_at_o_and_moves_towards_f(lb, ledger):
    line = o_to_f(lb)
    assert line["cycle_count"][0] == lb.reference_cycle
    assert line["cycle_count"].to_list()[1:] == [s.cycle_count for s in lb.states]
    position = line["position_fraction"].to_numpy()
    assert position[0] == 0.0
    assert (np.diff(position) > 0.0).all()
    assert 0.3 < position[-1] < 1.0
    assert line["discharge_retention"][-1] < 0.9
    same = ledger.o_to_f.row(-1)
    assert same == pytest.approx(line.row(-1), abs=1e-3)  # O is of another state


def test_hb_has_no_line(hb):
    line = o_to_f(hb, hb.states[-1:])
    assert np.isnan(line["position_fraction"].to_list()).all()
    assert np.ptp(line["upper_potential_vs_li_volt"].to_numpy()) < 0.01


# --- lithium


def test_lithium_of_the_counterfactual_is_that_of_the_marks(lb):
    what_if = Counterfactuals(lb)
    for state in (lb.states[3], lb.states[-1]):
        mark = lb.records[lb.records[:, Mark.CYCLE] == state.cycle_count][0]
        held, gone, gained = mark[[Mark.LITHIUM, Mark.ISOLATED, Mark.SLIPPED]]
        assert min(gone, gained) > 1e-4 * held
        isolated = {Cause.POSITIVE_ISOLATION, Cause.NEGATIVE_ISOLATION}
        for undone, lithium in (
            (set(), held),
            ({Cause.POSITIVE_FILM}, held),
            (isolated, held + gone),
            ({Cause.SLIPPAGE}, held - gained),
            (isolated | {Cause.SLIPPAGE}, start_coulomb(lb)),
        ):
            found = what_if.run(state, undone=undone)
            assert found.lithium_coulomb == pytest.approx(lithium, rel=1e-9)


def test_one_isolated_electrode_gets_all_of_the_isolated_lithium():
    for mechanism, place in ((isolation(), 0), (FADE, 1)):
        found = aged("lb", mechanism, count=5)
        share = Isolated(found).until(found.states[-1])
        assert share[place] == found.states[-1].isolated_coulomb
        assert share[1 - place] == 0.0


@pytest.mark.parametrize("name", ["lb", "hb"])
@pytest.mark.parametrize("charged", [(0.0, 0.0), (1.0, 0.0), (0.0, 0.5)])
def test_isolated_lithium_is_divided_as_it_was_lost(monkeypatch, name, charged):
    """Against each electrode's own loss, which the life does not keep apart."""
    lost = np.zeros(2)
    let_go = AgeingCell._let_go

    def spy(cell, act):
        now = int(cell.machine.memory[Memory.NOW])

        def held():
            pairs = zip(cell.porous, cell.fields, strict=True)
            return np.array([held_coulomb(e, f, now) for e, f in pairs])

        before = held()
        let_go(cell, act)
        lost[:] += before - held()

    monkeypatch.setattr(AgeingCell, "_let_go", spy)
    mechanisms = (
        isolation(charged_fraction=charged[0]),
        FADE | {"charged_fraction": charged[1]},
    )
    found = aged(name, *mechanisms, model="dfn")
    parts = Isolated(found).until(found.states[-1])
    assert found.states[-1].isolated_coulomb == pytest.approx(lost.sum(), rel=1e-12)
    assert sum(parts) == pytest.approx(lost.sum(), rel=1e-12)
    assert parts[0] == pytest.approx(lost[0], rel=0.01)
    assert parts[1] == pytest.approx(lost[1], rel=0.08)
    assert lost[1] > 0.0


def test_lithium_is_kept_when_the_negative_cannot_give_it(lb):
    """The rest comes from the positive; what neither has is refused."""
    state, what_if = lb.states[-1], Counterfactuals(lb)
    held = what_if.lithium_coulomb(state)
    now = int(state.memory[Memory.NOW])
    negative = lb.lowered.negative
    in_negative = negative.area * float(
        negative.column[CAPACITY] @ state.negative.column[MEAN + now]
    )
    gained = 1.5 * in_negative
    slipped = replace(state, slipped_coulomb=gained)
    found = what_if.run(slipped, undone={Cause.SLIPPAGE})
    assert found.status == Status.OK
    assert found.lithium_coulomb == pytest.approx(held - gained, rel=1e-9)
    emptied = replace(state, slipped_coulomb=1.01 * held)
    refused = what_if.run(emptied, undone={Cause.SLIPPAGE})
    assert refused.status == Status.BEYOND_LITHIUM
    assert np.isnan(refused.discharging_capacity_mah_per_g_positive)


# --- frozen cells


def test_a_frozen_cell_does_not_age_and_leaves_the_state_alone(lb):
    state, what_if = lb.states[-1], Counterfactuals(lb)
    kept = (state.wear.copy(), state.negative.x.copy(), state.memory.copy())
    causes = what_if.causes(state)
    first = what_if.run(state)
    what_if.run(state, undone=causes)
    what_if.run(state, undone=causes, endless_negative=True)
    assert what_if.run(state) == first
    now = (state.wear, state.negative.x, state.memory)
    for before, after in zip(kept, now, strict=True):
        assert np.array_equal(before, after, equal_nan=True)


def test_in_a_frozen_cell_no_side_current_flows_and_no_particle_is_lost():
    """Not even those that the life was about to lose at the next end of charge."""
    found = aged("lb", isolation(charged_fraction=1.0), OXIDATION, count=5)
    state, what_if = found.states[-1], Counterfactuals(found)
    assert state.charged_loss[0].any()
    assert state.laws.size
    held = what_if.run(state).lithium_coulomb
    assert what_if._finite.lithium_coulomb() == pytest.approx(held, rel=1e-9)
    assert np.array_equal(what_if._finite.wear.vector, state.wear)


def test_frozen_cells_settle_where_charge_is_discharge(lb):
    what_if = Counterfactuals(lb)
    for state in lb.states[::3]:
        for undone in ((), what_if.causes(state)):
            found = what_if.run(state, undone=undone)
            assert 3 <= found.cycle_count < MOST_CYCLES
            assert found.change_fraction <= SETTLED_FRACTION
            assert found.charging_capacity_mah_per_g_positive == pytest.approx(
                found.discharging_capacity_mah_per_g_positive, rel=SETTLED_FRACTION
            )


def test_the_repeated_cycle_is_that_of_most_cycles_without_impedances():
    cycle = [
        {"do": "charge", "c_rate": 1.0},
        {"do": "eis"},
        {"do": "hold", "until_c_rate": 0.2},
        {"do": "discharge", "c_rate": 1.0},
    ]
    steps = [
        {"do": "cycle", "c_rate": 0.2, "count": 2},
        {"do": "repeat", "count": 3, "steps": cycle},
    ]
    found = aged("lb", isolation(), steps=steps)
    assert found.reference_cycle == 3
    program = repeated_cycle(found, 4)
    modes = program.steps[:, Ask.MODE]
    assert modes.tolist() == [Mode.CURRENT, Mode.VOLTAGE, Mode.CURRENT] * 4
    assert not program.sweeps
    assert program.skip_to.tolist() == list(range(1, 13))
    assert program.steps[:, Ask.CYCLE].tolist() == sorted([1, 2, 3, 4] * 3)
    books = compensation_ledger(found)
    own = found.cycles.filter(found.cycles["cycle_count"] == 3)
    assert books.reference_mah_per_g_positive == pytest.approx(
        own["discharging_capacity_mah_per_g_positive"][0], rel=1e-12
    )


def test_a_frozen_cell_that_cannot_be_solved_says_so(lb):
    """Nan and a status, so that the other states keep their rows."""
    hurried = replace(lb, stepping=Stepping(most_substeps_count=10))
    found = Counterfactuals(hurried).run(lb.states[-1])
    assert found.status == Status.TOO_MANY_SUBSTEPS
    assert np.isnan(found.charging_capacity_mah_per_g_positive)


@pytest.mark.parametrize("model", ["dfn", "quasi-static"])
def test_the_ledger_works_on_the_model_of_the_life(model):
    found = aged("lb", isolation(), FADE, model=model, count=40, jump=Jump())
    books = compensation_ledger(found, found.states[-1:])
    assert books.causes == ("positive isolation", "negative isolation")
    total = books.reserve[LOSS][0]
    assert total > 10.0
    assert books.table[LOSS].sum() == pytest.approx(total, abs=1e-9)
    assert books.reserve["given_back_mah_per_g_positive"][0] > 1.0
