"""What is seen in a video: its faces' tracks, a crop of every frame of each, and how active it is.

In: a path and a `ClipSpec`. Out: an `Analysis`. Next stage: `clips` chooses a track and its frames. Crops and lips lie
in a file that stays in memory while it is small; only numbers are kept of each frame.
"""

import array
import dataclasses
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import IO

import numpy as np

from lipfake_jax.clips import face_records, flow, placement, regions, tracks
from lipfake_jax.clips.features import codec_motion
from lipfake_jax.clips.landmarks import FaceModels
from lipfake_jax.clips.perturb import perturb
from lipfake_jax.clips.video import Frame, VideoInfo, probe, read_frames
from lipfake_jax.core.clip_spec import ClipSpec

# Half the window over which aligned placements are averaged, in seconds. Shorter, and the crop shakes with the
# landmarks' errors; longer, and it lags behind a nodding head.
SMOOTHING_S = {'aligned': 0.3, 'box': 0.0}
SPOOL_BYTES = 32 << 20  # crops and lips of one video that are held in memory; the rest waits on disk
LIPS_BYTES = len(regions.LIP_POINTS) * np.dtype(np.complex64).itemsize  # 512 a frame
COLUMNS = 12  # numbers that are kept of a face in a frame
NORMAL_MOUTH, NORMAL_RATE = 64.0, 25.0  # normalised activity: pixels where the mouth is 64 wide, per 1/25 s


@dataclasses.dataclass(frozen=True)
class Track:
  """What was seen of one face, in the T frames that show it.

  Attributes:
    number: of the face in its video.
    indices, times, segments: int64 [T], float64 [T], int64 [T] of these frames.
    activity: float64 [T], pixels per frame; an estimate where `measured` is False.
    measured: bool [T].
    lips_activity: float64 [T], estimated on the lips, for figures on the video.
    placements: complex128 [T, 2], of the crop.
    mouth_widths: float64 [T], pixels of the frame.
    flow_sides: float64 [T], side in pixels of the frame of the square that the activity is measured on.
    rows: int64 [T], bytes at which their lips and crops begin in `Analysis.spool`.
  """

  number: int
  indices: np.ndarray
  times: np.ndarray
  segments: np.ndarray
  activity: np.ndarray
  measured: np.ndarray
  lips_activity: np.ndarray
  placements: np.ndarray
  mouth_widths: np.ndarray
  flow_sides: np.ndarray
  rows: np.ndarray

  def __len__(self) -> int:
    return len(self.indices)


@dataclasses.dataclass(frozen=True)
class Analysis:
  """All that was seen in a video: its tracks, and a file with the crops and lips of all their frames.

  `duration` is the time from the first frame to the last, in seconds: headers give it wrongly, or not at all.
  """

  info: VideoInfo
  n_frames: int
  duration: float
  tracks: list[Track]
  spool: IO[bytes]


def analyse_video(path: Path, spec: ClipSpec, models: FaceModels, sightings_cache: Path | None = None) -> Analysis:
  """Looks at every frame of a video: faces, crops and activity. Memory hardly grows with the video's length.

  Raises:
    VideoError: the file can't be read as a video.
  """
  info = probe(path)
  frames = perturb(read_frames(path), spec.perturbation, info.fps)
  if sightings_cache and sightings_cache.exists():
    return _analyse(info, tracks.replay_faces(frames, face_records.read(sightings_cache)), spec)
  seen = tracks.find_faces(frames, models, spec.landmark_stride)
  return _analyse(info, face_records.record(seen, sightings_cache) if sightings_cache else seen, spec)


def measure_activity(analysis: Analysis, track: Track, spec: ClipSpec, which: np.ndarray) -> Track:
  """The track with the activity of some more of its frames measured in full; which ones: bool [T]."""
  missing = np.flatnonzero(which & ~track.measured)
  activity, factor = track.activity.copy(), _normalising(track, spec)
  for i in missing:
    if i and _adjoins(track, i):
      pair = (_read_gray(analysis.spool, track.rows[j], spec) for j in (i - 1, i))
      activity[i] = flow.flow_activity(*pair) * factor[i]
  return dataclasses.replace(track, activity=activity, measured=track.measured | which)


def measure_motion(analysis: Analysis, track: Track, spec: ClipSpec) -> np.ndarray:
  """float32 [F], the codec's motion in the first frames of a track, see `codec_motion`; [0] if the spec has none."""
  if not spec.motion:
    return np.zeros(0, np.float32)
  rows = track.rows[: codec_motion.MAX_FRAMES]
  squares, crops = zip(*(_read_face(analysis.spool, row, spec) for row in rows), strict=True)
  return codec_motion.measure_motion(crops, np.array(squares), np.array([_adjoins(track, i) for i in range(len(rows))]))


def read_crop(spool: IO[bytes], row: int, spec: ClipSpec) -> np.ndarray:
  """A crop that lies in `Analysis.spool`, RGB uint8 [S, S, 3]."""
  spool.seek(int(row) + LIPS_BYTES)
  return np.frombuffer(spool.read(spec.size**2 * 3), np.uint8).reshape(spec.size, spec.size, 3)


def read_lips(spool: IO[bytes], row: int, spec: ClipSpec) -> np.ndarray:
  """Lips that lie in `Analysis.spool`, complex64 [K], see `regions.trace_lips`."""
  spool.seek(int(row))
  return np.frombuffer(spool.read(LIPS_BYTES), np.complex64)


def _read_gray(spool: IO[bytes], row: int, spec: ClipSpec) -> np.ndarray:
  """uint8 [S, S], the image that the flow is measured on."""
  if not spec.measures_another_crop:
    return flow.to_gray(read_crop(spool, row, spec))
  spool.seek(int(row) + LIPS_BYTES + spec.size**2 * 3)
  return np.frombuffer(spool.read(spec.size**2), np.uint8).reshape(spec.size, spec.size)


def _read_face(spool: IO[bytes], row: int, spec: ClipSpec) -> tuple[np.ndarray, np.ndarray]:
  """The lips' square in the face, complex128 [2], and the face for the codec, uint8 [SIDE, SIDE]."""
  side = codec_motion.SIDE
  spool.seek(int(row) + LIPS_BYTES + spec.size**2 * (4 if spec.measures_another_crop else 3))
  return np.frombuffer(spool.read(32), complex), np.frombuffer(spool.read(side**2), np.uint8).reshape(side, side)


def _analyse(info: VideoInfo, seen: Iterable[tracks.Seen], spec: ClipSpec) -> Analysis:
  # Regions in the order in which their placements are used: the crop, the measured image, the lips, maybe the face;
  # then the mouth.
  names = (spec.region, spec.flow_on if spec.flow_on != 'frame' else spec.region, 'lips', *['face'] * spec.motion)

  def place(landmarks: np.ndarray) -> np.ndarray:
    found = {name: regions.place_region(landmarks, name, spec.alignment) for name in set(names)}
    return np.stack([*(found[name] for name in names), regions.span_mouth(landmarks)])

  spool = tempfile.SpooledTemporaryFile(SPOOL_BYTES)  # noqa: SIM115 - it outlives this function, in what it returns
  notes: dict[int, _Notes] = {}
  n_frames = 0
  began = ended = 0.0
  whole: tuple[int, np.ndarray] | None = None
  for frame, faces in tracks.follow(seen, place, regions.trace_lips, SMOOTHING_S[spec.alignment]):
    began, ended = began if n_frames else frame.time_s, frame.time_s
    n_frames += 1
    whole_activity = 0.0
    if spec.flow_on == 'frame':
      before, whole = whole, (frame.index, frame.luma)
      if before and before[1].shape == frame.luma.shape:
        whole_activity = flow.flow_activity(before[1], frame.luma)
    for face in faces:
      notes.setdefault(face.track, _Notes()).add(frame, face, spool, spec, whole_activity)
  found = [_to_track(number, note, spec) for number, note in sorted(notes.items())]
  return Analysis(info, n_frames, ended - began, found, spool)


class _Notes:
  """What is written down of a track while its frames pass by."""

  def __init__(self):
    self.table = array.array('d')
    self.last: tuple[int, int] = (-1, -1)  # segment and index
    self.halved: list[np.ndarray] = []  # of the last frame: the measured crop and the lips, at half the size

  def add(self, frame: Frame, face: tracks.Face, spool: IO[bytes], spec: ClipSpec, whole: float) -> None:
    row = spool.tell()
    crop = placement.cut(frame, face.placements[0], spec.size)
    spool.write(face.lips.astype(np.complex64).tobytes() + crop.tobytes())
    measured = flow.to_gray(crop)
    if spec.measures_another_crop:
      measured = flow.to_gray(placement.cut(frame, face.placements[1], spec.size))
      spool.write(measured.tobytes())
    if spec.motion and len(self.table) < codec_motion.MAX_FRAMES * COLUMNS:
      lips, square, side = *face.placements[2:4], codec_motion.SIDE
      spool.write(placement.move_into(lips, square, side).tobytes())
      spool.write(placement.cut_plane(frame.luma, square, side).tobytes())
    halved = [flow.halve(measured)]
    if spec.flow_on != 'lips' and not (spec.flow_on == 'frame' and spec.region == 'lips'):
      halved.append(flow.halve(flow.to_gray(placement.cut(frame, face.placements[2], spec.size))))
    coarse = [0.0] * len(halved)
    if self.last == (face.segment, frame.index - 1):
      coarse = [flow.coarse_activity(*pair) for pair in zip(self.halved, halved, strict=True)]
    else:
      whole = 0.0  # across a cut the whole frame moves as nothing in it does
    self.last, self.halved = (face.segment, frame.index), halved
    activity = whole if spec.flow_on == 'frame' else coarse[0]
    centre, half = face.placements[0]
    mouth = 2 * abs(face.placements[-1, 1])
    moment = [frame.index, frame.time_s, face.segment, activity, coarse[-1], mouth, row, 2 * abs(face.placements[1, 1])]
    self.table.extend([*moment, centre.real, centre.imag, half.real, half.imag])


def _to_track(number: int, notes: _Notes, spec: ClipSpec) -> Track:
  table = np.frombuffer(notes.table).reshape(-1, COLUMNS)
  whole_numbers = table[:, [0, 2, 6]].astype(np.int64)
  track = Track(
    number=number,
    indices=whole_numbers[:, 0],
    times=table[:, 1],
    segments=whole_numbers[:, 1],
    activity=table[:, 3],
    measured=np.full(len(table), spec.flow_on == 'frame'),
    lips_activity=table[:, 4],
    placements=np.stack([table[:, 8] + 1j * table[:, 9], table[:, 10] + 1j * table[:, 11]], axis=1),
    mouth_widths=table[:, 5],
    flow_sides=table[:, 7],
    rows=whole_numbers[:, 2],
  )
  return dataclasses.replace(track, activity=track.activity * _normalising(track, spec))


def _normalising(track: Track, spec: ClipSpec) -> np.ndarray:
  """float64 [T]: what measured activity is multiplied by."""
  if not spec.normalise:
    return np.ones(len(track))
  crop_pixels = 1.0 if spec.flow_on == 'frame' else spec.size / track.flow_sides
  elapsed = np.diff(track.times, prepend=track.times[:1] - 1 / NORMAL_RATE)
  return NORMAL_MOUTH / np.maximum(track.mouth_widths * crop_pixels, 1e-6) / (NORMAL_RATE * elapsed)


def _adjoins(track: Track, i: int) -> bool:
  """Whether the frame before is the video's frame before, in one segment."""
  return bool(track.segments[i] == track.segments[i - 1] and track.indices[i] == track.indices[i - 1] + 1)
