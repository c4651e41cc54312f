"""From a video file to one clip: decoding, landmarks, crops, activity and selection put together.

In: a path and a `ClipSpec`. Out: a `Clip` or a `Rejection` with its reason. Next stage: `extraction` does this for many
videos at once and keeps what it finds.
"""

import dataclasses
from pathlib import Path

import numpy as np

from lipfake_jax import flow, regions, selection
from lipfake_jax.errors import UserError
from lipfake_jax.landmarks import has_face, open_face_mesh
from lipfake_jax.video import VideoError, VideoInfo, probe, read_frames

REASONS = ('unreadable', 'no_face', 'too_short', 'too_few_active')
FLOW_ON = ('lips', 'face', 'frame')


@dataclasses.dataclass(frozen=True)
class ClipSpec:
  """What a clip holds: everything that changes its bytes (PAPER section 2).

  Attributes:
    frames: frames in a clip, T.
    size: side of the square crop in pixels, S.
    region: what the crop shows, 'lips' or 'face'.
    rule: which frames are chosen, see `selection.select_frames`.
    flow_on: the image whose activity counts: the 'lips' or 'face' crop (at `size`), or the whole 'frame'.
    threshold: activity above which a frame is active, pixels of that image per frame.
    below: with fewer active frames than `frames`: 'fill' (ours) or 'drop' (the paper's).
  """

  frames: int = 60
  size: int = 64
  region: str = 'lips'
  rule: str = 'top_k'
  flow_on: str = 'lips'
  threshold: float = 1.0
  below: str = 'fill'

  def __post_init__(self):
    choices = {
      'region': regions.REGIONS,
      'rule': selection.RULES,
      'flow_on': FLOW_ON,
      'below': selection.BELOW,
    }
    for field, known in choices.items():
      if getattr(self, field) not in known:
        raise UserError(f'clip {field}={getattr(self, field)!r}: choose one of {", ".join(known)}')
    if self.frames < 1 or self.size < 8:
      raise UserError(f'clip frames={self.frames}, size={self.size}: at least 1 frame of 8 pixels is needed')


# The paper's three strategies under the names that datasets, configs and checkpoints use. Lips by flow is the default.
SPECS = {
  'flow_lips_60x64': ClipSpec(),
  'flow_lips_even_60x64': ClipSpec(rule='even'),
  'uniform_face_60x64': ClipSpec(region='face', rule='uniform'),
  'uniform_lips_30x32': ClipSpec(frames=30, size=32, rule='uniform'),
}


@dataclasses.dataclass(frozen=True)
class Clip:
  """The chosen frames of one video, in time order. T and S as in its spec.

  Attributes:
    frames: uint8 [T, S, S, 3], RGB crops.
    indices: int32 [T], positions of the frames in the video, ascending.
    times: float32 [T], seconds.
    activity: float32 [T], pixels per frame; 0 where there was no frame before to compare with.
    boxes: float32 [T, 4], the lips' box in the source: left, top, right, bottom in pixels.
    fps: the video's frames per second.
    key: the video's name, unique in its dataset.
  """

  frames: np.ndarray
  indices: np.ndarray
  times: np.ndarray
  activity: np.ndarray
  boxes: np.ndarray
  fps: float
  key: str


@dataclasses.dataclass(frozen=True)
class Rejection:
  """A video without a clip: the reason is one of REASONS, the detail is a sentence for people."""

  reason: str
  detail: str
  key: str


@dataclasses.dataclass(frozen=True)
class Analysis:
  """What was seen in each of a video's T frames; the fields are as in `Clip`, for all frames.

  Frames without a face have usable False, a zero crop and box, and no activity.
  """

  info: VideoInfo
  crops: np.ndarray
  times: np.ndarray
  usable: np.ndarray
  activity: np.ndarray
  boxes: np.ndarray


def extract_clip(path: Path, spec: ClipSpec, key: str = '') -> Clip | Rejection:
  """Makes the clip of one video, or says why there is none. No file raises."""
  key = key or path.name
  try:
    analysis = analyse_video(path, spec)
  except VideoError as error:
    return Rejection('unreadable', str(error), key)
  return cut_clip(analysis, spec, key)


def analyse_video(path: Path, spec: ClipSpec) -> Analysis:
  """Looks at every frame of a video: face, crop and activity. The crops of all frames are held in memory.

  Raises:
    VideoError: the file can't be read as a video.
  """
  info = probe(path)
  rows: list[tuple] = []
  previous: np.ndarray | None = None
  with open_face_mesh() as detect:
    for frame in read_frames(path):
      crop, box, current = _look(frame.rgb, detect(frame.rgb), spec)
      activity = 0.0
      if previous is not None and current is not None and previous.shape == current.shape:
        activity = flow.flow_activity(previous, current)
      rows.append((crop, frame.time_s, crop is not None, activity, box))
      previous = current
  crops, times, usable, activities, boxes = zip(*rows, strict=True)
  blank = np.zeros((spec.size, spec.size, 3), np.uint8)
  return Analysis(
    info,
    np.stack([blank if crop is None else crop for crop in crops]),
    np.array(times, np.float32),
    np.array(usable, bool),
    np.array(activities, np.float32),
    np.stack(boxes),
  )


def cut_clip(analysis: Analysis, spec: ClipSpec, key: str) -> Clip | Rejection:
  """Chooses the frames of an analysed video."""
  total, faces = len(analysis.usable), int(analysis.usable.sum())
  if not faces:
    return Rejection('no_face', f'no face in any of its {total} frames', key)
  if faces < spec.frames:
    return Rejection('too_short', f'{faces} of its {total} frames show a face, {spec.frames} are needed', key)
  chosen = selection.select_frames(
    analysis.usable, analysis.activity, spec.frames, spec.rule, spec.threshold, spec.below
  )
  if not len(chosen):
    active = int((analysis.activity[analysis.usable] > spec.threshold).sum())
    detail = f'{active} frames over {spec.threshold} px per frame, {spec.frames} are needed'
    return Rejection('too_few_active', detail, key)
  return Clip(
    frames=analysis.crops[chosen],
    indices=chosen.astype(np.int32),
    times=analysis.times[chosen],
    activity=analysis.activity[chosen],
    boxes=analysis.boxes[chosen],
    fps=analysis.info.fps,
    key=key,
  )


def _look(rgb: np.ndarray, landmarks: np.ndarray, spec: ClipSpec):
  """One frame's crop, lip box and the gray image whose flow counts; the first and last are None where missing."""
  whole = flow.to_gray(rgb) if spec.flow_on == 'frame' and spec.rule != 'uniform' else None
  if not has_face(landmarks):
    return None, np.zeros(4, np.float32), whole
  crop = regions.crop_box(rgb, regions.region_box(landmarks, spec.region), spec.size)
  lips = regions.region_box(landmarks, 'lips')
  if spec.rule == 'uniform':
    return crop, lips, None  # no activity is asked for
  if spec.flow_on == 'frame':
    return crop, lips, whole
  same = spec.flow_on == spec.region
  measured = crop if same else regions.crop_box(rgb, regions.region_box(landmarks, spec.flow_on), spec.size)
  return crop, lips, flow.to_gray(measured)
