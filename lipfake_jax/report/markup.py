"""The parts of a page: one HTML file without scripts that fetches nothing, for a screen, a phone and paper.

In: text, tables and pictures. Out: HTML. Whatever comes from data is escaped here. Next stage: `report`.
"""

import base64
import html
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

NUMBER = re.compile(r'[-+]?[\d.]+( ?%)?( to [-+]?[\d.]+)?|-|')
EVALUATION = 'Evaluation of a detector of fake talking faces'
TYPES = {'.png': 'image/png', '.svg': 'image/svg+xml'}

STYLE = """
:root { --line: #d4d8dd; --soft: #f5f6f8; --ink: #1b1f24; --red: #a3161f; --green: #1d6b3a; --amber: #8a5a00; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 62rem; padding: 1.5rem 1rem 3rem; background: #fff; color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  overflow-wrap: anywhere; }
header { border-bottom: 3px solid var(--ink); margin-bottom: 1rem; }
header p { margin: 0; color: #555c66; font-size: .9rem; letter-spacing: .02em; }
h1 { font-size: 1.55rem; line-height: 1.25; margin: .2rem 0 .8rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; padding-bottom: .2rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
p, ul { margin: .5rem 0; }
ul { padding-left: 1.2rem; }
.verdict { font-size: 1.3rem; font-weight: 700; margin: 0 0 .4rem; }
.answer { border: 1px solid var(--line); border-left: 6px solid var(--amber); background: var(--soft);
  padding: .9rem 1.1rem; }
.answer p:last-child { margin-bottom: 0; }
.answer.good { border-left-color: var(--green); } .answer.good .verdict { color: var(--green); }
.answer.caution .verdict { color: var(--amber); }
.answer.bad { border-left-color: var(--red); } .answer.bad .verdict { color: var(--red); }
.warning, .note { border: 1px solid; border-left-width: 6px; padding: .5rem .8rem; margin: .6rem 0; }
.warning { border-color: var(--red); color: var(--red); background: #fdf1f1; font-weight: 600; }
.note { border-color: var(--amber); color: #5c3d00; background: #fdf8ec; }
.quiet { color: #555c66; font-size: .9rem; }
.scroll { overflow-x: auto; margin: .5rem 0 1.1rem; }
table { border-collapse: collapse; font-size: .9rem; overflow-wrap: normal; }
caption { text-align: left; font-weight: 600; padding-bottom: .3rem; }
th, td { text-align: left; padding: .28rem .9rem .28rem .3rem; border-bottom: 1px solid var(--line);
  vertical-align: top; }
thead th { border-bottom: 2px solid var(--ink); vertical-align: bottom; }
tbody th { font-weight: 400; min-width: 9rem; overflow-wrap: anywhere; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.wide td { min-width: 12rem; overflow-wrap: anywhere; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 25rem), 1fr)); gap: 1.2rem;
  align-items: start; }
figure { margin: 0; break-inside: avoid; }
figure img { display: block; max-width: min(100%, 34rem); height: auto; margin: 0 auto; }
figcaption { font-size: .85rem; color: #3f4650; margin-top: .3rem; }
.strip { margin: .9rem 0; padding-top: .7rem; border-top: 1px solid var(--line); }
.strip figcaption { font-size: .95rem; color: var(--ink); margin: 0 0 .4rem; }
.strip img { width: 100%; max-width: 46rem; margin: 0; }
summary { cursor: pointer; font-weight: 600; padding: .3rem 0; }
code { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: .85em; }
@media (max-width: 40rem) {
  th, td { padding: .25rem .5rem .25rem .1rem; font-size: .82rem; }
  thead .n { white-space: normal; }
  tbody th { min-width: 6rem; }
  .wide td { min-width: 9rem; }
}
@page { size: A4; margin: 16mm 14mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  h1, h2, h3, caption, .quiet { break-after: avoid; }
  tr, .warning, .note, .answer, .strip { break-inside: avoid; }
  .scroll { overflow: visible; }
  .plots { grid-template-columns: 1fr 1fr; }
  .answer, .warning, .note { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  details::details-content { content-visibility: visible; display: block; height: auto; }
}
"""

TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<header>
<p>{kind}</p>
<h1>{title}</h1>
</header>
<main>
{body}
</main>
</body>
</html>
"""


def render_page(title: str, sections: Iterable[str], kind: str = EVALUATION, style: str = '') -> str:
  """The whole page of a title and of parts that are HTML already; it can fetch nothing and run no script.

  Args:
    title: of the page.
    sections: HTML.
    kind: of page, which stands above the title.
    style: rules beside those of STYLE.
  """
  return TEMPLATE.format(title=escape(title), kind=escape(kind), style=STYLE + style, body='\n'.join(sections))


def escape(value: object) -> str:
  """Text as HTML that shows it and does nothing else."""
  return html.escape(str(value))


def section(title: str, *parts: str) -> str:
  """A part of the page under a heading of its own; parts are HTML."""
  body = '\n'.join(part for part in parts if part)
  return f'<section>\n<h2>{escape(title)}</h2>\n{body}\n</section>'


def heading(title: str) -> str:
  """A heading within a section."""
  return f'<h3>{escape(title)}</h3>'


def paragraph(text: str, kind: str = '') -> str:
  """A paragraph of text; kind is a class of STYLE."""
  return f'<p class="{kind}">{escape(text)}</p>' if kind else f'<p>{escape(text)}</p>'


def bullets(lines: Iterable[str]) -> str:
  """A list of texts."""
  return f'<ul>{"".join(f"<li>{escape(line)}</li>" for line in lines)}</ul>'


def table(header: Sequence[str], rows: Iterable[Sequence[object]], caption: str = '', kind: str = '') -> str:
  """A table whose first column names the rows; it scrolls in its own box where it is wider than the screen.

  Args:
    header: titles of the columns.
    rows: as many cells each; numbers stand to the right.
    caption: above the table.
    kind: a class of STYLE.
  """
  shown = [[str(cell) for cell in row] for row in rows]
  columns = [('n' if all(NUMBER.fullmatch(cell) for cell in column) else '') for column in zip(*shown, strict=True)]
  kinds = [f' class="{name}"' if name and i else '' for i, name in enumerate(columns or ['' for _ in header])]
  head = ''.join(f'<th scope="col"{name}>{escape(cell)}</th>' for cell, name in zip(header, kinds, strict=True))
  body = ''.join(f'<tr>{_row(row, kinds)}</tr>\n' for row in shown)
  above = f'<caption>{escape(caption)}</caption>' if caption else ''
  content = f'{above}<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody>'
  return f'<div class="scroll"><table class="{kind}">{content}</table></div>'


def _row(cells: Sequence[str], kinds: Sequence[str]) -> str:
  first, *rest = (escape(cell) for cell in cells)
  others = ''.join(f'<td{kind}>{cell}</td>' for cell, kind in zip(rest, kinds[1:], strict=True))
  return f'<th scope="row">{first}</th>{others}'


def fold(title: str, part: str) -> str:
  """HTML that is opened by a click, and is open on paper."""
  return f'<details><summary>{escape(title)}</summary>\n{part}\n</details>'


def picture(data: str, alt: str, caption: str, kind: str = '') -> str:
  """A picture from a data URI with its text; that of a strip stands above it."""
  image, text = f'<img src="{data}" alt="{escape(alt)}">', f'<figcaption>{escape(caption)}</figcaption>'
  return f'<figure class="strip">{text}{image}</figure>' if kind == 'strip' else f'<figure>{image}{text}</figure>'


def smallest_image(*paths: Path) -> str:
  """The smallest of files of the same picture, as a data URI."""
  path = min(paths, key=lambda path: path.stat().st_size)
  return data_uri(path.read_bytes(), TYPES[path.suffix])


def data_uri(content: bytes, media_type: str) -> str:
  """Bytes as an address that holds them."""
  return f'data:{media_type};base64,{base64.b64encode(content).decode()}'
