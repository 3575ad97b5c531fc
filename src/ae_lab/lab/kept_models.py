"""Where the models are that notebooks keep beside their report."""

from pathlib import Path

from ae_lab.errors import LabError
from ae_lab.settings import Settings

KEPT_BY = {
    "undercomplete": "01_dense_autoencoder",
    "classifier": "02_autoencoder_to_cnn",
    "denoising": "03_denoising",
    "sparse": "04_sparse",
    "deep": "05_deep",
    "contractive": "06_contractive",
    "convolutional": "07_convolutional",
    "variational": "08_variational",
}


def find_model(settings: Settings, name: str) -> Path:
    """The file of a model that the profile's report left, by its name; or a ``.keras`` file.

    Raises
    ------
    LabError
        If no notebook keeps a model of that name, or none did yet: the message says which
        command makes it.
    """
    if name.endswith(".keras"):
        return Path(name)
    if name not in KEPT_BY:
        raise LabError(
            f"the model must be one of {', '.join(KEPT_BY)}, or a .keras file, "
            f"received {name!r}: name one of these."
        )
    path = settings.profile_folder / "models" / f"{name}.keras"
    if not path.is_file():
        raise LabError(
            f"the model {name} must be at hand as {path}, found no file there: make it with "
            f"python -m ae_lab report --profile {settings.profile} --notebook {KEPT_BY[name]}"
        )
    return path
