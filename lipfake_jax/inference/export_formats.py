"""A model as a file of another format, and such a file as a function of clips.

In: a program of `programs.open_program`, what it takes, and what the file is to tell of itself. Out: bytes; from them,
what each format's own runtime makes of clips. Next stage: `export` compares the two.

ONNX keeps what it tells in its metadata under KEY. The others have it as a ZIP archive behind their own bytes, with one
file, as TFLite has its associated files: `unzip -p model.tflite lipfake.json`.
"""

import io
import json
import os
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np
from jax import export
from jax.extend import core

from lipfake_jax.clips.landmarks import quiet_stderr
from lipfake_jax.core.errors import UserError
from lipfake_jax.inference.programs import Program, flatten

About = dict[str, Any]
Writer = Callable[[Program, jax.ShapeDtypeStruct, tuple[int, ...], About], bytes]
Scorer = Callable[[np.ndarray], np.ndarray]

ENTRY, RESULT = 'clips', 'logits'  # names of what goes in and comes out
ARCHIVED = 'lipfake.json'
OPSET, IR_VERSION = 18, 10  # of ONNX: reductions take their axes as they do here from 18 on
PLATFORMS = ('cpu', 'cuda', 'tpu')  # of StableHLO


def to_onnx(program: Program, entry: jax.ShapeDtypeStruct, shape: tuple[int, ...], about: About) -> bytes:
  """An ONNX model.

  Args:
    program: see `programs`.
    entry: what it takes, with symbolic sizes.
    shape: of one clip; not needed here.
    about: what the file tells of itself.

  Raises:
    UserError: the model does something for which there is no translation.
  """
  del shape
  from onnx import helper, numpy_helper

  from lipfake_jax.inference.onnx_graph import Graph, Value, is_number
  from lipfake_jax.inference.onnx_ops import convert
  from lipfake_jax.inference.onnx_weights import KEY

  flat, graph = flatten(program, entry), Graph()
  for axis, size in enumerate(entry.shape):
    if not is_number(size):
      graph.sizes[str(size)] = graph.add('Shape', ENTRY, start=axis, end=axis + 1)
  [made] = convert(graph, flat.jaxpr, flat.consts, [Value(ENTRY, entry.shape)])
  graph.nodes.append(helper.make_node('Identity', [made.name], [RESULT], RESULT))

  def end(name: str, aval: Any) -> Any:
    sizes = [size if is_number(size) else str(size) for size in aval.shape]
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(np.dtype(aval.dtype)), sizes)

  arrays = [numpy_helper.from_array(array, name) for name, array in graph.arrays.items()]
  ends = [end(ENTRY, entry)], [end(RESULT, flat.out_avals[0])]
  body = helper.make_graph(graph.nodes, about['model']['name'], ends[0], ends[1], arrays)
  model = helper.make_model(body, opset_imports=[helper.make_opsetid('', OPSET)], ir_version=IR_VERSION)
  helper.set_model_props(model, {KEY: json.dumps(about)})
  return model.SerializeToString()


def to_stablehlo(program: Program, entry: jax.ShapeDtypeStruct, shape: tuple[int, ...], about: About) -> bytes:
  """What `jax.export.deserialize` reads. Arguments as of `to_onnx`."""
  del shape
  made = export.export(jax.jit(program), platforms=PLATFORMS)(entry)
  return _append(bytes(made.serialize()), about)


def to_tflite(program: Program, entry: jax.ShapeDtypeStruct, shape: tuple[int, ...], about: About) -> bytes:
  """What LiteRT reads: one clip at a time, of a fixed number of frames. Arguments and errors as of `to_onnx`."""
  os.environ.setdefault('TF_CPP_MIN_LOG_LEVEL', '3')
  import tensorflow as tf
  from jax.experimental import jax2tf

  one = jax.ShapeDtypeStruct((1, *shape), entry.dtype)
  flat = core.jaxpr_as_fun(flatten(program, one))
  with warnings.catch_warnings(), quiet_stderr():
    # The serialization of this JAX is newer than this TensorFlow reads: operators of TensorFlow are left, which JAX
    # calls deprecated.
    warnings.simplefilter('ignore', DeprecationWarning)
    plain = jax2tf.convert(lambda clips: flat(clips)[0], enable_xla=False, native_serialization=False)
    taken = tf.TensorSpec(one.shape, one.dtype, name=ENTRY)
    function = tf.function(plain, autograph=False, input_signature=[taken])
    try:
      traced = function.get_concrete_function()
      data = tf.lite.TFLiteConverter.from_concrete_functions([traced], function).convert()
    except Exception as error:  # of many kinds, by what is not translated
      raise _refuse_tflite(error) from error
  return _append(data, about)


def open_onnx_file(path: Path) -> Scorer:
  """An ONNX file in ONNX Runtime."""
  from lipfake_jax.inference.onnx_weights import open_session

  session = open_session(path)
  return lambda clips: session.run([RESULT], {ENTRY: clips})[0]


def open_stablehlo(path: Path) -> Scorer:
  """A StableHLO file in JAX."""
  called = jax.jit(export.deserialize(bytearray(path.read_bytes())).call)
  return lambda clips: np.asarray(called(clips))


def open_tflite(path: Path) -> Scorer:
  """A TFLite file in LiteRT, clip by clip."""
  from ai_edge_litert.interpreter import Interpreter

  with quiet_stderr():
    interpreter = Interpreter(model_path=str(path), num_threads=len(os.sched_getaffinity(0)))
    try:
      interpreter.allocate_tensors()
    except RuntimeError as error:
      raise _refuse_tflite(error) from error
  [taken], [given] = interpreter.get_input_details(), interpreter.get_output_details()

  def score(clip: np.ndarray) -> np.ndarray:
    interpreter.set_tensor(taken['index'], clip[None])
    interpreter.invoke()
    return interpreter.get_tensor(given['index'])[0]

  return lambda clips: np.stack([score(clip) for clip in clips])


FORMATS: dict[str, tuple[Writer, Callable[[Path], Scorer]]] = {
  'onnx': (to_onnx, open_onnx_file),
  'stablehlo': (to_stablehlo, open_stablehlo),
  'tflite': (to_tflite, open_tflite),
}


def _refuse_tflite(error: Exception) -> UserError:
  return UserError(f'--to=tflite: it cannot hold the model ({str(error).splitlines()[0][:200]}): take --to=onnx')


def _append(data: bytes, about: About) -> bytes:
  """With an archive behind it; its date is fixed, so that the same model is the same bytes."""
  file = io.BytesIO(data)
  with zipfile.ZipFile(file, 'a') as archive:
    archive.writestr(zipfile.ZipInfo(ARCHIVED), json.dumps(about, indent=2))
  return file.getvalue()
