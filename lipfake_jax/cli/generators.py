"""What a config's training says of generators that it never saw.

Trains once without each --group of methods, and tests what came out on the group's
fakes of training and validation, against validation's reals. The test part is not
looked at. What was stopped goes on; --config.FIELD=VALUE changes a field.

  lipfake generators --config=configs/shipped.py --workdir=runs/unseen \\
    --group='Wav2Lip*,VideoReTalking' --group='VLOGGER,AniTalker*'
"""

from collections.abc import Sequence
from pathlib import Path

from lipfake_jax.cli.ablation import load_config
from lipfake_jax.cli.arguments import DATA_DIR_HELP, create_parser, parse_with_fields


def main(arguments: Sequence[str]) -> None:
  """Trains what is not trained yet, prints the table, and writes it to WORKDIR/generators.md."""
  parser = create_parser('generators', __doc__)
  parser.add_argument('--config', required=True, metavar='FILE', help='a file in configs/: data, model and training')
  parser.add_argument('--workdir', metavar='FOLDER', required=True, type=Path, help='folder of all runs')
  parser.add_argument('--data_dir', metavar='FOLDER', help=DATA_DIR_HELP)
  parser.add_argument(
    '--group', metavar='PATTERNS', action='append', required=True, help='methods to train without; repeatable'
  )
  options, fields = parse_with_fields(parser, arguments)
  config = load_config(options.config, fields)

  from lipfake_jax.experiments.generators import to_markdown, train_without
  from lipfake_jax.inference.compilation import keep_compiled
  from lipfake_jax.inference.host_memory import keep_freed_memory

  keep_freed_memory()
  keep_compiled()
  rows = []
  for number, group in enumerate(options.group):
    rows.append(train_without(config, group, options.workdir / f'without_{number}', options.data_dir))
    table = to_markdown(rows)
    (options.workdir / 'generators.md').write_text(f'{table}\n')
  print(f'\n{table}')
