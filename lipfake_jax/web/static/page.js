'use strict';
// Takes videos, shows how far each is, and what was found. All text goes in as text, never as HTML.

const POLL_MS = 1000, REST_MS = 30000, RECORD_MS = 60000;
const WEBM = 'video/webm;codecs=vp8'; // the one that costs least: a frame that comes late is left out
const KINDS = {real: 'good', fake: 'bad', inconclusive: 'caution', none: 'caution'};
const at = (id) => document.getElementById(id);
const meta = (name) => document.querySelector(`meta[name="${name}"]`).content;
const key = {'x-lipfake-key': meta('key')};
const rows = new Map(); // id -> {item, parts, state, told}
let timer = 0, uploads = 0;

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function tell(text) { at('told').textContent = text; }

function clock(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}

// A row: name, words on its state, a bar, sentences, buttons. `remove` is what its last button does.
function addRow(id, name, remove) {
  const parts = {
    words: make('p', {className: 'words'}),
    bar: make('progress', {max: 1, ariaLabel: `How far ${name} is`}),
    details: make('div'),
    buttons: make('p', {className: 'buttons'}),
    drop: make('button', {type: 'button', textContent: 'Cancel', ariaLabel: `Cancel ${name}`}),
  };
  parts.buttons.append(parts.drop);
  const item = make('li', {className: 'answer'}, make('h3', {textContent: name}), ...Object.values(parts).slice(0, 4));
  parts.drop.addEventListener('click', remove);
  at('videos').prepend(item);
  rows.set(id, {item, parts, name, state: '', quarter: 0});
  at('empty').hidden = true;
  return rows.get(id);
}

// Takes a row away; who was in it with the keyboard goes on at the heading of the list.
function dropRow(id) {
  const row = rows.get(id);
  if (!row) return;
  const inside = row.item.contains(document.activeElement);
  row.item.remove();
  rows.delete(id);
  at('empty').hidden = rows.size > 0;
  if (inside) at('history').focus();
}

function setBar(row, share) {
  if (share === null) row.parts.bar.removeAttribute('value');
  else row.parts.bar.value = share;
}

function announce(row, state, share, words) {
  const quarter = Math.floor(4 * (share || 0));
  if (state === row.state && quarter <= row.quarter) return;
  Object.assign(row, {state, quarter});
  tell(`${row.name}: ${words}`);
}

function describe(video) {
  if (video.state === 'waiting') return ['waiting: it is next', 'waiting: 1 video before it'][video.before] || `waiting: ${video.before} videos before it`;
  if (video.share === null) return 'being looked at';
  if (video.share >= 1) return 'being judged';
  return `being looked at: ${Math.round(100 * video.share)} %, ${clock(video.left_s)} left`;
}

function show(video) {
  const row = rows.get(video.id) || addRow(video.id, video.name, () => forget(video.id));
  if (video.state === 'done') {
    finish(row, video);
    return;
  }
  const words = describe(video);
  row.parts.words.textContent = words;
  setBar(row, video.state === 'waiting' ? 0 : video.share);
  announce(row, video.state, video.share, words);
}

function finish(row, video) {
  if (row.state === 'done') return;
  const {parts} = row, {verdict, title, details} = video.outcome;
  const links = verdict === null ? [] : [
    make('a', {className: 'main', href: `/videos/${video.id}/finding.html`, textContent: 'See the evidence'}),
    make('a', {href: `/videos/${video.id}/finding.html`, download: `${video.name}.html`, textContent: 'Save it'}),
    make('a', {href: `/videos/${video.id}/finding.json`, download: `${video.name}.json`, textContent: 'Save the figures'}),
  ];
  for (const link of links) link.ariaLabel = `${link.textContent} of ${video.name}`;
  row.item.classList.add(KINDS[verdict] || 'caution'); // red is for signs of a fake alone
  parts.words.className = 'verdict';
  parts.words.textContent = title;
  parts.bar.hidden = true;
  parts.details.replaceChildren(...details.map((line) => make('p', {textContent: line})));
  parts.drop.textContent = 'Delete';
  parts.drop.ariaLabel = `Delete ${video.name}`;
  parts.buttons.prepend(...links);
  announce(row, 'done', 1, title);
}

async function refresh() {
  clearTimeout(timer);
  let busy = true;
  try {
    const answer = await fetch('/videos');
    if (!answer.ok) throw new Error(await answer.text());
    const videos = await answer.json();
    const here = new Set(videos.map((video) => video.id));
    for (const id of [...rows.keys()]) if (typeof id === 'string' && !here.has(id)) dropRow(id);
    videos.forEach(show);
    busy = videos.some((video) => video.state !== 'done');
  } catch (error) {
    tell(`The program does not answer: ${error.message}`);
  }
  timer = setTimeout(refresh, busy ? POLL_MS : REST_MS);
}

async function forget(id) {
  const name = rows.get(id).name;
  const answer = await fetch(`/videos/${id}`, {method: 'DELETE', headers: key});
  if (!answer.ok && answer.status !== 404) return tell(await answer.text());
  dropRow(id);
  tell(`${name}: deleted`);
}

// One file on its way; its row is a number's until the program gives it an id.
function upload(file, name) {
  const id = ++uploads, request = new XMLHttpRequest();
  const row = addRow(id, name, () => request.abort());
  row.item.scrollIntoView({block: 'nearest'});
  const fail = (words) => {
    row.item.classList.add('caution');
    row.parts.bar.hidden = true;
    row.parts.words.textContent = words;
    const drop = make('button', {type: 'button', textContent: 'Delete', ariaLabel: `Delete ${name}`});
    drop.addEventListener('click', () => dropRow(id));
    row.parts.drop.replaceWith(drop);
    tell(`${name}: ${words}`);
  };
  if (file.size > Number(meta('most-bytes'))) return fail(`the file is larger than ${meta('most-bytes') / 2 ** 20} MiB: send a shorter piece of it`);
  request.upload.addEventListener('progress', (event) => {
    const words = `on its way: ${Math.round((100 * event.loaded) / event.total)} %`;
    row.parts.words.textContent = words;
    setBar(row, event.loaded / event.total);
    announce(row, 'upload', event.loaded / event.total, words);
  });
  request.addEventListener('load', () => {
    if (request.status !== 201) return fail(request.responseText || `refused with ${request.status}`);
    const given = JSON.parse(request.responseText).id, inside = row.item.contains(document.activeElement);
    dropRow(id);
    const next = rows.get(given) || addRow(given, name, () => forget(given));
    if (inside) next.parts.drop.focus();
    refresh();
  });
  request.addEventListener('error', () => fail('the upload was broken off'));
  request.addEventListener('abort', () => { dropRow(id); tell(`${name}: cancelled`); });
  request.open('POST', `/videos?name=${encodeURIComponent(name)}`);
  request.setRequestHeader('x-lipfake-key', key['x-lipfake-key']);
  request.setRequestHeader('content-type', 'application/octet-stream');
  request.send(file);
}

function takeFiles(files) { for (const file of files) upload(file, file.name); }

at('file').addEventListener('change', (event) => {
  takeFiles([...event.target.files]);
  event.target.value = '';
});
for (const kind of ['dragover', 'dragleave', 'drop']) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    at('drop').classList.toggle('over', kind === 'dragover');
    if (kind === 'drop') takeFiles(event.dataTransfer.files);
  });
}

// The camera: on, recording, off.
let stream = null, recorder = null;

function setCamera(on) {
  at('camera').hidden = on;
  at('take').hidden = at('leave').hidden = at('preview').hidden = !on;
  (on ? at('take') : at('camera')).focus();
}

at('camera').addEventListener('click', async () => {
  try {
    if (!navigator.mediaDevices) throw new Error('browsers allow it on this machine itself and by https only');
    stream = await navigator.mediaDevices.getUserMedia({video: {width: 640, height: 480}, audio: false});
  } catch (error) {
    tell(`There is no camera to record with: ${error.message}`);
    return;
  }
  at('preview').srcObject = stream;
  at('preview').play();
  setCamera(true);
});

at('leave').addEventListener('click', () => {
  if (recorder && recorder.state === 'recording') recorder.stop();
  stream.getTracks().forEach((track) => track.stop());
  at('preview').srcObject = null;
  setCamera(false);
});

at('take').addEventListener('click', () => {
  if (recorder && recorder.state === 'recording') return recorder.stop();
  const pieces = [], webm = MediaRecorder.isTypeSupported(WEBM);
  const name = `recording ${new Date().toLocaleTimeString()}.${webm ? 'webm' : 'mp4'}`;
  recorder = new MediaRecorder(stream, {videoBitsPerSecond: 8e6, ...(webm && {mimeType: WEBM})});
  const limit = setTimeout(() => recorder.stop(), RECORD_MS);
  recorder.addEventListener('dataavailable', (event) => pieces.push(event.data));
  recorder.addEventListener('stop', () => {
    clearTimeout(limit);
    at('take').textContent = 'Record';
    upload(new Blob(pieces, {type: recorder.mimeType}), name);
  });
  recorder.start();
  at('take').textContent = 'Stop and look at it';
  tell('Recording: at most a minute');
});

document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
refresh();
