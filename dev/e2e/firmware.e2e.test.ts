import { expect as onPage, type Page } from '@playwright/test';
import { describe, expect, test } from 'vitest';
import { CRASHES } from '../../cli/src/simulate/index.ts';
import { brokenEspImages } from '../../sdk/test/esp-image.ts';
import {
  imageFile,
  newBoard,
  newBoards,
  newTag,
  newVersion,
  startJob,
  uploadImage,
} from './support/board.ts';
import { useBrowser } from './support/browser.ts';
import { callApi } from './support/device.ts';
import { openAs, people } from './support/people.ts';

useBrowser();

const file = (bytes: Uint8Array, name = 'climate.bin') => ({
  ...{ name, mimeType: 'application/octet-stream', buffer: Buffer.from(bytes) },
});
const choose = (page: Page, chosen: ReturnType<typeof file>) =>
  page.getByLabel(/Drop a firmware image here/).setInputFiles(chosen);
/** Lets an empty file go over the page. */
async function drop(page: Page, name: string): Promise<void> {
  const dataTransfer = await page.evaluateHandle((called) => {
    const carried = new DataTransfer();
    carried.items.add(new File([], called));
    return carried;
  }, name);
  await page.dispatchEvent('main', 'drop', { dataTransfer });
}

const runs = async (serial: string) =>
  (await callApi<{ fw_version: string | null }>(people.org_admin, 'GET', `/devices/${serial}`)).fw_version;

/** The number of a group on the progress page, such as "Updated". */
const group = (page: Page, word: string) =>
  page.getByRole('region', { name: 'Progress' }).getByRole('listitem').filter({ hasText: word });
const state = (page: Page, word: string) => page.getByRole('main').getByText(word, { exact: true }).first();
// A stage that soaks, or a device that is late, is looked at every half minute.
const SOON = { timeout: 60_000 };

async function openJob(id: string): Promise<Page> {
  return openAs('org_admin', `/org/firmware/jobs/${id}`);
}

describe('an image', () => {
  test('is shown before it is sent, goes straight to the store, and is signed', async () => {
    const version = newVersion();
    const page = await openAs('org_admin', '/org/firmware');
    const hosts: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'PUT') hosts.push(new URL(request.url()).pathname);
    });
    await choose(page, imageFile({ version, project: 'climate-node', size: 2_000_000 }));
    const desk = page.getByRole('region', { name: 'Upload an image' });
    await onPage(desk.getByText(version, { exact: true })).toBeVisible();
    await onPage(desk).toContainText('climate-node');
    await onPage(desk).toContainText('esp32');
    expect(hosts).toEqual([]);

    await page.getByLabel('Product type').selectOption('EC-CLIMATE-V1');
    await page.getByLabel(/^Notes/).fill('Quieter Wi-Fi.');
    await page.getByRole('button', { name: `Upload ${version}` }).click();
    await onPage(page.getByText(`${version} for Climate node is ready`, { exact: true })).toBeVisible();
    expect(hosts).toHaveLength(1);
    expect(hosts[0]).toContain('/storage/v1/');

    const row = page.getByRole('listitem').filter({ hasText: version });
    await onPage(row).toContainText('Signed');
    await onPage(row).toContainText('Quieter Wi-Fi.');
    await onPage(row.getByRole('button', { name: `Copy SHA-256 of ${version}` })).toBeVisible();
    await onPage(page.getByRole('button', { name: 'Copy public key' }).first()).toBeVisible();
  });

  test('that is none is refused before it is sent, with the reason, and may go up as a raw file', async () => {
    const version = newVersion();
    const page = await openAs('org_admin', '/org/firmware');
    await drop(page, 'empty.bin');
    await onPage(page.getByRole('alert')).toHaveText('The file is empty.');
    await page.getByRole('button', { name: 'Choose another file' }).click();

    await choose(page, file(brokenEspImages.notAnImage()));
    await onPage(page.getByRole('alert')).toContainText('does not begin with 0xE9');
    await page.getByLabel(/Upload it as it is/).check();
    await page.getByLabel('Product type').selectOption('EC-CLIMATE-V1');
    await page.getByRole('textbox', { name: 'Version' }).fill(version);
    await page.getByRole('button', { name: `Upload ${version}` }).click();
    await onPage(page.getByText(`${version} for Climate node is ready`, { exact: true })).toBeVisible();
    await onPage(page.getByRole('listitem').filter({ hasText: version })).toContainText('any file');
  });

  test('for another chip, cut off, or of a version that exists is refused after the look inside', async () => {
    const version = newVersion();
    await uploadImage({ version });
    const page = await openAs('org_admin', '/org/firmware');
    const desk = page.getByRole('region', { name: 'Upload an image' });
    const refused: [ReturnType<typeof file>, RegExp][] = [
      [imageFile({ version: newVersion(), chipId: 9 }), /esp32s3/],
      [file(brokenEspImages.truncated()), /ends/],
      [imageFile({ version, fill: 1 }), /exists/],
    ];
    for (const [bad, reason] of refused) {
      await choose(page, bad);
      await page.getByLabel('Product type').selectOption('EC-CLIMATE-V1');
      await page.getByRole('button', { name: /^Upload / }).click();
      await onPage(desk.getByRole('alert')).toContainText(reason);
      await page.getByRole('button', { name: 'Choose another file' }).click();
    }
  });

  test('is retired, and the version can come again', async () => {
    const version = newVersion();
    await uploadImage({ version });
    const page = await openAs('org_admin', '/org/firmware');
    await page.getByRole('button', { name: `More about ${version}` }).click();
    await page.getByRole('menuitem', { name: 'Retire' }).click();
    await page.getByRole('button', { name: `Retire ${version}` }).click();
    await onPage(page.getByText(`Firmware ${version} was retired.`)).toBeVisible();
    await onPage(page.getByRole('button', { name: `More about ${version}` })).toHaveCount(0);
    await uploadImage({ version });
  });
});

describe('an update job', () => {
  test('says who gets it and who does not, goes through its canary, and is watched to its end', async () => {
    const version = newVersion();
    const tag = newTag();
    const firmware = await uploadImage({ version });
    const boards = await newBoards(3, { tag });
    const up = await newBoard({ tag, version });
    const page = await openAs('org_admin', `/org/devices?tag=${tag}`);
    await onPage(page.getByText('Online', { exact: true })).toHaveCount(5); // four rows and the filter
    await page.getByLabel('Choose all devices of this page').check();
    await page.getByRole('button', { name: 'Update firmware of 4 devices' }).click();

    await page.waitForURL(/\/jobs\/new/);
    await onPage(page.getByLabel('4 chosen devices')).toBeChecked();
    await page.getByRole('combobox', { name: 'Firmware' }).selectOption(firmware);
    const preview = page.getByRole('status').filter({ hasText: `devices get ${version}` });
    await onPage(preview).toContainText('3');
    await page.getByRole('button', { name: /^Has it already/ }).click();
    await onPage(page.getByRole('list', { name: 'Devices' })).toContainText(up.serial);
    await page.getByLabel('Watched before it goes on').selectOption('0');
    await onPage(page.getByRole('list', { name: 'Stages' })).toContainText('Canary 1 device');
    await page.getByRole('button', { name: 'Start: 3 devices' }).click();

    await page.waitForURL(/\/jobs\/[0-9a-f-]{36}$/);
    await onPage(page.getByText(/^Job #\d+ has started: 3 devices\.$/)).toBeVisible();
    // Without a reload: the page hears of every step.
    await onPage(state(page, 'Finished')).toBeVisible(SOON);
    await onPage(group(page, 'Updated')).toContainText('3');
    await onPage(page.getByText(/^Finished: 3 of 3 devices updated$/)).toBeVisible();
    for (const { serial } of boards) expect(await runs(serial)).toBe(version);

    await page.getByRole('button', { name: boards[0]!.serial }).click();
    const log = page.getByRole('dialog');
    await onPage(log.getByRole('listitem').filter({ hasText: 'Restarting' })).toBeVisible();
    await onPage(log.getByRole('listitem').first()).toContainText('Updated');
  });

  test('stops by itself at a canary that crashes, and nobody else is told', async () => {
    const tag = newTag();
    const firmware = await uploadImage({ version: newVersion(), project: `${CRASHES} x` });
    const boards = await newBoards(3, { tag });
    const page = await openAs('org_admin', `/org/devices?tag=${tag}`);
    await onPage(page.getByText('Online', { exact: true })).toHaveCount(4);
    const id = await startJob(firmware, tag, { stages: [{ count: 1 }, { percent: 100 }] });
    await page.goto(`/org/firmware/jobs/${id}`);

    await onPage(page.getByText('It stopped by itself: too many failures')).toBeVisible(SOON);
    await onPage(page.getByRole('main')).toContainText('2 devices had not been told and were left alone.');
    await onPage(group(page, 'Failed')).toContainText('1 rolled back');
    await onPage(group(page, 'Cancelled')).toContainText('2');
    await page.getByRole('link', { name: /The new version crashed again and again/ }).click();
    await page.waitForURL(/reason=crash_loop/);
    await onPage(page.getByRole('button', { name: /^E2E-/ })).toHaveCount(1);
    for (const { serial } of boards) expect(await runs(serial)).toBe('1.0.0');
  });

  test('is paused and goes on: a device that comes in between is told only then', async () => {
    const version = newVersion();
    const tag = newTag();
    const firmware = await uploadImage({ version });
    const board = await newBoard({ tag, on: false });
    const page = await openJob(await startJob(firmware, tag));
    await onPage(group(page, 'Waiting')).toContainText('1');
    await page.getByRole('button', { name: 'Pause' }).click();
    await onPage(state(page, 'Paused')).toBeVisible();

    board.start();
    const seen = async () =>
      (await callApi<{ status: string }>(people.org_admin, 'GET', `/devices/${board.serial}`)).status;
    await expect.poll(seen, { timeout: 20_000 }).toBe('online');
    await onPage(group(page, 'Waiting')).toContainText('1');
    await page.getByRole('button', { name: 'Resume' }).click();
    await onPage(state(page, 'Finished')).toBeVisible(SOON);
    expect(await runs(board.serial)).toBe(version);
  });

  test('is tried again with those that failed', async () => {
    const version = newVersion();
    const tag = newTag();
    const firmware = await uploadImage({ version });
    const board = await newBoard({ tag, faults: { corruptDownload: true } });
    const page = await openJob(await startJob(firmware, tag));
    await onPage(group(page, 'Failed')).toContainText('1', SOON);
    await onPage(page.getByRole('link', { name: /The file it received was damaged/ })).toBeVisible(SOON);

    board.break({});
    await page.getByRole('button', { name: 'Try again' }).click();
    await page.getByRole('button', { name: 'Try again with 1 device' }).click();
    await onPage(group(page, 'Updated')).toContainText('1', SOON);
    expect(await runs(board.serial)).toBe(version);
  });

  test('is stopped by hand, with the count of those who are spared', async () => {
    const tag = newTag();
    const firmware = await uploadImage({ version: newVersion() });
    await newBoards(2, { tag, on: false });
    const page = await openJob(await startJob(firmware, tag));
    await page.getByRole('button', { name: 'Stop', exact: true }).click();
    const dialog = page.getByRole('dialog');
    await onPage(dialog).toContainText('2 waiting devices will not be told.');
    await dialog.getByRole('button', { name: /^Stop job #/ }).click();
    await onPage(page.getByText(`Stopped by ${people.org_admin}`).first()).toBeVisible();
    await onPage(group(page, 'Cancelled')).toContainText('2');
  });
});

describe('a device', () => {
  test('is updated from its own page, which follows it to the new version', async () => {
    const version = newVersion();
    await uploadImage({ version });
    const board = await newBoard({ tag: newTag() });
    const page = await openAs('org_admin', `/org/devices/${board.serial}/firmware`);
    await page.getByRole('button', { name: 'Update this device' }).click();
    await page.getByRole('radio', { name: new RegExp(version) }).check();
    await page.getByRole('button', { name: `Update to ${version}` }).click();
    await onPage(page.getByText(new RegExp(`gets ${version} \\(job #\\d+\\)`))).toBeVisible();
    const now = page.getByRole('region', { name: 'Firmware now' });
    await onPage(now.getByText(version, { exact: true })).toBeVisible(SOON);
    await onPage(page.getByRole('listitem').filter({ hasText: version })).toContainText('Updated', SOON);
    await onPage(now).not.toContainText('Gets');
  });

  test('is found again by a filter that was saved', async () => {
    const tag = newTag();
    const board = await newBoard({ tag, on: false });
    const page = await openAs('operator', `/org/devices?tag=${tag}`);
    await page.getByRole('button', { name: 'Saved filters' }).click();
    await page.getByRole('menuitem', { name: /^Save these filters/ }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill(tag);
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await onPage(page.getByText(`Saved as “${tag}”.`)).toBeVisible();

    const other = await openAs('org_admin', '/org/devices');
    await other.getByRole('button', { name: 'Saved filters' }).click();
    await other.getByRole('menuitem', { name: tag, exact: true }).click();
    await other.waitForURL((url) => url.searchParams.get('tag') === tag);
    await onPage(other.getByRole('row').filter({ hasText: board.serial })).toBeVisible();
    await other.getByRole('button', { name: 'Saved filters' }).click();
    await other.getByRole('menuitem', { name: `Delete the filter ${tag}` }).click();
    await onPage(other.getByText(`The filter “${tag}” was deleted.`)).toBeVisible();
  });
});

describe('somebody who may not update', () => {
  test('sees images and jobs, and why there is no button', async () => {
    const tag = newTag();
    const version = newVersion();
    const firmware = await uploadImage({ version });
    await newBoard({ tag, on: false });
    const job = await startJob(firmware, tag);
    const page = await openAs('viewer', '/org/firmware');
    await onPage(page.getByRole('listitem').filter({ hasText: version })).toBeVisible();
    await onPage(page.getByText('updating devices is for org admins')).toBeVisible();
    await onPage(page.getByRole('link', { name: /^Update devices/ })).toHaveCount(0);
    await onPage(page.getByRole('region', { name: 'Upload an image' })).toHaveCount(0);

    await page.goto(`/org/firmware/jobs/${job}`);
    await onPage(group(page, 'Waiting')).toContainText('1');
    for (const name of ['Pause', 'Stop', 'Try again'])
      await onPage(page.getByRole('button', { name })).toHaveCount(0);
    await page.goto('/org/firmware/jobs/new');
    await onPage(page.getByText('Only org admins update devices')).toBeVisible();
  });
});
