/** Upper bounds in seconds. The bar is a p99 of 100 ms, so it is fine around there. */
const BUCKETS = [0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export class Counter {
  value = 0;
  add(n = 1): void {
    this.value += n;
  }
}

export class Histogram {
  readonly counts: number[] = new Array<number>(BUCKETS.length + 1).fill(0);
  sum = 0;
  count = 0;

  observe(seconds: number): void {
    let i = 0;
    while (i < BUCKETS.length && seconds > (BUCKETS[i] as number)) i++;
    this.counts[i] = (this.counts[i] as number) + 1;
    this.sum += seconds;
    this.count++;
  }
}

type Gauge = () => number;
interface Entry {
  help: string;
  value: Counter | Histogram | Gauge;
}

/** What `GET /metrics` shows, in Prometheus' text format 0.0.4. */
export class Metrics {
  readonly #entries = new Map<string, Entry>();

  counter(name: string, help: string): Counter {
    const value = new Counter();
    this.#entries.set(name, { help, value });
    return value;
  }

  histogram(name: string, help: string): Histogram {
    const value = new Histogram();
    this.#entries.set(name, { help, value });
    return value;
  }

  gauge(name: string, help: string, read: Gauge): void {
    this.#entries.set(name, { help, value: read });
  }

  render(): string {
    let text = '';
    for (const [name, { help, value }] of this.#entries) {
      text += `# HELP ${name} ${help}\n# TYPE ${name} ${kindOf(value)}\n`;
      if (value instanceof Histogram) text += renderHistogram(name, value);
      else text += `${name} ${value instanceof Counter ? value.value : value()}\n`;
    }
    return text;
  }
}

function kindOf(value: Entry['value']): string {
  if (value instanceof Histogram) return 'histogram';
  return value instanceof Counter ? 'counter' : 'gauge';
}

function renderHistogram(name: string, { counts, sum, count }: Histogram): string {
  let text = '';
  let below = 0;
  for (const [i, bound] of BUCKETS.entries()) {
    below += counts[i] as number;
    text += `${name}_bucket{le="${bound}"} ${below}\n`;
  }
  return `${text}${name}_bucket{le="+Inf"} ${count}\n${name}_sum ${sum}\n${name}_count ${count}\n`;
}
