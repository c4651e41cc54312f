"""The page that takes videos: its HTML; its script and its own style lie in `static/`. It looks like the findings."""

from pathlib import Path

from lipfake_jax.report import markup
from lipfake_jax.web.limits import Limits
from lipfake_jax.web.uploads import MIB

STATIC = Path(__file__).parent / 'static'
SCRIPT = (STATIC / 'page.js').read_text()
PAGE = (STATIC / 'page.html').read_text()


def render_page(key: str, limits: Limits) -> str:
  """The page of a visitor; `key` goes with each change that they ask for."""
  values = {
    'key': key,
    'most_bytes': limits.upload_bytes,
    'most_mib': limits.upload_bytes // MIB,
    'upload_time': say_time(limits.upload_s),
    'kept': say_time(limits.keep_s),
  }
  return PAGE.format_map({name: markup.escape(value) for name, value in values.items()})


def render_style() -> str:
  """The style sheet: that of the findings, and what a page needs beside it that one can act on."""
  return markup.STYLE + (STATIC / 'page.css').read_text()


def say_time(seconds: float) -> str:
  """A span in words: '45 seconds', '10 minutes', '1 hour'."""
  for unit, size in (('hour', 3600), ('minute', 60)):
    if seconds >= size and seconds % size == 0:
      return f'{seconds // size:.0f} {unit}{"s" * (seconds != size)}'
  return f'{seconds:g} seconds'
