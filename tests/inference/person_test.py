"""Enrolling and checking a person, by towers that see brightness and hear loudness."""

from pathlib import Path

import numpy as np
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.inference import person
from lipfake_jax.inference.person import (
  Person,
  check,
  enroll,
  forget,
  list_people,
  load_person,
  people_folder,
  save_person,
)
from tests.inference.tower_cases import make_facts, open_fake, speaking_clip

TOWERS = open_fake('clip', 'people')


def video_at(level: float, **settings):
  """A video of two clips about a level."""
  return [speaking_clip(number, level=level + number, **settings) for number in (0, 1)]


def enroll_videos(monkeypatch, found: dict[str, tuple]):
  """Enrols of what a survey found: clips by name, and what differs in its facts."""
  surveys = [(make_facts(Path(name)) | facts, clips) for name, (clips, facts) in found.items()]
  monkeypatch.setattr(person, 'survey_videos', lambda videos, spec, step: iter(surveys))
  return enroll(TOWERS, 'ann', [Path(name) for name in found])


def six(**others):
  own = {f'{number}.mp4': (video_at(100 + 3 * number), {}) for number in range(6)}
  return {**own, **others}


def test_references_are_embeddings_alone(monkeypatch, tmp_path):
  done = enroll_videos(monkeypatch, six())
  assert (len(done.person.references), done.left_out, done.strangers) == (6, {}, {})
  path = save_person(tmp_path, 'ann', done.person)
  with np.load(path) as stored:
    assert {name.split('.')[-1] for name in stored.files} == {'look', 'sound', 'weights'}
    assert stored['0.look'].shape == (2, 1)
  assert path.stat().st_mode & 0o777 == 0o600
  again = load_person(tmp_path, 'ann')
  np.testing.assert_array_equal(again.references[5]['sound'], done.person.references[5]['sound'])
  assert again.weights == 'abc'


def test_under_five_are_refused_with_the_reasons(monkeypatch):
  videos = dict(list(six().items())[:4])
  lost = {
    'p.mp4': ([], {'reason': 'too_short', 'detail': '2 s'}),
    'copy.mp4': (video_at(100), {'sha256': 'digest of 0.mp4'}),
  }
  with pytest.raises(UserError) as refused:
    enroll_videos(monkeypatch, videos | lost)
  told = str(refused.value)
  assert told.startswith('ann: 4 of 6 videos can serve, 5 are the fewest')
  assert '\n  p.mp4: too_short (2 s)' in told
  assert '\n  copy.mp4: the same file as 0.mp4' in told


def test_a_video_of_somebody_else_among_the_references_is_told(monkeypatch):
  done = enroll_videos(monkeypatch, six(**{'other.mp4': (video_at(220), {})}))
  assert list(done.strangers) == [Path('other.mp4')]


def test_of_several_faces_the_largest_is_enrolled(monkeypatch):
  clips = [*video_at(10, track=0), *video_at(103, track=1)]
  done = enroll_videos(monkeypatch, six(**{'two.mp4': (clips, make_facts(Path('two.mp4'), tracks=(0, 1)))}))
  assert done.person.references[-1]['look'].ravel().tolist() == [103, 104]


def test_a_video_is_like_the_references_or_unlike(monkeypatch):
  known = enroll_videos(monkeypatch, six()).person
  own, other = (check(TOWERS, known, make_facts(Path('a.mp4')), video_at(level)) for level in (107, 180))
  assert (own['verdict'], own['reason'], own['references'], own['heard']) == ('like', None, 6, True)
  assert other['verdict'] == 'unlike'
  assert own['score'] <= own['limit'] < other['score']


def test_the_voice_counts_where_there_is_one(monkeypatch):
  """The right face with a voice from elsewhere; and the same without its sound."""
  known = enroll_videos(monkeypatch, six()).person
  clips = video_at(107)
  for clip in clips:
    clip.features['sound'] = clip.features['sound'] + 80
  assert check(TOWERS, known, make_facts(Path('a.mp4')), clips)['verdict'] == 'unlike'
  silent = check(TOWERS, known, make_facts(Path('a.mp4')), video_at(107, state='absent'))
  assert (silent['verdict'], silent['heard']) == ('like', False)


def test_the_face_most_like_the_person_counts(monkeypatch):
  known = enroll_videos(monkeypatch, six()).person
  clips = [*video_at(200, track=0), *video_at(107, track=1)]
  assert check(TOWERS, known, make_facts(Path('a.mp4'), tracks=(0, 1)), clips)['verdict'] == 'like'


def test_a_video_without_a_face_has_no_verdict(monkeypatch):
  known = enroll_videos(monkeypatch, six()).person
  found = check(TOWERS, known, make_facts(Path('a.mp4'), reason='profile'), [])
  assert (found['verdict'], found['score'], found['reason']) == ('none', None, 'profile (as it is)')


def test_references_of_other_weights_are_refused():
  with pytest.raises(UserError, match='its weights are not those of the references: enroll the person anew'):
    check(open_fake('clip', 'people', weights='xyz'), Person([], 'abc'), {}, [])


def test_who_is_deleted_is_gone(tmp_path):
  for name in ('ann', 'bob'):
    save_person(tmp_path, name, Person([{'look': np.zeros((1, 2))}], 'abc'))
  assert list_people(tmp_path) == ['ann', 'bob']
  assert forget(tmp_path, 'ann') == tmp_path / 'ann.npz'
  assert [path.name for path in tmp_path.iterdir()] == ['bob.npz']
  with pytest.raises(UserError, match=r'ann: not enrolled in .* \(there: bob\): lipfake person enroll ann'):
    load_person(tmp_path, 'ann')


@pytest.mark.parametrize('name', ['../ann', '', 'a/b', '.ann', 'x' * 65])
def test_a_name_is_no_path(name, tmp_path):
  with pytest.raises(UserError, match='choose a name of letters'):
    load_person(tmp_path, name)


def test_people_are_kept_where_the_users_data_is(monkeypatch):
  monkeypatch.setenv('XDG_DATA_HOME', '/data')
  assert people_folder() == Path('/data/lipfake_jax/people')
  assert people_folder(Path('mine')) == Path('mine')
