#!/usr/bin/env python3
"""Make every kind of JPEG that cjpeg and Pillow can write, and compare retinamark's pixels with libjpeg's.

    pip install pillow numpy imagecodecs      # imagecodecs: lossless files
    apt-get install libjpeg-turbo-progs       # cjpeg
    cargo build --release --example decode_files
    scripts/jpeg_kinds.py --decoder target/release/examples/decode_files [--keep FOLDER]

Kinds: grey, YCbCr, RGB, CMYK, YCCK; sampling 1x1 to 4x2 in each component; sequential, progressive, one scan
a component; Huffman (usual and optimal tables), arithmetic, lossless; with and without restart markers; with and
without end marker, Adobe marker, JFIF marker. Prints one line for each file that is refused or differs by two
levels or more on average, and the counts at the end. Exit status 1 when pixels are wrong without a word.
"""

import argparse
import io
import itertools
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from pictures import Decoder, pillow_rgb

ROOT = Path(__file__).resolve().parent.parent
FACTORS = [(1, 1), (2, 1), (1, 2), (2, 2), (4, 1), (1, 4), (4, 2), (2, 4), (3, 1), (3, 2)]


def cjpeg(photo, *options):
    """The photo through cjpeg; None where it refuses the options."""
    ppm = io.BytesIO()
    photo.save(ppm, "PPM")
    run = subprocess.run(["cjpeg", *options], input=ppm.getvalue(), capture_output=True)
    return run.stdout if run.returncode == 0 else None


def saved(photo, **options):
    out = io.BytesIO()
    photo.save(out, "JPEG", **options)
    return out.getvalue()


def segments(data):
    """(start, end, marker) of the segments before the first scan."""
    at = 2
    while data[at + 1] != 0xDA:
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        yield at, end, data[at + 1]
        at = end


def without(data, marker):
    out = data
    for start, end, kind in reversed(list(segments(data))):
        if kind == marker:
            out = out[:start] + out[end:]
    return out


def with_adobe(data, transform):
    adobe = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00" + bytes([transform])
    data = without(without(data, 0xE0), 0xEE)
    return data[:2] + adobe + data[2:]


SCANS = {
    "one-scan": None,
    "three-scans": "0; 1; 2;",
    "luma-apart": "0; 1 2;",
}


def kinds(photo):
    """(name, bytes) of every kind."""
    grey = photo.convert("L")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in SCANS.items():
            if text:
                Path(folder, name).write_text(text)
        modes = {
            **{n: ["-scans", str(Path(folder, n))] if t else [] for n, t in SCANS.items()},
            "optimal": ["-optimize"],
            "progressive": ["-progressive"],
            "arithmetic": ["-arithmetic"],
            "arithmetic-progressive": ["-arithmetic", "-progressive"],
        }
        restarts = {"": [], "-restart": ["-restart", "3B"], "-restart-row": ["-restart", "1"]}
        for (mode, options), (restart, more) in itertools.product(modes.items(), restarts.items()):
            for luma, blue, red in itertools.product(FACTORS, FACTORS[:4], FACTORS[:4]):
                sampling = ",".join(f"{h}x{v}" for h, v in (luma, blue, red))
                data = cjpeg(photo, *options, *more, "-sample", sampling)
                yield f"ycc-{mode}{restart}-{sampling.replace(',', '_')}", data
            yield f"rgb-{mode}{restart}", cjpeg(photo, *options, *more, "-rgb")
            if SCANS.get(mode) is None:
                for h, v in FACTORS:
                    data = cjpeg(grey, *options, *more, "-sample", f"{h}x{v}")
                    yield f"grey-{mode}{restart}-{h}x{v}", data
    for progressive, subsampling in itertools.product((False, True), (0, 1, 2)):
        common = {"progressive": progressive, "subsampling": subsampling}
        tag = f"{'progressive' if progressive else 'baseline'}-{subsampling}"
        plain = saved(photo, **common)
        yield f"pillow-{tag}", plain
        yield f"pillow-rgb-{tag}", saved(photo, keep_rgb=True, progressive=progressive)
        cmyk = saved(photo.convert("CMYK"), **common)
        yield f"cmyk-{tag}", cmyk
        yield f"cmyk-no-adobe-{tag}", without(cmyk, 0xEE)
        yield f"ycck-{tag}", with_adobe(cmyk, 2)
        yield f"cmyk-adobe1-{tag}", with_adobe(cmyk, 1)
        for transform in (0, 1, 2, 3, 200):
            yield f"adobe{transform}-{tag}", with_adobe(plain, transform)
            yield f"grey-adobe{transform}-{tag}", with_adobe(saved(grey), transform)
        yield f"no-jfif-{tag}", without(plain, 0xE0)
        yield f"no-end-{tag}", plain[:-2]
        yield f"no-end-restarts-{tag}", saved(photo, restart_marker_blocks=5, **common)[:-2]
    yield from lossless(photo)


def lossless(photo):
    try:
        import imagecodecs
    except ImportError:
        print("imagecodecs is missing: no lossless files")
        return
    for mode, predictor in itertools.product(("L", "RGB", "CMYK"), range(1, 8)):
        pixels = np.asarray(photo.convert(mode))
        yield f"lossless-{mode}-{predictor}", imagecodecs.jpeg8_encode(pixels, lossless=True, predictor=predictor)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("--decoder", type=Path, required=True)
    args.add_argument("--keep", type=Path, help="keep the files here")
    args = args.parse_args()
    # Odd sides, so that the last blocks are cut.
    photo = Image.open(ROOT / "data/sample/biden.jpg").convert("RGB").resize((115, 149))
    counts = {"the same": 0, "refused by both": 0, "refused": 0, "wrong": 0, "read alone": 0}
    with tempfile.TemporaryDirectory() as temporary, Decoder(args.decoder) as decoder:
        folder = args.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in kinds(photo):
            if data is None:
                continue
            path = folder / f"{name}.jpg"
            path.write_bytes(data)
            want, _ = pillow_rgb(path)
            pixels, reason = decoder(path)
            if pixels is None:
                key = "refused by both" if want is None else "refused"
            elif want is None:
                key = "read alone"
            else:
                same = pixels.shape == want.shape
                off = np.abs(pixels.astype(int) - want).mean() if same else np.inf
                reason = f"differs by {off:.2f} levels"
                key = "the same" if off < 2 else "wrong"
            counts[key] += 1
            if key in ("refused", "wrong"):
                print(f"{name}: {key}: {reason}")
    print(counts)
    sys.exit(counts["wrong"] > 0)


if __name__ == "__main__":
    main()
