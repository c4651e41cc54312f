"""Exported models: every one of the registry, in each format that can hold it; what a file tells of itself."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from lipfake_jax.clips.features import FEATURES
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.errors import UserError
from lipfake_jax.inference import export
from lipfake_jax.inference.export import TOLERANCE, compare, describe_file, export_run
from lipfake_jax.inference.export_formats import ARCHIVED, FORMATS
from lipfake_jax.inference.onnx_weights import KEY, open_onnx
from lipfake_jax.inference.programs import describe_entry, open_program
from lipfake_jax.inference.run import Run
from lipfake_jax.models import MODELS, create_model
from lipfake_jax.scoring.conformal import Limits
from lipfake_jax.scoring.verdict import Decision
from tests.models.model_checks import compiled, random_variables

# Arguments that make a model small, frames, and their side.
SMALL = {
  'cnn_lstm': ({'filters': (4, 8), 'units': 8, 'hidden': 8}, 4, 15),
  'cnn_gru': ({'filters': (4, 8), 'units': 8, 'hidden': 8}, 4, 14),
  'cnn3d': ({'filters': (4, 4, 6), 'hidden': 8}, 4, 16),
  'r2plus1d': ({'stem': (3, 4), 'filters': (4, 6), 'blocks': (1, 1)}, 4, 12),
  'clrnet': ({'filters': 4, 'blocks': (1,)}, 4, 12),
  'xception_frames': ({'stem': (4, 4), 'entry': (6,), 'middle': 1, 'exit': (8, 8, 12)}, 4, 20),
  'cnn5_frames': ({'filters': (2, 2, 4, 4, 8), 'hidden': 8}, 4, 32),
  'resnet_tcn': ({'stem': 4, 'filters': (4, 6), 'blocks': (1, 1), 'hidden': 4, 'kernels': (3, 5), 'layers': 2}, 4, 16),
  'effnet_frames': ({'blocks': 4, 'depth': 5, 'neck': 8}, 4, 16),
  'effnet_lstm': ({'blocks': 4, 'depth': 5, 'neck': 8, 'units': 4}, 4, 16),
  'effnet_probe': ({'side': 32, 'cuts': (2, 3)}, 4, 32),
  'lip_kinematics': ({'units': 8}, 6, 16),
  'motion_svm': ({}, 6, 16),
}
FIXED = ('r2plus1d', 'motion_svm')  # the first halves the number of frames by two ways, the second takes none


def open_small(name: str) -> tuple[Run, np.ndarray]:
  """A run of a small model of drawn weights, and three clips of noise for it."""
  arguments, frames, side = SMALL[name]
  model = create_model(name, arguments)
  spec = ClipSpec(rule='contiguous', frames=frames, size=side, motion=model.input == 'motion')
  feature, rng = FEATURES[model.input], np.random.default_rng(0)
  shape = (3, *feature.shape(spec))
  clips = rng.integers(0, 256, shape, np.uint8) if model.input == 'clip' else rng.normal(0, 1, shape)
  clips = clips.astype(feature.dtype)
  meta = {
    'model': {'name': name, 'arguments': arguments, 'aggregation': 'mean_logit'},
    'clip': spec.fields(),
    'digests': {'weights': 'b' * 64},
  }
  run = Run(Path('runs/a'), np.asarray, meta, Decision(), None, random_variables(model, np.float32(clips)))
  step = compiled(open_program(run))

  def score(clips: np.ndarray) -> np.ndarray:
    return np.asarray(step(clips))

  return Run(run.workdir, score, meta, Decision(0.6, 'fixed', 2.0), Limits(0.1, 0.8, 0.3), run.variables), clips


def export_small(name: str, target: str, folder: Path) -> float:
  """The largest difference between logits; of clips of a frame more than the clip spec says, where that is free."""
  run, clips = open_small(name)
  program = open_program(run)
  entry, (write, read) = describe_entry(run, program), FORMATS[target]
  assert ('t' in map(str, entry.shape)) == (name not in FIXED)
  path = folder / f'model.{target}'
  path.write_bytes(write(program, entry, clips.shape[1:], describe_file(run, clips.dtype)))
  score = read(path)
  if target != 'tflite' and name not in FIXED:
    clips = np.concatenate([clips, clips[:, :1]], axis=1)
  return compare(run.score(clips), score(clips))


OTHERS = [pytest.param(name, marks=pytest.mark.slow) for name in SMALL if name != 'cnn_lstm']


@pytest.mark.parametrize('name', ['cnn_lstm', *OTHERS])
def test_onnx_holds_every_model(name, tmp_path):
  assert export_small(name, 'onnx', tmp_path) < TOLERANCE


def test_no_model_is_left_out():
  assert set(SMALL) == set(MODELS)


@pytest.mark.slow
@pytest.mark.parametrize('name', ['effnet_frames', 'clrnet'])
def test_stablehlo_gives_the_same_numbers(name, tmp_path):
  """Of the shipped model, and of one that is unrolled in training, which it can't be for any number of frames."""
  assert export_small(name, 'stablehlo', tmp_path) < TOLERANCE


@pytest.mark.slow
def test_tflite_scores_clip_by_clip(tmp_path):
  assert export_small('cnn_lstm', 'tflite', tmp_path) < TOLERANCE


@pytest.mark.slow
def test_what_tflite_can_not_hold_is_told(tmp_path):
  """The pooling of this one has an axis too many."""
  with pytest.raises(UserError, match=r'--to=tflite: it cannot hold the model \(.*\): take --to=onnx'):
    export_small('resnet_tcn', 'tflite', tmp_path)


@pytest.fixture
def clips_of_noise(monkeypatch):
  """A small model, whose clips come from no video."""
  run, clips = open_small('cnn_lstm')
  monkeypatch.setattr(export, 'read_clips', lambda run, video: list(clips))
  return run, clips


def test_an_onnx_file_is_the_run_that_it_was_made_of(tmp_path, clips_of_noise):
  run, clips = clips_of_noise
  path = tmp_path / 'new' / 'lips.onnx'
  made = export_run(run, 'onnx', path)
  assert made.entry == ('b', 't', '15', '15', '3')
  assert (made.n_clips, made.n_bytes) == (3, path.stat().st_size)
  assert made.difference < TOLERANCE
  again = open_onnx(path)
  assert (again.decision, again.limits, again.rule) == (run.decision, run.limits, 'mean_logit')
  assert ClipSpec(**again.meta['clip']) == ClipSpec(**run.meta['clip'])
  np.testing.assert_allclose(again.score(clips), run.score(clips), atol=TOLERANCE)


def test_what_a_file_tells(tmp_path, clips_of_noise):
  run, _ = clips_of_noise
  export_run(run, 'onnx', tmp_path / 'a.onnx')
  told = json.loads(onnxruntime.InferenceSession(tmp_path / 'a.onnx').get_modelmeta().custom_metadata_map[KEY])
  assert told == describe_file(run, np.dtype(np.uint8)) | {'model': told['model']}
  assert told['name'] == 'a'
  assert told['digests'] == {'weights': 'b' * 64}
  assert told['entry'] == {'name': 'clips', 'dtype': 'uint8', 'scale': {'divided_by': 255, 'where': 'in the model'}}
  assert told['decision'] == {'threshold': 0.6, 'rule': 'fixed', 'temperature': 2.0}
  assert told['limits'] == {'error': 0.1, 'real': 0.8, 'fake': 0.3}


def test_other_formats_tell_it_in_an_archive_behind_them(tmp_path, clips_of_noise):
  run, _ = clips_of_noise
  export_run(run, 'stablehlo', tmp_path / 'a.bin')
  with zipfile.ZipFile(io.BytesIO((tmp_path / 'a.bin').read_bytes())) as archive:
    assert json.loads(archive.read(ARCHIVED))['entry']['name'] == 'clips'


def test_a_file_whose_logits_differ_is_not_kept(tmp_path, clips_of_noise):
  run, _ = clips_of_noise
  other = Run(run.workdir, lambda clips: run.score(clips) + 0.001, run.meta, run.decision, run.limits, run.variables)
  with pytest.raises(UserError, match=r'the exported logits differ by 0\.001, over 0\.0001: the file was not kept'):
    export_run(other, 'onnx', tmp_path / 'a.onnx')
  assert list(tmp_path.iterdir()) == []


def test_a_difference_is_taken_over_the_size_of_a_large_logit():
  assert compare(np.array([50.0, 0.5]), np.array([50.002, 0.50001])) == pytest.approx(4e-5)
  with pytest.raises(UserError, match='differ by nan'):
    compare(np.zeros(1), np.array([np.nan]))


def test_a_video_without_a_face_has_no_clip_to_compare(blank_video, clips_of_noise, monkeypatch):
  run, _ = clips_of_noise
  monkeypatch.undo()
  with pytest.raises(UserError, match=r'blank\.mp4: no_face .*: name a video with a face by --video'):
    export.read_clips(run, blank_video)


@pytest.mark.slow
def test_without_a_video_clips_are_of_rendered_faces():
  """A real one and a fake one of 71 frames or so."""
  run, _ = open_small('cnn_lstm')
  clips = export.read_clips(run, None)
  assert len(clips) == 2
  assert {clip.shape for clip in clips} == {(4, 15, 15, 3)}
  assert min(np.std(clip) for clip in clips) > 5
