"""Numbers from a trained model and from the baselines it must beat. Arrays in, numbers out."""

from ae_lab.evaluation.classification import (
    confusion_matrix,
    first_of_each,
    linear_probe,
    mcnemar,
    predict_labels,
)
from ae_lab.evaluation.denoising import (
    FILTERS,
    best_strength,
    median_filter,
    non_local_means,
    repeated,
    wavelets,
)
from ae_lab.evaluation.generation import frechet_distance
from ae_lab.evaluation.jacobian import (
    contraction,
    encoder_jacobian,
    jacobian_norm,
    jacobian_spectrum,
    neighbour_agreement,
    neighbour_overlap,
    relative_contraction,
    spread,
)
from ae_lab.evaluation.likelihood import (
    active_units,
    bernoulli_log_likelihood,
    binarise,
    importance_nll,
    kl_divergence,
)
from ae_lab.evaluation.noise import (
    add_masking_noise,
    add_salt_and_pepper_noise,
    add_square_hole,
)
from ae_lab.evaluation.photographs import bytes_and_error
from ae_lab.evaluation.probe import probe_accuracy, tuned_probe
from ae_lab.evaluation.reconstruction import (
    argmax_accuracy,
    bce_floor,
    bce_per_pixel,
    binary_accuracy,
    dead_units,
    encode,
    psnr,
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
    sparsity_summary,
)
from ae_lab.evaluation.subspace import (
    pca_reconstruction,
    principal_subspace,
    subspace_angles,
    through_subspace,
)

__all__ = [
    "FILTERS",
    "active_units",
    "add_masking_noise",
    "add_salt_and_pepper_noise",
    "add_square_hole",
    "argmax_accuracy",
    "bce_floor",
    "bce_per_pixel",
    "bernoulli_log_likelihood",
    "best_strength",
    "binarise",
    "binary_accuracy",
    "bytes_and_error",
    "class_means",
    "class_selectivity",
    "confusion_matrix",
    "contraction",
    "dead_units",
    "encode",
    "encoder_jacobian",
    "first_of_each",
    "frechet_distance",
    "gradient_energy",
    "importance_nll",
    "jacobian_norm",
    "jacobian_spectrum",
    "kl_divergence",
    "lifetime_sparsity",
    "linear_probe",
    "mcnemar",
    "mean_activation",
    "median_filter",
    "multiply_adds",
    "neighbour_agreement",
    "neighbour_overlap",
    "non_local_means",
    "pca_reconstruction",
    "population_sparsity",
    "predict_labels",
    "principal_subspace",
    "probe_accuracy",
    "psnr",
    "reconstruct",
    "relative_contraction",
    "repeated",
    "share_lost",
    "shared_units",
    "sparse_code",
    "sparsity_summary",
    "spread",
    "sse_per_image",
    "subspace_angles",
    "through_subspace",
    "tuned_probe",
    "wavelets",
]
