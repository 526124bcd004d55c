"""JPEGs of 12 megapixels (4000 x 3000, quality 90, 4:2:0) out of a folder of smaller photos.

    python large_photos.py PHOTOS OUT --count 40

Each is four photos side by side, enlarged to 2000 x 1500 pixels, so that faces have ordinary sizes
for such photos; noise as of a sensor makes the files 2 to 3 MB large. The same folder gives
the same files.
"""

import argparse
import pathlib
import random

import numpy as np
from PIL import Image, ImageOps

SIZE = (4000, 3000)
TILE = (2000, 1500)
CORNERS = [(x, y) for y in (0, 1500) for x in (0, 2000)]
MIN_SIDE = 500
NOISE = 3.0


def large_enough(path):
    with Image.open(path) as photo:
        return max(photo.size) >= MIN_SIDE


def mosaic(paths, noise):
    picture = Image.new("RGB", SIZE)
    for path, corner in zip(paths, CORNERS):
        with Image.open(path) as photo:
            upright = ImageOps.exif_transpose(photo).convert("RGB")
        picture.paste(ImageOps.fit(upright, TILE, Image.Resampling.BICUBIC), corner)
    grain = noise.standard_normal((SIZE[1], SIZE[0], 1), np.float32) * NOISE
    return Image.fromarray(np.clip(np.rint(picture + grain), 0, 255).astype(np.uint8))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=pathlib.Path, help="photos; folders within are read too")
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=40)
    args = parser.parse_args()
    photos = [path for path in sorted(args.folder.rglob("*.jpg")) if large_enough(path)]
    if len(photos) < len(CORNERS):
        parser.error(f"{args.folder} has {len(photos)} photos of {MIN_SIDE} pixels or more")
    args.out.mkdir(parents=True, exist_ok=True)
    choice, noise = random.Random(0), np.random.default_rng(0)
    for index in range(args.count):
        picture = mosaic(choice.sample(photos, len(CORNERS)), noise)
        picture.save(args.out / f"large{index:03}.jpg", quality=90, subsampling="4:2:0")


if __name__ == "__main__":
    main()
