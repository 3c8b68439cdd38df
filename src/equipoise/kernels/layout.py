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


class Porous(NamedTuple):
    """One lowered electrode; constant during a step of the protocol.

    An ideal counter electrode (`ideal` = 1) has a potential and a resistance, all
    else of it is unused.
    """

    nodes: int
    ideal: int
    ideal_volt: float
    ideal_ohm_m2: float
    area: float  # m2
    width: float  # m, of one node
    thermal_volt: float  # R T / F
    alpha_a: float  # anodic transfer coefficient; the cathodic one is 1 - alpha_a
    interface: np.ndarray  # (K,) m2 per m3
    exchange: np.ndarray  # (K,) A m-2 at x = 1/2
    film: np.ndarray  # (K,) ohm m2
    flux: np.ndarray  # (K,) contact / (F c_max R): 1/s of unit-sphere flux per A m-2
    inverse_radius2: np.ndarray  # (K,) m-2
    capacity: np.ndarray  # (K,) C m-2 of electrode per unit of x
    ionic_resistivity: np.ndarray  # (nodes,) ohm m
    electronic_resistivity: np.ndarray  # table over x in [0, 1], ohm m
    open_circuit: np.ndarray  # (T, 2) V: delithiating, lithiating
    open_circuit_start: float
    open_circuit_per_step: float
    hysteresis: float  # 1 / (change of x after which 63 % of the way is done)
    diffusivity: np.ndarray  # table over x in [0, 1], m2 s-1
    transport: np.ndarray  # its integral from 0 (Kirchhoff), m2 s-1
    conductance: np.ndarray  # (M,) face area / distance, unit sphere; last: surface
    volume: np.ndarray  # (M,) of the shells of the unit sphere, sum 1/3


class Field(NamedTuple):
    """State and working memory of one electrode; the kernels write into it.

    Where a first axis is 2, one row is now and the other one step back; which is
    which is told by the `now` of the caller, so that nothing has to be copied.
    """

    x: np.ndarray  # (2, M, K)
    mean: np.ndarray  # (2, K) mean x of each column
    j: np.ndarray  # (2, K)
    branch: np.ndarray  # (K,) +1 delithiating, -1 lithiating
    branch_new: np.ndarray  # (K,)
    surface: np.ndarray  # (4, K) x at the surface: new, and three steps back
    upper: np.ndarray  # (M, K) elimination
    right: np.ndarray  # (M, K) elimination
    spread: np.ndarray  # (M, K) diffusivity * dt / R2
    slope: np.ndarray  # (K,) - d(surface x) / dj
    trial: np.ndarray  # (K,) j of the step being tried
    potential: np.ndarray  # (K,) f(j)
    resistance: np.ndarray  # (K,) df/dj
    node: np.ndarray  # (4, nodes): u at J = 0, du/dJ, electronic resistivity, u
    face: np.ndarray  # (4, nodes): current, per current, two of the elimination
