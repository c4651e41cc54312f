"""What lips and M, B and P that are heard tell of real and fake videos: closed shares, offsets, and controls.

  python benchmarks/sound.py LIST.csv --cache=FOLDER --parts=train,validation

LIST.csv has the columns path, label, identity and split. What is heard and seen in each video is kept in --cache, so
that another call measures without listening again; with --scores a file for `benchmarks/collect.py` is written: of
each video the logit of the share of events with open lips, as `lipfake detect --sound` has them, and the seconds of the
CPU that listening took. AUCs have an interval of 95 % over people. Each row's score is the
share of events at which lips are open, unless it says otherwise:

  at the offset    as `lipfake detect --sound` has it
  in time          without an offset: what a shifted sound alone makes look like a fake
  offset           how far it is from 0, in place of the share
  other words      control: the phones of another video of the same part
  vowels           control: AA, AE, AH, AO, AY and EH in place of M, B and P, which no lips close at
  F, V / W, OO     other sounds whose lips are known: their least opening, without a limit
"""

import argparse
import csv
import dataclasses
import math
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from lipfake_jax.clips import face_records, tracks
from lipfake_jax.clips.clips import Rejection
from lipfake_jax.clips.container import VideoError
from lipfake_jax.clips.extraction import digest_file
from lipfake_jax.clips.landmarks import FaceModels
from lipfake_jax.clips.listening import CLOSING, Hearing, hear_video, read_hearing, save_hearing
from lipfake_jax.clips.video import read_frames
from lipfake_jax.clips.workers import run_workers
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.vocabulary import LABELS
from lipfake_jax.data.lists import read_list
from lipfake_jax.inference.sound_evidence import LEAST_RATE, SURE, describe_hearing
from lipfake_jax.scoring.closures import CLOSED, LEAD_S, Closures, find_least, find_seen, measure_closures
from lipfake_jax.scoring.intervals import bootstrap
from lipfake_jax.scoring.metrics import rank_metrics

TIME_LIMIT_S = 3600.0
ROUNDS = 10  # nothing here depends on them
VOWELS = ('AA', 'AE', 'AH', 'AO', 'AY', 'EH')
TEETH, ROUND = ('F', 'V'), ('W', 'UW')
SHIFT_S, TOLERANCE_S = 0.2, 0.04
SPENT = 'cpu_s'  # beside a hearing: the seconds of the CPU that it took


@dataclasses.dataclass(frozen=True)
class Case:
  """A video: whose, real or fake, and what was heard and seen of the face that is seen most."""

  label: str
  identity: str
  hearing: Hearing
  times: np.ndarray
  openings: np.ndarray


def hear_job(job: tuple[Path, Path], spec: ClipSpec, models: FaceModels) -> str | None:
  """A worker's task: keeps what is heard in a video, and what lips do meanwhile, in a folder."""
  video, folder = job
  folder.mkdir(parents=True, exist_ok=True)
  faces, ends_s, began_s = folder / 'faces.bin', 0.0, time.process_time()
  try:
    for frame, _ in face_records.record(tracks.find_faces(read_frames(video), models, spec.landmark_stride), faces):
      ends_s = frame.time_s
    save_hearing(hear_video(video, faces, ends_s, names=None), folder)
  except VideoError as error:
    return str(error)
  (folder / SPENT).write_text(f'{time.process_time() - began_s:.2f}')
  return None


def hear_all(videos: Sequence[Path], cache: Path) -> list[Hearing | None]:
  """What is heard in each; None of a video that can't be read."""
  folders = [cache / digest_file(video) for video in videos]
  missing = [pair for pair in zip(videos, folders, strict=True) if read_hearing(pair[1]) is None]
  crew = min(len(missing), len(os.sched_getaffinity(0)))
  for number, (job, outcome) in enumerate(run_workers(missing, ClipSpec(), hear_job, crew, TIME_LIMIT_S), 1):
    detail = outcome.detail if isinstance(outcome, Rejection) else outcome or 'heard'
    print(f'{number} of {len(missing)}: {job[0].name}: {detail}', flush=True)
  return [read_hearing(folder) for folder in folders]


def to_case(label: str, identity: str, hearing: Hearing) -> Case:
  """The looks at the face that has most of them."""
  number, counts = np.unique(hearing.tracks, return_counts=True)
  whose = hearing.tracks == (number[counts.argmax()] if len(number) else -1)
  return Case(label, identity, hearing, hearing.times[whose], hearing.openings[whose].astype(float))


def find_events(case: Case, phones: Sequence[str], hearing: Hearing | None = None) -> np.ndarray:
  """Middles of phones that are seen, float64 [E]; of another hearing's, if there is one."""
  heard = hearing or case.hearing
  middles = heard.spans[np.isin(heard.names, phones)].mean(axis=1)
  return middles[find_seen(middles, case.times)]


def measure(case: Case, heard_s: np.ndarray, least: int) -> Closures | None:
  """None for too few events, or words that the recogniser is not sure of."""
  hearing = case.hearing
  if len(heard_s) < least or hearing.sureness < SURE or len(hearing.names) < LEAST_RATE * hearing.speech_s:
    return None
  return measure_closures(heard_s, case.times, case.openings, ROUNDS)


def share_open(found: Closures | None) -> float | None:
  """The share of open lips at the offset."""
  return None if found is None else 1 - found.share


def open_in_time(case: Case, found: Closures | None) -> float | None:
  """The share of open lips without an offset."""
  if found is None:
    return None
  return float((find_least(found.heard_s - LEAD_S, case.times, case.openings) >= CLOSED).mean())


def score_cases(cases: Sequence[Case], least: int) -> Iterator[tuple[str, list[float | None]]]:
  """Of each row of the table its name, and a score a video, None where there is none."""
  events = [find_events(case, CLOSING) for case in cases]
  found = [measure(case, heard_s, least) for case, heard_s in zip(cases, events, strict=True)]
  others = [cases[(i + 1) % len(cases)].hearing for i in range(len(cases))]
  foreign = [measure(c, find_events(c, CLOSING, o), least) for c, o in zip(cases, others, strict=True)]
  vowels = [measure(case, find_events(case, VOWELS), least) for case in cases]
  yield 'at the offset', [share_open(x) for x in found]
  yield 'in time', [open_in_time(case, x) for x, case in zip(found, cases, strict=True)]
  yield 'offset', [None if x is None else abs(x.offset_s) for x in found]
  yield 'other words', [share_open(x) for x in foreign]
  yield 'vowels', [share_open(x) for x in vowels]
  for name, phones in (('F, V', TEETH), ('W, OO', ROUND)):
    yield name, [_least_opening(case, x, find_events(case, phones)) for case, x in zip(cases, found, strict=True)]


def _least_opening(case: Case, found: Closures | None, heard_s: np.ndarray) -> float | None:
  """The mean of the least openings at sounds, at the offset of M, B and P."""
  if found is None or not len(heard_s):
    return None
  openings = find_least(heard_s - LEAD_S - found.offset_s, case.times, case.openings)
  return float(np.minimum(openings, 1.0).mean())


def score_open(hearing: Hearing) -> float | None:
  """The logit of the share of events with open lips, of the face for which most are seen; None without a word on any.

  Half an event is added to either side, so that none of few is not the same as never.
  """
  found = [describe_hearing(hearing, track)[0]['events'] for track in np.unique(hearing.tracks).tolist()]
  events = max((events for events in found if events), key=len, default=None)
  if events is None:
    return None
  opened = sum(not event['closed'] for event in events)
  return math.log((opened + 0.5) / (len(events) - opened + 0.5))


def write_scores(path: Path, videos: Sequence[Path], hearings: Sequence[Hearing | None], cache: Path) -> None:
  """A row a video, with no logit where nothing is said."""
  with open(path, 'w', newline='') as file:
    writer = csv.writer(file)
    writer.writerow(['path', 'logit', 'cpu_s'])
    for video, hearing in zip(videos, hearings, strict=True):
      spent = (cache / digest_file(video) / SPENT).read_text() if hearing else 0
      writer.writerow([video, score_open(hearing) if hearing else None, spent])


def describe_row(name: str, cases: Sequence[Case], scores: Sequence[float | None]) -> str:
  """A row: videos and mean of each class, and the AUC with its interval."""
  known = [i for i, score in enumerate(scores) if score is not None]
  labels = np.array([cases[i].label == LABELS[1] for i in known])
  values = np.array([scores[i] for i in known], float)
  of = [f'{values[labels == c].mean():.3f} ({(labels == c).sum()})' if (labels == c).any() else '-' for c in (0, 1)]
  if len(set(labels.tolist())) < 2:
    return f'| {name} | {" | ".join(of)} | - |'
  auc: Callable = lambda where: {'auc': rank_metrics(labels[where], values[where])['auc']}  # noqa: E731
  [interval] = bootstrap(auc, [cases[i].identity for i in known]).values()
  ends = f' ({interval[0]:.2f}-{interval[1]:.2f})' if interval else ''
  return f'| {name} | {" | ".join(of)} | {auc(np.arange(len(known)))["auc"]:.3f}{ends} |'


def describe_offsets(cases: Sequence[Case], least: int) -> Iterator[str]:
  """Offsets of each class, and what becomes of them where the sound is shifted."""
  for label in LABELS:
    pairs = [(case, find_events(case, CLOSING)) for case in cases if case.label == label]
    found = [(case, heard_s, x) for case, heard_s in pairs if (x := measure(case, heard_s, least))]
    if not found:
      continue
    offsets = 1000 * np.array([x.offset_s for *_, x in found])
    low, middle, high = np.percentile(offsets, (10, 50, 90))
    moved = [
      (measure_closures(later, case.times, case.openings, ROUNDS), x)
      for case, heard_s, x in found
      if len(later := (heard_s + SHIFT_S)[find_seen(heard_s + SHIFT_S, case.times)]) >= least
    ]
    right = [abs(y.offset_s - SHIFT_S) <= TOLERANCE_S for y, _ in moved]
    same = [abs(y.offset_s - x.offset_s - SHIFT_S) <= TOLERANCE_S for y, x in moved]
    closed = sum((x.openings < CLOSED).sum() for *_, x in found), sum(len(x.openings) for *_, x in found)
    yield (
      f'{label}: {closed[0]} of {closed[1]} events closed ({closed[0] / closed[1]:.2f}); offset {middle:+.0f} ms, 10 to'
      f' 90 %: {low:+.0f} to {high:+.0f}; shifted by {1000 * SHIFT_S:+.0f} ms: told as that within'
      f' {1000 * TOLERANCE_S:.0f} ms in {sum(right)} of {len(moved)}, within as much of their own offset and that in'
      f' {sum(same)}; closed then {np.mean([y.share for y, _ in moved] or [np.nan]):.2f}'
    )


def main() -> None:
  """Listens where that is left to do, then prints Markdown."""
  parser = argparse.ArgumentParser(description='What lips and sound tell of real and fake videos.')
  parser.add_argument('list', type=Path)
  parser.add_argument('--cache', type=Path, required=True)
  parser.add_argument('--parts', default='train,validation')
  parser.add_argument('--least', type=int, nargs='+', default=[3, 5], help='events that a video needs')
  parser.add_argument('--scores', type=Path, metavar='FILE', help='for benchmarks/collect.py')
  options = parser.parse_args()
  table = read_list(options.list, ('path', 'label', 'identity', 'split'))
  rows = [row for _, row in table.rows if row['split'] in options.parts.split(',')]
  videos = [options.list.parent / row['path'] for row in rows]
  hearings = hear_all(videos, options.cache)
  if options.scores:
    write_scores(options.scores, videos, hearings, options.cache)
  cases = [to_case(row['label'], row['identity'], h) for row, h in zip(rows, hearings, strict=True) if h]
  heard = [case for case in cases if case.hearing.state in ('heard', 'short')]
  counts = {label: sum(case.label == label for case in heard) for label in LABELS}
  print(f'{len(rows)} videos of {options.parts}; with sound {counts}')
  for least in options.least:
    print(f'\nat least {least} events\n\n| score | reals: mean (videos) | fakes | AUC |\n|---|---|---|---|')
    for name, scores in score_cases(heard, least):
      print(describe_row(name, heard, scores))
    print('\n'.join(describe_offsets(heard, least)))


if __name__ == '__main__':
  main()
