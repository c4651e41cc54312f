"""The one exception for what a user can mend: its message names the value, the limit and the remedy."""


class UserError(ValueError):
  """A bad flag, missing data, an unusable folder. The commands print the message alone and exit with code 2."""
