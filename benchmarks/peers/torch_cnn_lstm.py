"""The paper's model and training step in PyTorch: channels last, its own LSTM (cuDNN's on a GPU), fused AdamW there.

It is given its batch as floats on the device, once, and augments nothing. Its LSTM has no recurrent dropout, which
spares it a little work; the input's is drawn once a sequence.
"""

import contextlib

import torch
from protocol import CLIP, serve
from torch import nn
from torch.nn import functional

FORMATS = {'float32': torch.float32, 'bfloat16': torch.bfloat16, 'float16': torch.float16}


class CnnLstm(nn.Module):
  def __init__(self):
    super().__init__()
    self.encoder = nn.Sequential(
      nn.Conv2d(3, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten()
    )
    self.lstm = nn.LSTM(14 * 14 * 64, 128, batch_first=True)
    self.dense, self.logit = nn.Linear(128, 128), nn.Linear(128, 1)

  def forward(self, frames):
    """frames: [B * T, C, H, W], channels last in memory."""
    features = self.encoder(frames).unflatten(0, (-1, CLIP[0]))
    mask = functional.dropout(torch.ones_like(features[:, :1]), 0.3, self.training)
    hidden = self.lstm(features * mask)[0][:, -1]
    hidden = functional.dropout(functional.relu(self.dense(hidden)), 0.5, self.training)
    with torch.autocast(hidden.device.type, enabled=False):
      return self.logit(hidden.float())[:, 0]


def prepare(options):
  device = 'cuda' if torch.cuda.is_available() else 'cpu'
  model = CnnLstm().to(device, memory_format=torch.channels_last)
  forward = torch.compile(model) if options.compile else model
  optimizer = torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=1e-4, fused=device == 'cuda')
  scaler = torch.amp.GradScaler(device, enabled=options.precision == 'float16')
  frames, rows, columns, colours = CLIP
  clips = torch.rand(options.batch_size * frames, colours, rows, columns, device=device)
  clips = clips.contiguous(memory_format=torch.channels_last)
  labels = torch.arange(options.batch_size, device=device) % 2.0
  l2_kernels = [model.encoder[3].weight, model.dense.weight]

  def low_precision():
    if options.precision == 'float32':
      return contextlib.nullcontext()
    return torch.autocast(device, FORMATS[options.precision])

  def train(count):
    model.train()
    for _ in range(count):
      optimizer.zero_grad(set_to_none=True)
      with low_precision():
        logits = forward(clips)
      loss = functional.binary_cross_entropy_with_logits(logits, labels)
      loss = loss + 1e-4 * sum(kernel.square().sum() for kernel in l2_kernels)
      scaler.scale(loss).backward()
      scaler.step(optimizer)
      scaler.update()
    _wait(device)

  def infer(count):
    model.eval()
    with torch.inference_mode(), low_precision():
      for _ in range(count):
        forward(clips)
    _wait(device)

  return train, infer, lambda: torch.cuda.max_memory_allocated() if device == 'cuda' else 0


def _wait(device):
  if device == 'cuda':
    torch.cuda.synchronize()


if __name__ == '__main__':
  serve(prepare, compile=False)
