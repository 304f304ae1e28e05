'use strict';
// A cross-hair through all charts, and the values at its time beside their names. The page is whole without it.
(() => {
  const data = JSON.parse(document.getElementById('charts').textContent);
  const charts = [...document.querySelectorAll('svg.chart')];
  const two = (n) => String(Math.floor(n)).padStart(2, '0');
  const clock = (s) =>
    (s < 3600 ? Math.floor(s / 60) : Math.floor(s / 3600) + ':' + two(s / 60 % 60)) + ':' + two(s % 60);
  const shown = (n) => n.toLocaleString('en-US', { maximumSignificantDigits: 4 });
  const show = (x) => {
    const at = x / data.width * data.length;
    const place = data.times.findIndex(([from, to]) => from <= at && at <= to);
    for (const chart of charts) {
      const line = chart.querySelector('.cross');
      line.setAttribute('x1', x);
      line.setAttribute('x2', x);
      line.setAttribute('visibility', place < 0 ? 'hidden' : 'visible');
      const out = document.getElementById('now-' + chart.id);
      const bands = data.charts[chart.id];
      if (!out || !bands) continue;
      const values = place < 0 ? [] : bands.map(([name, unit, v]) => name + ' ' + shown(v[place]) + unit);
      out.textContent = place < 0 ? '' : clock(at) + '  ' + values.join('  ');
    }
  };
  for (const chart of charts) {
    chart.addEventListener('pointermove', (event) => {
      const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(chart.getScreenCTM().inverse());
      show(Math.min(Math.max(point.x, 0), data.width));
    });
    chart.addEventListener('pointerleave', () => show(-1));
  }
})();
