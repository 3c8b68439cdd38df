"""Age LB and HB alike: how long they live, what wore them, what the reserve gave back.

The mechanisms are made up, one set for both cells: only the mass of the negative
differs. A short rate test goes first, as in the paper.
"""

import equipoise as eqp

fatigue = {
    "kind": "lattice-contraction",
    "hazard_per_cycle_fraction": 0.0015,
    "exponent": 4,
    "contact_ratio": 2,
}
film = {
    "kind": "interphase-growth",
    "film_after_1000_hour_ohm_cm2": 200,
    "width_volt": 0.1,
}
fade = {"kind": "active-fade", "loss_per_full_cycle_fraction": 1.5e-4}
ageing = eqp.Ageing.model_validate({"mechanisms": [fatigue, film, fade]})
before = eqp.load_protocol("short-rate-test")
test = eqp.life_protocol(rate=1, cycles=1500, before=before)

cells = [eqp.load_cell(f"zhang2026-{name}") for name in ("lb", "hb")]
lives = [eqp.life(cell, test, ageing, model="spm", jump=eqp.Jump()) for cell in cells]
for found in lives:
    rows = found.cycles.filter("is_ageing_cycle", "is_settled")
    upper = rows["upper_potential_vs_li_volt"]
    reserve = eqp.compensation_ledger(found, found.states[-1:]).reserve.row(
        -1, named=True
    )
    print(
        f"{found.name}: 80 % after {found.cycle_life(0.8).cycle_count:.0f} cycles; "
        f"upper potential {upper[0]:.3f} to {upper[-1]:.3f} V; "
        f"active positive left {rows['positive_active_fraction'][-1]:.3f}; "
        f"given back {reserve['given_back_mah_per_g_positive']:.1f} mAh/g"
    )

# The same life of LB with every cycle solved.
solved = eqp.life(cells[0], test, ageing, model="spm")
jumped_ratio = lives[0].cycle_life().cycle_count / solved.cycle_life().cycle_count
print(
    f"jumping solved {lives[0].solved_count} cycles of {lives[0].last_cycle}; "
    f"cycle life over that with all solved: {jumped_ratio:.4f}"
)
