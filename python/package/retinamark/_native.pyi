"""The native half of the package. What a build without the feature `command` lacks is at the end.

Coordinates are pixels of the upright photo, x to the right, y down; pixel i covers i to i + 1.
"""

import os
from typing import Any, Dict, Iterable, List, Literal, Optional, Sequence, Tuple, Union, final, overload

import numpy as np
import numpy.typing as npt
from PIL.Image import Image

from ._faces import Faces

__all__ = ["Detector", "Face", "Pixels", "draw", "drawn_png", "evaluate", "main"]

_Path = Union[str, "os.PathLike[str]"]
_Floats = npt.NDArray[np.float32]
_Bytes = npt.NDArray[np.uint8]
_Photo = Union[_Path, bytes, bytearray, _Bytes, Image, "Pixels"]
_Size = Union[int, Literal["full"]]
_Sizes = Union[_Size, Literal["auto"], Tuple[_Size, _Size]]

@final
class Face:
    """A face of a photo. Arrays are new with every access: changing one changes no face."""

    @property
    def box(self) -> _Floats:
        """Left, top, right, bottom: [4]; within the photo."""

    @property
    def score(self) -> float:
        """Probability of a face, 0 to 1."""

    @property
    def landmarks(self) -> _Floats:
        """x and y of each landmark: [98, 2], in WFLW's order (or as the weights have it); may lie outside the photo."""

    @property
    def landmark_scores(self) -> Optional[_Floats]:
        """Probability of each landmark to be no more than 5 % of the face's size off: [98]. None in one pass."""

    @property
    def landmark_confidence(self) -> Optional[float]:
        """The mean of `landmark_scores`. None in one pass."""

    @property
    def unsure(self) -> bool:
        """Whether the landmarks are not to be trusted: `landmark_confidence` below 0.6."""

    @property
    def pose(self) -> Optional[_Floats]:
        """Pitch, yaw and roll of the head: [3], degrees; looking up, to the left of the picture and leaning clockwise are
        positive. None where the weights do not tell it."""

    def crop(self, size: int = 112, photo: Optional[_Photo] = None) -> _Bytes:
        """The face upright, aligned by eyes and mouth: [size, size, 3], RGB, black beyond the photo's edges.

        `photo` is needed for faces of a batch, which do not keep theirs. Raises SettingsError without it and on a size
        that is not 8 to 4096, LandmarksError for a box without size.
        """

    def to_dict(self) -> Dict[str, Any]:
        """The face as a line of `detections.jsonl` has it: plain numbers, coordinates rounded to hundredths."""

@final
class Pixels:
    """The pixels of a photo that was looked at, which faces keep for crops and drawings."""

    def array(self) -> _Bytes:
        """A copy: [height, width, 3], RGB."""

@final
class Detector:
    """Finds faces (the first look) and looks again at each (the second). May be used from many threads at once."""

    def __new__(
        cls,
        weights: Optional[_Path] = None,
        *,
        aligner: Union[_Path, Sequence[_Path], None] = None,
        detector: Optional[_Path] = None,
        size: Optional[_Sizes] = None,
        any_angle: bool = False,
        score: Optional[float] = None,
        nms: Optional[float] = None,
        max_faces: Optional[int] = None,
        passes: Optional[int] = None,
        flip: bool = False,
        one_pass: bool = False,
    ) -> "Detector":
        """None is what the weights say; what stands below in brackets is that of the shipped ones.

        weights: a file of `retinamark` [the one that RETINAMARK_WEIGHTS names, or the one of this package].
        aligner: files of second looks, instead of that of `weights`.
        detector: another first look: SCRFD's ONNX file, or a file of `retinamark`.
        size: longer side of the photo where it is looked at, 32 to 3072 pixels [640]; "full": its own size; a pair: two
            looks; "auto": as many as it is worth. Larger finds smaller faces.
        any_angle: look at the photo on its sides and upside down too: four times the work.
        score: lowest score of a face [0.5].
        nms: of two boxes that overlap by more than this IoU the weaker one goes [0.4].
        max_faces: most faces of a photo [750].
        passes: how often each face is looked at again, 1 to 10 [2].
        flip: in a mirror too, and the mean taken: slower, more exact.
        one_pass: only the first look: coarse landmarks, without scores.

        Raises SettingsError, WeightsError, OSError.
        """

    @property
    def landmarks(self) -> int:
        """How many landmarks a face has."""

    def detect(self, photo: _Photo) -> Faces:
        """The faces of a photo: a path, the bytes of a file, a uint8 array [height, width, 3] (RGB) or [height, width]
        (grey), or a PIL image. Files and PIL images are turned as their EXIF data says, transparency lies over white.

        Other Python threads run meanwhile. Raises PhotoError and its kinds, OSError; TypeError and ValueError on arrays
        of another type or shape.
        """

    @overload
    def detect_batch(
        self, photos: Iterable[_Photo], threads: Optional[int] = None, errors: Literal["raise"] = "raise"
    ) -> List[Faces]: ...
    @overload
    def detect_batch(
        self, photos: Iterable[_Photo], threads: Optional[int] = None, *, errors: Literal["return"]
    ) -> List[Union[Faces, Exception]]:
        """The faces of many photos, `threads` of them at a time (None: one a core), in the order of `photos`; these are
        taken as they are needed, so a generator will do. Photos are not kept: `crop` then has to be given them.

        errors: "raise" the exception of the first photo that fails, or "return" it in the photo's place.
        Ctrl-C ends a batch after the photos in work.
        """

def draw(photo: _Photo, faces: Sequence[Face]) -> _Bytes:
    """A copy of the photo with boxes, scores and landmarks: [height, width, 3], RGB; unsure faces in orange."""

def drawn_png(photo: _Photo, faces: Sequence[Face]) -> bytes:
    """The same as a PNG file, made smaller where it is larger than 1024 pixels."""

def evaluate(arguments: Sequence[str]) -> str:
    """The text of `report.json` for the arguments of `retinamark evaluate`. Ctrl-C ends it after the photos in work."""

def main(arguments: Sequence[str], again: Sequence[str]) -> int:
    """Run the command with these arguments, the first of which is its name; `again` starts it, without arguments. Gives
    the exit code."""
