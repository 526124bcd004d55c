"""Finds faces and their 98 landmarks in photos.

>>> import retinamark
>>> detector = retinamark.Detector()
>>> for face in detector.detect("photo.jpg"):
...     print(face.box, face.score, face.landmarks.shape)
"""

from importlib.metadata import version as _version

from . import _native, errors
from ._faces import Faces
from ._native import Detector, Face
from .errors import *  # noqa: F403

__version__ = _version("retinamark")
__all__ = ["Detector", "Face", "Faces"]
__all__ += errors.__all__

# A build without the feature `command` has no more than the core.
if hasattr(_native, "evaluate"):
    from ._evaluate import evaluate
    from ._native import draw

    __all__ += ["draw", "evaluate"]
