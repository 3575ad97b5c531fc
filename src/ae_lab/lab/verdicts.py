"""The handout's claims, each with an id and its sentence, and how a verdict is computed.

A notebook puts a claim to its experiment with ``lab.claim(id, holds=…, evidence=…)``. Words in
brackets say how the sentence was read where it leaves more than one reading.
"""

import math
import numbers

import numpy as np

from ae_lab.errors import LabError

CLAIMS = {
    "autoencoder.nonlinear_beats_pca": (
        "Autoencoders learn efficient data coding, typically for dimensionality reduction "
        "(better than PCA with as many numbers)."
    ),
    "autoencoder.code_keeps_classes": (
        "Regularized autoencoders are proven effective in learning representations for "
        "subsequent classification tasks (better than the plain one)."
    ),
    "autoencoder.handout_code_learns": (
        "The handout's program, run as printed, develops an autoencoder for MNIST."
    ),
    "autoencoder.overcomplete_linear_copies": (
        "In the overcomplete case even a linear encoder and linear decoder can learn to copy the "
        "input to the output without learning anything useful about the data distribution."
    ),
    "autoencoder.specialised": (
        "An autoencoder will achieve reasonable compression results on data similar to the "
        "training set used but will be a poor general-purpose image compressor."
    ),
    "autoencoder.poor_image_compressor": (
        "Autoencoders do a poor job for image compression (against JPEG, WebP and PNG at equal "
        "bytes)."
    ),
    "autoencoder.output_feeds_cnn": (
        "The output of the autoencoder can be used as the input of a CNN (part b)."
    ),
    "undercomplete.captures_features": (
        "A smaller dimension for the hidden layer helps to obtain important features from the data."
    ),
    "undercomplete.no_regularisation": "Undercomplete autoencoders do not need any regularization.",
    "undercomplete.overfits_with_little_data": (
        "Using an overparameterized model due to lack of sufficient training data can create "
        "overfitting."
    ),
    "denoising.removes_noise": (
        "A denoising autoencoder recovers the original undistorted input from a corrupted one "
        "(well enough to help a classifier)."
    ),
    "denoising.avoids_copying": (
        "Corruption helps to avoid the autoencoders to copy the input to the output without "
        "learning features about the data."
    ),
    "denoising.vector_field": (
        "The model learns a vector field for mapping the input data towards a lower dimensional "
        "manifold which describes the natural data."
    ),
    "denoising.robust_representation": (
        "A good representation is one that can be obtained robustly from a corrupted input."
    ),
    "denoising.cannot_memorise": (
        "This model isn't able to develop a mapping which memorizes the training data because "
        "our input and target output are no longer the same."
    ),
    "sparse.discovers_features": (
        "Sparse autoencoders have more hidden nodes than input nodes and can still discover "
        "important features from the data."
    ),
    "sparse.prevents_overfitting": (
        "A sparsity penalty is applied on the hidden layer in addition to the reconstruction "
        "error. This prevents overfitting."
    ),
    "sparse.k_strongest": (
        "Taking the highest activation values and zeroing out the rest forces only a reduced "
        "number of hidden nodes to be used."
    ),
    "sparse.data_dependent_units": (
        "It's essential that different inputs result in activations of different nodes."
    ),
    "deep.pretraining_helps": (
        "We use unsupervised layer by layer pre-training for this model (it ends better than a "
        "random start in the same time)."
    ),
    "deep.thirty_numbers": (
        "Deep autoencoders are capable of compressing images into 30 number vectors."
    ),
    "deep.real_valued_rbm": (
        "For real-valued data you would use Gaussian rectified transformations for the RBMs "
        "instead."
    ),
    "deep.topic_modelling": (
        "Deep autoencoders are useful in topic modeling of a collection of documents (better "
        "than as many principal components)."
    ),
    "deep.compact_and_fast": "The final encoding layer is compact and fast.",
    "deep.overfits": "Chances of overfitting, since there's more parameters than input data.",
    "deep.lower_rate_for_finetuning": (
        "At the stage of the decoder's backpropagation the learning rate should be lowered."
    ),
    "contractive.better_features_than_denoising": (
        "Contractive autoencoder is a better choice than denoising autoencoder to learn useful "
        "feature extraction."
    ),
    "contractive.similar_inputs_similar_codes": (
        "This model learns an encoding in which similar inputs have similar encodings: it "
        "contracts a neighborhood of inputs into a smaller neighborhood of outputs."
    ),
    "contractive.less_sensitive": (
        "The learned representation is less sensitive to small variation in the data."
    ),
    "convolutional.features_for_classification": (
        "Once these filters have been learned, they can be applied to any input in order to "
        "extract features, and these can be used for classification."
    ),
    "convolutional.scales_to_large_images": (
        "Due to their convolutional nature, they scale well to realistic-sized high dimensional "
        "images."
    ),
    "convolutional.removes_noise_or_fills_in": (
        "Can remove noise from picture or reconstruct missing parts."
    ),
    "convolutional.blurry": (
        "The reconstruction of the input image is often blurry and of lower quality due to "
        "compression during which information is lost."
    ),
    "variational.matches_distribution": (
        "The probability distribution of the latent vector of a variational autoencoder "
        "typically matches that of the training data much closer than a standard autoencoder."
    ),
    "variational.control": (
        "It gives significant control over how we want to model our latent distribution."
    ),
    "variational.samples": (
        "After training you can just sample from the distribution followed by decoding and "
        "generating new data."
    ),
    "variational.sampling_needs_care": (
        "Backpropagation needs the relationship of each parameter with the loss: hence, the "
        "sampling process requires some extra attention."
    ),
}


def conditions_of(id: str, holds) -> dict[str, bool | float]:
    """What a claim was put to, by name; a single condition has the empty name.

    Parameters
    ----------
    holds : a condition or a dict {name: condition}, as `lab.Lab.claim` takes it.

    Raises
    ------
    LabError
        If there is none, or one is neither a finite number nor a bool.
    """
    named = holds if isinstance(holds, dict) else {"": holds}
    if not named:
        raise LabError(
            f"{id} must name at least one condition, received none: pass a number, True, False, "
            "or a dict of them."
        )
    return {name: _condition(id, value) for name, value in named.items()}


def _condition(id, value) -> bool | float:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if not isinstance(value, numbers.Real) or not math.isfinite(value):
        raise LabError(
            f"a condition of {id} must be a finite number or a bool, received {value!r}: pass the "
            "distance to where the claim would turn, below 0 where it does not hold."
        )
    return float(f"{value:.6g}")


def is_met(condition: bool | float) -> bool:
    """Whether a condition holds: a number does above 0."""
    return condition > 0


def verdict(conditions: dict[str, bool | float]) -> str:
    """ "holds" if all conditions are met, "does not hold" if none is, otherwise "depends"."""
    met = {is_met(value) for value in conditions.values()}
    if len(met) == 2:
        return "depends"
    return "holds" if met == {True} else "does not hold"
