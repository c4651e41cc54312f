"""Weights in an ONNX file, as a run: ONNX Runtime scores clips, and JAX is not needed.

In: a file of `lipfake export --to=onnx`. Out: a `Run`. Next stage: `detect`.
"""

import json
import os
from pathlib import Path

import onnxruntime

from lipfake_jax.core.errors import UserError
from lipfake_jax.inference.run import Run
from lipfake_jax.scoring.conformal import Limits
from lipfake_jax.scoring.verdict import Decision

KEY = 'lipfake'  # of what the file tells of itself, among its metadata
ERRORS = 3  # ONNX Runtime's level of what it logs


def open_onnx(path: Path) -> Run:
  """The run that a file was made of.

  Raises:
    UserError: there is no such file, it is damaged, or `lipfake export` did not make it.
  """
  if not path.is_file():
    raise UserError(f'{path}: no such file; make one: lipfake export shipped --to=onnx --out={path}')
  session = open_session(path)
  about = session.get_modelmeta().custom_metadata_map.get(KEY)
  if about is None:
    raise UserError(f'{path}: it does not tell what its clips are: only a file of `lipfake export` does')
  meta, [entry] = json.loads(about), session.get_inputs()
  limits = meta['limits'] and Limits(**meta['limits'])
  return Run(path, lambda clips: session.run(None, {entry.name: clips})[0], meta, Decision(**meta['decision']), limits)


def open_session(path: Path) -> onnxruntime.InferenceSession:
  """ONNX Runtime on the CPU's cores that this process may use. Raises UserError on a file that it can't read."""
  options = onnxruntime.SessionOptions()
  options.log_severity_level = ERRORS
  options.intra_op_num_threads = len(os.sched_getaffinity(0))
  try:
    return onnxruntime.InferenceSession(str(path), options, providers=['CPUExecutionProvider'])
  except Exception as error:  # of classes of its own, one for each reason
    raise UserError(f'{path}: ONNX Runtime cannot read it: {str(error).splitlines()[0][:200]}') from error
