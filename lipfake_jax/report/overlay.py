"""What was found in a video, drawn on it: a box about the mouth of each person who was scored, and the window's score.

In: a document of `inference.findings`, and of each of its windows where the face was. Out: an mp4. Next stage: people
look at it.
"""

import bisect
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import av
import cv2
import numpy as np

from lipfake_jax.clips.clips import Clip, Rejection
from lipfake_jax.clips.container import VideoError
from lipfake_jax.clips.landmarks import FaceModels
from lipfake_jax.clips.workers import run_workers
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.inference.findings import Document
from lipfake_jax.report.redrawn_video import redraw_video
from lipfake_jax.report.timeline import level

COLOURS = {'high': (200, 30, 30), 'middle': (200, 130, 0), 'low': (20, 130, 60)}  # RGB, as on the page
WHITE = (255, 255, 255)
CORNERS = np.array([-1 - 1j, 1 - 1j, 1 + 1j, -1 + 1j])  # of a square whose half is 1
FONT, FONT_HEIGHT = cv2.FONT_HERSHEY_SIMPLEX, 22.0  # pixels of a line of text at scale 1
LINES = 18  # of text that would fit into the shorter side


class Trace(NamedTuple):
  """Where a face's crop is in the frames of a window: seconds, float64 [T], and squares, complex128 [T, 2]: the centre,
  and from it half a side to the right, turned with the head, both in pixels."""

  times: np.ndarray
  squares: np.ndarray


class Mark(NamedTuple):
  """A window of a person: where the face is, from when to when in seconds, what is written beside it, its colour."""

  trace: Trace
  start_s: float
  end_s: float
  text: str
  colour: tuple[int, int, int]


def trace_face(clip: Clip) -> Trace:
  """Where the face of a window is."""
  boxes = clip.boxes.astype(np.float64)
  centres = (boxes[:, 0] + boxes[:, 2] + 1j * (boxes[:, 1] + boxes[:, 3])) / 2
  halves = (boxes[:, 2] - boxes[:, 0]) / 2 * np.exp(1j * np.radians(clip.angles))
  return Trace(clip.times.astype(np.float64), np.stack([centres, halves], axis=1))


def write_overlay(
  video: Path, path: Path, document: Document, traces: Sequence[Sequence[Trace]], limit_s: float
) -> str | None:
  """Writes the mp4, in a process of its own, since a hostile video may end it.

  Args:
    video: the file.
    path: of the mp4.
    document: of the video.
    traces: of each person's windows, see `trace_face`.
    limit_s: seconds that it may take.

  Returns:
    Why there is none, or None.
  """
  task = functools.partial(_write, title=_title(document), people=list_marks(document, traces))
  [(_, outcome)] = run_workers([(video, path)], ClipSpec(), task, 1, limit_s)
  return f'{outcome.reason} ({outcome.detail})' if isinstance(outcome, Rejection) else outcome


def list_marks(document: Document, traces: Sequence[Sequence[Trace]]) -> list[list[Mark]]:
  """Of each person the windows in time order."""
  return [
    [
      Mark(
        trace,
        window['start_s'],
        window['end_s'],
        f'person {person["id"]}: {window["p_fake"]:.2f}',
        COLOURS[level(document, window)],
      )
      for window, trace in zip(person['windows'], found, strict=True)
    ]
    for person, found in zip(document['people'], traces, strict=True)
  ]


def draw_marks(rgb: np.ndarray, time_s: float, title: str, people: Sequence[Sequence[Mark]]) -> None:
  """Draws the title, and what is marked at a moment, on a frame: RGB uint8 [H, W, 3], in place."""
  for mark in find_marks(people, time_s):
    corners = locate(mark.trace, time_s)
    points = np.stack([corners.real, corners.imag], axis=1).round().astype(np.int32)
    cv2.polylines(rgb, [points], True, mark.colour, max(2, min(rgb.shape[:2]) // 200), cv2.LINE_AA)
    _write_text(rgb, mark.text, int(points[:, 0].min()), int(points[:, 1].min()), mark.colour)
  _write_text(rgb, title, 0, 0, (0, 0, 0))


def find_marks(people: Sequence[Sequence[Mark]], time_s: float) -> Iterator[Mark]:
  """The window of each person that holds a moment; of two that overlap the later one."""
  for marks in people:
    number = bisect.bisect_right(marks, time_s, key=lambda mark: mark.start_s) - 1
    if number >= 0 and time_s < marks[number].end_s:
      yield marks[number]


def locate(trace: Trace, time_s: float) -> np.ndarray:
  """The corners of a face's square at a moment, complex128 [4], between the moments at which it was seen."""
  centre, half = (np.interp(time_s, trace.times, column) for column in trace.squares.T)
  return centre + half * CORNERS


def _title(document: Document) -> str:
  """The video's verdict in a line; letters of other scripts are none to OpenCV, so it names no file."""
  score = '' if document['p_fake'] is None else f' {document["p_fake"]:.2f}'
  return f'lipfake {document["tool"]["version"]}: {document["verdict"]}{score}'


def _write(job: tuple[Path, Path], spec: ClipSpec, models: FaceModels, title: str, people: list[list[Mark]]):
  """A worker's task."""
  del spec, models  # of workers that look for faces
  try:
    redraw_video(*job, functools.partial(draw_marks, title=title, people=people))
  except (VideoError, av.FFmpegError, ValueError) as error:
    return f'unreadable ({error})'
  return None


def _write_text(rgb: np.ndarray, text: str, left: int, bottom: int, colour: tuple[int, int, int]) -> None:
  """White letters on a bar of a colour above a point, or below it, and within the frame."""
  height, width = rgb.shape[:2]
  line = max(11, min(height, width) // LINES)
  scale, thick = line / FONT_HEIGHT * 0.7, max(1, line // 16)
  (wide, tall), _ = cv2.getTextSize(text, FONT, scale, thick)
  left, top = max(0, min(left, width - wide - 4)), max(0, min(bottom - line, height - line))
  cv2.rectangle(rgb, (left, top), (left + wide + 4, top + line), colour, cv2.FILLED)
  cv2.putText(rgb, text, (left + 2, top + (line + tall) // 2), FONT, scale, WHITE, thick, cv2.LINE_AA)
