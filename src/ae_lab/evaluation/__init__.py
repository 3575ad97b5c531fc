"""Numbers from a trained model and from the baselines it must beat. Arrays in, numbers out."""

from ae_lab.evaluation.classification import (
    confusion_matrix,
    linear_probe,
    mcnemar,
    predict_labels,
)
from ae_lab.evaluation.likelihood import (
    active_units,
    bernoulli_log_likelihood,
    binarise,
    importance_nll,
    kl_divergence,
)
from ae_lab.evaluation.probe import tuned_probe
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
from ae_lab.evaluation.sharpness import gradient_energy, multiply_adds
from ae_lab.evaluation.sparsity import (
    class_means,
    class_selectivity,
    lifetime_sparsity,
    mean_activation,
    population_sparsity,
    shared_units,
    sparse_code,
)
from ae_lab.evaluation.subspace import (
    pca_reconstruction,
    principal_subspace,
    subspace_angles,
)

__all__ = [
    "active_units",
    "argmax_accuracy",
    "bce_floor",
    "bce_per_pixel",
    "bernoulli_log_likelihood",
    "binarise",
    "binary_accuracy",
    "class_means",
    "class_selectivity",
    "confusion_matrix",
    "dead_units",
    "encode",
    "gradient_energy",
    "importance_nll",
    "kl_divergence",
    "lifetime_sparsity",
    "linear_probe",
    "mcnemar",
    "mean_activation",
    "multiply_adds",
    "pca_reconstruction",
    "population_sparsity",
    "predict_labels",
    "principal_subspace",
    "reconstruct",
    "share_lost",
    "shared_units",
    "sparse_code",
    "sse_per_image",
    "subspace_angles",
    "tuned_probe",
]
