import jax
import pytest

from lipfake_jax.core.errors import UserError
from lipfake_jax.training.precision import resolve_precision


def test_precision_of_a_cpu_is_float32():
  assert resolve_precision('auto') == 'float32'
  assert resolve_precision('bfloat16') == 'bfloat16'
  with pytest.raises(UserError, match='choose auto, float32, bfloat16, float16'):
    resolve_precision('int8')


class FakeGpu:
  platform = 'gpu'

  def __init__(self, capability):
    self.compute_capability = capability


@pytest.mark.parametrize(
  ('capability', 'expected'),
  [('7.5', 'float16'), ('8.0', 'bfloat16'), ('9.0', 'bfloat16'), ('12.0', 'bfloat16'), ('gfx90a', 'bfloat16')],
)
def test_precision_of_a_gpu_goes_by_its_generation(monkeypatch, capability, expected):
  monkeypatch.setattr(jax, 'local_devices', lambda: [FakeGpu(capability)])
  assert resolve_precision('auto') == expected
