"""Numba kernels: private, pure, arrays in and out, one algorithm a file."""
