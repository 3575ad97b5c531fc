"""The handout's claims, each with an id and its sentence, in one place.

A notebook puts a claim to its experiment with ``lab.claim(id, holds=…, evidence=…)``.
"""

CLAIMS = {
    "autoencoder.nonlinear_beats_pca": (
        "Autoencoders learn efficient data coding, typically for dimensionality reduction "
        "(better than PCA with as many numbers)."
    ),
    "autoencoder.code_keeps_classes": (
        "The aim of an autoencoder is to learn a representation for a set of data "
        "(useful for a later classification)."
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
    "undercomplete.captures_features": (
        "A smaller dimension for the hidden layer helps to obtain important features from the data."
    ),
    "undercomplete.no_regularisation": (
        "Undercomplete autoencoders do not need any regularization."
    ),
    "undercomplete.overfits_with_little_data": (
        "Using an overparameterized model due to lack of sufficient training data can create "
        "overfitting."
    ),
    "autoencoder.output_feeds_cnn": (
        "The output of the autoencoder can be used as the input of a CNN (part b)."
    ),
    "denoising.removes_noise": (
        "A denoising autoencoder recovers the original undistorted input from a corrupted one "
        "(well enough to help a classifier)."
    ),
    "convolutional.features_for_classification": (
        "Features learned by an autoencoder can be used for any task that requires a compact "
        "representation of the input, like classification."
    ),
}
