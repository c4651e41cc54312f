"""M2FRED / WAV2LIP: masks, persons and originals by name."""

import pytest

from data_builders.m2fred_wav2lip.dummy_data import FAKES, MASKED, REALS
from lipfake_jax.core.errors import UserError


def by_key(listing):
  return {video.key: video for video in listing.videos}


def test_every_video_has_its_label_person_and_original(names, survey):
  videos = by_key(survey('m2fred_wav2lip', names('m2fred_wav2lip')))
  assert {key: video.label for key, video in videos.items()} == {video.path: video.label for video in [*REALS, *FAKES]}
  fake = videos['WAV2LIP/007_1_0_1_0042.mp4']
  assert (fake.identity, fake.method, fake.original) == ('007', 'Wav2Lip', 'M2FRED/007_0/007_1_0_1.mp4')
  assert videos[fake.original].identity == '007'


def test_an_original_is_found_by_its_whole_name(names, survey):
  root = names('m2fred_wav2lip')
  (root / 'WAV2LIP' / '007_1_0_12_0042.mp4').touch()  # take 12 is not there, take 1 is
  assert by_key(survey('m2fred_wav2lip', root))['WAV2LIP/007_1_0_12_0042.mp4'].original == ''


def test_masked_videos_are_left_out_and_counted(names, survey):
  root = names('m2fred_wav2lip')
  (root / 'WAV2LIP' / '002_1_1_1_0017.mp4').touch()  # a fake of a masked video
  listing = survey('m2fred_wav2lip', root)
  assert listing.notes['masked videos, left out'] == [*(video.path for video in MASKED), 'WAV2LIP/002_1_1_1_0017.mp4']
  assert not {video.key for video in listing.videos} & set(listing.notes['masked videos, left out'])


def test_the_same_person_under_two_spellings(names, survey):
  root = names('m2fred_wav2lip')
  (root / 'WAV2LIP' / '7_someone_elses_voice.mp4').touch()
  assert by_key(survey('m2fred_wav2lip', root))['WAV2LIP/7_someone_elses_voice.mp4'].identity == '007'


def test_names_that_are_not_understood_are_named(names, survey):
  root = names('m2fred_wav2lip')
  (root / 'M2FRED' / 'holiday.mp4').touch()
  (root / 'WAV2LIP' / 'fake.mp4').touch()
  strange = next(found for kind, found in survey('m2fred_wav2lip', root).notes.items() if 'pattern' in kind)
  assert strange == ['M2FRED/holiday.mp4', 'WAV2LIP/fake.mp4']


def test_the_pattern_of_names_can_be_set(names, survey):
  root = names('m2fred_wav2lip')
  for path in (root / 'M2FRED').rglob('*.mp4'):
    path.rename(path.with_name(f'clip{path.stem[-1]}.mp4'))  # person and mask are in the folder's name alone
  (root / 'name_pattern.txt').write_text(r'(?P<identity>\d+)_(?P<mask>[01])/.*')
  listing = survey('m2fred_wav2lip', root)
  assert by_key(listing)['M2FRED/003_0/clip2.mp4'].identity == '003'
  assert len(listing.notes['masked videos, left out']) == len(MASKED)


def test_persons_may_have_names(names, survey):
  root = names('m2fred_wav2lip')
  (root / 'M2FRED' / '001_0').rename(root / 'M2FRED' / 'anna_0')
  (root / 'name_pattern.txt').write_text(r'(?P<identity>[^_]+)_(?P<mask>[01])/.*')
  assert by_key(survey('m2fred_wav2lip', root))['M2FRED/anna_0/001_1_0_1.mp4'].identity == 'anna'


@pytest.mark.parametrize(
  ('pattern', 'message'),
  [
    ('', 'lacks the group'),
    (r'(?P<identity>\d+', 'no regular expression'),
    (r'(?P<identity>\d+)', r'lacks the group \(\?P<mask>'),
  ],
)
def test_a_bad_pattern_is_told(names, survey, pattern, message):
  root = names('m2fred_wav2lip')
  (root / 'name_pattern.txt').write_text(pattern)
  with pytest.raises(UserError, match=message):
    survey('m2fred_wav2lip', root)


def test_a_missing_half_is_told(names, survey):
  root = names('m2fred_wav2lip')
  (root / 'WAV2LIP').rename(root / 'fakes')
  with pytest.raises(UserError, match=r'lacks WAV2LIP; it holds M2FRED, fakes[\s\S]*FOLDER/WAV2LIP/'):
    survey('m2fred_wav2lip', root)


@pytest.mark.slow
def test_the_miniature_builds(build):
  rows = build('m2fred_wav2lip')
  labels = {row['key']: ('real', 'fake')[row['label']] for row in rows}
  assert labels == {video.path: video.label for video in [*REALS, *FAKES]}
