import hashlib
import html.parser
import itertools
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from lipfake_jax.core.vocabulary import VideoRecord
from lipfake_jax.evaluation.controls import reencoding_control
from lipfake_jax.report import confident_errors, sections
from lipfake_jax.report import page as report
from lipfake_jax.report.markup import STYLE, table
from lipfake_jax.report.strip import GAP
from lipfake_jax.report.summary import answer, judge, separation
from lipfake_jax.scoring.verdict import Decision
from tests.report.chromium import find_browser, open_browser
from tests.report.evaluations import FRAMES, IDENTITY, SIZE, make_evaluation, reject

HOSTILE = '"><script>alert(1)</script><img src=http://x.test/a.png onerror=alert(2)>$\\frac{&amp;$'


class Page(html.parser.HTMLParser):
  """Tags with their attributes, and the text."""

  def __init__(self, text):
    super().__init__()
    self.tags, self.text = [], ''
    self.feed(text)

  def handle_starttag(self, tag, attrs):
    self.tags.append((tag, dict(attrs)))

  def handle_data(self, data):
    self.text += data + '\n'

  def find(self, tag):
    return [attributes for name, attributes in self.tags if name == tag]


def render(folder, evaluation):
  """The page without plots."""
  return Page('\n'.join(report.render_sections(folder, evaluation, [])))


def both_classes(n=40, seed=0, shift=0.3, **fields):
  """n videos of n / 2 people, each of whom has a real and a fake one, scored better than chance."""
  labels = [i % 2 for i in range(n)]
  p_fake = np.clip(np.random.default_rng(seed).normal(0.35 + shift * np.array(labels), 0.15), 0.01, 0.99)
  return make_evaluation(labels, p_fake, **fields)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
  """The page of an evaluation with all there is: rejections, controls, warnings, hostile names, several clips."""
  folder = tmp_path_factory.mktemp('eval')
  keys = [HOSTILE] * 2 + [f'v{i // 2:02}.mp4' for i in range(2, 40)]
  labels = [i // 2 % 2 for i in range(40)]
  p_fake = [0.95, 0.97, *np.clip(np.random.default_rng(1).normal(0.35 + 0.3 * np.array(labels[2:]), 0.15), 0.01, 0.99)]
  evaluation = make_evaluation(
    labels, p_fake, Decision(0.45, 'balanced_accuracy', 1.5), [reject(0), reject(1), reject(1, HOSTILE)],
    [f'note: {HOSTILE}', 'warning: few'], HOSTILE, METADATA, key=keys,
    method=[HOSTILE if i % 3 else '' for i in range(40)],
    identity=[HOSTILE if i < 8 else f'person {i // 4}' for i in range(40)],
  )  # fmt: skip
  conditions = {'none': 0.9, **{f'blur:{level}': 0.9 - level / 10 for level in range(1, 6)}}
  write_controls(
    folder,
    controls=without_time(0.5, (0.2, 0.6)),
    reencoding={
      'rises': 0.9, 'rises_interval': (0.75, 1.0), 'n': 20, 'n_people': 10,
      'mean_p_fake_before': 0.2, 'mean_p_fake_after': 0.7, 'called_fake_before': 3,
      'called_fake_after': 15,
    },
    robustness={
      'videos': 20, 'of': 40, 'mean': {'blur': {'auc': 0.6}},
      'conditions': {
        name: {'auc': auc, 'without_verdict': {'a': '', 'b': ''} if name == 'blur:5' else {}}
        for name, auc in conditions.items()
      },
    },
  )  # fmt: skip
  report.write_report(folder, evaluation)
  return folder, evaluation


@pytest.fixture(scope='module')
def page(folder):
  return Page((folder[0] / 'report.html').read_text())


METADATA = {
  'auc': 0.99, 'balanced_accuracy': 0.9, 'alone': {'codec': 0.5, 'frame_rate': 0.98}, 'lead': -0.09,
  'lead_interval': (-0.2, 0.01),
}  # fmt: skip


def without_time(shuffled, interval):
  lost = {'balanced_accuracy': 0.5, 'balanced_accuracy_loss': (0.3, (0.2, 0.4))}
  return {
    'run': {'auc': 0.9, 'balanced_accuracy': 0.8},
    'shuffled': {'auc': shuffled, 'auc_loss': (0.9 - shuffled, interval), **lost},
    'single_frame': {'auc': 0.5, 'auc_loss': (0.4, (0.3, 0.5)), **lost},
  }


def write_controls(folder, **files):
  for name, content in files.items():
    (folder / f'{name}.json').write_text(json.dumps({**IDENTITY, **content}))


def test_the_page_holds_all_that_it_shows(page):
  addresses = [value for _, attributes in page.tags for name, value in attributes.items() if name in ('src', 'href')]
  assert addresses
  assert all(re.fullmatch(r'data:image/(png|jpeg|svg\+xml);base64,[\w+/=]+', address) for address in addresses)
  assert not {tag for tag, _ in page.tags} & {'script', 'link', 'iframe', 'object', 'embed', 'base', 'a'}
  assert not [name for _, attributes in page.tags for name in attributes if name.startswith('on')]
  assert 'url(' not in STYLE
  assert '@import' not in STYLE


def test_names_from_data_are_shown_and_do_nothing(page, folder):
  assert page.text.count('<script>alert(1)</script>') >= 5  # title, warning, groups, mistake, reason
  assert '<script' not in (folder[0] / 'report.html').read_text()


def test_the_page_is_made_for_readers_of_all_kinds(page):
  assert page.find('html') == [{'lang': 'en'}]
  assert {'name': 'viewport', 'content': 'width=device-width, initial-scale=1'} in page.find('meta')
  assert all(image['alt'] for image in page.find('img'))
  levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch('h[1-6]', tag)]
  assert levels[0] == 1
  assert levels.count(1) == 1
  assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_its_figures_are_those_of_the_metrics(page, folder):
  metrics = folder[1].metrics
  for name in ('balanced_accuracy', 'auc', 'recall', 'specificity', 'brier'):
    low, high = metrics['intervals'][name]
    assert f'\n{metrics[name]:.3f}\n{low:.3f} to {high:.3f}\n' in page.text
  assert 'Threshold 0.450 (from validation data, by balanced accuracy); at 0.500' in page.text


def test_clip_level_is_named_apart(page, folder, tmp_path):
  clips = folder[1].metrics['clip_level']
  assert (folder[1].metrics['n'], clips['n']) == (20, 40)
  assert 'Clip level: one score a clip, several clips a video' in page.text
  assert '\nclip level\n' in page.text
  after = page.text.split('Clip level: one score a clip')[1]
  assert f'balanced accuracy\n0.500\n{clips["balanced_accuracy"]:.3f}\n' in after
  assert 'lip level' not in render(tmp_path, make_evaluation([0, 1], [0.2, 0.9])).text.replace('Clip level:', '')


@pytest.mark.slow
def test_the_bytes_are_the_same_each_time(folder):
  path = folder[0] / 'report.html'
  before = path.read_bytes()
  report.write_report(*folder)
  assert path.read_bytes() == before


def test_what_was_rejected_is_counted_by_class_and_reason(page):
  data = page.text.split('What was tested')[1]
  assert re.search(r'set_a, real\n10\n20\n\d+\n1\n9\.1%\n', data)
  assert re.search(r'set_a, fake\n10\n20\n\d+\n2\n16\.7%\n', data)
  assert 'no face\n1\n1\n' in data


def test_digests_versions_seed_and_configuration_are_told(folder, tmp_path):
  (tmp_path / 'scores.csv').write_text('id,label\n')
  text = render(tmp_path, folder[1]).text
  assert f'scores.csv\nsha256:{hashlib.sha256(b"id,label" + bytes([10])).hexdigest()}' in text
  for told in ('seed\n7\n', 'python 3.11.7, jax 0.7.1', 'a computer', 'sha256:aa', 'train.epochs\n4\n', 'set_a'):
    assert told in text


# Which mistakes, and their pictures.


def test_the_find_confident_errors_come_first():
  labels, p_fake = [0, 0, 1, 1, 0, 1, 1], [0.9, 0.5, 0.1, 0.39, 0.41, 0.8, 0.4]
  scores = make_evaluation(labels, p_fake).scores
  # At .4: real above it 0 (.5 off), 1 (.1), 4 (.01); fake at or below it 2 (.3), 3 (.01, but for rounding), 6 (0).
  assert confident_errors.find_confident_errors(scores, 0.4)[:3] == [0, 2, 1]
  assert set(confident_errors.find_confident_errors(scores, 0.4)) == {0, 1, 2, 3, 4, 6}
  assert confident_errors.find_confident_errors(scores, 0.4, count=2) == [0, 2]
  assert confident_errors.find_confident_errors(make_evaluation([0, 1], [0.1, 0.9]).scores, 0.5) == []


def test_equally_sure_mistakes_come_by_name():
  scores = make_evaluation([0, 0, 0], [0.9, 0.9, 0.9], key=['c', 'a', 'b']).scores
  assert confident_errors.find_confident_errors(scores, 0.5) == [1, 2, 0]


def test_the_page_shows_ten_mistakes_in_order(tmp_path):
  p_fake = [0.51 + i / 100 for i in range(24)]  # all called fake: the 12 reals, every other one, are mistakes
  text = render(tmp_path, make_evaluation([i % 2 for i in range(24)], p_fake)).text
  shown = re.findall(r'(\d+)\. (v\d\d)\.mp4: real, called fake, p\(fake\) ([\d.]+), method original, person', text)
  assert shown == [(str(n), f'v{24 - 2 * n:02}', f'{0.51 + (24 - 2 * n) / 100:.3f}') for n in range(1, 11)]
  assert '12 of 24 videos are misjudged' in text


def test_a_strip_is_ten_frames_in_time_order():
  drawn = confident_errors.draw_strip(make_evaluation([0], [0.9]).split, 0)
  image = cv2.imdecode(np.frombuffer(drawn, np.uint8), cv2.IMREAD_GRAYSCALE)
  assert image.shape == (SIZE, 10 * SIZE + 9 * GAP)
  middles = image[SIZE // 2, SIZE // 2 :: SIZE + GAP].astype(int)
  frames = np.linspace(0, FRAMES - 1, 10).round()  # frame t is filled with 10 t
  np.testing.assert_allclose(middles, 10 * frames, atol=12)  # JPEG: white gaps ring


# What the answer says.


def say(evaluation):
  return answer('cnn_lstm', ['set_a'], 'test', evaluation.scores, evaluation.metrics)


def test_a_detector_that_separates_is_told_with_its_errors():
  # 20 reals of 20 people, 2 called fake; 20 fakes of the same people, all found.
  p_fake = [0.9 if i in (0, 2) else 0.2 + 0.6 * (i % 2) for i in range(40)]
  evaluation = make_evaluation([i % 2 for i in range(40)], p_fake)
  tested, separates, wrong, scope = say(evaluation)
  assert tested == 'cnn_lstm was tested on 40 videos, 20 real and 20 fake, of 20 people from set_a (test).'
  assert separates.startswith('It tells fake from real better than a guess: in 90.0% of all pairs')
  low, high = (round(100 * (1 - value)) for value in evaluation.metrics['intervals']['specificity'][::-1])
  # None of 20 people's fakes was missed: .05 ** (1 / 20) = .861, so up to 14 of 100 may be.
  assert wrong == (
    f'At its threshold of 0.500, of 100 real videos it calls about 10 fake (95 %: {low} to {high})'
    ' and of 100 fake videos it calls about 0 real (95 %: 0 to 14).'
  )
  assert scope == 'It was trained on videos of set_a, too: on videos from elsewhere, and other fakes, it may do worse.'
  assert judge(evaluation.metrics, []) == ('good', 'Better than chance on these videos')
  assert judge(evaluation.metrics, ['warning: few']) == ('caution', 'Better than chance on these videos, with warnings')


def test_a_detector_at_chance_is_called_so():
  evaluation = make_evaluation([i % 2 for i in range(40)], np.random.default_rng(0).uniform(size=40))
  assert evaluation.metrics['intervals']['auc'][0] < 0.5 < evaluation.metrics['intervals']['auc'][1]
  assert judge(evaluation.metrics, []) == ('bad', 'Not distinguishable from chance')
  assert say(evaluation)[1].startswith('It is not distinguishable from chance')
  assert 'such verdicts are not distinguishable from chance' in say(evaluation)[2]


def test_a_detector_that_ranks_the_wrong_way_round_is_called_so():
  evaluation = both_classes(shift=-0.3)
  assert separation(evaluation.metrics) == 'below'
  assert say(evaluation)[1].startswith('It does worse than a guess')


def test_a_threshold_that_calls_all_fake_is_no_good_verdict():
  evaluation = both_classes(decision=Decision(0.0, 'fixed', 1.0))
  assert (
    judge(evaluation.metrics, [])[1] == 'Better than chance on these videos by its ranking, but not by its verdicts'
  )
  assert 'of 100 real videos it calls about 100 fake (95 %: 86 to 100)' in say(evaluation)[2]


@pytest.mark.parametrize(('label', 'name', 'other'), [(0, 'real', 'fake'), (1, 'fake', 'real')])
def test_of_one_class_no_one_can_tell(tmp_path, label, name, other):
  evaluation = make_evaluation([label] * 8, [0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9])
  assert judge(evaluation.metrics, [])[0] == 'caution'
  assert say(evaluation)[1].startswith(f'All are {name}: ')
  assert f'of 100 {name} videos it calls about 50 {other}' in say(evaluation)[2]
  assert f'of 100 {other}' not in say(evaluation)[2]
  text = render(tmp_path, evaluation).text
  assert 'Cannot be judged: only videos of one class were tested' in text


def test_of_one_person_no_one_can_tell():
  evaluation = make_evaluation([0, 1], [0.1, 0.9], identity=['a', 'a'])
  assert judge(evaluation.metrics, []) == ('caution', 'Cannot be judged: all videos show one person')
  assert say(evaluation)[1].endswith('how it does with others is unknown.')


def test_unknown_people_and_another_dataset_are_told():
  evaluation = make_evaluation([0, 1, 1], [0.1, 0.9, 0.8], identity=['', '', 'a'], rejections=[reject(1)])
  tested, *_, scope = answer('m', ['set_b+set_c', 'set_d'], 'test', evaluation.scores, evaluation.metrics)
  assert 'of 3 people from set_a (test) (who is shown in 2 of them is not known' in tested
  assert tested.endswith('Of 1 more there is no verdict; no figure counts them unless it says so.')
  assert scope.startswith('It was trained on set_b+set_c, then on set_d: the figures hold for videos like those tested')


# Controls.


def warn(shuffled=0.5, interval=(0.1, 0.6), run=None):
  controls = {**without_time(shuffled, interval), **(run or {})}
  return sections.control_warnings({'controls': controls}, {'auc': 0.9})


def test_warnings_come_first_and_in_red(page):
  reds = page.text.split('Warnings\n')[1].split('Figures\n')[0]
  assert 'Warning: it tells real videos from the same ones encoded once more' in reds
  kinds = [p['class'] for p in page.find('p') if p.get('class') in ('warning', 'note')]
  assert kinds == ['warning'] * 2 + ['note'] * 2  # encoder, few; other evaluation, hostile name
  assert 'Better than chance on these videos, with warnings' in page.text


def test_a_detector_that_does_without_time_is_told():
  assert warn(0.85, (0.01, 0.1)) == []
  (note,) = warn(0.85, (-0.01, 0.1))
  assert note == (
    'note: with frames of each clip shuffled its AUC is 0.850 against 0.900, which may be chance:'
    ' it is not shown to need their order'
  )


def test_controls_of_another_evaluation_are_told():
  (note,) = warn(run={'run': {'auc': 0.85}})
  assert note == 'note: controls.json is of another evaluation than this page: measure the controls again'


@pytest.mark.parametrize('what', ['weights', 'data'])
def test_controls_of_other_weights_or_data_are_not_shown(tmp_path, what):
  write_controls(
    tmp_path,
    reencoding={'rises': 1.0, 'rises_interval': (0.9, 1.0), 'n': 99, 'n_people': 99, what: 'sha256:cc'},
    controls=without_time(0.5, (0.2, 0.6)),
  )
  page = render(tmp_path, both_classes())
  assert f'Note: reencoding.json is of other {what}, and is not shown.' in page.text
  assert 'encoded once more: the score rises' not in page.text
  assert page.text.count('Not measured. lipfake ') == 2  # robustness, too
  assert 'frames of each clip shuffled' in page.text


def test_a_part_of_one_class_has_no_control_to_match():
  none = {'auc': None, 'balanced_accuracy': None}
  lost = {**none, 'auc_loss': (None, None), 'balanced_accuracy_loss': (None, None)}
  found = {'controls': {'run': none, 'shuffled': lost, 'single_frame': lost}}
  assert sections.control_warnings(found, {'auc': None}) == []
  shown = ''.join(sections.render_controls(found, {'auc': None, 'metadata': None}, 'set_a:test'))
  assert 'it wants both classes' in shown
  assert shown.count('<td class="n">-</td>') == 9


def reencoded(rising, people=18, n=18):
  """Of the control of n reals: so many of them have a score that is a little higher when encoded once more."""
  reals = [VideoRecord(Path(f'{i}'), f'{i}', 'real', identity=f'p{i % people}', dataset='set') for i in range(n)]
  before = np.linspace(0.1, 0.9, n)  # so far apart that as samples of two kinds they look the same
  after = before + np.where(np.arange(n) < rising, 0.01, -0.01)
  return reencoding_control(lambda videos, name: list(after if name else before), reals, threshold=0.5)


@pytest.mark.parametrize(
  ('rising', 'people', 'said'),
  [
    (18, 18, 'the score rises in 100.0% of 18 (95 % interval over 18 people 81.5% to 100.0%'),
    (0, 18, 'the score rises in 0.0% of 18 (95 % interval over 18 people 0.0% to 18.5%'),
    (15, 18, '50 % is right), from 0.500 to 0.507 on average; 9 are called fake before, 9 after'),
    (11, 18, ''),
    (9, 18, ''),
    (18, 6, 'the score rises in 100.0% of 18 (95 % interval over 6 people 54.1% to 100.0%'),
    (18, 5, ''),  # five heads of five coins come up in one of 16 trials, or five tails
    (18, 1, ''),
  ],
)
def test_an_encoder_that_is_learned_is_told_beyond_chance(rising, people, said):
  """Scores are compared in pairs, and the videos of one person count once. Where all rise the interval is exact: of n
  people .025 ** (1 / n), .815 of 18 and .541 of 6."""
  found = sections.control_warnings({'reencoding': reencoded(rising, people)}, {'auc': None})
  assert bool(found) == bool(said)
  assert said in ''.join(found)


def test_what_was_measured_is_shown_and_what_was_not_has_its_command(page, tmp_path):
  controls = page.text.split('Controls\n')[1].split('Most confident errors')[0]
  assert 'metadata alone (logistic regression)\n0.990\n' in controls
  assert controls.index('frame rate alone\n0.980') < controls.index('codec alone\n0.500')  # the most telling first
  assert 'AUC of the run less that of metadata: -0.090 (95 % interval -0.200 to +0.010).' in controls
  assert 'frames of each clip shuffled\n0.500\n0.400 (+0.200 to +0.600)\n0.500\n' in controls
  assert 'blur\n0.900\n0.800\n0.700\n0.600\n0.500\n0.400\n0.600\n' in controls
  assert 'encoded once more\n0.700\n15\n' in controls
  assert '20 of 40 videos; without a verdict: 2 in blur:5.' in controls
  assert 'Not measured' not in controls
  missing = ''.join(sections.render_controls({}, {'auc': 0.9}, 'set_a:test'))
  assert missing.count('Not measured.') == 3
  assert 'lipfake controls RUN --datasets=set_a:test does' in missing


def test_long_breakdowns_end_with_the_count_of_the_rest(tmp_path):
  evaluation = make_evaluation([i % 2 for i in range(30)], [0.2 + 0.6 * (i % 2) for i in range(30)])
  text = render(tmp_path, evaluation).text.split('\nPerson\n')[1].split('Controls')[0]
  assert text.count('person ') == 10
  assert '5 more groups are in metrics.json.' in text


def test_numbers_stand_to_the_right_and_words_do_not():
  found = table(('a', 'b', 'c'), [('x', 0.5, 'word'), ('y', '0.1 to 0.2', '3')])
  assert '<th scope="col" class="n">b</th><th scope="col">c</th>' in found
  assert '<th scope="row">x</th><td class="n">0.5</td><td>word</td>' in found


@pytest.mark.slow
@pytest.mark.skipif(find_browser() is None, reason='no Chromium is installed')
def test_a_browser_shows_and_prints_the_page(folder, tmp_path):
  path = folder[0] / 'report.html'
  with open_browser(find_browser(), tmp_path / 'profile') as browser:
    for width in (360, 1200):
      browser.open(path, width)
      assert browser.evaluate('document.documentElement.scrollWidth') == width
      assert browser.evaluate('[...document.images].every(image => image.complete && image.naturalWidth > 0)')
    events = browser.events
    fetched = [event['request']['url'] for method, event in events if method == 'Network.requestWillBeSent']
    assert [url for url in fetched if not url.startswith('data:')] == [path.as_uri()]
    assert not [m for m, _ in events if m in ('Log.entryAdded', 'Runtime.exceptionThrown', 'Runtime.consoleAPICalled')]
    pdf = browser.call('Page.printToPDF', printBackground=True, preferCSSPageSize=True)['data']
    assert pdf.startswith('JVBERi0')  # %PDF- in base64
