"""Many photos at a time."""

import gc
import os
import signal
import sys
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import retinamark
from conftest import PHOTOS, SAMPLE, assert_ends_on_ctrl_c

SMALL = SAMPLE / "astronaut.png"


def dicts(faces):
    return [face.to_dict() for face in faces]


def test_results_are_in_order_whatever_the_threads(detector):
    expected = [dicts(detector.detect(path)) for path in PHOTOS] * 3
    for threads in (None, 1, 3):
        assert list(map(dicts, detector.detect_batch(PHOTOS * 3, threads))) == expected
    assert list(map(dicts, detector.detect_batch(path for path in PHOTOS * 3))) == expected
    assert detector.detect_batch([]) == []


def test_batches_of_eight_threads_at_once(detector):
    expected = [dicts(detector.detect(path)) for path in PHOTOS]

    def look(number):
        if number % 2:
            return [dicts(detector.detect(path)) for path in PHOTOS]
        return list(map(dicts, detector.detect_batch(PHOTOS, threads=2)))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(look, range(8))) == [expected] * 8


def test_errors_are_returned_in_their_places(detector):
    photos = [SMALL, b"broken", SMALL.with_name("none.jpg"), np.zeros((4, 4), float), SMALL]
    found = detector.detect_batch(photos, errors="return")
    kinds = [retinamark.Faces, retinamark.UnsupportedPhotoError, FileNotFoundError, TypeError, retinamark.Faces]
    assert list(map(type, found)) == kinds
    assert dicts(found[0]) == dicts(found[4]) == dicts(detector.detect(SMALL))


def test_the_first_error_is_raised(detector):
    photos = [SMALL, b"", b"broken", SMALL]
    for threads in (1, 4):
        with pytest.raises(retinamark.PhotoError) as raised:
            detector.detect_batch(photos, threads)
        assert type(raised.value) is retinamark.PhotoError
    with pytest.raises(TypeError):
        detector.detect_batch(5)
    with pytest.raises(ValueError):
        detector.detect_batch([], errors="ignore")
    with pytest.raises(ValueError):
        detector.detect_batch([], threads=0)


def test_an_error_ends_the_batch_early_and_so_does_one_of_the_photos_own(detector):
    taken = []

    def photos(bad):
        for number in range(1000):
            taken.append(number)
            if number == 3:
                yield bad()
            yield SMALL

    def fail():
        raise KeyError("mine")

    for bad, kind in ((lambda: b"broken", retinamark.PhotoError), (fail, KeyError)):
        taken.clear()
        with pytest.raises(kind):
            detector.detect_batch(photos(bad), threads=2)
        assert len(taken) < 20


def test_arrays_are_let_go(detector, astronaut):
    class Watched(np.ndarray):
        pass

    arrays = [astronaut.copy().view(Watched) for _ in range(3)]
    watched = [weakref.ref(array) for array in arrays]
    found = detector.detect_batch(arrays), detector.detect(arrays[0])
    del arrays
    gc.collect()
    assert found and all(reference() is None for reference in watched)


def test_other_threads_run_meanwhile(detector):
    turns, done = 0, threading.Event()

    def count():
        nonlocal turns
        while not done.is_set():
            turns += 1
            time.sleep(0.001)

    counter = threading.Thread(target=count)
    counter.start()
    detector.detect_batch([SMALL] * 10)
    done.set()
    counter.join()
    assert turns > 20


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_ctrl_c_ends_a_running_batch():
    program = f"""
import itertools, retinamark
def photos():
    print("begun", flush=True)
    yield from itertools.repeat({str(SMALL)!r})
try:
    retinamark.Detector().detect_batch(photos())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    assert_ends_on_ctrl_c(program, 0.5)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_detects_too(detector):
    expected = len(detector.detect(SMALL))
    child = os.fork()
    if child == 0:
        found = len(detector.detect(SMALL)), len(detector.detect_batch([SMALL])[0])
        os._exit(0 if found == (expected, expected) else 1)
    deadline = time.monotonic() + 60
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            pytest.fail("it hangs")
        time.sleep(0.05)
    assert ended[1] == 0


def resident():
    """Memory of this process, MiB."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_stays_flat(detector, astronaut):
    """RETINAMARK_CALLS says how many calls."""
    calls = int(os.environ.get("RETINAMARK_CALLS", "300"))
    data = SMALL.read_bytes()

    def look(count):
        for _ in range(count // 6):
            for photo in (astronaut, data, SMALL):
                faces = detector.detect(photo)
                faces[0].crop(), faces[0].landmarks, faces[0].to_dict()
            detector.detect_batch([astronaut, data, SMALL])

    look(calls // 3)
    before = resident()
    look(calls)
    grown = resident() - before
    print(f"{calls} calls: {before:.1f} MiB, then {grown:+.1f}")
    assert grown < 30
