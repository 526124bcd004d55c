#!/usr/bin/env python3
"""Gather a folder of hostile photos, and compare what retinamark reads of it with what Pillow reads.

    pip install pillow numpy imagecodecs
    pip download --no-binary :all: --no-deps pillow           # its Tests/images
    apt-get source --download-only tiff libwebp libpng1.6 giflib netpbm-free   # and unpack them
    scripts/jpeg_kinds.py --keep kinds ...                    # every kind of JPEG
    scripts/hostile_photos.py gather hostile SOURCES... kinds ~/.cargo/registry/src
    cargo build --release --example decode_files
    scripts/hostile_photos.py compare hostile --decoder target/release/examples/decode_files
    retinamark detect hostile --out out --jobs 2

`gather` copies the pictures that it finds and adds damaged ones, always the same for the same sources, until
there are COUNT. `compare` prints a table: for each format how many files Pillow loads whole, how many of them are
read, why the others are not, and where the pixels differ by two levels or more on average.
"""

import argparse
import hashlib
import random
import shutil
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from mutations import ANY, OWN, kind_of
from pictures import Decoder, pillow_rgb

ENDINGS = {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".gif", ".bmp", ".dib", ".tif", ".tiff", ".webp"}
SHARES = {"jpeg": 34, "png": 20, "tiff": 16, "gif": 12, "bmp": 11, "webp": 7}
# Larger ones make the folder large and are damaged all alike.
MOST_BYTES = 200_000
# Kinds of JPEG that are copied as they are; all of them would outnumber everything else.
MOST_KINDS = 250


def found(sources):
    """Each picture once, in a fixed order."""
    paths = [p for source in sources for p in Path(source).rglob("*") if p.suffix.lower() in ENDINGS and p.is_file()]
    seen = {}
    for path in sorted(paths, key=lambda p: (p.name, str(p))):
        seen.setdefault(hashlib.sha256(path.read_bytes()).digest(), path)
    return list(seen.values())


def gather(args):
    dice = random.Random(args.seed)
    args.folder.mkdir(parents=True)
    paths = found(args.sources)
    kinds = [p for p in paths if p.parent.name == "kinds"]
    kept = set(dice.sample(kinds, min(MOST_KINDS, len(kinds))))
    paths = [p for p in paths if p.parent.name != "kinds" or p in kept]
    pools = defaultdict(list)
    for i, path in enumerate(paths):
        target = args.folder / f"{i:05}_{path.name}"
        shutil.copy(path, target)
        data = path.read_bytes()
        if len(data) <= MOST_BYTES and kind_of(data) and pillow_rgb(path)[0] is not None:
            pools[kind_of(data)].append(path)
    for i in range(len(paths), args.count):
        kind = dice.choices(list(SHARES), SHARES.values())[0]
        path = dice.choice(pools[kind])
        data = path.read_bytes()
        mutate = dice.choice(ANY + 2 * OWN[kind])
        data = mutate(data, dice)
        (args.folder / f"{i:05}_{mutate.__name__}_{path.name}").write_bytes(data)
    print(f"{len(paths)} as they were found, {args.count - len(paths)} damaged")


def compare(args):
    loaded, read, reasons, outliers, crashes = Counter(), Counter(), defaultdict(Counter), [], []
    alone, examples = Counter(), {}
    with Decoder(args.decoder) as decoder:
        for path in sorted(args.folder.iterdir()):
            pixels, reason = decoder(path)
            want, kind = pillow_rgb(path)
            if reason and ("CRASH" in reason or "internal error" in reason):
                crashes.append(f"{path.name}: {reason}")
            if want is None:
                alone[str(kind_of(path.read_bytes()))] += pixels is not None
                continue
            loaded[kind] += 1
            if pixels is None:
                # Without the name, and numbers alike.
                short = "".join("#" if c.isdigit() else c for c in reason.split(": ", 1)[-1])
                reasons[kind][short] += 1
                examples[kind, short] = path.name
                continue
            read[kind] += 1
            same = pixels.shape == want.shape
            off = np.abs(pixels.astype(int) - want).mean() if same else np.inf
            if off >= 2:
                outliers.append(f"{path.name} ({kind}): {f'{off:.1f} levels' if same else f'{pixels.shape} is not {want.shape}'}")
    report(loaded, read, reasons, examples)
    print(f"\nread though Pillow does not: {dict(alone)}")
    for title, lines in (("pixels differ", outliers), ("crashes and panics", crashes)):
        print(f"\n{title}: {len(lines)}", *lines, sep="\n  ")


def report(loaded, read, reasons, examples):
    print("| format | Pillow loads | read | share |\n|---|---|---|---|")
    for kind in sorted(loaded):
        print(f"| {kind} | {loaded[kind]} | {read[kind]} | {read[kind] / loaded[kind]:.1%} |")
    print(f"| all | {loaded.total()} | {read.total()} | {read.total() / loaded.total():.1%} |")
    print("\n| format | files | not read, because | for one |\n|---|---|---|---|")
    for kind in sorted(reasons):
        for reason, count in reasons[kind].most_common():
            print(f"| {kind} | {count} | {reason} | {examples[kind, reason]} |")


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = args.add_subparsers(required=True)
    part = parts.add_parser("gather")
    part.add_argument("folder", type=Path)
    part.add_argument("sources", nargs="+", type=Path)
    part.add_argument("--count", type=int, default=6000)
    part.add_argument("--seed", type=int, default=1)
    part.set_defaults(run=gather)
    part = parts.add_parser("compare")
    part.add_argument("folder", type=Path)
    part.add_argument("--decoder", type=Path, required=True)
    part.set_defaults(run=compare)
    args = args.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
