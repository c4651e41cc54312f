"""As much of JSON Schema as the schemas in docs/ use; a keyword that is not known here is an error."""

import re
from collections.abc import Iterator
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
  'object': (dict,),
  'array': (list,),
  'string': (str,),
  'number': (int, float),
  'integer': (int,),
  'boolean': (bool,),
  'null': (type(None),),
}
# Keywords that demand nothing of values of other types.
OF_TYPE: dict[str, Any] = {
  **dict.fromkeys(('properties', 'additionalProperties', 'required'), dict),
  **dict.fromkeys(('items', 'minItems', 'maxItems'), list),
  **dict.fromkeys(('minimum', 'maximum'), (int, float)),
  'pattern': str,
}
WORDS = {'$schema', '$id', '$defs', 'title', 'description'}  # that demand nothing


def find_faults(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, at: str = '$') -> Iterator[str]:
  """Where a value breaks a schema, and how; nothing where it is valid."""
  root = root or schema
  for keyword, wanted in schema.items():
    if keyword not in WORDS and isinstance(value, OF_TYPE.get(keyword, object)):
      yield from CHECKS[keyword](value, wanted, schema, root, at)


def _type(value, wanted, schema, root, at):
  names = [wanted] if isinstance(wanted, str) else wanted
  is_number = isinstance(value, bool) and 'boolean' not in names  # to Python
  if is_number or not isinstance(value, tuple(kind for name in names for kind in TYPES[name])):
    yield f'{at}: {value!r} is no {wanted}'


def _properties(value, wanted, schema, root, at):
  for name, inner in wanted.items():
    if name in value:
      yield from find_faults(value[name], inner, root, f'{at}.{name}')


def _no_others(value, wanted, schema, root, at):
  assert wanted is False
  yield from (f'{at}: {name} is not known' for name in set(value) - set(schema['properties']))


def _required(value, wanted, schema, root, at):
  yield from (f'{at}: {name} is missing' for name in wanted if name not in value)


def _items(value, wanted, schema, root, at):
  for number, item in enumerate(value):
    yield from find_faults(item, wanted, root, f'{at}[{number}]')


def _reference(value, wanted, schema, root, at):
  yield from find_faults(value, root['$defs'][wanted.removeprefix('#/$defs/')], root, at)


def _any(value, wanted, schema, root, at):
  faults = [list(find_faults(value, inner, root, at)) for inner in wanted]
  if all(faults):
    yield from min(faults, key=len)


def _when(is_wrong):
  def check(value, wanted, schema, root, at):
    if is_wrong(value, wanted):
      yield f'{at}: {value!r} against {wanted!r}'

  return check


CHECKS = {
  'type': _type,
  'properties': _properties,
  'additionalProperties': _no_others,
  'required': _required,
  'items': _items,
  '$ref': _reference,
  'anyOf': _any,
  'const': lambda value, wanted, *rest: [] if value == wanted else [f'{rest[-1]}: {value!r} is not {wanted!r}'],
  'enum': lambda value, wanted, *rest: [] if value in wanted else [f'{rest[-1]}: {value!r} is none of {wanted}'],
  'pattern': _when(lambda value, wanted: not re.search(wanted, value)),
  'minimum': _when(lambda value, wanted: value < wanted),
  'maximum': _when(lambda value, wanted: value > wanted),
  'minItems': _when(lambda value, wanted: len(value) < wanted),
  'maxItems': _when(lambda value, wanted: len(value) > wanted),
}
