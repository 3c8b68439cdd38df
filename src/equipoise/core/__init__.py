"""Foundations: errors, status codes, units, constants, reference electrodes."""
