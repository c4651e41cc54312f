"""What may be claimed of adapted weights, and a small run from a folder of reals to weights that `detect` takes."""

import functools
import json

import numpy as np
import pytest

from configs import adapt as settings
from lipfake_jax.cli.main import main
from lipfake_jax.demo import videos as demo_videos
from lipfake_jax.evaluation.compare import compare_scores
from lipfake_jax.experiments import adapt as adapting
from lipfake_jax.experiments.adapt import claim, count_missed, find_doubt, follow_shipped
from lipfake_jax.inference.detect import open_weights
from lipfake_jax.inference.run import open_shipped
from lipfake_jax.models.shipped import load_shipped
from lipfake_jax.scoring.conformal import Limits
from lipfake_jax.scoring.scores import WHO, Scores
from lipfake_jax.training import first_weights
from tests.models.model_checks import ship_small


def compared(people, after):
  """Two videos a person, one of each class, which the shipped weights tell apart by chance alone."""
  labels, groups = np.tile([0, 1], people), np.repeat([f'p{number}' for number in range(people)], 2)
  before = np.random.default_rng(0).uniform(0.4, 0.6, 2 * people)
  return compare_scores(labels, [before, after(labels)], [0.5, 0.5], list(groups))


def test_a_clear_gain_on_ten_people_is_claimed_for_these_videos():
  words = claim(compared(10, lambda labels: 0.1 + 0.8 * labels), '')
  assert words.startswith('after is better: auc differs by +')
  assert words.endswith('of other videos than these it says nothing')


def test_no_gain_is_none():
  assert claim(compared(10, lambda labels: np.full(20, 0.5)), '').startswith('not shown to differ')


def test_a_gain_on_nine_people_is_not_claimed():
  doubt = find_doubt([f'p{number}' for number in range(9)] * 2, 0)
  assert claim(compared(9, lambda labels: 0.1 + 0.8 * labels), doubt) == doubt
  assert doubt == 'nothing can be claimed: that takes 10 people who are held out, here it is 9; add more people'


def test_nothing_is_claimed_where_nobody_knows_who_is_who():
  groups = [f'p{number}' for number in range(10)]
  assert find_doubt(groups, 0) == ''
  assert 'nobody knows who is in 3 of the clips' in find_doubt(groups, 3)


def test_model_and_clips_are_those_of_the_shipped_weights():
  config = settings.get_config()
  config.model.effnet_probe.side, config.data.builder_config = 64, 'flow_lips_60x64'
  follow_shipped(config)
  _, meta = load_shipped()
  assert json.loads(config.model[config.model.name].to_json()) == meta['model']['arguments']
  assert (config.init_from, config.data.dataset) == ('shipped', 'video_folder')
  assert config.data.builder_config == meta['data']['builder_config']


def test_fakes_alone_lower_the_score_below_which_a_video_is_called_real():
  """Ten people with a fake each; those at .1 and .2 were called real, and the limit is now .15."""
  labels, p_fake = np.ones(10, int), np.array([0.1, 0.2, *[0.5] * 8])
  table = {name: [''] * 10 for name in WHO} | {'identity': [f'p{number}' for number in range(10)]}
  scores = Scores(labels, p_fake, [1] * 10, np.arange(10), table)
  before, after = Limits(0.1, 0.8, 0.3), Limits(0.1, 0.8, 0.15)
  counted, _, words = count_missed(scores, (before, after), '')
  assert counted == '10 fakes of 10 people, held out: 2 were called real before, 1 are after'
  assert words.startswith('not shown to differ: -0.100 of them (95 % interval -0.')
  assert count_missed(scores, (before, after), 'doubt')[-1] == 'doubt'


@pytest.fixture
def small_shipped(tmp_path, monkeypatch):
  """Small weights in the place of the shipped ones."""
  folder = tmp_path / 'shipped'
  load_small = ship_small(folder)
  for module in (adapting, first_weights):
    monkeypatch.setattr(module, 'load_shipped', load_small)
  monkeypatch.setattr(adapting, 'open_shipped', functools.partial(open_shipped, folder))
  return load_small()


@pytest.mark.slow
def test_reals_alone_make_a_run(tmp_path, monkeypatch, capsys, small_shipped):
  """Three people: one trains, one chooses, one is held out; a second folder is not mixed into the same run."""
  spec = demo_videos.DemoSpec(identities=3, test_only_identities=0, videos_per_identity=2)
  for video in demo_videos.list_videos(spec)[::2]:
    path = tmp_path / 'real' / video.identity / '1.mp4'
    demo_videos.encode_video(path, demo_videos.render_frames(spec, video), 'libx264', {'preset': 'superfast'})
  monkeypatch.setattr(adapting, 'STEPS', 2)
  options = [f'--out={tmp_path / "run"}', '--config.train.batch_size=4', '--config.train.epochs=1']
  main(['adapt', f'--real={tmp_path / "real"}', *options, '--config.pseudo.rounds=1'])
  told = capsys.readouterr().out
  assert 'one threshold, no limits: they take 9 people of each class in validation, of one it has 1' in told
  assert '2 videos of 1 people, held out' in told
  assert 'nothing can be claimed' in told
  assert 'All fakes above are pseudo-fakes' in (tmp_path / 'run' / 'adapted.md').read_text()
  before, after = small_shipped[1], open_weights(str(tmp_path / 'run')).meta
  assert (after['model'], after['clip']) == (before['model'], before['clip'])
  assert after['digests']['weights'] != before['digests']['weights']
  (tmp_path / 'real' / 'photograph_01').mkdir(exist_ok=True)
  (tmp_path / 'real' / 'photograph_01' / '2.mp4').write_text('more')
  with pytest.raises(SystemExit):
    main(['adapt', f'--real={tmp_path / "real"}', *options])
  assert 'choose another --out' in capsys.readouterr().err
