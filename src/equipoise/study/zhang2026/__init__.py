"""Zhang et al. 2026: its cells, tests and numbers, computed."""
