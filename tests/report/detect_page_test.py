"""The page of a video: whole in itself, with nothing of a file's name but its text."""

import re

import cv2
import numpy as np
import pytest

from lipfake_jax.report.detect_page import STRIPS, draw_window, render_finding
from lipfake_jax.report.detect_words import clock, speaks
from tests.conftest import make_clip
from tests.inference.findings_test import NOBODY, RUN, describe_video, find
from tests.report.chromium import find_browser, open_browser


def page(document):
  return render_finding(document, [[b'picture'] * len(person['windows']) for person in document['people']])


@pytest.mark.parametrize(
  ('seconds', 'text'), [(0, '0:00.0'), (9.96, '0:10.0'), (62.5, '1:02.5'), (3599.99, '1:00:00.0'), (7325, '2:02:05.0')]
)
def test_moments(seconds, text):
  assert clock(seconds) == text


@pytest.mark.parametrize(
  ('scores', 'words'),
  [
    ([[0.9]], 'Signs of a fake'),
    ([[0.1]], 'No sign of a fake was found'),
    ([[0.6]], 'Inconclusive'),
    ([[]], 'No verdict'),
  ],
)
def test_the_verdict_is_in_words(scores, words):
  assert f'<p class="verdict">{words}</p>' in page(find(scores))


def test_a_verdict_says_where_it_is_worth_less():
  document = find([[0.1]])
  assert 'worth less' not in page(document)
  document['people'][0]['warnings'] = ['blurred', 'few frames']
  assert '<p>It is worth less here: blurred; few frames.</p></div>' in page(document)


def test_it_fetches_nothing_and_runs_nothing():
  text = page(find([[0.9, 0.1]]))
  assert "default-src 'none'" in text
  assert '<script' not in text
  assert not re.findall(r'(?:src|href)="(?!data:|#)', text)


def test_each_bar_leads_to_the_frames_of_its_window():
  text = page(find([[0.9, 0.1, 0.5]]))
  links = re.findall(r'<a href="#(\w+)"', text)
  assert links == ['p1w1', 'p1w2', 'p1w3']
  assert re.findall(r'<details class="window"( open)?>.*?<div id="(\w+)">', text) == [
    (' open', 'p1w1'),
    ('', 'p1w2'),
    ('', 'p1w3'),
  ]


@pytest.mark.parametrize('picture', [b'heat', b''])
def test_what_carried_the_highest_score_stands_before_the_windows(picture):
  """Of the second window of the second person; without a picture, where no map passed its tests, there are words."""
  document = find([[0.1], [0.2, 0.9]])
  strips = [[b''] * len(person['windows']) for person in document['people']]
  text = render_finding(document, strips, {1: (1, (picture, ['<because>']))})
  assert text.count('What carried the score of the highest window, 0:01.0 to 0:02.0') == 1
  assert ('Heat over the mouth of person 2' in text) == bool(picture)
  assert text.index('<h2>Person 2') < text.index('<li>&lt;because&gt;') < text.index('<h2>Person 1')


def test_of_many_windows_the_highest_have_frames():
  text = page(find([[0.2] * 70 + [0.9] * 5]))
  assert text.count('<details class="window"') == STRIPS
  assert 'id="p1w75"' in text


def test_a_name_is_text():
  document = describe_video('<img src=x onerror=alert(1)>.mp4', NOBODY, [], RUN)
  text = page(document)
  assert '<img' not in text
  assert '&lt;img src=x onerror=alert(1)&gt;.mp4' in text


def test_where_nothing_was_judged_it_says_nothing_of_a_score():
  """What the score comes from, and how to read it, stands on other pages alone."""
  sentence = 'The score is no probability'
  assert sentence in page(find([[0.9]]))
  text = page(describe_video('a.mp4', NOBODY, [], RUN))
  assert sentence not in text
  assert 'Nothing of this video has a score' in text


def test_what_speaks_for_and_against():
  """Limits are .4 and .8; the third window is the highest, and blurred."""
  document = find([[0.85, 0.9, 0.95, 0.1]])
  person = document['people'][0]
  person['windows'][2]['sharpness'] = 20.0  # the others have 100
  for_it, against = speaks(document, person)
  assert for_it == ['3 of 4 windows are above 0.800.', '3 of them follow one another, from 0:00.0 to 0:03.0.']
  assert against == ['1 of 4 windows is at most 0.400.', 'The highest window is blurred: sharpness 20, 100 as a rule.']


def test_the_same_document_is_the_same_page():
  assert page(find([[0.9, 0.1]])) == page(find([[0.9, 0.1]]))


def test_a_strip_shows_frames_in_time_order():
  """Ten of twenty, 96 pixels wide; frame t is filled with 10 t, to within what JPEG changes."""
  frames = np.broadcast_to(10 * np.arange(20, dtype=np.uint8)[:, None, None, None], (20, 8, 8, 3))
  strip = cv2.imdecode(np.frombuffer(draw_window(make_clip(frames, 'a')), np.uint8), cv2.IMREAD_COLOR)
  assert strip.shape == (96, 10 * 98 - 2, 3)
  centres = strip[48, 48::98, 0].astype(int)
  np.testing.assert_allclose(centres, np.linspace(0, 19, 10).round() * 10, atol=4)


@pytest.mark.skipif(find_browser() is None, reason='no Chromium is installed')
def test_a_browser_shows_it_at_any_width(tmp_path):
  """Nothing is wider than the screen, logged or fetched; a click on a bar opens its window."""
  path = tmp_path / 'a.html'
  path.write_text(page(find([[0.9, 0.1, 0.5], [0.3] * 90])))
  with open_browser(find_browser(), tmp_path / 'profile') as browser:
    for width in (390, 1200):
      browser.open(path, width)
      assert browser.evaluate('document.documentElement.scrollWidth') <= width
      fetched = [event['request']['url'][:5] for name, event in browser.events if name == 'Network.requestWillBeSent']
      assert set(fetched) <= {'file:', 'data:'}
      assert not [name for name, _ in browser.events if name in ('Log.entryAdded', 'Runtime.exceptionThrown')]
    browser.evaluate('document.querySelector(\'a[href="#p1w3"]\').click()')
    assert browser.evaluate('document.querySelector("#p1w3").closest("details").open')
