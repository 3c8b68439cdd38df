"""Specifications: materials, curves, electrodes, cells; the bundled library."""
