'use strict';
(() => {
  const trace = JSON.parse(document.getElementById('trace').textContent);
  const find = (id) => document.getElementById(id);
  const chart = find('chart'), axis = find('axis'), scroll = find('scroll'), stage = find('stage');
  const names = find('names'), tip = find('tip'), said = find('said');

  // --- the trace: five numbers a slice, and five a flow ---
  const WIDTH = 5;
  const BEGIN = 0, LENGTH = 1, STATE = 2, SUBJECT = 3, HOLDER = 4;
  const FROM = 0, SENT = 1, TO = 2, ARRIVED = 3, FLOW_KIND = 4;
  const flow_names = ['wake', 'hand-over', 'notify'];
  const state_of = Object.fromEntries(trace.states.map((name, i) => [name, i]));
  const threads = trace.threads.map((thread) => ({
    ...thread,
    slices: Float64Array.from(thread.slices),
    inner: Float64Array.from(thread.inner),
  }));
  const flows = Float64Array.from(trace.flows);
  const length = Math.max(trace.length, 1);
  for (const thread of threads) thread.over = drawn_over(thread);

  // The first slice that ends after `when`.
  function first_after(slices, when) {
    let low = 0, high = slices.length / WIDTH;
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = middle * WIDTH;
      if (slices[at + BEGIN] + slices[at + LENGTH] > when) high = middle;
      else low = middle + 1;
    }
    return low * WIDTH;
  }

  // Of the slices inside of others, those that are drawn over them: who sleeps or has no work is off
  // its core anyway.
  function drawn_over({ slices, inner }) {
    const kept = [];
    for (let at = 0; at < inner.length; at += WIDTH) {
      const around = first_after(slices, inner[at + BEGIN]);
      const is_part_of_block = around < slices.length && slices[around + STATE] === state_of.blocked;
      if (inner[at + STATE] !== state_of.asleep || is_part_of_block) {
        for (let i = 0; i < WIDTH; ++i) kept.push(inner[at + i]);
      }
    }
    return Float64Array.from(kept);
  }

  function describe(time) {
    const units = [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']];
    const [size, unit] = units.find(([size]) => Math.abs(time) >= size) || [1, 'ns'];
    const value = time / size;
    return (unit === 'ns' ? value.toFixed(0) : value.toPrecision(value >= 100 ? 4 : 3)) + ' ' + unit;
  }

  // --- what is shown ---
  const LANE = 26, PADDING = 4, AXIS = 26;
  const view = { begin: 0, end: length };
  let chosen = -1;          // A thread, for the keyboard.
  let chosen_slice = -1;    // Place of a slice of it.
  let subject = -1;         // The only one that is drawn in full, or -1.
  let colours = {};

  function read_colours() {
    const style = getComputedStyle(document.documentElement);
    for (const name of ['text', 'faint', 'line', 'accent', 'panel', 'running', 'blocked', 'spinning',
                        'idle', 'sleep', 'io', 'dropped', 'on-slice', 'on-dark-slice', 'wake',
                        'hand-over']) {
      colours[name] = style.getPropertyValue('--' + name).trim();
    }
    colours.of_state = trace.states.map(
        (name) => name === 'blocked' ? colours.spinning : name === 'asleep' ? colours.blocked : colours[name]);
  }

  function fit(canvas, width, height) {
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = width + 'px';
      canvas.style.height = height + 'px';
    }
    const pen = canvas.getContext('2d');
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = '12px system-ui, sans-serif';
    return pen;
  }

  const chart_width = () => stage.clientWidth;
  const chart_height = () => Math.min(scroll.clientHeight, threads.length * LANE);
  const x_of = (time) => (time - view.begin) / (view.end - view.begin) * chart_width();
  const time_at = (x) => view.begin + x / chart_width() * (view.end - view.begin);
  const y_of = (thread) => thread * LANE - scroll.scrollTop;

  let is_due = false;
  function draw_soon() {
    if (is_due) return;
    is_due = true;
    requestAnimationFrame(() => { is_due = false; draw(); });
  }

  function ticks() {
    const rough = (view.end - view.begin) / Math.max(chart_width() / 110, 1);
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = Math.max([1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough), 1);
    const all = [];
    for (let at = Math.ceil(view.begin / step) * step; at <= view.end; at += step) all.push(at);
    return { all, step };
  }

  function label_of(time, step) {
    if (time === 0) return '0';
    const [size, unit] = [[1e9, 's'], [1e6, 'ms'], [1e3, 'µs'], [1, 'ns']].find(
        ([size]) => Math.max(time, view.end - view.begin) >= size) || [1, 'ns'];
    const digits = Math.max(0, Math.ceil(Math.log10(size / step) - 1e-9));
    return (time / size).toFixed(digits) + ' ' + unit;
  }

  function draw_axis() {
    const left = scroll.clientWidth - stage.clientWidth;
    const pen = fit(axis, find('lanes').clientWidth, AXIS);
    pen.fillStyle = colours.faint;
    pen.strokeStyle = colours.line;
    pen.textBaseline = 'middle';
    const { all, step } = ticks();
    for (const time of all) {
      const x = Math.round(left + x_of(time)) + .5;
      pen.beginPath();
      pen.moveTo(x, AXIS - 6);
      pen.lineTo(x, AXIS);
      pen.stroke();
      const label = label_of(time, step);
      const width = pen.measureText(label).width;
      if (x + width / 2 > left + chart_width()) continue;
      pen.fillText(label, Math.max(x - width / 2, left + 2), AXIS / 2 - 2);
    }
  }

  const is_faded = (slices, at) => subject >= 0 && slices[at + SUBJECT] !== subject;

  // Slices that are narrower than a pixel share it by their part of its time. Waits at the bottom, for
  // sleeps are drawn over them.
  const stacked = ['asleep', 'blocked', 'io', 'sleep', 'idle', 'dropped', 'running'].map((name) => state_of[name]);
  function draw_slices(pen, slices, y, height) {
    const width = chart_width(), scale = width / (view.end - view.begin);
    const shares = new Float64Array(trace.states.length);
    let pixel = -1;
    const flush = () => {
      if (pixel < 0) return;
      let bottom = y + height;
      for (const state of stacked) {
        if (shares[state] === 0) continue;
        const part = Math.min(shares[state], 1) * height;
        pen.fillStyle = colours.of_state[state];
        pen.fillRect(pixel, bottom - part, 1, part);
        bottom -= part;
        shares[state] = 0;
      }
      pixel = -1;
    };
    for (let at = first_after(slices, view.begin); at < slices.length; at += WIDTH) {
      const x = (slices[at + BEGIN] - view.begin) * scale;
      if (x > width) break;
      const wide = slices[at + LENGTH] * scale;
      const state = slices[at + STATE];
      const alpha = is_faded(slices, at) && state !== state_of.asleep ? .18 : 1;
      if (wide < 1) {
        if (alpha < 1) continue;
        const here = Math.floor(x);
        if (here !== pixel) flush();
        pixel = here;
        shares[state] += wide;
        continue;
      }
      flush();
      const from = Math.max(x, -1), to = Math.min(x + wide, width + 1);
      pen.globalAlpha = alpha;
      pen.fillStyle = colours.of_state[state];
      if (state === state_of.dropped) {
        for (let stripe = from; stripe < to; stripe += 6) pen.fillRect(stripe, y, Math.min(3, to - stripe), height);
      } else {
        pen.fillRect(from, y, to - from, height);
      }
      pen.globalAlpha = 1;
    }
    flush();
  }

  // Sleeps lie over the waits that they are a part of, so they fade with them.
  function draw_inner(pen, thread, y, height) {
    const { slices, over } = thread;
    if (subject < 0) return draw_slices(pen, over, y, height);
    const kept = [];
    for (let at = first_after(over, view.begin); at < over.length && over[at + BEGIN] <= view.end; at += WIDTH) {
      const around = first_after(slices, over[at + BEGIN]);
      if (around < slices.length && !is_faded(slices, around)) kept.push(...over.subarray(at, at + WIDTH));
    }
    draw_slices(pen, Float64Array.from(kept), y, height);
  }

  function draw_texts(pen, slices, y) {
    const width = chart_width(), scale = width / (view.end - view.begin);
    pen.textBaseline = 'middle';
    for (let at = first_after(slices, view.begin); at < slices.length; at += WIDTH) {
      const x = (slices[at + BEGIN] - view.begin) * scale;
      if (x > width) break;
      const from = Math.max(x, 0), to = Math.min(x + slices[at + LENGTH] * scale, width);
      const state = slices[at + STATE];
      if (to - from < 46 || state === state_of.running || is_faded(slices, at)) continue;
      let text = trace.subjects[slices[at + SUBJECT]];
      const room = to - from - 10;
      while (text.length > 1 && pen.measureText(text).width > room) text = text.slice(0, -2).trimEnd() + '…';
      if (state === state_of.blocked) {
        // It may lie across the border between spinning and asleep.
        pen.lineWidth = 3;
        pen.lineJoin = 'round';
        pen.strokeStyle = colours.blocked;
        pen.strokeText(text, from + 5, y + LANE / 2);
        pen.lineWidth = 1;
      }
      pen.fillStyle = state === state_of.blocked ? colours['on-dark-slice'] : colours['on-slice'];
      pen.fillText(text, from + 5, y + LANE / 2);
    }
  }

  function draw_marks(pen, thread, y) {
    pen.textBaseline = 'middle';
    for (const [when, text] of thread.marks) {
      if (when < view.begin || when > view.end) continue;
      const x = x_of(when);
      pen.fillStyle = pen.strokeStyle = colours.text;
      pen.beginPath();
      pen.moveTo(x, y + PADDING + 4);
      pen.lineTo(x - 4, y);
      pen.lineTo(x + 4, y);
      pen.fill();
      pen.beginPath();
      pen.moveTo(x, y);
      pen.lineTo(x, y + LANE);
      pen.stroke();
    }
  }

  function leads_to_subject(flow) {
    if (subject < 0) return true;
    const { slices } = threads[flows[flow + TO]];
    const at = first_after(slices, flows[flow + ARRIVED]);
    return at < slices.length && !is_faded(slices, at);
  }

  const MOST_ARROWS = 400;
  function draw_flows(pen, first, last) {
    const visible = [];
    for (let at = 0; at < flows.length; at += WIDTH) {
      if (flows[at + SENT] > view.end) break;
      if (flows[at + ARRIVED] < view.begin) continue;
      const above = Math.min(flows[at + FROM], flows[at + TO]), below = Math.max(flows[at + FROM], flows[at + TO]);
      if (below < first || above > last || !leads_to_subject(at)) continue;
      visible.push(at);
    }
    chart.dataset.arrows = visible.length;
    if (visible.length > MOST_ARROWS) return visible.length;
    for (const at of visible) {
      const x1 = x_of(flows[at + SENT]), x2 = x_of(flows[at + ARRIVED]);
      const down = flows[at + TO] > flows[at + FROM];
      const y1 = y_of(flows[at + FROM]) + (down ? LANE - PADDING : PADDING);
      const y2 = y_of(flows[at + TO]) + (down ? PADDING : LANE - PADDING);
      const is_hand_over = flows[at + FLOW_KIND] === 1;
      pen.strokeStyle = pen.fillStyle = is_hand_over ? colours['hand-over'] : colours.wake;
      pen.lineWidth = is_hand_over ? 2 : 1;
      pen.beginPath();
      pen.moveTo(x1, y1);
      const bend = (y2 - y1) * .5;
      pen.bezierCurveTo(x1, y1 + bend, x2, y2 - bend, x2, y2);
      pen.stroke();
      pen.beginPath();
      pen.moveTo(x2, y2);
      pen.lineTo(x2 - 3, y2 - (down ? 6 : -6));
      pen.lineTo(x2 + 3, y2 - (down ? 6 : -6));
      pen.fill();
    }
    pen.lineWidth = 1;
    return 0;
  }

  function draw() {
    draw_axis();
    const width = chart_width(), height = chart_height();
    const pen = fit(chart, width, height);
    const first = Math.floor(scroll.scrollTop / LANE);
    const last = Math.min(Math.ceil((scroll.scrollTop + height) / LANE), threads.length) - 1;
    pen.strokeStyle = colours.line;
    for (const time of ticks().all) {
      const x = Math.round(x_of(time)) + .5;
      pen.beginPath();
      pen.moveTo(x, 0);
      pen.lineTo(x, height);
      pen.stroke();
    }
    for (let i = first; i <= last; ++i) {
      const y = y_of(i);
      draw_slices(pen, threads[i].slices, y + PADDING, LANE - 2 * PADDING);
      draw_inner(pen, threads[i], y + PADDING, LANE - 2 * PADDING);
      draw_texts(pen, threads[i].slices, y);
      draw_marks(pen, threads[i], y);
      if (i === chosen) {
        pen.strokeStyle = colours.accent;
        pen.strokeRect(.5, y + 1.5, width - 1, LANE - 3);
        if (chosen_slice >= 0) {
          const slices = threads[i].slices;
          const from = Math.max(x_of(slices[chosen_slice + BEGIN]), 1);
          const to = Math.min(x_of(slices[chosen_slice + BEGIN] + slices[chosen_slice + LENGTH]), width - 1);
          pen.lineWidth = 2;
          pen.strokeRect(from, y + PADDING, Math.max(to - from, 2), LANE - 2 * PADDING);
          pen.lineWidth = 1;
        }
      }
    }
    const undrawn = draw_flows(pen, first, last);
    find('zoom-all').disabled = view.begin === 0 && view.end === length;
    chart.dataset.undrawn = undrawn;
    chart.title = '';
    chart.dataset.begin = Math.round(view.begin);
    chart.dataset.end = Math.round(view.end);
    const note = undrawn > 0 ? 'Zoom in to see the ' + undrawn + ' wakes in view as arrows.' : '';
    if (said.dataset.what !== 'slice' && said.textContent !== note) said.textContent = note;
  }

  // --- moving ---
  const SHORTEST = 100;
  function show(begin, end) {
    const wide = Math.min(Math.max(end - begin, SHORTEST), length);
    const middle = (begin + end) / 2;
    view.begin = Math.min(Math.max(middle - wide / 2, 0), length - wide);
    view.end = view.begin + wide;
    draw_soon();
  }
  function zoom(factor, around = (view.begin + view.end) / 2) {
    const begin = around - (around - view.begin) * factor;
    show(begin, begin + (view.end - view.begin) * factor);
  }
  function pan(time) {
    const wide = view.end - view.begin;
    const begin = Math.min(Math.max(view.begin + time, 0), length - wide);
    show(begin, begin + wide);
  }
  function show_slice(slices, at) {
    const begin = slices[at + BEGIN], wide = slices[at + LENGTH];
    const is_in_view = begin >= view.begin && begin + wide <= view.end;
    if (!is_in_view || wide < (view.end - view.begin) / 100) show(begin - wide * 2, begin + wide * 3);
    draw_soon();
  }

  function choose(thread, slice = -1) {
    names.children[chosen]?.classList.remove('chosen');
    chosen = Math.min(Math.max(thread, 0), threads.length - 1);
    chosen_slice = slice;
    names.children[chosen].classList.add('chosen');
    const y = chosen * LANE;
    if (y < scroll.scrollTop) scroll.scrollTop = y;
    if (y + LANE > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = y + LANE - scroll.clientHeight;
    said.dataset.what = 'slice';
    said.textContent = slice < 0 ? threads[chosen].name : tell(chosen, slice).replaceAll('\n', ', ');
    draw_soon();
  }

  function go_to_wait(step) {
    if (chosen < 0) choose(0);
    const slices = threads[chosen].slices;
    let at = chosen_slice;
    if (at < 0) at = step > 0 ? first_after(slices, view.begin) - WIDTH : first_after(slices, view.end);
    for (at += step * WIDTH; at >= 0 && at < slices.length; at += step * WIDTH) {
      if (slices[at + STATE] !== state_of.blocked) continue;
      choose(chosen, at);
      return show_slice(slices, at);
    }
  }

  function tell(thread, at) {
    const slices = threads[thread].slices;
    const begin = slices[at + BEGIN], state = slices[at + STATE], holder = slices[at + HOLDER];
    let asleep = 0;
    const inner = threads[thread].inner;
    for (let i = first_after(inner, begin); i < inner.length && inner[i + BEGIN] < begin + slices[at + LENGTH]; i += WIDTH) {
      if (inner[i + STATE] === state_of.asleep) asleep += inner[i + LENGTH];
    }
    const lines = [threads[thread].name + ': ' + trace.subjects[slices[at + SUBJECT]]];
    lines.push((state === state_of.blocked ? 'blocked for ' : 'for ') + describe(slices[at + LENGTH]) +
               ', from ' + describe(begin));
    if (state === state_of.blocked) lines.push('asleep for ' + describe(asleep) + ' of it');
    if (holder >= 0) lines.push((trace.subjects[slices[at + SUBJECT]].startsWith('join') ? 'joins ' : 'held by ') + threads[holder].name);
    return lines.join('\n');
  }

  function tip_for(x, y) {
    const thread = Math.floor((y + scroll.scrollTop) / LANE);
    if (thread < 0 || thread >= threads.length) return '';
    for (const [when, text] of threads[thread].marks) {
      if (Math.abs(x_of(when) - x) < 4) return 'mark: ' + text + '\nat ' + describe(when);
    }
    const slices = threads[thread].slices;
    const at = first_after(slices, time_at(x));
    if (at >= slices.length || slices[at + BEGIN] > time_at(x)) return '';
    return tell(thread, at);
  }

  // --- mouse and keyboard ---
  let drag = null;
  chart.addEventListener('pointerdown', (event) => {
    drag = { x: event.clientX, begin: view.begin, end: view.end };
    chart.setPointerCapture(event.pointerId);
    chart.classList.add('dragged');
    tip.hidden = true;
  });
  chart.addEventListener('pointermove', (event) => {
    if (drag !== null) {
      const wide = drag.end - drag.begin;
      const begin = Math.min(Math.max(drag.begin - (event.clientX - drag.x) / chart_width() * wide, 0), length - wide);
      return show(begin, begin + wide);
    }
    const text = tip_for(event.offsetX, event.offsetY);
    tip.hidden = text === '';
    tip.textContent = text;
    const box = find('lanes').getBoundingClientRect();
    const x = event.clientX - box.left + 14, y = event.clientY - box.top + 16;
    tip.style.left = Math.max(Math.min(x, box.width - tip.offsetWidth - 8), 0) + 'px';
    tip.style.top = (y + tip.offsetHeight + 8 > box.height ? Math.max(y - tip.offsetHeight - 28, 0) : y) + 'px';
  });
  const end_drag = () => { drag = null; chart.classList.remove('dragged'); };
  chart.addEventListener('pointerup', end_drag);
  chart.addEventListener('pointercancel', end_drag);
  chart.addEventListener('pointerleave', () => { tip.hidden = true; });
  chart.addEventListener('wheel', (event) => {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      zoom(1.0015 ** event.deltaY, time_at(event.offsetX));
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      pan((event.deltaX || event.deltaY) / chart_width() * (view.end - view.begin));
    }
  }, { passive: false });
  chart.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const wide = view.end - view.begin;
    const actions = {
      ArrowLeft: () => pan(-wide / 8), ArrowRight: () => pan(wide / 8),
      ArrowUp: () => choose(chosen - 1), ArrowDown: () => choose(chosen + 1),
      '+': () => zoom(.6), '=': () => zoom(.6), '-': () => zoom(1 / .6), '0': () => show(0, length),
      n: () => go_to_wait(1), p: () => go_to_wait(-1),
      Home: () => pan(-length), End: () => pan(length),
    };
    const action = actions[event.key] || actions[event.key.toLowerCase()];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
  scroll.addEventListener('scroll', () => { tip.hidden = true; draw_soon(); });
  find('zoom-in').addEventListener('click', () => zoom(.6));
  find('zoom-out').addEventListener('click', () => zoom(1 / .6));
  find('zoom-all').addEventListener('click', () => show(0, length));

  for (const button of document.querySelectorAll('button[data-subject]')) {
    button.addEventListener('click', () => {
      const own = Number(button.dataset.subject);
      subject = subject === own ? -1 : own;
      for (const other of document.querySelectorAll('button[data-subject]')) {
        other.setAttribute('aria-pressed', String(Number(other.dataset.subject) === subject));
      }
      draw_soon();
    });
  }
  for (const button of document.querySelectorAll('button[data-thread]')) {
    button.addEventListener('click', () => {
      const thread = Number(button.dataset.thread), begin = Number(button.dataset.begin);
      const wide = Number(button.dataset.end) - begin;
      const at = first_after(threads[thread].slices, begin);
      choose(thread, at < threads[thread].slices.length ? at : -1);
      show(begin - wide / 2, begin + wide * 1.5);
      find('lanes').scrollIntoView({ block: 'nearest' });
      chart.focus({ preventScroll: true });
    });
  }

  // --- begin ---
  for (const thread of threads) {
    const item = document.createElement('li');
    item.textContent = thread.name;
    item.title = thread.name + ' (' + thread.number + ')';
    names.append(item);
  }
  stage.style.height = threads.length * LANE + 'px';
  const dark = matchMedia('(prefers-color-scheme: dark)');
  dark.addEventListener('change', () => { read_colours(); draw_soon(); });
  new ResizeObserver(draw_soon).observe(stage);
  read_colours();
  draw();
})();
