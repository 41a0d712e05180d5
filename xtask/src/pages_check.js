// Runs in a report's page, after the page's own script, and uses the page as a person does. `expected` is the JSON report
// of the same run.
(() => {
  'use strict';
  const problems = [];
  let checks = 0;
  const check = (holds, what) => {
    checks += 1;
    if (!holds) problems.push(what);
  };
  const svg = document.getElementById('timeline');
  const body = document.documentElement;
  check(body.scrollWidth <= body.clientWidth, 'the page is wider than its window');
  if (svg) {
    timeline();
    controls();
  } else {
    check(expected.steps.every((step) => step.spans.length === 0), 'there is no timeline');
  }
  const result = document.createElement('pre');
  result.id = 'result';
  result.textContent = JSON.stringify({ checks, problems });
  document.body.append(result);

  function visible(node) {
    return node.getClientRects().length > 0;
  }

  function press(key) {
    document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
  }

  function change(node, type) {
    node.dispatchEvent(new Event(type, { bubbles: true }));
  }

  function rows() {
    return [...svg.querySelectorAll('.row')].filter(visible);
  }

  // Bars are where the events say, by the ticks of the axis.
  function timeline() {
    const fold = document.getElementById('fold');
    if (fold.textContent === 'Unfold all') fold.click();
    const seconds = (text) => text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
    const ticks = [...svg.querySelectorAll('.time')].map((tick) => {
      const box = tick.getBoundingClientRect();
      return { at: seconds(tick.textContent), x: box.left + box.width / 2 };
    });
    check(ticks.length > 1, 'the axis has no ticks');
    const [first, last] = [ticks[0], ticks[ticks.length - 1]];
    const place = (at) => first.x + (last.x - first.x) * (at - first.at) / (last.at - first.at);
    const chart = svg.getBoundingClientRect();
    for (const step of expected.steps.filter((step) => step.kind === 'deploy' || step.kind === 'delete')) {
      const row = rows().find((row) => (row.getAttribute('aria-label') || title(row)).startsWith(`${named(step)}: `));
      check(row !== undefined, `there is no row of ${step.id}`);
      if (!row) continue;
      const bars = [...row.querySelectorAll(':scope > .bar')];
      check(bars.length === step.spans.length, `${step.id} has ${bars.length} bars`);
      step.spans.slice(0, bars.length).forEach((span, number) => {
        const box = bars[number].getBoundingClientRect();
        const end = span.finished_s === undefined ? expected.elapsed_s : span.finished_s;
        // The stroke of a bar is a pixel wide on each side, and very short bars are widened.
        check(Math.abs(box.left - place(span.started_s)) < 3, `${step.id} starts at the wrong place`);
        check(Math.abs(box.right - place(end)) < 4, `${step.id} ends at the wrong place`);
        check(bars[number].classList.contains(span.outcome || 'running'), `${step.id} has the wrong colour`);
      });
      const name = row.querySelector('.name').getBoundingClientRect();
      const region = row.querySelector('.dim[text-anchor=end]');
      const right = region ? region.getBoundingClientRect().left : place(0);
      check(name.right < right, `the name of ${step.id} runs into the next text`);
      for (const text of row.querySelectorAll('text')) {
        const box = text.getBoundingClientRect();
        check(box.left >= chart.left && box.right <= chart.right, `a text of ${step.id} is cut off: ${text.textContent}`);
      }
    }
    const decided = expected.critical_path.length;
    const drawn = svg.querySelectorAll('.critical').length;
    check(drawn >= Math.min(decided, 1), 'the critical path is not marked');
    check(svg.querySelectorAll('.link').length === Math.max(decided - 1, 0), 'the critical path has a gap');
  }

  function title(row) {
    const node = row.querySelector(':scope > title');
    return node ? node.textContent : '';
  }

  function named(step) {
    const accounts = new Set(expected.steps.filter((it) => /deploy|delete/.test(it.kind)).map((it) => it.account));
    const place = accounts.size > 1 ? `${step.account}/${step.region}` : step.region;
    return `${step.title} (${place})`;
  }

  function controls() {
    const find = document.getElementById('find');
    const card = document.getElementById('card');
    check(visible(find), 'the controls are hidden');
    check(svg.querySelectorAll('[tabindex="0"]').length === 1, 'not one row is reached with Tab');
    document.body.focus();
    press('/');
    check(document.activeElement === find, '/ does not go to the search');

    const stack = expected.steps.find((step) => /deploy|delete/.test(step.kind));
    const all = rows().length;
    find.value = stack.title.slice(0, -1);
    change(find, 'input');
    check(rows().length >= 1 && rows().some((row) => row.textContent.includes(stack.title.slice(-8))), 'the search does not find a stack');
    find.value = 'there is no such stack';
    change(find, 'input');
    check(rows().length === 0, 'the search finds what is not there');
    check(/^0 of /.test(document.getElementById('found').textContent), 'the search does not say what it found');
    press('Escape');
    check(rows().length === all, 'Escape does not end the search');

    svg.querySelector('[tabindex="0"]').focus();
    press('End');
    const end = document.activeElement;
    press('Home');
    const start = document.activeElement;
    check(svg.contains(start) && svg.contains(end), 'the keys leave the timeline');
    press('ArrowDown');
    check(document.activeElement !== start || start === end, 'the arrow keys do not move');
    press('ArrowUp');
    check(document.activeElement === start, 'the arrow keys do not move back');
    check(svg.querySelectorAll('[tabindex="0"]').length === 1, 'more than one row is reached with Tab');
    const explained = rows().find((row) => row.querySelector('.bar'));
    explained.focus();
    // A browser without a window may give its page the focus later, and sends no event before that.
    if (!document.hasFocus()) explained.dispatchEvent(new FocusEvent('focusin', { bubbles: true }));
    check(!card.hidden && card.textContent.length > 0, 'the row with the focus is not explained');

    const rich = expected.steps.find((step) => step.resources.length > 0);
    if (rich) {
      const row = rows().find((row) => row.dataset.row && row.querySelector('.name').textContent.startsWith(rich.title.slice(0, 8)));
      row.focus();
      press('Enter');
      check(row.getAttribute('aria-expanded') === 'true', 'Enter does not open a stack');
      const shown = Math.min(rich.resources.length, 25);
      check(row.querySelectorAll('.inside .bar').length === shown, 'the resources of a stack are not all there');
      check(row.textContent.includes(rich.resources[0].logical_id.slice(0, 12)), 'a resource has no name');
      press('Enter');
      check(row.querySelector('.inside') === null, 'Enter does not close a stack');
    }

    const heads = [...svg.querySelectorAll('.head')].filter(visible);
    if (heads.length > 0) {
      heads[0].focus();
      press('Enter');
      check(rows().length < all && heads[0].getAttribute('aria-expanded') === 'false', 'a phase cannot be folded');
      press('ArrowRight');
      check(rows().length === all, 'a phase cannot be unfolded');
    }
    const group = document.getElementById('group');
    if (group) {
      group.value = 'r';
      change(group, 'change');
      const regions = [...svg.querySelectorAll('.head')].filter(visible);
      check(regions.length > 1 && rows().length === all, 'the rows are not grouped by region');
      regions[0].dispatchEvent(new MouseEvent('click', { bubbles: true }));
      check(rows().length < all, 'a region cannot be folded');
      regions[0].dispatchEvent(new MouseEvent('click', { bubbles: true }));
      group.value = 'p';
      change(group, 'change');
    }
    check(rows().length === all, 'a row is lost');
    const bar = svg.querySelector('.row .bar');
    bar.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, clientX: 40, clientY: 40 }));
    check(!card.hidden, 'the bar under the pointer is not explained');
    check(svg.querySelector('.row title') === null || card.textContent.length > 0, 'the card is empty');
  }
})();
