"""Trains, evaluates and predicts.

python run.py --config=configs/demo.py --workdir=runs/demo
python run.py --mode=eval --workdir=runs/demo --eval_datasets=video_folder
python run.py --mode=predict --workdir=runs/demo --video=a.mp4,folder/
python run.py --mode=predict --video=a.mp4,folder/  # with the shipped weights
"""

import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from absl import app, flags, logging
from ml_collections import config_flags

from lipfake_jax.core.errors import UserError, exit_codes, loading

FLAGS = flags.FLAGS
flags.DEFINE_enum('mode', 'train', ['train', 'eval', 'predict'], 'What to do; train also evaluates at its end.')
flags.DEFINE_string('workdir', None, 'Folder of the run; --mode=predict without one takes the shipped weights.')
flags.DEFINE_string('data_dir', None, "Folder of the built datasets (default: TFDS's).")
flags.DEFINE_list('eval_datasets', [], 'With --mode=eval: built datasets, each NAME, its test part, or NAME:PART.')
flags.DEFINE_enum('format', 'text', ['text', 'markdown', 'latex'], 'With --mode=eval: of the printed tables.')
flags.DEFINE_multi_string(
  'video', [], 'With --mode=predict: a file, folder or pattern, or several with commas; repeatable.'
)
flags.DEFINE_string('coordinator', None, 'Of several processes that train together: HOST:PORT of the first.')
flags.DEFINE_integer('process_id', 0, 'With --coordinator: number of this process, from 0.', lower_bound=0)
flags.DEFINE_integer('process_count', 1, 'With --coordinator: how many there are.', lower_bound=1)
flags.DEFINE_integer(
  'batch_size', None, 'Clips at once, at most; 32 with --mode=eval, 4 a device with --mode=predict.', lower_bound=1
)
config_flags.DEFINE_config_file('config', None, 'A file in configs/; --config.FIELD=VALUE changes a field.')


def main(argv: Sequence[str]) -> None:
  if len(argv) > 1:
    raise UserError(f'unknown argument {argv[1]!r}: flags are written --name=value')
  logging.set_verbosity(logging.WARNING)  # libraries report each file they open
  with loading():
    import jax

    from lipfake_jax.inference.compilation import keep_compiled
    from lipfake_jax.inference.host_memory import keep_freed_memory
  keep_freed_memory()  # first of all: threads that run already keep to the old ways
  keep_compiled()
  if FLAGS.coordinator or FLAGS.process_count > 1:
    join_processes()
  print('devices:', ', '.join(f'{d.device_kind} {d.id}' for d in jax.devices()))
  if FLAGS.mode == 'train':
    with loading():
      from lipfake_jax.experiments.experiment import train_and_evaluate
    if FLAGS.config is None:
      raise UserError('--mode=train needs a --config, for example --config=configs/demo.py')
    train_and_evaluate(FLAGS.config, name_workdir(), FLAGS.data_dir)
  elif FLAGS.mode == 'eval':
    with loading():
      from lipfake_jax.report.results import evaluate_workdir
    if not FLAGS.eval_datasets:
      raise UserError('--mode=eval needs --eval_datasets=NAME,...')
    evaluate_workdir(name_workdir(), FLAGS.eval_datasets, FLAGS.data_dir, FLAGS.batch_size or 32, FLAGS.format)
  else:
    with loading():
      from lipfake_jax.inference.predict import predict_videos
    if not FLAGS.video:
      raise UserError('--mode=predict needs --video=FILE_OR_FOLDER,...')
    # Few at once: no slower on a CPU, and under 1 GiB with the paper's model, where 32 take 3.7.
    batch_size = FLAGS.batch_size or 4 * jax.device_count()
    predict_videos(None if FLAGS.workdir is None else name_workdir(), FLAGS.video, batch_size)


def name_workdir() -> Path:
  """The run's folder."""
  if FLAGS.workdir is None:
    raise UserError(f'--mode={FLAGS.mode} needs --workdir=FOLDER')
  return Path(FLAGS.workdir).expanduser()


def join_processes() -> None:
  """Connects this process to the others. The first one speaks for all: the rest print errors alone."""
  if not FLAGS.coordinator:
    raise UserError(f'--process_count={FLAGS.process_count} needs --coordinator=HOST:PORT of the first process')
  if FLAGS.mode == 'predict':
    raise UserError('--mode=predict runs in one process: leave out --coordinator')
  if FLAGS.process_id >= FLAGS.process_count:
    raise UserError(f'--process_id={FLAGS.process_id}: {FLAGS.process_count} processes count from 0')
  from lipfake_jax.training import parallel

  parallel.connect(FLAGS.coordinator, FLAGS.process_id, FLAGS.process_count)
  if FLAGS.process_id > 0:
    sys.stdout = open(os.devnull, 'w')  # noqa: SIM115, open as long as the process runs


def parse_flags(argv: Sequence[str]) -> list[str]:
  """absl's parsing; a wrong flag, config file or config field ends with one message and exit code 2."""
  try:
    rest = FLAGS(argv)
    if FLAGS.config is not None:
      FLAGS.config.to_dict()  # a file that did not load says so only when it is used
  except (AttributeError, KeyError):
    _fail(UserError(_unknown_fields(argv)))
  except (flags.Error, OSError, TypeError, ValueError) as error:
    _fail(error)
  return rest


def _unknown_fields(argv: Sequence[str]) -> str:
  """The message for --config.FIELD flags that the chosen config does not have."""
  from flax.traverse_util import flatten_dict

  path = next(argument.removeprefix('--config=') for argument in argv if argument.startswith('--config='))
  known = sorted(flatten_dict(runpy.run_path(path)['get_config']().to_dict(), sep='.'))
  given = [argument.removeprefix('--config.').split('=')[0] for argument in argv if argument.startswith('--config.')]
  unknown = [name for name in given if name not in known]
  return f'{path} has no field {", ".join(unknown)}; it has {", ".join(known)}'


def run_main(argv: Sequence[str]) -> None:
  """`main` under the exit codes."""
  with exit_codes():
    main(argv)


def _fail(error: Exception) -> NoReturn:
  print(f'error: {error}', file=sys.stderr)
  sys.exit(2)


if __name__ == '__main__':
  app.run(run_main, flags_parser=parse_flags)
