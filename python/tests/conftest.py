"""What the tests have in common: photos, a detector, the command of the same wheel."""

import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

import pytest

import retinamark

SAMPLE = Path(__file__).parents[2] / "data" / "sample"
PHOTOS = sorted(path for path in SAMPLE.iterdir() if path.suffix in {".jpg", ".png"})


#: For tests of what a build without the feature `command` lacks.
needs_command = pytest.mark.skipif(not hasattr(retinamark, "draw"), reason="the build has no command")


def assert_ends_on_ctrl_c(program, after):
    """Of a program that says "begun" and, on KeyboardInterrupt, "interrupted"; `after` so many seconds."""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begun\n"
        time.sleep(after)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == "interrupted\n"
        assert process.returncode == 0


@pytest.fixture(scope="session")
def detector():
    return retinamark.Detector()


@pytest.fixture(scope="session")
def astronaut():
    """A photo of lossless pixels, as an array."""
    image = pytest.importorskip("PIL.Image")
    np = pytest.importorskip("numpy")
    return np.asarray(image.open(SAMPLE / "astronaut.png").convert("RGB"))


@pytest.fixture(scope="session")
def command():
    """Runs `retinamark` with arguments."""
    if not hasattr(retinamark, "draw"):
        pytest.skip("the build has no command")
    program = Path(sysconfig.get_path("scripts")) / "retinamark"

    def run(*arguments, **options):
        words = [str(program), *map(str, arguments)]
        return subprocess.run(words, capture_output=True, text=True, timeout=300, **options)

    return run
