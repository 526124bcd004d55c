"""The detector of retinamark with ResNet-50 (neck of 256 channels) in PyTorch, written as ONNX.

    python resnet.py FILE.onnx --side 640
"""

import argparse
import pathlib

import torch
from torch import nn

from twin import LEVELS, Twin, conv_bn

NECK = 256


class Bottleneck(nn.Module):
    def __init__(self, inputs, inner, stride):
        super().__init__()
        outputs = 4 * inner
        self.path = nn.Sequential(
            conv_bn(inputs, inner, 1),
            conv_bn(inner, inner, 3, stride),
            conv_bn(inner, outputs, 1, slope=None),
        )
        self.shortcut = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = conv_bn(inputs, outputs, 1, stride, slope=None)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.activation(self.path(x) + self.shortcut(x))


def stage(inputs, inner, blocks, stride):
    rest = [Bottleneck(4 * inner, inner, 1) for _ in range(blocks - 1)]
    return nn.Sequential(Bottleneck(inputs, inner, stride), *rest)


class ResnetTwin(Twin):
    """Scores and boxes; landmarks are computed where faces are found only."""

    def __init__(self):
        super().__init__(neck=NECK)
        self.stem = nn.Sequential(conv_bn(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1))
        self.stage1 = nn.Sequential(stage(64, 64, 3, 1), stage(256, 128, 4, 2))
        self.stage2 = stage(512, 256, 6, 2)
        self.stage3 = stage(1024, 512, 3, 2)
        self.lateral = nn.ModuleList([conv_bn(64 * stride, NECK, 1) for stride in LEVELS])
        plain_relu(self)

    def forward(self, x):
        logits, boxes, _ = super().forward(x)
        return logits, boxes


def plain_relu(module):
    """Backbone and wide necks have plain ReLUs in place of leaky ones."""
    for name, child in module.named_children():
        if isinstance(child, nn.LeakyReLU):
            setattr(module, name, nn.ReLU(inplace=True))
        plain_relu(child)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=pathlib.Path)
    parser.add_argument("--side", type=int, default=640)
    args = parser.parse_args()
    torch.manual_seed(0)
    images = torch.zeros(1, 3, args.side, args.side)
    names = {"input_names": ["images"], "output_names": ["logits", "boxes"]}
    torch.onnx.export(ResnetTwin().eval(), (images,), str(args.file), dynamo=False, **names)


if __name__ == "__main__":
    main()
