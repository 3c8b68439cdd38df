"""Simulation: lower a cell, run a protocol on it, make tables of the result."""
