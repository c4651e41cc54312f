"""Linear support vector machine on a codec's motion: skipped and predicted blocks, lengths and directions of vectors.

After Wang et al. (2020). Fitted by scikit-learn, all training clips at once; what it found is a linear map and a
logistic one (Platt 1999, 'Probabilistic outputs for support vector machines'), and is applied, stored and evaluated as
any other model:

    [B, F] -> (x - mean) / scale -> @ kernel + bias, the decision -> slope * decision + offset -> [B]

207 parameters with F = 68.
"""

from collections.abc import Sequence
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from lipfake_jax.core.errors import UserError

MAX_ROUNDS = 10_000  # of the solver, which needs some hundreds


class MotionSvm(nn.Module):
  """Motion float [B, F], see `motion_statistics`, -> logits float32 [B].

  Attributes:
    c: weight of the clips' errors against the size of the kernel, scikit-learn's C. A small one, since the features are
      many for some hundred clips and go together.
    folds: parts of the training clips, by person, each of which is scored by an SVM of the others: the logistic map is
      fitted on these scores.
    dtype: unused: so small a model is computed in float32.
  """

  c: float = 0.01
  folds: int = 5
  dtype: jnp.dtype = jnp.float32

  input: ClassVar[str] = 'motion'
  input_shape: ClassVar[tuple[int, ...]] = (68,)
  n_params: ClassVar[int] = 207
  source: ClassVar[str] = 'Wang et al. 2020'
  l2_kernels: ClassVar[tuple[tuple[str, ...], ...]] = ()

  @nn.compact
  def __call__(self, clips: jax.Array, train: bool = False, mask: jax.Array | None = None) -> jax.Array:
    zeros, ones, row = nn.initializers.zeros, nn.initializers.ones, clips.shape[1:]
    mean, scale = self.param('mean', zeros, row), self.param('scale', ones, row)
    kernel, bias = self.param('kernel', zeros, row), self.param('bias', zeros, ())
    slope, offset = self.param('slope', ones, ()), self.param('offset', zeros, ())
    decision = ((clips.astype(jnp.float32) - mean) / scale * kernel).sum(1) + bias
    return slope * decision + offset

  @nn.nowrap
  def fit(self, clips: np.ndarray, labels: np.ndarray, people: Sequence[str], balanced: bool) -> dict[str, np.ndarray]:
    """Finds the parameters; the same ones at every call.

    Args:
      clips: float32 [N, F].
      labels: int [N], 1 for fake.
      people: N names; clips of one are never in two folds.
      balanced: both classes weigh the same, and p = .5 means that they are equally likely; otherwise as in the data.

    Returns:
      The module's parameters.

    Raises:
      UserError: a class has fewer people than there are folds.
    """
    from sklearn.calibration import CalibratedClassifierCV  # here: no other model needs it
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import LinearSVC

    self._check_people(labels, people)
    weights = 'balanced' if balanced else None
    svm = LinearSVC(C=self.c, class_weight=weights, dual=False, max_iter=MAX_ROUNDS)
    folds = list(StratifiedGroupKFold(self.folds).split(clips, labels, people))
    fitted = CalibratedClassifierCV(make_pipeline(StandardScaler(), svm), method='sigmoid', cv=folds, ensemble=False)
    [found] = fitted.fit(clips.astype(np.float64), labels).calibrated_classifiers_
    (scaler, svm), [platt] = (step for _, step in found.estimator.steps), found.calibrators
    reals, fakes = np.bincount(labels, minlength=2)
    params = {
      'mean': scaler.mean_,
      'scale': scaler.scale_,
      'kernel': svm.coef_[0],
      'bias': svm.intercept_[0],
      'slope': -platt.a_,  # scikit-learn's is 1 / (1 + exp(a d + b)), as in Platt's paper
      'offset': -platt.b_ - (np.log(fakes / reals) if balanced else 0),
    }
    return {name: np.asarray(value, np.float32) for name, value in params.items()}

  def _check_people(self, labels: np.ndarray, people: Sequence[str]) -> None:
    for label, name in enumerate(('reals', 'fakes')):
      count = len({person for person, found in zip(people, labels, strict=True) if found == label})
      if not 2 <= self.folds <= count:
        raise UserError(
          f'model.motion_svm.folds={self.folds}: the {name} to train on are of {count} people: choose 2 or more folds,'
          ' and at most that many'
        )
