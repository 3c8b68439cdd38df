"""Readers of impedance spectra: one file per instrument or dialect."""
