"""retinamark and its peers in turn, in one run: a markdown table of medians and ratios.

    python all.py --program target/release/retinamark --detector scrfd_500m.onnx \\
        --points PFLD_GhostOne_112_1_opt_sim.onnx --photos PHOTOS --large PHOTOS_OF_12_MEGAPIXELS

Every figure is the median (lowest) of all rounds, the ratio that of the medians: below 1 the
program is better. In each round the program goes first and the peer follows at once.
  forward  the detector's network on one image, landmarks left out, against ONNX Runtime on the
           same network: the PyTorch twin, or the ONNX files given
  resnet   the same with ResNet-50 at 640 pixels, random weights on both sides
  align    the second look at eight faces of a photo, one thread; no peer
  folder   photos to JSON lines, two photos at a time, against folder.py: from the start of the
           processes to their end; memory comes from one more run, see measure.py
  large    the same with the photos of --large
  train    forward, loss, backward and AdamW of a network of the default settings against PyTorch;
           memory is the process's own peak
Wants Linux, and what the other scripts here import.
"""

import argparse
import json
import pathlib
import statistics
import sys
import tempfile

from measure import output, peak_mib, report, seconds

HERE = pathlib.Path(__file__).resolve().parent
PARTS = ("forward", "resnet", "align", "folder", "large", "train")
SIDES = (640, 320)
PHOTOS_AT_A_TIME = 2
FACES = 8


class Table:
    def __init__(self):
        self.lines = ["| what | program | peer | program / peer |", "|---|---|---|---|"]

    def add(self, what, unit, program, peer=()):
        """A row of what every round gave."""
        ratio = f"{statistics.median(program) / statistics.median(peer):.2f}" if peer else "–"
        cells = (what, cell(program, unit), cell(peer, unit) if peer else "–", ratio)
        self.lines.append(f"| {' | '.join(cells)} |")
        print(self.lines[-1], file=sys.stderr)


def cell(values, unit):
    return f"{digits(statistics.median(values))} {unit} ({digits(min(values))})"


def digits(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def alternate(rounds, program, peer):
    """What each of the two gives in every round."""
    pairs = [(program(), peer()) for _ in range(rounds)]
    return [list(side) for side in zip(*pairs)]


def python(script, *arguments):
    return [sys.executable, HERE / script, *arguments]


class Benches:
    def __init__(self, args, folder):
        self.args, self.folder, self.table = args, folder, Table()
        self.weights = ["--weights", args.weights] if args.weights else []

    def bench(self, what, batch, threads, *more):
        """Report of `retinamark bench`."""
        command = [self.args.program, "bench", "--what", what, "--batch", batch, "--json"]
        iterations = ["--threads", threads, "--iterations", self.args.iterations]
        return report([*command, *iterations, *more])

    def settings(self, name, text):
        """Arguments for a network of these settings with random weights, whatever is shipped."""
        path = self.folder / name
        path.write_text(text)
        return ["--config", path]

    # The network

    def forward(self):
        for side in SIDES:
            onnx = self.onnx_file(side)
            for threads in (1, 2):
                name = f"forward {side}, {threads} thread{'s' * (threads > 1)}"
                name += f" ({onnx.name})" if onnx in self.args.onnx else ""
                self.network(name, onnx, side, threads, self.weights)
                if self.args.int8:
                    name = f"{name}, 8 bits (peer: 32)"
                    self.network(name, onnx, side, threads, ["--weights", self.args.int8])

    def onnx_file(self, side):
        """The file given for this side, or else the twin's."""
        for given in self.args.onnx:
            if takes(given, side):
                return given
        path = self.folder / f"twin{side}.onnx"
        output(python("forward_ort.py", "--side", side, "--export", path))
        return path

    def resnet(self):
        side, onnx = 640, self.folder / "resnet.onnx"
        output(python("resnet.py", onnx, "--side", side))
        text = "model: {backbone: resnet50, neck_channels: 256}\n"
        network = self.settings("resnet.yaml", text)
        self.network("ResNet-50, forward 640, 1 thread", onnx, side, 1, network)

    def network(self, name, onnx, side, threads, network):
        peer = ["--side", side, "--threads", threads, "--runs", self.args.iterations]
        if self.args.onnx_outputs and onnx in self.args.onnx:
            peer += ["--outputs", self.args.onnx_outputs]
        program, peer = alternate(
            self.args.rounds,
            lambda: self.bench("forward", 1, threads, "--size", side, *network)["median_ms"],
            lambda: report(python("time_onnx.py", onnx, *peer))["median_ms"],
        )
        self.table.add(name, "ms", program, peer)

    def align(self):
        rounds = range(self.args.rounds)
        reports = [self.bench("align", FACES, 1, *self.weights) for _ in rounds]
        times = [entry["median_ms"] / FACES for entry in reports]
        self.table.add("second look, 8 faces, 1 thread, a face", "ms", times)

    # Photos

    def folder_of_photos(self, photos):
        for path in filter(pathlib.Path.is_file, photos.iterdir()):
            path.read_bytes()  # from now on they lie in memory, for both
        found, peer_found = self.folder / "program", self.folder / "peer.jsonl"
        program = [self.args.program, "detect", photos, "--out", found, "--save", "jsonl"]
        program += ["--jobs", PHOTOS_AT_A_TIME, "--force", *self.weights]
        networks = ["--detector", self.args.detector, "--points", self.args.points]
        peer = python("folder.py", *networks, "--processes", PHOTOS_AT_A_TIME, photos)
        peer += ["--out", peer_found]
        rounds = self.args.rounds
        times = alternate(rounds, lambda: seconds(program), lambda: seconds(peer))
        memory = [[peak_mib(command)] for command in (program, peer)]
        lines = [read_lines(found / "detections.jsonl"), read_lines(peer_found)]
        name = f"{len(lines[0])} photos of {photos.name}"
        for index, what in enumerate(("time", "processor time")):
            row = [[values[index] for values in side] for side in times]
            self.table.add(f"{name}, {what}", "s", *row)
        self.table.add(f"{name}, peak memory", "MiB", *memory)
        faces = [[sum(len(line["faces"]) for line in side)] for side in lines]
        self.table.add(f"{name}, faces found", "faces", *faces)

    # Training

    def train(self):
        shape = {"batch": 8, "side": 320}
        network = self.settings("default.yaml", "task: detect\n")
        network += ["--size", shape["side"]]
        for threads in (1, 2):
            options = [f"--{name}={value}" for name, value in shape.items()]
            options += ["--threads", threads, "--steps", self.args.iterations]
            program, peer = alternate(
                self.args.rounds,
                lambda: self.bench("train", shape["batch"], threads, *network),
                lambda: report(python("step.py", *options)),
            )
            name = f"training step, batch 8, 320, {threads} thread{'s' * (threads > 1)}"
            times = [[entry["median_ms"] for entry in side] for side in (program, peer)]
            self.table.add(name, "ms", *times)
            memory = [entry["peak_rss_mib"] for entry in program]
            peer_memory = [entry["peak_rss_mb"] for entry in peer]
            self.table.add(f"{name}, peak memory", "MiB", memory, peer_memory)

    def run(self):
        for part in self.args.only:
            match part:
                case "folder":
                    self.folder_of_photos(self.args.photos)
                case "large":
                    self.folder_of_photos(self.args.large)
                case _:
                    getattr(self, part)()


def takes(path, side):
    """Whether the network in a file takes square images of this side, of any for open lengths."""
    import onnx

    (image, *_) = onnx.load(path, load_external_data=False).graph.input
    lengths = [length.dim_value for length in image.type.tensor_type.shape.dim]
    return side in lengths or lengths[-2:] == [0, 0]


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    path = {"type": pathlib.Path}
    parser.add_argument("--program", required=True, **path)
    parser.add_argument("--weights", help="of the program [default: the shipped ones]", **path)
    parser.add_argument("--detector", help="scrfd_500m.onnx", **path)
    parser.add_argument("--points", help="PFLD_GhostOne*.onnx", **path)
    parser.add_argument("--photos", help="folder of photos", **path)
    parser.add_argument("--large", help="folder that large_photos.py made", **path)
    parser.add_argument(
        "--onnx", action="append", default=[], help="exported network, once a side", **path
    )
    parser.add_argument("--onnx-outputs", help="of those files, with commas between [default: all]")
    parser.add_argument("--int8", help="the same weights in 8 bits, to measure too", **path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--iterations", type=int, default=20, help="in each round, of a network")
    parser.add_argument("--only", type=lambda text: text.split(","), help=",".join(PARTS))
    args = parser.parse_args()
    args.only = args.only or [part for part in PARTS if part != "large" or args.large]
    if unknown := set(args.only) - set(PARTS):
        parser.error(f"--only knows {','.join(PARTS)}, not {','.join(unknown)}")
    for part, needed in (("folder", args.photos), ("large", args.large)):
        if part in args.only and not (needed and args.detector and args.points):
            parser.error(f"{part} needs --detector, --points and its photos")
    return args


def main():
    args = arguments()
    with tempfile.TemporaryDirectory() as folder:
        benches = Benches(args, pathlib.Path(folder))
        benches.run()
    print("\n".join(benches.table.lines))


if __name__ == "__main__":
    main()
