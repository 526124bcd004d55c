"""Make the files that the reader of crates/core/src/onnx is tested with.

    python scripts/onnx_fixture.py

For each of two versions of the operators a network with an output for each way in which files say
what can be read, and the numbers that ONNX Runtime gives: crates/core/tests/data/zoo17.onnx,
zoo10.onnx and *.f32 (the image, then all outputs in order).

Needs onnx, onnxruntime and numpy.
"""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

OUT = Path(__file__).resolve().parent.parent / "crates" / "core" / "tests" / "data"
C, H, W = 4, 9, 12


class Zoo:
    """A network in the making."""

    def __init__(self, opset):
        self.opset = opset
        self.random = np.random.default_rng(opset)
        self.nodes, self.constants, self.outputs = [], [], []
        self.count = 0

    def constant(self, values, dtype=np.float32):
        self.count += 1
        name = f"c{self.count}"
        self.constants.append(numpy_helper.from_array(np.array(values, dtype), name))
        return name

    def ints(self, *values):
        return self.constant(values, np.int64)

    def weights(self, *shape):
        return self.constant(self.random.uniform(-1, 1, shape))

    def op(self, kind, *inputs, **attributes):
        self.count += 1
        name = f"{kind.lower()}{self.count}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name, **attributes))
        return name

    def conv(self, x, to, inputs, kernel, **attributes):
        return self.op("Conv", x, self.weights(to, inputs, *kernel), self.weights(to), **attributes)

    def shape(self, value, axis):
        """A size as exporters get it."""
        size = self.op("Gather", self.op("Shape", value), self.constant(axis, np.int64), axis=0)
        return self.unsqueeze(size, 0)

    def unsqueeze(self, value, axis):
        if self.opset < 13:
            return self.op("Unsqueeze", value, axes=[axis])
        return self.op("Unsqueeze", value, self.ints(axis))

    def resize(self, x, large):
        if self.opset < 11:
            return self.op("Resize", x, self.constant([1, 1, 3, 3]), mode="nearest")
        sizes = [self.op("Slice", self.op("Shape", x), self.ints(0), self.ints(2), self.ints(0))]
        sizes += [self.shape(large, 2), self.shape(large, 3)]
        sizes = self.op("Cast", self.op("Concat", *sizes, axis=0), to=TensorProto.INT64)
        asymmetric = {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
        return self.op("Resize", x, "", "", sizes, mode="nearest", **asymmetric)

    def output(self, value):
        self.outputs.append(value)

    def model(self, shapes):
        infos = zip(self.outputs, shapes)
        outputs = [helper.make_tensor_value_info(o, TensorProto.FLOAT, s) for o, s in infos]
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", C, "h", "w"])
        graph = helper.make_graph(self.nodes, "zoo", [image], outputs, self.constants)
        opset = [helper.make_opsetid("", self.opset)]
        return helper.make_model(graph, opset_imports=opset, ir_version=8)

    def save(self):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        unknown = self.model([None] * len(self.outputs)).SerializeToString()
        session = onnxruntime.InferenceSession(unknown, options)
        image = self.random.uniform(-2, 2, (1, C, H, W)).astype(np.float32)
        results = session.run(self.outputs, {"image": image})
        model = self.model([result.shape for result in results])
        onnx.checker.check_model(model)
        path = OUT / f"zoo{self.opset}.onnx"
        onnx.save(model, path)
        flat = [image.ravel(), *(result.ravel() for result in results)]
        np.concatenate(flat).astype("<f4").tofile(path.with_suffix(".f32"))


def convolutions(zoo):
    x = "image"
    zoo.output(zoo.conv(x, 6, 2, (3, 3), group=2, pads=[1, 1, 1, 1]))
    zoo.output(zoo.conv(x, 8, 1, (3, 3), group=C, pads=[1, 1, 1, 1], strides=[2, 2]))
    zoo.output(zoo.conv(x, C, 1, (5, 5), group=C, pads=[2, 2, 2, 2], strides=[2, 2]))
    zoo.output(zoo.conv(x, 3, C, (3, 3), dilations=[2, 2], pads=[2, 2, 2, 2]))
    zoo.output(zoo.conv(x, 3, C, (3, 3), dilations=[3, 3]))
    zoo.output(zoo.conv(x, 3, C, (1, 3), pads=[0, 1, 0, 1]))
    zoo.output(zoo.conv(x, 3, C, (5, 1), auto_pad="SAME_LOWER"))
    zoo.output(zoo.conv(x, 3, C, (3, 3), auto_pad="SAME_UPPER", strides=[2, 2]))
    zoo.output(zoo.conv(x, 3, C, (2, 2), auto_pad="VALID", strides=[2, 2]))
    zoo.output(zoo.op("Conv", x, zoo.weights(3, C, 4, 4)))


def pointwise(zoo):
    x = "image"
    conv = zoo.conv(x, 5, C, (1, 1))
    scaled = zoo.op("Mul", conv, zoo.constant(0.7))
    zoo.output(zoo.op("Add", scaled, zoo.weights(5, 1, 1)))
    norm = [zoo.weights(5), zoo.weights(5), zoo.weights(5), zoo.constant([0.5, 1, 2, 3, 4])]
    conv = zoo.conv(x, 5, C, (3, 3), pads=[1, 1, 1, 1])
    zoo.output(zoo.op("Relu", zoo.op("BatchNormalization", conv, *norm, epsilon=1e-3)))
    # As networks normalise their images.
    normal = zoo.op("Div", zoo.op("Sub", x, zoo.weights(1, C, 1, 1)), zoo.constant([[[[2.0]]]]))
    zoo.output(zoo.conv(normal, 2, C, (3, 3), pads=[1, 1, 1, 1]))
    zoo.output(zoo.op("Sub", zoo.constant(1.0), x))
    zoo.output(zoo.op("PRelu", x, zoo.weights(C, 1, 1)))
    zoo.output(zoo.op("PRelu", x, zoo.constant([0.3])))
    zoo.output(zoo.op("LeakyRelu", x))
    zoo.output(zoo.op("HardSigmoid", x))
    zoo.output(zoo.op("Mul", zoo.op("HardSigmoid", x, alpha=1 / 6), x))
    zoo.output(zoo.op("Mul", zoo.op("Sigmoid", x), zoo.constant(2.0)))
    zoo.output(zoo.op("Identity", zoo.op("Add", x, zoo.op("Relu", x))))
    if zoo.opset < 11:
        zoo.output(zoo.op("Clip", x, min=0.0, max=1.5))
    else:
        zoo.output(zoo.op("Clip", x, zoo.constant(0.0), zoo.constant(1.5)))
        zoo.output(zoo.op("Clip", x, "", zoo.constant(0.5)))
        zoo.output(zoo.op("HardSwish", x))


def pools(zoo):
    x = "image"
    zoo.output(zoo.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]))
    zoo.output(zoo.op("AveragePool", x, kernel_shape=[3, 3], strides=[3, 3], ceil_mode=1))
    counted = {"pads": [1, 1, 1, 1], "count_include_pad": 1}
    zoo.output(zoo.op("AveragePool", x, kernel_shape=[3, 3], strides=[2, 2], **counted))
    zoo.output(zoo.op("AveragePool", x, kernel_shape=[H, W]))
    zoo.output(zoo.op("ReduceMean", x, axes=[2, 3], keepdims=0))
    mean = zoo.op("GlobalAveragePool", x)
    factor = zoo.op("Sigmoid", zoo.conv(mean, C, C, (1, 1)))
    zoo.output(zoo.op("Mul", factor, x))


def linear(zoo):
    flat = zoo.op("Flatten", "image")
    total = C * H * W
    gemm = {"transB": 1, "alpha": 0.1, "beta": 2.0}
    first = zoo.op("Gemm", flat, zoo.weights(6, total), zoo.weights(6), **gemm)
    second = zoo.op("MatMul", zoo.op("Relu", first), zoo.weights(6, 3))
    zoo.output(zoo.op("Add", second, zoo.weights(3)))
    mean = zoo.op("Reshape", zoo.op("GlobalAveragePool", "image"), zoo.ints(1, -1))
    both = zoo.op("Concat", mean, first, axis=1)
    zoo.output(both)
    zoo.output(zoo.op("Gemm", both, zoo.weights(C + 6, 2), zoo.weights(1)))
    last = zoo.op("Transpose", "image", perm=[0, 2, 3, 1])
    back = zoo.op("Transpose", zoo.op("Relu", last), perm=[0, 3, 1, 2])
    zoo.output(zoo.conv(back, 2, C, (1, 1)))
    zoo.output(zoo.op("Gemm", zoo.op("Reshape", last, zoo.ints(1, -1)), zoo.weights(total, 2), zoo.weights(2)))


def heads(zoo):
    large = zoo.conv("image", 4, C, (1, 1))
    strides = [3, 3] if zoo.opset < 11 else [2, 2]
    small = zoo.conv("image", 4, C, (3, 3), strides=strides, pads=[1, 1, 1, 1])
    merged = zoo.op("Add", large, zoo.resize(small, large))
    zoo.output(merged)
    zoo.output(zoo.op("Concat", merged, zoo.op("Sigmoid", merged), axis=1))
    rows = []
    for x in (merged, small):
        last = zoo.op("Transpose", x, perm=[0, 2, 3, 1])
        if zoo.opset < 11:
            shape = zoo.ints(-1, 2)
        else:
            shape = zoo.op("Concat", zoo.shape(x, 0), zoo.ints(-1), zoo.ints(2), axis=0)
        rows.append(zoo.op("Reshape", last, shape))
    both = zoo.op("Concat", *rows, axis=0 if zoo.opset < 11 else 1)
    zoo.output(zoo.op("Sigmoid", both))
    zoo.output(zoo.op("Mul", both, zoo.constant([0.5, 3.0])))
    # Before version 13 the axis was 1, with everything behind it.
    zoo.output(zoo.op("Softmax", both))
    joined = zoo.op("Concat", zoo.op("Softmax", rows[0]), zoo.op("Softmax", rows[1]), axis=-2)
    zoo.output(joined)


def main():
    OUT.mkdir(exist_ok=True)
    for opset in (10, 17):
        zoo = Zoo(opset)
        for part in (convolutions, pointwise, pools, linear, heads):
            part(zoo)
        zoo.save()


if __name__ == "__main__":
    main()
