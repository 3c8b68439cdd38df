"""Readers of cycler files: one small file each, every unit and sign proved."""
