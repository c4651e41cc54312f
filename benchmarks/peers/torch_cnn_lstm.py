"""The paper's model in PyTorch: its own LSTM (cuDNN's on a GPU).

Its LSTM has no recurrent dropout, which spares it a little work; the input's is drawn once a sequence.
"""

import torch
from protocol import CLIP, serve
from torch import nn
from torch.nn import functional
from torch_steps import prepare_model


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
  model = CnnLstm()
  return prepare_model(model, CLIP, [model.encoder[3].weight, model.dense.weight], options)


if __name__ == '__main__':
  serve(prepare, compile=False)
