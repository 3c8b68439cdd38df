"""Distribution of relaxation times, and resistances with an honest band."""
