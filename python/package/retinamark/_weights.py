"""Where the weights are."""

import os
from pathlib import Path

#: Names another file, for `Detector`, `evaluate` and the command.
VARIABLE = "RETINAMARK_WEIGHTS"

#: The file of this package; `build.rs` says which one of the repository's it is.
SHIPPED = Path(__file__).with_name("weights.safetensors")


def default() -> str:
    """The file that is used where none is named."""
    return os.environ.get(VARIABLE) or str(SHIPPED)
