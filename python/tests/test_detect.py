"""What is found, and that it is what the command finds."""

import copy
import io
import json
from pathlib import Path

import numpy as np
import pytest

import retinamark
from conftest import PHOTOS, SAMPLE, needs_command


@pytest.fixture(scope="module")
def lines(command, tmp_path_factory):
    """The command's faces, by photo."""

    def of(*options):
        out = tmp_path_factory.mktemp("out")
        done = command("detect", SAMPLE, "--out", out, "--save", "jsonl", "--force", *options)
        assert done.returncode == 0, done.stderr
        records = map(json.loads, (out / "detections.jsonl").read_text().splitlines())
        return {record["image"]: record for record in records}

    return of


@pytest.mark.parametrize(
    ("arguments", "options"),
    [
        ({}, []),
        ({"size": 320, "score": 0.3, "nms": 0.5}, ["--size", "320", "--score", "0.3", "--nms", "0.5"]),
        ({"size": (320, 640), "max_faces": 1}, ["--size", "320,640", "--max-faces", "1"]),
        ({"size": "auto"}, ["--size", "auto"]),
        ({"any_angle": True}, ["--any-angle"]),
        ({"passes": 1, "flip": True}, ["--passes", "1", "--flip"]),
        ({"one_pass": True}, ["--one-pass"]),
    ],
)
def test_faces_are_those_of_the_command(lines, arguments, options):
    detector = retinamark.Detector(**arguments)
    expected = lines(*options)
    assert sorted(expected) == sorted(path.name for path in PHOTOS)
    batch = detector.detect_batch(PHOTOS)
    for path, several in zip(PHOTOS, batch):
        line = expected[path.name]
        one = detector.detect(path)
        assert [face.to_dict() for face in one] == line["faces"]
        assert [face.to_dict() for face in several] == line["faces"]
        assert one.size == several.size == (line["width"], line["height"])


def test_attributes_have_the_types_and_shapes_of_the_documentation(detector):
    (face,) = detector.detect(SAMPLE / "obama.jpg")[:1]
    kinds = {"box": (4,), "landmarks": (98, 2), "landmark_scores": (98,)}
    for name, shape in kinds.items():
        array = getattr(face, name)
        assert array.dtype == np.float32 and array.shape == shape
    record = face.to_dict()
    assert np.allclose(face.box, record["box"], atol=0.006)
    assert np.allclose(face.landmarks, record["landmarks"], atol=0.006)
    assert face.score == pytest.approx(record["score"], abs=1e-5)
    assert face.landmark_confidence == pytest.approx(float(face.landmark_scores.mean()), abs=1e-6)
    assert face.unsure is False and detector.landmarks == 98
    assert face.pose is None or (face.pose.dtype == np.float32 and face.pose.shape == (3,))
    face.landmarks[:] = 0
    assert face.to_dict() == record


def test_one_pass_has_no_scores():
    (face, *_) = retinamark.Detector(one_pass=True).detect(SAMPLE / "obama.jpg")
    assert face.landmark_scores is None and face.landmark_confidence is None
    assert "landmark_scores" not in face.to_dict()


def test_every_form_of_a_photo_gives_the_same(detector, astronaut):
    image = pytest.importorskip("PIL.Image")
    path = SAMPLE / "astronaut.png"
    data = path.read_bytes()
    forms = [path, str(path), data, bytearray(data), astronaut, image.open(path), image.open(path).convert("RGBA")]
    forms += [astronaut[::-1][::-1], np.asfortranarray(astronaut), detector.detect(path).photo]
    expected = [face.to_dict() for face in detector.detect(path)]
    assert expected
    for found in [*map(detector.detect, forms), *detector.detect_batch(forms)]:
        assert [face.to_dict() for face in found] == expected


def test_jpeg_files_and_pil_agree_nearly(detector):
    image = pytest.importorskip("PIL.Image")
    path = SAMPLE / "biden.jpg"
    ours, theirs = detector.detect(path), detector.detect(image.open(path))
    assert len(ours) == len(theirs)
    assert np.abs(ours[0].landmarks - theirs[0].landmarks).max() < 2


def test_grey_is_three_equal_colours(detector, astronaut):
    grey = astronaut.mean(axis=2).astype(np.uint8)
    three = np.stack([grey] * 3, axis=2)
    found = [[face.to_dict() for face in detector.detect(photo)] for photo in (grey, three)]
    assert found[0] == found[1] != []


def test_pil_images_are_turned_as_files_are(detector, tmp_path):
    image = pytest.importorskip("PIL.Image")
    photo = image.open(SAMPLE / "astronaut.png").convert("RGB").rotate(90, expand=True)
    exif = image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.png"
    photo.save(path, exif=exif)
    expected = [face.to_dict() for face in detector.detect(SAMPLE / "astronaut.png")]
    for turned in (path, image.open(path)):
        assert [face.to_dict() for face in detector.detect(turned)] == expected


def test_sixteen_bits_and_transparency_are_read_as_in_files(detector, tmp_path):
    image = pytest.importorskip("PIL.Image")
    grey = np.asarray(image.open(SAMPLE / "astronaut.png").convert("L"))
    deep = image.fromarray(grey.astype(np.uint16) * 257)
    glass = image.open(SAMPLE / "astronaut.png").convert("RGBA")
    glass.putalpha(image.fromarray(np.linspace(120, 255, 512, dtype=np.uint8)[None].repeat(512, axis=0)))
    for number, picture in enumerate((deep, glass)):
        path = tmp_path / f"{number}.png"
        picture.save(path)
        file, pil = detector.detect(path), detector.detect(image.open(path))
        assert file and np.abs(file.photo.astype(int) - pil.photo).max() <= 1


@needs_command
def test_photos_are_not_changed(detector, astronaut):
    before = copy.deepcopy(astronaut)
    faces = detector.detect(astronaut)
    retinamark.draw(astronaut, faces)
    faces[0].crop(photo=astronaut)
    assert (astronaut == before).all()


def test_crops(detector, command, tmp_path):
    path = SAMPLE / "astronaut.png"
    (face, *_) = detector.detect(path)
    crop = face.crop()
    assert crop.shape == (112, 112, 3) and crop.dtype == np.uint8
    (same, *_) = detector.detect_batch([path])[0]
    with pytest.raises(retinamark.SettingsError, match="photo="):
        same.crop()
    assert (same.crop(112, photo=path) == crop).all()
    assert face.crop(64).shape == (64, 64, 3)
    with pytest.raises(retinamark.SettingsError):
        face.crop(7)
    done = command("detect", path, "--save", "crop", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    image = pytest.importorskip("PIL.Image")
    saved = np.asarray(image.open(next((tmp_path / "out").rglob("*.crop0.*"))))
    assert np.abs(saved.astype(int) - crop).mean() < 4  # it is a JPEG


@needs_command
def test_drawings(detector, astronaut):
    faces = detector.detect(astronaut)
    drawn = retinamark.draw(astronaut, faces)
    assert drawn.shape == astronaut.shape and drawn.dtype == np.uint8
    assert (drawn != astronaut).any()
    png = faces._repr_png_()
    assert png.startswith(b"\x89PNG")
    image = pytest.importorskip("PIL.Image")
    assert (np.asarray(image.open(io.BytesIO(png))) == drawn).all()
    assert detector.detect_batch([astronaut])[0]._repr_png_() is None


def test_representations(detector):
    faces = detector.detect(SAMPLE / "obama.jpg")
    assert repr(faces[0]).startswith("Face(box=[") and "landmarks=98" in repr(faces[0])
    width, height = faces.size
    assert repr(faces).startswith("Faces([Face(") and f"size=({width}, {height})" in repr(faces)
    assert "size=640" in repr(detector) and "score=0.5" in repr(detector)
    assert isinstance(faces, list) and repr(detector.detect(np.zeros((64, 64, 3), np.uint8))) == "Faces([], size=(64, 64))"


def test_another_weights_file_and_first_look(detector):
    weights = Path(retinamark.__file__).with_name("weights.safetensors")
    photo = SAMPLE / "obama.jpg"
    expected = [face.to_dict() for face in detector.detect(photo)]
    for other in (
        retinamark.Detector(weights),
        retinamark.Detector(str(weights), aligner=weights),
        retinamark.Detector(weights, aligner=[weights]),
        retinamark.Detector(weights, detector=weights),
    ):
        assert [face.to_dict() for face in other.detect(photo)] == expected
