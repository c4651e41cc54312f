"""`python -m lipfake_jax.models`: see `speed`."""

from lipfake_jax.models.speed import main

if __name__ == '__main__':
  main()
