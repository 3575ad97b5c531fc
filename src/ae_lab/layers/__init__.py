"""Corruptions, bottlenecks and penalties, the parts from which `models.autoencoders` is built.

Each layer has the same structure: a docstring, an ``__init__`` that checks and stores its
arguments, and ``call``. A number out of range raises a `LabError` that names it. Penalties are
passed to ``add_loss`` as a mean over the batch, in nats or squared error per image. They have the
same unit as the losses of `losses`, so they can be added on every Keras backend.
"""
# ruff: noqa: F401  # these names are the package's interface

from ae_lab.layers.contractive import ContractiveBottleneck, ContractiveCode, RandomStep
from ae_lab.layers.corruption import (
    Corruption,
    Dropout,
    GaussianCorruption,
    MaskingCorruption,
    RandomShift,
    RandomSlant,
    SaltAndPepperCorruption,
)
from ae_lab.layers.sparse import KLSparsity, KSparse, L1Sparsity, WinnerTakeAll
from ae_lab.layers.variational import Binarise, GaussianSampling, ImportanceWeightedBound

__all__ = [name for name in dir() if name[0].isupper()]  # the classes that a model file may name
