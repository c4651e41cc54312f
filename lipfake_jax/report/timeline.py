"""A person's scores over a video's time, as HTML: a bar a window, which is a link to the window's frames.

In: a document of `inference.findings`. Out: HTML that reads aloud as a list of moments and scores.
"""

from collections.abc import Sequence

from lipfake_jax.inference.findings import Document
from lipfake_jax.report import markup
from lipfake_jax.report.detect_words import clock

STYLE = """
.time { position: relative; height: 7rem; margin: 1rem 0 0; padding: 0; list-style: none; background: var(--soft);
  border-bottom: 2px solid var(--ink); }
.time li { position: absolute; bottom: 0; top: 0; min-width: 3px; }
.time a, .time span.still { position: absolute; inset: 0 1px 0 0; display: block; color: inherit; }
.time a:hover, .time a:focus { background: #dfe3e8; outline: 2px solid var(--ink); }
.time i { position: absolute; bottom: 0; left: 0; right: 0; min-height: 2px; background: #9aa3ad; }
.time .high i { background: var(--red); }
.time .low i { background: var(--green); }
.time .middle i { background: var(--amber); }
.limit { position: absolute; left: 0; right: 0; border-top: 1px dashed var(--ink); pointer-events: none; }
.hours { display: flex; justify-content: space-between; font-size: .8rem; color: #555c66; margin: .1rem 0 .6rem; }
.hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.window { border-top: 1px solid var(--line); }
.window div { scroll-margin-top: 4rem; }
.window summary { font-weight: 400; font-variant-numeric: tabular-nums; }
.window[open] summary { font-weight: 600; }
.window:has(:target) { background: var(--soft); outline: 2px solid var(--ink); }
.window:has(:target)::details-content { content-visibility: visible; display: block; height: auto; }
.faces tbody th { min-width: 0; }
.window figure { padding: .2rem 0 .8rem; }
.window figure img, .heat figure img { max-width: 100%; margin: 0; }
@media screen and (max-width: 40rem) {
  .window figure, .heat figure { overflow-x: auto; }
  .window figure img, .heat figure img { max-width: none; width: 44rem; }
  .window figcaption::after, .heat figcaption::after { content: " More frames lie to the right: swipe."; }
}
@media print {
  .time { print-color-adjust: exact; -webkit-print-color-adjust: exact; break-inside: avoid; }
  .window:not([open]) figure { display: none; }
}
"""


def draw_timeline(document: Document, person: Document, linked: Sequence[int]) -> str:
  """The bars of a person's windows over the whole video; `linked` are the numbers of those that lead to frames."""
  weights, total = document['weights'], max(document['video']['duration_s'], 1e-3, person['windows'][-1]['end_s'])
  bars = ''.join(
    _bar(document, person, number, total, number in set(linked)) for number in range(len(person['windows']))
  )
  limits = ''.join(
    f'<span class="limit" style="bottom:{100 * limit:.1f}%"></span>'
    for limit in sorted({weights['fake_above'], weights['real_below']})
  )
  axis = ''.join(f'<span>{clock(total * share)}</span>' for share in (0, 0.25, 0.5, 0.75, 1))
  caption = markup.paragraph(
    'Each bar is a window of time, as high as its score; red is above, green below the dashed limits of the model. A'
    ' single high window says little: the verdict is on all of them.',
    'quiet',
  )
  name = f'Scores of person {person["id"]} over time'
  return (
    f'<div role="group" aria-label="{name}"><ol class="time">{bars}<li aria-hidden="true" style="left:0;right:0;'
    f'pointer-events:none">{limits}</li></ol><div class="hours" aria-hidden="true">{axis}</div></div>{caption}'
  )


def level(document: Document, window: Document) -> str:
  """Where a score lies: 'high', 'low', or 'middle' between the limits."""
  weights = document['weights']
  if window['p_fake'] > weights['fake_above']:
    return 'high'
  return 'low' if window['p_fake'] <= weights['real_below'] else 'middle'


def _bar(document: Document, person: Document, number: int, total: float, linked: bool) -> str:
  windows = person['windows']
  window = windows[number]
  end = min(window['end_s'], windows[number + 1]['start_s']) if number + 1 < len(windows) else window['end_s']
  start, kind = window['start_s'], level(document, window)
  text = f'{clock(start)} to {clock(window["end_s"])}: {window["p_fake"]:.3f}, {kind}'
  bar = f'<i style="height:{100 * window["p_fake"]:.1f}%"></i><span class="hidden">{text}</span>'
  anchor = (
    f'<a href="#p{person["id"]}w{number + 1}" title="{text}">' if linked else f'<span class="still" title="{text}">'
  )
  closing = '</a>' if linked else '</span>'
  place = f'left:{100 * start / total:.2f}%;width:{100 * max(end - start, 0) / total:.2f}%'
  return f'<li class="{kind}" style="{place}">{anchor}{bar}{closing}</li>'
