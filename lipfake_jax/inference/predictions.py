"""Predictions on the terminal and on disk.

In: what `predict` finds of each video. Out: a table; predictions.csv, which grows as they come, and predictions.json.
"""

import contextlib
import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

COLUMNS = ('video', 'p_fake', 'p_calibrated', 'verdict', 'reason', 'notes')
MAX_WIDTH = 100  # of the table's first column; longer names run into the next
CSV, JSON = 'predictions.csv', 'predictions.json'

Prediction = dict[str, Any]  # of a video or of a person: COLUMNS, and a video's 'people'


@contextlib.contextmanager
def keep_predictions(
  folder: Path, rule: Mapping[str, Any], left_out: Mapping[str, Sequence[str]]
) -> Iterator[Callable[[Sequence[Prediction]], None]]:
  """A function that keeps predictions: in the CSV at once, in the JSON at the end, by whatever it comes.

  The JSON also has the rule by which was decided, and the names of what was left out, by reason.

  A folder that can't be written is told at the end, and ends nothing.
  """
  kept: list[Prediction] = []
  problems: list[OSError] = []

  def keep(predictions: Sequence[Prediction]) -> None:
    kept.extend(predictions)
    with _note(problems):
      _add_rows(folder / CSV, [{**p, 'notes': '; '.join(p['notes'])} for p in predictions])

  with _note(problems):
    (folder / CSV).unlink(missing_ok=True)
    _add_rows(folder / CSV, [dict(zip(COLUMNS, COLUMNS, strict=True))])
  try:
    yield keep
  finally:
    with _note(problems):
      _write_json(folder / JSON, {**rule, 'videos': kept, 'left_out': left_out})
    if problems:
      print(f'\nwarning: {folder} cannot be written ({problems[0].strerror}): the predictions are not kept there')
    else:
      print(f'\nwritten to {folder / JSON}')


def prediction_table(predictions: Sequence[Prediction], rule: str) -> str:
  """One line a video, and below it one for each face where there are several, under how verdicts come about."""
  width = min(max(len('video'), *(len(p['video']) for p in predictions)), MAX_WIDTH)
  lines = [f'{"video":{width}}  p_fake  verdict ({rule})']
  lines += [line for p in predictions for line in prediction_lines(p['video'], p, width)]
  return '\n'.join(lines)


def prediction_lines(name: str, prediction: Prediction, width: int) -> list[str]:
  """A line of a table, and one for each face where there are several; notes in brackets."""
  lines = [_line(name, prediction, width)]
  people = prediction.get('people', [])
  return lines + [_line(f'  face {p["id"]}', p, width) for p in people if len(people) > 1]


def _line(name: str, prediction: Prediction, width: int) -> str:
  figure = '     -' if prediction['p_fake'] is None else f'{prediction["p_fake"]:6.3f}'
  notes = f' ({"; ".join(prediction["notes"])})' if prediction['notes'] else ''
  return f'{name:{width}}  {figure}  {prediction["verdict"] or "none: " + prediction["reason"]}{notes}'


@contextlib.contextmanager
def _note(problems: list[OSError]) -> Iterator[None]:
  try:
    yield
  except OSError as error:
    problems.append(error)


def _add_rows(path: Path, predictions: Sequence[Prediction]) -> None:
  with open(path, 'a', newline='') as file:
    csv.DictWriter(file, COLUMNS, extrasaction='ignore').writerows(predictions)


def _write_json(path: Path, contents: dict[str, Any]) -> None:
  """In one step, so that a file that exists is complete."""
  partial = path.with_suffix('.partial')
  try:
    partial.write_text(json.dumps(contents, indent=2))
    partial.replace(path)
  finally:
    partial.unlink(missing_ok=True)
