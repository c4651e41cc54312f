"""XM2VTS: real recordings of 295 people, interlaced (PAPER section 9). It measures specificity."""

import re
from pathlib import Path

from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.data.builder import LipClipBuilder
from lipfake_jax.data.files import find_videos
from lipfake_jax.data.listing import Listing, read_instructions

NAME = re.compile(r'(?P<identity>\d{3})(?!\d).*')  # the person's number, then session and shot in various spellings


class Builder(LipClipBuilder):
  """`--manual_dir` is the folder that holds the recordings, at any depth."""

  MANUAL_DOWNLOAD_INSTRUCTIONS = read_instructions('xm2vts')
  PUBLISHED = {('recordings', 'real'): 2360}  # 295 people, 4 sessions, 2 shots; the paper used 1208

  def list_videos(self, root: Path) -> Listing:
    """Every video whose name starts with a person's number."""
    videos, strange, files = [], [], find_videos(root)
    for path in files:
      key, match = path.relative_to(root).as_posix(), NAME.fullmatch(path.stem)
      if match:
        videos.append(VideoRecord(path, key, 'real', match['identity'], method='original', folder='recordings'))
      else:
        strange.append(key)
    unknown = "files whose names do not start with a person's three digits, left out"
    return Listing(videos, {unknown: strange, **files.named(root)})
