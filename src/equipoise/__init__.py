"""Design, predict and diagnose capacity-balanced solid-state batteries."""

__version__ = "0.1.0"
