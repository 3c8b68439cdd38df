"""Figures: table in, figure out."""
