"""ae_lab: a reproducible autoencoder laboratory.

Importing the package does not import TensorFlow and has no side effects. Each module is imported
by name (``from ae_lab import models``), so commands that do not train a network start immediately.
"""

__version__ = "0.1.0"
