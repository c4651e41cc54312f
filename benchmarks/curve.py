"""Whether a GPU learns as a CPU does: the losses of the first training steps on both, from the same weights and clips.

  python benchmarks/curve.py --steps=20

Products are computed in whole float32 on both sides (JAX makes TF32 of them on a GPU by default). Prints a table, and
ends with 1 where the losses differ by more than LIMIT, as a share.
"""

import argparse
import sys

from train import Contestant

LIMIT = 1e-3  # sums come in another order, in steps that build on each other


def read_losses(platform: str, options: argparse.Namespace) -> tuple[str, list[float]]:
  """The name of a device, and its losses; `platform` as JAX_PLATFORMS has it, '' for the best at hand."""
  command = ['ours.py', f'--model={options.model}', f'--batch_size={options.batch_size}', f'--losses={options.steps}']
  exact = {'JAX_DEFAULT_MATMUL_PRECISION': 'highest', 'XLA_PYTHON_CLIENT_PREALLOCATE': 'false'}
  contestant = Contestant(sys.executable, command, {**exact, 'JAX_PLATFORMS': platform})
  facts = contestant.facts
  contestant.stop()
  return facts['device'], facts['losses']


def main() -> None:
  """Prints Markdown."""
  parser = argparse.ArgumentParser(description='The first losses on a CPU and on the device at hand.')
  parser.add_argument('--model', default='cnn_lstm')
  parser.add_argument('--batch_size', type=int, default=4)
  parser.add_argument('--steps', type=int, default=20)
  options = parser.parse_args()
  (_, expected), (device, found) = (read_losses(platform, options) for platform in ('cpu', ''))
  worst = max(abs(a - b) / abs(a) for a, b in zip(expected, found, strict=True))
  print(f'| step | CPU | {device} |\n|---|---|---|')
  for number, (a, b) in enumerate(zip(expected, found, strict=True), 1):
    print(f'| {number} | {a:.6f} | {b:.6f} |')
  print(f'\n{options.model}: the losses of {options.steps} steps differ by at most {worst:.1e} of themselves')
  sys.exit(worst > LIMIT)


if __name__ == '__main__':
  main()
