"""Files as they come: of each that is made at random, the clip or the named reason that follows from its making.

`python benchmarks/situations.py` does it for all, with the commands themselves.
"""

import numpy as np
import pytest

from lipfake_jax.clips.clips import Rejection, extract_clips
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.data.builder import create_builder
from lipfake_jax.data.files import find_sources
from tests import situations
from tests.conftest import write_video

DRAWN, STEP = 300, 6  # every sixth is tried here
# Correlation of two clips' mean pictures. Two encodings of one film have .996 and more; the real and the fake, whose
# mouths alone differ, have .89, and a picture that stands on its head has much less.
ALIKE = 0.98


@pytest.fixture(scope='module')
def films():
  return situations.render_films()


@pytest.fixture(scope='module')
def clips(films, models, tmp_path_factory):
  """The clip of each film, kept without loss."""
  folder = tmp_path_factory.mktemp('films')
  paths = {k: write_video(folder / f'{k}.mkv', film, codec='ffv1', pix_fmt='bgr0') for k, film in films.items()}
  return {label: extract_clips(path, ClipSpec(), models)[0] for label, path in paths.items()}


def similarity(one, other) -> float:
  pictures = [clip.frames.mean(axis=(0, 3)).ravel() for clip in (one, other)]
  return float(np.corrcoef(pictures)[0, 1])


@pytest.mark.slow
@pytest.mark.parametrize('start', range(0, DRAWN, DRAWN // 5))
def test_every_situation_has_its_outcome(start, films, clips, models, tmp_path):
  drawn = situations.draw(DRAWN, seed=0)[start : start + DRAWN // 5 : STEP]
  for situation in drawn:
    situations.write(situation, tmp_path, films)
  files = find_sources([str(tmp_path)])
  outcomes = {}
  for situation in drawn:
    path = tmp_path / situation.path
    reasons = [why for why, paths in files.left_out.items() if any(path.is_relative_to(place) for place in paths)]
    result = extract_clips(path, ClipSpec(), models) if path in files.found else None
    if isinstance(result, Rejection):
      reasons.append(result.reason)
    elif result:
      reasons.append(situations.CLIP)
      assert similarity(result[0], clips[situation.label]) > ALIKE, situation
    outcomes[situation] = reasons
  assert outcomes == {situation: [situations.expect(situation)] for situation in drawn}


@pytest.mark.slow
@pytest.mark.parametrize('kind', situations.LISTS)
def test_lists_name_files_in_any_situation(kind, films, tmp_path):
  drawn = situations.draw(DRAWN, seed=0)[::25]
  for situation in drawn:
    situations.write(situation, tmp_path, films)
  listed = situations.write_list(drawn, tmp_path, kind)
  found = create_builder('video_folder', data_dir=str(tmp_path / 'unused')).survey(tmp_path).videos
  assert [video.path for video in found] == [tmp_path / situation.path for situation in listed]
  assert [video.label for video in found] == [situation.label for situation in listed]


def test_every_kind_of_situation_is_drawn():
  drawn = situations.draw(DRAWN, seed=0)
  assert {s.codec for s in drawn} == {codec for _, codecs in situations.CONTAINERS.values() for codec in codecs}
  assert {s.state for s in drawn} == set(situations.STATES)
  assert {s.orientation for s in drawn} == set(situations.ORIENTATIONS) - {'nothing at all'}
  assert {s.layout for s in drawn} == set(situations.LAYOUTS)
  assert {s.name for s in drawn} == set(situations.NAMES)
  assert len({s.path for s in drawn}) == DRAWN
