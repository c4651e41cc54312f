"""The controls of a run as a table for a terminal.

In: what `controls.run_controls` found. Out: text.
"""

from collections.abc import Mapping
from typing import Any

from lipfake_jax.report.tables import show

TITLES = {'run': 'this run', 'shuffled': 'frames shuffled', 'single_frame': 'one frame, standing still'}
MEANING = 'A model of motion loses by either change of the frames; one that scores the same looks at pictures.'


def control_table(title: str, controls: Mapping[str, Mapping[str, Any]]) -> str:
  """A line a control: AUC, how much less it is than the run's, with the interval, and balanced accuracy."""
  lines = ['', title, f'{"":28}{"AUC":>8}{"lost":>8}  {"95 % interval":18}{"balanced accuracy":>18}']
  for name, control in controls.items():
    loss, interval = control.get('auc_loss', (None, None))
    between = f'{interval[0]:+.3f} to {interval[1]:+.3f}' if interval else ''
    balanced = show(control['balanced_accuracy'])
    lines.append(f'{TITLES[name]:28}{show(control["auc"]):>8}{show(loss):>8}  {between:18}{balanced:>18}')
  return '\n'.join([*lines, MEANING])
