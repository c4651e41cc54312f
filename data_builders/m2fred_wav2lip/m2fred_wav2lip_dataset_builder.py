"""M2FRED's phone videos, and the WAV2LIP re-syncs made of them (PAPER section 9)."""

import re
from pathlib import Path

from lipfake_jax.core.errors import UserError
from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.builder import LipClipBuilder
from lipfake_jax.data.files import find_videos, join_files
from lipfake_jax.data.listing import Listing, find_entry, read_instructions, wrong_layout

REALS, FAKES = 'M2FRED', 'WAV2LIP'
# Matched with a real's path below its root, without the suffix: <III>_<session>_<mask>_<take>, mask 1 is masked.
PATTERN = r'(?:.*/)?(?P<identity>\d+)_(?P<session>\d+)_(?P<mask>[01])_(?P<take>\d+)'
PATTERN_FILE = 'name_pattern.txt'


class Builder(LipClipBuilder):
  """`--manual_dir` is the folder that holds M2FRED (reals) and WAV2LIP (fakes)."""

  MANUAL_DOWNLOAD_INSTRUCTIONS = read_instructions('m2fred_wav2lip')
  PUBLISHED = {(REALS, 'real'): 611, (FAKES, 'fake'): 2635}  # PAPER section 5

  def list_videos(self, root: Path) -> Listing:
    """The videos of both folders but those with a mask, which hides the lips."""
    places = [find_entry(root, name) for name in (REALS, FAKES)]
    if None in places:
      lacking = [name for name, place in zip((REALS, FAKES), places, strict=True) if place is None]
      raise wrong_layout(root, ' and '.join(lacking))
    reals, fakes = (find_videos(place) for place in places)  # type: ignore[arg-type]  # None was refused
    pattern = _read_pattern(find_entry(root, PATTERN_FILE))
    videos, masked, strange = [], [], []
    originals: dict[str, str] = {}  # the key of each real by its name
    for path in reals:
      key = path.relative_to(root).as_posix()
      match = pattern.fullmatch(path.relative_to(places[0]).with_suffix('').as_posix())  # type: ignore[arg-type]
      if not match:
        strange.append(key)
      elif match['mask'] == '1':
        masked.append(key)
      else:
        originals[path.stem] = key
        identity = _person(match['identity'])
        videos.append(VideoRecord(path, key, 'real', identity, method='original', folder=REALS))
    for path in fakes:
      key, leading = path.relative_to(root).as_posix(), re.match(r'\d+', path.stem)
      full = re.match(PATTERN, path.stem)
      if not leading:
        strange.append(key)
      elif full and full['mask'] == '1':
        masked.append(key)
      else:
        # Up to a whole number: 001_1_0_12 is not made from 001_1_0_1.
        made_of = max(
          (name for name in originals if re.match(rf'{re.escape(name)}(?!\d)', path.stem)), key=len, default=''
        )
        original, identity = originals.get(made_of, ''), _person(leading[0])
        videos.append(VideoRecord(path, key, 'fake', identity, method='Wav2Lip', original=original, folder=FAKES))
    notes = {
      'masked videos, left out': masked,
      f'files whose names the pattern {pattern.pattern!r} does not know, left out': strange,
      **join_files((reals, fakes)).named(root),
    }
    return Listing(videos, notes)


def _person(name: str) -> str:
  """The same for 7 and 007; a name that is no number stays as it is."""
  return f'{int(name):03}' if name.isdecimal() else name


def _read_pattern(file: Path | None) -> re.Pattern:
  """The first line of a user's file, or ours. Raises UserError where it is no pattern with the two groups needed."""
  text = file.read_text().strip().partition('\n')[0] if file else PATTERN
  try:
    pattern = re.compile(text)
  except re.error as error:
    raise UserError(f'{file}: {text!r} is no regular expression: {error}') from error
  if missing := {'identity', 'mask'} - set(pattern.groupindex):
    raise UserError(f'{file}: {text!r} lacks the group {" and ".join(f"(?P<{name}>...)" for name in sorted(missing))}')
  return pattern
