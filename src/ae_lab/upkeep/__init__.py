"""What the maintainer needs: reference figures, sweeps over seeds, and benchmarks."""
