"""What ageing has done to a cell so far."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from equipoise.kernels.wear import at_least

Array = NDArray[np.float64]
Side = Literal["positive", "negative"]
LEAST_FRACTION = 1e-6
"""What is left of a material or a contact at the least: the equations stay regular."""


class Row(IntEnum):
    """Rows of the wear of one electrode."""

    ACTIVE = 0  # share of the active material still connected
    CONTACT = 1  # share of the interface left, of what is still connected
    FILM = 2  # ohm m2 per active interface, on top of the film as built
    PATH = 3  # diffusion length over that as built


class Wear:
    """State of ageing of both electrodes; mechanisms change it in place.

    Columns are particle classes times nodes, as in the kernels (column k is of node
    ``k % nodes``). As built: active 1, contact 1, film 0, path 1.

    Attributes
    ----------
    positive, negative
        Shape (len(Row), K), views into `vector`.
    vector
        All of it in one piece, for copies and extrapolation.
    charged_loss
        Share of the active material that is lost at the next end of charge: with the
        lithium it then holds. `lose` fills it.
    memory
        Further numbers of mechanisms, by name; they are stored with a checkpoint.
    """

    def __init__(self, positive_columns: int, negative_columns: int) -> None:
        rows = len(Row)
        self.vector: Array = np.zeros(rows * (positive_columns + negative_columns))
        split = rows * positive_columns
        self.positive: Array = self.vector[:split].reshape(rows, positive_columns)
        self.negative: Array = self.vector[split:].reshape(rows, negative_columns)
        for part in (self.positive, self.negative):
            part[[Row.ACTIVE, Row.CONTACT, Row.PATH]] = 1.0
        self._late = np.zeros(positive_columns + negative_columns)
        self.charged_loss: dict[Side, Array] = {
            "positive": self._late[:positive_columns],
            "negative": self._late[positive_columns:],
        }
        self.memory: dict[str, float] = {}

    def of(self, side: Side) -> Array:
        """Wear of one electrode, shape (len(Row), K)."""
        return self.positive if side == "positive" else self.negative

    def lose(self, side: Side, share: Array, *, charged_fraction: float = 0.0) -> None:
        """Cut active material off, as a share of what is still connected.

        `charged_fraction` of it goes at the next end of charge, the rest now (a cycle
        ends discharged). Particles keep the lithium they hold when they go.
        """
        active = self.of(side)[Row.ACTIVE]
        now = (1.0 - charged_fraction) * share if charged_fraction else share
        at_least(active * (1.0 - now), LEAST_FRACTION, active)
        if charged_fraction:
            self.charged_loss[side] += charged_fraction * share

    def lose_charged(self) -> None:
        """Carry out what was put off until the end of charge."""
        for side, share in self.charged_loss.items():
            active = self.of(side)[Row.ACTIVE]
            at_least(active * (1.0 - share), LEAST_FRACTION, active)
            share[:] = 0.0

    @property
    def waits(self) -> bool:
        """Whether something is to be lost at the next end of charge."""
        return bool(self._late.any())
