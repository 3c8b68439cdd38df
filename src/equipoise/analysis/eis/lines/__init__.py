"""Two-rail transmission lines, and partial conductivities from blocking cells."""
