"""What `lipfake sync` prints, of towers that do not err."""

import json
from pathlib import Path

import pytest

from lipfake_jax.cli.main import main
from lipfake_jax.inference import compilation, sync, towers
from tests.inference.tower_cases import make_facts, open_fake, speaking_clip


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
  """Checks three files, of which surveys found a talk in time, a late one, and no face."""
  surveys = [
    (make_facts(Path('a')), [speaking_clip(0)]),
    (make_facts(Path('b')), [speaking_clip(1, late=5)]),
    (make_facts(Path('c'), reason='profile'), []),
  ]
  files = [tmp_path / name for name in ('a.mp4', 'b.mp4', 'c.mp4')]
  for file in files:
    file.touch()
  monkeypatch.setattr(compilation, 'keep_compiled', lambda: None)
  monkeypatch.setattr(towers, 'open_towers', lambda workdir, name: open_fake('lips'))
  monkeypatch.setattr(towers, 'survey_videos', lambda videos, spec: iter(surveys))
  sync.write_reals(tmp_path, [0.6, 0.7, 0.8])

  def check(*options: str) -> list[str]:
    main(['sync', 'check', *map(str, files), f'--weights={tmp_path}', *options])
    return [line.replace(f'{tmp_path}/', '') for line in capsys.readouterr().out.splitlines()]

  return check


def test_a_line_a_face(run):
  in_time, late, none = run()
  assert in_time.startswith('a.mp4  face 1: in time, sound +0 ms (confidence ')
  assert in_time.endswith('; 100% of real videos have no more)')
  assert late.startswith('b.mp4  face 1: shifted, sound +200 ms (confidence ')
  assert none == 'c.mp4  none: profile (as it is)'


def test_a_document_a_video(run):
  documents = [json.loads(line) for line in run('--json')]
  assert [Path(document['video']).name for document in documents] == ['a.mp4', 'b.mp4', 'c.mp4']
  assert [len(document['people']) for document in documents] == [1, 1, 0]
  assert documents[1]['people'][0]['offset_ms'] == 200
