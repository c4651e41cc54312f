"""`effnet_frames`, the model of the shipped weights, in PyTorch: EfficientNet-Lite0 whose batch statistics are folded
into its kernels, with the frame's residual and its difference from the one before beside the stem's features.

As in lipfake_jax/models/effnet.py, but for the padding of strides, which is PyTorch's.
"""

import torch
from protocol import serve
from torch import nn
from torch.nn import functional
from torch_steps import prepare_model

SHAPE = (16, 128, 128, 3)  # frames, rows, columns, colours
# Repeats, side of the kernel, stride, expansion, filters.
STAGES = (
  (1, 3, 1, 1, 16),
  (2, 3, 2, 6, 24),
  (2, 5, 2, 6, 40),
  (3, 3, 2, 6, 80),
  (3, 5, 1, 6, 112),
  (4, 5, 2, 6, 192),
  (1, 3, 1, 6, 320),
)
STEM, TRUNK, NECK, CELL = 3, 11, 192, 4


class Block(nn.Module):
  def __init__(self, size, stride, expansion, narrow, filters):
    super().__init__()
    wide = narrow * expansion
    self.expand = nn.Conv2d(narrow, wide, 1) if expansion > 1 else None
    self.depthwise = nn.Conv2d(wide, wide, size, stride, size // 2, groups=wide)
    self.project = nn.Conv2d(wide, filters, 1)
    self.adds = stride == 1 and narrow == filters

  def forward(self, x):
    y = functional.relu6(self.expand(x)) if self.expand else x
    y = self.project(functional.relu6(self.depthwise(y)))
    return x + y if self.adds else y


def make_blocks():
  """The sixteen blocks, in order."""
  blocks, narrow = [], 32
  for repeats, size, stride, expansion, filters in STAGES:
    for number in range(repeats):
      blocks.append(Block(size, stride if number == 0 else 1, expansion, narrow, filters))
      narrow = filters
  return blocks


class EffnetFrames(nn.Module):
  def __init__(self):
    super().__init__()
    blocks = make_blocks()
    self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU6(), *blocks[:STEM])
    self.beside = nn.Conv2d(2 * CELL**2, 24, 1)
    self.trunk, self.top = nn.Sequential(*blocks[STEM:TRUNK]), nn.Sequential(*blocks[TRUNK:])
    self.neck, self.top_neck = nn.Conv2d(112, NECK, 1), nn.Conv2d(320, NECK, 1)
    self.patch, self.dropout, self.logit = nn.Conv2d(NECK, 1, 1), nn.Dropout(0.3), nn.Linear(2 * NECK + 2, 1)
    self.register_buffer('gray', torch.tensor((0.299, 0.587, 0.114)).reshape(1, 3, 1, 1), persistent=False)

  def forward(self, frames):
    """[B * T, C, H, W], channels last in memory -> [B, T / 2]."""
    clips = frames.unflatten(0, (-1, SHAPE[0]))
    before, frames = clips[:, :-1:2].flatten(0, 1), clips[:, 1::2].flatten(0, 1)
    x = self.stem((2 * frames - 1).contiguous(memory_format=torch.channels_last))
    x = self.trunk(x + self.beside(self.look_beside(frames, before)))
    seen = functional.relu6(self.neck(x)).float()
    patches = self.patch(seen).flatten(1)
    above = functional.relu6(self.top_neck(self.top(x))).float()
    features = [seen.mean((2, 3)), patches.mean(1, keepdim=True), patches.amax(1, keepdim=True), above.mean((2, 3))]
    with torch.autocast(frames.device.type, enabled=False):
      return self.logit(self.dropout(torch.cat(features, 1).float())).unflatten(0, (-1, SHAPE[0] // 2))[..., 0]

  def look_beside(self, frames, before):
    """Fine residual and difference of the luminance, of 4x4 pixels each: [N, 32, H / 4, W / 4]."""
    gray, earlier = ((x * self.gray).sum(1, keepdim=True) for x in (frames, before))
    padded = functional.pad(gray, (1, 1, 1, 1), mode='replicate')
    smooth = padded[:, :, :-2, 1:-1] + padded[:, :, 2:, 1:-1] + padded[:, :, 1:-1, :-2] + padded[:, :, 1:-1, 2:]
    both = torch.cat([8 * (gray - smooth / 4), 4 * (gray - earlier)], 1)
    return functional.pixel_unshuffle(both.clamp(-1, 1), CELL)


def prepare(options):
  return prepare_model(EffnetFrames(), SHAPE, [], options)


if __name__ == '__main__':
  serve(prepare, compile=False)
