"""Measures of the exercises of notebooks 03 and 06, on models with known outputs."""

import pytest

from ae_lab import evaluation, layers, models
from ae_lab.lab import measures


@pytest.fixture(scope="module")
def few(sample):
    return sample.first(30, 20, 40)


@pytest.mark.parametrize(
    ("corruption", "strength"),
    [(layers.GaussianCorruption(0.3), 0.3), (layers.MaskingCorruption(0.2), 0.2)],
)
def test_the_strength_of_a_corruption_is_that_of_its_layer(few, corruption, strength):
    model = models.denoising(corruption=corruption, latent_dim=3, hidden=())
    assert measures.noise(model, few) == strength


def test_the_weight_of_a_penalty_is_found_wherever_it_is_applied(few):
    exact = models.contractive(weight=0.2, latent_dim=3)
    estimated = models.contractive(weight=0.4, latent_dim=3, hidden=(4,))
    assert measures.penalty_weight(exact, few) == 0.2
    assert measures.penalty_weight(estimated, few) == 0.4


def test_a_model_without_noise_or_penalty_has_none(few):
    plain = models.undercomplete(latent_dim=3)
    assert measures.noise(plain, few) == -1 and measures.penalty_weight(plain, few) == 0


def test_an_untrained_model_does_not_denoise(few):
    model = models.undercomplete(latent_dim=3)
    assert measures.cleaned_psnr(model, few) < measures.noisy_psnr(model, few) < 15


def test_the_norm_of_the_jacobian_is_that_of_the_first_ten_images(few):
    model = models.contractive(latent_dim=2)
    assert measures.jacobian_norm(model, few) == evaluation.jacobian_norm(model, few.x_test[:10])
    assert measures.relative_contraction(model, few) > 0
