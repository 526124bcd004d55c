"""Make tests/data/labels: MATLAB files with the variables of 300W-LP, AFLW2000-3D and COFW-68, and broken ones.

    pip install scipy numpy
    python scripts/label_fixtures.py

The numbers are computed here; nothing is taken from the data sets.
"""

from pathlib import Path

import numpy as np
from scipy.io import savemat

OUT = Path(__file__).resolve().parent.parent / "tests" / "data" / "labels"


def points(count):
    """2 x count; the first at (21.5, 15.5) as MATLAB counts, ten in a row."""
    i = np.arange(count)
    return np.stack([21.5 + 5 * (i % 10), 15.5 + 8 * (i // 10)])


def save(name, compressed, **variables):
    savemat(OUT / name, variables, do_compression=compressed)
    # The date of today stands in its first 116 bytes.
    text = b"MATLAB 5.0 MAT-file, made by scripts/label_fixtures.py".ljust(116)
    (OUT / name).write_bytes(text + (OUT / name).read_bytes()[116:])


OUT.mkdir(parents=True, exist_ok=True)
pose = np.array([[0.25, -0.5, 0.125, 60.0, 50.0, -70.0, 0.001]])
others = {"roi": np.array([[1, 1, 120, 100]], np.int16), "Color_Para": np.ones((1, 7)), "note": "a text"}
save("300w_lp.mat", True, Exp_Para=np.zeros((29, 1)), pt2d=points(68), Pose_Para=pose.astype(np.float32), **others)
depth = np.zeros((1, 68))
save("aflw2000.mat", False, pt2d=-np.ones((2, 21)), Pose_Para=pose,
     pt3d_68=np.concatenate([points(68), depth]).astype(np.float32), **others)
save("1_points.mat", True, Points=points(68).T, Occ=(np.arange(68) % 3 == 0).astype(np.uint8)[None])
save("no_points.mat", False, Pose_Para=pose)
wrong = points(68)
wrong[1, 5] = np.nan
save("nan.mat", True, pt2d=wrong, Pose_Para=pose)
save("shape.mat", False, pt2d=np.zeros((6, 7)))
save("text.mat", False, pt2d="not numbers")
# Three megabytes in a few thousand bytes.
save("bomb.mat", True, pt2d=np.zeros((2, 200_000)))
save("large_other.mat", True, Tex_Para=np.zeros((2, 200_000)), pt2d=points(68))
