"""Make the expected numbers of tests/model.rs with PyTorch.

    python scripts/pytorch_fixture.py tiny
        A detector with tiny random weights, saved as PyTorch does today (zip) and as it did before
        1.6 (legacy), with an input and the outputs for it: tests/data/model/tiny*.
    python scripts/pytorch_fixture.py resnet18
        The same for a ResNet-18 backbone under torchvision's names, thinned out by leaving only
        sums of its outputs: tests/data/model/resnet18.json.
    python scripts/pytorch_fixture.py mobilenet_v3_large
        The same for torchvision's MobileNetV3-Large in two widths, with the names and shapes of
        its convolutions: tests/data/model/mobilenet_v3_large.json.
    python scripts/pytorch_fixture.py pretrained FILE.pth
        Samples of the outputs of published 5-point weights on a picture made by a formula:
        tests/data/model/pretrained.json.

Needs torch, and torchvision for mobilenet_v3_large. The detector is written from the paper and from
the names and shapes of the published weights (biubug6/Pytorch_Retinaface).
"""

import json
import struct
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

OUT = Path(__file__).resolve().parent.parent / "tests" / "data" / "model"


def conv_bn(cin, cout, kernel, stride=1, groups=1, slope=None):
    layers = [
        nn.Conv2d(cin, cout, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(cout),
    ]
    return layers if slope is None else layers + [nn.LeakyReLU(slope)]


class MobileNet(nn.Module):
    """MobileNetV1 cut into three stages; published weights count its layers in this way."""

    def __init__(self, width):
        super().__init__()
        c = lambda channels: max(1, round(channels * width))

        def separable(cin, cout, stride):
            return nn.Sequential(
                *conv_bn(c(cin), c(cin), 3, stride, c(cin), 0.1),
                *conv_bn(c(cin), c(cout), 1, slope=0.1),
            )

        self.stage1 = nn.Sequential(
            nn.Sequential(*conv_bn(3, c(32), 3, 2, slope=0.1)),
            separable(32, 64, 1),
            separable(64, 128, 2),
            separable(128, 128, 1),
            separable(128, 256, 2),
            separable(256, 256, 1),
        )
        self.stage2 = nn.Sequential(
            separable(256, 512, 2), *[separable(512, 512, 1) for _ in range(5)]
        )
        self.stage3 = nn.Sequential(separable(512, 1024, 2), separable(1024, 1024, 1))
        self.channels = [c(256), c(512), c(1024)]

    def forward(self, x):
        c3 = self.stage1(x)
        c4 = self.stage2(c3)
        return c3, c4, self.stage3(c4)


class Pyramid(nn.Module):
    def __init__(self, inputs, channels, slope):
        super().__init__()
        for i, cin in enumerate(inputs, 1):
            setattr(self, f"output{i}", nn.Sequential(*conv_bn(cin, channels, 1, slope=slope)))
        for i in (1, 2):
            setattr(self, f"merge{i}", nn.Sequential(*conv_bn(channels, channels, 3, slope=slope)))

    def forward(self, maps):
        p3, p4, p5 = self.output1(maps[0]), self.output2(maps[1]), self.output3(maps[2])
        p4 = self.merge2(p4 + F.interpolate(p5, size=p4.shape[2:], mode="nearest"))
        p3 = self.merge1(p3 + F.interpolate(p4, size=p3.shape[2:], mode="nearest"))
        return p3, p4, p5


class Context(nn.Module):
    def __init__(self, channels, slope):
        super().__init__()
        half, quarter = channels // 2, channels // 4
        self.conv3X3 = nn.Sequential(*conv_bn(channels, half, 3))
        self.conv5X5_1 = nn.Sequential(*conv_bn(channels, quarter, 3, slope=slope))
        self.conv5X5_2 = nn.Sequential(*conv_bn(quarter, quarter, 3))
        self.conv7X7_2 = nn.Sequential(*conv_bn(quarter, quarter, 3, slope=slope))
        self.conv7x7_3 = nn.Sequential(*conv_bn(quarter, quarter, 3))

    def forward(self, x):
        shared = self.conv5X5_1(x)
        wide = self.conv7x7_3(self.conv7X7_2(shared))
        return F.relu(torch.cat([self.conv3X3(x), self.conv5X5_2(shared), wide], 1))


class Head(nn.Module):
    def __init__(self, channels, outputs, anchors=2):
        super().__init__()
        self.outputs = outputs
        self.conv1x1 = nn.Conv2d(channels, anchors * outputs, 1)

    def forward(self, x):
        x = self.conv1x1(x).permute(0, 2, 3, 1)
        return x.reshape(x.shape[0], -1, self.outputs)


class Detector(nn.Module):
    def __init__(self, width, neck, points=5):
        super().__init__()
        slope = 0.1 if neck <= 64 else 0.0
        self.body = MobileNet(width)
        self.fpn = Pyramid(self.body.channels, neck, slope)
        self.ssh1, self.ssh2, self.ssh3 = (Context(neck, slope) for _ in range(3))
        heads = lambda outputs: nn.ModuleList(Head(neck, outputs) for _ in range(3))
        self.ClassHead, self.BboxHead, self.LandmarkHead = heads(2), heads(4), heads(2 * points)

    def forward(self, x):
        levels = self.fpn(self.body(x))
        levels = [ssh(p) for ssh, p in zip((self.ssh1, self.ssh2, self.ssh3), levels)]
        rows = lambda heads: torch.cat([head(p) for head, p in zip(heads, levels)], 1)
        return {
            "logits": rows(self.ClassHead),
            "box_deltas": rows(self.BboxHead),
            "landmark_deltas": rows(self.LandmarkHead),
        }


class Basic(nn.Module):
    """Residual block of ResNet-18, with torchvision's names."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(cin, cout, 3, stride)
        self.conv2, self.bn2 = conv_bn(cout, cout, 3)
        if stride != 1 or cin != cout:
            self.downsample = nn.Sequential(*conv_bn(cin, cout, 1, stride))
        else:
            self.downsample = nn.Identity()

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.downsample(x))


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(3, 64, 7, 2)
        cin = 64
        for i, cout in enumerate((64, 128, 256, 512), 1):
            stride = 1 if i == 1 else 2
            setattr(self, f"layer{i}", nn.Sequential(Basic(cin, cout, stride), Basic(cout, cout, 1)))
            cin = cout

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        c3 = self.layer2(self.layer1(x))
        c4 = self.layer3(c3)
        return c3, c4, self.layer4(c4)


def formula(shape):
    """Numbers that any language makes exactly alike: the position hashed to -127..127."""
    n = torch.arange(torch.Size(shape).numel(), dtype=torch.int64)
    return ((n * 7919 + (n * n) % 8191 * 31) % 255 - 127).float().reshape(shape)


def shake(net, gain=1.5):
    """Weights by formula, and batch norms that are not the identity."""
    for name, value in net.state_dict().items():
        if not value.is_floating_point():
            continue
        noise = formula(value.shape).flatten().roll(sum(name.encode())).reshape(value.shape) / 127
        if name.endswith("running_var"):
            value.copy_(1 + 0.5 * noise)
        elif name.endswith("running_mean"):
            value.copy_(0.1 * noise)
        elif value.dim() == 1:
            value.copy_((1 if name.endswith("weight") else 0) + 0.2 * noise)
        else:
            value.copy_(noise * (gain / value[0].numel() ** 0.5))


def write_safetensors(path, tensors):
    header, blobs, start = {}, [], 0
    for name, tensor in tensors.items():
        blob = tensor.contiguous().float().numpy().tobytes()
        header[name] = {
            "dtype": "F32",
            "shape": list(tensor.shape),
            "data_offsets": [start, start + len(blob)],
        }
        blobs.append(blob)
        start += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def tiny():
    net = Detector(width=0.125, neck=8).eval()
    shake(net)
    # Small files, and both kinds of numbers in each: convolutions in half precision.
    state = {k: v.half() if v.dim() > 1 else v for k, v in net.state_dict().items()}
    net.load_state_dict(state)
    # Old files often hold the weights one level down, from a network wrapped in DataParallel.
    wrapped = {"epoch": 1, "state_dict": {f"module.{k}": v for k, v in state.items()}}
    torch.save(state, OUT / "tiny.pth")
    torch.save(wrapped, OUT / "tiny_legacy.tar", _use_new_zipfile_serialization=False)
    x = formula([2, 3, 70, 37]) / 127  # odd sizes on every level
    write_safetensors(OUT / "tiny_expected.safetensors", {"input": x, **net(x)})


def thinned(maps):
    return [
        {"shape": list(m.shape), "means": [round(v, 6) for v in m.mean((0, 2, 3))[:8].tolist()]}
        for m in maps
    ]


def resnet18():
    net = ResNet18().eval()
    shake(net)
    out = thinned(net(formula([1, 3, 50, 37]) / 127))
    (OUT / "resnet18.json").write_text(json.dumps(out) + "\n")


def mobilenet_v3_large():
    import torchvision

    # With less, the picture is lost on the way to C5; with more, rounding errors grow too large.
    gain = 2.25
    out = []
    for width in (1.0, 0.5):
        net = torchvision.models.mobilenet_v3_large(width_mult=width).eval()
        shake(net, gain)
        x, maps = formula([1, 3, 50, 37]) / 127, []
        for index, layer in enumerate(net.features):
            x = layer(x)
            if index in (6, 12, 16):  # the last of strides 8, 16, 32
                maps.append(x)
        convs = [(k, m) for k, m in net.named_modules() if isinstance(m, nn.Conv2d)]
        layers = {name: list(conv.weight.shape) for name, conv in convs}
        out.append({"width": width, "gain": gain, "layers": layers, "maps": thinned(maps)})
    (OUT / "mobilenet_v3_large.json").write_text(json.dumps(out) + "\n")


def pretrained(path):
    net = Detector(width=0.25, neck=64).eval()
    net.load_state_dict({k.removeprefix("module."): v for k, v in torch.load(path, "cpu").items()})
    y, x, c = torch.meshgrid(torch.arange(192), torch.arange(256), torch.arange(3), indexing="ij")
    # Whole numbers only: a smooth pattern of squares and stripes.
    image = ((x * (c + 2) + y * y // 7 + (x // 16 + y // 24) % 2 * 90) % 256).float()
    image = image.permute(2, 0, 1)[None] - torch.tensor([104.0, 117.0, 123.0])[None, :, None, None]
    outputs = net(image)
    rows = list(range(0, outputs["logits"].shape[1], 97))
    samples = {k: [[round(n, 6) for n in r] for r in v[0, rows].tolist()] for k, v in outputs.items()}
    text = json.dumps({"rows": rows, **samples})
    (OUT / "pretrained.json").write_text(text + "\n")


if __name__ == "__main__":
    OUT.mkdir(parents=True, exist_ok=True)
    with torch.no_grad():
        commands = [tiny, resnet18, mobilenet_v3_large, pretrained]
        {command.__name__: command for command in commands}[sys.argv[1]](*sys.argv[2:])
