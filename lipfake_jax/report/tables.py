"""The figures of an evaluation as a table: for the terminal, for Markdown and for LaTeX.

In: metrics of `measure`. Out: text. Every table starts with the detector that calls everything fake.
"""

from collections.abc import Callable, Sequence

from lipfake_jax.scoring.metrics import Metrics, always_fake

FIGURES = {
  'balanced_accuracy': 'balanced accuracy',
  'auc': 'AUC',
  'mcc': 'MCC',
  'eer': 'EER',
  'tpr_at_fpr_1': 'recall at 1 % false alarms',
  'tpr_at_fpr_5': 'recall at 5 % false alarms',
  'recall': 'recall (fakes found)',
  'specificity': 'specificity (reals kept)',
  'precision': 'precision',
  'f1': 'F1',
  'ap': 'average precision',
  'accuracy': 'accuracy',
  'mse': 'error rate (MSE of verdicts)',
  'brier': 'Brier score',
  'log_loss': 'log loss',
  'ece': 'calibration error (ECE)',
}
VERDICTS = {'tp': 'fakes called fake', 'fn': 'fakes called real', 'fp': 'reals called fake', 'tn': 'reals called real'}
HEADER = ('video level', 'always fake', 'this run', '95 % interval')
CLIP_HEADER = ('clip level', 'always fake', 'this run')

# LaTeX's own characters as text.
LATEX = {character: f'\\{character}' for character in '&%_#${}'} | {
  '\\': r'\textbackslash{}', '~': r'\textasciitilde{}', '^': r'\textasciicircum{}', '<': r'\textless{}',
  '>': r'\textgreater{}', '|': r'\textbar{}',
}  # fmt: skip

Rows = list[tuple[str, ...]]


def metrics_rows(metrics: Metrics) -> Rows:
  """Name, value of always calling fake, value, interval; '-' is undefined."""
  trivial = always_fake(metrics)
  rows: Rows = [
    (title, show(trivial.get(name)), show(metrics[name]), show_interval(metrics, name))
    for name, title in FIGURES.items()
  ]
  return rows + [(title, str(trivial[name]), str(metrics[name]), '') for name, title in VERDICTS.items()]


def clip_rows(metrics: Metrics) -> Rows:
  """`metrics_rows` of clips; without intervals, since the clips of a video are not independent."""
  clips = metrics['clip_level']
  return [row[:-1] for row in metrics_rows({**clips, 'intervals': {}})]


def show(value: float | None) -> str:
  """Three digits, '-' for None."""
  return '-' if value is None else f'{value:.3f}'


def show_interval(metrics: Metrics, name: str) -> str:
  """The 95 % interval of a figure, '-' where there is none."""
  return show_range(metrics['intervals'].get(name))


def show_range(interval: tuple[float, float] | None) -> str:
  """An interval, '-' for None."""
  return f'{interval[0]:.3f} to {interval[1]:.3f}' if interval else '-'


def summarise(metrics: Metrics) -> list[str]:
  """What is counted, how it was decided, and what is not in the table, in sentences."""
  without = metrics['without_verdict']
  n_without = without['real'] + without['fake']
  reasons = ', '.join(f'{count} {reason}' for reason, count in without['reasons'].items())
  half, errors = metrics['at_half'], metrics['counted_as_errors']
  lines = [
    f'{metrics["n"]} videos of {metrics["n_people"]} people, {metrics["n_real"]} real and {metrics["n_fake"]} fake;'
    ' intervals over people',
    f'threshold {metrics["threshold"]:.3f} ({_rule(metrics["threshold_rule"])});'
    f' at 0.500: balanced accuracy {show(half["balanced_accuracy"])}, accuracy {show(half["accuracy"])}',
    f'calibrated with temperature {metrics["temperature"]:.2f}: Brier {show(metrics["calibrated"]["brier"])},'
    f' log loss {show(metrics["calibrated"]["log_loss"])}, ECE {show(metrics["calibrated"]["ece"])}',
  ]
  if metrics['clip_level']['n'] != metrics['n']:
    clips = metrics['clip_level']
    lines.append(
      f'clip level: {clips["n"]} clips, AUC {show(clips["auc"])}, balanced accuracy {show(clips["balanced_accuracy"])}'
    )
  if n_without:
    lines.append(f'videos without a verdict, not in these figures: {n_without} ({reasons})')
    lines.append(
      f'each of them counted as an error: balanced accuracy {show(errors["balanced_accuracy"])},'
      f' accuracy {show(errors["accuracy"])}'
    )
  else:
    lines.append('no video without a verdict')
  return lines


def _rule(rule: str) -> str:
  return 'fixed' if rule == 'fixed' else f'from validation data, by {rule.replace("_", " ")}'


def to_text(title: str, metrics: Metrics) -> str:
  """For a terminal, warnings last, where they are seen."""
  lines = [f'{name:30}{trivial:>12}{ours:>10}   {interval}' for name, trivial, ours, interval in _table(metrics)]
  return '\n'.join(['', title, '', *lines, '', *summarise(metrics), *metrics['warnings']])


def to_markdown(title: str, metrics: Metrics) -> str:
  """A table for a README."""
  header, *rows = (f'| {" | ".join(row)} |' for row in _table(metrics))
  return '\n'.join(['', f'**{title}**', '', header, '|---|---|---|---|', *rows, '', *_bullets(metrics)])


def to_latex(title: str, metrics: Metrics) -> str:
  """A table for a paper, with the booktabs package; what speaks against the figures stays with them, in the caption."""
  header, *rows = (' & '.join(map(_escape, row)) + r' \\' for row in _table(metrics))
  notes = ' '.join(_escape(f'{capitalise(line)}.') for line in (*summarise(metrics), *metrics['warnings']))
  body = [r'\begin{tabular}{lrrr}', r'\toprule', header, r'\midrule', *rows, r'\bottomrule', r'\end{tabular}']
  caption = rf'\caption{{{_escape(title)}. {notes}}}'
  return '\n'.join(['', r'\begin{table}', r'\centering', *body, caption, r'\end{table}'])


FORMATS: dict[str, Callable[[str, Metrics], str]] = {'text': to_text, 'markdown': to_markdown, 'latex': to_latex}


def _table(metrics: Metrics) -> Rows:
  return [HEADER, *metrics_rows(metrics)]


def _bullets(metrics: Metrics) -> Sequence[str]:
  return [f'- {line}' for line in (*summarise(metrics), *metrics['warnings'])]


def capitalise(text: str) -> str:
  """The text with a large first letter; those after it stay as they are."""
  return text[:1].upper() + text[1:]


def _escape(text: str) -> str:
  return ''.join(LATEX.get(character, character) for character in text)
