"""Which videos the builders find, under which names; and one real `tfds build`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow_datasets as tfds

from data_builders.celeb_df_v2 import celeb_df_v2_dataset_builder as celeb
from data_builders.video_folder import video_folder_dataset_builder as folder
from lipfake_jax.errors import UserError
from lipfake_jax.lip_clip_builder import VideoRecord, rejection_table
from lipfake_jax.splits import identity_split

TFDS = Path(sys.executable).with_name('tfds')


def touch(root: Path, *names: str) -> Path:
  for name in names:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).touch()
  return root


def videos_of(module, root: Path, data_dir: Path) -> list[VideoRecord]:
  return module.Builder(data_dir=str(data_dir), config='flow_lips_60x64').list_videos(root)


@pytest.fixture
def listed(tmp_path):
  """The videos that video_folder finds below a folder, by key."""
  return lambda root: {r.key: r for r in videos_of(folder, root, tmp_path / 'unused')}


def test_folders_name_the_label_at_any_depth(tmp_path, listed, capsys):
  names = ['real/a.mp4', 'set 1/Fake/deep/b.MOV', 'set 1/real/a.mp4', 'notes/real/fake/c.avi', 'real/readme.txt']
  records = listed(touch(tmp_path / 'v', *names, 'stray.mp4'))
  labels = {key: record.label for key, record in records.items()}
  # Equal file names in two folders are two videos; of nested names the deepest counts.
  assert labels == {
    'real/a.mp4': 'real', 'set 1/Fake/deep/b.MOV': 'fake', 'set 1/real/a.mp4': 'real', 'notes/real/fake/c.avi': 'fake',
  }  # fmt: skip
  assert '1 videos lie outside of real/ and fake/ and are left out, the first: stray.mp4' in capsys.readouterr().out


def test_a_table_names_everything(tmp_path, listed):
  root = touch(tmp_path / 'v', 'a.mp4', 'b/c.mp4', 'd.mp4')
  rows = [
    'path,label,identity,method,split',
    'a.mp4,Real,anna,,validation',
    'b/c.mp4,fake,ben,Wav2Lip,',
    'd.mp4,fake,,,',
  ]
  (root / 'list.csv').write_text('\n'.join(rows))
  records = listed(root)
  assert records['a.mp4'] == VideoRecord(root / 'a.mp4', 'a.mp4', 'real', 'validation', 'anna', 'original')
  assert records['b/c.mp4'].split == identity_split('ben')
  assert records['b/c.mp4'].method == 'Wav2Lip'
  assert records['d.mp4'].split == identity_split('d.mp4')  # unknown person: by the video


@pytest.mark.parametrize(
  ('table', 'message'),
  [
    ('path,label\na.mp4,genuine', r'line 2: label .genuine. is neither real nor fake'),
    ('path,label\nnone.mp4,real', 'line 2: there is no file'),
    ('file,label\na.mp4,real', r"lacks the column path; it has \['file', 'label'\]"),
    ('path,label,split\na.mp4,real,dev', r'line 2: split .dev. is none of train, validation, test'),
  ],
)
def test_a_bad_table_names_the_line(tmp_path, listed, table, message):
  root = touch(tmp_path / 'v', 'a.mp4')
  (root / 'list.csv').write_text(table)
  with pytest.raises(UserError, match=message):
    listed(root)


def test_two_tables_are_one_too_many(tmp_path, listed):
  with pytest.raises(UserError, match='holds 2 CSV files'):
    listed(touch(tmp_path / 'v', 'a.csv', 'b.csv'))


def test_celeb_df_persons_are_in_one_part(tmp_path):
  persons = [f'id{n}' for n in range(60)]
  reals = [f'Celeb-real/{p}_0000.mp4' for p in persons]
  fakes = [f'Celeb-synthesis/{a}_{b}_0000.mp4' for a in persons for b in persons if a != b]
  root = touch(tmp_path / 'c', *reals, *fakes, 'YouTube-real/00000.mp4')
  records = videos_of(celeb, root, tmp_path / 'unused')
  members: dict[str, set[str]] = {}
  for record in records:
    names = Path(record.key).stem.split('_')[:-1]
    assert len(names) == (1 if record.label == 'real' else 2)
    for name in names:
      members.setdefault(name, set()).add(record.split)
  assert all(len(parts) == 1 for parts in members.values())
  sizes = [sum(identity_split(p) == part for p in persons) for part in ('train', 'validation', 'test')]
  assert len(records) == 60 + sum(n * (n - 1) for n in sizes)  # every swap within a part, and only those
  assert {r.method for r in records if r.label == 'fake'} == {'Celeb-synthesis'}


def test_celeb_df_in_a_wrong_layout(tmp_path):
  with pytest.raises(UserError, match=r'lacks Celeb-synthesis\.[\s\S]*tfds build'):
    videos_of(celeb, touch(tmp_path / 'c', 'Celeb-real/id0_0000.mp4'), tmp_path / 'unused')
  with pytest.raises(UserError, match='none of Celeb-DF v2'):
    videos_of(celeb, touch(tmp_path / 'c', 'Celeb-synthesis/holiday.mp4'), tmp_path / 'unused')


def test_rejections_are_counted_by_class():
  records = [VideoRecord(Path(k), k, label, 'train') for k, label in (('a', 'real'), ('b', 'fake'), ('c', 'fake'))]
  table = rejection_table(records, [{'key': 'b', 'label': 'fake', 'reason': 'no_face', 'split': 'train', 'detail': ''}])
  assert [line.split() for line in table.splitlines()] == [
    ['real', 'fake'], ['videos', '1', '2'], ['clips', '1', '1'], ['rejected:', 'no_face', '0', '1'],
  ]  # fmt: skip


def tfds_build(*arguments: str) -> subprocess.CompletedProcess:
  command = [str(TFDS), 'build', 'data_builders/video_folder', '--config=uniform_lips_30x32', *arguments]
  return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1], check=False)


@pytest.mark.slow
def test_tfds_build_makes_a_dataset_of_a_folder(tmp_path, face_video, blank_video, text_video):
  root = tmp_path / 'v'
  sources = [face_video, face_video, blank_video, text_video]
  names = ['real/face.mp4', 'fake/face.mp4', 'fake/blank.mp4', 'real/text.mp4']
  for name, source in zip(names, sources, strict=True):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, root / name)
  data_dir = str(tmp_path / 'data')
  done = tfds_build(f'--manual_dir={root}', f'--data_dir={data_dir}')
  assert done.returncode == 0, done.stderr
  builder = tfds.core.read_only_builder.builder_from_files(
    'video_folder/uniform_lips_30x32', data_dir=str(tmp_path / 'data')
  )
  rows = [row for split in builder.info.splits for row in builder.as_data_source(split)]
  assert {row['key'].decode(): int(row['label']) for row in rows} == {'real/face.mp4': 0, 'fake/face.mp4': 1}
  assert rows[0]['clip'].shape == (30, 32, 32, 3)
  assert rows[0]['clip'].std() > 10  # pixels, not blanks
  rejections = {r['key']: (r['reason'], r['label']) for r in builder.info.metadata['rejections']}
  assert rejections == {'fake/blank.mp4': ('no_face', 'fake'), 'real/text.mp4': ('unreadable', 'real')}
  assert json.loads(json.dumps(builder.info.metadata['spec']))['frames'] == 30


@pytest.mark.slow
@pytest.mark.parametrize('names', [[], ['real/readme.txt'], ['real/text.mp4']])
def test_tfds_build_of_nothing_says_so_without_a_traceback(tmp_path, names):
  root = touch(tmp_path / 'v', *names)
  root.mkdir(exist_ok=True)
  failed = tfds_build(f'--manual_dir={root}', f'--data_dir={tmp_path / "data"}')
  assert failed.returncode == 2
  assert str(root) in failed.stderr
  assert 'Traceback' not in failed.stderr
