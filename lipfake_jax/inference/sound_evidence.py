"""What a person's lips do about the sounds that want them closed, as `lipfake detect --sound` tells it.

In: a `Hearing`, and whose mouth. Out: a document of JSON's types, and frames of each event. Next stages: `findings`
puts it among the evidence, and `report.sound_section` on the page. It decides nothing: bad synchronisation, a dubbed
film and a bad fake look alike here.
"""

import numpy as np

from lipfake_jax.clips.listening import CLOSING, Hearing
from lipfake_jax.inference.findings import Document
from lipfake_jax.scoring.closures import CLOSED, LEAST, Closures, find_seen, measure_closures

SURE = 0.45  # of the recogniser, below which it is not English that is spoken, or cannot be understood
LEAST_RATE = 4.0  # phones a second of speech: 5 and more in real videos, 1.3 in three chords
SHOWN_S = 0.12  # before and after a moment, of whose frames a picture is made

HEARD = ('heard', 'short')  # states in which there is something to listen to
HEARD_NOTHING = {'absent': 'the file has no sound that decodes', 'silent': 'its sound is silence'}
MEASURES = ('offset_ms', 'offset_interval_ms', 'events', 'closed_share', 'closed_interval', 'elsewhere', 'chance')


def describe_hearing(hearing: Hearing, track: int) -> tuple[Document, list[np.ndarray]]:
  """The evidence on a person, and of each event frames of the mouth, RGB uint8 [N, S, S, 3]."""
  whose = hearing.tracks == track
  times, openings, crops = (values[whose] for values in (hearing.times, hearing.openings, hearing.crops))
  names, heard_s = list_events(hearing)
  seen = find_seen(heard_s, times)
  closures = measure_closures(heard_s[seen], times, openings) if seen.any() else None
  reason = _find_reason(hearing, 0 if closures is None else len(closures.heard_s))
  found = {
    'state': hearing.state,
    'reason': reason,
    'speech_s': round(hearing.speech_s, 2),
    'sureness': round(hearing.sureness, 3),
    **dict.fromkeys(MEASURES),
  }
  if closures is None or reason:
    return found, []
  said = names[np.isin(heard_s, closures.heard_s)]
  return found | _describe(closures, said), [crops[np.abs(times - at_s) <= SHOWN_S] for at_s in closures.lips_s]


def list_events(hearing: Hearing) -> tuple[np.ndarray, np.ndarray]:
  """The sounds that want closed lips: their phones, str [E], and their middles in seconds, float64 [E]."""
  heard = np.isin(hearing.names, CLOSING)
  return hearing.names[heard], hearing.spans[heard].mean(axis=1)


def _find_reason(hearing: Hearing, seen: int) -> str | None:
  """Why nothing is said, 'NAME (details)', for so many events that are seen; None where something is."""
  if hearing.state not in HEARD:
    return f'{hearing.state} ({HEARD_NOTHING[hearing.state]})'
  rate = len(hearing.names) / hearing.speech_s if hearing.speech_s else 0.0
  if rate < LEAST_RATE:
    return f'no_speech (what is heard, as music, noise or nothing, has {rate:.1f} phones a second; speech has ten)'
  if hearing.sureness < SURE:
    return (
      f'not_understood (the recogniser, which knows English alone, is {hearing.sureness:.0%} sure of what it hears;'
      f' {SURE:.0%} are needed)'
    )
  if seen < LEAST:
    where = 'by this face alone and in enough frames'
    what = 'sound of M, B or P is seen' if seen == 1 else 'sounds of M, B or P are seen'
    return f'too_few_events ({seen} {what}, {where}; {LEAST} are needed)'
  return None


def _describe(closures: Closures, names: np.ndarray) -> Document:
  moments = zip(names.tolist(), closures.heard_s.tolist(), closures.lips_s.tolist(), closures.openings, strict=True)
  return {
    'offset_ms': _to_ms(closures.offset_s),
    'offset_interval_ms': [_to_ms(end) for end in closures.offset_interval_s],
    'events': [
      {
        'phone': name,
        'heard_s': round(heard_s, 3),
        'lips_s': round(lips_s, 3),
        'opening': round(float(opening), 4),
        'closed': bool(opening < CLOSED),
      }
      for name, heard_s, lips_s, opening in moments
    ],
    'closed_share': round(closures.share, 4),
    'closed_interval': [round(end, 4) for end in closures.share_interval],
    'elsewhere': round(closures.elsewhere, 4),
    'chance': round(closures.chance, 4),
  }


def _to_ms(seconds: float) -> int:
  return round(1000 * seconds)
