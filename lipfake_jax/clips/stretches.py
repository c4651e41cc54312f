"""Which parts of a long video are looked at, and their frames: stretches spread over it, reached by seeking.

In: the path of an untrusted file, and what its header says. Out: a `Plan`, and frames as `video.read_frames` gives
them, a leap where a stretch begins. Next stage: `tracks`.

Each stretch begins with a key frame, the last one before its place, so that no frame is decoded for nothing. Where a
file can't be sought in, or has too few key frames, it is read through.
"""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np

from lipfake_jax.clips.container import VideoError, open_video
from lipfake_jax.clips.features import features_of
from lipfake_jax.clips.video import Frame, VideoInfo, decode_frames, read_rate
from lipfake_jax.clips.windows import WINDOW_S
from lipfake_jax.core.clip_spec import ClipSpec

LONG_S = 240.0  # videos that last longer are looked at in stretches
LOOKED_AT_S = 120.0  # of them, in all
STRETCH_S = 5.0  # of one, or as long as a window of the model's takes and a quarter more


@dataclasses.dataclass(frozen=True)
class Start:
  """A key frame: its time in units of its stream, and in seconds since the file begins."""

  pts: int
  time_s: float


@dataclasses.dataclass(frozen=True)
class Plan:
  """What is looked at of a video: all, or some stretches, each `length_s` seconds from its start on.

  Attributes:
    starts: of the stretches, ascending; none is all of it.
    length_s: of each.
    notes: sentences for people on what was left out, and why nothing was.
  """

  starts: tuple[Start, ...] = ()
  length_s: float = float('inf')
  notes: tuple[str, ...] = ()


def plan_stretches(path: Path, info: VideoInfo, spec: ClipSpec) -> Plan:
  """What to look at of a video: of at most LONG_S all of it.

  Raises:
    VideoError: the file can't be read as a video.
  """
  length_s = max(STRETCH_S, 1.25 * window_s(info, spec))
  count = round(LOOKED_AT_S / length_s)
  whole_face = any(feature.first < float('inf') for feature in features_of(spec))  # a feature of one leaves nothing out
  if info.duration_s <= LONG_S or whole_face or count < 2:
    return Plan()
  starts = find_starts(path, np.linspace(0, info.duration_s - length_s, count).tolist(), length_s)
  if not starts:
    return Plan(notes=('it can not be sought in, or has too few key frames: all of it was looked at',))
  looked = f'{len(starts)} stretches of {length_s:g} s were looked at, spread over {info.duration_s:.0f} s'
  return Plan(tuple(starts), length_s, (f'{looked}: --dense looks at all',))


def window_s(info: VideoInfo, spec: ClipSpec) -> float:
  """Seconds that a window takes at most."""
  return spec.frames / spec.rate if spec.rule == 'contiguous' else max(WINDOW_S, spec.frames / info.fps)


def find_starts(path: Path, places_s: Sequence[float], length_s: float) -> list[Start]:
  """The key frames at which stretches begin that lie about some places, without overlap; nothing is decoded.

  None, if one of the places can't be reached: its key frame is before the place before it, as where a file is cut off.
  """
  starts: list[Start] = []
  with open_video(path) as (container, stream):
    began_s = (container.start_time or 0) / av.time_base
    for before_s, place_s in itertools.pairwise((-np.inf, *places_s)):
      start = _find_start(container, stream, began_s, place_s, length_s)
      if start is None or start.time_s < before_s:
        return []
      if not starts or start.time_s >= starts[-1].time_s + length_s:
        starts.append(start)
  return starts


def _find_start(container, stream, began_s: float, place_s: float, length_s: float) -> Start | None:
  """The first key frame after seeking to a place; None where there is none before a stretch would end."""
  try:
    container.seek(round((place_s + began_s) / stream.time_base), stream=stream)
    for packet in container.demux(stream):
      if packet.pts is None:
        continue
      time_s = float(packet.pts * packet.time_base) - began_s
      if time_s > place_s + length_s:
        return None
      if packet.is_keyframe:
        return Start(packet.pts, time_s)
  except (av.FFmpegError, EOFError):
    pass
  return None


def read_stretches(path: Path, plan: Plan) -> Iterator[Frame]:
  """The frames of a plan's stretches. Their indices are about those that they have in the file, with gaps between.

  A stretch that does not decode is passed over.

  Raises:
    VideoError: none of them decodes.
  """
  index, fault = -2, VideoError('no frame of its video stream decodes')
  with open_video(path) as (container, stream):
    fps = read_rate(stream)
    for start in plan.starts:
      first, leaps = max(index + 2, round(start.time_s * fps)), index >= 0
      try:
        container.seek(start.pts, stream=stream)
        for frame in decode_frames(container, stream):
          if frame.time_s >= start.time_s + plan.length_s:
            break
          if frame.time_s >= start.time_s - 1e-6:  # what comes before a key frame may refer to what is not there
            index = first + frame.index
            yield dataclasses.replace(frame, index=index, leaps=leaps)
            leaps = False
      except (VideoError, av.FFmpegError) as error:
        fault = VideoError(str(error))
  if index < 0:
    raise fault
