"""Extraction on real videos, which the project does not hold: LIPFAKE_CORPUS names their folder, or all is skipped."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

from lipfake_jax import extraction
from lipfake_jax.analysis import analyse_video
from lipfake_jax.clip_spec import ClipSpec
from lipfake_jax.clips import REASONS, Rejection, cut_clips
from lipfake_jax.listing import find_videos

FOLDER = os.environ.get('LIPFAKE_CORPUS', '')
pytestmark = [
  pytest.mark.slow,
  pytest.mark.skipif(not Path(FOLDER, 'clips').is_dir(), reason='LIPFAKE_CORPUS names no folder that holds clips/'),
]
SAMPLE = 12  # videos, evenly over the folder, on which exact and quick extraction are compared
CORNERS = np.array([1 + 1j, 1 - 1j, -1 + 1j, -1 - 1j])


def test_every_file_is_a_clip_or_a_named_reason(tmp_path):
  paths = find_videos(Path(FOLDER))
  results = [extraction.load_result(c, 'k') for c in extraction.extract_videos(paths, ClipSpec(), tmp_path)]
  assert {r.reason for r in results if isinstance(r, Rejection)} <= set(REASONS)
  assert sum(isinstance(r, list) for r in results) > 0.9 * len(paths)


def test_what_is_skipped_hardly_matters(models):
  """The README's claims: corners within 2 % of the mouth's width (95th percentile), 95 % of the frames the same."""
  quick = ClipSpec()
  exact = dataclasses.replace(quick, landmark_stride=1, screen=False)
  shifts, same = [], []
  candidates = find_videos(Path(FOLDER, 'clips'))
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
