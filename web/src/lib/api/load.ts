import { settle, type Loaded } from '#lib/problem.ts';

/**
 * For `load`: a document is rendered with its data, so the first paint is the page; a navigation inside the app
 * gets the promise, so the skeleton shows at once.
 */
export async function stream<T>(isDataRequest: boolean, work: PromiseLike<T>): Promise<Streamed<T>> {
  const settled = settle(work);
  return { value: isDataRequest ? settled : await settled };
}

/** Wrapped, because a promise returned by an async function would be awaited. */
export interface Streamed<T> {
  value: Loaded<T> | Promise<Loaded<T>>;
}
