"""Training: `fit` for autoencoders, `fit_classifier` for classifiers, and `seed_everything`.

`fit` holds both and the engine "plain", Keras as its documentation has it; `fast` holds the
engine "fast", with the same results; `batches` holds what both are fed.
"""

from ae_lab.training.fit import fit, fit_classifier, seed_everything

__all__ = ["fit", "fit_classifier", "seed_everything"]
