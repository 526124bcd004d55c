"""What is raised when something is wrong."""

import struct

import numpy as np
import pytest

import retinamark
from conftest import SAMPLE


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        (np.zeros((8, 8, 3), np.float32), "astype"),
        (np.zeros((8, 8, 3), np.int64), "uint8"),
        (np.zeros((8, 8), bool), "uint8"),
        (7, "not int"),
        (None, "not NoneType"),
        ([[1, 2], [3, 4]], "not list"),
    ],
)
def test_wrong_types(detector, photo, words):
    with pytest.raises(TypeError, match=words):
        detector.detect(photo)


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        ((8, 8, 4), r":3\]"),
        ((8, 8, 1), r", 0\]"),
        ((3, 8, 8), "moveaxis"),
        ((2, 8, 8, 3), "detect_batch"),
        ((8,), "height"),
        ((), "height"),
        ((0, 8, 3), "no pixels"),
    ],
)
def test_wrong_shapes(detector, shape, words):
    with pytest.raises(ValueError, match=words):
        detector.detect(np.zeros(shape, np.uint8))


def bitmap(width, height):
    """The header of a BMP file of 24 bits."""
    return b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("photo", "kind"),
    [
        (b"", retinamark.PhotoError),
        (b"no photo at all", retinamark.UnsupportedPhotoError),
        (b"\0\0\0\x18ftypheic\0\0\0\0", retinamark.UnsupportedPhotoError),
        ((SAMPLE / "astronaut.png").read_bytes()[:5000], retinamark.PhotoError),
        (bitmap(100_000, 100_000), retinamark.TooLargeError),
    ],
)
def test_broken_photos(detector, tmp_path, photo, kind):
    with pytest.raises(kind) as raised:
        detector.detect(photo)
    assert type(raised.value) is kind
    path = tmp_path / "broken.jpg"
    path.write_bytes(photo)
    with pytest.raises(kind, match="broken.jpg"):
        detector.detect(path)


def test_files_that_are_not_there(detector, tmp_path):
    with pytest.raises(FileNotFoundError) as raised:
        detector.detect(tmp_path / "none.jpg")
    assert raised.value.filename == str(tmp_path / "none.jpg")
    with pytest.raises(OSError):
        detector.detect(tmp_path)
    with pytest.raises(FileNotFoundError):
        retinamark.Detector(tmp_path / "none.safetensors")


def test_broken_weights(tmp_path):
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"nothing")
    with pytest.raises(retinamark.WeightsError, match="w.safetensors"):
        retinamark.Detector(path)
    onnx = tmp_path / "w.onnx"
    onnx.write_bytes(b"nothing")
    with pytest.raises(retinamark.WeightsError, match="w.onnx"):
        retinamark.Detector(detector=onnx)


@pytest.mark.parametrize(
    "arguments",
    [
        {"size": 31},
        {"size": 9999},
        {"size": "huge"},
        {"size": True},
        {"size": (320, "auto")},
        {"size": (320, 640, 960)},
        {"score": 1.5},
        {"score": float("nan")},
        {"nms": -0.1},
        {"max_faces": 0},
        {"passes": 0},
        {"passes": 11},
        {"one_pass": True, "flip": True},
        {"one_pass": True, "passes": 2},
    ],
)
def test_impossible_settings(arguments):
    with pytest.raises(retinamark.SettingsError):
        retinamark.Detector(**arguments)


def test_a_missing_weights_file_of_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("RETINAMARK_WEIGHTS", str(tmp_path / "none"))
    with pytest.raises(FileNotFoundError):
        retinamark.Detector()


def test_every_kind_has_one_base():
    for name in retinamark.errors.__all__:
        kind = getattr(retinamark, name)
        assert issubclass(kind, retinamark.RetinamarkError) and kind.__doc__
