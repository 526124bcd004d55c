"""Make fuzz/seeds: small inputs of every kind that the fuzz targets start from.

    pip install pillow numpy
    python scripts/fuzz_seeds.py

The same versions of the libraries give the same files. Nothing in them is anybody's: pictures and
numbers are computed here.
"""

import io
import json
import pathlib
import struct

import numpy as np
from PIL import Image

SEEDS = pathlib.Path(__file__).parent.parent / "fuzz" / "seeds"
# Made by label_fixtures.py.
MATLAB = pathlib.Path(__file__).parent.parent / "tests" / "data" / "labels"


def write(target, name, data):
    path = SEEDS / target / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())


def picture(mode="RGB", size=(19, 13)):
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    colours = np.stack([x * 13 % 256, y * 19 % 256, (x * y) % 256], -1).astype(np.uint8)
    return Image.fromarray(colours).convert(mode)


def photos():
    def save(name, image, kind, **options):
        out = io.BytesIO()
        image.save(out, kind, **options)
        write("photo", name, out.getvalue())

    rgb = picture()
    exif = Image.Exif()
    exif[274] = 6
    save("baseline.jpg", rgb, "JPEG", quality=80, exif=exif)
    save("444.jpg", rgb, "JPEG", quality=60, subsampling=0)
    save("422.jpg", rgb, "JPEG", quality=60, subsampling=1)
    save("progressive.jpg", rgb, "JPEG", quality=70, progressive=True)
    save("restart.jpg", rgb, "JPEG", quality=70, restart_marker_blocks=1)
    save("grey.jpg", picture("L"), "JPEG", quality=70)
    save("cmyk.jpg", picture("CMYK"), "JPEG", quality=70)
    save("rgb.png", rgb, "PNG")
    save("palette.png", picture("P"), "PNG", transparency=3)
    save("grey_alpha.png", picture("LA"), "PNG")
    save("bits.png", picture("1"), "PNG")
    save("16.png", Image.fromarray(np.arange(60, dtype=np.uint16).reshape(6, 10) * 999), "PNG")
    save("animated.png", rgb, "PNG", save_all=True, append_images=[picture(size=(19, 13))])
    save("one.gif", picture("P"), "GIF")
    save("two.gif", rgb, "GIF", save_all=True, append_images=[picture("L")], duration=50)
    for mode in ["1", "L", "P", "RGB", "RGBA"]:
        save(f"{mode}.bmp", picture(mode), "BMP")
    for mode in ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I;16", "F"]:
        image = picture("L").convert("I").convert(mode) if mode == "I;16" else picture(mode)
        save(f"{mode.replace(';', '_')}.tif", image, "TIFF")
    for compression in ["packbits", "tiff_lzw", "tiff_adobe_deflate", "jpeg"]:
        save(f"{compression}.tif", rgb, "TIFF", compression=compression)
    save("group4.tif", picture("1"), "TIFF", compression="group4")
    save("big.tif", rgb, "TIFF", big_tiff=True)
    save("pages.tif", rgb, "TIFF", save_all=True, append_images=[picture("L", (40, 30))])
    save("lossy.webp", rgb, "WEBP", quality=50)
    save("lossless.webp", picture("RGBA"), "WEBP", lossless=True)
    save("animated.webp", rgb, "WEBP", save_all=True, append_images=[picture("L").convert("RGB")])


def lists():
    points = " ".join(f"{20 + i % 10}.5 {30 + i // 10}.25" for i in range(98))
    good = f"{points} 18 28 34 44 0 1 0 0 1 0 a b.jpg\n"
    write("wflw", "good.txt", good * 2)
    write("wflw", "bad.txt", good.replace("20.5", "nan", 1) + "1 2 3\n\n" + good[5:])
    write("wflw", "bom.txt", b"\xef\xbb\xbf" + good.encode() + b"\xff\xfe")
    faces = "12 14 30 40 0 0 0 0 0 0 \n50 60 0 0 1 0 0 1 2 0 \n"
    write("wider", "good.txt", f"e/a.jpg\n2\n{faces}e/b.jpg\n0\n0 0 0 0 0 0 0 0 0 0 \n")
    write("wider", "four.txt", "a.png\n1\n1 2 3 4\nb.png\n3\n1 2 3 4\n1e38 -1e38 1e38 5\n")
    write("wider", "counts.txt", "a.jpg\n99999999999\n1 2 3 4\nb.jpg\n-1\n")
    five = " ".join(f"{10 + i}.0 {20 + i}.0 0.0" for i in range(5))
    write("retinaface", "good.txt", f"# e/a.jpg\n1 2 30 40 {five} 0.8\n# b.jpg\n5 6 7 8\n")
    write("retinaface", "bad.txt", "1 2 3 4\n#\n# a.jpg\n1 2 3\n# a.jpg\n-1 -1 inf 0\n")
    inner = "".join(f"{10 + i}.5 {20 + i % 7}.125\n" for i in range(68))
    write("pts", "good.pts", f"version: 1\nn_points: 68\n{{\n{inner}}}\n")
    write("lapa", "good.txt", "68\n" + inner)
    write("lapa", "bad.txt", "3\n1 2\n3 x\n")
    write("yolo", "good.txt", f"0 0.5 0.5 0.2 0.3 {five}\n0 0.5 0.5 0.2 0.3\n1 0 0 0 0 0.5 -1 0.5 0.5\n")
    write("crops", "good.npts", "version: 1\nn_points: 3\nattributes: 0 1 0 0 0 1\npose: 0.1 -0.2 0.3\n{\n"
          "0.5 0.25\nnan nan\n1.5 -0.25\n}\n")
    coco = {"images": [{"id": 1, "file_name": "a.jpg"}, {"id": 2, "file_name": "b.jpg"}],
            "annotations": [{"image_id": 1, "bbox": [10, 20, 30, 40], "keypoints": [12, 22, 2, 30, 40.5, 0]},
                            {"image_id": 2, "keypoints": [1, 2, 1], "iscrowd": 1}, {"image_id": 3}, {}]}
    write("coco", "some.json", json.dumps(coco))
    for file in MATLAB.glob("*.mat"):
        write("mat", file.name, file.read_bytes())
    write("pts", "bad.pts", "version: 1\nn_points: 3\n{\n1 2\n3 x\n5 6 7\n}\n")


def configs():
    write("config", "empty.yaml", "{}\n")
    write("config", "some.yaml", "train: {epochs: 3, crop: 64}\ndetect: {size: 64, score: 0.1}\n"
          "data:\n  train:\n    - {kind: wflw, list: a.txt, images: b}\naugment: {flip: {probability: 1}}\n")
    write("config", "custom.yaml", "landmarks: {scheme: custom, custom: {points: 3, mirror: [1, 0, 2], "
          "normalise: [[0], [1]]}}\n")
    write("config", "anchors.yaml", "&a x: 1\nmodel: {neck_channels: 8}\n? [1]\n: {b: *a}\n")


def safetensors(metadata, tensors):
    header, data = {"__metadata__": metadata}, b""
    for name, array in tensors.items():
        raw = array.tobytes()
        kind = {"float32": "F32", "float16": "F16"}[str(array.dtype)]
        header[name] = {"dtype": kind, "shape": list(array.shape),
                        "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def weights():
    config = {"model": {"neck_channels": 8, "se_reduction": 2}}
    own = {"format_version": 2, "program": "retinamark", "config": config}
    tensors = {"backbone.stage1.0.conv.weight": np.ones((8, 3, 3, 3), np.float32),
               "aligner.points.bias": np.zeros(4, np.float16)}
    both = {**own, "aligner": {"config": {"task": "align", **config}}}
    for name, header in [("detector", own), ("both", both), ("newer", {"format_version": 99})]:
        file = safetensors({"retinamark": json.dumps(header)}, tensors)
        write("weights", f"{name}.safetensors", file)
    write("weights", "foreign.safetensors", safetensors({}, tensors))
    state = {"position": {"epoch": 1, "batch": 2, "step": 3}, "sums": {}, "best": None,
             "ema_updates": 3, "tensor_updates": [3]}
    metadata = {"format": "retinamark checkpoint 2", "state": json.dumps(state),
                "config": "model: {neck_channels: 8, se_reduction: 2}\n"}
    groups = {f"{group}/{name}": tensor for group in ["weights", "ema", "first", "second"]
              for name, tensor in tensors.items() if tensor.dtype == np.float32}
    write("checkpoint", "some.safetensors", safetensors(metadata, groups))
    write("checkpoint", "older.safetensors", safetensors({**metadata, "format": "other"}, groups))


def outputs():
    rng = np.random.default_rng(0)
    usual = np.concatenate([[0.3], rng.uniform(0, 1, 168), rng.normal(0, 1, 672)])
    write("postprocess", "usual.bin", usual.astype("<f4").tobytes())
    odd = [np.nan, np.inf, -np.inf, 1e38, -1e38, 0.0, 0.9, -0.0, 1e-45]
    write("postprocess", "odd.bin", np.array(odd, "<f4").tobytes())


for make in [photos, lists, configs, weights, outputs]:
    make()
print(sum(path.is_file() for path in SEEDS.rglob("*")), "seeds")
