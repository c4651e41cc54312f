"""FakeAVCeleb: the table's oddities, equal file names, and the policy for real lips."""

import pytest

from data_builders.fakeavceleb.dummy_data import REALS, SWAPS, SYNCS, UNLISTED, VOICES
from lipfake_jax.core.errors import UserError

FAKES = [*SWAPS, *SYNCS, *UNLISTED]


def by_key(listing):
  return {video.key: video for video in listing.videos}


def note(listing, words):
  return next(found for kind, found in listing.notes.items() if words in kind)


def test_every_video_has_its_label_persons_and_method(names, survey):
  videos = by_key(survey('fakeavceleb', names('fakeavceleb')))
  assert {key: video.label for key, video in videos.items()} == {video.path: video.label for video in [*REALS, *FAKES]}
  swap = videos['FakeVideo-RealAudio/African/men/id00004/00109_0.mp4']
  assert (swap.identity, swap.second_identity, swap.method) == ('id00004', 'id00012', 'faceswap')
  sync = videos['FakeVideo-FakeAudio/Asian (East)/women/id00005/00109_wavtolip.mp4']
  assert (sync.identity, sync.second_identity, sync.method) == ('id00005', '', 'wav2lip')


def test_equal_file_names_are_different_videos(names, survey):
  videos = survey('fakeavceleb', names('fakeavceleb')).videos
  assert len({video.path.name for video in videos}) < 5 < len(videos)
  assert len({video.key for video in videos}) == len(videos)


def test_rows_that_stand_twice_count_once(names, survey):
  listing = survey('fakeavceleb', names('fakeavceleb'))
  assert note(listing, 'more than once') == [SYNCS[-1].path, REALS[0].path]
  assert [video.key for video in listing.videos].count(REALS[0].path) == 1


def test_rows_without_a_file_and_files_without_a_row(names, survey):
  listing = survey('fakeavceleb', names('fakeavceleb'))
  assert note(listing, 'without a file') == ['FakeVideo-FakeAudio/Asian (East)/women/id00001/00777_wavtolip.mp4']
  assert note(listing, 'does not name') == [UNLISTED[0].path]
  kept = by_key(listing)[UNLISTED[0].path]
  assert (kept.label, kept.identity, kept.method) == ('fake', 'id00003', '')


@pytest.mark.parametrize(
  ('config', 'label'),
  [('flow_lips_60x64', None), ('flow_lips_60x64_fake_audio_real', 'real'), ('flow_lips_60x64_fake_audio_fake', 'fake')],
)
def test_real_lips_with_a_fake_voice_are_what_the_config_says(names, survey, config, label):
  listing = survey('fakeavceleb', names('fakeavceleb'), config)
  voiced = [by_key(listing).get(video.path) for video in VOICES]
  if label is None:
    assert voiced == [None, None]
    assert note(listing, 'real lips, fake audio') == [video.path for video in VOICES]
  else:
    assert [video.label for video in voiced] == [label] * 2
    assert [video.method for video in voiced] == ['rtvc'] * 2
    assert note(listing, 'real lips, fake audio') == []


@pytest.mark.parametrize(
  ('change', 'message'),
  [
    (lambda text: text.replace('source,', 'origin,', 1), 'lacks the column source'),
    (lambda text: text.replace('RealVideo-RealAudio,', 'RealVideo,', 1), 'line 2: its type is .RealVideo.'),
  ],
)
def test_a_bad_table_is_told(names, survey, change, message):
  root = names('fakeavceleb')
  table = root / 'meta_data.csv'
  table.write_text(change(table.read_text()))
  with pytest.raises(UserError, match=message):
    survey('fakeavceleb', root)


def test_a_missing_table_is_told(names, survey):
  root = names('fakeavceleb')
  (root / 'meta_data.csv').unlink()
  with pytest.raises(UserError, match=r'lacks meta_data.csv; it holds FakeVideo-FakeAudio, '):
    survey('fakeavceleb', root)


@pytest.mark.slow
def test_the_miniature_builds(build):
  rows = build('fakeavceleb', 'flow_lips_60x64_fake_audio_real')
  labels = {row['key']: ('real', 'fake')[row['label']] for row in rows}
  assert labels == {video.path: video.label for video in [*REALS, *VOICES, *FAKES]}
