/** Entries of the lists at first, and of every older page. */
export const PAGE_SIZE = 10;
