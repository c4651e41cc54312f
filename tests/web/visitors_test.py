"""Under which names the page is there, and which addresses are this machine's alone."""

import pytest

from lipfake_jax.web.visitors import LOOPBACK, is_loopback, knows_host


@pytest.mark.parametrize(
  ('header', 'known'),
  [
    ('127.0.0.1:8000', True), ('localhost', True), ('LOCALHOST:1', True), ('[::1]:8000', True),
    ('evil.example', False), ('127.0.0.1.evil.example:8000', False), ('localhost.evil.example', False),
    ('evil.example#localhost', False), ('evil.example/@localhost', False), ('192.168.1.5', False), ('', False),
    ('[::1', False), ('2130706433', False),
  ],
)  # fmt: skip
def test_names_on_this_machine(header, known):
  assert knows_host(header, (*LOOPBACK, '127.0.0.1')) == known


@pytest.mark.parametrize(
  ('header', 'known'), [('192.168.1.5:80', True), ('[fe80::1]', True), ('evil.example', False), ('localhost', True)]
)
def test_where_any_address_will_do_no_name_does(header, known):
  """A page of the net can lead its own name here, yet no address that is not this machine's."""
  assert knows_host(header, (*LOOPBACK, '0.0.0.0')) == known


@pytest.mark.parametrize(
  ('host', 'loopback'),
  [
    ('127.0.0.1', True), ('127.9.9.9', True), ('::1', True), ('localhost', True),
    ('0.0.0.0', False), ('::', False), ('192.168.1.5', False), ('example.org', False), ('', False),
  ],
)  # fmt: skip
def test_which_addresses_are_this_machines_alone(host, loopback):
  assert is_loopback(host) == loopback
