"""Read a table of a cycler in mA and minutes, and see what the proof catches."""

from pathlib import Path
from tempfile import TemporaryDirectory

import equipoise as eqp

HEADER = "Zeit;Spannung;Strom;Ladung"
MAP = """
name = "my-cycler"

[columns]
test_time_second = { label = "Zeit", unit = "min" }
voltage_volt = { label = "Spannung", unit = "V" }
current_ampere = { label = "Strom", unit = "mA", sign = "charging positive" }
net_capacity_ah = { label = "Ladung", unit = "mAh" }
"""


def cycler_rows() -> list[str]:
    """One hour of charge and 54 min of discharge at 1.2 mA, a row per minute."""
    rows, charge = [HEADER], 0.0
    for minute in range(115):
        current = 1.2 if minute <= 60 else -1.2
        charge += 0.0 if minute == 0 else current / 60.0
        volts = 2.0 + 0.4 * charge + 0.05 * (current > 0)
        row = f"{minute};{volts:.4f};{current:.3f};{charge:.6f}"
        rows.append(row.replace(".", ","))
    return rows


with TemporaryDirectory() as folder:
    table, declared = Path(folder, "cell.csv"), Path(folder, "my-cycler.toml")
    table.write_text("\n".join(cycler_rows()) + "\n")
    declared.write_text(MAP)
    recording = eqp.read(table, column_map=declared)
    for finding in recording.findings:
        print(f"{finding.level}: {finding.what}: {finding.how}")
    cycles = eqp.cycle_summary(recording.table)
    charging_mah = 1e3 * cycles["charging_capacity_ah"][0]
    efficiency = cycles["coulombic_efficiency"][0]
    print(f"{charging_mah:.3f} mAh, Coulombic efficiency {efficiency:.3f}")

    # A wrong unit and a wrong sign are errors, not other numbers.
    refused_count = 0
    for claim, wrong in (
        ('unit = "mA"', 'unit = "A"'),
        ('unit = "min"', 'unit = "s"'),
        ("charging positive", "charging negative"),
    ):
        declared.write_text(MAP.replace(claim, wrong))
        try:
            eqp.read(table, column_map=declared)
        except eqp.DataError as error:
            refused_count += 1
            print("refused:", error.message)
