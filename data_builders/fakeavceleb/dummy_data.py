"""A miniature of FakeAVCeleb: sixteen persons, equal file names in two folders, and a table with its oddities: a last
column without a name, rows that stand there twice, a row without a file, a file without a row."""

from data_builders.make_dummy import DummyData, DummyVideo

HEADER = 'source,target1,target2,method,category,type,race,gender,path,'
PEOPLE = range(16)
PLACES = (('African', 'men'), ('Asian (East)', 'women'))


def _place(person: int) -> str:
  race, gender = PLACES[person % 2]
  return f'{race}/{gender}/id{person:05}'


def _row(person: int, target: str, method: str, category: str, kind: str, name: str) -> str:
  race, gender = PLACES[person % 2]
  folder = f'FakeAVCeleb/{kind}/{_place(person)}'
  return f'id{person:05},{target},-,{method},{category},{kind},{race},{gender},{name},{folder}'


REAL, VOICED, SWAPPED, SYNCED = (
  'RealVideo-RealAudio', 'RealVideo-FakeAudio', 'FakeVideo-RealAudio', 'FakeVideo-FakeAudio',
)  # fmt: skip
REALS = [DummyVideo(f'{REAL}/{_place(n)}/00109.mp4', 'real', n) for n in PEOPLE]
VOICES = [DummyVideo(f'{VOICED}/{_place(n)}/00109_fake.mp4', 'real', n) for n in PEOPLE[:2]]
SWAPS = [DummyVideo(f'{SWAPPED}/{_place(n)}/00109_0.mp4', 'fake', n) for n in PEOPLE]
SYNCS = [DummyVideo(f'{SYNCED}/{_place(n)}/00109_wavtolip.mp4', 'fake', n) for n in PEOPLE]
UNLISTED = [DummyVideo(f'{SYNCED}/{_place(3)}/00200_wavtolip.mp4', 'fake', 3)]
ROWS = [
  *(_row(n, '-', 'real', 'A', REAL, '00109.mp4') for n in PEOPLE),
  *(_row(n, '-', 'rtvc', 'B', VOICED, '00109_fake.mp4') for n in PEOPLE[:2]),
  *(_row(n, f'id{(n + 8) % 16:05}', 'faceswap', 'C', SWAPPED, '00109_0.mp4') for n in PEOPLE),
  *(_row(n, '-', 'wav2lip', 'D', SYNCED, '00109_wavtolip.mp4') for n in PEOPLE),
]
ABSENT = _row(1, '-', 'wav2lip', 'D', SYNCED, '00777_wavtolip.mp4')
TABLE = '\n'.join([HEADER, *ROWS, ROWS[0], ROWS[-1], ABSENT]) + '\n'
DUMMY = DummyData([*REALS, *VOICES, *SWAPS, *SYNCS, *UNLISTED], {'meta_data.csv': TABLE})
