"""The command `retinamark`."""

import os
import signal
import sys

from . import _native, _weights


def main() -> int:
    """Run it with the arguments of this process; gives its exit code."""
    if not hasattr(_native, "main"):
        sys.exit("this build of the package has no command (it was made without the feature `command`)")
    os.environ.setdefault(_weights.VARIABLE, str(_weights.SHIPPED))
    # Python would note Ctrl-C and wait for the native code to end; the command has its own ways.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.main(["retinamark", *sys.argv[1:]], [sys.executable, "-m", __package__])


if __name__ == "__main__":
    sys.exit(main())
