import type { Notification } from '@edgeconductor/sdk';
import { ConnectionError } from '@edgeconductor/sdk';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Bell, type BellDoors, type NotificationPage } from './bell.svelte.ts';

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-11-22T12:00:00Z') }));
afterEach(() => void vi.useRealTimers());

const note = (id: string, change: Partial<Notification> = {}): Notification => ({
  ...{
    id,
    org_id: 'o',
    kind: 'test',
    severity: 'info',
    title: `Title ${id}`,
    body: '',
    link: null,
    subject: {},
  },
  ...{ times: 1, first_at: '2026-11-22T11:00:00.000Z', created_at: '2026-11-22T11:00:00.000Z', read: false },
  ...change,
});

/** A service with these pages, whose unread ones are counted. */
function service(...pages: Notification[][]) {
  const rows = pages.flat();
  const doors = {
    list: vi.fn(async (after: string | null): Promise<NotificationPage> => {
      const at = after === null ? 0 : Number(after);
      return { items: pages[at] ?? [], next: at + 1 < pages.length ? String(at + 1) : null };
    }),
    countUnread: vi.fn(async () => rows.filter(({ read }) => !read).length),
    markRead: vi.fn(async () => {}),
    markAllRead: vi.fn(async () => {}),
  } satisfies BellDoors;
  return doors;
}

const ids = (bell: Bell) => bell.items?.map(({ id, read }) => (read ? `(${id})` : id));

describe('before anybody looks', () => {
  it('the number is known and the list was not asked for', async () => {
    const doors = service([note('a'), note('b', { read: true })]);
    const bell = new Bell(doors);
    expect(bell.unread).toBeNull();
    await bell.poll();
    expect([bell.unread, bell.items, doors.list.mock.calls.length]).toEqual([1, null, 0]);
  });

  it('a socket that comes and goes asks no more often than every quarter minute', async () => {
    const doors = service([]);
    const bell = new Bell(doors);
    for (let n = 0; n < 5; n++) await bell.poll();
    expect(doors.countUnread).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(15_000);
    await bell.poll();
    expect(doors.countUnread).toHaveBeenCalledTimes(2);
  });

  it('nobody who answers is no success: the next poll asks again at once', async () => {
    const doors = service([note('a')]);
    const bell = new Bell(doors);
    doors.countUnread.mockRejectedValueOnce(new ConnectionError('down'));
    await expect(bell.poll()).rejects.toBeInstanceOf(ConnectionError);
    await bell.poll();
    expect(bell.unread).toBe(1);
  });

  it('what rings raises the number', async () => {
    const bell = new Bell(service([note('a')]));
    await bell.poll();
    bell.event('notification', note('b', { title: 'Firmware 1.3.0 is ready' }));
    expect([bell.unread, bell.newest?.title]).toEqual([2, 'Firmware 1.3.0 is ready']);
  });

  it('the same thing again, somewhere below, is counted by the service', async () => {
    const doors = service([note('a')]);
    const bell = new Bell(doors);
    await bell.poll();
    doors.countUnread.mockResolvedValueOnce(7);
    bell.event('notification', note('old', { times: 3 }));
    await vi.waitFor(() => expect(bell.unread).toBe(7));
  });
});

describe('the list', () => {
  it('shows the newest page, and older ones on demand, each entry once', async () => {
    const bell = new Bell(service([note('c'), note('b')], [note('b'), note('a')]));
    await bell.look();
    expect([ids(bell), bell.hasOlder]).toEqual([['c', 'b'], true]);
    await bell.older();
    expect([ids(bell), bell.hasOlder]).toEqual([['c', 'b', 'a'], false]);
  });

  it('grows at the top while it is open', async () => {
    const bell = new Bell(service([note('a', { read: true })]));
    await bell.look();
    bell.event('notification', note('b'));
    expect([ids(bell), bell.unread]).toEqual([['b', '(a)'], 1]);
  });

  it('brings up again what comes again, unread, and counts it once', async () => {
    const bell = new Bell(service([note('b'), note('a', { read: true })]));
    await bell.look();
    bell.event('notification', note('a', { times: 2 }));
    expect([ids(bell), bell.unread]).toEqual([['a', 'b'], 2]);
    bell.event('notification', note('a', { times: 3 }));
    expect([ids(bell), bell.unread]).toEqual([['a', 'b'], 2]);
  });

  it('loses nothing that rings while it is being fetched', async () => {
    const doors = service([note('a')]);
    const bell = new Bell(doors);
    let answer: (page: NotificationPage) => void = () => {};
    doors.list.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    const looking = bell.look();
    bell.event('notification', note('b'));
    doors.list.mockResolvedValueOnce({ items: [note('b'), note('a')], next: null });
    answer({ items: [note('a')], next: null });
    await looking;
    expect(ids(bell)).toEqual(['b', 'a']);
  });

  it('that cannot be fetched says why, and keeps what it had', async () => {
    const doors = service([note('a')]);
    const bell = new Bell(doors);
    await bell.look();
    doors.list.mockRejectedValueOnce(new ConnectionError('down'));
    await bell.look();
    expect([ids(bell), bell.problem?.code, bell.loading]).toEqual([['a'], 'unreachable', false]);
    await bell.look();
    expect(bell.problem).toBeNull();
  });

  it.each([null, 'text', {}, { id: 1, title: 'x' }, { id: 'x', title: 'x' }])(
    'ignores %j',
    async (payload) => {
      const bell = new Bell(service([]));
      await bell.look();
      bell.event('notification', payload);
      bell.event('fleet', note('x'));
      expect([ids(bell), bell.unread]).toEqual([[], 0]);
    },
  );
});

describe('marking', () => {
  it('one counts at once, and a second time changes nothing', async () => {
    const doors = service([note('b'), note('a')]);
    const bell = new Bell(doors);
    await bell.look();
    const marking = bell.markRead('b');
    expect([ids(bell), bell.unread]).toEqual([['(b)', 'a'], 1]);
    expect(await marking).toBe(true);
    await bell.markRead('b');
    expect([bell.unread, doors.markRead.mock.calls]).toEqual([1, [['b']]]);
  });

  it('all counts those that are not loaded, too', async () => {
    const bell = new Bell(service([note('c')], [note('b'), note('a')]));
    await bell.look();
    expect(bell.unread).toBe(3);
    await bell.markAllRead();
    expect([ids(bell), bell.unread]).toEqual([['(c)'], 0]);
  });

  it('that the service refuses is taken back', async () => {
    const doors = service([note('a')]);
    const bell = new Bell(doors);
    await bell.look();
    doors.markRead.mockRejectedValueOnce(new ConnectionError('down'));
    expect(await bell.markRead('a')).toBe(false);
    expect([ids(bell), bell.unread]).toEqual([['a'], 1]);
  });

  it('that is refused after something else rang is asked for anew', async () => {
    const doors = service([note('a')]);
    const bell = new Bell(doors);
    await bell.look();
    doors.markAllRead.mockImplementationOnce(async () => {
      bell.event('notification', note('b'));
      throw new ConnectionError('down');
    });
    doors.list.mockResolvedValue({ items: [note('b'), note('a')], next: null });
    doors.countUnread.mockResolvedValue(2);
    expect(await bell.markAllRead()).toBe(false);
    await vi.waitFor(() => expect([ids(bell), bell.unread]).toEqual([['b', 'a'], 2]));
  });
});
