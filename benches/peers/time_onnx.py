"""Time of one image through a network in an ONNX file, in ONNX Runtime. Prints one line of JSON.

    python time_onnx.py FILE --side 640 --threads 1 [--outputs logits,box_deltas]

ONNX Runtime computes all of a file. With --outputs, what only other outputs need is cut off first:
detection with retinamark runs the landmark heads where it finds faces and nowhere else.
"""

import argparse
import json
import pathlib
import statistics
import tempfile
import time

import numpy as np
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}


def cut(path, outputs, to):
    import onnx
    import onnx.utils

    inputs = [value.name for value in onnx.load(path, load_external_data=False).graph.input]
    onnx.utils.extract_model(str(path), str(to), inputs, outputs)


def load(path, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def image(session, side):
    """Noise for the input, by its name; an open number of images is 1, an open length `side`."""
    (value,) = session.get_inputs()
    known = [length if isinstance(length, int) else None for length in value.shape]
    shape = [known[0] or 1, *(length or side for length in known[1:])]
    if side not in shape:
        raise SystemExit(f"the input of this network is {shape}, not of {side} pixels")
    noise = np.random.default_rng(0).uniform(0, 100, shape)
    return {value.name: noise.astype(TYPES[value.type])}


def times(session, feed, warm_up, runs):
    for run in range(warm_up + runs):
        start = time.perf_counter()
        session.run(None, feed)
        if run >= warm_up:
            yield (time.perf_counter() - start) * 1e3


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--side", type=int, default=640)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--warm-up", type=int, default=5)
    parser.add_argument("--outputs", help="names, with commas between [default: all]")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = args.file
        if args.outputs:
            path = pathlib.Path(folder) / "cut.onnx"
            cut(args.file, args.outputs.split(","), path)
        session = load(path, args.threads)
    durations = list(times(session, image(session, args.side), args.warm_up, args.runs))
    print(json.dumps({
        "program": f"onnxruntime {onnxruntime.__version__}",
        "batch": 1, "side": args.side, "threads": args.threads,
        "median_ms": round(statistics.median(durations), 2), "min_ms": round(min(durations), 2),
    }))


if __name__ == "__main__":
    main()
