"""Tools for maintainers: reference values, sweeps over seeds, and benchmarks."""
