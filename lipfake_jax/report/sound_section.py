"""What a person's lips do about what is heard: in words, and event by event with the frames.

In: the evidence of `inference.sound_evidence`, and frames of each event. Out: HTML, and a line for a terminal.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from lipfake_jax.inference.findings import Document
from lipfake_jax.report import markup
from lipfake_jax.report.detect_words import say
from lipfake_jax.report.strip import encode_strip

IN_TIME_MS = 80  # two frames; ITU-R BT.1359: viewers notice sound that is 45 ms early or 125 ms late
SHOWN = 24  # events whose frames are shown, those of the widest lips
SIDE = 96  # pixels of a frame
CAVEAT = (
  'This is no verdict, and no proof. In real videos, too, lips are open at such sounds where a word was misheard, or'
  ' the film is dubbed; good fakes close them. Look at the frames below, and listen.'
)


def draw_sound(sound: Document, mouths: Sequence[np.ndarray]) -> Iterator[str]:
  """The parts of a person's section; `mouths`: frames of each event, RGB uint8 [N, S, S, 3]."""
  yield markup.heading('The lips and the sound')
  yield from (markup.paragraph(sentence) for sentence in say_sound(sound))
  if sound['reason']:
    return
  yield markup.paragraph(CAVEAT, 'quiet')
  widest = sorted(range(len(mouths)), key=lambda number: -sound['events'][number]['opening'])[:SHOWN]
  for number in widest:
    yield _draw_event(sound['events'][number], mouths[number])
  if len(widest) < len(mouths):
    yield markup.paragraph(f'Shown are the {SHOWN} widest of {len(mouths)}; all are in the JSON beside this page.')


def say_sound(sound: Document) -> Iterator[str]:
  """What is heard and seen, in sentences."""
  if sound['reason']:
    yield f'Lips were not compared with the sound: {say(sound["reason"])}.'
    return
  yield say_offset(sound)
  events, (low, high) = sound['events'], sound['closed_interval']
  yield (
    f'{say_share(sound)}: {sound["closed_share"]:.0%}, with a 95 % interval of {low:.0%} to {high:.0%} for so few. At'
    f' other times of this video they are as closed in {sound["elsewhere"]:.0%}, and {len(events)} of those, at the lag'
    f' that suits them best, show so many closed lips with a probability of {sound["chance"]:.2g}.'
  )


def say_share(sound: Document) -> str:
  """How many events show closed lips."""
  closed = sum(event['closed'] for event in sound['events'])
  return f'Lips close at {closed} of {len(sound["events"])} sounds of M, B and P'


def say_offset(sound: Document) -> str:
  """By how much the sound is out of time, and what that means."""
  offset, (low, high) = sound['offset_ms'], sound['offset_interval_ms']
  if abs(offset) <= IN_TIME_MS:
    return f'The sound is in time with the lips ({offset:+} ms, 95 % interval {low:+} to {high:+}).'
  way = 'later' if offset > 0 else 'earlier'
  return (
    f'The sound comes {abs(offset)} ms {way} than the lips (95 % interval {low:+} to {high:+}): a sound track that is'
    ' shifted, by bad synchronisation or by a machine. By itself that is no sign of a fake; lips are judged at this'
    ' offset.'
  )


def tell_sound(sound: Document) -> str:
  """A line for a terminal."""
  if sound['reason']:
    return f'sound: {sound["reason"]}'
  return f'sound: {sound["offset_ms"]:+} ms. {say_share(sound)}'


def _draw_event(event: Document, frames: np.ndarray) -> str:
  words = 'closed' if event['closed'] else 'open'
  name = f'{event["phone"]} at {event["heard_s"]:.2f} s: lips {words}, {event["opening"]:.3f}'
  facts = f'Frames about {event["lips_s"]:.2f} s. Opening of the lips at its least, in widths of the mouth.'
  picture = markup.picture(markup.data_uri(encode_strip(frames, SIDE), 'image/jpeg'), name, facts)
  return f'<details class="window"><summary>{markup.escape(name)}</summary>{picture}</details>'
