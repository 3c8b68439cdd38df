"""From tables of one cell, measured or simulated, to what they say of it."""
