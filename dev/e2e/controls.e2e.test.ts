import { AxeBuilder } from '@axe-core/playwright';
import { expect as onPage, type Locator, type Page } from '@playwright/test';
import { describe, expect, test, vi } from 'vitest';
import { useBrowser } from './support/browser.ts';
import { callApi } from './support/device.ts';
import { openAs, people, type Role } from './support/people.ts';
import { leave, switchOn, type Running } from './support/virtual.ts';

useBrowser();

const DIFFERENT_TIME = { timeout: 20_000 };

/** The page of a device's controls, live. */
async function openControls(serial: string, role: Role = 'operator'): Promise<Page> {
  const page = await openAs(role, `/org/devices/${serial}/controls`);
  await onPage(page.getByRole('status').filter({ hasText: /^\s*Live/ })).toBeVisible(DIFFERENT_TIME);
  return page;
}

const row = (page: Page, key: string): Locator => page.locator(`[data-control="${key}"]`);
const says = (page: Page, key: string, words: string | RegExp, timeout = 15_000): Promise<void> =>
  onPage(row(page, key)).toContainText(words, { timeout });
const relay = (page: Page): Locator => page.getByRole('switch', { name: 'Relay' });
const desire = (serial: string, patch: unknown): Promise<unknown> =>
  callApi(people.operator, 'PATCH', `/devices/${serial}/shadow/desired`, patch);
const wanted = async ({ row: read }: Running): Promise<Record<string, unknown>> =>
  (await read()).shadow_desired;

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => String(target))}`)).toEqual(
    [],
  );
}

describe('a control', () => {
  test('moves at once, waits for the device, and is in step when it confirms; others see it happen', async () => {
    const running = await switchOn(people.org_admin);
    const [page, other] = [await openControls(running.serial), await openControls(running.serial, 'viewer')];
    running.device.break({ silent: true });
    await relay(page).click();
    await onPage(relay(page)).toHaveAttribute('aria-checked', 'true');
    await says(page, 'relay', 'Waiting for the device');
    await says(other, 'relay', 'Waiting for the device');
    expect(await wanted(running)).toEqual({ relay: true });

    running.device.break({});
    await says(page, 'relay', /In step\s*confirmed/);
    await says(page, 'relay', `asked by ${people.operator}`);
    await says(other, 'relay', 'In step');
    await onPage(relay(other)).toHaveAttribute('aria-checked', 'true');
    expect((await running.row()).shadow_reported).toMatchObject({ relay: true });
  });

  test('of a number is set by keys, by its buttons and by typing, and is sent when it has come to rest', async () => {
    const running = await switchOn(people.org_admin);
    const page = await openControls(running.serial);
    let sent = 0;
    page.on('request', (request) => {
      if (request.method() === 'PATCH') sent++;
    });
    const number = page.getByRole('textbox', { name: 'Target temperature' });
    await number.fill('21,3');
    await number.press('Enter');
    await says(page, 'setpoint', 'In step');
    await onPage(number).toHaveValue('21.5');

    const slider = page.getByRole('slider', { name: 'Target temperature' });
    for (let press = 0; press < 3; press++) await slider.press('ArrowRight');
    await onPage(slider).toHaveAttribute('aria-valuetext', '23.0 °C');
    await onPage.poll(() => wanted(running)).toEqual({ setpoint: 23 });
    expect(sent).toBe(2);

    await page.getByRole('button', { name: 'Target temperature down' }).click();
    await onPage.poll(() => wanted(running)).toEqual({ setpoint: 22.5 });
    await number.fill('99');
    await number.blur();
    await onPage(number).toHaveValue('35.0');
    await onPage(page.getByRole('button', { name: 'Target temperature up' })).toBeDisabled();
    await says(page, 'setpoint', 'In step');
  });

  test('of a choice shows which one holds', async () => {
    const running = await switchOn(people.org_admin);
    const page = await openControls(running.serial);
    const heating = page.getByRole('group', { name: 'Heating' });
    await heating.getByRole('button', { name: 'Eco' }).click();
    await onPage(heating.getByRole('button', { name: 'Eco' })).toHaveAttribute('aria-pressed', 'true');
    await says(page, 'mode', 'In step');
    expect((await running.row()).shadow_reported).toMatchObject({ mode: 'eco' });
  });

  test('of a device that is away applies when it is back', async () => {
    const running = await switchOn(people.org_admin);
    const page = await openControls(running.serial);
    await leave(running);
    await relay(page).click();
    await says(page, 'relay', 'Applies when it reconnects');
    await says(page, 'relay', 'still reports Off');
    await onPage(relay(page)).toHaveAttribute('aria-checked', 'true');
    running.device.start();
    await says(page, 'relay', 'In step', 30_000);
  });

  test('falls back to the truth when a device that is there does nothing, and says what to do', async () => {
    const running = await switchOn(people.org_admin);
    running.device.break({ silent: true });
    const page = await openControls(running.serial);
    await relay(page).click();
    await says(page, 'relay', 'Not confirmed within 10 s');
    await says(page, 'relay', 'On was asked for; the device is online but still reports Off');
    await onPage(relay(page)).toHaveAttribute('aria-checked', 'false');
    await expectAccessible(page);

    await row(page, 'relay').getByRole('button', { name: 'Send again' }).click();
    await says(page, 'relay', 'Waiting for the device');
    await says(page, 'relay', 'Not confirmed within 10 s');
    await row(page, 'relay').getByRole('button', { name: 'Keep Off' }).click();
    await says(page, 'relay', 'In step');
    expect(await wanted(running)).toEqual({ relay: false });
  });

  test('of a key nobody described can be added, changed and taken away again', async () => {
    const running = await switchOn(people.org_admin);
    const page = await openControls(running.serial);
    await page.getByRole('button', { name: 'Add a key' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add a key' });
    const key = dialog.getByRole('combobox', { name: 'Key' });
    await key.fill('fan speed');
    await onPage(dialog).toContainText('"fan speed" cannot be a key');
    await key.fill('fan_speed');
    await dialog.getByLabel('Kind').selectOption('Number');
    await dialog.getByLabel('Value').fill('3');
    await dialog.getByRole('button', { name: 'Set it' }).click();
    await onPage(row(page, 'fan_speed')).toContainText('Fan speed');
    await onPage.poll(() => wanted(running)).toEqual({ fan_speed: 3 });
    await page.getByRole('button', { name: 'Fan speed up' }).click();
    await onPage.poll(() => wanted(running)).toEqual({ fan_speed: 4 });
    await row(page, 'fan_speed').getByRole('button', { name: 'Stop asking for fan_speed' }).click();
    await onPage(row(page, 'fan_speed')).toBeHidden();
    expect(await wanted(running)).toEqual({});
  });
});

describe('two people at once', () => {
  /** Somebody else is a moment faster than the next thing that is set on the page. */
  const meanwhile = (page: Page, serial: string, patch: object): Promise<unknown> =>
    page.route(
      /\/api\/devices\/[^/]+\/shadow\/desired$/,
      async (route) => {
        await desire(serial, patch);
        await route.continue();
      },
      { times: 1 },
    );

  test('who set other keys both have their way; who set the same is asked', async () => {
    const running = await switchOn(people.org_admin);
    const page = await openControls(running.serial);
    await meanwhile(page, running.serial, { mode: 'eco', setpoint: 19 });
    await relay(page).click();
    await onPage.poll(() => wanted(running)).toEqual({ mode: 'eco', setpoint: 19, relay: true });
    await says(page, 'relay', 'In step');

    await meanwhile(page, running.serial, { setpoint: 17 });
    const number = page.getByRole('textbox', { name: 'Target temperature' });
    await number.fill('24');
    await number.press('Enter');
    await says(page, 'setpoint', 'Somebody else changed it');
    await says(page, 'setpoint', 'it became 17.0 °C');
    expect(await wanted(running)).toMatchObject({ setpoint: 17 });
    await row(page, 'setpoint').getByRole('button', { name: 'Set mine' }).click();
    await onPage.poll(() => wanted(running)).toEqual({ setpoint: 24, mode: 'eco', relay: true });
  });
});

describe('the desired document as text', () => {
  test('is refused at the exact place, shows what it would change, and sends only that', async () => {
    const running = await switchOn(people.org_admin);
    await desire(running.serial, { relay: true, setpoint: 20, pid: { kp: 1, ki: 2 } });
    const page = await openControls(running.serial);
    await page.getByRole('button', { name: 'Edit as JSON' }).click();
    const editor = page.locator('[data-editor]');
    const text = page.getByLabel('What the device should be');
    const send = editor.getByRole('button', { name: /^(Send|Nothing changed)/ });
    await onPage(send).toHaveText('Nothing changed');

    for (const [typed, refusal] of [
      ['{\n  "relay": true,\n}', 'Line 2, column 16: This comma is one too many'],
      ['{"relay": yes}', 'Line 1, column 11'],
      ['{"pid": {"1x": 1}}', 'Line 1, column 10: "1x" cannot be a key'],
      ['{"days": [1, null]}', 'Line 1, column 14: null removes a key'],
      [`${'{"a":'.repeat(9)}1${'}'.repeat(9)}`, 'At most 8 levels may nest'],
      [
        JSON.stringify(Object.fromEntries([...'abcdefghi'].map((k) => [k, 'x'.repeat(1000)]))),
        'at most 8 KB',
      ],
    ] as const) {
      await text.fill(typed);
      await onPage(editor.getByRole('alert')).toContainText(refusal);
      await onPage(send).toBeDisabled();
    }
    await expectAccessible(page);

    await text.fill('{"setpoint": 22, "pid": {"kp": 1}, "led": "red"}');
    const changes = editor.getByRole('region', { name: 'What sending changes' });
    await onPage(changes.getByRole('listitem')).toHaveText([
      /led\s*new\s*"red"/,
      /pid\.ki\s*2\s*no longer asked for/,
      /relay\s*true\s*no longer asked for/,
      /setpoint\s*20\s*22/,
    ]);
    const patch = page.waitForRequest((request) => request.method() === 'PATCH');
    await send.click();
    expect((await patch).postDataJSON()).toEqual({
      led: 'red',
      pid: { ki: null },
      relay: null,
      setpoint: 22,
    });
    await onPage(editor).toBeHidden();
    expect(await wanted(running)).toEqual({ setpoint: 22, pid: { kp: 1 }, led: 'red' });

    // Desired beside reported, and who it was.
    const led = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'led' }) });
    await onPage(led).toContainText(/"red".*–.*"red"/s);
    const setpoint = page.getByRole('row').filter({ has: page.getByRole('rowheader', { name: 'setpoint' }) });
    await onPage(setpoint).toContainText('nothing');
    const history = page.getByRole('region', { name: 'Who changed what' }).getByRole('listitem').first();
    await onPage(history).toContainText(people.operator);
    await onPage(history).toContainText('pid.ki');
  });

  test('asks when somebody else changed the same meanwhile, and merges what does not collide', async () => {
    const running = await switchOn(people.org_admin);
    await desire(running.serial, { relay: false, setpoint: 20 });
    const page = await openControls(running.serial);
    await page.getByRole('button', { name: 'Edit as JSON' }).click();
    const editor = page.locator('[data-editor]');
    await page.getByLabel('What the device should be').fill('{"relay": false, "setpoint": 23}');
    await desire(running.serial, { setpoint: 18, mode: 'eco' });
    await onPage(
      page.getByRole('group', { name: 'Heating' }).getByRole('button', { name: 'Eco' }),
    ).toHaveAttribute('aria-pressed', 'true');
    await editor.getByRole('button', { name: 'Send 1 change' }).click();
    await onPage(editor.getByRole('alert')).toContainText('setpoint: they set 18, you want 23');
    expect(await wanted(running)).toMatchObject({ setpoint: 18 });
    await editor.getByRole('button', { name: 'Send mine' }).click();
    await onPage(editor).toBeHidden();
    expect(await wanted(running)).toEqual({ relay: false, setpoint: 23, mode: 'eco' });
  });
});

describe('commands', () => {
  const item = (page: Page, type: string): Locator => page.locator(`[data-command="${type}"]`).first();

  async function send(page: Page, type: string, payload = ''): Promise<void> {
    await page.getByRole('button', { name: 'Send a command' }).click();
    const dialog = page.getByRole('dialog', { name: 'Send a command' });
    await dialog.getByLabel('Command').fill(type);
    await dialog.getByLabel(/Payload/).fill(payload);
    await dialog.getByRole('button', { name: 'Send', exact: true }).click();
    await onPage(dialog).toBeHidden();
  }

  test('are answered by the device; what it cannot do it says', async () => {
    const { serial } = await switchOn(people.org_admin);
    const page = await openControls(serial);
    await page.getByRole('button', { name: 'Send a command' }).click();
    const dialog = page.getByRole('dialog', { name: 'Send a command' });
    await dialog.getByLabel('Command').fill('ping');
    await dialog.getByLabel(/Payload/).fill('{"n": 1,}');
    await onPage(dialog).toContainText('Line 1, column 8: This comma is one too many');
    await onPage(dialog.getByRole('button', { name: 'Send', exact: true })).toBeDisabled();
    await dialog.getByLabel(/Payload/).fill('{"n": 1}');
    await dialog.getByRole('button', { name: 'Send', exact: true }).click();
    await onPage(item(page, 'ping')).toContainText('Done', DIFFERENT_TIME);
    await onPage(item(page, 'ping')).toContainText('Reply { "pong": { "n": 1 } }');

    await send(page, 'open_valve');
    await onPage(item(page, 'open_valve')).toContainText('Failed', DIFFERENT_TIME);
    await onPage(item(page, 'open_valve')).toContainText('does not know this command');
  });

  test('wait for a device that is away, can be taken back, and go out the moment it returns', async () => {
    const running = await switchOn(people.org_admin);
    const page = await openControls(running.serial);
    await leave(running);
    await send(page, 'identify');
    await send(page, 'ping');
    await onPage(item(page, 'identify')).toContainText('Queued');
    await item(page, 'identify').getByRole('button', { name: 'Take back' }).click();
    await onPage(item(page, 'identify')).toContainText('Taken back');
    running.device.start();
    await onPage(item(page, 'ping')).toContainText('Done', DIFFERENT_TIME);
    await onPage(item(page, 'identify')).toContainText('Taken back');
  });

  test('the restart asks first, from whatever tab, and the device says why it came back', async () => {
    const running = await switchOn(people.org_admin);
    const page = await openAs('operator', `/org/devices/${running.serial}`);
    await page.getByRole('button', { name: 'Restart' }).click();
    const dialog = page.getByRole('dialog', { name: `Restart ${running.serial}?` });
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await onPage(dialog).toBeHidden();
    await page.getByRole('button', { name: 'Restart' }).click();
    await dialog.getByRole('button', { name: /^Restart/ }).click();
    await onPage(page.getByText(`${running.serial} is told to restart.`)).toBeVisible();
    await vi.waitFor(
      async () => expect((await running.row()).shadow_reported).toMatchObject({ reboot_reason: 'SW' }),
      { timeout: 15_000, interval: 200 },
    );
    await page.getByRole('link', { name: 'Controls' }).click();
    await onPage(item(page, 'reboot')).toContainText('Done', DIFFERENT_TIME);
  });
});

describe('who may not', () => {
  test('a viewer sees everything, changes nothing, and reads why', async () => {
    const { serial } = await switchOn(people.org_admin);
    await desire(serial, { relay: true });
    const page = await openControls(serial, 'viewer');
    await onPage(page.getByText('You may look, but not change anything here.')).toBeVisible();
    await onPage(relay(page)).toBeDisabled();
    await onPage(page.getByRole('slider', { name: 'Target temperature' })).toBeDisabled();
    await onPage(page.getByRole('button', { name: 'Eco' })).toBeDisabled();
    for (const name of ['Add a key', 'Edit as JSON', 'Send a command', 'Restart', /^Stop asking/])
      await onPage(page.getByRole('button', { name })).toHaveCount(0);
    await expectAccessible(page);
  });

  test('a browser without a network changes nothing until it is back, and claims nothing meanwhile', async () => {
    const running = await switchOn(people.org_admin);
    running.device.break({ silent: true });
    const page = await openControls(running.serial);
    await relay(page).click();
    await says(page, 'relay', 'Waiting for the device');
    await page.context().setOffline(true);
    await onPage(relay(page)).toBeDisabled();
    await says(page, 'relay', 'Not known while you are offline');
    await onPage(page.getByText('Your browser is offline.')).toBeVisible();
    await page.context().setOffline(false);
    await onPage(relay(page)).toBeEnabled();
    running.device.break({});
    await says(page, 'relay', 'In step', 20_000);
  });
});

describe('a customer', () => {
  test('controls what the maker leaves to customers, in plain words, on a phone', async () => {
    const [found] = await callApi<{ serial_no: string; org_id: string }[]>(
      people.customer,
      'GET',
      '/devices?status=online',
    );
    const serial = found!.serial_no;
    const viewport = { width: 320, height: 700 };
    const page = await openAs('customer', `/portal/devices/${serial}`, { viewport });
    const before = (await relay(page).getAttribute('aria-checked')) === 'true';
    await relay(page).click();
    await says(page, 'relay', 'The device has it', 20_000);
    await onPage(relay(page)).toHaveAttribute('aria-checked', String(!before));
    await page.getByRole('textbox', { name: 'Target temperature' }).fill('23');
    await page.getByRole('textbox', { name: 'Target temperature' }).press('Enter');
    await says(page, 'setpoint', 'The device has it', 20_000);
    const device = await callApi<{ shadow_reported: object }>(people.customer, 'GET', `/devices/${serial}`);
    expect(device.shadow_reported).toMatchObject({ relay: !before, setpoint: 23 });

    // The heating's plan is not theirs, and nothing here is for people who run fleets.
    await onPage(row(page, 'mode')).toHaveCount(0);
    await onPage(page.getByText(/desired|JSON|shadow/i)).toHaveCount(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(viewport.width);
    await expectAccessible(page);
  });
});
