import { describe, expect, it } from 'vitest';
import { isDowngrade, proposal } from './push-choice.ts';

const image = (version: string) => ({ id: version, version });
const device = { fw_version: '1.3.0' };

describe('the version a device is offered', () => {
  it('is the newest one, never one that leads back', () => {
    const images = [image('1.2.9'), image('1.10.0'), image('1.4.0')];
    expect(proposal(images, device)?.version).toBe('1.10.0');
    expect(proposal([image('1.2.9'), image('1.3.0')], device)).toBeUndefined();
    expect(proposal([image('1.0.0')], { fw_version: null })?.version).toBe('1.0.0');
  });

  it('knows a step back', () => {
    expect(isDowngrade(image('1.2.9'), device)).toBe(true);
    expect(isDowngrade(image('1.3.0'), device)).toBe(false);
    expect(isDowngrade(image('1.0.0'), { fw_version: null })).toBe(false);
  });
});
