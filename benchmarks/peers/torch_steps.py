"""Training and inference of a PyTorch model as `benchmarks/train.py` asks for them.

Channels last, and AdamW fused on a GPU. It is given its batch as floats on the device, once, and augments nothing.
"""

import contextlib

import torch
from torch.nn import functional

FORMATS = {'float32': torch.float32, 'bfloat16': torch.bfloat16, 'float16': torch.float16}


def prepare_model(model, shape, l2_kernels, options):
  """`protocol.serve`'s train, infer and device_bytes.

  Args:
    model: from frames [B * T, C, H, W], channels last in memory, to logits [B] or [B, T'].
    shape: of a clip: T, H, W, C.
    l2_kernels: the weights with a penalty.
    options: of the contestant.
  """
  device = 'cuda' if torch.cuda.is_available() else 'cpu'
  torch.set_float32_matmul_precision('high')  # TF32, as JAX's default on the same GPU
  model = model.to(device, memory_format=torch.channels_last)
  forward = torch.compile(model) if options.compile else model
  optimizer = torch.optim.AdamW(model.parameters(), 1e-4, weight_decay=1e-4, fused=device == 'cuda')
  scaler = torch.amp.GradScaler(device, enabled=options.precision == 'float16')
  frames, rows, columns, colours = shape
  clips = torch.rand(options.batch_size * frames, colours, rows, columns, device=device)
  clips = clips.contiguous(memory_format=torch.channels_last)
  labels = torch.arange(options.batch_size, device=device) % 2.0

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
      targets = labels.reshape(-1, *(1 for _ in logits.shape[1:])).expand_as(logits)
      loss = functional.binary_cross_entropy_with_logits(logits, targets)
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
