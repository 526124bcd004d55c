"""The forward pass of the PyTorch twin (evaluation mode, random weights) in ONNX Runtime.

Prints one line of JSON. With --export FILE it writes the ONNX file and stops.
"""

import argparse
import json
import pathlib
import resource
import statistics
import tempfile
import time

import numpy as np

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--batch", type=int, default=1)
parser.add_argument("--side", type=int, default=640)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--runs", type=int, default=20)
parser.add_argument("--warm-up", type=int, default=5)
parser.add_argument("--export", type=pathlib.Path)
args = parser.parse_args()


def export(path):
    import torch

    from twin import Twin

    class Heads(torch.nn.Module):
        """Scores and boxes; landmarks are computed where faces are found only."""

        def __init__(self):
            super().__init__()
            self.twin = Twin().eval()

        def forward(self, x):
            logits, boxes, _ = self.twin(x)
            return logits, boxes

    images = torch.zeros(args.batch, 3, args.side, args.side)
    torch.onnx.export(Heads(), (images,), str(path), input_names=["images"], dynamo=False)


if args.export:
    export(args.export)
else:
    # Exported in a child process, so that the memory of PyTorch is not counted here.
    import subprocess
    import sys

    import onnxruntime

    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "twin.onnx"
        shape = ["--batch", str(args.batch), "--side", str(args.side)]
        subprocess.run([sys.executable, __file__, *shape, "--export", path], check=True)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = args.threads
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    generator = np.random.default_rng(0)
    images = generator.standard_normal((args.batch, 3, args.side, args.side), np.float32)
    times = []
    for run in range(args.warm_up + args.runs):
        start = time.perf_counter()
        session.run(None, {"images": images})
        if run >= args.warm_up:
            times.append((time.perf_counter() - start) * 1e3)
    print(json.dumps({
        "program": f"onnxruntime {onnxruntime.__version__}",
        "batch": args.batch, "side": args.side, "threads": args.threads,
        "median_ms": round(statistics.median(times), 1), "min_ms": round(min(times), 1),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }))
