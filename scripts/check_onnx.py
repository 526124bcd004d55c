"""Compare ONNX files with the outputs that they are to give, computed by ONNX Runtime.

    cargo run --release -p retinamark-core --features onnx,reference --example onnx_cases -- FOLDER
    cargo run ... onnx_cases -- FOLDER HEIGHT WIDTH FILE.onnx...
    python scripts/check_onnx.py FOLDER

For each NAME.onnx of the folder, NAME.in.npy is the input and NAME.out.OUTPUT.npy what the output
must be: for files that ours wrote as well as for those that it read. Differences are relative to 1 or, where that is more, to the largest number of an output.
Prints the largest for each file; fails where it is above 1e-4 (0.1 for NAME.bytes.onnx: a number
between two bytes may become either), and where onnx.checker objects.

Needs onnx, onnxruntime and numpy.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-4
TOLERANCE_OF_BYTES = 0.1


def check(path):
    """Largest relative difference of any output."""
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    image = np.load(path.with_suffix(".in.npy"))
    (input_,) = session.get_inputs()
    results = session.run(names, {input_.name: image})
    expected = {p.name: p for p in path.parent.glob(f"{path.stem}.out.*.npy")}
    assert expected.keys() == {f"{path.stem}.out.{name}.npy" for name in names}, names
    worst = 0.0
    for name, result in zip(names, results):
        want = np.load(expected[f"{path.stem}.out.{name}.npy"])
        if want.ndim == 1:
            # Of a file that was read: all that ours says is in which order numbers are.
            want = want.reshape(result.shape)
        assert result.shape == want.shape, f"{name}: {result.shape}, not {want.shape}"
        assert np.isfinite(want).all(), name
        scale = max(1.0, np.abs(want).max())
        worst = max(worst, float(np.abs(result - want).max() / scale))
    return worst


def main():
    files = sorted(Path(sys.argv[1]).glob("*.onnx"))
    assert files, "no .onnx files"
    fits = True
    for path in files:
        difference = check(path)
        print(f"{path.stem:40} {difference:.1e}")
        in_bytes = path.stem.endswith(".bytes")
        fits &= difference <= (TOLERANCE_OF_BYTES if in_bytes else TOLERANCE)
    print(f"{len(files)} files {'fit' if fits else 'do not all fit'}")
    sys.exit(not fits)


if __name__ == "__main__":
    main()
