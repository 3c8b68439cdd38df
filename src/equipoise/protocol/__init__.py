"""Test protocols: readable steps, the shipped ones, and the arrays they become."""
