"""What is seen of a stream, as its frames come, is what is seen of a file of the same frames."""

import dataclasses
import itertools
from collections.abc import Iterator

import numpy as np
import pytest

from lipfake_jax.clips import stream
from lipfake_jax.clips.analysis import Analysis, analyse_frames
from lipfake_jax.clips.clips import cut_clip
from lipfake_jax.clips.video import Frame, VideoInfo, probe, read_frames
from lipfake_jax.clips.windows import trust_estimates
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError

SPEC = ClipSpec(rule='contiguous', region='lower_face', frames=6, size=16)
INFO = VideoInfo(25.0, 512, 400, 'h264', 0.0)


@pytest.fixture(scope='module')
def frames(face_video) -> list[Frame]:
  """70 of a face that sways."""
  return list(read_frames(face_video))


def shown_again(frames: list[Frame], numbers: Iterator[int] | range, step_s: float = 0.04) -> Iterator[Frame]:
  """Frames of these positions, as one after another of a stream."""
  for index, number in enumerate(numbers):
    yield dataclasses.replace(frames[number], index=index, time_s=index * step_s)


def blank(frame: Frame, index: int, time_s: float) -> Frame:
  """A gray frame of the size of another."""
  planes = tuple(np.full_like(plane, 128) for plane in frame.planes)
  return Frame(index, time_s, planes, frame.to_rgb)


def split(glimpses: list[stream.Glimpse]) -> tuple[list[stream.Glimpse], list[stream.Glimpse]]:
  """Windows, and ends of faces."""
  return [g for g in glimpses if g.clip], [g for g in glimpses if not g.clip]


def cut_from_file(analysis: Analysis, glimpse: stream.Glimpse, spec: ClipSpec):
  """The clip of the same frames, once the whole file is known."""
  [track] = [track for track in analysis.tracks if track.number == glimpse.face['track']]
  where = np.searchsorted(track.indices, glimpse.clip.indices)
  return cut_clip(analysis, trust_estimates(track) if spec.rule == 'contiguous' else track, where, (), spec, '')


@pytest.mark.parametrize('spec', [SPEC, ClipSpec(frames=10, size=16), ClipSpec(rule='uniform', frames=20, size=16)])
def test_a_window_is_bit_by_bit_that_of_the_file(frames, face_video, models, spec):
  windows, gone = split(list(stream.watch_faces(iter(frames), INFO, spec, models)))
  analysis = analyse_frames(probe(face_video), iter(frames), spec, models)
  assert len(windows) == {'contiguous': 11, 'top_k': 1, 'uniform': 1}[spec.rule]
  for glimpse in windows:
    clip = cut_from_file(analysis, glimpse, spec)
    for name, feature in clip.features.items():
      np.testing.assert_array_equal(glimpse.clip.features[name], feature)
    np.testing.assert_array_equal(glimpse.clip.boxes, clip.boxes)
    np.testing.assert_allclose(glimpse.clip.activity, clip.activity, rtol=1e-6)
  assert [end.last for end in gone] == [69]


def test_windows_adjoin_and_the_last_frames_that_fill_none_are_left(frames, models):
  """70 frames are 11 windows of 6, and 4."""
  windows, _ = split(list(stream.watch_faces(iter(frames), INFO, SPEC, models)))
  assert [w.clip.indices[0] for w in windows] == list(range(0, 66, 6))
  assert [w.last for w in windows] == list(range(5, 66, 6))
  assert windows[0].clip.times.dtype == np.float64


def test_a_window_is_told_a_few_frames_after_its_last(frames, models):
  """Smoothing reaches 0.3 s ahead, to the next key frame of every third, and one frame waits for a cut: at most 11."""
  given = []

  def note() -> Iterator[Frame]:
    for frame in frames:
      given.append(frame.index)
      yield frame

  late = [given[-1] - g.last for g in stream.watch_faces(note(), INFO, SPEC, models) if g.clip and g.last < 58]
  assert len(late) == 9
  assert max(late) <= 11


def test_dropped_frames_cost_the_windows_that_they_are_in(frames, models):
  """Frames 20 to 39 are missing: three windows end before; the next begins where frame 40 is the nearest."""
  kept = [frame for frame in frames if not 20 <= frame.index < 40]
  windows, gone = split(list(stream.watch_faces(iter(kept), INFO, SPEC, models)))
  assert [w.clip.indices[0] for w in windows][:3] == [0, 6, 12]
  assert all(w.clip.indices[-1] < 20 or w.clip.indices[0] >= 39 for w in windows)
  assert windows[3].clip.indices.tolist() == [40, 40, 41, 42, 43, 44]
  assert len(windows) == 3 + 5
  assert sum(end.face['share'] for end in gone) == pytest.approx(1, abs=0.05)


def test_a_face_that_leaves_is_gone_after_a_second_and_comes_back_as_another(frames, models):
  """A second of a face, a minute of none at 2 frames a second, a second of a face."""
  minute = (blank(frames[0], 25 + i, 1.0 + i / 2) for i in range(120))
  again = (dataclasses.replace(frames[i], index=145 + i, time_s=61.0 + i / 25) for i in range(25))
  seen, told_at = [], []

  def note() -> Iterator[Frame]:
    for frame in itertools.chain(frames[:25], minute, again):
      seen.append(frame.time_s)
      yield frame

  glimpses = []
  for glimpse in stream.watch_faces(note(), INFO, SPEC, models):
    glimpses.append(glimpse)
    told_at.append(seen[-1])
  windows, gone = split(glimpses)
  assert [w.face['track'] for w in windows] == [0] * 4 + [1] * 4
  assert [(end.face['track'], end.face['from_s'], round(end.face['to_s'], 2)) for end in gone] == [
    (0, 0.0, 0.96), (1, 61.0, 61.96),
  ]  # fmt: skip
  assert told_at[glimpses.index(gone[0])] <= 4.0  # not at the end of the minute


def test_what_is_kept_does_not_grow(frames, models, monkeypatch):
  """After 10 s as much as after 20 s: 5 s of rows and of crops, whatever came before."""
  kept = []

  class Counted(stream.Recent):
    def forget(self, track, count=None):
      super().forget(track, count)
      kept.append(sum(len(records) for kinds in self._kept.values() for records in kinds.values()))

  monkeypatch.setattr(stream, 'Recent', Counted)
  there_and_back = itertools.islice(itertools.cycle([*range(70), *range(68, 0, -1)]), 500)
  glimpses = list(stream.watch_faces(shown_again(frames, there_and_back), INFO, SPEC, models))
  assert len(split(glimpses)[0]) == 83
  assert max(kept[250:]) <= max(kept[:250]) <= 3 * (5 * 25 + 2 + 6)  # crop, lips, and the crop that the flow is of


def test_a_face_without_a_verdict_has_its_reason(frames, models, monkeypatch):
  """Its windows come all the same, and it is said why they count for nothing."""
  monkeypatch.setattr(stream.evidence, 'MIN_MOUTH', 100.0)  # the portrait's is 72 px wide
  windows, [end] = split(list(stream.watch_faces(iter(frames[:30]), INFO, SPEC, models)))
  assert [w.face['reason'] for w in windows] == ['mouth_too_small'] * 5
  assert end.face['reason'] == 'mouth_too_small'


def test_too_short_a_face_has_no_window_and_a_reason(frames, models):
  spec = dataclasses.replace(SPEC, frames=40)
  [end] = stream.watch_faces(iter(frames[:30]), INFO, spec, models)
  assert (end.clip, end.face['reason']) == (None, 'too_short')


def test_no_frame_is_no_glimpse(models):
  assert list(stream.watch_faces(iter(()), INFO, SPEC, models)) == []


def test_features_of_a_whole_face_are_refused():
  stream.check_spec(SPEC)
  with pytest.raises(UserError, match='motion, which is of a face as a whole'):
    stream.check_spec(dataclasses.replace(SPEC, motion=True))
