"""The faces of a photo."""

from typing import Iterable, Optional, Tuple

import numpy as np
import numpy.typing as npt

from . import _native

__all__ = ["Faces"]


class Faces(list[_native.Face]):
    """The faces of a photo, best first: a list of `Face` that knows its photo and draws itself in notebooks."""

    __slots__ = ("_pixels", "size")

    def __init__(
        self,
        faces: Iterable[_native.Face] = (),
        size: Tuple[int, int] = (0, 0),
        pixels: Optional[_native.Pixels] = None,
    ) -> None:
        super().__init__(faces)
        #: Width and height of the upright photo.
        self.size = size
        self._pixels = pixels

    @property
    def photo(self) -> Optional[npt.NDArray[np.uint8]]:
        """The upright photo, uint8 [height, width, 3], RGB; None for photos of a batch, which are not kept."""
        return None if self._pixels is None else self._pixels.array()

    def _repr_png_(self) -> Optional[bytes]:
        if self._pixels is None or not hasattr(_native, "drawn_png"):
            return None
        return _native.drawn_png(self._pixels, list(self))

    def __repr__(self) -> str:
        width, height = self.size
        faces = ",\n       ".join(map(repr, self))
        return f"Faces([{faces}], size=({width}, {height}))"
