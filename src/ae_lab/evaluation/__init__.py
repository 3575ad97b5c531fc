"""Numbers from a trained model and from the baselines it must beat. Arrays in, numbers out."""

from ae_lab.evaluation.classification import (
    confusion_matrix,
    linear_probe,
    mcnemar,
    predict_labels,
)
from ae_lab.evaluation.reconstruction import (
    argmax_accuracy,
    bce_floor,
    bce_per_pixel,
    binary_accuracy,
    dead_units,
    encode,
    reconstruct,
    share_lost,
    sse_per_image,
)
from ae_lab.evaluation.subspace import (
    pca_reconstruction,
    principal_subspace,
    subspace_angles,
)

__all__ = [
    "argmax_accuracy",
    "bce_floor",
    "bce_per_pixel",
    "binary_accuracy",
    "confusion_matrix",
    "dead_units",
    "encode",
    "linear_probe",
    "mcnemar",
    "pca_reconstruction",
    "predict_labels",
    "principal_subspace",
    "reconstruct",
    "share_lost",
    "sse_per_image",
    "subspace_angles",
]
