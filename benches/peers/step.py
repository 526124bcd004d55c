"""One training step of the PyTorch twin: forward, backward, AdamW. Prints one line of JSON."""

import argparse
import json
import resource
import statistics
import time

import torch

from twin import Twin

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--side", type=int, default=320)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--steps", type=int, default=12)
parser.add_argument("--warm-up", type=int, default=3)
args = parser.parse_args()

torch.set_num_threads(args.threads)
torch.manual_seed(0)
model = Twin().train()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=5e-4)
images = torch.randn(args.batch, 3, args.side, args.side)
image = torch.arange(args.batch).repeat_interleave(12)
place = torch.arange(12).mul(37).remainder((args.side // 8) ** 2).repeat(args.batch)
y, x = place // (args.side // 8), place % (args.side // 8)

times = []
for step in range(args.warm_up + args.steps):
    start = time.perf_counter()
    logits, boxes, levels = model(images)
    landmarks = model.landmarks_at(levels, image, y, x)
    loss = logits.square().mean() + boxes.abs().mean() + landmarks.abs().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step >= args.warm_up:
        times.append((time.perf_counter() - start) * 1e3)

print(json.dumps({
    "program": f"torch {torch.__version__}",
    "batch": args.batch, "side": args.side, "threads": args.threads,
    "median_ms": round(statistics.median(times), 1), "min_ms": round(min(times), 1),
    "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
}))
