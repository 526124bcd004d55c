"""Faces and 98 points of photos, as people get them today: SCRFD-500M and PFLD-GhostOne.

    python folder.py --detector scrfd.onnx --points ghostone.onnx --json PHOTOS --out found.jsonl

Processes of one thread each; one line of JSON a photo: {"image","width","height","faces":
[{"box","score","landmarks"}]}. Reports photos, faces, seconds (imports of the processes included),
processor seconds of all processes, and the sum of the processes' own peaks of resident memory
(VmHWM; pages that they share count in each). Linux.
"""

import argparse
import json
import multiprocessing
import os
import pathlib
import resource
import time

KINDS = {".bmp", ".jpeg", ".jpg", ".png", ".webp"}
pipeline = None


def start(detector, points):
    """In a process of the pool. What it imports here, the process that waits does without."""
    global pipeline
    from scrfd_pfld import Pipeline

    pipeline = Pipeline(detector, points)


def look(path):
    return pipeline(path)


def photos(folder):
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in KINDS)


def peak_mib(process):
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def processor_seconds():
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, who))


def run(args):
    start_time = time.perf_counter()
    paths = photos(args.folder)
    faces = 0
    for library in ("OMP", "OPENBLAS"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    workers = multiprocessing.get_context("fork").Pool(
        args.processes, start, (args.detector, args.points)
    )
    with workers, args.out.open("w") as out:
        for line, found in workers.imap(look, paths):
            out.write(line + "\n")
            faces += found
        processes = [os.getpid(), *(child.pid for child in multiprocessing.active_children())]
        peak = sum(map(peak_mib, processes))
        workers.close()
        workers.join()
    return {
        "program": "SCRFD-500M + PFLD-GhostOne, ONNX Runtime and OpenCV",
        "processes": args.processes,
        "photos": len(paths),
        "faces": faces,
        "seconds": round(time.perf_counter() - start_time, 2),
        "processor_seconds": round(processor_seconds(), 2),
        "sum_of_peak_rss_mib": round(peak, 1),
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--detector", type=pathlib.Path, required=True, help="scrfd_500m.onnx")
    parser.add_argument("--points", type=pathlib.Path, required=True, help="PFLD_GhostOne*.onnx")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="JSON lines")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="report one line of JSON")
    args = parser.parse_args()
    report = run(args)
    if args.json:
        print(json.dumps(report))
    else:
        print("\n".join(f"{key:20} {value}" for key, value in report.items()))


if __name__ == "__main__":
    main()
