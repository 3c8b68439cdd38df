"""Impedance of the simulated cell: the equations of the engine, linearised."""
