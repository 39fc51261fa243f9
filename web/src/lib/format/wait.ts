/** Seconds as people say them when they have to wait: "about 12 minutes". */
export function waitWords(seconds: number | null): string {
  if (seconds === null || seconds <= 0) return 'a few minutes';
  if (seconds < 60) return 'a minute';
  const minutes = Math.ceil(seconds / 60);
  if (minutes === 1) return 'a minute';
  return minutes < 90 ? `about ${minutes} minutes` : `about ${Math.round(minutes / 60)} hours`;
}
