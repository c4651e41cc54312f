"""The page of one video: the verdict in words, when and by whose mouth it came about, and how far to trust it.

In: a document of `inference.findings`, and a strip of frames for each window. Out: HTML that fetches nothing, runs no
script, and is the same whenever it is made.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from types import MappingProxyType

import numpy as np

from lipfake_jax.clips.clips import Clip
from lipfake_jax.inference.findings import Document
from lipfake_jax.report import markup
from lipfake_jax.report.detect_words import ANSWERS, OTHER_MEANS, clock, explain_verdict, limits, say, speaks
from lipfake_jax.report.explain_words import COLOURS
from lipfake_jax.report.sound_section import draw_sound
from lipfake_jax.report.strip import encode_strip
from lipfake_jax.report.timeline import STYLE, draw_timeline, level

KIND = 'Signs of a fake in a video of a talking face'
SIDE = 96  # pixels of a frame in a strip
STRIPS = 60  # windows a person whose frames are shown, those of the highest scores
PEOPLE = 12  # shown, those of the highest scores

Heat = tuple[bytes, list[str]]  # of `heat.explain_window`


def draw_window(clip: Clip) -> bytes:
  """The frames of a window, as JPEG."""
  return encode_strip(clip.frames, SIDE)


def render_finding(
  document: Document,
  pictures: Sequence[Sequence[bytes]],
  explained: Mapping[int, tuple[int, Heat]] = MappingProxyType({}),
  mouths: Sequence[Sequence[np.ndarray]] | None = None,
) -> str:
  """The whole page.

  Args:
    document: of the video.
    pictures: of each person's windows, see `draw_window`.
    explained: of a person, by the place in the document, the number of a window and what carried its score.
    mouths: of each person's events of the sound, see `detect.Finding`; none where nothing was listened to.
  """
  title = PurePosixPath(document['video']['path']).name
  heat = {document['people'][place]['id']: found for place, found in explained.items()}
  nothing: list[list[np.ndarray]] = [[] for _ in document['people']]
  return markup.render_page(title, _sections(document, pictures, heat, mouths or nothing), KIND, STYLE)


def _sections(
  document: Document,
  pictures: Sequence[Sequence[bytes]],
  heat: Mapping[int, tuple[int, Heat]],
  mouths: Sequence[Sequence[np.ndarray]],
) -> Iterator[str]:
  yield _answer(document)
  everything = zip(document['people'], pictures, mouths, strict=True)
  ranked = sorted((found for found in everything if found[0]['windows']), key=lambda found: -found[0]['p_fake'])
  for person, strips, lips in ranked[:PEOPLE]:
    yield _person(document, person, strips, heat.get(person['id']), lips)
  if len(ranked) > PEOPLE:
    yield markup.paragraph(
      f'{len(ranked) - PEOPLE} more people, all with lower scores, are in the JSON beside this page.'
    )
  yield markup.section('Quality and limits', _quality(document), markup.bullets(limits(document)))
  yield markup.section('How to check it by other means', markup.bullets(OTHER_MEANS))
  yield _provenance(document)


def _answer(document: Document) -> str:
  kind, words = ANSWERS[document['verdict']]
  sentences = ''.join(markup.paragraph(sentence) for sentence in explain_verdict(document))
  box = f'<div class="answer {kind}">{markup.paragraph(words, "verdict")}\n{sentences}</div>'
  notes = [markup.paragraph(f'{warning[0].upper()}{warning[1:]}.', 'note') for warning in document['warnings']]
  return markup.section('Answer', box, *notes)


def _person(
  document: Document,
  person: Document,
  strips: Sequence[bytes],
  heat: tuple[int, Heat] | None,
  mouths: Sequence[np.ndarray],
) -> str:
  _, words = ANSWERS[person['verdict']]
  seen = f'in view from {clock(person["from_s"])} to {clock(person["to_s"])}'
  facts = (
    f'{words}: score {person["p_fake"]:.3f}, from 0 (real) to 1 (fake); {seen}, {person["share"]:.0%} of the frames.'
  )
  for_it, against = speaks(document, person)
  sound = person['evidence']['sound']
  return markup.section(
    f'Person {person["id"]}',
    markup.paragraph(facts),
    draw_timeline(document, person, _shown(person)),
    markup.heading('For a fake'),
    markup.bullets(for_it),
    markup.heading('Against it'),
    markup.bullets(against),
    *(_heat(person, *heat) if heat else ()),
    markup.heading('The mouth, window by window'),
    *_strips(document, person, strips),
    *(draw_sound(sound, mouths) if sound else ()),
  )


def _heat(person: Document, number: int, heat: Heat) -> Iterator[str]:
  """What carried the score of a window."""
  window, (picture, sentences) = person['windows'][number], heat
  time = f'{clock(window["start_s"])} to {clock(window["end_s"])}'
  yield markup.heading(f'What carried the score of the highest window, {time}')
  if picture:
    data = markup.data_uri(picture, 'image/jpeg')
    shown = markup.picture(data, f'Heat over the mouth of person {person["id"]}, {time}; in words below', COLOURS)
    yield f'<div class="heat">{shown}</div>'
  yield markup.bullets(sentences)


def _shown(person: Document) -> list[int]:
  """The windows whose frames are shown, in time order: those of the highest scores, where there are many."""
  scores = [window['p_fake'] for window in person['windows']]
  return sorted(sorted(range(len(scores)), key=lambda number: -scores[number])[:STRIPS])


def _strips(document: Document, person: Document, strips: Sequence[bytes]) -> Iterator[str]:
  shown = _shown(person)
  top = max(shown, key=lambda number: person['windows'][number]['p_fake'])
  hint = 'A click on a bar above opens its window here. Frames run from left to right; the highest window is open.'
  more = f' Shown are the {STRIPS} highest of {len(person["windows"])}.' if len(shown) < len(person['windows']) else ''
  yield markup.paragraph(hint + more, 'quiet')
  for number in shown:
    window = person['windows'][number]
    time = f'{clock(window["start_s"])} to {clock(window["end_s"])}'
    name = f'{time}: score {window["p_fake"]:.3f}, {level(document, window)}'
    facts = f'Sharpness {window["sharpness"]:.0f}, motion of the lips {window["motion"]:.2f} pixels a frame.'
    picture = markup.picture(
      markup.data_uri(strips[number], 'image/jpeg'), f'Mouth of person {person["id"]}, {time}', facts
    )
    opened = ' open' if number == top else ''
    frames = (
      f'<div id="p{person["id"]}w{number + 1}">{picture}</div>'  # within, since browsers open what holds a target
    )
    yield f'<details class="window"{opened}><summary>{markup.escape(name)}</summary>{frames}</details>'


def _quality(document: Document) -> str:
  video, people = document['video'], document['people']
  header = ('person', 'verdict', 'mouth, pixels wide', 'sharpness', 'windows')
  rows = [
    (
      person['id'],
      person['verdict'],
      f'{person["mouth_px"]:.0f}',
      '-' if person['sharpness'] is None else f'{person["sharpness"]:.0f}',
      len(person['windows']),
    )
    for person in people
  ]
  notes = [
    f'Person {person["id"]}: {note}. A verdict there is worth less.' for person in people for note in person['warnings']
  ]
  notes += [
    f'Person {person["id"]} has no verdict: {say(person["reason"])}.' for person in people if not person['windows']
  ]
  known = {name: video[name] for name in ('duration_s', 'fps', 'width', 'height', 'codec', 'frames')}
  names = {'duration_s': 'seconds', 'fps': 'frames a second', 'width': 'width, pixels', 'height': 'height, pixels'}
  facts = [(names.get(name, name), '-' if value is None else value) for name, value in known.items()]
  parts = [markup.table(header, rows, 'The faces', 'faces')] if rows else []
  parts += [markup.bullets(notes)] if notes else []
  return '\n'.join([*parts, markup.table(('of the file', 'value'), facts, 'The video')])


def _provenance(document: Document) -> str:
  rows = [
    (f'{part}: {name}', '-' if value is None else value)
    for part in ('video', 'weights', 'tool')
    for name, value in document[part].items()
    if part != 'video' or name in ('path', 'sha256', 'bytes')
  ]
  note = (
    'The same file gives the same page with the same tool and weights. To check that this page is of your file, compute'
    ' its SHA-256 (sha256sum FILE, or certutil -hashfile FILE SHA256) and compare. All figures are in the JSON beside'
    ' it.'
  )
  return markup.section(
    'Where this comes from', markup.table(('what', 'value'), rows, kind='wide'), markup.paragraph(note)
  )
