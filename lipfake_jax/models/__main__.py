"""`python -m lipfake_jax.models`: see `speed`."""

from lipfake_jax.experiments.model_table import main

if __name__ == '__main__':
  main()
