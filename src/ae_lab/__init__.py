"""ae_lab: a reproducible autoencoder laboratory.

Importing the package does not import TensorFlow and changes nothing. Each module is imported by
name (``from ae_lab import models``), so commands that train no network start immediately.
"""

__version__ = "0.1.0"
