"""Impedance: Kramers-Kronig, relaxation times, circuits, transmission lines."""
