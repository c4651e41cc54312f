"""What `lipfake person` prints and keeps, of towers that see brightness."""

import json
from pathlib import Path

import pytest

from lipfake_jax.cli.main import main
from lipfake_jax.inference import compilation, person, towers
from tests.inference.tower_cases import make_facts, open_fake, speaking_clip


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
  """The command on files that are named by the levels of their clips."""

  def survey(videos, spec, step):
    for video in videos:
      yield make_facts(video), [speaking_clip(number, level=int(video.stem) + number) for number in (0, 1)]

  monkeypatch.setattr(compilation, 'keep_compiled', lambda: None)
  monkeypatch.setattr(towers, 'open_towers', lambda workdir, name: open_fake('clip', 'people'))
  for module in (person, towers):
    monkeypatch.setattr(module, 'survey_videos', survey)

  def call(action: str, *arguments: str, levels: tuple[int, ...] = (), weights: bool = True) -> str:
    files = [tmp_path / f'{level}.mp4' for level in levels]
    for file in files:
      file.touch()
    options = ['--weights=runs/poi'] * weights + [f'--people={tmp_path / "people"}']
    main(['person', action, *arguments, *map(str, files), *options])
    return capsys.readouterr().out.replace(f'{tmp_path}/', '')

  return call


def test_a_person_is_enrolled_checked_and_deleted(run):
  told = run('enroll', 'ann', levels=(100, 103, 106, 109, 112, 220))
  assert '220.mp4 is unlike the others' in told
  assert 'ann: 6 references. Embeddings alone are kept, in people/ann.npz' in told
  assert 'To delete them: lipfake person forget ann, or delete that file.' in told
  assert run('list', weights=False) == 'ann\nin people\n'
  own, other = run('check', 'ann', '--json', levels=(104, 30)).splitlines()
  assert json.loads(own)['verdict'] == 'like'
  assert Path(json.loads(other)['video']).name == '30.mp4'
  assert run('forget', 'ann', weights=False) == 'ann: people/ann.npz is deleted\n'
  assert run('list', weights=False) == 'in people\n'


def test_too_few_references_are_refused(run, capsys):
  with pytest.raises(SystemExit) as stop:
    run('enroll', 'ann', levels=(100, 103))
  assert stop.value.code == 2
  assert capsys.readouterr().err.startswith('error: ann: 2 of 2 videos can serve, 5 are the fewest')
