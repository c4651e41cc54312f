"""The exceptions that the commands turn into a message and an exit code."""


class UserError(ValueError):
  """What a user can mend: a bad flag, missing data, an unusable folder. Its message names the value, the limit and the
  remedy; the commands print it alone and exit with code 2."""


class Interrupted(Exception):
  """A run was told to end early, by a signal. `code` is the exit code, 128 and the signal's number."""

  def __init__(self, message: str, code: int):
    super().__init__(message)
    self.code = code
