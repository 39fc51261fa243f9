/** Ports of one lab, counted from a base so that several may run. */
export interface LabPorts {
  postgres: number;
  mqtt: number;
  mqtts: number;
  metrics: number;
  api: number;
  nodeRed: number;
}

export function labPorts(base: number): LabPorts {
  return {
    postgres: base + 2,
    api: base + 3,
    mqtt: base + 5,
    mqtts: base + 6,
    metrics: base + 8,
    nodeRed: base + 11,
  };
}
