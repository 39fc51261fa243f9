/** One JSON line per event on stderr or into whatever the caller collects; never a secret, always a word for it. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = (level: LogLevel, msg: string, extra?: Record<string, unknown>) => void;

const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3 };

/** A logger that writes JSON lines to stderr. `base` is added to every line. */
export function jsonLog(base: Record<string, unknown>, least: LogLevel = 'info'): Log {
  return (level, msg, extra) => {
    if (ORDER[level] < ORDER[least]) return;
    process.stderr.write(
      JSON.stringify({ time: new Date().toISOString(), level, msg, ...base, ...extra }) + '\n',
    );
  };
}

/** Coerces anything thrown into something that can be logged. */
export function errorText(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return errorText(error.errors[0]);
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}
