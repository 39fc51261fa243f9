import { expect, it } from 'vitest';
import { Metrics } from './metrics.ts';

it('renders counters, gauges and cumulative histograms as Prometheus reads them', () => {
  const metrics = new Metrics();
  metrics.counter('a_total', 'Some').add(3);
  metrics.gauge('b', 'Now', () => 7);
  const histogram = metrics.histogram('c_seconds', 'Time');
  for (const value of [0.004, 0.05, 99]) histogram.observe(value);
  const text = metrics.render();
  expect(text).toContain('# HELP a_total Some\n# TYPE a_total counter\na_total 3\n');
  expect(text).toContain('# TYPE b gauge\nb 7\n');
  expect(text).toContain('c_seconds_bucket{le="0.005"} 1\n');
  expect(text).toContain('c_seconds_bucket{le="0.05"} 2\n');
  expect(text).toContain('c_seconds_bucket{le="30"} 2\n');
  expect(text).toContain('c_seconds_bucket{le="+Inf"} 3\n');
  expect(text).toContain('c_seconds_count 3\n');
});
