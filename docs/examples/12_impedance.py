"""Simulated ageing, its impedance, and R_int and R_ct of it with their bands.

A film grows on the positive; each state is measured at rest after a discharge, as in
the paper, and analysed like a file of an instrument.
"""

from dataclasses import replace

import equipoise as eqp

cell = eqp.load_cell("zhang2026-lb")
protocol = eqp.load_protocol("eis-after-discharge")
films_ohm_cm2 = (5.0, 50.0, 95.0)  # of active interface

spectra = []
for film in films_ohm_cm2:
    rates = {
        "like": "zhang2026",
        "name": f"film {film:g}",
        "positive": {"film_resistance_ohm_cm2": film},
    }
    aged = replace(cell, kinetics=eqp.load_kinetics(rates))
    spectra += eqp.simulate(aged, protocol, trace="none").spectra

found = eqp.resistances_of_series(spectra)
for film, spectrum, r in zip(films_ohm_cm2, spectra, found, strict=True):
    area = spectrum.area_cm2
    r_int, r_ct = r["R_int"], r["R_ct"]
    print(
        f"film {film:g} ohm cm2: R_int {area * r_int.value_ohm:.2f} "
        f"({area * r_int.low_ohm:.2f} to {area * r_int.high_ohm:.2f}), "
        f"R_ct {area * r_ct.value_ohm:.2f} ohm cm2"
    )

total = [r.best.polarisation_ohm for r in found]
growth_ratio = (total[2] - total[1]) / (total[1] - total[0])
print(f"equal steps of the film add equal polarisation: {growth_ratio:.2f}")
