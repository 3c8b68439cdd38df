"""What the kernels of a simulation are given: one electrode, and its state.

symbol     meaning                                                    unit
K          columns: classes x nodes, column k is of node k % nodes
M          shells of a particle, from the centre outwards
x          lithium fraction, 1 = full                                 1
j          reaction current density, oxidation > 0                    A m-2 (interface)
i          current density of the electrode, oxidation > 0            A m-2 (electrode)
"""

from typing import NamedTuple

import numpy as np

# Rows of Porous.column
INTERFACE = 0  # m2 per m3
EXCHANGE = 1  # A m-2 at x = 1/2
FILM = 2  # ohm m2
FLUX = 3  # contact / (F c_max R): flux in the unit sphere, 1/s per A m-2
INVERSE_RADIUS2 = 4  # m-2
CAPACITY = 5  # C m-2 of electrode per unit of x

# Rows of Field.column; of a pair, `now` tells which is the newer one
MEAN = 0  # pair: mean x
REACTION = 2  # pair: j
BRANCH = 4  # +1 delithiating, -1 lithiating
SURFACE = 5  # x at the surface: tried, and three steps back
SLOPE = 9  # - d(surface x) / dj
TRIAL = 10  # j of the step being tried
POTENTIAL = 11  # f(j), V
RESISTANCE = 12  # df/dj, ohm m2
SCALE = 13  # working memory
DRIFT = 14  # change of mean x in the step without reaction
DRIFT_PER_J = 15  # and per j, as -DRIFT_PER_J j
LOWEST = 16  # mean x at the ends of steps, since the caller last set it
HIGHEST = 17
FIELD_COLUMN_ROWS = 18

# Blocks of Field.shells: the elimination x_m = right + upper x_(m+1)
UPPER = 0
RIGHT = 1
SPREAD = 2  # diffusivity * dt / R2
FIELD_SHELL_BLOCKS = 3

# Rows of Field.node
OPEN = 0  # u at J = 0, V
PER_CURRENT = 1  # du/dJ, ohm m2
ELECTRONIC = 2  # resistivity, ohm m
DIFFERENCE = 3  # u, V
FACE = 4  # face current = FACE + FACE_SLOPE i, A m-2
FACE_SLOPE = 5
LEFT = 6  # two rows of the elimination
KNOWN = 7
FIELD_NODE_ROWS = 8


class Porous(NamedTuple):
    """One lowered electrode; constant during a step of the protocol.

    Few arrays with many rows: every array is handed on at every call. An ideal
    counter electrode (`ideal` = 1) has a potential, all else of it is unused.
    """

    nodes: int
    ideal: int
    ideal_volt: float
    area: float  # m2
    width: float  # m, of one node
    thermal_volt: float  # R T / F
    alpha_a: float  # anodic transfer coefficient; the cathodic one is 1 - alpha_a
    open_circuit_start: float
    open_circuit_per_step: float
    hysteresis: float  # 1 / (change of x for 63 % of the way); 0: one curve for both
    column: np.ndarray  # (6, K), rows above
    ionic: np.ndarray  # (nodes,) resistivity, ohm m
    electronic: np.ndarray  # resistivity, table over x in [0, 1], ohm m
    open_circuit: np.ndarray  # (T, 2) V: delithiating, lithiating
    diffusion: np.ndarray  # (2, T) over x in [0, 1], m2 s-1: D, and its integral
    shell: (
        np.ndarray
    )  # (2, M) unit sphere: face area / distance (last: surface), volume


class Field(NamedTuple):
    """State and working memory of one electrode; the kernels write into it.

    Where there are two of a kind, one is now and the other one step back; which is
    which is told by the `now` of the caller, so that nothing has to be copied.
    """

    x: np.ndarray  # (2, M, K)
    column: np.ndarray  # (FIELD_COLUMN_ROWS, K)
    shells: np.ndarray  # (FIELD_SHELL_BLOCKS, M, K)
    node: np.ndarray  # (FIELD_NODE_ROWS, nodes)
