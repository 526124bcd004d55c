"""Pixels of NumPy arrays and PIL images."""

import sys
from typing import Any, NoReturn, Tuple

import numpy as np
import numpy.typing as npt

#: The pixels of a photo, row by row, then its height and width.
Pixels = Tuple[bytes, int, int]


def pixels(photo: Any) -> Pixels:
    """The RGB bytes of `photo`, copied.

    Raises TypeError on anything but an array of uint8 or a PIL image, ValueError on an array of a wrong shape.
    """
    if isinstance(photo, np.ndarray):
        return _of_array(photo)
    # Who has such an image has imported this.
    pil = sys.modules.get("PIL.Image")
    if pil is not None and isinstance(photo, pil.Image):
        return _of_array(_upright(photo))
    raise TypeError(
        f"a photo is a path, the bytes of a file, a uint8 array [height, width, 3] or a PIL image, not {type(photo).__name__}"
    )


def _of_array(array: npt.NDArray[Any]) -> Pixels:
    if array.dtype != np.uint8:
        raise TypeError(
            f"a photo is an array of uint8, not {array.dtype}: values from 0 to 255, as in "
            "(photo * 255).round().astype(np.uint8) where they reach from 0 to 1"
        )
    if 0 in array.shape:
        raise ValueError(f"an array of shape {list(array.shape)} has no pixels")
    if array.ndim == 2:
        array = np.repeat(array[:, :, np.newaxis], 3, axis=2)
    if array.ndim != 3 or array.shape[2] != 3:
        _refuse(array.shape)
    height, width, _ = array.shape
    return array.tobytes(), height, width


def _refuse(shape: Tuple[int, ...]) -> NoReturn:
    advice = {
        (3, 4): "leave out its transparency with photo[:, :, :3]",
        (3, 1): "a grey one is [height, width]: photo[:, :, 0]",
        (4, 3): "give the photos of a batch one by one to detect_batch",
    }.get((len(shape), shape[-1] if shape else 0))
    if advice is None and len(shape) == 3 and shape[0] == 3:
        advice = "put its colours last with np.moveaxis(photo, 0, -1)"
    advice = f"; {advice}" if advice else ""
    raise ValueError(f"a photo is an array [height, width, 3], RGB, or [height, width], grey, not {list(shape)}{advice}")


def _upright(image: Any) -> npt.NDArray[np.uint8]:
    """As the files of such images are read: turned as EXIF says, sixteen bits to eight, transparency over white."""
    from PIL import Image, ImageOps

    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        return ((np.asarray(image).astype(np.uint32) + 128) // 257).astype(np.uint8)
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.asarray(image.convert("RGB"))
