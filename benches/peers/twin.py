"""The default network of retinamark in PyTorch: same layers, same channels, same shapes."""

import torch
from torch import nn
import torch.nn.functional as F

LEVELS = (8, 16, 32)
ANCHORS = 2


def conv_bn(inputs, outputs, kernel, stride=1, groups=1, slope=0.1):
    layers = [
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    ]
    if slope is not None:
        layers.append(nn.LeakyReLU(slope, inplace=True))
    return nn.Sequential(*layers)


def separable(inputs, outputs, stride):
    return nn.Sequential(
        conv_bn(inputs, inputs, 3, stride, groups=inputs),
        conv_bn(inputs, outputs, 1),
    )


class Ssh(nn.Module):
    def __init__(self, channels):
        super().__init__()
        quarter = channels // 4
        self.conv3 = conv_bn(channels, channels // 2, 3, slope=None)
        self.conv5_1 = conv_bn(channels, quarter, 3)
        self.conv5_2 = conv_bn(quarter, quarter, 3, slope=None)
        self.conv7_2 = conv_bn(quarter, quarter, 3)
        self.conv7_3 = conv_bn(quarter, quarter, 3, slope=None)

    def forward(self, x):
        shared = self.conv5_1(x)
        wide = self.conv7_3(self.conv7_2(shared))
        return F.relu(torch.cat([self.conv3(x), self.conv5_2(shared), wide], 1))


class Se(nn.Module):
    def __init__(self, channels, reduction):
        super().__init__()
        self.reduce = nn.Linear(channels, max(channels // reduction, 1))
        self.expand = nn.Linear(max(channels // reduction, 1), channels)
        nn.init.zeros_(self.expand.weight)
        nn.init.zeros_(self.expand.bias)

    def forward(self, x):
        factor = 2 * torch.sigmoid(self.expand(F.relu(self.reduce(x.mean((2, 3))))))
        return x * factor[:, :, None, None]


class Twin(nn.Module):
    def __init__(self, neck=64, points=98, se_reduction=16):
        super().__init__()
        self.stem = conv_bn(3, 8, 3, 2)
        self.stage1 = nn.Sequential(
            separable(8, 16, 1), separable(16, 32, 2), separable(32, 32, 1),
            separable(32, 64, 2), separable(64, 64, 1),
        )
        self.stage2 = nn.Sequential(
            separable(64, 128, 2), *[separable(128, 128, 1) for _ in range(5)]
        )
        self.stage3 = nn.Sequential(separable(128, 256, 2), separable(256, 256, 1))
        self.lateral = nn.ModuleList([conv_bn(c, neck, 1) for c in (64, 128, 256)])
        self.merge = nn.ModuleList([conv_bn(neck, neck, 3) for _ in range(2)])
        self.ssh = nn.ModuleList([Ssh(neck) for _ in LEVELS])
        self.se = nn.ModuleList([Se(neck, se_reduction) for _ in LEVELS if se_reduction])
        heads = lambda k: nn.ModuleList([nn.Conv2d(neck, ANCHORS * k, 1) for _ in LEVELS])
        self.classes, self.boxes, self.landmarks = heads(2), heads(4), heads(2 * points)

    def features(self, x):
        c3 = self.stage1(self.stem(x))
        c4 = self.stage2(c3)
        p5 = self.lateral[2](self.stage3(c4))
        up = lambda small, large: large + F.interpolate(small, size=large.shape[2:], mode="nearest")
        p4 = self.merge[1](up(p5, self.lateral[1](c4)))
        p3 = self.merge[0](up(p4, self.lateral[0](c3)))
        levels = [ssh(p) for ssh, p in zip(self.ssh, (p3, p4, p5))]
        return [se(p) for se, p in zip(self.se, levels)] if len(self.se) else levels

    def rows(self, heads, levels, k):
        maps = [head(p).permute(0, 2, 3, 1).reshape(p.shape[0], -1, k) for head, p in zip(heads, levels)]
        return torch.cat(maps, 1)

    def forward(self, x):
        levels = self.features(x)
        return self.rows(self.classes, levels, 2), self.rows(self.boxes, levels, 4), levels

    def landmarks_at(self, levels, image, y, x):
        """Landmark deltas at pixels of the finest level, every anchor: [P, 2, 2L]."""
        head = self.landmarks[0]
        pixels = levels[0][image, :, y, x]
        out = pixels @ head.weight.flatten(1).T + head.bias
        return out.view(len(image), ANCHORS, -1)
