"""Miniatures of datasets, as the command writes them."""

import pytest

from lipfake_jax.cli.main import main
from lipfake_jax.clips.video import probe


def test_writes_the_names_of_a_dataset_with_videos(tmp_path, capsys):
  main(['dummy', 'dfdc', str(tmp_path), '--seconds=1'])
  videos = sorted(tmp_path.rglob('*.mp4'))
  assert capsys.readouterr().out == f'{len(videos)} videos written to {tmp_path}\n'
  assert videos
  for video in videos:
    probe(video)


def test_videos_that_are_too_short_are_refused(tmp_path, capsys):
  with pytest.raises(SystemExit) as stop:
    main(['dummy', 'xm2vts', str(tmp_path / 'out'), '--seconds=0.2'])
  assert stop.value.code == 2
  assert capsys.readouterr().err == 'error: seconds=0.2: videos are of at least 1.0\n'
  assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize('dataset', ['celeb', 'demo_lips'])
def test_a_dataset_without_a_miniature_is_told(dataset, tmp_path, capsys):
  with pytest.raises(SystemExit) as stop:
    main(['dummy', dataset, str(tmp_path / 'out')])
  assert stop.value.code == 2
  assert f"dataset '{dataset}': there are miniatures of celeb_df_v2, combined, dfdc, " in capsys.readouterr().err
  assert not (tmp_path / 'out').exists()
