"""Compiled numerics: plain arrays in, arrays and status codes out.

Kernels import numpy, numba and `equipoise.core.status`, nothing else. They fill
the arrays they are given, never raise and never allocate in a loop.
"""
