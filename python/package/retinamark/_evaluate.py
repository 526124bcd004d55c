"""Measuring weights on labelled photos."""

import json
import os
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Union

from . import _native, _weights

__all__ = ["evaluate"]

_Path = Union[str, "os.PathLike[str]"]
_Size = Union[int, str]


def evaluate(
    data: Union[str, Sequence[str]],
    weights: Optional[_Path] = None,
    *,
    aligner: Union[_Path, Sequence[_Path], None] = None,
    detector: Optional[_Path] = None,
    one_pass: bool = False,
    passes: Optional[int] = None,
    flip: bool = False,
    boxes: Optional[str] = None,
    size: Union[_Size, Tuple[_Size, _Size], None] = None,
    any_angle: bool = False,
    score: Optional[float] = None,
    min_face: Optional[float] = None,
    subsets: Optional[Mapping[str, _Path]] = None,
    skip_errors: bool = False,
    threads: Optional[int] = None,
    config: Optional[_Path] = None,
    settings: Optional[Mapping[str, Any]] = None,
) -> Dict[str, Any]:
    """Measure weights on labelled photos, as `retinamark evaluate` does; gives what its report.json says.

    data: lists as there: "KIND:LIST[:IMAGES[:WIDER]]", one or several.
    boxes: who says where the faces are: "detected", "truth" or "list".
    subsets: names, and WIDER lists, of subsets of the faces whose AP is told apart.
    settings: those of --set, such as {"detect.score": 0.4}; where `config` is not given, config.yaml of the current
        folder counts, as there.
    The other arguments are those of the command and of `Detector`.

    Ctrl-C ends it after the photos in work. Raises SettingsError on impossible arguments, OSError or RetinamarkError on
    files that cannot be used.
    """
    options = {
        "--data": _many(data),
        "--weights": [weights or _weights.default()],
        "--aligner": _many(aligner),
        "--detector": _one(detector),
        "--passes": _one(passes),
        "--boxes": _one(boxes),
        "--size": _one(size if size is None else ",".join(map(str, _many(size)))),
        "--score": _one(score),
        "--min-face": _one(min_face),
        "--subset": [f"{name}={os.fspath(path)}" for name, path in (subsets or {}).items()],
        "--jobs": _one(threads),
        "--config": _one(config),
        "--set": [f"{key}={json.dumps(value)}" for key, value in (settings or {}).items()],
    }
    flags = {"--one-pass": one_pass, "--flip": flip, "--any-angle": any_angle, "--skip-errors": skip_errors}
    # With "=", so that no value is taken for an option.
    words = [f"{name}={_text(value)}" for name, values in options.items() for value in values]
    words += [name for name, wanted in flags.items() if wanted]
    report: Dict[str, Any] = json.loads(_native.evaluate(words))
    return report


def _one(value: Any) -> List[Any]:
    return [] if value is None else [value]


def _many(values: Any) -> List[Any]:
    several = isinstance(values, Iterable) and not isinstance(values, str)
    return list(values) if several else _one(values)


def _text(value: Any) -> str:
    return str(os.fspath(value)) if isinstance(value, os.PathLike) else str(value)
