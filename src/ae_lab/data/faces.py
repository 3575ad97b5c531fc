"""Small images with and without a face: 200 from Labeled Faces in the Wild (scikit-image)."""

import hashlib

import numpy as np

from ae_lab.data.formats import wrong

SHA256 = "ce1ab433bd0a896d88a87e40efdf37d9e1ce98bbd3317b498da9f0a7b8e125d5"
FACES = 100


def load_faces() -> tuple[np.ndarray, np.ndarray]:
    """100 images with a face and 100 without, each float32 (100, 25, 25, 1) in [0, 1].

    They are included in the scikit-image package (Huang et al., 2007). A ``LabError`` is raised if
    the file in the package has other content.
    """
    from skimage.data import lfw_subset  # imports many modules

    pictures = np.ascontiguousarray(lfw_subset())  # (200, 25, 25), float64
    found = hashlib.sha256(pictures.tobytes()).hexdigest()
    if found != SHA256:
        received = f"{found[:12]}…"
        raise wrong(f"faces with SHA-256 {SHA256[:12]}…", received, "install scikit-image again")
    pictures = pictures.astype("float32")[..., None]
    return pictures[:FACES], pictures[FACES:]
