"""Keep cells of two groups in a store, ask it with SQL, and compare the groups."""

from pathlib import Path
from tempfile import TemporaryDirectory

import equipoise as eqp

test = eqp.load_protocol("short-rate-test")
with TemporaryDirectory() as folder:
    store = eqp.Store(Path(folder, "campaign"), create=True)
    for group, ratios in (("LB", (1.08, 1.12)), ("HB", (1.46, 1.54))):
        for replicate, ratio in enumerate(ratios, start=1):
            cell = eqp.load_cell(f"zhang2026-{group.lower()}").with_np_ratio(ratio)
            path = Path(folder, f"{group}{replicate}")
            _, _, trace, _ = eqp.write_run(eqp.simulate(cell, test), path)
            data = eqp.load_cell_data(
                trace, changes={"group": group, "replicate": str(replicate)}
            )
            store.add_many([eqp.import_of(data)])
            again = store.add_many([eqp.import_of(data)])[0]
            assert again.already  # the same file twice is one cell

    best = store.sql("""
        SELECT grp, avg(discharging_capacity_mah_per_g_positive) AS mean, count(*) AS n
        FROM cycles JOIN cells USING (cell_id)
        WHERE cycle_count = 3
        GROUP BY grp ORDER BY grp
    """)
    print(best)
    cells_count = len(store)
    advantage_mah_per_g = best["mean"][0] - best["mean"][1]
    print(f"{cells_count} cells; HB gives {advantage_mah_per_g:.1f} mAh/g more at 0.1C")
    problems_count = len(store.verify())
