"""Equivalent circuits: a closed set of elements, their text, their fit."""
