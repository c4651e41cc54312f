"""Each video has files of its own, wherever it lies and whatever it is called."""

from pathlib import PurePosixPath

import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.report.detect_files import find_places, name_outputs


def named(*videos: str) -> list[str]:
  return [str(name) for name in name_outputs([PurePosixPath(video) for video in videos])]


@pytest.mark.parametrize(
  ('videos', 'names'),
  [
    (['a.mp4', 'b.tar.mov'], ['a', 'b.tar']),
    (['x/a.mp4', 'y/a.mp4'], ['x/a', 'y/a']),
    (['a.mp4', 'a.mov', 'b.mov'], ['a.mp4', 'a.mov', 'b']),
    (['a.mp4', 'A.mp4'], ['a.mp4', 'A.mp4-2']),  # one name to some disks
    (['a.mp4', 'a.mp4'], ['a.mp4', 'a.mp4-2']),
    (['a.mp4', 'a.mp4', 'a.mp4-2', 'a.mp4'], ['a.mp4', 'a.mp4-2', 'a.mp4-2-2', 'a.mp4-3']),
    (['.mp4'], ['.mp4']),
    (['line\nbreak\x1b.mp4'], ['line\\nbreak\\x1b']),
  ],
)
def test_names(videos, names):
  assert named(*videos) == names


def test_a_long_name_leaves_room_for_its_suffix():
  """255 bytes are the limit of most file systems."""
  [name] = named('é' * 125 + '.mp4')
  assert len(f'{name}.html'.encode()) < 255


def test_videos_of_a_folder_keep_their_place_in_it(tmp_path):
  for name in ('in/a.mp4', 'in/deep/er/b.mp4', 'c.mp4'):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text('x')
  files, places = find_places([str(tmp_path / 'in'), str(tmp_path / 'c.mp4')])
  assert [path.name for path in files.found] == ['a.mp4', 'b.mp4', 'c.mp4']
  assert [str(place) for place in places] == ['a', 'deep/er/b', 'c']


def test_of_folders_that_hold_each_other_the_first_counts(tmp_path):
  path = tmp_path / 'in' / 'deep' / 'a.mp4'
  path.parent.mkdir(parents=True)
  path.write_text('x')
  for order, place in ((('in', 'in/deep'), 'deep/a'), (('in/deep', 'in'), 'a')):
    assert [str(found) for found in find_places([str(tmp_path / name) for name in order])[1]] == [place]


def test_ten_thousand_videos_may_have_one_name():
  """Counting up from 1 for each of them would take minutes."""
  names = named(*['a.mp4'] * 10_000)
  assert (names[0], names[1], names[-1]) == ('a.mp4', 'a.mp4-2', 'a.mp4-10000')


def test_nothing_to_look_at_is_a_mistake(tmp_path):
  with pytest.raises(UserError, match='no video in this folder'):
    find_places([str(tmp_path)])
  with pytest.raises(UserError, match='no such file or folder'):
    find_places([str(tmp_path / 'none.mp4')])
