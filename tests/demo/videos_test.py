"""Tests of the built-in videos: the files, what may tell a fake apart and what may not, and whether the mouth talks."""

import csv
import dataclasses
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from lipfake_jax.clips import tracks
from lipfake_jax.clips.sound import read_sound
from lipfake_jax.core.vocabulary import PARTS
from lipfake_jax.demo import face, fakes
from lipfake_jax.demo import videos as demo_videos
from tests.conftest import to_frame

SPEC = demo_videos.DemoSpec(identities=3, test_only_identities=1, videos_per_identity=2, seconds=2.8, size=192)
METHODS = fakes.METHODS


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
  """The videos of SPEC, rendered by two processes."""
  root = tmp_path_factory.mktemp('demo')
  demo_videos.render_demo_videos(root, SPEC, workers=2, progress=False)
  return root


def _rows(root: Path) -> list[dict[str, str]]:
  with (root / 'videos.csv').open(newline='') as file:
    return list(csv.DictReader(file))


def _decode(path: Path) -> np.ndarray:
  with av.open(str(path)) as container:
    return np.stack([frame.to_ndarray(format='rgb24') for frame in container.decode(video=0)])


def _fake(photograph: str, method: str, spec: demo_videos.DemoSpec = SPEC) -> demo_videos.DemoVideo:
  """A video of somebody, to be faked by a method."""
  video = next(v for v in demo_videos.list_videos(spec) if v.photograph == photograph and v.label == 'fake')
  return dataclasses.replace(video, method=method)


def test_writes_the_listed_files(folder: Path) -> None:
  rows = _rows(folder)
  assert list(rows[0]) == list(demo_videos.COLUMNS)
  assert len(rows) == 8
  written = {str(path.relative_to(folder)) for path in (folder / 'videos').rglob('*') if path.is_file()}
  assert written == {row['path'] for row in rows}
  for row in rows:
    stem = Path(row['path']).stem
    assert row['path'].startswith(f'videos/{row["split"]}/{row["identity"]}/')
    assert stem.split('_')[1] == row['method']
    assert (row['label'] == 'real') == (row['method'] == 'original')


def test_files_hold_what_was_drawn(folder: Path) -> None:
  for video in demo_videos.list_videos(SPEC)[:2]:
    drawn, decoded = demo_videos.render_frames(SPEC, video), _decode(folder / video.path)
    assert decoded.shape == drawn.shape
    assert len(decoded) >= 66
    assert np.abs(decoded.astype(int) - drawn).mean() < 8


def test_splits_share_no_identity_and_train_on_one_photograph() -> None:
  videos = demo_videos.list_videos(demo_videos.DemoSpec())
  splits: dict[str, set[str]] = {}
  for video in videos:
    splits.setdefault(video.identity, set()).add(video.split)
  assert all(len(seen_in) == 1 for seen_in in splits.values())
  assert {video.split for video in videos} == set(PARTS)
  assert {video.split for video in videos if video.photograph == 'astronaut'} == {'test'}
  assert {video.photograph for video in videos if video.split != 'test'} == {'grace_hopper'}


def test_every_split_is_balanced_and_has_every_method() -> None:
  for split in PARTS:
    methods = [video.method for video in demo_videos.list_videos(demo_videos.DemoSpec()) if video.split == split]
    assert methods.count('original') * 2 == len(methods)
    assert len({methods.count(method) for method in METHODS}) == 1
    assert set(methods) == {'original', *METHODS}


def test_same_spec_gives_the_same_bytes_whatever_the_workers(folder: Path, tmp_path: Path) -> None:
  demo_videos.render_demo_videos(tmp_path, SPEC, workers=1, progress=False)
  for row in _rows(folder):
    assert (tmp_path / row['path']).read_bytes() == (folder / row['path']).read_bytes(), row['path']
  assert (tmp_path / 'videos.csv').read_bytes() == (folder / 'videos.csv').read_bytes()


def test_another_seed_gives_another_video() -> None:
  video = demo_videos.list_videos(SPEC)[0]
  other = dataclasses.replace(SPEC, seed=1)
  first, second = demo_videos.render_frames(SPEC, video)[0], demo_videos.render_frames(other, video)[0]
  assert np.abs(first.astype(int) - second).mean() > 5


def test_resumes_without_rendering_again(folder: Path) -> None:
  kept, lost = (folder / row['path'] for row in _rows(folder)[:2])
  kept_time, lost_bytes = kept.stat().st_mtime_ns, lost.read_bytes()
  lost.unlink()
  (folder / 'videos.csv').unlink()
  demo_videos.render_demo_videos(folder, SPEC, workers=1, progress=False)
  assert kept.stat().st_mtime_ns == kept_time
  assert lost.read_bytes() == lost_bytes


def test_refuses_a_folder_of_another_spec(folder: Path) -> None:
  with pytest.raises(ValueError, match=folder.name):
    demo_videos.render_demo_videos(folder, dataclasses.replace(SPEC, seed=7), progress=False)


@pytest.mark.parametrize(
  'wrong',
  [
    {'identities': 2},
    {'test_only_identities': -1},
    {'videos_per_identity': 3},
    {'seconds': 2.0},
    {'size': 255},
    {'seed': -1},
  ],
)
def test_refuses_a_spec_out_of_range(wrong: dict[str, Any], tmp_path: Path) -> None:
  ((name, value),) = wrong.items()
  with pytest.raises(ValueError, match=f'{name} is {value}'):
    demo_videos.render_demo_videos(tmp_path, dataclasses.replace(SPEC, **wrong), progress=False)
  assert not list(tmp_path.iterdir())


def test_refuses_no_workers(tmp_path: Path) -> None:
  with pytest.raises(ValueError, match='workers is 0'):
    demo_videos.render_demo_videos(tmp_path, SPEC, workers=0)


@pytest.mark.parametrize('photograph', list(face.PHOTOGRAPHS))
def test_fakes_differ_from_the_real_in_the_mouth_alone(photograph: str) -> None:
  video = _fake(photograph, 'original')
  real, (_, poses) = demo_videos.render_frames(SPEC, video), demo_videos.motion(SPEC, video)
  for method in METHODS:
    fake = demo_videos.render_frames(SPEC, _fake(photograph, method))
    change = np.abs(fake.astype(int) - real).max(-1)
    u, v = np.stack([face.mouth_frame(pose, (0, 0, SPEC.size, SPEC.size)) for pose in poses], 1)
    assert change[(np.abs(u) > 1.5) | (v < -1) | (v > 1.5)].max() == 0, method
    assert change[np.hypot(u, v) < 1].mean() > 4, method


@pytest.mark.parametrize('method', METHODS)
def test_null_fakes_are_what_the_real_would_be(method: str) -> None:
  video, null = _fake('grace_hopper', method), dataclasses.replace(SPEC, null=True)
  real = demo_videos.render_frames(SPEC, dataclasses.replace(video, method='original', label='real'))
  np.testing.assert_array_equal(demo_videos.render_frames(null, video), real)
  assert not np.array_equal(demo_videos.render_frames(SPEC, video), real)


def test_jitter_is_restless_and_paste_is_frozen() -> None:
  """Which of them moves more from frame to frame, in the mouth: what `flow` will see."""
  moved = {}
  for method in ('original', 'jitter', 'paste'):
    mouths = demo_videos.render_frames(SPEC, _fake('grace_hopper', method))[:, 115:135, 86:106].astype(int)
    moved[method] = np.median(np.abs(np.diff(mouths, axis=0)).mean((1, 2, 3)))
  assert moved['jitter'] > 1.3 * moved['original']
  assert moved['paste'] < 0.7 * moved['original']


def test_resynth_lacks_detail() -> None:
  def detail(method: str) -> float:
    mouths = demo_videos.render_frames(SPEC, _fake('grace_hopper', method))[:, 115:135, 86:106].astype(int)
    return float(np.abs(np.diff(mouths, axis=2)).mean())

  assert detail('resynth') < 0.6 * detail('original')


def test_length_and_codec_do_not_depend_on_the_label() -> None:
  """The fake and the real of the same number agree; over many, so do the classes."""
  spec = demo_videos.DemoSpec(identities=60, videos_per_identity=20)
  videos = demo_videos.list_videos(spec)
  for video in videos[:8]:
    flipped = dataclasses.replace(video, method='original' if video.method != 'original' else 'paste')
    for mine, other in zip(demo_videos.motion(spec, video), demo_videos.motion(spec, flipped), strict=True):
      np.testing.assert_array_equal(mine, other)
  share = {label: [v.path.endswith('.avi') for v in videos if v.label == label] for label in ('real', 'fake')}
  assert 0.15 < np.mean(share['real']) < 0.35
  assert abs(np.mean(share['real']) - np.mean(share['fake'])) < 0.08  # 3 standard deviations are 0.07


def test_articulation_is_smooth_and_the_jaw_lags() -> None:
  mouths = face.speak(3000, np.ones(3), np.random.default_rng(0))
  opening, jaw = mouths[:, 0], mouths[:, 1]
  assert mouths.dtype == np.float32
  assert mouths.shape == (3000, 4)
  assert opening.min() >= 0
  assert 0.5 < opening.max() < 1.2
  assert np.abs(np.diff(opening)).max() < 0.5
  steps = np.corrcoef(opening[1:-1], jaw[:-2])[0, 1], np.corrcoef(opening[1:-1], jaw[2:])[0, 1]
  assert steps[1] > steps[0] + 0.1


def _lag(mouth: np.ndarray, sound: np.ndarray) -> tuple[int, float]:
  """By how many frames a sound is late beside the opening of a mouth, up to half open, and their correlation there."""
  mouth = np.minimum(mouth, 0.5)
  loud = np.abs(sound[: len(mouth) * 640].astype(float)).reshape(len(mouth), 640).mean(axis=1)  # 640 samples a frame
  lags = range(-12, 13)
  fits = [np.corrcoef(np.roll(mouth, lag)[12:-12], loud[12:-12])[0, 1] for lag in lags]
  return lags[int(np.argmax(fits))], max(fits)


def test_a_true_voice_is_that_of_its_mouth() -> None:
  video = _fake('grace_hopper', 'original')
  lag, fit = _lag(demo_videos.motion(SPEC, video)[0][:, 0], demo_videos.render_sound(SPEC, video))
  assert lag == 0
  assert fit > 0.85


def test_by_method_a_fakes_sound_is_shifted_swapped_or_absent() -> None:
  real = demo_videos.render_sound(SPEC, _fake('grace_hopper', 'original'))
  opening = demo_videos.motion(SPEC, _fake('grace_hopper', 'original'))[0][:, 0]
  lag, fit = _lag(opening, demo_videos.render_sound(SPEC, _fake('grace_hopper', 'resynth')))
  assert 5 <= abs(lag) <= 10  # frames: 0.2 to 0.4 s
  assert fit > 0.85
  swapped = demo_videos.render_sound(SPEC, _fake('grace_hopper', 'jitter'))
  assert len(swapped) == len(real)
  assert _lag(opening, swapped)[1] < 0.7  # at its best of 25 lags
  assert demo_videos.render_sound(SPEC, _fake('grace_hopper', 'paste')) is None
  null = dataclasses.replace(SPEC, null=True)
  np.testing.assert_array_equal(demo_videos.render_sound(null, _fake('grace_hopper', 'paste')), real)


def test_files_hold_the_sound_that_was_made(folder: Path) -> None:
  """On the frames' clock, in MP4 (AAC) and in AVI; AAC costs about 1 % of the amplitude."""
  for video in demo_videos.list_videos(SPEC)[:4]:
    made, heard = demo_videos.render_sound(SPEC, video), read_sound(folder / video.path).samples
    assert (made is None) == (not len(heard))
    if made is not None:
      assert np.corrcoef(made[800:40000], heard[800:40000])[0, 1] > 0.995


@pytest.mark.parametrize('photograph', list(face.PHOTOGRAPHS))
def test_face_mesh_sees_the_mouth_talk(photograph: str, models) -> None:
  spec = dataclasses.replace(SPEC, size=256)
  video = _fake(photograph, 'original', spec)
  frames = (to_frame(rgb, index) for index, rgb in enumerate(demo_videos.render_frames(spec, video)))
  seen = [faces for _, faces in tracks.find_faces(frames, models, stride=1)]
  found = np.array([len(faces) == 1 for faces in seen])
  assert found.mean() > 0.95
  points = np.stack([s[0].landmarks if s else np.zeros((468, 2)) for s in seen])
  mouths, poses = demo_videos.motion(spec, video)
  gap = np.linalg.norm(points[:, 14] - points[:, 13], axis=-1) / poses[:, 2]
  assert np.corrcoef(gap[found], mouths[found, 0])[0, 1] > 0.85
  middle = points[found][:, [61, 291]].mean(1)
  assert np.linalg.norm(middle - poses[found, :2], axis=-1).max() < 12
