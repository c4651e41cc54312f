#!/bin/bash
# All that a GPU is asked, in one go on a bare machine without a network: Python with JAX (CUDA), flax, optax, absl-py, and
# PyTorch.
#
#   benchmarks/gpu.sh            nine minutes at most; MINUTES=20 benchmarks/gpu.sh takes more
#   benchmarks/gpu.sh --tiny     the same parts at their smallest, on any machine, to see that they run
#   PYTHON=.venv/bin/python benchmarks/gpu.sh
#
# Prints Markdown. Parts come in the order of what they tell. One that fails, or for which no time is left, is named, and
# the next one goes on. Contestants of a part are compiled side by side; they step one at a time.
cd "$(dirname "$0")/.." || exit 2
python=${PYTHON:-python3} end=$((SECONDS + 60 * ${MINUTES:-9})) missed=0
models=cnn_lstm,cnn_gru,cnn3d,r2plus1d,clrnet,xception_frames,cnn5_frames,resnet_tcn,effnet_frames,effnet_lstm,lip_kinematics
shown=cnn_lstm,effnet_frames precisions=float32,bfloat16,float16 half=bfloat16
small=4 middle=32 large=256 steps=20
options=(--synthetic --once --here --rounds=3 --seconds=0.4)
if [ "$1" = --tiny ]; then
  models=lip_kinematics shown=lip_kinematics precisions=float32 half=float32 small=1 middle=2 large=3 steps=2
  options=(--synthetic --once --here --rounds=1 --seconds=0.01)
elif [ $# -gt 0 ]; then
  echo "gpu.sh: unknown $*: there is --tiny" >&2
  exit 2
fi

if [ "$1" = --tiny ]; then
  peers= reason='which is dear to compile'
elif "$python" -c 'import torch' 2>/dev/null; then
  peers=--peers=torch_compile
else
  peers= reason='since this Python has no PyTorch'
fi
[ "$peers" ] || echo "Left out: torch.compile, $reason."

part() { # TITLE COMMAND...
  local left=$((end - SECONDS)) title=$1
  shift
  printf '\n## %s\n\n' "$title"
  if [ "$left" -lt 20 ]; then
    echo 'Left out: no time is left.'
  elif timeout --kill-after=5 "$left" "$python" "$@"; then
    return
  else
    echo "Missed: it ended with code $? (124: no time was left)."
  fi
  missed=$((missed + 1))
}

"$python" -c 'import jax; print(jax.__version__, *jax.devices())'
part "The same losses as on a CPU" benchmarks/curve.py --model=${shown%%,*} --steps=$steps --batch_size=$small
part "Batches of $middle" benchmarks/train.py "${options[@]}" --models=$shown --batch_sizes=$middle \
  --precisions=$precisions $peers
part "Where clips come from, and steps a dispatch" benchmarks/train.py "${options[@]}" --models=${shown%%,*} \
  --batch_sizes=$small,$middle --precisions=$half --feeds=disk,host,device --dispatch
part "Batches of $small" benchmarks/train.py "${options[@]}" --models=$shown --batch_sizes=$small \
  --precisions=$precisions $peers
part "All models, batches of $small" benchmarks/train.py "${options[@]}" --models=$models --batch_sizes=$small \
  --precisions=$half --together=models
part "Batches of $large" benchmarks/train.py "${options[@]}" --models=$shown --batch_sizes=$large \
  --precisions=$precisions --together=none $peers
printf '\nLeft out in any case: motion_svm, which is fitted in closed form on the host. %s parts missed, %s s taken.\n' \
  "$missed" "$SECONDS"
exit $((missed > 0))
