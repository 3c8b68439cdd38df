"""What wears a cell: one mechanism per file, see `mechanism` for what it may read."""
