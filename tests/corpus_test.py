"""Extraction on real videos, which the project does not hold: LIPFAKE_CORPUS names their folder, or all is skipped."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lipfake_jax.clips import extraction, results
from lipfake_jax.clips.analysis import analyse_video
from lipfake_jax.clips.clips import Rejection, cut_clips
from lipfake_jax.core.clip_spec import ClipSpec
from lipfake_jax.core.vocabulary import REASONS
from lipfake_jax.data.dataset import DataChoice, open_split
from lipfake_jax.data.files import find_videos
from lipfake_jax.data.splits import assign_parts

ROOT = Path(__file__).parents[1]
FOLDER = os.environ.get('LIPFAKE_CORPUS', '')
pytestmark = [
  pytest.mark.slow,
  pytest.mark.skipif(not Path(FOLDER, 'clips').is_dir(), reason='LIPFAKE_CORPUS names no folder that holds clips/'),
]
SAMPLE = 12  # videos, evenly over the folder, on which exact and quick extraction are compared
CORNERS = np.array([1 + 1j, 1 - 1j, -1 + 1j, -1 - 1j])


def test_every_file_is_a_clip_or_a_named_reason(tmp_path):
  paths = find_videos(Path(FOLDER)).found
  found = [results.load_result(c, 'k') for c in extraction.extract_videos(paths, ClipSpec(), tmp_path)]
  assert {r.reason for r in found if isinstance(r, Rejection)} <= set(REASONS)
  assert sum(isinstance(r, list) for r in found) > 0.9 * len(paths)


def test_what_is_skipped_hardly_matters(models):
  """The README's claims: corners within 2 % of the mouth's width (95th percentile), 95 % of the frames the same."""
  quick = ClipSpec()
  exact = dataclasses.replace(quick, landmark_stride=1, screen=False)
  shifts, same = [], []
  candidates = find_videos(Path(FOLDER, 'clips')).found
  for path in candidates[:: max(1, len(candidates) // SAMPLE)]:
    analyses = [analyse_video(path, spec, models) for spec in (exact, quick)]
    outcomes = [cut_clips(analysis, spec, 'k') for analysis, spec in zip(analyses, (exact, quick), strict=True)]
    assert isinstance(outcomes[0], list) == isinstance(outcomes[1], list), path
    if isinstance(outcomes[0], Rejection):
      continue
    one, other = (
      next(track for track in analysis.tracks if track.number == clips[0].track)
      for analysis, clips in zip(analyses, outcomes, strict=True)
    )
    common, here, there = np.intersect1d(one.indices, other.indices, return_indices=True)
    assert len(common) > 0.95 * len(one)
    corners = [
      track.placements[rows, :1] + track.placements[rows, 1:] * CORNERS for track, rows in ((one, here), (other, there))
    ]
    shifts.append(np.abs(corners[0] - corners[1]).max(axis=1) / np.median(one.mouth_widths))
    same.append(len(set(outcomes[0][0].indices) & set(outcomes[1][0].indices)) / quick.frames)
  assert len(same) > SAMPLE / 2
  assert np.percentile(np.concatenate(shifts), 95) < 0.02
  assert np.mean(same) >= 0.95


LAYOUTS = Path(FOLDER, 'layouts')
needs_layouts = pytest.mark.skipif(not LAYOUTS.is_dir(), reason='the folder of LIPFAKE_CORPUS holds no layouts/')


def build(dataset: str, root: Path, data_dir: Path) -> dict[str, dict]:
  """The rows of a build by the `tfds` command, by key."""
  command = [Path(sys.executable).with_name('tfds'), 'build', f'data_builders/{dataset}', '--config=flow_lips_60x64']
  done = subprocess.run(
    [*command, f'--manual_dir={root}', f'--data_dir={data_dir}'], capture_output=True, text=True, check=False, cwd=ROOT
  )
  assert done.returncode == 0, done.stderr
  split = open_split(DataChoice(dataset, 'flow_lips_60x64'), 'all', str(data_dir))
  rows = zip(*split.table.values(), strict=True)
  return {row['key']: row for row in (dict(zip(split.table, values, strict=True)) for values in rows)}


@needs_layouts
def test_the_real_faceforensics_builds_untouched(tmp_path):
  rows = build('faceforensics', LAYOUTS / 'ffpp', tmp_path)
  files = {path.relative_to(LAYOUTS / 'ffpp').as_posix() for path in find_videos(LAYOUTS / 'ffpp')}
  assert set(rows) <= files
  assert len(rows) > 0.9 * len(files)
  for key, row in rows.items():
    stem = Path(key).stem
    assert row['label'] == ('real' if key.startswith('original_sequences') else 'fake')
    assert row['method'] == ('original' if row['label'] == 'real' else key.split('/')[1])
    people = stem.split('__')[0].split('_') if '__' in stem else stem.split('_')
    assert row['identity'].removeprefix('actor ') == people[0]
    assert row['second_identity'] == (people[1] if row['label'] == 'fake' else '')
    assert row['original'] in {'', *files} or 'c23' in row['original']  # of some c23 fakes the original is not there
  parts = dict(zip(rows, assign_parts(list(rows.values()), 'identity'), strict=True))
  pairs: dict[str, set[str]] = {}
  for key, row in rows.items():
    for person in (row['identity'], row['second_identity']):
      pairs.setdefault(person, set()).add(parts[key])
  pairs.pop('')
  assert all(len(found) == 1 and found != {''} for found in pairs.values())


@needs_layouts
def test_the_real_dfdc_builds_untouched(tmp_path):
  """All but brtujopkby.mp4, whose speaker is seen from the side: it is rejected as a profile."""
  rows = build('dfdc', LAYOUTS / 'dfdc', tmp_path)
  found = {key: (row['label'], row['identity'], row['original']) for key, row in rows.items()}
  assert found == {
    'dfdc_train_part_10/widuwuoiur.mp4': ('fake', 'ybqmttnept', 'dfdc_train_part_10/ybqmttnept.mp4'),
    'dfdc_train_part_10/yhffcuhhjy.mp4': ('fake', 'wdpsifpppf', 'dfdc_train_part_10/wdpsifpppf.mp4'),
  }
