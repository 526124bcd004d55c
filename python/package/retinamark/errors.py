"""What goes wrong. Files that cannot be opened raise OSError (FileNotFoundError and the like), as `open` does."""

__all__ = [
    "InternalError",
    "LandmarksError",
    "NetworkError",
    "PhotoError",
    "RetinamarkError",
    "SettingsError",
    "TooLargeError",
    "UnsupportedPhotoError",
    "WeightsError",
]


class RetinamarkError(Exception):
    """Something could not be done; its text says what to do about it."""


class PhotoError(RetinamarkError):
    """A photo is damaged, cut off or empty."""


class UnsupportedPhotoError(PhotoError):
    """No photo, or one of a kind that cannot be read (HEIC, AVIF, a camera's raw data ...)."""


class TooLargeError(PhotoError):
    """A photo, or its file, is larger than is allowed: 200 million pixels."""


class WeightsError(RetinamarkError):
    """A weights file is damaged, of a newer version, another program's, or lacks the network that is needed."""


class NetworkError(RetinamarkError):
    """A network contradicts itself or its inputs."""


class SettingsError(RetinamarkError, ValueError):
    """An argument or a setting is impossible, or contradicts another one."""


class LandmarksError(RetinamarkError):
    """Landmarks are not those that they are taken for, or a face has no size."""


class InternalError(RetinamarkError):
    """A library failed where it must not."""
