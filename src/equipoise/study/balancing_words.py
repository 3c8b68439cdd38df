"""Whether a low n/p lives longer, and why, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from equipoise.sim.notes import notes_of
from equipoise.study.balanced_life import BalancedLife, in_words

if TYPE_CHECKING:
    from collections.abc import Sequence

Gain = Literal["more", "less", "same", "open"]
Outcome = Literal[
    "helps",
    "does not help",
    "helps by its own share only",
    "helps by the same charge only",
    "open",
    "depends",
]

SAME_RATIO = 1.05
"""Lives closer than this ratio are called the same."""
SAME_FRACTION = 0.005
"""Retentions closer than this are called the same, where no life came to its end."""
NO_RESERVE_FRACTION = 0.01
"""A reserve below this share of the discharge is none."""
NO_COMPENSATION_FRACTION = 0.02
PLATING_VOLT, NEAR_PLATING_VOLT = 0.0, 0.02
SAME_UPPER_VOLT = 0.003
"""How closely a lower cut-off meets the upper potential of a low n/p."""


def gains(low: BalancedLife, high: BalancedLife) -> tuple[Gain, Gain]:
    """By the share of the own first discharge, and by the same charge."""
    return (
        _gain(low, high, "cycle_life_count", "is_censored"),
        _gain(low, high, "same_charge_life_count", "is_same_charge_censored"),
    )


def outcome_of(low: BalancedLife, high: BalancedLife) -> Outcome:
    """Of both measures together; not "depends"."""
    own, same = gains(low, high)
    if "open" in (own, same):
        return "open"
    if own == "more":
        return "helps" if same == "more" else "helps by its own share only"
    return "helps by the same charge only" if same == "more" else "does not help"


def life_ratio(low: BalancedLife, high: BalancedLife) -> float:
    """Cycle lives, low over high; nan if neither came to its end."""
    if (low.is_censored and high.is_censored) or not high.cycle_life_count > 0.0:
        return float("nan")
    return low.cycle_life_count / high.cycle_life_count


def _gain(low: BalancedLife, high: BalancedLife, count: str, censored: str) -> Gain:
    a, b = getattr(low, count), getattr(high, count)
    open_a, open_b = getattr(low, censored), getattr(high, censored)
    if open_a and open_b:
        return _gain_by_retention(low, high, min(a, b), count)
    if a >= SAME_RATIO * b:
        return "open" if open_b else "more"
    if a * SAME_RATIO <= b:
        return "open" if open_a else "less"
    return "open" if open_a or open_b else "same"


def _gain_by_retention(
    low: BalancedLife, high: BalancedLife, at: float, count: str
) -> Gain:
    """Neither came to its end: what they give in the last common cycle."""
    column = "discharging_capacity_mah_per_g_positive"
    a, b = low.at_cycle(column, at), high.at_cycle(column, at)
    over = (
        high.first_discharging_capacity_mah_per_g_positive
        if count == "same_charge_life_count"
        else low.first_discharging_capacity_mah_per_g_positive
    )
    left = a / over - b / high.first_discharging_capacity_mah_per_g_positive
    if abs(left) < SAME_FRACTION:
        return "same"
    return "more" if left > 0.0 else "less"


def lives(low: BalancedLife, high: BalancedLife, level: float) -> str:
    """Cycle lives by both measures."""
    text = (
        f"Cycles to {level:.0%} of the own first discharge: "
        f"{in_words(low.cycle_life_count, low.is_censored)} against "
        f"{in_words(high.cycle_life_count, high.is_censored)}; to the same charge: "
        f"{in_words(low.same_charge_life_count, low.is_same_charge_censored)} against "
        f"{in_words(high.same_charge_life_count, high.is_same_charge_censored)}"
    )
    if low.is_censored and high.is_censored:
        at = min(low.cycle_life_count, high.cycle_life_count)
        a = low.at_cycle("discharge_retention", at)
        b = high.at_cycle("discharge_retention", at)
        text += f"; left after {at:.0f} cycles: {a:.1%} against {b:.1%}"
    return text


def band(pairs: Sequence[tuple[BalancedLife, BalancedLife]]) -> str:
    """Of the ratio of the lives, over assumptions."""
    ratios = [r for low, high in pairs if np.isfinite(r := life_ratio(low, high))]
    if len(pairs) < 2 or not ratios:
        return ""
    return (
        f"Over {len(pairs)} assumptions the ratio of these lives is "
        f"{min(ratios):.2f} to {max(ratios):.2f}"
    )


def price(low: BalancedLife, high: BalancedLife) -> str:
    """What a low n/p costs at first."""
    whole = high.first_discharging_capacity_mah_per_g_positive
    paid = whole - low.first_discharging_capacity_mah_per_g_positive
    if paid < 0.0:
        return f"It gives {-paid:.1f} mAh/g more at first ({-paid / whole:.1%})"
    return f"It costs {paid:.1f} mAh/g of the first discharge ({paid / whole:.1%})"


def wear(low: BalancedLife, high: BalancedLife) -> str:
    """Wear avoided by a lower upper potential."""
    at = min(low.cycle_life_count, high.cycle_life_count)
    a, b = (1.0 - one.at_cycle("positive_active_fraction", at) for one in (low, high))
    text = (
        f"The positive begins at {low.upper_potential_vs_li_volt:.3f} instead of "
        f"{high.upper_potential_vs_li_volt:.3f} V vs Li+/Li at the end of charge"
    )
    if max(a, b) < 1e-4:
        return text
    return f"{text}, and has lost {a:.1%} instead of {b:.1%} after {at:.0f} cycles"


def reserve(low: BalancedLife) -> str:
    """What the tail held back, and what has become of it."""
    kept = low.reserve
    if kept is None:
        return "The reserve could not be computed"
    first = kept.at_first_mah_per_g_positive
    if first < NO_RESERVE_FRACTION * low.first_discharging_capacity_mah_per_g_positive:
        return f"There is no reserve: the negative holds back {first:.1f} mAh/g"
    share, given = kept.compensation_fraction, kept.given_back_mah_per_g_positive
    head = f"The negative holds back {first:.1f} mAh/g at first"
    if not np.isfinite(share):
        return (
            f"{head}; with an endless negative the same wear would take nothing, so "
            f"there is nothing to compensate: the {-given:.1f} mAh/g that are gone are "
            "lithium, or the negative itself"
        )
    if share < NO_COMPENSATION_FRACTION:
        return f"{head}, and has given nothing back at the end ({given:.1f} mAh/g)"
    return (
        f"{head}; at the end {given:.1f} have been given back, {share:.0%} of what the "
        f"wear would have taken in proportion, and {kept.left_mah_per_g_positive:.1f} "
        "are left"
    )


def cut_off(other: BalancedLife, low: BalancedLife, high: BalancedLife) -> str:
    """What a lower cut-off voltage does instead."""
    own = in_words(other.cycle_life_count, other.is_censored)
    same = in_words(other.same_charge_life_count, other.is_same_charge_censored)
    kept = low.reserve
    share = 0.0 if kept is None else kept.compensation_fraction
    back = ": its tail gives charge back" if share >= NO_COMPENSATION_FRACTION else ""
    judged = {
        "more": f"by that n/p {low.np_ratio:g} outlasts it{back}",
        "same": f"by that it is as good as n/p {low.np_ratio:g}",
        "less": f"by that it is better than n/p {low.np_ratio:g}",
        "open": "which of the two lasts longer is open",
    }[gains(low, other)[1]]
    return (
        f"Instead, n/p {high.np_ratio:g} charged to {other.upper_volt:.2f} V, with the "
        "same first upper potential, gives "
        f"{other.first_discharging_capacity_mah_per_g_positive:.1f} mAh/g at first and "
        f"lives {own} cycles, {same} to the same charge; {judged}"
    )


def goes_below_plating(one: BalancedLife) -> bool:
    """Whether the negative ends a charge below 0 V vs Li+/Li."""
    return one.lowest_negative_potential_vs_li_volt < PLATING_VOLT


def plating(cases: Sequence[BalancedLife]) -> list[str]:
    """How near the negative comes to lithium, at the worst; none if not near.

    Parameters
    ----------
    cases
        Of one n/p, the ageing as given first.
    """
    worst = cases[0]
    if not goes_below_plating(worst):
        worst = min(cases, key=lambda one: one.lowest_negative_potential_vs_li_volt)
    lowest = worst.lowest_negative_potential_vs_li_volt
    if not lowest < NEAR_PLATING_VOLT:
        return []
    name = f"n/p {worst.np_ratio:g}"
    if worst is not cases[0]:
        name += f", if {worst.assumption.name}"
    text = f"{name}: the negative goes to {lowest:.3f} V vs Li+/Li at the end of charge"
    if goes_below_plating(worst):
        return [f"{text}; below 0 V expect lithium plating, which is not simulated"]
    return [f"{text}, hardly above 0 V: risk of lithium plating"]


def beyond_curves(one: BalancedLife) -> list[str]:
    """Use of an electrode where its curve is only extended."""
    lived = one.life
    notes = notes_of(lived.results, lived.program, lived.lowered)
    return [f"n/p {one.np_ratio:g}, {n}" for n in notes if "outside its curve" in n]
