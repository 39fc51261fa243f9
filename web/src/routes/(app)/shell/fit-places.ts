const ROOM = 6;

/** A phone's bar has room for six places; of more, the first five and a menu with the rest. */
export function fitPlaces<Place>(places: readonly Place[]): { shown: Place[]; more: Place[] } {
  if (places.length <= ROOM) return { shown: [...places], more: [] };
  return { shown: places.slice(0, ROOM - 1), more: places.slice(ROOM - 1) };
}
