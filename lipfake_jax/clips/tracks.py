"""The faces of a video, followed over time.

In: frames one by one. Out: for every frame the placement of each face in it, and its lips. Next stage: `clips` cuts
them out.

Landmarks are taken in key frames only, every `stride`-th one; between two of them all is interpolated. A track
is one person between two cuts. It consists of segments: where a face is lost for a moment its track goes on with a new
segment, and nothing is averaged or compared across the gap.
"""

import collections
import dataclasses
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from lipfake_jax.clips.landmarks import MIN_CONFIDENCE, FaceModels, find_turned, frame_face, mesh_upright
from lipfake_jax.clips.video import Frame

MAX_FACES = 4  # followed at once, the largest
SEARCH_S = 1.0  # seconds between searches for new faces while others are followed, and for faces that lie or hang
FORGET_S = 1.0  # seconds after which a lost face that comes back is another track
SAME_FACE = 0.3  # overlap (intersection over union) of two boxes that are one face
MOMENTUM = 0.5  # of a face's motion, the share that is expected to go on; more follows the landmarks' noise
FIXED_POINT = 8  # landmarks are kept in eighths of a pixel, so that new and stored ones are the same numbers

# A cut: the mean difference of two frames' brightness, in gray levels, is this large, and so many times larger than
# between any two of the frames just before. On 180 real videos two frames of a take differ by 1.3 (median), 99 % by
# less than 9, and the cuts that this finds by 13 to 103; cuts within a sitting are the smallest of them.
CUT_SHOT, CUT_SHOT_RATIO = 25.0, 2.0
CUT_TAKE, CUT_TAKE_RATIO = 8.0, 4.0
CUT_MEMORY = 10  # frames
THUMB_STEP = 8  # every 8th pixel in both directions tells

Boxes = np.ndarray  # float [4]: left, top, right, bottom
ToSquares = Callable[[np.ndarray], np.ndarray]  # float32 [468, 2] -> complex128 [R, 2]: placements of R regions
ToLips = Callable[[np.ndarray], np.ndarray]  # float32 [468, 2] -> complex128 [K], as `regions.trace_lips`


@dataclasses.dataclass(frozen=True)
class KeyFace:
  """A face in a key frame: its segment, its track, and int16 [468, 2] landmarks in eighths of a pixel."""

  segment: int
  track: int
  fixed: np.ndarray

  @property
  def landmarks(self) -> np.ndarray:
    """float32 [468, 2], in pixels."""
    return self.fixed.astype(np.float32) / FIXED_POINT


@dataclasses.dataclass(frozen=True)
class PlacedFace:
  """A face in any frame: its segment and its track, where its R regions are, complex128 [R, 2], and lips [K]."""

  segment: int
  track: int
  placements: np.ndarray
  lips: np.ndarray


@dataclasses.dataclass(eq=False)
class _FollowedFace:
  """What is remembered of a face: its times and landmarks in the last two key frames."""

  segment: int
  track: int
  times: list[float]
  landmarks: list[np.ndarray]

  def expect(self, time_s: float) -> np.ndarray:
    """Landmarks expected at a time: the face goes on as before, for at most as long as the last step took."""
    if len(self.times) < 2:
      return self.landmarks[-1]
    (before, last), (old, new) = self.times[-2:], self.landmarks[-2:]
    return new + (new - old) * MOMENTUM * min((time_s - last) / max(last - before, 1e-6), 1.0)

  def note(self, time_s: float, landmarks: np.ndarray) -> None:
    self.times = [*self.times[-1:], time_s]
    self.landmarks = [*self.landmarks[-1:], landmarks]


FrameFaces = tuple[Frame, list[KeyFace] | None]  # a frame, and the faces in it if it is a key frame


def find_faces(frames: Iterable[Frame], models: FaceModels, stride: int) -> Iterator[FrameFaces]:
  """Finds and follows the faces of a video.

  Args:
    frames: in order.
    models: from `landmarks.open_face_models`.
    stride: every stride-th frame is a key frame, and so are the frames on both sides of a cut or a leap, and the last
      one. After a leap a face where one was is the same one, unless the picture is another (CUT_SHOT).

  Yields:
    Every frame, with its faces in key frames and None in the others.
  """
  active: list[_FollowedFace] = []
  lost: list[_FollowedFace] = []
  ids = _Counters()
  differences: collections.deque[float] = collections.deque(maxlen=CUT_MEMORY)
  held: Frame | None = None  # the frame before, which becomes a key frame if a cut follows it
  searched_s = turned_s = -np.inf

  def look(frame: Frame) -> list[KeyFace]:
    nonlocal active, lost, searched_s, turned_s
    gone = _follow_on(active, frame, models)
    active = [face for face in active if face not in gone]
    lost = [face for face in lost + gone if frame.time_s - face.times[-1] <= FORGET_S]
    if not active or gone or frame.time_s - searched_s >= SEARCH_S:
      searched_s = frame.time_s
      found = models.find(frame)
      if not active and not found and frame.time_s - turned_s >= SEARCH_S:
        turned_s = frame.time_s
        found = find_turned(models, frame)
      active, lost = _meet(found, frame, models, active, lost, ids)
    return [KeyFace(face.segment, face.track, _to_fixed(face.landmarks[-1])) for face in active]

  until_key = 0
  for frame in frames:
    if held is None:
      held = frame
      continue
    difference = _difference(held, frame)
    cut = difference > CUT_SHOT if frame.leaps else _is_cut(difference, differences)
    differences.append(difference)
    is_key = until_key == 0 or cut or frame.leaps
    yield held, look(held) if is_key else None
    until_key = (stride if is_key else until_key) - 1
    if cut or frame.leaps:
      lost = [] if cut else [dataclasses.replace(face, times=[frame.time_s]) for face in active + lost]
      active, until_key = [], 0
      searched_s = turned_s = -np.inf
      differences.clear()
    held = frame
  if held is not None:
    yield held, look(held)


def replay_faces(frames: Iterable[Frame], key_faces: dict[int, list[KeyFace]]) -> Iterator[FrameFaces]:
  """What `find_faces` gave before, for the same frames; the faces by index of their key frame."""
  for frame in frames:
    yield frame, key_faces.get(frame.index)


def place_faces(
  seen: Iterable[FrameFaces], to_squares: ToSquares, to_lips: ToLips, half_window_s: float
) -> Iterator[tuple[Frame, list[PlacedFace]]]:
  """Places every face in every frame: interpolated between key frames, and smoothed over a centred window.

  Args:
    seen: from `find_faces`.
    to_squares: from landmarks to placements.
    to_lips: from landmarks to lips, which are interpolated and not smoothed.
    half_window_s: weights fall from 1 in a frame to 0 this many seconds away, as a raised cosine; 0 smooths nothing.

  Yields:
    Every frame, in order, with its faces. Frames wait for as long as their window reaches ahead.
  """
  window, moment = _window(half_window_s), _window(0)
  waiting: collections.deque[Frame] = collections.deque()
  spans: dict[int, _Segment] = {}

  def release() -> Iterator[tuple[Frame, list[PlacedFace]]]:
    while waiting:
      now = waiting[0].time_s
      if any(span.open and span.times[-1] < now + half_window_s for span in spans.values()):
        return
      faces = [
        PlacedFace(segment, span.track, span.at(now, span.placements, window), span.at(now, span.lips, moment))
        for segment, span in spans.items()
        if span.times[0] <= now <= span.times[-1]
      ]
      yield waiting.popleft(), faces
      for segment in [s for s, span in spans.items() if not span.open and span.times[-1] <= now]:
        del spans[segment]
      for span in spans.values():
        span.forget(now - half_window_s)

  for frame, faces in seen:
    waiting.append(frame)
    if faces is None:
      if not any(span.open for span in spans.values()):
        yield from release()
      continue
    for face in faces:
      span = spans.setdefault(face.segment, _Segment(face.track))
      span.times.append(frame.time_s)
      span.placements.append(to_squares(face.landmarks))
      span.lips.append(to_lips(face.landmarks))
    for segment in spans.keys() - {face.segment for face in faces}:
      spans[segment].open = False
    yield from release()
  for span in spans.values():
    span.open = False
  yield from release()


@dataclasses.dataclass
class _Segment:
  """The key placements of a segment, and its lips, as far back as they are needed."""

  track: int
  times: list[float] = dataclasses.field(default_factory=list)
  placements: list[np.ndarray] = dataclasses.field(default_factory=list)
  lips: list[np.ndarray] = dataclasses.field(default_factory=list)
  open: bool = True

  def forget(self, before_s: float) -> None:
    """Drops what no moment from before_s on needs, so that a long segment takes no more memory than a short one."""
    while len(self.times) > 2 and self.times[1] < before_s:
      for column in (self.times, self.placements, self.lips):
        column.pop(0)

  def at(self, time_s: float, values: list[np.ndarray], window: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Key values about a time, averaged over a window; beyond its ends a segment stands still."""
    offsets, weights = window
    keys, moments = np.array(self.times), time_s + offsets
    if len(keys) == 1:
      return values[0]
    after = np.clip(np.searchsorted(keys, moments), 1, len(keys) - 1)
    share = np.clip((moments - keys[after - 1]) / (keys[after] - keys[after - 1]), 0, 1)
    of_key = np.bincount(after, weights * share, len(keys))  # how much each key placement counts for
    of_key += np.bincount(after - 1, weights * (1 - share), len(keys))
    return np.tensordot(of_key, np.array(values), 1)


@dataclasses.dataclass
class _Counters:
  """Numbers for new tracks and segments."""

  track: int = 0
  segment: int = 0

  def next_track(self) -> int:
    self.track += 1
    return self.track - 1

  def next_segment(self) -> int:
    self.segment += 1
    return self.segment - 1


def _follow_on(active: Sequence[_FollowedFace], frame: Frame, models: FaceModels) -> list[_FollowedFace]:
  """Finds the active faces again, each where it is expected; returns those that are not there."""
  gone = []
  for position, face in enumerate(active):
    landmarks, confidence = models.mesh(frame, frame_face(face.expect(frame.time_s)))
    taken = any(
      _overlap(_box(landmarks), _box(other.landmarks[-1])) > SAME_FACE
      for other in active[:position]
      if other not in gone
    )
    if confidence < MIN_CONFIDENCE or taken:
      gone.append(face)
    else:
      face.note(frame.time_s, landmarks)
  return gone


def _meet(
  found: Sequence[np.ndarray],
  frame: Frame,
  models: FaceModels,
  active: list[_FollowedFace],
  lost: list[_FollowedFace],
  ids: _Counters,
) -> tuple[list[_FollowedFace], list[_FollowedFace]]:
  """Follows faces that were found and are not followed yet; a lost one back near its place keeps its track."""
  active, lost = list(active), list(lost)
  for placement in found:
    if len(active) >= MAX_FACES:
      break
    if any(_holds(_box(face.landmarks[-1]), placement[0]) for face in active):
      continue
    landmarks, confidence = mesh_upright(models, frame, placement)
    box = _box(landmarks)
    if confidence < MIN_CONFIDENCE or any(_overlap(box, _box(face.landmarks[-1])) > SAME_FACE for face in active):
      continue
    back = next((face for face in lost if _overlap(box, _box(face.landmarks[-1])) > SAME_FACE), None)
    if back:
      lost.remove(back)
    track = back.track if back else ids.next_track()
    active.append(_FollowedFace(ids.next_segment(), track, [frame.time_s], [landmarks]))
  return active, lost


def _is_cut(difference: float, before: Sequence[float]) -> bool:
  usual = max(before, default=0.0)
  shot = difference > CUT_SHOT and difference > CUT_SHOT_RATIO * usual
  return shot or (len(before) == CUT_MEMORY and difference > CUT_TAKE and difference > CUT_TAKE_RATIO * usual)


def _difference(one: Frame, other: Frame) -> float:
  """Mean absolute difference of brightness, gray levels; 255 if the frame's size changed."""
  a, b = (frame.luma[THUMB_STEP // 2 :: THUMB_STEP, THUMB_STEP // 2 :: THUMB_STEP] for frame in (one, other))
  return (
    float(np.abs(a.astype(np.int16) - b).mean())
    if a.shape == b.shape and a.size
    else 255.0 * (one.luma.shape != other.luma.shape)
  )


def _box(landmarks: np.ndarray) -> Boxes:
  return np.concatenate([landmarks.min(axis=0), landmarks.max(axis=0)])


def _holds(box: Boxes, point: complex) -> bool:
  return bool(box[0] <= point.real <= box[2] and box[1] <= point.imag <= box[3])


def _overlap(one: Boxes, other: Boxes) -> float:
  """Intersection over union."""
  low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
  common = float(np.prod(np.clip(high - low, 0, None)))
  union = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])) - common
  return common / union if union > 0 else 0.0


def _to_fixed(landmarks: np.ndarray) -> np.ndarray:
  limits = np.iinfo(np.int16)
  return np.clip(np.round(landmarks * FIXED_POINT), limits.min, limits.max).astype(np.int16)


def _window(half_window_s: float) -> tuple[np.ndarray, np.ndarray]:
  """Moments of the smoothing window in seconds from its centre, and their weights, which sum to 1."""
  if half_window_s <= 0:
    return np.zeros(1), np.ones(1)
  unit = np.linspace(-1, 1, 17)[1:-1]
  weights = 1 + np.cos(np.pi * unit)
  return unit * half_window_s, weights / weights.sum()
