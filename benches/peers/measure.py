"""What other programs take, all their processes together: time, processor time, memory."""

import json
import pathlib
import resource
import subprocess
import time

BETWEEN_LOOKS_S = 0.01


def output(command):
    """What a command prints; where it fails, this program ends with what it said."""
    command = [str(part) for part in command]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr}")
    return done.stdout


def report(command):
    """The JSON object that is the last line a command prints."""
    return json.loads(output(command).splitlines()[-1])


def seconds(command):
    """From start to end, and of processors, by it and the processes that it waited for."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    output(command)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def peak_mib(command):
    """Most memory of all processes of a command together: the sum of their proportional set sizes
    (a page shared by two counts half in each), looked at a hundred times a second. Looking costs
    time, so this run is no measure of time."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    command = [str(part) for part in command]
    peak = 0
    with subprocess.Popen(command, **quiet) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(proportional_kib, family(process.pid))))
            time.sleep(BETWEEN_LOOKS_S)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return peak / 1024


def family(process):
    """A process and those that it started."""
    yield process
    for children in pathlib.Path(f"/proc/{process}/task").glob("*/children"):
        for child in text(children).split():
            yield from family(child)


def proportional_kib(process):
    _, found, rest = text(pathlib.Path(f"/proc/{process}/smaps_rollup")).partition("\nPss:")
    return int(rest.split()[0]) if found else 0


def text(path):
    """Of a file in /proc; nothing where its process has ended."""
    try:
        return path.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
