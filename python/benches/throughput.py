"""Photos a second of `detect_batch`, beside the command's and beside a pair of networks in ONNX Runtime.

    python benches/throughput.py PHOTO_OR_FOLDER... [--threads N] [--rounds N]
        [--program retinamark] [--first scrfd.onnx --second landmarks.onnx]

`--program` is another build of the command than the package's own. The pair needs `onnxruntime`, takes photos scaled to 640 pixels through the first network, and as many crops through the
second as `detect_batch` finds faces; decoding is Pillow's. Post-processing is left out: a bound, not a finder of faces.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import retinamark

ENDINGS = {".jpg", ".jpeg", ".png"}


def main():
    arguments = parsed()
    photos = [photo for path in arguments.photos for photo in found(path)]
    detector = retinamark.Detector()
    works = {
        "detect_batch": lambda photos: detector.detect_batch(photos, arguments.threads),
        "command": lambda photos: command(photos, arguments),
    }
    if arguments.first and arguments.second:
        faces = detector.detect_batch(photos, arguments.threads)
        works["ONNX Runtime"] = pair(dict(zip(photos, map(len, faces))), arguments)
    # In turn, so that what else the machine does falls on all of them; without what the first photo costs, with
    # which the command starts and reads its weights.
    rounds = [{name: seconds(work, photos) for name, work in works.items()} for _ in range(arguments.rounds)]
    report({name: min(times[name] for times in rounds) for name in works}, len(photos) - 1, arguments.threads)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--program", help="the command")
    parser.add_argument("--first", type=Path, help="an SCRFD detector as ONNX")
    parser.add_argument("--second", type=Path, help="a network from crops to landmarks as ONNX")
    return parser.parse_args()


def found(path):
    return sorted(one for one in path.iterdir() if one.suffix.lower() in ENDINGS) if path.is_dir() else [path]


def seconds(work, photos):
    begun = time.perf_counter()
    work(photos[:1])
    started = time.perf_counter()
    work(photos)
    return time.perf_counter() - started - (started - begun)


def command(photos, arguments):
    with tempfile.TemporaryDirectory() as folder:
        options = ["--save", "jsonl", "--out", f"{folder}/out", "--jobs", str(arguments.threads)]
        program = [arguments.program] if arguments.program else [sys.executable, "-m", "retinamark"]
        words = [*program, "detect", *map(str, photos), *options]
        subprocess.run(words, check=True, capture_output=True)


def pair(faces, arguments):
    """Work with the two networks, if there is a runtime for them; `faces` is how many each photo has."""
    import onnxruntime
    from PIL import Image

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    first, second = (
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for path in (arguments.first, arguments.second)
    )
    crop = [side if isinstance(side, int) else 1 for side in second.get_inputs()[0].shape]

    def one(photo):
        picture = Image.open(photo).convert("RGB")
        picture.thumbnail((640, 640))
        square = np.zeros((640, 640, 3), np.float32)
        square[: picture.height, : picture.width] = picture
        first.run(None, {first.get_inputs()[0].name: (square.transpose(2, 0, 1)[np.newaxis] - 127.5) / 128})
        for _ in range(faces[photo]):
            second.run(None, {second.get_inputs()[0].name: np.zeros(crop, np.float32)})

    def work(photos):
        with ThreadPoolExecutor(arguments.threads) as pool:
            list(pool.map(one, photos))

    return work


def report(best, count, threads):
    ours = best["detect_batch"]
    print(f"{count} photos, {threads} threads")
    for name, took in best.items():
        print(f"{name:14} {count / took:8.2f} photos/s   detect_batch is {took / ours:.3f} times as fast")


if __name__ == "__main__":
    main()
