#!/usr/bin/env bash
# Fetch the libtorch that `--features tch` needs, from PyPI wheels (Linux x86-64, Python 3 with pip;
# about 910 MB to download, 520 MB on disk). Python is not needed afterwards.
#
#   scripts/fetch_libtorch.sh FOLDER [WHEELS]
#
# FOLDER  gets torch/ and nvidia/. Nothing is done when they are complete already.
# WHEELS  where the downloaded wheels are kept; default: a temporary folder, removed at the end.
#
# Prints the line to put into the shell: export LIBTORCH=FOLDER/torch
set -euo pipefail

readonly TORCH=2.9.0 CUPTI=12.8.90 CUDART=12.8.90

if [[ $# -lt 1 || $# -gt 2 ]]; then
    sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
mkdir -p "$1"
target=$(cd "$1" && pwd)
stamp="$target/.libtorch-$TORCH"

if [[ ! -e $stamp ]]; then
    if [[ $# -eq 2 ]]; then
        mkdir -p "$2"
        wheels=$(cd "$2" && pwd)
    else
        wheels=$(mktemp -d)
        trap 'rm -rf "$wheels"' EXIT
    fi

    # Fetch what is not there yet. Any CPython's wheel holds the same libraries, so the tags are
    # pinned instead of asking for those of the Python at hand.
    fetch() {
        local name=$1 version=$2 pattern=$3
        if compgen -G "$wheels/$pattern" >/dev/null; then
            return
        fi
        python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$wheels" \
            --python-version 3.11 --implementation cp --abi cp311 --abi none \
            --platform manylinux_2_28_x86_64 --platform manylinux_2_17_x86_64 \
            --platform manylinux2014_x86_64 "$name==$version" >&2
    }
    fetch torch "$TORCH" "torch-$TORCH-*.whl"
    fetch nvidia-cuda-cupti-cu12 "$CUPTI" "nvidia_cuda_cupti_cu12-$CUPTI-*.whl"
    fetch nvidia-cuda-runtime-cu12 "$CUDART" "nvidia_cuda_runtime_cu12-$CUDART-*.whl"

    # Without libtorch_cuda.so (1 GB): libtorch_cpu.so needs no more than the CUDA run time and CUPTI,
    # which its own RPATH finds in ../../nvidia.
    python3 - "$wheels" "$target" <<'PY'
import fnmatch, glob, os, sys, zipfile

wheels, target = sys.argv[1:]
wanted = ["torch/lib/libtorch_cpu.so", "torch/lib/libc10.so", "torch/lib/libtorch.so",
          "torch/lib/libgomp*", "torch/include/*", "nvidia/*/lib/*.so*"]
for pattern in ("torch-*.whl", "nvidia_cuda_cupti_cu12-*.whl", "nvidia_cuda_runtime_cu12-*.whl"):
    for path in glob.glob(os.path.join(wheels, pattern)):
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                if any(fnmatch.fnmatch(name, w) for w in wanted):
                    wheel.extract(name, target)
PY
    touch "$stamp"
fi

echo "export LIBTORCH=$target/torch"
