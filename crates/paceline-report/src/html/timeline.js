'use strict';
(() => {
  const svg = document.getElementById('timeline');
  const data = JSON.parse(document.getElementById('data').textContent);
  const [find, group, decided, fold, found, card, controls] =
    ['find', 'group', 'decided', 'fold', 'found', 'card', 'controls'].map((id) => document.getElementById(id));
  const MOST = 25; // the resources of a stack that are shown at first
  const LINE = 15; // the height of a resource's row
  const MANY = 150; // the rows of a run whose groups are folded at first
  const width = svg.viewBox.baseVal.width;

  const draw = (parent, name, attributes, text) => {
    const node = parent.appendChild(document.createElementNS('http://www.w3.org/2000/svg', name));
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const duration = (seconds) => {
    if (seconds < 9.95) return `${Math.round(seconds * 10) / 10} s`;
    const s = Math.round(seconds);
    if (s < 60) return `${s} s`;
    if (s < 3600) return s % 60 ? `${Math.floor(s / 60)} min ${s % 60} s` : `${s / 60} min`;
    const m = Math.round(s / 60);
    return m % 60 ? `${Math.floor(m / 60)} h ${m % 60} min` : `${m / 60} h`;
  };
  const clock = (seconds) => {
    const s = Math.floor(seconds), two = (n) => String(n).padStart(2, '0');
    const minutes = `${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
    return s < 3600 ? minutes : `${Math.floor(s / 3600)}:${minutes}`;
  };

  // What a row says. Its title becomes a card, so that the browser does not show both.
  const story = (node) => {
    const title = node.querySelector(':scope > title');
    if (title) {
      node.story = title.textContent;
      node.setAttribute('aria-label', node.story);
      title.remove();
    }
    return node.story || '';
  };

  // The rows as the page has them, and the headings of the regions.
  const nodes = [...svg.querySelectorAll(':scope > .row, :scope > .head')];
  const first = nodes.length ? nodes[0].transform.baseVal[0].matrix.f : 0;
  const all = nodes.map((node, index) => ({
    node, index, head: node.classList.contains('head'), height: +node.dataset.h, base: +node.dataset.h,
    phase: node.dataset.p, region: node.dataset.r, start: +node.dataset.s, end: +node.dataset.e,
    resources: data.resources[node.dataset.row] || [], opened: false, folded: false, y: 0, shown: true,
  }));
  // What the search looks at, made when it is first used.
  const wordsOf = (row) => {
    row.words ??= [story(row.node), row.node.textContent, ...row.resources.map((it) => `${it[0]} ${it[1]}`)]
      .join(' ').toLowerCase();
    return row.words;
  };
  const regionHead = (name, index) => {
    const rows = all.filter((row) => row.region === String(index));
    const node = draw(svg, 'g', { class: 'head', 'data-h': 22, transform: 'translate(0 0)' });
    const stacks = rows.length === 1 ? '1 row' : `${rows.length} rows`;
    draw(node, 'text', { class: 'phase', x: 0, y: 15 }, name);
    draw(node, 'text', { class: 'dim', x: data.left - 14, y: 15, 'text-anchor': 'end' }, stacks);
    const times = rows.filter((row) => row.end >= 0);
    if (times.length) {
      const x = Math.min(...times.map((row) => row.start)), end = Math.max(...times.map((row) => row.end));
      draw(node, 'rect', { class: 'whole', x, y: 9, width: Math.max(end - x, 1.5), height: 3, rx: 1 });
    }
    return { node, head: true, height: 22, base: 22, region: String(index), folded: false, resources: [], y: 0 };
  };
  const regionHeads = data.regions.map(regionHead);
  const everything = [...all, ...regionHeads];
  for (const row of everything) {
    if (row.head) row.mark = draw(row.node, 'path', { class: 'mark', d: 'M0 -3.5 L5 0 L0 3.5 Z' });
  }

  const byRegion = () => group !== null && group.value === 'r';
  const ordered = () => {
    if (!byRegion()) return all;
    const rows = all.filter((row) => !row.head);
    const of = (region) => rows.filter((row) => row.region === region).sort((a, b) => a.start - b.start);
    const loose = rows.filter((row) => row.region === undefined);
    return [...loose, ...regionHeads.flatMap((head) => [head, ...of(head.region)])];
  };
  const headOf = (row, heads) => heads.find((head) => (byRegion()
    ? head.region === row.region : head.phase === row.phase && row.phase !== undefined));

  // Places every row anew: what is folded or not found has no place.
  let order = all;
  const place = () => {
    order = ordered();
    const heads = order.filter((row) => row.head);
    const words = find.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const filters = words.length > 0 || decided.checked;
    const matches = (row) => words.every((word) => wordsOf(row).includes(word))
      && (!decided.checked || row.node.querySelector('.critical') !== null);
    let count = 0, total = 0;
    const used = new Set();
    for (const row of order) {
      if (row.head) continue;
      row.under = headOf(row, heads);
      row.shown = filters ? matches(row) : !(row.under && row.under.folded);
      total += 1;
      if (!row.shown) continue;
      count += 1;
      used.add(row.under);
    }
    let y = first, odd = false;
    for (const row of everything) row.placed = false;
    for (const row of order) {
      row.placed = row.head ? !filters || used.has(row) : row.shown;
      if (!row.placed) continue;
      row.y = y;
      row.node.transform.baseVal[0].setTranslate(0, y);
      y += row.height;
      if (row.head) {
        odd = false;
        const turned = row.folded && !filters ? 0 : 90;
        row.mark.setAttribute('transform', `translate(${data.left - 11} 10.5) rotate(${turned} 2.5 0)`);
        row.node.setAttribute('aria-expanded', String(turned === 90));
      } else {
        row.node.querySelector('.band').classList.toggle('odd', odd);
        odd = !odd;
      }
    }
    for (const row of everything) row.node.classList.toggle('gone', !row.placed);
    for (const link of svg.querySelectorAll('.link')) connect(link, filters);
    for (const line of svg.querySelectorAll('line.tick, line.pause')) line.setAttribute('y2', y);
    svg.setAttribute('viewBox', `0 0 ${width} ${y + 6}`);
    found.textContent = filters ? `${count} of ${total} rows` : '';
    const foldable = heads.length > 0;
    fold.hidden = !foldable;
    fold.textContent = foldable && heads.every((head) => head.folded) ? 'Unfold all' : 'Fold all';
    if (current && !current.placed) select(order.find((row) => row.placed), false);
  };
  // A line of the critical path ends at the heading of a row that is folded. To a row that is not found, there is no line.
  const connect = (link, filters) => {
    const [a, y1, b, y2, x1, x2] = link.dataset.link.split(' ').map(Number);
    const at = (index, dy) => {
      const row = all[index];
      if (row.placed) return row.y + dy;
      return !filters && row.under ? row.under.y + 10.5 : NaN;
    };
    const [from, to] = [at(a, y1), at(b, y2)];
    link.classList.toggle('gone', Number.isNaN(from + to));
    if (!Number.isNaN(from + to)) link.setAttribute('d', `M${x1} ${from} V${to} H${x2}`);
  };

  // The resources of a stack, below its bar.
  const open = (row, all) => {
    close(row);
    const longest = [...row.resources].sort((a, b) => (b[4] - b[3]) - (a[4] - a[3]));
    const shown = new Set(all ? longest : longest.slice(0, MOST));
    const inside = draw(row.node, 'g', { class: 'inside' });
    let y = row.base;
    for (const resource of row.resources.filter((it) => shown.has(it))) {
      const [id, type, status, start, end] = resource;
      const line = draw(inside, 'g', {});
      const took = duration(end - start);
      line.story = `${id}: ${status}\n${type}\n${clock(start)} to ${clock(end)}, ${took}`;
      draw(line, 'rect', { class: 'band', x: 0, y, width, height: LINE });
      const kind = type.split('::').slice(1).join(' ') || type;
      const room = Math.floor((data.left - 34) / 5.2), short = id.length + kind.length + 2 > room;
      const name = draw(line, 'text', { class: 'small', x: 20, y: y + 11 }, cut(id, short ? room - Math.min(kind.length, 20) - 2 : room));
      draw(name, 'tspan', { class: 'dim', dx: 6 }, short ? cut(kind, 20) : kind);
      const x = data.left + start * data.scale, wide = Math.max((end - start) * data.scale, 1.5);
      const kinds = [[/FAILED$/, 'failed'], [/IN_PROGRESS$/, 'running'], [/^DELETE/, 'deleted'], [/ROLLBACK/, 'rolled-back']];
      const [, kindOf] = kinds.find(([pattern]) => pattern.test(status)) || [null, 'resource'];
      draw(line, 'rect', { class: `bar ${kindOf}`, x, y: y + 3.5, width: wide, height: 8, rx: 1.5 });
      const full = x + wide + 70 > width;
      draw(line, 'text', { class: 'dim small took', x: full ? x - 4 : x + wide + 4, y: y + 11, 'text-anchor': full ? 'end' : 'start' }, took);
      y += LINE;
    }
    const rest = row.resources.length - shown.size;
    if (rest > 0) {
      const most = duration(longest[shown.size][4] - longest[shown.size][3]);
      const more = draw(inside, 'text', { class: 'dim small more', x: 20, y: y + 11 },
        `${rest} more, none longer than ${most}: show them too`);
      more.addEventListener('click', (event) => { event.stopPropagation(); open(row, true); place(); });
      y += LINE;
    }
    row.opened = true;
    row.height = y + 3;
    row.node.querySelector('.band').setAttribute('height', row.height);
    row.node.setAttribute('aria-expanded', 'true');
  };
  const close = (row) => {
    const inside = row.node.querySelector('.inside');
    if (inside) inside.remove();
    row.opened = false;
    row.height = row.base;
    row.node.querySelector('.band').setAttribute('height', row.base);
    if (row.resources.length) row.node.setAttribute('aria-expanded', 'false');
  };
  const cut = (text, most) => (text.length <= most ? text : `${text.slice(0, Math.max(most - 1, 1))}…`);
  const toggle = (row) => {
    if (row.head) row.folded = !row.folded;
    else if (row.opened) close(row);
    else if (row.resources.length) open(row, false);
    else return;
    hide();
    place();
  };

  // One row can be reached with Tab; the arrow keys go to the others.
  let current;
  const select = (row, focus) => {
    if (!row) return;
    if (current) current.node.setAttribute('tabindex', '-1');
    current = row;
    row.node.setAttribute('tabindex', '0');
    if (focus) row.node.focus();
  };
  for (const row of everything) {
    row.node.row = row;
    row.node.setAttribute('tabindex', '-1');
    row.node.setAttribute('role', row.head || row.resources.length ? 'button' : 'img');
    if (row.resources.length) row.node.setAttribute('aria-expanded', 'false');
    if (row.head) row.node.setAttribute('aria-label', row.node.textContent);
  }
  const rowOf = (target) => {
    const node = target.closest('.row, .head');
    return node && node.row;
  };
  svg.addEventListener('click', (event) => {
    const row = rowOf(event.target);
    if (!row || String(document.getSelection())) return;
    select(row, true);
    toggle(row);
  });
  svg.addEventListener('focusin', (event) => {
    const row = rowOf(event.target);
    if (!row) return;
    const label = row.node.querySelector('.name, .phase').getBoundingClientRect();
    show(story(row.node), label.left + 16, label.bottom + 6);
  });
  svg.addEventListener('focusout', () => hide());
  svg.addEventListener('keydown', (event) => {
    const row = rowOf(event.target);
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = order.filter((it) => it.placed), at = rows.indexOf(row);
    const go = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1, PageDown: at + 20, PageUp: at - 20 }[event.key];
    if (go !== undefined) select(rows[Math.max(0, Math.min(go, rows.length - 1))], true);
    else if (event.key === 'Enter' || event.key === ' ') toggle(row);
    else if (event.key === 'ArrowRight') { if (row.head ? row.folded : !row.opened) toggle(row); }
    else if (event.key === 'ArrowLeft') { if (row.head ? !row.folded : row.opened) toggle(row); }
    else return;
    event.preventDefault();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      find.focus();
      find.select();
    } else if (event.key === 'Escape') {
      hide();
      if (find.value || decided.checked) {
        find.value = '';
        decided.checked = false;
        place();
      }
    }
  });

  // The card: what the row, the gate or the resource under the pointer says.
  const show = (text, x, y) => {
    card.hidden = !text;
    if (!text) return;
    const [head, ...lines] = text.split('\n');
    card.replaceChildren(Object.assign(document.createElement('b'), { textContent: head }));
    for (const line of lines) card.append(Object.assign(document.createElement('div'), { textContent: line }));
    const { clientWidth, clientHeight } = document.documentElement;
    card.style.left = `${Math.max(4, Math.min(x, clientWidth - card.offsetWidth - 8))}px`;
    card.style.top = `${y + card.offsetHeight + 8 > clientHeight ? Math.max(4, y - card.offsetHeight - 32) : y}px`;
  };
  const hide = () => { card.hidden = true; };
  svg.addEventListener('pointermove', (event) => {
    let node = event.target;
    while (node !== svg && !(node.tagName === 'g' && story(node))) node = node.parentNode;
    if (node === svg) hide();
    else show(story(node), event.clientX + 14, event.clientY + 18);
  });
  svg.addEventListener('pointerleave', hide);

  find.addEventListener('input', place);
  find.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' && event.key !== 'ArrowDown') return;
    event.preventDefault();
    select(order.find((row) => row.placed && !row.head), true);
  });
  decided.addEventListener('change', place);
  if (group) group.addEventListener('change', place);
  fold.addEventListener('click', () => {
    const heads = order.filter((row) => row.head), folded = !heads.every((head) => head.folded);
    for (const head of heads) head.folded = folded;
    place();
  });
  if (all.length > MANY) {
    for (const head of all.filter((row) => row.head)) {
      head.folded = !all.some((row) => !row.head && row.phase === head.phase
        && row.node.querySelector('.failed, .rolled-back, .running'));
    }
  }
  controls.hidden = false;
  svg.classList.add('live');
  place();
  select(order.find((row) => row.placed), false);
})();
