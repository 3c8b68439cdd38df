"""Calibration of curves and cells to data."""
