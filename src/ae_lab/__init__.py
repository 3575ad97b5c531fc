"""ae_lab: a reproducible autoencoder laboratory.

Importing the package imports no TensorFlow and changes nothing; each module is
imported by name (``from ae_lab import models``), so that a command that needs
no network training starts at once.
"""

__version__ = "0.1.0"
