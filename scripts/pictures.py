"""What the scripts that compare pictures share: Pillow's pixels and retinamark's."""

import subprocess
import warnings

import numpy as np
from PIL import Image, ImageOps

Image.init()  # all of them, or some are not found
FORMATS = ["JPEG", "PNG", "GIF", "BMP", "DIB", "TIFF", "WEBP"]


def pillow_rgb(path):
    """(pixels, format) as Pillow sees them: upright, transparent parts over white; or (None, the reason)."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as photo:
                kind = photo.format
                photo.load()
                try:
                    photo = ImageOps.exif_transpose(photo)
                except Exception:  # a broken EXIF block
                    pass
                return over_white(photo), kind
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"


def over_white(photo):
    if photo.mode == "I" or photo.mode.startswith("I;16"):
        # Pillow's own conversion to RGB cuts off at 255.
        return np.repeat((np.asarray(photo).astype(float) / 257).round().clip(0, 255).astype(np.uint8)[..., None], 3, 2)
    if photo.mode == "F":
        return np.repeat((np.asarray(photo) * 255).round().clip(0, 255).astype(np.uint8)[..., None], 3, 2)
    if photo.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in photo.info:
        photo = photo.convert("RGBA")
        white = Image.new("RGBA", photo.size, "white")
        photo = Image.alpha_composite(white, photo)
    return np.asarray(photo.convert("RGB"))


class Decoder:
    """The example `decode_files`, running."""

    def __init__(self, program):
        self.program = program

    def __enter__(self):
        self.start()
        return self

    def start(self):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([self.program], stdin=pipe, stdout=pipe)

    def __call__(self, path):
        """(pixels, None), or (None, the reason)."""
        self.process.stdin.write(f"{path}\n".encode())
        self.process.stdin.flush()
        line = self.process.stdout.readline().decode(errors="replace")
        if not line:
            status = self.process.wait()
            self.start()
            return None, f"CRASH {status}"
        if line.startswith("error: "):
            return None, line.removeprefix("error: ").strip()
        width, height = map(int, line.split())
        pixels = self.process.stdout.read(3 * width * height)
        return np.frombuffer(pixels, np.uint8).reshape(height, width, 3), None

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
