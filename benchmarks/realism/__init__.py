"""The realism benchmark: `python benchmarks/realism`, see `__main__`."""
