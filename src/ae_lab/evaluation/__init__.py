"""Measures of a trained model and of the baselines to compare it with: from arrays to numbers.

In every function ``x`` are float images (n, height, width, channels) in [0, 1] unless stated
otherwise, and ``model`` is an autoencoder of `models`. A `LabError` names arrays of the wrong
type or of shapes that do not fit together, and numbers out of range.
"""
# ruff: noqa: F401  # these names are the package's interface

from ae_lab.data.corruption import add_masking_noise, add_salt_and_pepper_noise, add_square_hole
from ae_lab.evaluation.baselines import (
    FILTERS,
    best_strength,
    bytes_and_error,
    median_filter,
    non_local_means,
    pca_reconstruction,
    principal_subspace,
    subspace_angles,
    through_subspace,
    wavelets,
)
from ae_lab.evaluation.geometry import (
    contraction,
    encoder_jacobian,
    jacobian_norm,
    jacobian_spectrum,
    neighbour_agreement,
    neighbour_overlap,
    relative_contraction,
    spread,
)
from ae_lab.evaluation.images import first_of_each, frechet_distance, gradient_energy
from ae_lab.evaluation.likelihood import (
    active_units,
    bernoulli_log_likelihood,
    binarise,
    importance_nll,
    kl_divergence,
)
from ae_lab.evaluation.probes import linear_probe, predict_labels, probe_accuracy, probe_correct
from ae_lab.evaluation.reconstruction import (
    argmax_accuracy,
    bce_floor,
    bce_per_pixel,
    binary_accuracy,
    decode,
    encode,
    posterior,
    predict,
    psnr,
    reconstruct,
    repeated,
    share_lost,
    sse_per_image,
)
from ae_lab.evaluation.sparsity import (
    class_means,
    class_selectivity,
    dead_units,
    lifetime_sparsity,
    mean_activation,
    population_sparsity,
    shared_units,
    sparsity_summary,
)
