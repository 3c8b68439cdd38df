"""Combinations of mechanisms that are compared, and their parameters.

Each is calibrated on numbers of HB cells alone, and on two words about LB
(`calibration_set`). What it says of LB in numbers is a prediction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from equipoise.ageing.ageing import Ageing
from equipoise.fit.inference import Parameter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from equipoise.spec.kinetics import CellKinetics

FRESH_CHI_SQUARE = {
    "zhang2026": 29.1,
    "zhang2026-transfer-0.5": 31.0,
    "zhang2026-transfer-0.1": 32.7,
}
"""Rates of fresh cells with their chi-square on the 31 rows of fresh cells.

Their capacities hardly tell them apart, but their charge transfer is 4.2, 0.5 and 0.1
mA/cm2. Below about 0.1 the capacities cannot be met.
"""
FRESH = tuple(FRESH_CHI_SQUARE)
CELL_SPREAD = 0.4
"""Standard deviation of ln(hazard) from cell to cell.

Two HB cells differ at cycle 120 by a standard deviation of 13.5 mAh/g (Fig. 2) on a
mean loss of 30: 20.5 and 39.5, 0.46 in the logarithm. From two cells that is known
within a factor of about two; 0.4 is our choice."""
REFERENCE_STRAIN_PERCENT = {"whole": 4.5, "h2-h3": 2.0}
"""About what HB does in a cycle at 0.2C."""
EXPONENT = {"whole": (5.0, 4.0), "h2-h3": (2.0, 2.0)}
"""Prior of the exponent: the H2-H3 part of a strain varies more by itself."""

NEGATIVE_FADE = (-4.15, -5.3, -3.6, 0.35)
"""Prior of lg(loss of LTO per full cycle): centre, bounds, width.

An LTO half cell lost 3 % in 200 cycles at 0.2C, some 2000 h (C7): 1.5e-4 a cycle, if it
was LTO that was lost and not contact or polarisation, and if it goes by the cycle and
not by the hour (at 1C a fifth of the time). So that number is an upper limit, to
reading, and the prior is wide below it. HB cells do not tell; LB cells hang on it."""


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What wears the cell.

    Attributes
    ----------
    driver
        "whole" strain, its "h2-h3" part, or "none": no contraction at all.
    frailty
        Whether contacts differ (early damage saturates).
    charged
        Whether a share of the particles may be isolated when charged.
    side
        Where the charge that never comes back is consumed: "positive" (slippage) or
        "both" (shuttle).
    path
        Whether cracks lengthen the way of lithium instead of isolating particles.
    """

    name: str
    driver: str = "whole"
    frailty: bool = True
    charged: bool = True
    side: str = "positive"
    path: bool = False

    def parameters(self) -> tuple[Parameter, ...]:
        """What is to be found, with priors; those of cells come last."""
        out = [
            Parameter("film", 2.3, 0.0, 4.0, 0.8, unit="ohm cm2"),
            Parameter("film_width", -1.0, -1.6, 0.0, 0.25, unit="V"),
            Parameter("side_current", -1.0, -3.5, 1.0, 1.0, unit="mA/g"),
            Parameter("side_width", -1.26, -1.8, -0.5, 0.2, unit="V"),
            Parameter("double_layer", 1.3, 0.5, 2.3, 0.35, unit="uF/cm2"),
            Parameter("negative_fade", *NEGATIVE_FADE, unit="1"),
        ]
        if self.driver != "none":
            start, width = EXPONENT[self.driver]
            out += [
                Parameter("hazard", -2.8, -5.0, -1.0, 0.8, unit="1"),
                Parameter("exponent", start, 0.0, 20.0, width, False, unit="1"),
                Parameter("contact", 0.3, -1.5, 1.5, 0.6, unit="1"),
                Parameter("cell_0.2C", 0.0, -1.5, 1.5, CELL_SPREAD / 2**0.5, False),
                Parameter("cell_1C", 0.0, -1.5, 1.5, CELL_SPREAD, False),
                Parameter("cell_rates", 0.0, -1.5, 1.5, CELL_SPREAD, False),
            ]
        if self.frailty:
            out.append(Parameter("frailty", 0.0, -2.0, 1.5, 0.7, unit="1"))
        if self.charged:
            out.append(Parameter("charged", 0.3, 0.0, 1.0, 0.4, False, unit="1"))
        if self.path:
            out.append(Parameter("path", 1.0, -1.0, 3.0, 0.8, unit="1"))
        return tuple(out)

    def ageing(
        self, values: Mapping[str, float], *, cell_factor: float = 0.0
    ) -> Ageing:
        """The mechanisms; `cell_factor` is ln of this cell's hazard over the mean."""
        return Ageing.model_validate(
            {
                "name": f"zhang2026, {self.name}",
                "mechanisms": self._mechanisms(values, cell_factor),
            }
        )

    def _mechanisms(
        self, values: Mapping[str, float], cell_factor: float
    ) -> list[dict[str, Any]]:
        out: list[dict[str, Any]] = []
        if self.driver != "none":
            hazard = values["hazard"] * math.exp(cell_factor)
            out.append(
                {
                    "kind": "lattice-contraction",
                    "driver": self.driver,
                    "hazard_per_cycle_fraction": _calibrated(hazard),
                    "reference_strain_percent": REFERENCE_STRAIN_PERCENT[self.driver],
                    "exponent": _calibrated(max(values["exponent"], 1e-6)),
                    "frailty_ratio": _calibrated(values.get("frailty", 0.0)),
                    "contact_ratio": _calibrated(values["contact"]),
                    "path_ratio": _calibrated(values.get("path", 0.0)),
                    "charged_fraction": values.get("charged", 0.0),
                }
            )
        out += [
            {
                "kind": "interphase-growth",
                "film_after_1000_hour_ohm_cm2": _calibrated(values["film"]),
                "width_volt": _calibrated(values["film_width"]),
            },
            {
                "kind": "parasitic-current",
                "at": self.side,
                "current_ma_per_g_positive": _calibrated(values["side_current"]),
                "width_volt": _calibrated(values["side_width"]),
            },
            {
                "kind": "active-fade",
                "loss_per_full_cycle_fraction": _calibrated(values["negative_fade"]),
            },
        ]
        return out


HYPOTHESES = (
    Hypothesis("whole strain", charged=False),
    Hypothesis("whole strain, one hazard", charged=False, frailty=False),
    Hypothesis("whole strain, some lost charged"),
    Hypothesis("whole strain, shuttle", charged=False, side="both"),
    Hypothesis("whole strain, shuttle, some lost charged", side="both"),
    Hypothesis("H2-H3 strain", driver="h2-h3", charged=False),
    Hypothesis("H2-H3 strain, shuttle", driver="h2-h3", charged=False, side="both"),
    Hypothesis("cracks instead of isolation", charged=False, path=True, side="both"),
    Hypothesis(
        "film and side reactions only", driver="none", frailty=False, charged=False
    ),
)


def rates_with(rates: CellKinetics, values: Mapping[str, float]) -> CellKinetics:
    """The rates of a fresh cell with the double layer of a draw (impedances only)."""
    layer = _calibrated(values["double_layer"])
    positive = rates.positive.model_copy(
        update={
            "double_layer_capacitance_uf_per_cm2": type(
                rates.positive.double_layer_capacitance_uf_per_cm2
            ).model_validate(layer)
        }
    )
    return rates.model_copy(update={"positive": positive})


def _calibrated(value: float) -> dict[str, Any]:
    return {
        "value": float(value),
        "source": "zhang2026, HB cells: ageing-calibration.md",
        "evidence": "calibrated",
    }
