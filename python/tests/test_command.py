"""The command, and what of it is a function."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

import retinamark
from conftest import SAMPLE, assert_ends_on_ctrl_c, needs_command

pytestmark = needs_command


def test_exit_codes_and_streams(command, tmp_path):
    done = command("--version")
    assert (done.returncode, done.stdout) == (0, f"retinamark {retinamark.__version__}\n")
    assert command("detect", "--help").returncode == 0
    done = command("detect", tmp_path / "none")
    assert done.returncode == 2 and "error" in done.stderr
    assert command("nonsense").returncode == 2
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    assert command("detect", tmp_path, "--out", tmp_path / "out").returncode == 1
    assert command("info", "--weights", tmp_path / "none").returncode == 1


def test_it_has_its_weights(command, tmp_path):
    done = command("info", cwd=tmp_path)
    assert done.returncode == 0 and "weights.safetensors" in done.stdout
    done = command("info", env={**os.environ, "RETINAMARK_WEIGHTS": str(tmp_path / "none")})
    assert done.returncode == 1


def test_it_is_a_module_too(detector):
    words = [sys.executable, "-m", "retinamark", "detect", "-"]
    with open(SAMPLE / "obama.jpg", "rb") as photo:
        done = subprocess.run(words, stdin=photo, capture_output=True, timeout=300, check=True)
    faces = [face.to_dict() for face in detector.detect(SAMPLE / "obama.jpg")]
    assert json.loads(done.stdout)["faces"] == faces


def test_commands_that_start_others_find_themselves(command, tmp_path):
    assert command("synth", "--out", tmp_path / "faces", "--photos", "8").returncode == 0
    settings = ["--config", tmp_path / "faces" / "config.yaml", "--set", f"init.weights={tmp_path / 'none'}"]
    done = command("sweep", *settings, "--grid", "optimizer.learning_rate=0.001", "--out", tmp_path / "study")
    # The run was started, and says itself that it has nothing to start from.
    log = next((tmp_path / "study").rglob("train.log")).read_text()
    assert done.returncode == 1 and "cannot start from init.weights" in log, done.stderr + log


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_ctrl_c_is_the_commands_own(command, tmp_path):
    program = [sys.executable, "-m", "retinamark", "detect", str(SAMPLE), "--size", "full", "--passes", "10"]
    with subprocess.Popen([*program, "--out", str(tmp_path / "out")], stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "out").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        words = process.communicate(timeout=60)[1]
    assert process.returncode in (130, 0) and "KeyboardInterrupt" not in words, words


@pytest.fixture(scope="module")
def labelled(command, tmp_path_factory):
    """Drawn faces with their landmarks."""
    folder = tmp_path_factory.mktemp("synth") / "faces"
    done = command("synth", "--out", folder, "--photos", "12")
    assert done.returncode == 0, done.stderr
    return f"wflw:{folder / 'train.txt'}:{folder / 'images'}"


def test_evaluation_is_that_of_the_command(command, labelled, tmp_path):
    done = command("evaluate", "--data", labelled, "--size", "320", "--score", "0.2", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    expected = json.loads((tmp_path / "out" / "report.json").read_text())
    found = retinamark.evaluate(labelled, size=320, score=0.2)
    assert {**found, "weights": None} == {**expected, "weights": None}
    assert set(retinamark.evaluate([labelled], boxes="truth", settings={"detect.score": 0.4})) == set(found)


def test_evaluation_says_what_is_wrong(labelled, tmp_path):
    with pytest.raises(retinamark.SettingsError, match="boxes"):
        retinamark.evaluate(labelled, boxes="guessed")
    with pytest.raises(retinamark.RetinamarkError, match="KIND"):
        retinamark.evaluate("nonsense")
    with pytest.raises((OSError, retinamark.RetinamarkError)):
        retinamark.evaluate(f"wflw:{tmp_path}/none:{tmp_path}")


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_ctrl_c_ends_an_evaluation(command, tmp_path):
    folder = tmp_path / "faces"
    assert command("synth", "--out", folder, "--photos", "100").returncode == 0
    labelled = f"wflw:{folder / 'train.txt'}:{folder / 'images'}"
    program = f"""
import retinamark
print("begun", flush=True)
try:
    retinamark.evaluate({labelled!r}, size=2048, threads=1)
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""
    assert_ends_on_ctrl_c(program, 1)
