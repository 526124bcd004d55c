"""SCRFD-500M and PFLD-GhostOne in ONNX Runtime and OpenCV, one thread: faces and 98 points."""

import json

import cv2
import numpy as np
import onnxruntime

SIDE = 640
STRIDES = (8, 16, 32)
ANCHORS = 2
MIN_SCORE = 0.5
MAX_IOU = 0.4
CROP_SIDE = 112
CROP_SCALE = 1.05


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def centres(stride):
    """Where the anchors of a level stand: [N, 2] of (x, y) in pixels of the square."""
    y, x = np.mgrid[:SIDE:stride, :SIDE:stride]
    return np.stack([x, y], -1).reshape(-1, 2).repeat(ANCHORS, 0).astype(np.float32)


class Detector:
    def __init__(self, path):
        self.session = session(path)
        self.levels = [
            ([f"score_{stride}", f"bbox_{stride}"], stride, centres(stride)) for stride in STRIDES
        ]
        self.outputs = [name for names, _, _ in self.levels for name in names]

    def __call__(self, photo):
        """Boxes [F, 4] (x1, y1, x2, y2) in pixels of the photo and scores [F], best first."""
        height, width = photo.shape[:2]
        scale = SIDE / max(height, width)
        size = [max(round(length * scale), 1) for length in (width, height)]
        square = np.zeros((SIDE, SIDE, 3), np.uint8)
        square[: size[1], : size[0]] = cv2.resize(photo, size, interpolation=cv2.INTER_LINEAR)
        blob = cv2.dnn.blobFromImage(square, 1 / 128, mean=(127.5, 127.5, 127.5), swapRB=True)
        boxes, scores = self.decode(self.session.run(self.outputs, {"input.1": blob}))
        sides = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1)
        kept = np.asarray(cv2.dnn.NMSBoxes(sides, scores, MIN_SCORE, MAX_IOU), np.intp).ravel()
        return boxes[kept] / scale, scores[kept]

    def decode(self, outputs):
        boxes, scores = [], []
        for index, (_, stride, points) in enumerate(self.levels):
            score = outputs[2 * index].reshape(-1)
            found = np.flatnonzero(score > MIN_SCORE)
            reach = outputs[2 * index + 1].reshape(-1, 4)[found] * stride
            at = points[found]
            boxes.append(np.concatenate([at - reach[:, :2], at + reach[:, 2:]], 1))
            scores.append(score[found])
        return np.concatenate(boxes), np.concatenate(scores)


class Points:
    """The network takes one crop at a time; on one thread a batch would be no faster."""

    def __init__(self, path):
        self.session = session(path)
        self.name = self.session.get_inputs()[0].name

    def __call__(self, photo, box):
        """98 points [98, 2] in pixels of the photo."""
        side = max(round(CROP_SCALE * float(max(box[2] - box[0], box[3] - box[1]))), 1)
        corner = np.rint((box[:2] + box[2:] - side) / 2).astype(int)
        crop = cv2.resize(cut(photo, *corner.tolist(), side), (CROP_SIDE, CROP_SIDE))
        blob = cv2.dnn.blobFromImage(crop, 1 / 255)
        return self.session.run(None, {self.name: blob})[0].reshape(-1, 2) * side + corner


def cut(photo, left, top, side):
    """A square of the photo, black beyond its edges."""
    inside = photo[max(top, 0):max(top + side, 0), max(left, 0):max(left + side, 0)]
    if inside.shape[:2] == (side, side):
        return inside
    square = np.zeros((side, side, 3), np.uint8)
    y, x = max(-top, 0), max(-left, 0)
    square[y:y + inside.shape[0], x:x + inside.shape[1]] = inside
    return square


def rounded(values, digits):
    return np.round(values.astype(np.float64), digits).tolist()


class Pipeline:
    def __init__(self, detector, points):
        cv2.setNumThreads(1)
        self.detector, self.points = Detector(detector), Points(points)

    def __call__(self, path):
        """The line of a photo and the number of its faces."""
        photo = cv2.imread(str(path))
        if photo is None:
            raise ValueError(f"cannot read {path}")
        boxes, scores = self.detector(photo)
        faces = [
            {
                "box": rounded(box, 2),
                "score": round(float(score), 5),
                "landmarks": rounded(self.points(photo, box), 2),
            }
            for box, score in zip(boxes, scores)
        ]
        height, width = photo.shape[:2]
        record = {"image": path.name, "width": width, "height": height, "faces": faces}
        return json.dumps(record, separators=(",", ":")), len(faces)
