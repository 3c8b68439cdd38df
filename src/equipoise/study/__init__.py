"""Whole jobs on many files and cells: what analysis and files make together."""
