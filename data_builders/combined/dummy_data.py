"""A miniature of the paper's union: those of its two datasets, side by side."""

from data_builders.make_dummy import DummyData, load_dummy

NAMES = ('celeb_df_v2', 'm2fred_wav2lip')
SETS = {name: load_dummy(name) for name in NAMES}
DUMMY = DummyData(
  [video._replace(path=f'{name}/{video.path}') for name, data in SETS.items() for video in data.videos],
  {f'{name}/{path}': text for name, data in SETS.items() for path, text in data.texts.items()},
)
